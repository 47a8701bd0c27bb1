"""Takes the settled front off a mailbox file: copies what is still needed into a new one.

Blocks are copied as they are, from the first that may hold something unsettled on; only `base` in
the header rises, so no offset changes its meaning. The new file is synced before it takes the
name, and the folder after. Runs between checkpoints only, on state that is committed.

Must never drop a block whose last entry is above the floor, nor copy one whose checksum is wrong.
DiskFull and StoreDamaged leave the old file as it is.
"""

from collections.abc import Generator
from contextlib import suppress
from itertools import islice

from store import mailbox
from store.account import EVERYONE, Account
from store.core import Core
from store.disk import DiskMissing
from store.limits import (
    COMPACT_DEAD_BYTES_MIN,
    COMPACT_EMPTY_BYTES_MIN,
    COMPACT_FLOORS_PER_SLICE,
    PAGE_BYTES,
)
from store.mailbox import MAILBOX_TEMPORARY, Mailbox, mailbox_folder, mailbox_path
from store.queue import Queue


def is_worth_it(dead: int, live: int) -> bool:
    """Whether so many dead bytes in front of so many live ones should go."""
    if live == 0:
        return dead > COMPACT_EMPTY_BYTES_MIN
    return dead > max(COMPACT_DEAD_BYTES_MIN, live)


def may_be_worth_it(queue: Queue) -> bool:
    """The same from memory alone; a file whose base nobody has looked at yet counts from 0."""
    dead = queue.hint - max(queue.base, 0)
    return queue.has_file and is_worth_it(dead, queue.end_offset - queue.hint)


class Compaction:
    """One mailbox file's compaction; `step` is one slice of it."""

    def __init__(self, core: Core, number: int) -> None:
        self.core = core
        self.number = number
        self.path = mailbox_path(number)
        self.copied = False
        self.held: set[int] = set()  # recalled, and somebody has not gone past it
        self.steps = self.run()

    def step(self) -> bool:
        """A slice of work; True at the end. Raises DiskFull, StoreDamaged, DiskFailure."""
        return next(self.steps, True)

    def queue(self) -> Queue | None:
        """The queue, unless its account was deleted meanwhile."""
        if self.number == EVERYONE:
            return self.core.state.everyone.queue
        account = self.core.state.by_number.get(self.number)
        return None if account is None else account.queue

    def run(self) -> Generator[bool, None, None]:
        """False after each slice."""
        queue = self.queue()
        if queue is None:  # deleted while it stood in line
            return
        if self.number == EVERYONE:
            yield from self.raise_everyone_hint(queue)
        box = Mailbox(self.core.disk, self.core.store_id, self.number)
        try:
            base = box.header.base
            queue.base = base
            end = max(queue.end_offset, base)
            start = max(queue.hint, base)
            if is_worth_it(start - base, end - start):
                yield from self.copy(box, start, end)
        finally:
            box.close()

    def copy(self, box: Mailbox, start: int, end: int) -> Generator[bool, None, None]:
        """Write the new file and put it in the place of the old one."""
        disk = self.core.disk
        temporary = MAILBOX_TEMPORARY
        handle = mailbox.create(disk, temporary, box.header._replace(base=start))
        try:
            offset = start
            while offset < end:
                blocks = box.blocks(offset, end)
                data = b"".join(raw for _, _, raw in blocks)
                disk.write_at(handle, PAGE_BYTES + offset - start, data)
                disk.sync(handle)  # each time: one sync of everything could take seconds
                offset += len(data)
                yield False
            disk.sync(handle)
        finally:
            disk.close(handle)
        queue = self.queue()
        if queue is None:  # deleted meanwhile; the next checkpoint removes its file
            disk.remove(temporary)
            return
        disk.rename(temporary, self.path)
        disk.sync_folder(mailbox_folder(self.number))
        queue.base = start
        self.copied = True

    def raise_everyone_hint(self, queue: Queue) -> Generator[bool, None, None]:
        """Find where everyone's file begins to matter to anybody.

        While whoever was furthest behind has not moved, nothing can have changed: then nobody else
        is looked at, unless something was recalled. There may be a million accounts, and one that
        never comes back.
        """
        by_number = self.core.state.by_number
        known = tuple(self.core.state.everyone.recalled)
        number, floor = self.core.furthest_behind
        has_moved = number not in by_number or self.floor_of(by_number[number]) != floor
        if known or has_moved:
            floor, holder = queue.file_last, 0
            numbers = iter(tuple(by_number))
            while some := tuple(islice(numbers, COMPACT_FLOORS_PER_SLICE)):
                for account in map(by_number.get, some):
                    if account is None:
                        continue
                    account_floor = self.floor_of(account)
                    if account_floor < floor:
                        floor, holder = account_floor, account.number
                yield False
            self.core.furthest_behind = (holder, floor)
            self.forget_recalled(known)
        box = Mailbox(self.core.disk, self.core.store_id, self.number)
        try:
            offset = max(queue.hint, box.header.base)
            while offset < queue.end_offset:
                blocks = box.blocks(offset, queue.end_offset)
                done = [(at, block) for at, block, _ in blocks if block.last <= floor]
                if done:
                    offset = done[-1][0] + done[-1][1].total_bytes
                    queue.hint = offset
                if len(done) < len(blocks):
                    break
                yield False
        finally:
            box.close()

    def forget_recalled(self, known: tuple[int, ...]) -> None:
        """What was recalled from everyone is forgotten once all accounts have gone past it.

        It changes nothing that anybody can see, so there is no record of it: whoever has settled
        an entry never asks whether it was recalled.
        """
        state = self.core.state
        for number in known:
            if number not in self.held:
                del state.everyone.recalled[number]
                state.dirty[EVERYONE] = state.everyone

    def floor_of(self, account: Account) -> int:
        """Up to which number this account is done with everyone's queue."""
        everyone = self.core.state.everyone
        total = account.closing_total if account.closing else everyone.total
        recalled = account.withdrawn(everyone) if everyone.recalled else []
        self.held.update(each.number for each in recalled)
        if account.everyone_seen + len(recalled) == total:
            return everyone.queue.file_last
        return account.settled.floor

    def abandon(self) -> None:
        """Leave the old file as it is."""
        self.steps.close()
        with suppress(DiskMissing):
            self.core.disk.remove(MAILBOX_TEMPORARY)
