"""Which numbers of a queue are settled: disjoint half-open ranges (start, end], in order.

"(a, b] is settled" says that every entry *of this queue* with a number in it is settled; numbers in
between belong to other queues. The first range begins at 0 and its end is the floor: nothing at or
below it will ever be read again.

Must never be asked to unsettle. Fails by assertion when handed an empty range.
"""

from bisect import bisect_left, bisect_right


class Ranges:
    """The settled ranges of one queue. Costs a handful of comparisons per change when in order."""

    __slots__ = ("ends", "starts")

    def __init__(self, floor: int) -> None:
        self.starts: list[int] = [0]
        self.ends: list[int] = [floor]

    @property
    def floor(self) -> int:
        """Everything at or below this number is settled."""
        return self.ends[0]

    def __len__(self) -> int:
        return len(self.ends)

    def covers(self, number: int) -> bool:
        """Whether an entry with this number is settled."""
        index = bisect_left(self.ends, number)  # the first range that ends at or above number
        return index < len(self.ends) and self.starts[index] < number

    def touches(self, start: int) -> bool:
        """Whether settling (start, …] joins a range that there is, so that their count stays."""
        index = bisect_left(self.ends, start)
        return index < len(self.ends) and self.starts[index] <= start

    def add(self, start: int, end: int) -> None:
        """Settle (start, end], joining what touches it."""
        assert 0 <= start < end, (start, end)
        starts, ends = self.starts, self.ends
        if starts[-1] <= start <= ends[-1]:  # in order, the usual case
            ends[-1] = max(ends[-1], end)
            return
        first = bisect_left(ends, start)  # the first range that touches us from the left
        last = bisect_right(starts, end)  # one past the last range that we touch
        if first < last:
            start = min(start, starts[first])
            end = max(end, ends[last - 1])
        starts[first:last] = [start]
        ends[first:last] = [end]

    def pairs(self) -> list[tuple[int, int]]:
        """All ranges, for saving and for looking at."""
        return list(zip(self.starts, self.ends, strict=True))

    @classmethod
    def of(cls, pairs: list[tuple[int, int]]) -> "Ranges":
        """The ranges that `pairs` gave. Raises ValueError for what cannot have been saved."""
        ranges = cls(0)
        ranges.starts = [start for start, _ in pairs]
        ranges.ends = [end for _, end in pairs]
        before = -1
        for start, end in pairs:
            if start <= before or end < start:
                raise ValueError("settled ranges out of order")
            before = end
        if not pairs or pairs[0][0] != 0:
            raise ValueError("settled ranges do not begin at 0")
        return ranges
