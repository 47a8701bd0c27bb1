"""The main menu: who one is, what came, and where one can go.

Must never hold numbers of its own: they are the desk's, at every picture. Fails never.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import LIST_BINDINGS, TYPING_KEYS, Done, Open, Outcome, Screen
from msgc.view import (
    Block,
    Cell,
    Column,
    Gap,
    Paragraph,
    Room,
    Row,
    View,
    go_to,
    said,
    table,
    view,
)
from msgc.view_text import plural
from msgc.view_values import Overview, Phase
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import Style
from term.safe import Safe, safe_line

_OLD_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class _Item:
    keys: tuple[str, ...]
    command: str
    words: str

    @property
    def label(self) -> str:
        digit = self.keys[1] if len(self.keys) > 1 else " "
        return f"{digit}  {self.keys[0]}" if digit != " " else self.keys[0]


ITEMS: Final = (
    _Item(("s", "1"), "send", "Send message"),
    _Item(("c", "2"), "check", "Check for messages"),
    _Item(("o", "3"), "sent", "Sent messages"),
    _Item(("d", "4"), "drafts", "Drafts and unsent"),
    _Item(("h", "5"), "history", "History"),
    _Item(("a", "6"), "accounts", "Accounts"),
    _Item(("p", "7"), "settings", "Settings"),
    _Item(("?",), "help", "Help"),
    _Item(("q",), "quit", "Disconnect and quit"),
)
_HELP: Final = {
    "send": "Send a message to one user, to several, or to all",
    "check": "Check for messages that wait for you",
    "sent": "See what became of the messages that you sent",
    "drafts": "See what you began to write, and what could not go yet",
    "history": "See and search all messages that you received",
    "accounts": "See all users; create an account, or delete yours",
    "settings": "Change how msgc behaves",
    "help": "Show the keys of this screen",
    "quit": "Disconnect and quit",
}

_COLUMNS: Final = (
    Column("keys", "", 6),
    Column("words", "", 21, before="  "),
    Column("details", "", before=" "),
)
_MOVES: Final = tuple(
    binding for binding in LIST_BINDINGS if binding.command in {"up", "down", "first", "last"}
)
KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "choose", "Go where the > is", "choose"),
        *(Binding(item.keys, item.command, _HELP[item.command]) for item in ITEMS[:-2]),
        *_MOVES,
        Binding(("?",), "help", _HELP["help"], "help"),
        Binding(("q",), "quit", _HELP["quit"], "quit"),
        Binding(("M",), "notices", "See what was said in the message line before"),
        Binding(("r",), "connect", "Connect again at once, when the connection is gone"),
        Binding(("Esc",), "stay", "Nothing: this is the top; q disconnects and quits"),
    ],
    inherits=TYPING_KEYS,
)


class Menu(Screen):
    """The screen after login. `doors` makes the screen of each command."""

    name = "menu"
    keys = KEYS

    def __init__(self, desk: Desk, doors: Mapping[str, Callable[[], Screen]]) -> None:
        self._desk = desk
        self._doors = doors
        self._list = ListView()
        self._list.set_rows([item.command for item in ITEMS])
        self._list.set_height(len(ITEMS))

    def show(self) -> None:
        """The numbers of the accounts may be old; a long list is not asked for at each glance."""
        asked_at_ms = self._desk.directory().asked_at_ms
        if asked_at_ms is None or self._desk.now_ms() - asked_at_ms > _OLD_MS:
            self._desk.ask_accounts("")
        else:
            self._desk.count_accounts()

    def handle(self, key: KeyEvent) -> Outcome:
        """Digits and letters go at once, arrows and Enter in two steps."""
        command = KEYS.command(key)
        if command == "choose":
            command = str(self._list.selected)
        if command == "connect":
            self._desk.retry_now()
            return Done.HANDLED
        if command == "stay":
            self._desk.say(Safe("This is the main menu: q disconnects and quits."))
            return Done.HANDLED
        if command is None:
            return Done.IGNORED
        if self._list.handle(command):
            return Done.HANDLED
        door = self._doors.get(command)
        if door is not None:
            self._list.select(command)
            return Open(door())
        if command == "quit":
            self._desk.quit()
            return Done.HANDLED
        return Done.IGNORED

    def select(self, place: int) -> bool:
        """See Screen."""
        return go_to(self._list, place, len(ITEMS))

    def view(self, room: Room) -> View:
        """The choices, each with its numbers."""
        overview = self._desk.overview()
        details = _details(overview, self._directory_words(overview))

        def row_at(place: int) -> Row:
            item = ITEMS[place]
            detail = details.get(item.command, "")
            return Row(
                item.command,
                (
                    Cell(Safe(item.label)),
                    Cell(Safe(item.words)),
                    Cell(Safe(detail), words=Safe(f"({detail})" if detail else "")),
                ),
            )

        rows = table("choices", _COLUMNS, self._list, len(ITEMS), len(ITEMS), row_at)
        blocks: list[Block] = [Gap(), *_greeting(overview, self._desk.now_ms()), Gap()]
        if len(blocks) + len(ITEMS) > room.rows:
            del blocks[0]
        blocks.append(rows._replace(has_heads=False, is_numbered=False, indent=1))
        return view(
            self._desk,
            self.name,
            f"msgc  {overview.name} @ {overview.address}",
            blocks,
            KEYS,
            right=overview.standing.words(self._desk.now_ms()),
        )

    def _directory_words(self, overview: Overview) -> str:
        if overview.accounts_total is None:
            return ""
        users = plural(overview.accounts_total, "user")
        return f"{users}, {overview.accounts_connected or 0:,} connected"


def _greeting(overview: Overview, now_ms: int) -> tuple[Paragraph, ...]:
    if overview.standing.online:
        first, second = f"You are connected as {safe_line(overview.name)}.", _news(overview)
    elif overview.standing.phase is Phase.REFUSED:
        first, second = "You are not connected any more; r connects again.", _news(overview)
    else:
        first = f"You are not connected: {safe_line(overview.standing.words(now_ms))}."
        second = "What you send is kept, and goes by itself. r: try now."
    return (said(first, Style.BOLD, is_moving=True), said(second, is_moving=True))


def _news(overview: Overview) -> str:
    if overview.created:
        return "This name is new: its account and its message queue were made just now."
    arrived = plural(overview.arrived_since, "new message") if overview.arrived_since else ""
    verb = "was" if overview.delivered_since == 1 else "were"
    delivered = f"{overview.delivered_since:,} of yours {verb} delivered"
    parts = [part for part in (arrived, delivered if overview.delivered_since else "") if part]
    return f"Since your last visit: {', '.join(parts) or 'nothing new'}."


def _details(overview: Overview, accounts: str) -> dict[str, str]:
    failed = f", {overview.failed:,} FAILED" if overview.failed else ""
    return {
        "check": f"{overview.waiting:,} waiting",
        "sent": f"{overview.sent_waiting:,} waiting, {overview.sent_delivered:,} delivered",
        "drafts": f"{plural(overview.drafts, 'draft')}, {overview.unsent:,} unsent{failed}",
        "history": f"{overview.kept:,} kept",
        "accounts": accounts,
    }
