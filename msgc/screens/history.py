"""Everything ever received or sent, newest first, searched while one types.

Each letter searches again, by the words' beginnings; Enter looks into every text, for parts of
words too. Must never ask the server: the history is this machine's. It is read in portions, so that
a long one opens as fast as a short one.
"""

from typing import Final

from msgc.limits import SEARCH_CHARACTERS_MAX
from msgc.screens.desk import Desk
from msgc.screens.message_view import ANSWER_BINDINGS, UNREAD_BINDINGS, MessageView, answer
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Open, Outcome, Screen
from msgc.screens.sent import Life
from msgc.values import HistoryEntry, Received
from msgc.view import (
    Block,
    Fill,
    Foot,
    Gap,
    Room,
    Row,
    Table,
    View,
    go_to,
    others,
    said,
    table,
    view,
)
from msgc.view_messages import history_columns, history_row
from msgc.view_news import FateChanged, MailArrived, News
from msgc.view_text import plural
from msgc.view_values import Wanted
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.safe import Safe, safe_line
from wire.limits import NAME_BYTES_MAX

PORTION_ROWS: Final = 200
ROWS_MAX: Final = 10_000
_QUERY_COLUMNS_MAX: Final = 30

_MOVES: Final = tuple(
    Binding(tuple(key for key in binding.keys if key != "g"), binding.command, binding.help)
    for binding in LIST_BINDINGS
)
KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "open", "Read the whole message", "open"),
        Binding(("/", "F3"), "search", "Show only messages that hold these words", "search"),
        Binding(("p", "l", "F4"), "person", "Show only messages from or to this user", "person"),
        *ANSWER_BINDINGS,
        *UNREAD_BINDINGS,
        *_MOVES,
    ],
    inherits=COMMON_KEYS,
)


