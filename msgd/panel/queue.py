"""One user's queue in short: who wrote, when, how much. Never what.

The queue is read in pieces, as a job, up to a limit; the bodies that the store reads on the way
are dropped where they come in.

Must never change the queue, read more than a piece in one step, or keep a body.
Fails never; damage ends the reading and is told.
"""

from collections import Counter
from typing import Final

from msgd.panel.values import QueueRow, SenderCount
from store.entry import Audience, Entry, EntryKind
from store.errors import StoreDamaged
from store.state import Account
from store.store import Store
from term.list_view import ScrollView
from term.safe import safe_line

MESSAGES_MAX: Final = 1_000
"""Messages that are looked at; of a longer queue, the oldest ones."""
SENDERS_MAX: Final = 5
ENTRIES_PER_STEP: Final = 64
BYTES_PER_STEP: Final = 64 * 1024


class QueueLook:
    """What was found out about one account's queue so far."""

    def __init__(self, store: Store, account: Account) -> None:
        self.account = account
        self.scroll = ScrollView()
        self.rows: list[QueueRow] = []
        self.is_damaged = False
        self._store = store
        self._is_done = False
        self._found_before = 0
        self._begin()

    @property
    def has_job(self) -> bool:
        """Whether there is more to read."""
        return not self._is_done

    def begin_again_if_changed(self) -> None:
        """Read it anew, if it is another one than when it was read."""
        if self._is_done and self._stamp() != self._stamp_read:
            self._begin()

    def step(self) -> None:
        """Read a piece."""
        if self._is_done:
            return
        if self._store.state.by_number.get(self.account.number) is not self.account:
            self._is_done = True  # deleted meanwhile
            return
        try:
            entries = self._reader.read(ENTRIES_PER_STEP, BYTES_PER_STEP)
        except StoreDamaged:
            self._is_done = self.is_damaged = True
            self.rows = self._found
            return
        self._found += [_row(entry) for entry in entries if entry.kind is EntryKind.MESSAGE]
        no_way_on = not entries and len(self._found) == self._found_before and not self._moved()
        self._found_before = len(self._found)
        if self._reader.exhausted or no_way_on or len(self._found) >= MESSAGES_MAX:
            self._is_done = True
        # What was there stays to be seen until there is as much of the new.
        if self._is_done or len(self._found) >= len(self.rows):
            self.rows = self._found[:MESSAGES_MAX]

    def senders(self) -> tuple[SenderCount, ...]:
        """Who wrote most of it."""
        counts = Counter(row.sender for row in self.rows)
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(SenderCount(name, count) for name, count in ordered[:SENDERS_MAX])

    def _begin(self) -> None:
        self._reader = self._store.reader(self.account, self.account.settled.floor, None)
        self._found: list[QueueRow] = []
        self._found_before = 0
        self._place = -1
        self._is_done = False
        self.is_damaged = False
        self._stamp_read = self._stamp()

    def _stamp(self) -> tuple[int, int]:
        return self.account.stamp, self._store.state.everyone.stamp

    def _moved(self) -> bool:
        """Whether the reader got on although it found nothing that is wanted."""
        before, self._place = self._place, self._reader.own.offset + self._reader.shared.offset
        return self._place != before


def _row(entry: Entry) -> QueueRow:
    return QueueRow(
        received_at_ms=entry.received_at_ms,
        sender=safe_line(entry.sender_name),
        body_bytes=len(entry.body),
        audience=0 if entry.audience is Audience.EVERYONE else entry.audience_count,
        message_id=entry.message_id.hex(),
    )
