"""What a screen shows, as a value: three faces are made of it, and none knows more than it says.

`view_picture` draws it with curses, `view_lines` says it line by line, `view_json` writes it down.
A screen makes its `View` for a `Room`, and holds in it only what is to be seen: the rows of a table
that are in the window, the lines of a text wrapped to the columns there are. A face of lines has
room for everything but tables, which come in pages.

Named tuples, for they are made anew with each picture, in half the time of frozen dataclasses, and
the classes themselves at each start, in a quarter (3 ms of 12 together). So they are told apart by
their class and never compared: as tuples, two of different classes can be equal.

Must never hold text that is not `Safe`, nor say by place or colour alone what has no word.
Never fails.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from msgc.screens.desk import Desk
from term.keys import KeyTable
from term.list_view import ListView, ScrollView
from term.picture import Line, Style, body_rows
from term.safe import Safe, safe_line

NOTHING: Final = Safe("")
PAGE_ROWS: Final = 20
"""How many rows of a table a face of lines says at once."""
GUTTER_COLUMNS: Final = 3
"""What a text of somebody's leaves free: the gutter that no text can imitate, and the end."""
LINE_COLUMNS: Final = 1 << 20
"""As wide as a line of a face of lines may be: nothing is wrapped or cut for it."""


class Room(NamedTuple):
    """How much a face can show: body rows and columns; `is_lines` for a face without a window."""

    rows: int
    columns: int
    is_lines: bool = False

    @staticmethod
    def of(size: tuple[int, int]) -> "Room":
        """What a window of (rows, columns) leaves for the body."""
        return Room(body_rows(size), size[1])

    def list_rows(self, others: int) -> int:
        """How many rows a table can have when `others` rows are needed for the rest."""
        return PAGE_ROWS if self.is_lines else max(1, self.rows - others)


LINES: Final = Room(PAGE_ROWS, LINE_COLUMNS, is_lines=True)
"""The room of a face of lines."""


# ----- the body: blocks from top to bottom ------------------------------------------------------


class Cell(NamedTuple):
    """One piece of a row. `words` is how it is said where `text` is a mark or an abbreviation.

    `is_moving`: it changes by itself, and a face of lines does not say the row again for it.
    """

    text: Safe
    style: Style = Style.NORMAL
    words: Safe | None = None
    is_moving: bool = False

    @property
    def spoken(self) -> Safe:
        """For a face without columns."""
        return self.text if self.words is None else self.words


class Column(NamedTuple):
    """`width` 0: the rest of the row. `before`: what a face of lines says between it and the last.

    `key` is its name in JSON.
    """

    key: str
    head: str
    width: int = 0
    before: str = ", "


class Row(NamedTuple):
    """As many cells as there are columns. `body`: the whole text, for a face of lines only.

    `identity` tells the row from others when the table changes.
    """

    identity: object
    cells: tuple[Cell, ...]
    style: Style = Style.NORMAL
    body: tuple[Safe, ...] = ()


class Table(NamedTuple):
    """Rows `first` and following of `total`; `selected` counts from the beginning of all rows.

    `more`: there is more to be read when the end is reached. `is_numbered`: rows have numbers in a
    face of lines, and can be chosen by them. `has_marker`: room for the > at the left.
    """

    key: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    first: int = 0
    total: int = 0
    selected: int | None = None
    more: bool = False
    has_heads: bool = True
    is_numbered: bool = True
    has_marker: bool = True
    indent: int = 0

    @property
    def position(self) -> Safe:
        """`[1-8 of 12]`, `[1-8 of 500+]`, `[0 of 0]`."""
        if not self.rows:
            return Safe("[0 of 0]")
        last = self.first + len(self.rows)
        return Safe(f"[{self.first + 1:,}-{last:,} of {self.total:,}{'+' if self.more else ''}]")


class Paragraph(NamedTuple):
    """Words, wrapped by the face. `is_moving`: they follow the clock, or repeat what was told.

    A face of lines says what is moving only when the screen is opened or asked for.
    """

    text: Safe
    style: Style = Style.NORMAL
    is_moving: bool = False


class Head(NamedTuple):
    """One row about the text that follows; a face of lines says it only if it `is_said`."""

    words: Safe
    is_said: bool = False


class Fact(NamedTuple):
    """`Label     words`."""

    label: str
    words: Safe


class Text(NamedTuple):
    """A text of somebody's, its lines wrapped for the room."""

    lines: tuple[Line, ...]
    more: int = 0
    """How many lines are left out, for a preview."""


