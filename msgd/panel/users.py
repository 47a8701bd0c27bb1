"""The table of every user name ever used: which ones, in which order, and the visible rows.

The order is made anew only now and then; a row is built only when it is to be seen. So ten thousand
names scroll as fast as ten.

Must never change anything, and never look at the disk for a row that is not to be seen.
Fails never; a queue that cannot be read shows no age.
"""

from collections.abc import Callable, Iterable
from enum import Enum, unique
from typing import Final

from msgd.exchange import Exchange
from msgd.exchange_login import last_seen
from msgd.panel.values import Presence, Totals, UserRow
from store.errors import StoreDamaged
from store.state import Account
from store.store import Store
from term.list_view import ListView
from term.safe import safe_line

SORTED_MAX: Final = 10_000
"""With more names only the two orders are offered that need no key for each of them: a key wakes an
account up, which takes 4 microseconds."""
SUMMED_PER_SLICE_MAX: Final = 512
REBUILD_SHARE: Final = 50
"""Making the order takes at most one part in so many of the time."""


@unique
class Sort(Enum):
    """Orders of the table; the value is what the panel calls it."""

    STATE = "state, name"
    NAME = "name"
    WAITING = "waiting"
    BYTES = "bytes"
    SEEN = "last seen"


_FREE_SORTS: Final = (Sort.STATE, Sort.NAME)


class UserTable:
    """Names in order, with a cursor. Call `refresh` before looking at it."""

    def __init__(self, exchange: Exchange, store: Store, monotonic_ms: Callable[[], int]) -> None:
        self.view = ListView(stays_on_top=True)  # who connects comes first
        self.sort = Sort.STATE
        self.inverted = False
        self.pattern = ""
        self._exchange = exchange
        self._store = store
        self._monotonic_ms = monotonic_ms
        self._names: list[str] = []
        self._seen = (-1, -1)
        self._wanted = True
        self._next_ms = 0
        self._summed_names = 0
        self._sums = Totals()
        self.totals = Totals()

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        name = self.view.selected
        return name if isinstance(name, str) else None

    @property
    def shown(self) -> int:
        """How many names pass the filter."""
        return len(self._names)

    def change(
        self,
        *,
        sort: Sort | None = None,
        inverted: bool | None = None,
        pattern: str | None = None,
    ) -> None:
        """Another order or filter, from the next `refresh` on."""
        self.sort = self.sort if sort is None else sort
        self.inverted = self.inverted if inverted is None else inverted
        self.pattern = self.pattern if pattern is None else pattern
        self._wanted = True

    def next_sort(self) -> Sort:
        """The order after this one, among those that so many names allow."""
        offered = list(Sort) if len(self._store.state.names) <= SORTED_MAX else list(_FREE_SORTS)
        index = offered.index(self.sort) if self.sort in offered else -1
        return offered[(index + 1) % len(offered)]

    def refresh(self) -> None:
        """Make the order anew if something changed, and if it is not too soon again."""
        now_ms = self._monotonic_ms()
        seen = (self._store.state.next_number, len(self._exchange.online))
        if not self._wanted and (seen == self._seen or now_ms < self._next_ms):
            return
        self._wanted = False
        self._seen = seen
        names = self._ordered()
        if names != self._names or self.view.selected is None:
            self._names = names
            self.view.set_rows(names)
        took_ms = self._monotonic_ms() - now_ms
        self._next_ms = now_ms + took_ms * REBUILD_SHARE

    def rows(self) -> tuple[UserRow, ...]:
        """The rows that are to be seen."""
        by_name = self._store.state.by_name
        found = (by_name.get(self._names[index]) for index in self.view.visible())
        return tuple(self._row(account) for account in found if account is not None)

    def sum_up(self) -> None:
        """Add up a slice of all users; `totals` is renewed whenever all have been added."""
        state = self._store.state
        names = state.names
        start = self._summed_names
        stop = min(len(names), start + SUMMED_PER_SLICE_MAX)
        waiting, size = self._sums.waiting, self._sums.waiting_bytes
        most, most_name = self._sums.most_waiting, self._sums.most_waiting_name
        for index in range(start, stop):
            account = state.by_name[names[index]]
            count = account.messages_waiting(state)
            if count:
                waiting += count
                size += account.bytes_waiting(state)
                if count > most:
                    most, most_name = count, safe_line(account.name)
        self._sums = Totals(waiting, size, most, most_name)
        self._summed_names = stop
        if stop >= len(names):
            self.totals = self._sums
            self._sums = Totals()
            self._summed_names = 0

    def _ordered(self) -> list[str]:
        state, online = self._store.state, self._exchange.online
        names: Iterable[str] = state.names
        if self.pattern:
            names = [name for name in state.names if self.pattern in name]
        if self.sort is Sort.STATE:
            connected = sorted(name for name in online if self.pattern in name)
            ordered = connected + [name for name in names if name not in online]
        elif self.sort is Sort.NAME or len(state.names) > SORTED_MAX:
            ordered = list(names)
        else:
            ordered = sorted(names, key=self._key())
        return ordered[::-1] if self.inverted else ordered

    def _key(self) -> Callable[[str], tuple[int, str]]:
        state, by_name = self._store.state, self._store.state.by_name
        online = self._exchange.online
        if self.sort is Sort.WAITING:
            return lambda name: (-by_name[name].messages_waiting(state), name)
        if self.sort is Sort.BYTES:
            return lambda name: (-by_name[name].bytes_waiting(state), name)
        now_like = 1 << 63
        return lambda name: (
            -now_like if name in online else -(last_seen(by_name[name]) or 0),
            name,
        )

    def _row(self, account: Account) -> UserRow:
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
            oldest_ms=self._oldest_ms(account) if waiting else None,
            last_seen_ms=last_seen(account),
        )

    def _oldest_ms(self, account: Account) -> int | None:
        try:
            return self._store.oldest_waiting_at_ms(account)
        except StoreDamaged:
            return None  # whoever reads the queue to deliver it reports the damage
