"""Columns of text, in one place: measuring, clipping, padding, wrapping.

Widths are those of the `wcwidth` library, character by character. Terminals differ in their
judgment of some characters, so a layout must never depend on text ending where it should:
consoles draw each span at its own absolute column.

Must never split a character from its marks, nor a wide character in two. Never fails.
"""

from functools import lru_cache

from term.characters import WIDTHS
from term.safe import Safe


def columns(text: Safe) -> int:
    """How many columns this text takes."""
    return len(text) if text.isascii() else sum(map(WIDTHS.__getitem__, text))


def clip(text: Safe, columns: int) -> Safe:
    """The longest beginning of `text` that fits into `columns`."""
    if text.isascii():
        return Safe(text[: max(0, columns)])
    if columns <= 0:
        return Safe("")
    taken = 0
    for index, character in enumerate(text):
        taken += WIDTHS[character]
        if taken > columns:
            return Safe(text[:index])
    return text


def pad(text: Safe, columns: int) -> Safe:
    """Exactly `columns` columns: clipped, then filled with spaces on the right."""
    clipped = clip(text, columns)
    return Safe(clipped + " " * (columns - measure(clipped)))


def pad_left(text: Safe, columns: int) -> Safe:
    """Exactly `columns` columns: clipped, then filled with spaces on the left (for numbers)."""
    clipped = clip(text, columns)
    return Safe(" " * (columns - measure(clipped)) + clipped)


def wrap(line: Safe, columns: int) -> tuple[Safe, ...]:
    """The rows of one line: broken after spaces, or within a word that is longer than a row.

    Spaces at the end of a row are dropped, those at the beginning of the line stay. At least one
    row. A wide character in one column gets a row of its own, although it does not fit.
    """
    starts = row_starts(line, max(1, columns))
    ends = (*starts[1:], len(line))
    return tuple(
        Safe(line[start:end].rstrip(" ") if end < len(line) else line[start:end])
        for start, end in zip(starts, ends, strict=True)
    )


@lru_cache(maxsize=512)
def row_starts(line: str, columns: int) -> tuple[int, ...]:
    """Where each row of a line begins, as indexes. Spaces may hang over the end of a row."""
    widths = None if line.isascii() else tuple(map(WIDTHS.__getitem__, line))
    return break_rows(line, widths, columns)


def break_rows(line: str, widths: tuple[int, ...] | None, columns: int) -> tuple[int, ...]:
    """Where each row begins, for characters of the given widths (None: all are 1)."""
    if widths is None:
        return _break_narrow(line, columns)
    starts = [0]
    taken = 0
    word = 0  # index after the last space of this row
    for index, width in enumerate(widths):
        if line[index] == " ":
            taken += width
            word = index + 1
            continue
        if not width and index == word > starts[-1]:
            word = index + 1  # a mark on the space stays with it
        if taken + width > columns and width and index > starts[-1]:
            start = word if word > starts[-1] else index
            starts.append(start)
            taken = sum(widths[start:index])
        taken += width
    return tuple(starts)


def _break_narrow(line: str, columns: int) -> tuple[int, ...]:
    starts = [0]
    start = 0
    length = len(line)
    while length - start > columns:
        end = start + columns
        if line[end] != " ":
            space = line.rfind(" ", start, end)
            end = space + 1 if space >= start else end
        while end < length and line[end] == " ":
            end += 1
        if end == length:
            break
        starts.append(end)
        start = end
    return tuple(starts)


measure = columns  # the name for functions that have an argument called `columns`
