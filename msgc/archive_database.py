"""The archive's file: opening, the shape of its tables, transactions. The only user of sqlite3.

Must never answer "done" before the disk has it: write-ahead log, synchronous=FULL, one commit for
each promise (sqlite.org/pragma.html#pragma_synchronous).
Fails with ArchiveError, whose text says what to do; the failed change has not happened.
"""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from msgc.archive_error import ArchiveError

Value: TypeAlias = str | bytes | int | None
Row: TypeAlias = Sequence[Any]

SCHEMA_VERSION: Final = 2
BUSY_TIMEOUT_S: Final = 10.0
"""How long to wait for another process of the same user that is writing."""
MEMORY: Final = ":memory:"

_ADDED_IN_2: Final = (
    # The wish to take a message back: 0 none, 1 open, 2 answered; `recall_rest`: everyone's.
    "recall_state INTEGER NOT NULL DEFAULT 0",
    "recall_asked_at_ms INTEGER",
    "recall_answered_at_ms INTEGER",
    "recall_code INTEGER",
    "recall_rest INTEGER NOT NULL DEFAULT 0",
    # When a message that the server could not take for now goes again.
    "retry_at_ms INTEGER",
)
_RECALLS_INDEX: Final = "CREATE INDEX outbox_recalls ON outbox (sequence) WHERE recall_state = 1"
_TABLES: Final = (
    "CREATE TABLE facts (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    f"""CREATE TABLE outbox (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id BLOB NOT NULL UNIQUE,
        everyone INTEGER NOT NULL,
        body TEXT NOT NULL,
        composed_at_ms INTEGER NOT NULL,
        state INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        code INTEGER,
        text TEXT,
        accepted_count INTEGER,
        accepted_at_ms INTEGER,
        settled INTEGER NOT NULL DEFAULT 0,
        {", ".join(_ADDED_IN_2)})""",
    "CREATE INDEX outbox_state ON outbox (state, settled, sequence)",
    _RECALLS_INDEX,
    # Named recipients (position is set) and fates; an outcome may come for a message that this
    # archive does not know (sent from another machine): it is kept all the same.
    """CREATE TABLE fates (
        message_id BLOB NOT NULL,
        recipient TEXT NOT NULL,
        position INTEGER,
        state INTEGER NOT NULL,
        at_ms INTEGER,
        refused INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (message_id, recipient)) WITHOUT ROWID""",
    # The id stands in the key because a server restored from an old copy counts deliveries anew.
    """CREATE TABLE received (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        server_id BLOB NOT NULL,
        delivery INTEGER NOT NULL,
        message_id BLOB NOT NULL,
        sender TEXT NOT NULL,
        received_at_ms INTEGER NOT NULL,
        audience INTEGER NOT NULL,
        audience_count INTEGER NOT NULL,
        body TEXT NOT NULL,
        unread INTEGER NOT NULL,
        stored_at_ms INTEGER NOT NULL,
        UNIQUE (server_id, delivery, message_id))""",
    "CREATE INDEX received_unread ON received (received_at_ms, delivery, number) WHERE unread",
    "CREATE INDEX received_time ON received (received_at_ms, delivery, number)",
    """CREATE TABLE drafts (
        purpose TEXT PRIMARY KEY,
        recipients TEXT NOT NULL,
        everyone INTEGER NOT NULL,
        body TEXT NOT NULL,
        saved_at_ms INTEGER NOT NULL) WITHOUT ROWID""",
)
_FROM_1_TO_2: Final = (
    *(f"ALTER TABLE outbox ADD COLUMN {column}" for column in _ADDED_IN_2),
    _RECALLS_INDEX,
)
_SEARCH_TABLE: Final = (
    "CREATE VIRTUAL TABLE words USING fts5(body, names, content='', "
    "tokenize='unicode61 remove_diacritics 2')"
)


class Database:
    """One open archive file. See the module's text."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._is_changing = False
        self._has_begun = False
        try:
            self._connection = sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None)
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error
        self.one("PRAGMA journal_mode = WAL")
        self.one("PRAGMA synchronous = FULL")
        self._migrate()
        found = self.one("SELECT count(*) FROM sqlite_master WHERE name = 'words'")
        self.has_search = found is not None and found[0] == 1

    def close(self) -> None:
        """Close the file. Changes are on the disk already."""
        self._connection.close()

    def one(self, sql: str, values: Sequence[Value] = ()) -> Row | None:
        """The first row, or None."""
        try:
            row: Row | None = self._execute(sql, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error
        return row

    def all(self, sql: str, values: Sequence[Value] = ()) -> list[Row]:
        """All rows. Who asks sets a LIMIT."""
        try:
            return self._execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def each(self, sql: str, values: Sequence[Value] = ()) -> Generator[Row, None, None]:
        """All rows, one after another, as they stood at the first: for what has no LIMIT."""
        try:
            yield from self._execute(sql, values)
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def run(self, sql: str, values: Sequence[Value] = ()) -> int:
        """Change something; the number of rows changed. Only inside `change`."""
        assert self._is_changing, "a change outside a transaction"
        try:
            return self._execute(sql, values).rowcount
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def run_each(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """The same change with each of these values. Only inside `change`."""
        assert self._is_changing, "a change outside a transaction"
        try:
            self._begin()
            self._connection.executemany(sql, rows)
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error

    def insert(self, sql: str, values: Sequence[Value] = ()) -> int | None:
        """Insert a row; its number, or None when it was there already. Only inside `change`."""
        assert self._is_changing, "a change outside a transaction"
        try:
            cursor = self._execute(sql, values)
        except sqlite3.DatabaseError as error:
            raise self._translated(error) from error
        return cursor.lastrowid if cursor.rowcount == 1 else None

    @contextmanager
    def change(self) -> Iterator[None]:
        """One transaction: all of it is on the disk at the end, or none. Inner ones join it."""
        if self._is_changing:
            yield
            return
        self._is_changing = True
        try:
            yield
            if self._has_begun:
                self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError):
                raise self._translated(error) from error
            raise
        finally:
            self._is_changing = self._has_begun = False

    def _execute(self, sql: str, values: Sequence[Value]) -> sqlite3.Cursor:
        if self._is_changing and not self._has_begun:
            self._begin()
        return self._connection.execute(sql, values)

    def _begin(self) -> None:
        """The first statement of a change begins its transaction, reading or writing.

        So a change in which nothing was looked at costs nothing: most of what a server says (that
        it is there) has no place in the archive.
        """
        if not self._has_begun:
            self._connection.execute("BEGIN IMMEDIATE")
            self._has_begun = True

    def _migrate(self) -> None:
        """Make the tables of a new file; refuse a newer one. Safe against a second process."""
        with self.change():
            row = self.one("PRAGMA user_version")
            version = row[0] if row is not None else 0
            if version > SCHEMA_VERSION:
                raise ArchiveError(
                    f"{self.path} was made by a newer msgc (format {version}, this one knows "
                    f"{SCHEMA_VERSION}). Use the newer msgc; nothing was changed."
                )
            if version == SCHEMA_VERSION:
                return
            if version == 0:
                for statement in _TABLES:
                    self.run(statement)
                if self._can_search():
                    self.run(_SEARCH_TABLE)
            else:
                for statement in _FROM_1_TO_2:
                    self.run(statement)
            self.run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _can_search(self) -> bool:
        """Whether this SQLite was built with FTS5; without it, search is by LIKE."""
        row = self.one("SELECT sqlite_compileoption_used('ENABLE_FTS5')")
        return row is not None and row[0] == 1

    def _translated(self, error: sqlite3.DatabaseError) -> ArchiveError:
        """The same in words for people."""
        if isinstance(error, sqlite3.OperationalError):
            return ArchiveError(
                f"Cannot use the archive {self.path}: {error}. "
                "Look for free space and permissions; nothing was changed."
            )
        return ArchiveError(
            f"The archive {self.path} is damaged: {error}. "
            "Move it away (keep it) and start again; what waits on the server is not lost."
        )
