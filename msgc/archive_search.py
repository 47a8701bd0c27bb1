"""Full-text search over what was received and sent: SQLite's FTS5, or LIKE where that is missing.

Rows of the word index are numbered 2n for received message n and 2n+1 for outbox row n.

Must never let the text that a person typed act as a query language: each word is quoted.
Fails with ArchiveError.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from msgc.archive_database import Database, Value
from msgc.limits import SEARCH_CHARACTERS_MAX

ALL_NAMES = "all everyone"
"""What a message to everyone is found by."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is looked for besides words; None: whatever it be.

    `own`: messages of one's own, or received ones. `sender`: of received ones. `recipient`: of
    one's own, named or heard of. Times: from `since_ms` on, before `until_ms`.
    """

    own: bool | None = None
    sender: str | None = None
    recipient: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


EVERYTHING: Final = Narrowing()
_Condition = tuple[str, tuple[Value, ...]]
_ROWS: Final = (
    "SELECT row_number / 2, row_number % 2, at_ms FROM ("
    "SELECT 2 * number AS row_number, received_at_ms AS at_ms, body, sender AS names "
    "FROM received UNION ALL SELECT 2 * sequence + 1, composed_at_ms, body, "
    "coalesce((SELECT group_concat(recipient, ' ') FROM fates "
    "WHERE fates.message_id = outbox.message_id), '') FROM outbox) "
)


class Search:
    """Keeps the word index beside the tables. Its writers run inside their callers' transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_received(self, number: int, body: str, sender: str) -> None:
        """Index a received message."""
        self._add(2 * number, body, sender)

    def add_sent(self, sequence: int, body: str, recipients: tuple[str, ...]) -> None:
        """Index a message of one's own."""
        self._add(2 * sequence + 1, body, " ".join(recipients) or ALL_NAMES)

    def drop_sent(self, sequence: int, body: str, recipients: tuple[str, ...]) -> None:
        """Forget one. The index keeps no text, so it must be told what it was."""
        if self._database.has_search:
            self._database.run(
                "INSERT INTO words (words, rowid, body, names) VALUES ('delete', ?, ?, ?)",
                (2 * sequence + 1, body, " ".join(recipients) or ALL_NAMES),
            )

    def find(
        self, query: str, limit: int, offset: int, narrowing: Narrowing = EVERYTHING
    ) -> list[tuple[int, bool, int]]:
        """(row, whether it is one's own, its time), the newest first; "" finds everything."""
        narrow = _narrow(narrowing)
        page = "ORDER BY at_ms DESC, row_number DESC LIMIT ? OFFSET ?"
        found: list[tuple[int, bool, int]] = []
        for text, values in self._conditions(query):
            sql, all_values = _where((text, values), narrow)
            rows = self._database.all(f"{_ROWS}{sql}{page}", (*all_values, limit, offset))
            found = [(row[0], bool(row[1]), row[2]) for row in rows]
            if found or offset:
                break
        return found

    def each(self, query: str, narrowing: Narrowing) -> Generator[tuple[int, bool], None, None]:
        """(row, whether it is one's own), the oldest first, as all stood at the beginning."""
        narrow = _narrow(narrowing)
        for text, values in self._conditions(query):
            sql, all_values = _where((text, values), narrow)
            rows = self._database.each(f"{_ROWS}{sql}ORDER BY at_ms, row_number", all_values)
            first = next(rows, None)
            if first is not None:
                yield first[0], bool(first[1])
                yield from ((row[0], bool(row[1])) for row in rows)
                return

    def count(self, query: str, narrowing: Narrowing) -> int:
        """How many `each` would give."""
        narrow = _narrow(narrowing)
        for text, values in self._conditions(query):
            sql, all_values = _where((text, values), narrow)
            row = self._database.one(f"SELECT count(*) FROM ({_ROWS}{sql})", all_values)  # noqa: S608 conditions are ours
            if row is not None and row[0]:
                return int(row[0])
        return 0

    def _conditions(self, query: str) -> Iterator[_Condition]:
        """How to look for it: by words first; if that finds nothing, as it stands."""
        query = query.replace("\0", " ")[:SEARCH_CHARACTERS_MAX].strip()
        words = query.split()
        if not words:
            yield "", ()
            return
        if self._database.has_search:
            match = " ".join(f'"{word.replace(chr(34), chr(34) * 2)}"*' for word in words)
            yield "row_number IN (SELECT rowid FROM words WHERE words MATCH ?)", (match,)
        # Parts of words, and scripts that put no spaces between words, are found only this way.
        escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        yield "(body LIKE ? ESCAPE '\\' OR names LIKE ? ESCAPE '\\')", (pattern, pattern)

    def _add(self, row_number: int, body: str, names: str) -> None:
        if self._database.has_search:
            self._database.run(
                "INSERT INTO words (rowid, body, names) VALUES (?, ?, ?)", (row_number, body, names)
            )


def _narrow(narrowing: Narrowing) -> tuple[_Condition, ...]:
    conditions: list[_Condition] = []
    if narrowing.own is not None:
        conditions.append(("row_number % 2 = ?", (int(narrowing.own),)))
    if narrowing.sender is not None:
        conditions.append(("row_number % 2 = 0 AND names = ?", (narrowing.sender,)))
    if narrowing.recipient is not None:
        conditions.append(
            (
                "row_number % 2 = 1 AND instr(' ' || names || ' ', ?)",
                (f" {narrowing.recipient} ",),
            )
        )
    if narrowing.since_ms is not None:
        conditions.append(("at_ms >= ?", (narrowing.since_ms,)))
    if narrowing.until_ms is not None:
        conditions.append(("at_ms < ?", (narrowing.until_ms,)))
    return tuple(conditions)


def _where(found: _Condition, narrow: tuple[_Condition, ...]) -> _Condition:
    conditions = [condition for condition in (found, *narrow) if condition[0]]
    sql = "WHERE " + " AND ".join(text for text, _ in conditions) + " " if conditions else ""
    return sql, tuple(value for _, values in conditions for value in values)
