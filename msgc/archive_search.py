"""Full-text search over what was received and sent: SQLite's FTS5, or LIKE where that is missing.

Rows of the word index are numbered 2n for received message n and 2n+1 for outbox row n.

Must never let the text that a person typed act as a query language: each word is quoted.
Fails with ArchiveError.
"""

from msgc.archive_database import Database
from msgc.limits import SEARCH_CHARACTERS_MAX

ALL_NAMES = "all everyone"
"""What a message to everyone is found by."""


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

    def find(self, query: str, limit: int, offset: int) -> list[tuple[int, bool, int]]:
        """(row, whether it is one's own, its time), the newest first; "" finds everything."""
        query = query.replace("\0", " ")[:SEARCH_CHARACTERS_MAX].strip()
        words = query.split()
        page = (limit, offset)
        if not words:
            return self._pick("", (), page)
        if self._database.has_search:
            match = " ".join(f'"{word.replace(chr(34), chr(34) * 2)}"*' for word in words)
            found = self._pick(
                "WHERE row_number IN (SELECT rowid FROM words WHERE words MATCH ?)", (match,), page
            )
            if found or offset:
                return found
        # Parts of words, and scripts that put no spaces between words, are found only this way.
        escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        condition = "WHERE body LIKE ? ESCAPE '\\' OR names LIKE ? ESCAPE '\\'"
        return self._pick(condition, (pattern, pattern), page)

    def _add(self, row_number: int, body: str, names: str) -> None:
        if self._database.has_search:
            self._database.run(
                "INSERT INTO words (rowid, body, names) VALUES (?, ?, ?)", (row_number, body, names)
            )

    def _pick(
        self, condition: str, values: tuple[str, ...], page: tuple[int, int]
    ) -> list[tuple[int, bool, int]]:
        rows = self._database.all(
            "SELECT row_number / 2, row_number % 2, at_ms FROM ("  # noqa: S608 conditions are ours
            "SELECT 2 * number AS row_number, received_at_ms AS at_ms, body, sender AS names "
            "FROM received UNION ALL SELECT 2 * sequence + 1, composed_at_ms, body, "
            f"coalesce((SELECT group_concat(recipient, ' ') FROM fates "
            "WHERE fates.message_id = outbox.message_id), '') FROM outbox) "
            f"{condition} ORDER BY at_ms DESC, row_number DESC LIMIT ? OFFSET ?",
            (*values, *page),
        )
        return [(row[0], bool(row[1]), row[2]) for row in rows]
