"""Checking for messages: the server hands out what waits, and here it is printed.

The list holds what was not looked at before this visit, and what arrives during it. A message
counts as looked at when it was opened, or when the cursor stood on it and its whole text was in the
preview; to be listed is not enough. Must never lose a message by leaving:
everything here is in the archive already.
"""

from typing import Final

from msgc.limits import SEARCH_CHARACTERS_MAX
from msgc.screens.desk import Desk
from msgc.screens.message_view import ANSWER_BINDINGS, MessageView, answer
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Open, Outcome, Screen, Size
from msgc.values import Received
from msgc.view_frame import frame, text
from msgc.view_messages import audience_words, body_lines, received_header, received_line
from msgc.view_text import plural
from msgc.view_values import CheckBroken, CheckEnded, MailArrived, News
from msgc.words import none_available
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import EMPTY, Line, Picture, Style, body_rows, restyle, rule, spread
from term.safe import Safe, safe_line

ROWS_MAX: Final = 10_000
"""Messages of one visit; more stay unread and come with the next."""
_LIST_ROWS_MIN: Final = 3

_MOVES: Final = tuple(
    Binding(tuple(key for key in binding.keys if key != "g"), binding.command, binding.help)
    for binding in LIST_BINDINGS
)
KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "open", "Read the whole message", "open"),
        *ANSWER_BINDINGS,
        Binding(("/", "F3"), "search", "Go to a message that holds a text", "search"),
        Binding(("n",), "again", "Search on"),
        Binding(("A",), "all_seen", "Count all of them as looked at"),
        Binding(("R",), "reload", "Ask the server again", "check again"),
        *_MOVES,
    ],
    inherits=COMMON_KEYS,
)


