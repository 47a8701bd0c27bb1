"""The inbox: every message received, with whether it was looked at.

A message is on the disk here before the server is told that it may forget it, and one that comes
again (the confirmation was lost) is known by its delivery and not kept twice.

Must never change or drop what was received.
Fails with ArchiveError; then nothing has changed.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgc.archive_database import Database, Row
from msgc.archive_search import Search
from msgc.values import Arrival, InboxCounts, Received

_SELECT: Final = (
    "SELECT number, sender, received_at_ms, audience, audience_count, body, unread, stored_at_ms, "
    "delivery, message_id FROM received "
)


class Inbox:
    """See the module's text. Made by `Archive`."""

    def __init__(self, database: Database, search: Search, wall_ms: Callable[[], int]) -> None:
        self._database = database
        self._search = search
        self._wall_ms = wall_ms

    def store(self, arrivals: Iterable[Arrival]) -> tuple[Received | None, ...]:
        """Keep these, in one commit. For each: the message, or None when it was here already."""
        with self._database.change():
            return tuple([self._store(arrival) for arrival in arrivals])

    def get(self, number: int) -> Received | None:
        """One message."""
        row = self._database.one(_SELECT + "WHERE number = ?", (number,))
        return None if row is None else _received(row)

    def unread(self, limit: int) -> tuple[Received, ...]:
        """What was not looked at yet, in the order in which the server accepted it.

        That is not always the order of arrival: what waited from before the login comes on demand,
        and may come after a newer message that was pushed.
        """
        rows = self._database.all(
            _SELECT + "WHERE unread ORDER BY received_at_ms, delivery, number LIMIT ?", (limit,)
        )
        return tuple(_received(row) for row in rows)

    def unread_after(self, number: int, limit: int) -> tuple[Received, ...]:
        """What was not looked at yet and came after that one, in the order of arrival."""
        rows = self._database.all(
            _SELECT + "WHERE unread AND number > ? ORDER BY number LIMIT ?", (number, limit)
        )
        return tuple(_received(row) for row in rows)

    def recent(self, limit: int, offset: int = 0) -> tuple[Received, ...]:
        """Read or not, what the server accepted last first."""
        rows = self._database.all(
            _SELECT + "ORDER BY received_at_ms DESC, delivery DESC, number DESC LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return tuple(_received(row) for row in rows)

    def mark_read(self, numbers: Iterable[int]) -> None:
        """A person, or a program for one, has them."""
        with self._database.change():
            for number in numbers:
                self._database.run("UPDATE received SET unread = 0 WHERE number = ?", (number,))

    def mark_unread(self, numbers: Iterable[int]) -> None:
        """The person wants to come back to them."""
        with self._database.change():
            for number in numbers:
                self._database.run("UPDATE received SET unread = 1 WHERE number = ?", (number,))

    def counts(self) -> InboxCounts:
        """How many there are."""
        row = self._database.one(
            "SELECT (SELECT count(*) FROM received WHERE unread), (SELECT count(*) FROM received)"
        )
        assert row is not None
        return InboxCounts(unread=row[0], kept=row[1])

    def _store(self, arrival: Arrival) -> Received | None:
        stored_at_ms = self._wall_ms()
        number = self._database.insert(
            "INSERT OR IGNORE INTO received (server_id, delivery, message_id, sender, "
            "received_at_ms, audience, audience_count, body, unread, stored_at_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
            (
                arrival.server_id,
                arrival.delivery,
                arrival.message_id,
                arrival.sender,
                arrival.received_at_ms,
                arrival.audience,
                arrival.audience_count,
                arrival.body,
                stored_at_ms,
            ),
        )
        if number is None:
            return None
        self._search.add_received(number, arrival.body, arrival.sender)
        return Received(
            number=number,
            sender=arrival.sender,
            received_at_ms=arrival.received_at_ms,
            audience=arrival.audience,
            audience_count=arrival.audience_count,
            body=arrival.body,
            unread=True,
            stored_at_ms=stored_at_ms,
            delivery=arrival.delivery,
            message_id=arrival.message_id,
        )


def _received(row: Row) -> Received:
    return Received(
        number=row[0],
        sender=row[1],
        received_at_ms=row[2],
        audience=row[3],
        audience_count=row[4],
        body=row[5],
        unread=bool(row[6]),
        stored_at_ms=row[7],
        delivery=row[8],
        message_id=row[9],
    )
