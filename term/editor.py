"""A text that a person edits: one line or several, with the keys of readline and Emacs.

A model without a terminal: `handle` takes a key, `layout` gives rows and a cursor. The text is kept
as it was typed or pasted, less control characters; only the rows are `Safe`, so direction controls
and the like are seen while they are edited.

Must never hold more than `bytes_max` bytes of UTF-8: what does not fit is refused whole. Never
fails otherwise.
"""

import enum
import re
from dataclasses import dataclass
from typing import Final

from term.characters import LINE_END
from term.edit_history import History, KillRing, Step
from term.editor_moves import blank_back, line_end, step_back, step_on, word_back, word_on
from term.keys import KeyEvent, Paste, character_of
from term.limits import EDIT_BYTES_MAX, TAB_COLUMNS
from term.safe import Safe, safe_text
from term.text_rows import TextRows, columns_of
from term.width import clip

UNDO_KEY: Final = "C-_"
"""The key that takes back, for sentences that name it."""

_CONTROLS: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile("[\r\n]+")


class Outcome(enum.Enum):
    """What became of a key."""

    HANDLED = enum.auto()
    IGNORED = enum.auto()  # not a key of this editor: the screen may have a use for it
    FULL = enum.auto()  # the text would be longer than its limit; nothing was changed


@dataclass(frozen=True, slots=True)
class EditorLayout:
    """What is to be drawn: the rows that are seen, and the cursor as (row, column) among them.

    `first_row` and `row_count` tell where in the whole text these rows are.
    """

    rows: tuple[Safe, ...]
    cursor: tuple[int, int]
    first_row: int
    row_count: int


