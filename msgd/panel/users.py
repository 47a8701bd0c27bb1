"""The table of every user name ever used: which ones, in which order, and the visible rows.

What takes long with many names (an order by a key, a filter, adding everything up) is a job: a
generator that yields every fraction of a millisecond, so that its owner can stop it and go on in
the next turn. A row is built only when it is to be seen. So ten thousand names scroll as fast as
ten.

Must never change anything, and never look at the disk for a row that is not to be seen, except
piece by piece in a job.
Fails never; a queue that cannot be read shows no age.
"""

from collections.abc import Callable, Iterator
from typing import Final

from msgd.exchange import Exchange
from msgd.exchange_login import last_seen
from msgd.panel.values import Presence, Sort, Totals, UserRow
from store.errors import StoreDamaged
from store.state import Account
from store.store import Store
from term.list_view import ListView
from term.safe import safe_line

SORTED_MAX: Final = 10_000
"""With more names only the orders are offered that need no key for each of them: a key wakes an
account up, which takes 4 microseconds, and so many are sorted in 5 milliseconds."""
NAMES_PER_STEP: Final = 10_000
"""Names that one step of a job copies or filters."""
ACCOUNTS_PER_STEP: Final = 64
"""Accounts that one step of a job looks into."""
RESTS_PER_JOB: Final = 50
"""Jobs that are not urgent take at most one part in so many of the time."""
PAUSE_US_MIN: Final = 1_000_000

Key = tuple[int, str]


class UserTable:
    """Names in order, with a cursor. `refresh` now and then, `step` while there is a job."""

    def __init__(self, exchange: Exchange, store: Store, monotonic_us: Callable[[], int]) -> None:
        self.view = ListView(stays_on_top=True)  # who connects comes first
        self.sort = Sort.STATE
        self.inverted = False
        self.filter = ""
        self.is_ready = False
        """Whether the table is as it was last asked for."""
        self._exchange = exchange
        self._store = store
        self._monotonic_us = monotonic_us
        self._names: list[str] = []
        self._held: tuple[Account, ...] = ()
        self._seen = (-1, -1, -1, -1)
        self._wanted = True
        self._next_us = 0
        self._job: Iterator[None] | None = None
        self._job_us = 0

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        name = self.view.selected
        return name if isinstance(name, str) else None

    @property
    def count(self) -> int:
        """How many names pass the filter."""
        return len(self._names)

    @property
    def has_job(self) -> bool:
        """Whether there is something for `step` to do."""
        return self._job is not None

    def arrange(self, sort: Sort, inverted: bool, text: str) -> None:
        """Another order or filter, once the job that makes it is done."""
        self.sort, self.inverted, self.filter = sort, inverted, text
        self._wanted = True
        self.is_ready = False

    def refresh(self) -> None:
        """Begin to make the order anew if something changed, and if it is not too soon again."""
        state = self._store.state
        if self._wanted:
            self._job = None  # what was being made is not wanted any more
        elif self._job is not None or self._monotonic_us() < self._next_us:
            return
        if self._needs_keys and len(state.names) > SORTED_MAX and self.sort is not Sort.STUCK:
            self.sort = Sort.STATE
        # The two orders without keys change only with the names and with who is connected.
        moving = state.next_number if self._needs_keys else 0
        exchange = self._exchange
        seen = (moving, len(state.names), exchange.tally.logins, len(exchange.online))
        if not self._wanted and seen == self._seen:
            return
        self._wanted = False
        self._seen = seen
        self._job = self._order()
        self._job_us = 0

    def step(self, until_us: int) -> None:
        """Go on with the job until that time."""
        begun_us = now_us = self._monotonic_us()
        while self._job is not None and now_us <= until_us:
            done = next(self._job, self) is self
            now_us = self._monotonic_us()
            if done:
                self._job = None
                took_us = self._job_us + now_us - begun_us
                self._next_us = now_us + took_us * RESTS_PER_JOB
                return
        self._job_us += now_us - begun_us

    def rows(self, shown: range) -> tuple[UserRow, ...]:
        """The rows of these places."""
        by_name = self._store.state.by_name
        found = (by_name.get(self._names[index]) for index in shown)
        # Held, because an account that nobody holds forgets what was read of its mailbox.
        self._held = tuple(account for account in found if account is not None)
        return tuple(map(self.row, self._held))

    @property
    def _needs_keys(self) -> bool:
        return self.sort not in {Sort.STATE, Sort.NAME}

    # ----- the job ----------------------------------------------------------------------------

    def _order(self) -> Iterator[None]:
        """Makes the order; the last thing it does is to show it."""
        names: list[str] = []
        everybody = self._store.state.names.copy()
        for start in range(0, len(everybody), NAMES_PER_STEP):
            piece = everybody[start : start + NAMES_PER_STEP]
            names += [name for name in piece if self.filter in name] if self.filter else piece
            yield
        if self.sort is Sort.STATE:
            online = self._exchange.online
            connected = sorted(name for name in online if self.filter in name)
            there = set(connected)
            names = connected + [name for name in names if name not in there]
        elif self.sort is not Sort.NAME:
            keys: list[Key] = []
            yield from self._gather(names, keys)
            keys.sort()
            names = [name for _, name in keys]
        if self.inverted:
            names.reverse()
        self._names = names
        self.view.set_rows(names)
        self.is_ready = True

    def _gather(self, names: list[str], keys: list[Key]) -> Iterator[None]:
        by_name, key = self._store.state.by_name, self._key()
        for index, name in enumerate(names):
            account = by_name.get(name)
            if account is not None:
                found = key(account)
                if found is not None:
                    keys.append((found, name))
            if index % ACCOUNTS_PER_STEP == ACCOUNTS_PER_STEP - 1:
                if len(keys) > 2 * SORTED_MAX:
                    keys.sort()
                    del keys[SORTED_MAX:]
                yield

    def _key(self) -> Callable[[Account], int | None]:
        state, online = self._store.state, self._exchange.online
        if self.sort is Sort.WAITING:
            return lambda account: -account.messages_waiting(state)
        if self.sort is Sort.BYTES:
            return lambda account: -account.bytes_waiting(state)
        if self.sort is Sort.STUCK:
            return self._stuck_since
        now_like = 1 << 63
        return lambda account: -(now_like if account.name in online else last_seen(account) or 0)

    def _stuck_since(self, account: Account) -> int | None:
        if not account.messages_waiting(self._store.state):
            return None
        oldest_ms = oldest_of(self._store, account)
        return 0 if oldest_ms is None else oldest_ms  # an unknown age is a reason to look first

    # ----- one row ----------------------------------------------------------------------------

    def row(self, account: Account) -> UserRow:
        """What the table says of this account."""
        state = self._store.state
        session = self._exchange.online.get(account.name)
        if account.closing:
            presence = Presence.DELETING
        elif session is None:
            presence = Presence.OFF
        else:
            presence = Presence.SILENT if session.silent else Presence.ON
        waiting = account.messages_waiting(state)
        return UserRow(
            name=safe_line(account.name),
            presence=presence,
            peer=None if session is None else safe_line(session.peer),
            since_ms=None if session is None else session.since_ms,
            waiting=waiting,
            waiting_bytes=account.bytes_waiting(state),
            oldest_ms=oldest_of(self._store, account) if waiting else None,
            last_seen_ms=last_seen(account),
        )


