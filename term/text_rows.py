"""Which rows a text takes in a field, kept while the text is edited.

A key changes one line of a text, or none: only the lines that changed are broken into rows again,
and the others are found by counting. So a key costs about the same in ten thousand lines as in
one (measured with 64 KiB of short lines: 0.8 ms, where all rows anew took 22).

Must never hold more than one text and the places of its rows. Never fails.
"""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from term.characters import SHOWN, WIDTHS
from term.limits import CACHED_CHARACTERS_MAX, TAB_COLUMNS
from term.width import break_rows


class TextRows:
    """The rows of the text that `update` was called with last."""

    def __init__(self) -> None:
        self._text = ""
        self._columns = 0
        self._lines: list[tuple[int, ...]] = [(0,)]  # where its rows begin, from its beginning
        self._row_counts = [1]  # of each line
        self._lengths = [1]  # of each line, with its newline
        self._first_rows = [0]  # of each line; and the count of all rows
        self._begins = [0]  # of each line

    def update(self, text: str, columns: int) -> None:
        """This is the text from now on, in rows of so many columns."""
        if columns != self._columns:
            self._columns = columns
            self._replace(0, len(self._lines), text)
        elif text != self._text:
            self._update_changed(text)
        else:
            return
        self._text = text
        self._first_rows = [*accumulate(self._row_counts, initial=0)]
        self._begins = [*accumulate(self._lengths, initial=0)]

    def __len__(self) -> int:
        return self._first_rows[-1]

    def row_of(self, index: int) -> int:
        """The row that the character of this index stands in; at the end of the text the last."""
        line = bisect_right(self._begins, index, 0, len(self._lines)) - 1
        row_in_line = bisect_right(self._lines[line], index - self._begins[line]) - 1
        return self._first_rows[line] + row_in_line

    def row(self, number: int) -> tuple[int, int]:
        """Where a row begins and ends in the text, without its newline."""
        line = bisect_right(self._first_rows, number, 0, len(self._lines)) - 1
        starts = self._lines[line]
        begin = self._begins[line]
        row_in_line = number - self._first_rows[line]
        is_last = row_in_line + 1 == len(starts)
        end = self._lengths[line] - 1 if is_last else starts[row_in_line + 1]
        return begin + starts[row_in_line], begin + end

    def _update_changed(self, text: str) -> None:
        """Break again what lies between the lines that stayed at both ends."""
        before = self._text
        same = _same_beginning(before, text)
        same_at_end = min(_same_end(before, text), min(len(before), len(text)) - same)
        first = text.count("\n", 0, same)
        begin = text.rfind("\n", 0, same) + 1
        # From the first newline in what stayed at the end, all lines behind it stayed.
        end = text.find("\n", len(text) - same_at_end)
        end = len(text) if end < 0 else end
        kept = text.count("\n", end)
        self._replace(first, len(self._lines) - kept, text[begin:end])

    def _replace(self, first: int, last: int, piece: str) -> None:
        """The lines from `first` to before `last` are those of `piece` now."""
        lines = piece.split("\n")
        starts = [_starts(line, self._columns) for line in lines]
        self._lines[first:last] = starts
        self._row_counts[first:last] = map(len, starts)
        self._lengths[first:last] = [len(line) + 1 for line in lines]


def is_narrow(text: str) -> bool:
    """Whether each character takes one column."""
    return text.isascii() and "\t" not in text


def columns_of(text: str) -> int:
    """How many columns it takes as it is shown; a tab is TAB_COLUMNS anywhere."""
    return len(text) if is_narrow(text) else sum(map(_COLUMNS.__getitem__, text))


def _starts(line: str, columns: int) -> tuple[int, ...]:
    widths = None if is_narrow(line) else tuple(map(_COLUMNS.__getitem__, line))
    return break_rows(line, widths, columns)


def _same_beginning(one: str, other: str) -> int:
    """How many characters they begin with alike: halved, because comparing is fast."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _same_end(one: str, other: str) -> int:
    """How many characters they end with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


class _ColumnsTable(dict[str, int]):
    """Columns of a character as it is shown; bounded, because strangers choose the characters."""

    def __missing__(self, character: str) -> int:
        shown = SHOWN[ord(character)]
        columns = TAB_COLUMNS if character == "\t" else sum(map(WIDTHS.__getitem__, shown))
        if len(self) < CACHED_CHARACTERS_MAX:
            self[character] = columns
        return columns


_COLUMNS: Final = _ColumnsTable()
