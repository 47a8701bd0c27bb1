"""The past of the message line: what was said since the start, the last first.

Must never be the only place where something is said. Fails never.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Outcome, Screen
from msgc.view import (
    Block,
    Cell,
    Column,
    Fill,
    Foot,
    Gap,
    Room,
    Row,
    View,
    go_to,
    said,
    table,
    view,
)
from msgc.view_notices import Notice
from msgc.view_text import STAMP_COLUMNS, plural
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.safe import Safe
from term.width import columns as columns_of
from term.width import wrap

KEYS: Final = KeyTable(
    [
        Binding(("M",), "notices", "Nothing: this is the list of what was said"),
        Binding(("Space",), "page_down", "Move down by a page", "more"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)
_COLUMNS: Final = (
    Column("at", "WHEN", STAMP_COLUMNS),
    Column("words", "WHAT", before=": "),
)


class Notices(Screen):
    """One row each; in the last rows the selected one whole."""

    name = "notices"
    keys = KEYS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._notices: tuple[Notice, ...] = ()
        self._list = ListView(stays_on_top=True)

    def handle(self, key: KeyEvent) -> Outcome:
        """A list."""
        self._freshen()
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._list.handle(command) or command == "notices":
            return Done.HANDLED
        return Done.LEAVE if command == "leave" else Done.IGNORED

    def select(self, place: int) -> bool:
        """See Screen."""
        self._freshen()
        return go_to(self._list, place, len(self._notices))

    def view(self, room: Room) -> View:
        """The list; what is too long for its row stands whole below."""
        self._freshen()
        blocks: list[Block] = [Gap(), said("Nothing was said yet.")]
        if self._notices:
            words = self._notices[self._list.cursor].words
            is_cut = columns_of(words) > room.columns - STAMP_COLUMNS - 3
            whole = [Foot(part) for part in wrap(words, room.columns - 3)] if is_cut else []
            times, now_ms = self._desk.times, self._desk.now_ms()

            def row_at(place: int) -> Row:
                notice = self._notices[place]
                stamp = times.stamp(notice.at_ms, now_ms)
                return Row(notice.number, (Cell(Safe(stamp)), Cell(notice.words)))

            height = room.list_rows(2 + len(whole))
            total = len(self._notices)
            rows = table("notices", _COLUMNS, self._list, height, total, row_at)
            blocks = [rows, Fill(), *whole, Foot(position=rows.position)]
        right = plural(len(self._notices), "notice")
        return view(self._desk, self.name, "Notices", blocks, KEYS, right=right)

    def _freshen(self) -> None:
        self._notices = self._desk.past_notices()[::-1]
        self._list.set_rows([notice.number for notice in self._notices])
