"""One queue as it is in memory: where its file ends, and the tail of what no checkpoint saved yet.

An entry of the tail is kept as the bytes that its mailbox will hold: they take half the memory of
an Entry, a checkpoint joins and writes them as they are, one to several is kept once, and who is
handed it gets it out of these bytes (`store.rows`). Only what somebody is about to take is kept in
its parts (see `is_awaited`), while there are not many entries in memory.

Must never change what an entry is: both forms are the same to whoever asks. Fails by assertion.
"""

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Final

from store.entry import Entry
from store.entry_codec import (
    ID_AT,
    ID_END,
    Parts,
    decode_entries,
    encode_entry,
    encode_parts,
    entry_of,
    parts_of,
)

Item = Parts | bytes

SETTLED: Final = b""
"""In the place of an entry that is gone: nothing, so that those after it need not move up."""


class Queue:
    """Where the entries of one queue are: the file up to `end_offset`, then the tail in memory."""

    __slots__ = (
        "base",
        "end_offset",
        "file_last",
        "has_file",
        "hint",
        "is_awaited",
        "number",
        "tail",
        "tail_gone",
        "tail_numbers",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        # The tail, in order; both are empty when nothing in them is left.
        self.tail: list[Item] = []
        self.tail_numbers: array[int] = array("Q")
        self.tail_gone = 0  # how many of them are SETTLED
        # Cache: somebody is there to take what comes next, so that it would be encoded only to be
        # decoded at the end of the turn.
        self.is_awaited = False
        self.has_file = False
        self.base = -1  # logical offset of the file's first block; -1: not looked at yet
        self.end_offset = 0  # logical offset just past the file's last block
        self.hint = 0  # every unsettled entry in the file is at or past this logical offset
        self.file_last = 0  # number of the last entry in the file

    @property
    def tail_count(self) -> int:
        """How many entries the tail has."""
        return len(self.tail) - self.tail_gone

    def append(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self.tail.append(parts_of(entry) if self.is_awaited else encode_entry(entry))
        self.tail_numbers.append(entry.number)

    def take_out(self, numbers: list[int]) -> int:
        """Those of these entries that are in the tail leave it; says how many those were."""
        tail, known = self.tail, self.tail_numbers
        end = len(tail)
        if not end:  # all of it is in the file
            return 0
        if end == len(numbers) and known.tolist() == numbers:  # as it mostly is
            found = end - self.tail_gone
            self.clear()
            return found
        # And if not all of the tail, then a stretch of it: looked for as one, and marked at once.
        start = bisect_left(known, numbers[0]) if numbers else 0
        stop = start + len(numbers)
        if known[start:stop].tolist() == numbers:
            found = len([item for item in tail[start:stop] if item])
            tail[start:stop] = [SETTLED] * len(numbers)
        else:
            found = self.take_each_out(numbers)
        self.tail_gone += found
        if self.tail_gone == end:
            self.clear()
        return found

    def take_one_out(self, number: int) -> int:
        """`take_out` for one."""
        tail, known = self.tail, self.tail_numbers
        index = bisect_left(known, number)
        if index >= len(tail) or known[index] != number or not tail[index]:
            return 0
        if self.tail_gone + 1 == len(tail):
            self.clear()
        else:
            tail[index] = SETTLED
            self.tail_gone += 1
        return 1

    def take_each_out(self, numbers: list[int]) -> int:
        """Mark one by one what is no stretch of the tail; says how many those were."""
        tail, known = self.tail, self.tail_numbers
        end = len(tail)
        found = index = 0
        for number in numbers:
            # What is settled together mostly stands together.
            if index >= end or known[index] != number:
                index = bisect_left(known, number)
                if index >= end or known[index] != number:
                    continue
            if tail[index]:
                tail[index] = SETTLED
                found += 1
            index += 1
        return found

    def clear(self) -> None:
        """Nothing is in the tail any more."""
        self.tail.clear()
        del self.tail_numbers[:]
        self.tail_gone = 0

    def holds(self, number: int) -> bool:
        """Whether this entry is in the tail."""
        index = bisect_left(self.tail_numbers, number)
        if index >= len(self.tail) or self.tail_numbers[index] != number:
            return False
        return bool(self.tail[index])

    def first_after(self, position: int) -> Entry | None:
        """The entry of the tail that follows this number."""
        tail = self.tail
        for index in range(bisect_right(self.tail_numbers, position), len(tail)):
            if tail[index]:
                return as_entries(tail[index : index + 1])[0]
        return None

    def all_in_tail(self) -> list[Entry]:
        """All entries of the tail."""
        return as_entries(self.tail)

    def all_with_id(self, message_id: bytes) -> list[Entry]:
        """The entries of the tail that are of this message."""
        found: list[Item] = []
        for item in self.tail:
            if isinstance(item, bytes):
                if item[ID_AT:ID_END] == message_id:
                    found.append(item)
            elif item[2][1] == message_id:
                found.append(item)
        return as_entries(found)

    def first_piece(self, count_max: int, bytes_max: int) -> tuple[list[int], list[bytes]]:
        """The first entries of the tail as bytes, and their numbers: as many as `count_max` and
        about `bytes_max` allow, at least one if there is one.
        """
        self.close_gaps()
        items = self.tail[:count_max]
        encoded = [item if isinstance(item, bytes) else encode_parts(item) for item in items]
        encoded = cut(encoded, bytes_max)
        return self.tail_numbers[: len(encoded)].tolist(), encoded

    def forget_first(self, count: int) -> None:
        """The first entries of the tail, which has no gaps, are in the file now."""
        assert not self.tail_gone
        self.file_last = self.tail_numbers[count - 1]
        del self.tail[:count]
        del self.tail_numbers[:count]

    def close_gaps(self) -> None:
        """What is left in the tail moves up."""
        if self.tail_gone:
            pairs = zip(self.tail_numbers, self.tail, strict=True)
            self.tail_numbers = array("Q", [number for number, item in pairs if item])
            self.tail = [item for item in self.tail if item]
            self.tail_gone = 0


def as_entries(items: list[Item]) -> list[Entry]:
    """What stands in a tail, as entries, without what is gone."""
    entries: list[Entry] = []
    for item in items:
        entries += decode_entries(item) if isinstance(item, bytes) else [entry_of(item, 0)]
    return entries


def cut(encoded: list[bytes], bytes_max: int) -> list[bytes]:
    """The first of these, up to the one with which they are more than `bytes_max` bytes."""
    if sum(map(len, encoded)) <= bytes_max:
        return encoded
    return encoded[: bisect_right(list(accumulate(map(len, encoded))), bytes_max) + 1]
