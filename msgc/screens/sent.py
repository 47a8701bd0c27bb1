"""What one has sent: each message's state, and its life at every recipient.

Read in portions, so that a long list opens as fast as a short one. Must never guess: what the
server has not said is called waiting or unsent.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Open, Outcome, Screen, Size
from msgc.values import Fate, FateState, SendState, Sent
from msgc.view_frame import frame, position, text
from msgc.view_messages import body_lines, fact, names_of, sent_header, sent_line
from msgc.view_text import after, plural
from msgc.view_values import FateChanged, News
from msgc.words import failure, fate, sent_summary
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView, ScrollView
from term.picture import EMPTY, Line, Picture, Span, Style, body_rows, rule, spread
from term.safe import Safe, safe_line
from term.width import pad, wrap

PORTION_ROWS: Final = 500
ROWS_MAX: Final = 10_000
_NAME_COLUMNS_MIN: Final = 15
_NAME_COLUMNS_MAX: Final = 32
_OTHER_COLUMNS: Final = 46
_STATE_COLUMNS: Final = 18

KEYS: Final = KeyTable(
    [
        Binding(("Enter", "w"), "open", "See its life: who has it, since when, and why not", "why"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)
LIFE_KEYS: Final = KeyTable(
    [Binding(("Space",), "page_down", "Move down by a page", "more"), *LIST_BINDINGS],
    inherits=COMMON_KEYS,
)


class SentMessages(Screen):
    """The list, newest first."""

    name = "sent messages"
    keys = KEYS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: tuple[Sent, ...] = ()
        self._list = ListView()
        self._wanted = PORTION_ROWS
        self._stale = True

    def show(self) -> None:
        """Anything may have been delivered since."""
        self._stale = True

    def hear(self, news: News) -> None:
        """Something was delivered while one looks."""
        if isinstance(news, FateChanged):
            self._stale = True

    def handle(self, key: KeyEvent) -> Outcome:
        """A list."""
        self._freshen()
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._list.handle(command):
            self._read_on()
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        if command == "open" and self._rows:
            return Open(Life(self._desk, self._rows[self._list.cursor].message_id))
        return Done.HANDLED if command == "open" else Done.IGNORED

    def picture(self, size: Size) -> Picture:
        """One row a message; in the last row the selected one in a sentence."""
        self._freshen()
        columns, room = size[1], body_rows(size)
        self._list.set_height(room - 2)
        cursor = None
        body: list[Line] = [EMPTY, text("   You have not sent anything yet.")]
        if self._rows:
            body = [sent_header(columns), *self._table(columns)]
            body += [EMPTY] * (room - 1 - len(body))
            selected = self._rows[self._list.cursor]
            summary = text(f" {safe_line(sent_summary(selected))}")
            place = position(self._list, more=len(self._rows) == self._wanted)
            body.append(spread(summary, place, columns))
            cursor = (1 + self._list.cursor - self._list.offset, 0)
        more = " or more" if len(self._rows) == self._wanted else ""
        right = f"{plural(len(self._rows), 'message')}{more}" if self._rows else ""
        return frame(self._desk, size, "Sent messages", body, KEYS, right=right, cursor=cursor)

    def _freshen(self) -> None:
        """Once for all that happened since, for receipts come by the thousand."""
        if self._stale:
            self._stale = False
            self._rows = self._desk.sent(self._wanted)
            self._list.set_rows([row.message_id for row in self._rows])

    def _read_on(self) -> None:
        at_end = self._list.cursor >= len(self._rows) - 1
        if at_end and len(self._rows) == self._wanted < ROWS_MAX:
            self._wanted = min(ROWS_MAX, self._wanted + PORTION_ROWS)
            self._stale = True

    def _table(self, columns: int) -> list[Line]:
        now_ms, times = self._desk.now_ms(), self._desk.times
        return [
            sent_line(self._rows[row], columns, times, now_ms, selected=row == self._list.cursor)
            for row in self._list.visible()
        ]


class Life(Screen):
    """One message from writing to its last recipient, with times."""

    name = "a sent message"
    keys = LIFE_KEYS

    def __init__(self, desk: Desk, message_id: bytes) -> None:
        self._desk = desk
        self._message_id = message_id
        self._scroll = ScrollView()

    def handle(self, key: KeyEvent) -> Outcome:
        """Scrolling."""
        command = LIFE_KEYS.command(key)
        if command is not None and self._scroll.handle(command):
            return Done.HANDLED
        return Done.LEAVE if command == "leave" else Done.IGNORED

    def picture(self, size: Size) -> Picture:
        """Facts, recipients, text."""
        columns = size[1]
        sent = self._desk.sent_one(self._message_id)
        if sent is None:
            gone = [EMPTY, text("   This message is no longer in the outbox.")]
            return frame(self._desk, size, "A sent message", gone, LIFE_KEYS)
        lines = [*self._facts(sent, columns), rule(columns), *self._recipients(sent, columns)]
        lines += [EMPTY, *((*text(" "), *line) for line in body_lines(sent.body, columns - 2))]
        room = body_rows(size) - 1
        self._scroll.set_lines(len(lines), room)
        body = [lines[row] for row in self._scroll.visible()]
        body += [EMPTY] * (room - len(body))
        body.append(spread(EMPTY, text(f"{self._scroll.position_text()} "), columns))
        title = f"Sent message {sent.number}"
        return frame(self._desk, size, title, body, LIFE_KEYS)

    def _facts(self, sent: Sent, columns: int) -> list[Line]:
        times = self._desk.times
        lines = [fact("To", names_of(sent)), fact("Written", times.full(sent.composed_at_ms))]
        if sent.accepted_at_ms is not None:
            took = after(sent.composed_at_ms, sent.accepted_at_ms)
            words = f"{times.full(sent.accepted_at_ms)} by the server, {took}"
            lines.append(fact("Accepted", Safe(words)))
        if sent.state is SendState.UNSENT:
            tries = plural(sent.attempts, "try", "tries")
            lines.append(fact("Unsent", Safe(f"It goes by itself; {tries} so far.")))
        elif sent.state is SendState.FAILED:
            why = wrap(safe_line(failure(sent)), columns - 13)
            lines += [fact("Failed" if row == 0 else "", part) for row, part in enumerate(why)]
        else:
            lines.append(fact("State", safe_line(sent_summary(sent))))
        return lines

    def _recipients(self, sent: Sent, columns: int) -> list[Line]:
        lines = [self._fate_line(sent, one, columns) for one in sent.fates]
        unknown = sent.waiting - sum(one.state is FateState.WAITING for one in sent.fates)
        if sent.everyone and unknown > 0:
            words = f" {plural(unknown, 'other user has', 'other users have')} not received it yet"
            lines.append(text(words))
        return lines

    def _fate_line(self, sent: Sent, one: Fate, columns: int) -> Line:
        when = Safe("")
        if one.at_ms is not None:
            took = after(sent.accepted_at_ms or sent.composed_at_ms, one.at_ms)
            stamp = self._desk.times.stamp(one.at_ms, self._desk.now_ms())
            when = Safe(f"{stamp}, {took}")
        words = fate(one.state) if sent.state is SendState.PENDING else ""
        width = max(_NAME_COLUMNS_MIN, min(_NAME_COLUMNS_MAX, columns - _OTHER_COLUMNS))
        style = Style.GREEN if one.state is FateState.DELIVERED else Style.NORMAL
        return (
            Span(Safe(" ")),
            Span(pad(safe_line(one.recipient, width), width)),
            Span(pad(Safe(f" {words}"), _STATE_COLUMNS), style),
            Span(when),
        )