class Field(NamedTuple):
    """A text that is being written. `rows` are what is seen of `text`, the cursor is among them.

    Of a secret there is no `text`, and dots are seen; a face of lines turns the echo off.
    """

    label: Safe
    rows: tuple[Safe, ...]
    cursor: tuple[int, int]
    text: str
    indent: int = 3
    has_lines: bool = False
    """Whether Enter begins a new line."""
    done: str = "Enter"
    """The key that takes the text."""
    is_secret: bool = False


class Fixed(NamedTuple):
    """What stood in a field, and cannot be changed now; the cursor waits at its end."""

    label: Safe
    text: Safe


class Gap:
    """An empty row."""

    __slots__ = ()


class Fill:
    """Empty rows, so that what follows stands at the end of the body."""

    __slots__ = ()


class Rule(NamedTuple):
    """A row of dashes, with a word at its right end."""

    right: Safe = NOTHING


class Foot(NamedTuple):
    """A row with words at the left, and where one is at the right."""

    words: Safe = NOTHING
    position: Safe = NOTHING
    style: Style = Style.NORMAL


class Scrolled(NamedTuple):
    """The rest of the body, in a window that scrolls; a face of lines says all of it."""

    blocks: "tuple[Block, ...]"
    window: ScrollView


Block: TypeAlias = (
    Table | Paragraph | Head | Fact | Text | Field | Fixed | Gap | Fill | Rule | Foot | Scrolled
)


# ----- the whole screen -------------------------------------------------------------------------


class Question(NamedTuple):
    """What takes the place of the message line: words, and a field if the answer is a text."""

    words: Safe = NOTHING
    field: Field | None = None


class Status(NamedTuple):
    """Who one is, how the connection stands, what waits, and what time it is."""

    name: Safe
    link: Safe
    waiting: int
    unsent: int
    clock: Safe


class View(NamedTuple):
    """A screen. `choose` is the key that takes the row whose number was said."""

    screen: str
    title: Safe
    right: Safe
    blocks: tuple[Block, ...]
    message: Safe
    question: Question | None
    status: Status
    keys: KeyTable
    choose: str = "Enter"

    @property
    def field(self) -> Field | None:
        """Where letters go, or None where they are commands."""
        if self.question is not None:
            return self.question.field
        return next((block for block in self.blocks if isinstance(block, Field)), None)

    @property
    def table(self) -> Table | None:
        """The table whose rows can be chosen by number; none while a question is open."""
        if self.question is not None:
            return None
        for block in self.blocks:
            if isinstance(block, Table) and block.is_numbered and block.selected is not None:
                return block
        return None


def view(
    desk: Desk,
    screen: str,
    title: str,
    blocks: Sequence[Block],
    keys: KeyTable,
    *,
    right: str = "",
    question: Question | None = None,
    choose: str = "Enter",
) -> View:
    """A screen with what the desk knows around it. `title` and `right` may be foreign."""
    overview, now_ms = desk.overview(), desk.now_ms()
    return View(
        screen=screen,
        title=safe_line(title),
        right=safe_line(right),
        blocks=tuple(blocks),
        message=desk.message(),
        question=question,
        status=Status(
            name=safe_line(overview.name),
            link=safe_line(overview.standing.words(now_ms)),
            waiting=overview.waiting,
            unsent=overview.unsent,
            clock=desk.times.clock(now_ms),
        ),
        keys=keys,
        choose=choose,
    )


def table(  # noqa: PLR0917 - a table is what it is made of
    key: str,
    columns: tuple[Column, ...],
    rows: ListView,
    height: int,
    total: int,
    row_at: Callable[[int], Row],
    *,
    more: bool = False,
) -> Table:
    """The part of a list that `height` rows show; the list remembers it, for its pages."""
    rows.set_height(height)
    shown = tuple(row_at(place) for place in rows.visible())
    selected = rows.cursor if total else None
    return Table(key, columns, shown, rows.offset, total, selected, more)


def go_to(rows: ListView, place: int, total: int) -> bool:
    """Put the cursor of a list on this row, counted from 0. False: there is none such."""
    if not 0 <= place < total:
        return False
    rows.home()
    rows.move(place)
    return True


def others(here: int, total: int) -> list[int]:
    """The places after this one, then those before it: the way round a list."""
    return [*range(here + 1, total), *range(min(here, total))]


def said(words: str, style: Style = Style.NORMAL, *, is_moving: bool = False) -> Paragraph:
    """A paragraph of our own words."""
    return Paragraph(Safe(words), style, is_moving)


def ask(words: str) -> Question:
    """A question that is answered by a key."""
    return Question(Safe(words))
