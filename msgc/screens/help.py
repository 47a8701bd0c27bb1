"""The keys of a screen, printed from the very table that obeys them.

Must never list a key by hand. Fails never.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Outcome, Screen
from msgc.view import Block, Cell, Column, Gap, Room, Row, Scrolled, Table, View, said, view
from term.keys import Binding, KeyEvent, KeyTable, key_label
from term.list_view import ScrollView
from term.picture import Style
from term.safe import Safe
from term.width import wrap

KEYS: Final = KeyTable(
    [Binding(("Space",), "page_down", "Move down by a page", "more"), *LIST_BINDINGS],
    inherits=COMMON_KEYS,
)
EDITING: Final = (
    "While you write: arrows, Home and End move; ^A and ^E go to the ends of the line, Meta-B and "
    "Meta-F by words, ^P and ^N by rows, Meta-< and Meta-> to the ends of the text. ^K and ^U cut "
    "to the ends of the line, ^W, Meta-D and Meta-Backspace cut a word; ^Y puts back what was cut, "
    "Meta-Y then what was cut before. ^_ or Meta-U takes back, Meta-E does it again."
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

    def view(self, room: Room) -> View:
        """The table, and what moves the cursor in a text."""
        bindings = self._table.bindings()
        labels = [", ".join(map(key_label, binding.keys)) for binding in bindings]
        width = max(map(len, labels), default=0)
        rows = tuple(
            row
            for label, binding in zip(labels, bindings, strict=True)
            for row in _rows(label, binding, room.columns - width - 7)
        )
        columns = (Column("keys", "", width + 1), Column("what", "", before=": "))
        table = Table(
            "keys", columns, rows, total=len(rows), has_heads=False, is_numbered=False, indent=1
        )
        blocks: tuple[Block, ...] = (table,)
        if self._of.startswith(_TYPING_SCREENS):
            blocks = (table, Gap(), said(EDITING))
        title = f"Help: {self._of}"
        return view(self._desk, self.name, title, [Scrolled(blocks, self._scroll)], KEYS)


def _rows(label: str, binding: Binding, columns: int) -> tuple[Row, ...]:
    """Keys in one column, what they do in the next, wrapped."""
    return tuple(
        Row(
            (binding.command, place),
            (Cell(Safe(label if place == 0 else ""), Style.BOLD), Cell(part)),
        )
        for place, part in enumerate(wrap(Safe(binding.help), columns))
    )