class Editor:
    """Text, cursor, what was cut, and the steps to take back and do again."""

    def __init__(
        self, text: str = "", *, multiline: bool = True, bytes_max: int = EDIT_BYTES_MAX
    ) -> None:
        self._multiline = multiline
        self._bytes_max = bytes_max
        self._text = ""
        self._cursor = 0
        self._kill_ring = KillRing()
        self._kills = False  # the key before killed too, so this one adds to it
        self._typing = False  # the key before typed too, so undo takes both back
        self._yanked = 0  # how many characters the key before put back
        self._history = History()
        self._goal_column: int | None = None
        self._first_row = 0
        self._columns = 80
        self._rows_seen = 1
        self._rows = TextRows()
        self.set_text(text)

    @property
    def text(self) -> str:
        """The text as it is to be sent or kept."""
        return self._text

    @property
    def cursor(self) -> int:
        """Where the cursor is, in characters from the beginning."""
        return self._cursor

    @property
    def bytes_used(self) -> int:
        """The length of the text in UTF-8."""
        return len(self._text.encode())

    def set_text(self, text: str) -> None:
        """Replace everything, cut to the limit; the cursor goes to the end, undo begins anew."""
        cleaned = self._clean(text).encode()[: self._bytes_max]
        self._text = cleaned.decode("utf-8", "ignore")
        self._cursor = len(self._text)
        self._history.clear()
        self._begin_step()

    def replace_text(self, text: str) -> bool:
        """Replace everything in one step that undo takes back; False if it does not fit."""
        cleaned = self._clean(text)
        if len(cleaned.encode()) > self._bytes_max:
            return False
        self._begin_step()
        if cleaned != self._text:
            self._replace(0, len(self._text), cleaned)
        return True

    def insert(self, text: str) -> bool:
        """Insert at the cursor; False, and nothing changed, if it does not fit."""
        cleaned = self._clean(text)
        if self.bytes_used + len(cleaned.encode()) > self._bytes_max:
            return False
        if cleaned:
            self._replace(self._cursor, self._cursor, cleaned)
        return True

    def handle(self, key: KeyEvent) -> Outcome:
        """Obey a key or insert a paste."""
        if isinstance(key, Paste):
            self._begin_step()
            return Outcome.HANDLED if self.insert(key.text) else Outcome.FULL
        character = character_of(key)
        if key == "Enter" and self._multiline:
            character = "\n"
        if character is not None:
            return self._type(character)
        action = _ACTIONS.get(key)
        if action is None or (not self._multiline and action in _MULTILINE_ACTIONS):
            return Outcome.IGNORED
        self._act(action)
        return Outcome.HANDLED

    def layout(self, columns: int, rows: int) -> EditorLayout:
        """The rows to draw in a field of this size, scrolled so that the cursor is seen.

        The last column stays free for the cursor. A single line scrolls sideways.
        """
        self._rows_seen = max(1, rows)
        if not self._multiline:
            return self._layout_line(max(2, columns))
        self._columns = max(2, columns)
        rows_of_text = self._updated_rows()
        here, count = rows_of_text.row_of(self._cursor), len(rows_of_text)
        self._first_row = max(self._first_row, here - self._rows_seen + 1)
        self._first_row = min(self._first_row, here, max(0, count - self._rows_seen))
        last_row = min(self._first_row + self._rows_seen, count)
        seen = [rows_of_text.row(number) for number in range(self._first_row, last_row)]
        column = columns_of(self._text[rows_of_text.row(here)[0] : self._cursor])
        return EditorLayout(
            rows=tuple(clip(_show(self._text[start:end]), self._columns) for start, end in seen),
            cursor=(here - self._first_row, min(column, self._columns - 1)),
            first_row=self._first_row,
            row_count=count,
        )

    def check_invariants(self) -> None:
        """Cursor, limit and kind of the text agree."""
        assert 0 <= self._cursor <= len(self._text)
        assert self.bytes_used <= self._bytes_max
        assert self._multiline or "\n" not in self._text
        assert not _CONTROLS.search(self._text)
        self._history.check_invariants()

    # Changing the text.

    def _clean(self, text: str) -> str:
        text = LINE_END.sub("\n", text).replace("\r", "\n")
        if not self._multiline:
            text = _LINE_BREAKS.sub(" ", text.strip("\n")).replace("\t", " ")
        return _CONTROLS.sub("", text)

    def _type(self, character: str) -> Outcome:
        goes_on = self._typing and not character.isspace()
        self._begin_step()
        if self.bytes_used + len(character.encode()) > self._bytes_max:
            return Outcome.FULL
        self._replace(self._cursor, self._cursor, self._clean(character), goes_on=goes_on)
        self._typing = True
        return Outcome.HANDLED

    def _begin_step(self) -> None:
        self._typing = False
        self._kills = False
        self._yanked = 0
        self._goal_column = None

    def _replace(self, start: int, end: int, text: str, *, goes_on: bool = False) -> None:
        step = Step(start, self._text[start:end], text, self._cursor)
        self._history.add(step, goes_on=goes_on)
        self._text = self._text[:start] + text + self._text[end:]
        self._cursor = start + len(text)

    def _kill(self, start: int, end: int) -> None:
        if start == end:
            return
        killed, before = self._text[start:end], end == self._cursor
        self._kill_ring.add(killed, goes_on=self._kills, before=before)
        self._replace(start, end, "")

    def _yank(self, text: str, instead: int) -> None:
        """Put it at the cursor, in the place of the `instead` characters put there just before."""
        start = self._cursor - instead
        rest = self.bytes_used - len(self._text[start : self._cursor].encode())
        if text and rest + len(text.encode()) <= self._bytes_max:
            self._replace(start, self._cursor, text)
            self._yanked = len(text)

    def _travel(self, there: tuple[str, int] | None) -> None:
        if there is not None:
            self._text, self._cursor = there

    # What keys do.

    def _act(self, action: str) -> None:
        kills = self._kills and action.startswith("kill")
        yanked = self._yanked
        goal_column = self._goal_column if action in _MULTILINE_ACTIONS else None
        self._begin_step()
        self._kills = kills
        self._goal_column = goal_column
        if action in _MOVES:
            self._cursor = self._target(action)
        elif action.startswith("kill"):
            target = self._target(action.removeprefix("kill_"))
            self._kill(min(self._cursor, target), max(self._cursor, target))
            self._kills = True
        elif action == "delete_back":
            start = self._target("left")
            if start < self._cursor:
                self._replace(start, self._cursor, "")
        elif action == "delete":
            end = self._target("right")
            if end > self._cursor:
                self._replace(self._cursor, end, "")
        elif action == "yank":
            self._yank(self._kill_ring.newest(), 0)
        elif action == "yank_older" and yanked:
            self._yank(self._kill_ring.older(), yanked)
        elif action == "undo":
            self._travel(self._history.undo(self._text))
        elif action == "redo":
            self._travel(self._history.redo(self._text))

    def _target(self, move: str) -> int:
        text, here = self._text, self._cursor
        if move == "left":
            return step_back(text, here)
        if move == "right":
            return step_on(text, here)
        if move == "word_left":
            return word_back(text, here)
        if move == "word_right":
            return word_on(text, here)
        if move == "blank_left":
            return blank_back(text, here)
        if move == "line_start":
            return text.rfind("\n", 0, here) + 1
        if move == "line_end":
            return line_end(text, here)
        if move == "rest_of_line":
            end = line_end(text, here)
            return end + 1 if end == here and end < len(text) else end
        if move == "text_start":
            return 0
        if move == "text_end":
            return len(text)
        page = max(1, self._rows_seen - 1)
        rows = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        return self._target_by_rows(rows[move])

    def _target_by_rows(self, rows: int) -> int:
        """So many drawn rows away, in the same column, also past shorter rows."""
        rows_of_text = self._updated_rows()
        here = rows_of_text.row_of(self._cursor)
        if self._goal_column is None:
            self._goal_column = columns_of(self._text[rows_of_text.row(here)[0] : self._cursor])
        wanted = here + rows
        if wanted < 0:
            return 0
        if wanted >= len(rows_of_text):
            return len(self._text)
        start, end = rows_of_text.row(wanted)
        ends_line = wanted + 1 == len(rows_of_text) or rows_of_text.row(wanted + 1)[0] > end
        end = end if ends_line else step_back(self._text, end)
        return _index_at_column(self._text, start, end, self._goal_column)

    # Rows.

    def _updated_rows(self) -> TextRows:
        self._rows.update(self._text, self._columns - 1)
        return self._rows

    def _layout_line(self, columns: int) -> EditorLayout:
        start = self._cursor
        column = 0
        while start > 0:
            before = step_back(self._text, start)
            width = columns_of(self._text[before:start])
            if column + width > columns - 1:
                break
            start, column = before, column + width
        seen = _show(self._text[start : self._cursor + columns * 8])
        return EditorLayout((clip(seen, columns),), (0, column), 0, 1)


