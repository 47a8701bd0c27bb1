"""Checking for messages: the server hands out what waits, and here it is printed.

The list holds what was not looked at before this visit, and what arrives during it. A message
counts as looked at when it was opened, or when the cursor stood on it and its whole text was in the
preview; to be listed is not enough. Must never lose a message by leaving:
everything here is in the archive already.
"""

from typing import Final

from msgc.limits import SEARCH_CHARACTERS_MAX
from msgc.screens.desk import Desk
from msgc.screens.message_view import ANSWER_BINDINGS, UNREAD_BINDINGS, MessageView, answer
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Open, Outcome, Screen
from msgc.values import Received
from msgc.view import (
    GUTTER_COLUMNS,
    Block,
    Fill,
    Foot,
    Gap,
    Head,
    Room,
    Row,
    Rule,
    Table,
    Text,
    View,
    go_to,
    others,
    said,
    table,
    view,
)
from msgc.view_messages import audience_words, body_lines, received_columns, received_row
from msgc.view_news import CheckBroken, CheckEnded, MailArrived, News
from msgc.view_text import plural
from msgc.words import none_available
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import Style
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
        *UNREAD_BINDINGS,
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
        self._unread: set[int] = set(self._known)
        self._seen: set[int] = set()
        """Previewed whole, and not told to the archive yet."""
        self._held: set[int] = set()
        """Marked as unread by the person: a preview does not change that."""
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

    def show(self) -> None:
        """Some may have been opened, or marked as unread, above."""
        self._unread = {row.number for row in self._desk.inbox(ROWS_MAX)}

    def keep(self) -> None:
        """What was read in the preview is not new any more."""
        fresh = self._seen & self._unread
        self._seen.clear()
        if fresh:
            self._unread -= fresh
            self._desk.look_at(tuple(row for row in self._rows if row.number in fresh))

    def hear(self, news: News) -> None:
        """Messages come one by one, then the end of the check."""
        if isinstance(news, MailArrived):
            if news.received.number not in self._known and len(self._rows) < ROWS_MAX:
                self._known.add(news.received.number)
                self._unread.add(news.received.number)
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
            self._held.clear()
            self.keep()
            self._desk.say(Safe("All of them count as looked at."))
            return Done.HANDLED
        if command == "again":
            self._search()
            return Done.HANDLED
        return self._act(command)

    def select(self, place: int) -> bool:
        """See Screen."""
        self._settle_rows()
        return go_to(self._list, place, len(self._rows))

    def view(self, room: Room) -> View:
        """The list, and below it the beginning of the selected message."""
        self._settle_rows()
        question = self._prompt.question(room) if self._prompt is not None else None
        blocks = self._list_blocks(room) if self._rows else self._empty_blocks()
        new = len(self._unread & self._known)
        right = f"{plural(len(self._rows), 'message')}, {new:,} new" if self._rows else ""
        return view(
            self._desk,
            self.name,
            "Check for messages",
            blocks,
            self.keys,
            right=right,
            question=question,
        )

    def _empty_blocks(self) -> list[Block]:
        if self._asking:
            return [Gap(), said("Asking the server ...", is_moving=True)]
        blocks: list[Block] = [Gap(), said(self._empty_words, Style.BOLD)]
        return [*blocks, said(self._kept_words)] if self._kept_words else blocks

    def _list_blocks(self, room: Room) -> list[Block]:
        if room.is_lines:
            rows = self._table(room, room.list_rows(1))
            if not self._asking:
                self._see(*(self._rows[place].number for place in self._list.visible()))
            return [rows, Foot(position=rows.position)]
        height = min(max(len(self._rows), _LIST_ROWS_MIN), (room.rows - 2) // 2)
        rows = self._table(room, height)
        gaps = [Gap()] * (max(1, height) - len(rows.rows))
        return [rows, *gaps, Rule(rows.position), *self._preview(room, room.rows - 2 - height)]

    def _table(self, room: Room, height: int) -> Table:
        now_ms, times = self._desk.now_ms(), self._desk.times

        def row_at(place: int) -> Row:
            received = self._rows[place]
            fresh = received.number in self._unread
            whole = room.is_lines and fresh
            return received_row(received, room.columns, times, now_ms, fresh=fresh, whole=whole)

        columns = received_columns(room.columns)
        return table("messages", columns, self._list, height, len(self._rows), row_at)

    def _preview(self, room: Room, rows: int) -> list[Block]:
        received = self._rows[self._list.cursor]
        stamp = self._desk.times.full(received.received_at_ms)
        who = f"From {safe_line(received.sender)} to {audience_words(received)}, received {stamp}"
        lines = body_lines(received.body, room.columns - GUTTER_COLUMNS)
        shown = tuple(lines)
        if len(lines) > rows - 1:
            shown = shown[: max(0, rows - 2)]
        else:
            self._see(received.number)
        return [Head(Safe(who)), Text(shown, len(lines) - len(shown)), Fill()]

    def _see(self, *numbers: int) -> None:
        """The whole text of these was to be read; those marked as unread stay so."""
        self._seen.update(number for number in numbers if number not in self._held)

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
        if command not in {"open", "reply", "reply_all", "forward", "mark", "next_unread"}:
            return Done.IGNORED
        if not self._rows:
            self._desk.say(Safe("There is no message to choose."))
            return Done.HANDLED
        received = self._rows[self._list.cursor]
        if command == "open":
            self.keep()
            self._held.discard(received.number)
            return Open(MessageView(self._desk, received, self._neighbour, self._next_unread))
        if command == "mark":
            self._mark(received)
            return Done.HANDLED
        if command == "next_unread":
            if self._next_unread() is None:
                self._desk.say(Safe("Nothing else is unread."))
            return Done.HANDLED
        return answer(self._desk, received, command)

    def _mark(self, received: Received) -> None:
        """From new to looked at, or back."""
        number = received.number
        if number in self._unread and number not in self._seen:
            self._held.discard(number)
            self._seen.add(number)
            self.keep()
            self._desk.say(Safe("It counts as looked at."))
            return
        self._held.add(number)
        self._seen.discard(number)
        self._unread.add(number)
        self._desk.mark_unread((received,))
        self._desk.say(Safe("It counts as new again."))

    def _next_unread(self) -> Received | None:
        """The next one that was not looked at, round the list; the cursor goes there."""
        self.keep()
        for place in others(self._list.cursor, len(self._rows)):
            if self._rows[place].number in self._unread:
                self._list.select(self._rows[place].number)
                return self._rows[place]
        return None

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
