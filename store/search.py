"""Finds one message of a sender's in one queue, by its id: the tail first, then the file.

What is looked for was accepted before the search began. So it is in the tail at the first step, or
in the file by then; a checkpoint between two steps moves nothing past the search.

Must never read more than a slice of the file in one step, nor skip a bad block. Fails with
StoreDamaged.
"""

from store.core import Core
from store.entry import Entry, EntryKind
from store.mailbox import Mailbox
from store.queue import Queue

MESSAGE = EntryKind.MESSAGE


class CopySearch:
    """One search; `step` until it gives the entry, or `done` says that there is none."""

    __slots__ = ("core", "done", "message_id", "offset", "queue", "sender")

    def __init__(self, core: Core, queue: Queue, sender: int, message_id: bytes) -> None:
        self.core = core
        self.queue = queue
        self.sender = sender
        self.message_id = message_id
        self.offset = -1  # the tail has not been looked at
        self.done = False

    def step(self) -> Entry | None:
        """Look at the tail, or at one slice of the file. The entry may be settled already."""
        assert not self.done
        queue = self.queue
        if self.offset < 0:
            self.offset = queue.hint
            found = self.pick(queue.all_with_id(self.message_id))
        else:
            found = self.pick(self.load())
        self.done = found is not None or not queue.has_file or self.offset >= queue.end_offset
        return found

    def pick(self, entries: list[Entry]) -> Entry | None:
        """The message among these."""
        for entry in entries:
            if (
                entry.message_id == self.message_id
                and entry.sender == self.sender
                and entry.kind is MESSAGE
            ):
                return entry
        return None

    def load(self) -> list[Entry]:
        """One slice of the file."""
        queue = self.queue
        box = Mailbox(self.core.disk, self.core.store_id, queue.number)
        entries: list[Entry] = []
        try:
            offset = max(self.offset, box.header.base)
            if offset < queue.end_offset:
                for at, block, _ in box.blocks(offset, queue.end_offset):
                    entries += box.entries(at, block)
                    offset = at + block.total_bytes
            self.offset = offset
        finally:
            box.close()
        return entries