class History(Screen):
    """One list of both directions."""

    name = "history"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wanted = Wanted()
        self._before = Wanted()
        """What was wanted when the field was opened: Esc brings it back."""
        self._portion = PORTION_ROWS
        self._rows: tuple[HistoryEntry, ...] = ()
        self._list = ListView()
        self._prompt: Prompt | None = None
        self._stale = True

    @property
    def keys(self) -> KeyTable:
        """Those of the search field while it is open."""
        return KEYS if self._prompt is None else PROMPT_KEYS

    def show(self) -> None:
        """Something may have come."""
        self._stale = True

    def hear(self, news: News) -> None:
        """So may it while one looks."""
        if isinstance(news, (MailArrived, FateChanged)):
            self._stale = True

    def handle(self, key: KeyEvent) -> Outcome:
        """A list and a search field."""
        self._freshen()
        if self._prompt is not None:
            return self._handle_prompt(self._prompt, key)
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._list.handle(command):
            self._load_more()
            return Done.HANDLED
        if command == "leave" and self._wanted != Wanted():
            self._want(Wanted())
        elif command == "leave":
            return Done.LEAVE
        elif command in {"search", "person"}:
            self._open_prompt(command)
        elif command == "open":
            return self._open()
        else:
            return self._act(command)
        return Done.HANDLED

    def select(self, place: int) -> bool:
        """See Screen."""
        self._freshen()
        return go_to(self._list, place, len(self._rows))

    def view(self, room: Room) -> View:
        """One row a message."""
        self._freshen()
        blocks: list[Block] = [Gap(), said(self._empty_words())]
        if self._rows:
            rows = self._table(room)
            blocks = [rows, Fill(), Foot(Safe(self._wanted_words()), rows.position)]
        return view(
            self._desk,
            self.name,
            "History",
            blocks,
            self.keys,
            right=f"{plural(self._desk.overview().kept, 'message')} received and kept",
            question=self._prompt.question(room) if self._prompt is not None else None,
        )

    def _table(self, room: Room) -> Table:
        now_ms, times = self._desk.now_ms(), self._desk.times

        def row_at(place: int) -> Row:
            return history_row(self._rows[place], room.columns, times, now_ms)

        total = len(self._rows)
        return table(
            "history",
            history_columns(room.columns),
            self._list,
            room.list_rows(2),
            total,
            row_at,
            more=total == self._portion,
        )

    def _empty_words(self) -> str:
        wanted = self._wanted
        if wanted == Wanted():
            return "Nothing was received or sent yet."
        shown = safe_line(wanted.words, _QUERY_COLUMNS_MAX)
        person = safe_line(wanted.person, _QUERY_COLUMNS_MAX)
        holding = f' holds "{shown}"' if shown else ""
        whose = f" from or to {person}" if person else ""
        end = "Esc shows all." if self._prompt is None else "Enter looks into every text."
        return f"No message{whose}{holding or ' is here'}. {end}"

    def _wanted_words(self) -> str:
        wanted, parts = self._wanted, []
        if wanted.person:
            parts.append(f"From or to {safe_line(wanted.person, _QUERY_COLUMNS_MAX)}")
        if wanted.words:
            shown = safe_line(wanted.words, _QUERY_COLUMNS_MAX)
            parts.append(f'{"h" if parts else "H"}olding "{shown}"')
        return f"{', '.join(parts)}; Esc shows all." if parts else ""

    def _freshen(self) -> None:
        """Once for all that came since, for it comes by the thousand."""
        if self._stale:
            self._load()

    def _load(self) -> None:
        self._stale = False
        self._rows = self._desk.history(self._wanted, self._portion)
        self._list.set_rows([_identity(row) for row in self._rows])

    def _load_more(self) -> None:
        at_end = self._list.cursor >= len(self._rows) - 1
        if at_end and len(self._rows) == self._portion and self._portion < ROWS_MAX:
            self._portion = min(ROWS_MAX, 2 * self._portion)
            self._load()

    def _want(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._portion = PORTION_ROWS
        self._list.home()
        self._load()
        self._list.home()

    def _open_prompt(self, purpose: str) -> None:
        self._before = self._wanted
        if purpose == "search":
            label, start, bytes_max = "Words:", self._wanted.words, SEARCH_CHARACTERS_MAX
        else:
            label, start, bytes_max = "From or to:", self._wanted.person, NAME_BYTES_MAX
        self._prompt = Prompt(purpose, Safe(label), start, bytes_max)

    def _act(self, command: str) -> Outcome:
        if command == "next_unread":
            if self._next_unread() is None:
                self._desk.say(Safe("Nothing else is new here."))
            return Done.HANDLED
        received = self._rows[self._list.cursor].received if self._rows else None
        if command in {"reply", "reply_all", "forward", "mark"} and received is None:
            self._desk.say(Safe("This can be done with a message that was received."))
            return Done.HANDLED
        if command == "mark" and received is not None:
            change = self._desk.look_at if received.unread else self._desk.mark_unread
            change((received,))
            self._stale = True
            return Done.HANDLED
        return answer(self._desk, received, command) if received is not None else Done.IGNORED

    def _next_unread(self) -> Received | None:
        self._freshen()
        for place in others(self._list.cursor, len(self._rows)):
            received = self._rows[place].received
            if received is not None and received.unread:
                self._list.select(_identity(self._rows[place]))
                self._stale = True
                return received
        return None

    def _open(self) -> Outcome:
        if not self._rows:
            return Done.HANDLED
        entry = self._rows[self._list.cursor]
        if entry.received is not None:
            return Open(MessageView(self._desk, entry.received, self._neighbour, self._next_unread))
        assert entry.sent is not None
        return Open(Life(self._desk, entry.sent.message_id))

    def _neighbour(self, step: int) -> Received | None:
        """The next received one in this direction; sent ones are passed over."""
        place = self._list.cursor + step
        while 0 <= place < len(self._rows):
            received = self._rows[place].received
            if received is not None:
                self._list.select(_identity(self._rows[place]))
                return received
            place += step
        return None

    def _handle_prompt(self, prompt: Prompt, key: KeyEvent) -> Outcome:
        """Every letter searches; Esc goes back to what was wanted before."""
        answered = prompt.handle(key)
        if answered is Answer.IGNORED:
            return Done.IGNORED
        is_words = prompt.purpose == "search"
        words = prompt.text if is_words else self._wanted.words
        person = self._wanted.person if is_words else prompt.text.lower()
        wanted = Wanted(words, person, thorough=answered is Answer.ENTERED)
        if answered is Answer.CANCELLED:
            wanted = self._before
        if answered is not Answer.GOES_ON:
            self._prompt = None
        if (wanted.words, wanted.person) == ("", ""):
            wanted = Wanted()
        if wanted != self._wanted:
            self._want(wanted)
        return Done.HANDLED


def _identity(entry: HistoryEntry) -> tuple[str, int | bytes]:
    if entry.received is not None:
        return ("received", entry.received.number)
    assert entry.sent is not None
    return ("sent", entry.sent.message_id)
