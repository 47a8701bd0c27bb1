"""The outbox: one's own messages, from the moment they are composed, and what became of them.

A message is on the disk here before a byte of it goes to the server, and stays UNSENT until the
server has answered; so it is sent again, under the same id, as often as needed.

Must never use a message id twice, nor let an answer or an outcome that comes twice count twice.
Fails with ArchiveError; then nothing has changed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from msgc.archive_database import Database, Row
from msgc.archive_search import Search
from msgc.states import FateState, SendState
from msgc.values import Fate, OutboxCounts, Recall, Sent

_SELECT: Final = (
    "SELECT message_id, everyone, body, composed_at_ms, state, attempts, code, text, "
    "accepted_count, accepted_at_ms, recall_state, recall_asked_at_ms, recall_answered_at_ms, "
    "recall_code, recall_rest, retry_at_ms, sequence FROM outbox "
)
_FATES: Final = (
    "SELECT recipient, state, at_ms, position, refused, message_id FROM fates "
    "WHERE message_id {} ORDER BY message_id, position IS NULL, position, recipient"
)
_FATES_OF_ONE: Final = _FATES.format("= ?")
_FATES_BETWEEN: Final = _FATES.format(
    "IN (SELECT message_id FROM outbox WHERE sequence BETWEEN ? AND ?)"
)
_SETTLED: Final = (
    "(2 - EXISTS (SELECT 1 FROM fates WHERE fates.message_id = outbox.message_id "
    "AND fates.state = 2)) * ("
    "NOT (everyone AND accepted_count IS NULL) AND (SELECT CASE WHEN recall_rest THEN count(*) "
    "ELSE max(coalesce(accepted_count, 0), coalesce(nullif(count(position), 0), count(*))) END "
    "<= count(nullif(nullif(state, ?), ?)) "
    "FROM fates WHERE fates.message_id = outbox.message_id))"
)
"""0 while somebody waits, 1 when it is over, 2 when it is over and nobody has it.

