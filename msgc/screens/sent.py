"""What one has sent: each message's state, and its life at every recipient.

Read in portions, so that a long list opens as fast as a short one. Must never guess: what the
server has not said is called waiting or unsent.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import (
    COMMON_KEYS,
    LIST_BINDINGS,
    TYPING_KEYS,
    Done,
    Open,
    Outcome,
    Screen,
)
from msgc.states import FateState, SendState
from msgc.values import Fate, Sent
from msgc.view import (
    GUTTER_COLUMNS,
    Block,
    Cell,
    Column,
    Fact,
    Fill,
    Foot,
    Gap,
    Question,
    Room,
    Row,
    Rule,
    Scrolled,
    Table,
    Text,
    View,
    ask,
    go_to,
    said,
    table,
    view,
)
from msgc.view_messages import body_lines, names_of, sent_columns, sent_row
from msgc.view_news import FateChanged, News
from msgc.view_text import after, plural
from msgc.words import failure, fate, recall_summary, sent_summary, trouble
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView, ScrollView
from term.picture import Style
from term.safe import Safe, safe_line

PORTION_ROWS: Final = 500
ROWS_MAX: Final = 10_000
_NAME_COLUMNS_MIN: Final = 15
_NAME_COLUMNS_MAX: Final = 32
_OTHER_COLUMNS: Final = 46
_STATE_COLUMNS: Final = 17

_RECALL: Final = Binding(
    ("x",), "recall", "Take it back from all whom it has not reached; asks first", "take back"
)
KEYS: Final = KeyTable(
    [
        Binding(("Enter", "w"), "open", "See its life: who has it, since when, and why not", "why"),
        _RECALL,
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)
LIFE_KEYS: Final = KeyTable(
    [Binding(("Space",), "page_down", "Move down by a page", "more"), _RECALL, *LIST_BINDINGS],
    inherits=COMMON_KEYS,
)
RECALL_KEYS: Final = KeyTable(
    [
        Binding(("y",), "yes", "Take it back", "take it back"),
        Binding(("n", "Esc", "Enter"), "no", "Leave it", "leave it"),
    ],
    inherits=TYPING_KEYS,
)


class TakeBack:
    """Whether to take a message back, while it is asked; both screens of this module have one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.about: Sent | None = None

    def begin(self, sent: Sent) -> None:
        """Ask, if there is anybody to take it back from."""
        if sent.can_recall:
            self.about = sent
        else:
            self._desk.say(safe_line(recall_summary(sent)))

    def handle(self, command: str) -> Outcome:
        """The answer."""
        if command not in {"yes", "no"}:
            return Done.IGNORED
        about, self.about = self.about, None
        if command == "yes" and about is not None:
            self._desk.recall(about.message_id)
        return Done.HANDLED

    def prompt(self) -> Question | None:
        """As it stands on the screen."""
        if self.about is None:
            return None
        yes, no = RECALL_KEYS.label("yes"), RECALL_KEYS.label("no")
        number = self.about.number
        return ask(f"Take message {number} back where it is not too late? {yes}: yes  {no}: no")


class SentMessages(Screen):
    """The list, newest first."""

    name = "sent messages"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._question = TakeBack(desk)
        self._rows: tuple[Sent, ...] = ()
        self._list = ListView()
        self._wanted = PORTION_ROWS
        self._stale = True

    @property
    def keys(self) -> KeyTable:
        """Those of the question while it is open."""
        return KEYS if self._question.about is None else RECALL_KEYS

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
        command = self.keys.command(key)
        if command is None:
            return Done.IGNORED
        if self._question.about is not None:
            return self._question.handle(command)
        if self._list.handle(command):
            self._read_on()
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        if command == "open" and self._rows:
            return Open(Life(self._desk, self._rows[self._list.cursor].message_id))
        if command == "recall" and self._rows:
            self._question.begin(self._rows[self._list.cursor])
        return Done.HANDLED if command in {"open", "recall"} else Done.IGNORED

    def select(self, place: int) -> bool:
        """See Screen."""
        self._freshen()
        return go_to(self._list, place, len(self._rows))

    def view(self, room: Room) -> View:
        """One row a message; in the last row the selected one in a sentence."""
        self._freshen()
        blocks: list[Block] = [Gap(), said("You have not sent anything yet.")]
        is_part = len(self._rows) == self._wanted
        if self._rows:
            rows = self._table(room)
            selected = self._rows[self._list.cursor]
            summary = safe_line(sent_summary(selected))
            blocks = [rows, Fill(), Foot(summary, rows.position)]
        more = " or more" if is_part else ""
        right = f"{plural(len(self._rows), 'message')}{more}" if self._rows else ""
        return view(
            self._desk,
            self.name,
            "Sent messages",
            blocks,
            self.keys,
            right=right,
            question=self._question.prompt(),
        )

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

    def _table(self, room: Room) -> Table:
        now_ms, times = self._desk.now_ms(), self._desk.times

        def row_at(place: int) -> Row:
            return sent_row(self._rows[place], room.columns, times, now_ms)

        total = len(self._rows)
        return table(
            "sent",
            sent_columns(room.columns),
            self._list,
            room.list_rows(2),
            total,
            row_at,
            more=total == self._wanted,
        )


