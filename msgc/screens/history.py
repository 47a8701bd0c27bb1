"""Everything ever received or sent, newest first, with a full-text search.

Must never ask the server: the history is this machine's. It is read in portions, so that a long
one opens as fast as a short one.
"""

from typing import Final

from msgc.limits import SEARCH_CHARACTERS_MAX
from msgc.screens.desk import Desk
from msgc.screens.message_view import MessageView
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Open, Outcome, Screen, Size
from msgc.screens.sent import Life
from msgc.values import HistoryEntry, Received
from msgc.view_frame import frame, position, text
from msgc.view_messages import history_header, history_line
from msgc.view_text import plural
from msgc.view_values import FateChanged, MailArrived, News
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import EMPTY, Line, Picture, body_rows, spread
from term.safe import Safe, safe_line

PORTION_ROWS: Final = 500
ROWS_MAX: Final = 10_000
_QUERY_COLUMNS_MAX: Final = 30

KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "open", "Read the whole message", "open"),
        Binding(("/", "F3"), "search", "Show only messages that hold these words", "search"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)


class History(Screen):
    """One list of both directions."""

    name = "history"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._query = ""
        self._wanted = PORTION_ROWS
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
        if command == "leave" and self._query:
            self._search("")
        elif command == "leave":
            return Done.LEAVE
        elif command == "search":
            label = Safe("Search for words:")
            self._prompt = Prompt("search", label, self._query, SEARCH_CHARACTERS_MAX)
        elif command == "open":
            return self._open()
        else:
            return Done.IGNORED
        return Done.HANDLED

    def picture(self, size: Size) -> Picture:
        """One row a message."""
        self._freshen()
        columns, room = size[1], body_rows(size)
        self._list.set_height(room - 2)
        message: list[Line] | None = None
        cursor: tuple[int, int] | None = None
        body: list[Line] = [EMPTY, text(f"   {self._empty_words()}")]
        if self._rows:
            body = [history_header(columns), *self._table(columns)]
            body += [EMPTY] * (room - 1 - len(body))
            more = len(self._rows) == self._wanted
            place = position(self._list, more=more)
            body.append(spread(self._query_words(), place, columns))
            cursor = (1 + self._list.cursor - self._list.offset, 0)
        if self._prompt is not None:
            message, cursor = self._prompt.draw(size)
        right = f"{plural(self._desk.overview().kept, 'message')} received and kept"
        return frame(
            self._desk,
            size,
            "History",
            body,
            self.keys,
            right=right,
            message=message,
            cursor=cursor,
        )

    def _table(self, columns: int) -> list[Line]:
        now_ms, times = self._desk.now_ms(), self._desk.times
        return [
            history_line(self._rows[row], columns, times, now_ms, selected=row == self._list.cursor)
            for row in self._list.visible()
        ]

    def _empty_words(self) -> str:
        if self._query:
            shown = safe_line(self._query, _QUERY_COLUMNS_MAX)
            return f'No message holds "{shown}". Esc shows all.'
        return "Nothing was received or sent yet."

    def _query_words(self) -> Line:
        if not self._query:
            return EMPTY
        shown = safe_line(self._query, _QUERY_COLUMNS_MAX)
        return text(f'   Holding "{shown}"; Esc shows all.')

    def _freshen(self) -> None:
        """Once for all that came since, for it comes by the thousand."""
        if self._stale:
            self._load()

    def _load(self) -> None:
        self._stale = False
        self._rows = self._desk.history(self._query, self._wanted)
        self._list.set_rows([_identity(row) for row in self._rows])

    def _load_more(self) -> None:
        at_end = self._list.cursor >= len(self._rows) - 1
        if at_end and len(self._rows) == self._wanted and self._wanted < ROWS_MAX:
            self._wanted = min(ROWS_MAX, self._wanted + PORTION_ROWS)
            self._load()

    def _search(self, query: str) -> None:
        self._query = query
        self._wanted = PORTION_ROWS
        self._list.home()
        self._load()
        self._list.home()

    def _open(self) -> Outcome:
        if not self._rows:
            return Done.HANDLED
        entry = self._rows[self._list.cursor]
        if entry.received is not None:
            return Open(MessageView(self._desk, entry.received, self._neighbour))
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
        answer = prompt.handle(key)
        if answer is Answer.IGNORED:
            return Done.IGNORED
        if answer is not Answer.GOES_ON:
            self._prompt = None
        if answer is Answer.ENTERED:
            self._search(prompt.text)
        return Done.HANDLED


def _identity(entry: HistoryEntry) -> tuple[str, int | bytes]:
    if entry.received is not None:
        return ("received", entry.received.number)
    assert entry.sent is not None
    return ("sent", entry.sent.message_id)
