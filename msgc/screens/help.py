"""The keys of a screen, printed from the very table that obeys them.

Must never list a key by hand. Fails never.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Outcome, Screen, Size
from msgc.view_frame import frame, text
from term.keys import Binding, KeyEvent, KeyTable, key_label
from term.list_view import ScrollView
from term.picture import EMPTY, Line, Picture, Span, Style, body_rows, spread
from term.safe import Safe
from term.width import wrap

KEYS: Final = KeyTable(
    [Binding(("Space",), "page_down", "Move down by a page", "more"), *LIST_BINDINGS],
    inherits=COMMON_KEYS,
)
EDITING: Final = (
    "While you write: arrows, Home and End move; ^A and ^E go to the ends of the line, Meta-B and "
    "Meta-F by words; ^K and ^U cut to the ends, ^W cuts a word, ^Y puts it back; ^_ takes back."
)
_TYPING_SCREENS: Final = ("composer", "choose", "username")


class Help(Screen):
    """The help of the screen `of`, whose table of the moment is `table`."""

    name = "help"
    keys = KEYS

    def __init__(self, desk: Desk, of: str, table: KeyTable) -> None:
        self._desk = desk
        self._of = of
        self._table = table
        self._scroll = ScrollView()

    def handle(self, key: KeyEvent) -> Outcome:
        """Scrolling; help of the help is the help."""
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._scroll.handle(command) or command == "help":
            return Done.HANDLED
        return Done.LEAVE if command == "leave" else Done.IGNORED

    def picture(self, size: Size) -> Picture:
        """The table."""
        columns, room = size[1], body_rows(size) - 1
        lines = _table_lines(self._table, columns)
        if self._of.startswith(_TYPING_SCREENS):
            lines += [EMPTY, *(text(f"   {row}") for row in wrap(Safe(EDITING), columns - 6))]
        self._scroll.set_lines(len(lines), room)
        body = [lines[row] for row in self._scroll.visible()]
        body += [EMPTY] * (room - len(body))
        position = text(f"{self._scroll.position_text()} ", Style.DIM)
        body.append(spread(EMPTY, position, columns))
        return frame(self._desk, size, f"Help: {self._of}", body, KEYS)


def _table_lines(table: KeyTable, columns: int) -> list[Line]:
    """Keys in one column, what they do in the next, wrapped."""
    rows = [(", ".join(map(key_label, binding.keys)), binding.help) for binding in table.bindings()]
    width = max((len(keys) for keys, _ in rows), default=0)
    lines: list[Line] = []
    for keys, words in rows:
        for place, part in enumerate(wrap(Safe(words), columns - width - 7)):
            head = keys if place == 0 else ""
            lines.append((Span(Safe(f"   {head:<{width}}"), Style.BOLD), Span(Safe(f"  {part}"))))
    return lines