class Life(Screen):
    """One message from writing to its last recipient, with times."""

    name = "a sent message"

    def __init__(self, desk: Desk, message_id: bytes) -> None:
        self._desk = desk
        self._question = TakeBack(desk)
        self._message_id = message_id
        self._scroll = ScrollView()

    @property
    def keys(self) -> KeyTable:
        """Those of the question while it is open."""
        return LIFE_KEYS if self._question.about is None else RECALL_KEYS

    def handle(self, key: KeyEvent) -> Outcome:
        """Scrolling, and taking back."""
        command = self.keys.command(key)
        if command is not None and self._question.about is not None:
            return self._question.handle(command)
        sent = self._desk.sent_one(self._message_id) if command == "recall" else None
        if sent is not None:
            self._question.begin(sent)
            return Done.HANDLED
        if command is not None and self._scroll.handle(command):
            return Done.HANDLED
        return Done.LEAVE if command == "leave" else Done.IGNORED

    def view(self, room: Room) -> View:
        """Facts, recipients, text."""
        sent = self._desk.sent_one(self._message_id)
        if sent is None:
            gone: list[Block] = [Gap(), said("This message is no longer in the outbox.")]
            return view(self._desk, self.name, "A sent message", gone, LIFE_KEYS)
        blocks: list[Block] = [*self._facts(sent), Rule(), *self._recipients(sent, room.columns)]
        blocks.append(Gap())
        blocks.append(Text(tuple(body_lines(sent.body, room.columns - GUTTER_COLUMNS))))
        title = f"Sent message {sent.number}"
        scrolled = [Scrolled(tuple(blocks), self._scroll)]
        question = self._question.prompt()
        return view(self._desk, self.name, title, scrolled, self.keys, question=question)

    def _facts(self, sent: Sent) -> list[Block]:
        times = self._desk.times
        facts = [Fact("To", names_of(sent)), Fact("Written", times.full(sent.composed_at_ms))]
        if sent.accepted_at_ms is not None:
            took = after(sent.composed_at_ms, sent.accepted_at_ms)
            words = f"{times.full(sent.accepted_at_ms)} by the server, {took}"
            facts.append(Fact("Accepted", Safe(words)))
        if sent.state is SendState.UNSENT:
            tries = plural(sent.attempts, "try", "tries")
            words = f"It goes by itself; {tries} so far."
            if sent.retry_at_ms is not None:
                at = times.stamp(sent.retry_at_ms, self._desk.now_ms())
                why = trouble(sent.code or 0).capitalize()
                words = f"{why}: it is tried again at {at}; {tries} so far."
            facts.append(Fact("Unsent", Safe(words)))
        elif sent.state is SendState.FAILED:
            facts.append(Fact("Failed", safe_line(failure(sent))))
        else:
            facts.append(Fact("State", safe_line(sent_summary(sent))))
        if sent.recall is not None:
            asked = times.full(sent.recall.asked_at_ms)
            facts.append(Fact("Recall", safe_line(f"{asked}: {recall_summary(sent)}")))
        return list(facts)

    def _recipients(self, sent: Sent, columns: int) -> list[Block]:
        width = max(_NAME_COLUMNS_MIN, min(_NAME_COLUMNS_MAX, columns - _OTHER_COLUMNS))
        heads = (
            Column("recipient", "", width),
            Column("state", "", _STATE_COLUMNS, before=": "),
            Column("when", ""),
        )
        rows = tuple(self._fate_row(sent, one, width) for one in sent.fates)
        blocks: list[Block] = [
            Table(
                "recipients",
                heads,
                rows,
                total=len(rows),
                has_heads=False,
                is_numbered=False,
                has_marker=False,
                indent=1,
            )
        ]
        pending = (FateState.WAITING, FateState.HANDED_OUT)
        unknown = sent.waiting - sum(one.state in pending for one in sent.fates)
        if sent.everyone and unknown > 0:
            words = f"{plural(unknown, 'other user has', 'other users have')} not received it yet"
            blocks.append(Foot(Safe(words)))
        return blocks

    def _fate_row(self, sent: Sent, one: Fate, width: int) -> Row:
        when = Safe("")
        if one.at_ms is not None:
            took = after(sent.accepted_at_ms or sent.composed_at_ms, one.at_ms)
            stamp = self._desk.times.stamp(one.at_ms, self._desk.now_ms())
            when = Safe(f"{stamp}, {took}")
        words = fate(one.state) if sent.state is SendState.PENDING else ""
        style = Style.GREEN if one.state is FateState.DELIVERED else Style.NORMAL
        name = Cell(safe_line(one.recipient, width), words=safe_line(one.recipient))
        return Row(one.recipient, (name, Cell(Safe(words), style), Cell(when)))
