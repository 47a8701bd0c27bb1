"""The local archive of one user at one server: outbox, inbox, drafts, settings, in one SQLite file.

    archive.outbox       one's own messages and what became of them    msgc.archive_outbox
    archive.recalls      which of them are to be taken back            msgc.archive_recalls
    archive.inbox        what was received                             msgc.archive_inbox
    archive.drafts       texts begun                                   msgc.archive_drafts
    archive.preferences  the person's settings

Each change is on the disk when its method returns. Several processes may have the archive open;
only the one that holds the profile's lock talks to the server (`msgc.profile`).

Must never lose or double anything when the process ends at any instant.
Fails with ArchiveError, whose text says what to do.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Final

from msgc.archive_database import MEMORY, Database
from msgc.archive_drafts import Drafts, Preferences
from msgc.archive_error import ArchiveError
from msgc.archive_glance import Glance
from msgc.archive_inbox import Inbox
from msgc.archive_outbox import Outbox
from msgc.archive_recalls import Recalls
from msgc.archive_search import EVERYTHING, Narrowing, Search
from msgc.limits import ACCOUNTS_KEPT_MAX
from msgc.values import HistoryEntry, Received, Sent
from wire.limits import INSTALLATION_BYTES

__all__ = ["EVERYTHING", "MEMORY", "Archive", "ArchiveError", "Narrowing"]

_INSTALLATION: Final = "installation"
_SERVER_ID: Final = "server_id"
_ACCOUNT: Final = "account"


class Archive:
    """See the module's text."""

    def __init__(
        self, path: str, wall_ms: Callable[[], int], random_bytes: Callable[[int], bytes]
    ) -> None:
        """Open the archive at `path`, or make it. MEMORY is one that is forgotten.

        `wall_ms` gives milliseconds since 1970 UTC, `random_bytes` so many bytes that nobody else
        has. Raises ArchiveError.
        """
        self._database = Database(path)
        search = Search(self._database)
        self._search = search
        self._glance = Glance(self._database)
        self.outbox = Outbox(self._database, search, wall_ms)
        self.recalls = Recalls(self._database, self.outbox, wall_ms)
        self.inbox = Inbox(self._database, search, wall_ms)
        self.drafts = Drafts(self._database, wall_ms)
        self.preferences = Preferences(self._database)
        self.installation = self._installation(random_bytes)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def change(self) -> AbstractContextManager[None]:
        """Several changes as one commit: `with archive.change(): …`."""
        return self._database.change()

    def begin_session(
        self, server_id: bytes, account: int | None, *, created: bool, code: int
    ) -> tuple[bytes, ...]:
        """The user is logged in, at that server, to the account of this number (None: it does not
        say), which was just `created` or not.

        When it is not the account of before, answers that were still expected will not come:
        messages in doubt become FAILED with `code`. Gives their ids. `created` alone does not tell:
        the answer that said so may have been lost.
        """
        identity = b"" if account is None else account.to_bytes(8, "big")
        with self._database.change():
            known = self._fact(_SERVER_ID)
            self._set_fact(_SERVER_ID, server_id)
            before = self._fact(_ACCOUNT)
            self._set_fact(_ACCOUNT, identity)
            another = bool(before and identity) and before != identity
            if created or another or (known is not None and known != server_id):
                return self.outbox.give_up_answers(code)
        return ()

    def end_account(self, code: int) -> tuple[bytes, ...]:
        """The account was deleted. History stays; answers that were expected will not come."""
        return self.outbox.give_up_answers(code)

    def history(
        self, query: str, limit: int, offset: int = 0, narrowing: Narrowing = EVERYTHING
    ) -> tuple[HistoryEntry, ...]:
        """What was received and sent, the newest first; with a query what has all its words."""
        entries = []
        for row, own, at_ms in self._search.find(query, limit, offset, narrowing):
            received = None if own else self.inbox.get(row)
            sent = self.outbox.by_sequence(row) if own else None
            entries.append(HistoryEntry(at_ms, received, sent))
        return tuple(entries)

    def glance(
        self, words: str, person: str, limit: int, *, thorough: bool
    ) -> tuple[HistoryEntry, ...]:
        """The same for somebody who types: quickly, and not all when much is found."""
        entries = []
        for row, own, at_ms in self._glance.find(words, person, limit, thorough=thorough):
            received = None if own else self.inbox.get(row)
            sent = self.outbox.by_sequence(row) if own else None
            entries.append(HistoryEntry(at_ms, received, sent))
        return tuple(entries)

    def every(self, query: str, narrowing: Narrowing) -> Generator[Received | Sent, None, None]:
        """The same without a limit, the oldest first; what comes meanwhile is not in it."""
        for row, own in self._search.each(query, narrowing):
            message = self.outbox.by_sequence(row) if own else self.inbox.get(row)
            if message is not None:  # taken back meanwhile
                yield message

    def count(self, query: str, narrowing: Narrowing) -> int:
        """How many there are of them."""
        return self._search.count(query, narrowing)

    def names(self) -> tuple[str, ...]:
        """Those who wrote and those who were written to, in the order of the alphabet."""
        rows = self._database.all(
            "SELECT sender FROM received UNION SELECT recipient FROM fates ORDER BY 1 LIMIT ?",
            (ACCOUNTS_KEPT_MAX,),
        )
        return tuple(row[0] for row in rows)

    def _installation(self, random_bytes: Callable[[int], bytes]) -> bytes:
        with self._database.change():
            known = self._fact(_INSTALLATION)
            if known is None:
                known = random_bytes(INSTALLATION_BYTES)
                self._set_fact(_INSTALLATION, known)
        return known

    def _fact(self, key: str) -> bytes | None:
        row = self._database.one("SELECT value FROM facts WHERE key = ?", (key,))
        return None if row is None else bytes(row[0])

    def _set_fact(self, key: str, value: bytes) -> None:
        self._database.run("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (key, value))
