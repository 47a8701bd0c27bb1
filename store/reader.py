"""Reads a queue in order: file, then tail; own entries and everyone's merged by number.

Each entry comes with its predecessor, so that settling it says which stretch of the queue is done
with (see `store.ranges`). A reader survives checkpoints and compaction: it remembers numbers and
logical offsets, and opens the file anew for each slice.

Must never read more than a slice of each file in one call, and never skip a bad block: StoreDamaged
is raised once what was found before it has been handed out.
"""

from bisect import bisect_right
from enum import Enum

from store.account import Account
from store.core import Core
from store.entry import Entry, EntryKind
from store.entry_codec import ENTRY_TLV, NUMBER_AT, decode_entries, parts_of
from store.errors import StoreDamaged
from store.framing import Block
from store.limits import SETTLED_RANGES_MAX
from store.mailbox import Mailbox, mailbox_path
from store.queue import Queue
from store.rows import Rows
from wire.tlv import HEADER, HEADER_BYTES

NEVER = 1 << 64


class Peek(Enum):
    """What a source says when it has no entry to show."""

    LATER = 1  # it would have to read more of the file than one call may
    NOTHING = 2  # the queue ends here, for now


class Source:
    """One of the two queues that a reader merges.

    What was read of the file is kept as its bytes, and taken apart as it is asked for: made all at
    once, what is made of a slice would be out of the processor's caches when it is wanted.
    """

    __slots__ = (
        "at",
        "blocks",
        "chunk",
        "core",
        "left",
        "mark",
        "may_read",
        "names",
        "offset",
        "peeked",
        "place",
        "position",
        "queue",
    )

    def __init__(self, core: Core, queue: Queue, position: int, hint: int) -> None:
        self.core = core
        self.queue = queue
        self.position = position  # the last number that was passed
        self.offset = queue.end_offset if position >= queue.file_last else hint
        self.chunk = b""  # the payload of the block at work, ...
        self.at = 0  # ... done with up to here, ...
        self.left = 0  # ... where so many entries are left
        self.place = 0  # where in the file it stands
        self.blocks: list[tuple[int, Block]] = []  # that come next, the last one first
        self.names: set[bytes] = set()  # of senders, that were met
        self.peeked: Entry | None = None  # the next entry, if somebody looked at it
        self.may_read = True
        self.mark: tuple[int, int] | None = None  # an offset, and the last number before it

    def peek(self) -> Entry | Peek:
        """The next entry, settled or not."""
        if self.peeked is None:
            if self.is_ready():
                try:
                    (self.peeked,) = decode_entries(self.chunk[self.at : self.end_of_next()])
                except ValueError as error:
                    raise self.damage(str(error)) from error
            elif self.offset < self.queue.end_offset:
                return Peek.LATER
            else:
                self.peeked = self.queue.first_after(self.position)
        return Peek.NOTHING if self.peeked is None else self.peeked

    @property
    def is_passed(self) -> bool:
        """Whether there is nothing in this queue past what was passed, so that no entry is next."""
        numbers = self.queue.tail_numbers
        return (
            not self.chunk
            and not self.blocks
            and self.offset >= self.queue.end_offset
            and (not numbers or numbers[-1] <= self.position)
        )

    def take(self, found: Rows, until: int, floor: int, settled_to: int) -> None:
        """Entries that come next, as long as it is plain that they are not settled: nothing above
        `settled_to` is, and everything up to `floor`.
        """
        self.position = max(self.position, floor)
        self.peeked = None
        if self.chunk or self.blocks or self.offset < self.queue.end_offset:
            self.take_of_file(found, until, settled_to)
        else:
            self.take_of_tail(found, until, settled_to)

    def take_of_file(self, found: Rows, until: int, settled_to: int) -> None:
        """What is left of the file, and then of the tail."""
        while not found.is_full and self.is_ready():
            if self.next_number() <= settled_to:
                return
            count = len(found.rows)
            try:
                end = found.take(self.chunk, self.at, until, self.names)
            except ValueError as error:
                raise self.damage(str(error)) from error
            finally:
                self.go_past(found, count)
            self.at = end
            self.left -= len(found.rows) - count
            if end < len(self.chunk):
                return
        if not found.is_full and self.offset >= self.queue.end_offset:
            self.take_of_tail(found, until, settled_to)

    def take_of_tail(self, found: Rows, until: int, settled_to: int) -> None:
        """The same, of what is in memory only."""
        queue = self.queue
        numbers = queue.tail_numbers
        index = bisect_right(numbers, self.position)
        if index < len(numbers) and numbers[index] > settled_to:
            count = len(found.rows)
            items = queue.tail[index : index + found.count_max - count]
            found.take_items(items, until, self.names)
            self.go_past(found, count)

    def go_past(self, found: Rows, count: int) -> None:
        """Go past what was found after the first `count`."""
        if len(found.rows) > count:
            self.position = found.pred

    def is_ready(self) -> bool:
        """Go to the next entry of the file that was not passed; False when none is at hand, even
        after reading on, if that is still allowed in this call.
        """
        if self.is_at_hand():
            return True
        if self.offset >= self.queue.end_offset or not self.may_read:
            return False
        self.may_read = False
        self.load()
        return self.is_at_hand()

    def load(self) -> None:
        """One slice of the file."""
        queue = self.queue
        box = Mailbox(self.core.disk, self.core.store_id, queue.number)
        try:
            offset = max(self.offset, box.header.base)
            blocks: list[tuple[int, Block]] = []
            last = 0
            if offset < queue.end_offset:
                for at, block, _ in box.blocks(offset, queue.end_offset):
                    if block.last > self.position:
                        blocks.append((box.place(at), block))
                    offset = at + block.total_bytes
                    last = block.last
        finally:
            box.close()
        blocks.reverse()
        self.blocks, self.offset = blocks, offset
        if self.mark is None:
            self.mark = (offset, last)

    def is_at_hand(self) -> bool:
        """`is_ready` without reading on."""
        while True:
            while self.at < len(self.chunk):
                if self.next_number() > self.position:
                    return True
                self.at = self.end_of_next()
                self.left -= 1
            if self.left:
                raise self.damage("entries are missing in a block")
            self.chunk, self.at = b"", 0
            if not self.blocks:
                return False
            self.place, block = self.blocks.pop()
            self.chunk, self.left = block.payload, block.items

    def next_number(self) -> int:
        """Of the entry that stands next in the block at work, passed or not."""
        at = self.at + NUMBER_AT
        if len(self.chunk) - self.at < ENTRY_TLV.size:
            raise self.damage("an entry that is too short")
        return int.from_bytes(self.chunk[at : at + 8], "big")

    def end_of_next(self) -> int:
        """Where it ends."""
        length: int = HEADER.unpack_from(self.chunk, self.at)[1]
        return self.at + HEADER_BYTES + length

    def damage(self, reason: str) -> StoreDamaged:
        """What is wrong with the block at work."""
        return StoreDamaged(mailbox_path(self.queue.number), self.place, reason)

    def passed(self, entry: Entry) -> None:
        """Go past the entry that `peek` showed."""
        self.position = entry.number
        self.peeked = None

    def settled_offset(self, floor: int) -> int:
        """Every entry before this offset is at or below the floor; 0 when nothing new is known."""
        if self.mark is None or self.mark[1] > floor:
            return 0
        offset, _ = self.mark
        self.mark = None
        return offset