class Check(Screen):
    """One visit to the inbox."""

    name = "check"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: list[Received] = list(desk.inbox(ROWS_MAX))
        self._known = {row.number for row in self._rows}
        self._seen: set[int] = set()
        self._kept: set[int] = set()
        self._list = ListView()
        self._prompt: Prompt | None = None
        self._searched = ""
        self._asking = False
        self._empty_words = ""
        self._kept_words = ""
        self._stale = True
        self._ask()

    @property
    def keys(self) -> KeyTable:
        """Those of the search field while it is open."""
        return KEYS if self._prompt is None else PROMPT_KEYS

    def keep(self) -> None:
        """What was read in the preview is not new any more."""
        fresh = tuple(row for row in self._rows if row.number in self._seen - self._kept)
        if fresh:
            self._kept |= self._seen
            self._desk.look_at(fresh)

    def hear(self, news: News) -> None:
        """Messages come one by one, then the end of the check."""
        if isinstance(news, MailArrived):
            if news.received.number not in self._known and len(self._rows) < ROWS_MAX:
                self._known.add(news.received.number)
                self._rows.append(news.received)
                self._stale = True
        elif isinstance(news, CheckEnded):
            self._asking = False
            self._tell_end(news)
        elif isinstance(news, CheckBroken):
            self._asking = False
            self._kept_words = ""
            self._empty_words = "No answer came: R asks again. What waits is safe at the server."

    def handle(self, key: KeyEvent) -> Outcome:
        """Moving, reading, answering."""
        self._settle_rows()
        if self._prompt is not None:
            return self._handle_prompt(self._prompt, key)
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._list.handle(command):
            return Done.HANDLED
        if command == "leave":
            self.keep()
            return Done.LEAVE
        if command == "reload":
            self._ask()
            return Done.HANDLED
        if command == "search":
            label = Safe("Search for:")
            self._prompt = Prompt("search", label, self._searched, SEARCH_CHARACTERS_MAX)
            return Done.HANDLED
        if command == "all_seen":
            self._seen |= self._known
            self.keep()
            self._desk.say(Safe("All of them count as looked at."))
            return Done.HANDLED
        if command == "again":
            self._search()
            return Done.HANDLED
        return self._act(command)

    def picture(self, size: Size) -> Picture:
        """The list, and below it the beginning of the selected message."""
        self._settle_rows()
        columns = size[1]
        room = body_rows(size)
        body: list[Line] = self._empty_body() if not self._rows else self._list_body(columns, room)
        message: list[Line] | None = None
        cursor: tuple[int, int] | None = None
        if self._rows:
            cursor = (1 + self._list.cursor - self._list.offset, 0)
        if self._prompt is not None:
            message, cursor = self._prompt.draw(size)
        right = plural(len(self._rows), "message") if self._rows else ""
        return frame(
            self._desk,
            size,
            "Check for messages",
            body,
            self.keys,
            right=right,
            message=message,
            cursor=cursor,
        )

    def _empty_body(self) -> list[Line]:
        if self._asking:
            return [EMPTY, text("   Asking the server ...")]
        kept = text(f"   {self._kept_words}") if self._kept_words else EMPTY
        return [EMPTY, text(f"   {self._empty_words}", Style.BOLD), kept]

    def _list_body(self, columns: int, room: int) -> list[Line]:
        height = min(max(len(self._rows), _LIST_ROWS_MIN), (room - 2) // 2)
        self._list.set_height(height)
        now_ms, times = self._desk.now_ms(), self._desk.times
        body: list[Line] = [received_header(columns)]
        for row in self._list.visible():
            received = self._rows[row]
            selected = row == self._list.cursor
            body.append(
                received_line(
                    received, columns, times, now_ms, selected=selected, fresh=received.unread
                )
            )
        body += [EMPTY] * (1 + height - len(body))
        body.append(spread(rule(columns - 16), text(f" {self._list.position_text()} "), columns))
        return [*body, *self._preview(columns, room - len(body))]

    def _preview(self, columns: int, rows: int) -> list[Line]:
        received = self._rows[self._list.cursor]
        who = f" From {safe_line(received.sender)} to {audience_words(received)}"
        stamp = self._desk.times.full(received.received_at_ms)
        lines = body_lines(received.body, columns - 2)
        shown: list[Line] = [(*text(" "), *line) for line in lines]
        if len(lines) > rows - 1:
            shown = shown[: max(0, rows - 2)]
            shown.append(text(f" -- {len(lines) - len(shown)} more lines: Enter --", Style.DIM))
        else:
            self._seen.add(received.number)
        head = restyle(text(f"{who}, received {stamp}"), Style.DIM)
        return [head, *shown]

    def _settle_rows(self) -> None:
        """Once for all that came since, for they come by the thousand."""
        if self._stale:
            self._stale = False
            self._list.set_rows([row.number for row in self._rows])

    def _ask(self) -> None:
        self._asking = self._desk.check()
        if not self._asking:
            self._kept_words = ""
            self._empty_words = "Not connected. What waits at the server is safe there."
            self._desk.say(Safe("Not connected: the server cannot be asked now."))

    def _tell_end(self, end: CheckEnded) -> None:
        self._empty_words = none_available(self._desk.times.clock(end.at_ms))
        kept = self._desk.overview().kept
        verb = "is" if kept == 1 else "are"
        self._kept_words = f"{plural(kept, 'read one')} {verb} in History." if kept else ""
        if end.delivered == 0:
            if self._rows:  # else the body says so
                self._desk.say(self._no_more(end))
            return
        words = f"{plural(end.delivered, 'message')} delivered"
        more = f", {end.remaining:,} still waiting: R asks again" if end.remaining else ""
        self._desk.say(Safe(f"{words}{more}."))

    def _no_more(self, end: CheckEnded) -> Safe:
        clock = self._desk.times.clock(end.at_ms)
        return Safe(f"Nothing else waits (asked the server at {clock}).")

    def _act(self, command: str) -> Outcome:
        if command not in {"open", "reply", "reply_all", "forward"}:
            return Done.IGNORED
        if not self._rows:
            self._desk.say(Safe("There is no message to choose."))
            return Done.HANDLED
        received = self._rows[self._list.cursor]
        if command == "open":
            return Open(MessageView(self._desk, received, self._neighbour))
        return answer(self._desk, received, command)

    def _neighbour(self, step: int) -> Received | None:
        place = self._list.cursor + step
        if not 0 <= place < len(self._rows):
            return None
        self._list.move(step)
        return self._rows[place]

    def _handle_prompt(self, prompt: Prompt, key: KeyEvent) -> Outcome:
        result = prompt.handle(key)
        if result is Answer.IGNORED:
            return Done.IGNORED
        if result is not Answer.GOES_ON:
            self._prompt = None
        if result is Answer.ENTERED:
            self._searched = prompt.text
            self._search()
        return Done.HANDLED

    def _search(self) -> None:
        wanted = self._searched.casefold()
        if not wanted:
            return
        start = self._list.cursor + 1
        for place in (*range(start, len(self._rows)), *range(min(start, len(self._rows)))):
            row = self._rows[place]
            if wanted in row.body.casefold() or wanted in row.sender.casefold():
                self._list.select(row.number)
                return
        self._desk.say(Safe(f'Nothing here holds "{safe_line(self._searched, 40)}".'))
