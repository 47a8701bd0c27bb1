"""The few things that can be chosen. Each is kept at once, and says what it does.

Must never hold a value of its own: they are the desk's. Fails never.
"""

from dataclasses import replace
from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Outcome, Screen
from msgc.view import Block, Cell, Column, Gap, Room, Row, View, go_to, said, table, view
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import Style
from term.safe import Safe

_COLUMNS: Final = (Column("words", "", 34), Column("value", "", before=": "))

KEYS: Final = KeyTable(
    [
        Binding(("Enter", "Right", "Space"), "next", "Choose the next value", "change"),
        Binding(("Left",), "previous", "Choose the value before"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)


class Settings(Screen):
    """One row a setting."""

    name = "settings"
    keys = KEYS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._list = ListView()
        self._list.set_rows([setting.name for setting in desk.settings()])

    def handle(self, key: KeyEvent) -> Outcome:
        """Rows by Up and Down, values by Left and Right."""
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._list.handle(command):
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        if command not in {"next", "previous"}:
            return Done.IGNORED
        selected = str(self._list.selected)
        self._desk.change_setting(selected, 1 if command == "next" else -1)
        return Done.HANDLED

    def select(self, place: int) -> bool:
        """See Screen."""
        return go_to(self._list, place, len(self._desk.settings()))

    def view(self, room: Room) -> View:
        """The rows, then what the selected one means."""
        settings = self._desk.settings()

        def row_at(place: int) -> Row:
            setting = settings[place]
            return Row(setting.name, (Cell(Safe(setting.words)), Cell(Safe(setting.value))))

        height = min(len(settings), room.list_rows(5))
        rows = table("settings", _COLUMNS, self._list, height, len(settings), row_at)
        chosen = settings[self._list.cursor]
        blocks: list[Block] = [
            Gap(),
            replace(rows, has_heads=False, indent=1),
            Gap(),
            said(f"One of: {', '.join(chosen.choices)}.", Style.DIM),
        ]
        if chosen.note:
            blocks.append(said(chosen.note, Style.DIM))
        return view(self._desk, self.name, "Settings", blocks, KEYS)
