"""Wishes to take a message back: kept until the server has answered, and then what it answered.

A wish is on the disk before the server is asked, and stays open until the answer is; so it is asked
again after a lost connection, and by the next msgc of this user.

Must never say that a message is taken back before the server did, unless no byte of it was ever
sent. Fails with ArchiveError; then nothing has changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgc.archive_database import Database
from msgc.archive_outbox import Outbox
from msgc.states import FateState, SendState
from msgc.values import Sent

_OPEN: Final = 1
_ANSWERED: Final = 2
_UNDECIDED: Final = (FateState.WAITING, FateState.UNKNOWN, FateState.HANDED_OUT)


@dataclass(frozen=True, slots=True)
class RecallAnswer:
    """What MESSAGE_RECALLED said. `rest`: all of a message to everyone but those handed out."""

    rest: bool
    recalled: tuple[str, ...]
    handed_out: tuple[str, ...]
    is_final: bool


class Recalls:
    """See the module's text. Made by `Archive`."""

    def __init__(self, database: Database, outbox: Outbox, wall_ms: Callable[[], int]) -> None:
        self._database = database
        self._outbox = outbox
        self._wall_ms = wall_ms

    def ask(self, message_id: bytes, taken_back: int) -> Sent | None:
        """The user wants it back. None when there is no such message.

        What was never put on the wire is FAILED with the code `taken_back` at once; what FAILED or
        has nobody left to take it from stays as it is; for the rest the server is asked.
        """
        database = self._database
        with database.change():
            sent = self._outbox.get(message_id)
            if sent is None:
                return None
            if sent.state is SendState.UNSENT and not sent.attempts:
                self._outbox.record_refused(message_id, taken_back, "")
            elif sent.can_recall:
                database.run(
                    "UPDATE outbox SET recall_state = ?, recall_asked_at_ms = ?, "
                    "recall_code = NULL WHERE message_id = ?",
                    (_OPEN, self._wall_ms(), message_id),
                )
        return self._outbox.get(message_id)

    def open_ids(self, limit: int) -> tuple[bytes, ...]:
        """The oldest messages of which the server is to be asked."""
        rows = self._database.all(
            "SELECT message_id FROM outbox WHERE recall_state = 1 ORDER BY sequence LIMIT ?",
            (limit,),
        )
        return tuple(row[0] for row in rows)

    def record_answer(self, message_id: bytes, answer: RecallAnswer) -> None:
        """MESSAGE_RECALLED came; so the message had been accepted, whatever is believed here."""
        database = self._database
        now_ms = self._wall_ms()
        with database.change():
            self._outbox.record_accepted(message_id, None, None)
            for name in answer.recalled:
                self._decide(message_id, name, FateState.RECALLED, now_ms)
            for name in answer.handed_out:
                self._decide(message_id, name, FateState.HANDED_OUT, None)
            database.run(
                "UPDATE outbox SET recall_state = ?, recall_answered_at_ms = ?, "
                "recall_code = NULL, recall_rest = max(recall_rest, ?) WHERE message_id = ?",
                (_ANSWERED if answer.is_final else _OPEN, now_ms, int(answer.rest), message_id),
            )
            self._outbox.refresh_settled(message_id)

    def record_unknown(self, message_id: bytes, taken_back: int) -> bool:
        """The server never accepted it: it is not sent any more. False when it was known to be."""
        with self._database.change():
            self.record_refused(message_id, None)
            return self._outbox.record_refused(message_id, taken_back, "")

    def record_refused(self, message_id: bytes, code: int | None) -> None:
        """The server will not do it; asking again by oneself is of no use."""
        with self._database.change():
            self._database.run(
                "UPDATE outbox SET recall_state = ?, recall_answered_at_ms = ?, recall_code = ? "
                "WHERE message_id = ?",
                (_ANSWERED, self._wall_ms(), code, message_id),
            )

    def _decide(
        self, message_id: bytes, recipient: str, state: FateState, at_ms: int | None
    ) -> None:
        self._database.run(
            "INSERT INTO fates (message_id, recipient, state, at_ms) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (message_id, recipient) DO UPDATE "
            "SET state = excluded.state, at_ms = excluded.at_ms WHERE state IN (?, ?, ?)",
            (message_id, recipient, state, at_ms, *_UNDECIDED),
        )
