"""What was begun and not sent, and what was sent but could not go yet.

Must never throw anything away without asking. A draft opens in the composer; what is unsent or has
failed can be looked at, and a failed one be given another try.
"""

from dataclasses import dataclass
from typing import Final

from msgc.screens.composer import Composer
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
from msgc.screens.sent import Life
from msgc.states import SendState
from msgc.values import Draft, Sent
from msgc.view import (
    Block,
    Cell,
    Fill,
    Foot,
    Gap,
    Room,
    Row,
    Table,
    View,
    ask,
    go_to,
    said,
    table,
    view,
)
from msgc.view_messages import name_cell, one_line, sent_columns, to_words
from msgc.view_news import FateChanged, News
from msgc.view_text import plural
from msgc.view_values import Target
from msgc.words import failure
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.safe import Safe, safe_line

ROWS_MAX: Final = 1_000

KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "open", "Go on with a draft; see why a message has not gone", "open"),
        Binding(("S",), "again", "Give a message that failed another try", "send again"),
        Binding(("D",), "discard", "Throw away a draft or a failed message; asks first", "discard"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)
QUESTION_KEYS: Final = KeyTable(
    [
        Binding(("y",), "yes", "Throw it away", "throw away"),
        Binding(("n", "Esc", "Enter"), "no", "Keep it", "keep"),
    ],
    inherits=TYPING_KEYS,
)


@dataclass(frozen=True, slots=True)
class _Entry:
    at_ms: int
    to: str
    state: str
    body: str
    draft: Draft | None
    sent: Sent | None


class Drafts(Screen):
    """Drafts first, then what is unsent, then what failed."""

    name = "drafts and unsent"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: tuple[_Entry, ...] = ()
        self._list = ListView()
        self._asks_to_discard = False
        self._stale = True

    @property
    def keys(self) -> KeyTable:
        """Those of the question while it is open."""
        return QUESTION_KEYS if self._asks_to_discard else KEYS

    def show(self) -> None:
        """A draft may have been sent, or another begun."""
        self._stale = True

    def hear(self, news: News) -> None:
        """It has gone by itself, perhaps."""
        if isinstance(news, FateChanged):
            self.show()

    def handle(self, key: KeyEvent) -> Outcome:
        """A list and a question."""
        self._freshen()
        command = self.keys.command(key)
        if command is None:
            return Done.IGNORED
        if self._asks_to_discard:
            return self._handle_question(command)
        if self._list.handle(command):
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        if command not in {"open", "again", "discard"}:
            return Done.IGNORED
        return self._act(command, self._rows[self._list.cursor]) if self._rows else Done.HANDLED

    def select(self, place: int) -> bool:
        """See Screen."""
        self._freshen()
        return go_to(self._list, place, len(self._rows))

    def view(self, room: Room) -> View:
        """One row each; in the last row why the selected one is still here."""
        self._freshen()
        blocks: list[Block] = [Gap(), said("No drafts, and nothing unsent.")]
        if self._rows:
            rows = self._table(room)
            why = Safe(self._why(self._rows[self._list.cursor]))
            blocks = [rows, Fill(), Foot(why, rows.position)]
        yes, no = QUESTION_KEYS.label("yes"), QUESTION_KEYS.label("no")
        overview = self._desk.overview()
        failed = f", {overview.failed:,} FAILED" if overview.failed else ""
        return view(
            self._desk,
            self.name,
            "Drafts and unsent",
            blocks,
            self.keys,
            right=f"{plural(overview.drafts, 'draft')}, {overview.unsent:,} unsent{failed}",
            question=ask(f"Throw this away for good? {yes}: yes  {no}: no")
            if self._asks_to_discard
            else None,
        )

    def _freshen(self) -> None:
        """Once for all that happened since."""
        if not self._stale:
            return
        self._stale = False
        drafts = [_draft_row(draft) for draft in self._desk.drafts()]
        unsent = [_sent_row(sent) for sent in self._desk.unsent(ROWS_MAX)]
        self._rows = (*drafts, *unsent)
        self._list.set_rows([_identity(row) for row in self._rows])

    def _table(self, room: Room) -> Table:
        now_ms, times = self._desk.now_ms(), self._desk.times

        def row_at(place: int) -> Row:
            entry = self._rows[place]
            return Row(
                _identity(entry),
                (
                    Cell(times.stamp(entry.at_ms, now_ms)),
                    name_cell(entry.to, room.columns),
                    Cell(Safe(entry.state)),
                    Cell(one_line(entry.body)),
                ),
            )

        columns = sent_columns(room.columns)
        height = room.list_rows(2)
        return table("papers", columns, self._list, height, len(self._rows), row_at)

    def _why(self, row: _Entry) -> str:
        if row.sent is None:
            return f"A draft: {KEYS.label('open')} goes on with it."
        if row.sent.state is SendState.FAILED:
            return str(safe_line(failure(row.sent)))
        return "It goes by itself when the server answers."

    def _act(self, command: str, row: _Entry) -> Outcome:
        if command == "open" and row.draft is not None:
            target = Target(row.draft.recipients, row.draft.everyone)
            return Open(Composer(self._desk, target))
        if command == "open" and row.sent is not None:
            return Open(Life(self._desk, row.sent.message_id))
        if command == "discard":
            self._asks_to_discard = True
        elif row.sent is not None and row.sent.state is SendState.FAILED:
            self._desk.send_again(row.sent.message_id)
            self.show()
        else:
            self._desk.say(Safe("Only a message that failed can be sent again."))
        return Done.HANDLED

    def _handle_question(self, command: str) -> Outcome:
        if command not in {"yes", "no"}:
            return Done.IGNORED
        self._asks_to_discard = False
        row = self._rows[self._list.cursor]
        if command == "yes" and row.draft is not None:
            self._desk.keep_draft(Target(row.draft.recipients, row.draft.everyone), "")
        elif command == "yes" and row.sent is not None:
            taken = self._desk.take_back(row.sent.message_id)
            if not taken:
                self._desk.say(Safe("It was on its way: the server may have it, so it stays."))
        self.show()
        return Done.HANDLED


def _draft_row(draft: Draft) -> _Entry:
    to = "all" if draft.everyone else ", ".join(draft.recipients)
    return _Entry(draft.saved_at_ms, to, "draft", draft.body, draft, None)


def _sent_row(sent: Sent) -> _Entry:
    state = "FAILED" if sent.state is SendState.FAILED else "unsent"
    return _Entry(sent.composed_at_ms, to_words(sent), state, sent.body, None, sent)


def _identity(row: _Entry) -> tuple[str, str | bytes]:
    if row.draft is not None:
        return ("draft", row.draft.purpose)
    assert row.sent is not None
    return ("sent", row.sent.message_id)
