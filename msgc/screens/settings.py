"""The few things that can be chosen. Each is kept at once, and says what it does.

Must never hold a value of its own: they are the desk's. Fails never.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Outcome, Screen, Size
from msgc.view_frame import frame, text
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import EMPTY, Line, Picture, Style, body_rows
from term.safe import Safe
from term.width import wrap

_WORDS_COLUMNS: Final = 34

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

    def picture(self, size: Size) -> Picture:
        """The rows, then what the selected one means."""
        settings = self._desk.settings()
        self._list.set_height(max(1, min(len(settings), body_rows(size) - 5)))
        body: list[Line] = [EMPTY]
        for row in self._list.visible():
            setting, here = settings[row], row == self._list.cursor
            style = Style.BOLD if here else Style.NORMAL
            words = f" {'>' if here else ' '} {setting.words:<{_WORDS_COLUMNS}} {setting.value}"
            body.append(text(words, style))
        chosen = settings[self._list.cursor]
        body += [EMPTY, text(f"   One of: {', '.join(chosen.choices)}.", Style.DIM)]
        for row_words in wrap(Safe(chosen.note), size[1] - 6) if chosen.note else ():
            body.append(text(f"   {row_words}", Style.DIM))
        cursor = (1 + self._list.cursor - self._list.offset, 1)
        return frame(self._desk, size, "Settings", body, KEYS, cursor=cursor)
