"""Sending, first step: the log of usernames from the server, and to how many of them.

The three options are one user, several, or all. After a message is sent, this screen is shown
again. Must never choose for the person: an option only opens the next screen.
"""

from collections.abc import Callable
from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.picker import Picker
from msgc.screens.screen import COMMON_KEYS, Done, Open, Outcome, Screen
from msgc.view import (
    NOTHING,
    Cell,
    Column,
    Fill,
    Foot,
    Gap,
    Room,
    Row,
    Table,
    View,
    table,
    view,
)
from msgc.view_news import ConnectedAgain, DirectoryChanged, News
from msgc.view_text import plural
from msgc.view_users import new_since_ms, user_columns, user_row
from msgc.view_values import Directory, Target
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView, ScrollView
from term.picture import Style
from term.safe import Safe

_OPTIONS: Final = ("one", "several", "everyone")
_OTHER_ROWS: Final = 7
"""Options, gaps, the heads of the columns, and the last row."""

KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "choose", "Take the option at the >", "choose"),
        Binding(("1",), "one", "Send to one user", "one"),
        Binding(("2",), "several", "Send to several users", "several"),
        Binding(("3",), "everyone", "Send to all users", "all"),
        Binding(("Down", "j"), "down", "Move down"),
        Binding(("Up", "k"), "up", "Move up"),
        Binding(("PageDown", "C-d"), "page_down", "Scroll the users down", "users"),
        Binding(("PageUp", "C-u"), "page_up", "Scroll the users up"),
        Binding(("Home", "g"), "first", "Go to the first user"),
        Binding(("End", "G"), "last", "Go to the last user"),
        Binding(("R",), "reload", "Ask the server for the users again", "reload"),
    ],
    inherits=COMMON_KEYS,
)


class Send(Screen):
    """The three options above the log of usernames."""

    name = "send"
    keys = KEYS

    def __init__(self, desk: Desk, write: Callable[[Target], Screen]) -> None:
        self._desk = desk
        self._write = write
        self._options = ListView()
        self._options.set_rows(_OPTIONS)
        self._options.set_height(len(_OPTIONS))
        self._users = ScrollView()
        self._directory = Directory()

    def show(self) -> None:
        """Each time: the list may be old."""
        self._desk.ask_accounts("")
        self._directory = self._desk.directory().whole

    def hear(self, news: News) -> None:
        """The list has come, or a part of it; or what was told is old."""
        if isinstance(news, ConnectedAgain):
            self._desk.ask_accounts("")
        if isinstance(news, DirectoryChanged):
            self._directory = self._desk.directory().whole

    def handle(self, key: KeyEvent) -> Outcome:
        """1, 2, 3, or arrows and Enter."""
        command = KEYS.command(key)
        if command == "choose":
            command = str(self._options.selected)
        if command in {"up", "down"}:
            self._options.handle(command)
        elif command is None:
            return Done.IGNORED
        elif self._users.handle(command):
            pass
        elif command == "leave":
            return Done.LEAVE
        elif command == "reload":
            self._desk.ask_accounts("")
        elif command in _OPTIONS:
            self._options.select(command)
            return self._choose(command)
        else:
            return Done.IGNORED
        return Done.HANDLED

    def view(self, room: Room) -> View:
        """Options, then as many users as there is room for."""
        users = self._table(room)
        right = f"{plural(self._directory.total, 'user')}, {self._directory.connected:,} connected"
        return view(
            self._desk,
            self.name,
            "Send message",
            [
                Gap(),
                self._option_table(),
                Gap(),
                users,
                Fill(),
                Foot(Safe(self._age()), users.position if users.rows else NOTHING, Style.DIM),
            ],
            KEYS,
            right=right if self._directory.asked_at_ms is not None else "",
        )

    def _option_table(self) -> Table:
        words = (
            "To one user           (1-to-1)",
            "To several users      (1-to-n)",
            f"To all users          (1-to-all{self._others_words()})",
        )

        def row_at(place: int) -> Row:
            spoken = Safe(" ".join(words[place].split()))
            return Row(
                _OPTIONS[place],
                (Cell(Safe(f"{place + 1}")), Cell(Safe(words[place]), words=spoken)),
            )

        columns = (Column("key", "", 2), Column("option", "", before="  "))
        rows = table("options", columns, self._options, len(words), len(words), row_at)
        return rows._replace(has_heads=False, is_numbered=False, indent=1)

    def _table(self, room: Room) -> Table:
        entries = self._directory.entries
        you, now_ms = self._desk.overview().name, self._desk.now_ms()
        since_ms = new_since_ms(entries, you, now_ms)
        self._users.set_lines(len(entries), room.list_rows(_OTHER_ROWS))
        seen = self._users.visible()
        rows = tuple(
            user_row(
                entries[place],
                room.columns,
                now_ms,
                you=entries[place].name == you,
                new_since_ms=since_ms,
            )
            for place in seen
        )
        columns = user_columns(room.columns)
        return Table("users", columns, rows, seen.start, len(entries), is_numbered=False)

    def _choose(self, option: str) -> Outcome:
        if option == "everyone":
            if self._directory.complete and self._others() == 0:
                self._desk.say(Safe("There is nobody else yet."))
                return Done.HANDLED
            return Open(self._write(Target(everyone=True)))
        return Open(Picker(self._desk, self._write, several=option == "several"))

    def _others(self) -> int:
        return max(0, self._directory.total - 1)

    def _others_words(self) -> str:
        if self._directory.asked_at_ms is None:
            return ""
        return f", {plural(self._others(), 'user')}"

    def _age(self) -> str:
        directory = self._directory
        if directory.asked_at_ms is None:
            online = self._desk.overview().standing.online
            return "Asking the server ..." if online else "Offline: the list comes later."
        if not directory.complete:
            return f"The list is coming: {len(directory.entries):,} of {directory.total:,} users."
        return f"As the server said at {self._desk.times.clock(directory.asked_at_ms)}."