class Census:
    """Adds all users up, over and over, in small pieces."""

    def __init__(self, store: Store, monotonic_us: Callable[[], int]) -> None:
        self.totals = Totals()
        self.is_complete = False
        """Whether all were counted once since `begin`."""
        self._store = store
        self._monotonic_us = monotonic_us
        self._job: Iterator[None] | None = None
        self._next_us = 0

    def begin(self) -> None:
        """Somebody looks again after nobody did: count from the beginning, and soon."""
        self.is_complete = False
        self._job = None
        self._next_us = 0

    def deadline_us(self) -> int:
        """When `step` has something to do next."""
        return self._next_us

    def step(self, until_us: int) -> None:
        """Go on until that time, if it is time to."""
        begun_us = now_us = self._monotonic_us()
        if begun_us < self._next_us:
            return
        if self._job is None:
            self._job = self._count()
        done = False
        while not done and now_us <= until_us:
            done = next(self._job, self) is self
            now_us = self._monotonic_us()
        # The first count is waited for by somebody; even so the clients come before it.
        rests = RESTS_PER_JOB if self.is_complete else 4
        self._next_us = now_us + (now_us - begun_us) * rests
        if done:
            self._job = None
            self.is_complete = True
            self._next_us = max(self._next_us, now_us + PAUSE_US_MIN)

    def _count(self) -> Iterator[None]:
        state = self._store.state
        waiting = size = stuck = 0
        oldest_ms: int | None = None
        oldest_name = ""
        for index, name in enumerate(state.names.copy()):
            account = state.by_name.get(name)
            count = 0 if account is None else account.messages_waiting(state)
            if account is not None and count:
                waiting += count
                size += account.bytes_waiting(state)
                stuck += 1
                at_ms = oldest_of(self._store, account)
                if at_ms is not None and (oldest_ms is None or at_ms < oldest_ms):
                    oldest_ms, oldest_name = at_ms, name
            if index % ACCOUNTS_PER_STEP == ACCOUNTS_PER_STEP - 1:
                yield
        self.totals = Totals(waiting, size, stuck, oldest_ms, safe_line(oldest_name))


def oldest_of(store: Store, account: Account) -> int | None:
    """When the oldest message came that waits for this user; None if that cannot be read."""
    try:
        return store.oldest_waiting_at_ms(account)
    except StoreDamaged:
        return None  # whoever reads the queue to deliver it reports the damage
