"""Drafts, one for each purpose, and the person's settings for this profile.

Must never drop a draft but by `drop` or by composing the message that it became.
Fails with ArchiveError; then nothing has changed.
"""

from collections.abc import Callable

from msgc.archive_database import Database, Row
from msgc.values import Draft


class Drafts:
    """See the module's text. Made by `Archive`."""

    def __init__(self, database: Database, wall_ms: Callable[[], int]) -> None:
        self._database = database
        self._wall_ms = wall_ms

    def save(self, purpose: str, recipients: tuple[str, ...], everyone: bool, body: str) -> None:
        """Keep this as the draft of that purpose."""
        with self._database.change():
            self._database.run(
                "INSERT OR REPLACE INTO drafts (purpose, recipients, everyone, body, saved_at_ms) "
                "VALUES (?, ?, ?, ?, ?)",
                # Names hold no spaces, so a space between them is enough.
                (purpose, " ".join(recipients), int(everyone), body, self._wall_ms()),
            )

    def get(self, purpose: str) -> Draft | None:
        """The draft of that purpose."""
        row = self._database.one(
            "SELECT purpose, recipients, everyone, body, saved_at_ms FROM drafts WHERE purpose = ?",
            (purpose,),
        )
        return None if row is None else _draft(row)

    def drop(self, purpose: str) -> None:
        """Forget it."""
        with self._database.change():
            self._database.run("DELETE FROM drafts WHERE purpose = ?", (purpose,))

    def all(self, limit: int) -> tuple[Draft, ...]:
        """The newest first."""
        rows = self._database.all(
            "SELECT purpose, recipients, everyone, body, saved_at_ms FROM drafts "
            "ORDER BY saved_at_ms DESC, purpose LIMIT ?",
            (limit,),
        )
        return tuple(_draft(row) for row in rows)

    def count(self) -> int:
        """How many there are."""
        row = self._database.one("SELECT count(*) FROM drafts")
        assert row is not None
        return int(row[0])


class Preferences:
    """Settings of this profile, as texts. Made by `Archive`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """The value, or None when it was never set."""
        row = self._database.one("SELECT value FROM settings WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Keep a value."""
        with self._database.change():
            self._database.run(
                "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", (key, value)
            )


def _draft(row: Row) -> Draft:
    return Draft(row[0], tuple(row[1].split()), bool(row[2]), row[3], row[4])