_MOVES: Final = frozenset(
    ("left", "right", "up", "down", "page_up", "page_down", "word_left", "word_right")
) | {"line_start", "line_end", "text_start", "text_end"}
_MULTILINE_ACTIONS: Final = frozenset(("up", "down", "page_up", "page_down"))

_ACTIONS: Final = {
    "Left": "left",
    "C-b": "left",
    "Right": "right",
    "C-f": "right",
    "Up": "up",
    "C-p": "up",
    "Down": "down",
    "C-n": "down",
    "PageUp": "page_up",
    "M-v": "page_up",
    "PageDown": "page_down",
    "C-v": "page_down",
    "Home": "line_start",
    "C-a": "line_start",
    "End": "line_end",
    "C-e": "line_end",
    "C-Home": "text_start",
    "M-<": "text_start",
    "C-End": "text_end",
    "M->": "text_end",
    "M-b": "word_left",
    "C-Left": "word_left",
    "M-Left": "word_left",
    "M-f": "word_right",
    "C-Right": "word_right",
    "M-Right": "word_right",
    "Backspace": "delete_back",
    "Delete": "delete",
    "C-d": "delete",
    "C-k": "kill_rest_of_line",
    "C-u": "kill_line_start",
    "C-w": "kill_blank_left",
    "M-Backspace": "kill_word_left",
    "M-d": "kill_word_right",
    "C-Delete": "kill_word_right",
    "C-y": "yank",
    "M-y": "yank_older",
    "C-_": "undo",
    "M-u": "undo",
    "M-e": "redo",
}


def _index_at_column(text: str, start: int, end: int, column: int) -> int:
    index = start
    while index < end:
        after = step_on(text, index)
        if columns_of(text[start:after]) > column:
            break
        index = after
    return min(index, end)


def _show(piece: str) -> Safe:
    """A row as it is drawn; a tab is four columns anywhere, so that rows can be cut anywhere."""
    shown = piece.replace("\t", " " * TAB_COLUMNS)
    lines = safe_text(shown, columns_max=len(shown) * 8, lines_max=1).lines
    return lines[0] if lines else Safe("")