As Sent.waiting counts, without making one: asked for each answer. Takes FateState.WAITING and
HANDED_OUT; the 2 in it is DELIVERED."""
# Plain numbers, for SQLite asks an adapter what each member of an enumeration is.
_UNSENT: Final = int(SendState.UNSENT)
_PENDING: Final = int(SendState.PENDING)
_FAILED: Final = int(SendState.FAILED)
_WAITING: Final = int(FateState.WAITING)
_UNKNOWN: Final = int(FateState.UNKNOWN)
_HANDED_OUT: Final = int(FateState.HANDED_OUT)
_SEND_STATES: Final = {int(state): state for state in SendState}
_FATE_STATES: Final = {int(state): state for state in FateState}
_INSTALLATION: Final = "installation"
_COUNTER: Final = "counter"
COUNTER_LEAP: Final = 1_000_000
"""How far the counter jumps when the server already knew an id: past all that may be used."""


@dataclass(frozen=True, slots=True)
class Content:
    """What goes on the wire of a message, and how often it was put there already."""

    body: str
    recipients: tuple[str, ...]
    everyone: bool
    attempts: int


class Outbox:
    """See the module's text. Made by `Archive`."""

    def __init__(self, database: Database, search: Search, wall_ms: Callable[[], int]) -> None:
        self._database = database
        self._search = search
        self._wall_ms = wall_ms

    # ----- composing ----------------------------------------------------------------------

    def compose(
        self, recipients: tuple[str, ...], everyone: bool, body: str, draft: str | None = None
    ) -> Sent:
        """Keep a new message, UNSENT; the draft of that purpose is dropped in the same commit."""
        database = self._database
        unique = () if everyone else tuple(dict.fromkeys(recipients))
        composed_at_ms = self._wall_ms()
        with database.change():
            message_id = self._next_message_id()
            sequence = database.insert(
                "INSERT INTO outbox (message_id, everyone, body, composed_at_ms, state) "
                "VALUES (?, ?, ?, ?, ?)",
                (message_id, int(everyone), body, composed_at_ms, _UNSENT),
            )
            database.run_each(
                "INSERT INTO fates (message_id, recipient, position, state) VALUES (?, ?, ?, ?)",
                [(message_id, name, place, _WAITING) for place, name in enumerate(unique)],
            )
            assert sequence is not None
            self._search.add_sent(sequence, body, unique)
            if draft is not None:
                database.run("DELETE FROM drafts WHERE purpose = ?", (draft,))
        fates = tuple([Fate(name, FateState.WAITING) for name in unique])
        state = SendState.UNSENT
        return Sent(message_id, unique, everyone, body, composed_at_ms, state, fates=fates)

    def send_again(self, message_id: bytes) -> Sent | None:
        """A new message with the text and recipients of one that FAILED, which it replaces.

        None when there is no such failed message.
        """
        with self._database.change():
            sent = self.get(message_id)
            if sent is None or sent.state is not SendState.FAILED:
                return None
            self.remove(message_id)
            return self.compose(sent.recipients, sent.everyone, sent.body)

    def remove(self, message_id: bytes) -> bool:
        """Take back what was never put on the wire, or forget what FAILED. Else False."""
        database = self._database
        with database.change():
            row = database.one(
                "SELECT sequence FROM outbox WHERE message_id = ? "
                "AND (state = ? OR (state = ? AND attempts = 0))",
                (message_id, _FAILED, _UNSENT),
            )
            sent = None if row is None else self.get(message_id)
            if row is None or sent is None:
                return False
            self._search.drop_sent(row[0], sent.body, sent.recipients)
            database.run("DELETE FROM outbox WHERE sequence = ?", (row[0],))
            database.run("DELETE FROM fates WHERE message_id = ?", (message_id,))
        return True

    # ----- the link's side ----------------------------------------------------------------

    def unsent_ids(self, limit: int) -> tuple[bytes, ...]:
        """The oldest messages that the server has not answered, in the order of composing.

        Not those that are to be taken back: the server is asked about them, and that is all.
        """
        rows = self._database.all(
            "SELECT message_id FROM outbox WHERE state = ? AND settled = 0 AND recall_state != 1 "
            "ORDER BY sequence LIMIT ?",
            (_UNSENT, limit),
        )
        return tuple(row[0] for row in rows)

    def mark_attempts(self, message_ids: Iterable[bytes]) -> set[bytes]:
        """These are about to be put on the wire. Committed before they are.

        Gives those that still may be: another process may have taken one back meanwhile.
        """
        with self._database.change():
            return {
                message_id
                for message_id in message_ids
                if self._database.run(
                    "UPDATE outbox SET attempts = attempts + 1 "
                    "WHERE message_id = ? AND state = ? AND recall_state != 1",
                    (message_id, _UNSENT),
                )
            }

    def record_postponed(self, message_id: bytes, code: int, text: str, delay_ms: int) -> int:
        """The server cannot take it for now: it stays UNSENT, and goes again by itself.

        Gives when, by the wall clock.
        """
        at_ms = self._wall_ms() + delay_ms
        with self._database.change():
            self._database.run(
                "UPDATE outbox SET code = ?, text = ?, retry_at_ms = ? "
                "WHERE message_id = ? AND state = ?",
                (code, text, at_ms, message_id, _UNSENT),
            )
        return at_ms

    def record_accepted(self, message_id: bytes, count: int | None, at_ms: int | None) -> bool:
        """MESSAGE_PENDING came. False when that was known already."""
        with self._database.change():
            changed = self._database.run(
                "UPDATE outbox SET state = ?, code = NULL, text = NULL, "
                "accepted_count = coalesce(?, accepted_count), "
                "accepted_at_ms = coalesce(?, accepted_at_ms) "
                "WHERE message_id = ? AND state != ?",
                (_PENDING, count, at_ms, message_id, _PENDING),
            )
            if not changed:
                # An outcome may have told it before; the numbers are news all the same.
                self._database.run(
                    "UPDATE outbox SET accepted_count = coalesce(accepted_count, ?), "
                    "accepted_at_ms = coalesce(accepted_at_ms, ?) WHERE message_id = ?",
                    (count, at_ms, message_id),
                )
            self.refresh_settled(message_id)
        return bool(changed)

    def record_refused(
        self, message_id: bytes, code: int, text: str, recipients: tuple[str, ...] = ()
    ) -> bool:
        """It will not be sent. False when it had left UNSENT already."""
        with self._database.change():
            changed = self._database.run(
                "UPDATE outbox SET state = ?, code = ?, text = ? "
                "WHERE message_id = ? AND state = ?",
                (_FAILED, code, text, message_id, _UNSENT),
            )
            for name in recipients if changed else ():
                self._database.run(
                    "UPDATE fates SET refused = 1 WHERE message_id = ? AND recipient = ?",
                    (message_id, name),
                )
        return bool(changed)

    def record_outcome(
        self, message_id: bytes, recipient: str, state: FateState, at_ms: int | None
    ) -> bool:
        """What became of it at one recipient. False when that was known already."""
        database = self._database
        with database.change():
            news = database.run(
                "INSERT INTO fates (message_id, recipient, state, at_ms) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (message_id, recipient) DO UPDATE "
                "SET state = excluded.state, at_ms = excluded.at_ms WHERE state IN (?, ?, ?)",
                (message_id, recipient, int(state), at_ms, _WAITING, _UNKNOWN, _HANDED_OUT),
            )
            # An outcome proves that the message was accepted, whatever else is believed here.
            database.run(
                f"UPDATE outbox SET state = ?, code = NULL, text = NULL, settled = {_SETTLED} "  # noqa: S608 the words are ours
                "WHERE message_id = ?",
                (_PENDING, _WAITING, _HANDED_OUT, message_id),
            )
        return bool(news)

    def leap(self) -> None:
        """Ids were used by another copy of this archive: go on well past them."""
        with self._database.change():
            self._set_counter(self._counter() + COUNTER_LEAP)

    def give_up_answers(self, code: int) -> tuple[bytes, ...]:
        """The account that sent is gone: what it was asked and what it waited for is unknown.

        What was never put on the wire stays UNSENT. Gives the ids of those that FAILED by it.
        """
        database = self._database
        with database.change():
            rows = database.all(
                "SELECT message_id FROM outbox WHERE state = ? AND attempts > 0 ORDER BY sequence",
                (_UNSENT,),
            )
            database.run(
                "UPDATE outbox SET state = ?, code = ?, text = '' WHERE state = ? AND attempts > 0",
                (_FAILED, code, _UNSENT),
            )
            database.run(
                "UPDATE fates SET state = ? WHERE state IN (?, ?) AND message_id IN "
                "(SELECT message_id FROM outbox WHERE state = ? AND NOT settled)",
                (_UNKNOWN, _WAITING, _HANDED_OUT, _PENDING),
            )
            database.run("UPDATE outbox SET settled = 1 WHERE state = ?", (_PENDING,))
            database.run("UPDATE outbox SET recall_state = 2 WHERE recall_state = 1")
        return tuple(row[0] for row in rows)

    # ----- reading ------------------------------------------------------------------------

    def get(self, message_id: bytes) -> Sent | None:
        """One message."""
        row = self._database.one(_SELECT + "WHERE message_id = ?", (message_id,))
        return None if row is None else self._sent(row)

    def content(self, message_id: bytes) -> Content | None:
        """What goes on the wire of one message; `get` also reads what became of it."""
        row = self._database.one(
            "SELECT everyone, body, attempts FROM outbox WHERE message_id = ?", (message_id,)
        )
        if row is None:
            return None
        names: list[Row] = []
        if not row[0]:
            names = self._database.all(
                "SELECT recipient FROM fates WHERE message_id = ? AND position IS NOT NULL "
                "ORDER BY position",
                (message_id,),
            )
        return Content(row[1], tuple([name[0] for name in names]), bool(row[0]), row[2])

    def by_sequence(self, sequence: int) -> Sent | None:
        """One message by its row, for the history."""
        row = self._database.one(_SELECT + "WHERE sequence = ?", (sequence,))
        return None if row is None else self._sent(row)

    def find(self, label: str) -> Sent | None:
        """One message by what people call it: its short number, or its id in hex."""
        if label.isascii() and label.isdigit() and len(label) < 19:
            row = self._database.one(
                _SELECT + "WHERE substr(message_id, 9) = ? ORDER BY sequence DESC LIMIT 1",
                (int(label).to_bytes(8, "big"),),
            )
        else:
            row = self._database.one(_SELECT + "WHERE hex(message_id) = upper(?)", (label,))
        return None if row is None else self._sent(row)

    def recent(self, limit: int, offset: int = 0) -> tuple[Sent, ...]:
        """The newest first, all states."""
        rows = self._database.all(
            _SELECT + "ORDER BY sequence DESC LIMIT ? OFFSET ?",
            (limit, offset),
        )
        if not rows:
            return ()
        fates: dict[bytes, list[Row]] = {row[0]: [] for row in rows}
        # All of theirs at once: a list of the youngest is all there are between the first and last.
        for fate in self._database.all(_FATES_BETWEEN, (rows[-1][16], rows[0][16])):
            fates[fate[5]].append(fate)
        return tuple([_sent(row, fates[row[0]]) for row in rows])

    def in_state(self, state: SendState, limit: int) -> tuple[Sent, ...]:
        """The oldest first, of one state."""
        rows = self._database.all(
            _SELECT + "WHERE state = ? ORDER BY sequence LIMIT ?",
            (state, limit),
        )
        return tuple(self._sent(row) for row in rows)

    def counts(self) -> OutboxCounts:
        """How many stand where."""
        rows = self._database.all("SELECT state, settled, count(*) FROM outbox GROUP BY 1, 2")
        by_state: dict[tuple[int, int], int] = {(row[0], row[1]): row[2] for row in rows}
        return OutboxCounts(
            unsent=by_state.get((SendState.UNSENT, 0), 0),
            waiting=by_state.get((SendState.PENDING, 0), 0),
            delivered=by_state.get((SendState.PENDING, 1), 0),
            failed=by_state.get((SendState.FAILED, 0), 0),
        )

    def _sent(self, row: Row) -> Sent:
        return _sent(row, self._database.all(_FATES_OF_ONE, (row[0],)))

    # ----- ids ----------------------------------------------------------------------------

    def _next_message_id(self) -> bytes:
        row = self._database.one(
            "SELECT (SELECT value FROM facts WHERE key = ?), "
            "(SELECT value FROM facts WHERE key = ?)",
            (_INSTALLATION, _COUNTER),
        )
        assert row is not None
        installation: bytes = row[0]
        counter: int = (row[1] or 0) + 1
        self._set_counter(counter)
        return installation + counter.to_bytes(8, "big")

    def _counter(self) -> int:
        row = self._database.one("SELECT value FROM facts WHERE key = ?", (_COUNTER,))
        return 0 if row is None else int(row[0])

    def _set_counter(self, counter: int) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (_COUNTER, counter)
        )

    def refresh_settled(self, message_id: bytes) -> None:
        """Whether nothing more is to be heard of it; kept as a column so that counting is cheap."""
        self._database.run(
            f"UPDATE outbox SET settled = {_SETTLED} WHERE message_id = ? AND state = ?",  # noqa: S608 the words are ours
            (_WAITING, _HANDED_OUT, message_id, _PENDING),
        )


def _sent(row: Row, fates: list[Row]) -> Sent:
    """A message from its row and those of its fates, in their order."""
    return Sent(
        message_id=row[0],
        recipients=tuple([fate[0] for fate in fates if fate[3] is not None]),
        everyone=bool(row[1]),
        body=row[2],
        composed_at_ms=row[3],
        state=_SEND_STATES[row[4]],
        attempts=row[5],
        code=row[6],
        text=row[7],
        refused_recipients=tuple([fate[0] for fate in fates if fate[4]]),
        accepted_count=row[8],
        accepted_at_ms=row[9],
        fates=tuple([Fate(fate[0], _FATE_STATES[fate[1]], fate[2]) for fate in fates]),
        recall=Recall(row[10] == 1, row[11], row[12], row[13], bool(row[14])) if row[10] else None,
        retry_at_ms=row[15] if row[4] == _UNSENT else None,
    )
