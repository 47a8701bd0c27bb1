"""A screen as a value: rows of spans, and the frame that every screen has.

A frame is a title line (reverse), a body, one message line, a status line (reverse) and a key line.
Must never draw, and must never hold text that is not `Safe`. Never fails: what does not fit is
clipped, and a window that is too small shows one line that says so.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from term.limits import SCREEN_COLUMNS_MIN, SCREEN_ROWS_MIN
from term.safe import Safe
from term.width import clip, columns, measure

FRAME_ROWS: Final = 4


class Style(enum.Flag):
    """How a span looks. Colour is decoration: every state has a word besides.

    Of several colours the first of the list is taken.
    """

    NORMAL = 0
    BOLD = enum.auto()
    REVERSE = enum.auto()
    DIM = enum.auto()
    UNDERLINE = enum.auto()
    RED = enum.auto()
    GREEN = enum.auto()
    YELLOW = enum.auto()
    BLUE = enum.auto()
    MAGENTA = enum.auto()
    CYAN = enum.auto()
    WHITE = enum.auto()
    BLACK = enum.auto()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a row in one style."""

    text: Safe
    style: Style = Style.NORMAL


Line = tuple[Span, ...]
EMPTY: Final[Line] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole screen. `cursor` is (row, column), or None to hide it."""

    rows: tuple[Line, ...]
    columns: int
    cursor: tuple[int, int] | None


def line(*parts: Safe | Span, style: Style = Style.NORMAL) -> Line:
    """A line of texts and spans; `style` is for the parts that have none."""
    return tuple(part if isinstance(part, Span) else Span(part, style) for part in parts)


def columns_of(spans: Line) -> int:
    """How many columns a line takes."""
    return sum(columns(span.text) for span in spans)


def fit(spans: Line, columns: int, style: Style = Style.NORMAL) -> Line:
    """Exactly `columns` columns: clipped, or filled with spaces of `style`."""
    fitted = clip_line(spans, columns)
    missing = columns - columns_of(fitted)
    return (*fitted, Span(Safe(" " * missing), style)) if missing > 0 else fitted


def clip_line(spans: Line, columns: int) -> Line:
    """The beginning of a line that fits into `columns`."""
    fitted: list[Span] = []
    left = columns
    for span in spans:
        taken = measure(span.text)
        if taken > left:
            text = clip(span.text, left)
            if text:
                fitted.append(Span(text, span.style))
            break
        fitted.append(span)
        left -= taken
    return tuple(fitted)


def spread(left: Line, right: Line, columns: int, style: Style = Style.NORMAL) -> Line:
    """`left` at the left and `right` at the right end of a row; when tight, `left` is clipped."""
    right = clip_line(right, columns)
    return (*fit(left, columns - columns_of(right), style), *right)


def restyle(spans: Line, style: Style) -> Line:
    """The same line with `style` added to every span (for the selected row, for bars)."""
    return tuple(Span(span.text, span.style | style) for span in spans)


def rule(columns: int, style: Style = Style.NORMAL) -> Line:
    """A row of dashes."""
    return (Span(Safe("-" * columns), style),)


def is_too_small(size: tuple[int, int]) -> bool:
    """Whether a window of (rows, columns) cannot hold a screen."""
    return size[0] < SCREEN_ROWS_MIN or size[1] < SCREEN_COLUMNS_MIN


def body_rows(size: tuple[int, int]) -> int:
    """How many rows a window of (rows, columns) leaves for the body."""
    return max(0, size[0] - FRAME_ROWS)


def compose(
    size: tuple[int, int],
    title: Line,
    body: Sequence[Line],
    *,
    message: Line,
    status: Line,
    keys: Line,
    cursor: tuple[int, int] | None = None,
) -> Picture:
    """Put a screen of (rows, columns) together; every screen of every program is made here.

    `cursor` is (row, column) within the body: row `body_rows(size)` is the message line.
    """
    rows, columns = size
    if is_too_small(size):
        return _too_small(rows, columns)
    room = body_rows(size)
    shown = [clip_line(spans, columns) for spans in body[:room]]
    shown += [EMPTY] * (room - len(shown))
    picture_rows = (
        _bar(title, columns),
        *shown,
        clip_line(message, columns),
        _bar(status, columns),
        clip_line(keys, columns),
    )
    place = None
    if cursor is not None:
        row, column = cursor
        place = (1 + min(max(row, 0), room), min(max(column, 0), columns - 1))
    return Picture(picture_rows, columns, place)


def plain(picture: Picture) -> str:
    """The text of a picture, row by row, without styles: for golden files and for `--plain`."""
    rows = ("".join(span.text for span in spans).rstrip(" ") for spans in picture.rows)
    return "\n".join(rows) + "\n"


def _bar(spans: Line, columns: int) -> Line:
    return restyle(fit(spans, columns), Style.REVERSE)


def _too_small(rows: int, columns: int) -> Picture:
    needed = f"{SCREEN_COLUMNS_MIN}x{SCREEN_ROWS_MIN}"
    words = Safe(f"window too small: {needed} needed, this is {columns}x{rows}")
    first = clip_line((Span(words),), columns)
    return Picture((first, *[EMPTY] * (rows - 1))[: max(0, rows)], columns, None)