class QueueReader:
    """Hands out the unsettled entries of one account, oldest first, a bounded piece at a time."""

    def __init__(self, core: Core, account: Account, after: int, until: int | None) -> None:
        self.account = account
        self.until = NEVER if until is None else until
        self.pred = after
        self.exhausted = False
        self.own = Source(core, account.queue, after, account.queue.hint)
        start = max(after, account.number)
        self.recalled = core.state.everyone.recalled
        self.shared = Source(core, core.state.everyone.queue, start, account.everyone_hint)

    def read(self, count_max: int, bytes_max: int, *, outcomes_only: bool = False) -> list[Entry]:
        """`read_rows`, as objects."""
        return self.read_rows(count_max, bytes_max, outcomes_only=outcomes_only).as_entries()

    def read_rows(self, count_max: int, bytes_max: int, *, outcomes_only: bool = False) -> Rows:
        """At most `count_max` entries and about `bytes_max` bytes of bodies (always one entry).

        None with `exhausted` False means that this slice of the file held nothing wanted: read on.
        With `exhausted` True nothing is left now; without an `until`, more may come. While the
        account has SETTLED_RANGES_MAX gaps, only entries come whose settling opens no further one.
        """
        self.begin_call()
        found = Rows(self.pred, count_max, bytes_max)
        if outcomes_only and self.account.own_outcomes == 0:
            self.exhausted = True
            return found
        settled = self.account.settled
        try:
            # Most of all: nothing of everyone's is next, and nothing that comes is settled.
            if not outcomes_only and len(settled) < SETTLED_RANGES_MAX and self.shared.is_passed:
                own = self.own
                own.take(found, self.until, settled.floor, settled.ends[-1])
                # And mostly that was all: a look at each queue would only find that out again.
                self.exhausted = not found.is_full and own.is_passed
            if not found.is_full and not self.exhausted:
                self.read_each(found, outcomes_only)
        except StoreDamaged:
            if not found.rows:
                raise
        finally:
            self.pred = found.pred
        return found

    def read_each(self, found: Rows, outcomes_only: bool) -> None:
        """The same with a look at each entry, and at both queues for each (measured: three times as
        much).
        """
        settled = self.account.settled
        while len(found.rows) < found.count_max:
            source, entry = self.next_entry()
            if entry is None:
                break
            if settled.covers(entry.number) or (source is self.shared and self.is_foreign(entry)):
                source.passed(entry)
                continue
            if outcomes_only and entry.kind is EntryKind.MESSAGE:
                source.passed(entry)
                found.pred = entry.number
                continue
            if len(settled) >= SETTLED_RANGES_MAX and not settled.touches(found.pred):
                break  # settling it would open one more gap; those that close one go on
            if found.rows and found.body_bytes + len(entry.body) > found.bytes_max:
                break
            source.passed(entry)
            found.add(parts_of(entry))

    def begin_call(self) -> None:
        """Each call may read one slice of each file; what is settled need not be read again."""
        self.exhausted = False
        own, shared = self.own, self.shared
        own.may_read = shared.may_read = True
        if own.mark is None and shared.mark is None:
            return
        account = self.account
        floor = account.settled.floor
        queue = account.queue
        queue.hint = max(queue.hint, own.settled_offset(floor))
        account.everyone_hint = max(account.everyone_hint, shared.settled_offset(floor))

    def next_entry(self) -> tuple[Source, Entry | None]:
        """The entry with the lowest number, and where it is; None when there is none to be had."""
        own, shared = self.own.peek(), self.shared.peek()
        if own is Peek.LATER or shared is Peek.LATER:
            return self.own, None
        own_number = own.number if isinstance(own, Entry) else NEVER
        shared_number = shared.number if isinstance(shared, Entry) else NEVER
        if min(own_number, shared_number) > self.until or own_number == shared_number:
            self.exhausted = True
            return self.own, None
        if own_number < shared_number:
            assert isinstance(own, Entry)
            return self.own, own
        assert isinstance(shared, Entry)
        return self.shared, shared

    def is_foreign(self, entry: Entry) -> bool:
        """Whether an entry of everyone's queue is not in this account's: its own, recalled, or
        too late.
        """
        account = self.account
        closing = account.closing_number
        if entry.sender == account.number or (closing != 0 and entry.number > closing):
            return True
        recalled = self.recalled.get(entry.number) if self.recalled else None
        return recalled is not None and account.lost(recalled)
