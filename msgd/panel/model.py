"""From the running server to values for the scene: meters, rates, alarms, log lines.

Must never change anything in the exchange or the store. Fails never.
"""

from collections import deque
from typing import Final

from msgd.events import Event, EventKind, EventLog
from msgd.exchange import Exchange
from msgd.panel.values import Flow, LogLine, Meters, Totals
from msgd.panel.words import time_text
from store.settings import Admission
from store.store import Store
from term.safe import Safe, safe_line

RATE_SECONDS: Final = 10
SPARK_SECONDS: Final = 30
SLOW_SYNC_US: Final = 1_000_000
"""A sync of the disk that takes so long keeps every sender waiting: somebody should look."""
ERROR_SHOWN_MS: Final = 3_600_000
"""How long an ERROR of the log counts as news."""


class Seconds:
    """A count for each of the last seconds."""

    def __init__(self) -> None:
        self._counts: deque[int] = deque([0] * SPARK_SECONDS, maxlen=SPARK_SECONDS)

    def add(self, count: int, empty_before: int) -> None:
        """The second that is over, and how many before it had nothing."""
        self._counts.extend([0] * min(empty_before, SPARK_SECONDS))
        self._counts.append(count)

    def all(self) -> tuple[int, ...]:
        """Oldest first."""
        return tuple(self._counts)

    def average(self) -> float:
        """Of the latest ones, for a second."""
        return sum(list(self._counts)[-RATE_SECONDS:]) / RATE_SECONDS


class Monitor:
    """What is watched all the time, whether or not somebody looks: rates, and what went wrong."""

    def __init__(self, exchange: Exchange, store: Store, events: EventLog, now_ms: int) -> None:
        self._exchange = exchange
        self._store = store
        self._second = now_ms // 1_000
        self._before = (0, 0, store.journal.commits)
        self._in = Seconds()
        self._out = Seconds()
        self._syncs = Seconds()
        self._errors = 0
        self._last_error: Event | None = None
        events.subscribe(self._note)

    def tick(self, now_ms: int) -> None:
        """Once a turn; does something once a second."""
        second = now_ms // 1_000
        if second == self._second:
            return
        empty = second - self._second - 1
        self._second = second
        journal, tally = self._store.journal, self._exchange.tally
        taken, settled, commits = self._before
        self._before = (tally.accepted, tally.settled, journal.commits)
        self._in.add(tally.accepted - taken, empty)
        self._out.add(tally.settled - settled, empty)
        new = min(journal.commits - commits, len(journal.sync_us))
        self._syncs.add(max(journal.sync_us[-new:]) if new else 0, empty)

    def meters(self, totals: Totals) -> Meters:
        """The three lines at the top."""
        exchange, store = self._exchange, self._store
        return Meters(
            known=len(store.state.names),
            connected=len(exchange.online),
            silent=sum(session.silent for session in exchange.online.values()),
            sessions=len(exchange.sessions),
            logins=exchange.tally.logins,
            totals=totals,
            flow=Flow(
                in_per_second=self._in.average(),
                out_per_second=self._out.average(),
                in_by_second=self._in.all(),
                sync_us_by_second=self._syncs.all(),
            ),
            store=store.status(),
        )

    def alarms(self, meters: Meters, sessions_max: int, wall_ms: int) -> tuple[Safe, ...]:
        """What needs a human, and what to do about it."""
        said = []
        status = meters.store
        if status.admission is Admission.FULL:
            said.append("the disk is full: new messages are refused, what waits is safe; make room")
        elif not status.reserve_intact:
            said.append("the reserve for a full disk is used up; make room on the disk")
        if meters.sessions >= sessions_max:
            said.append("all connections are taken; see --connections-max")
        if max(meters.flow.sync_us_by_second[-RATE_SECONDS:]) >= SLOW_SYNC_US:
            said.append("the disk is slow: a sync took over a second; every sender waits for it")
        error = self._last_error
        if error is not None and wall_ms - error.at_ms < ERROR_SHOWN_MS:
            more = f" ({self._errors} ERRORs in all)" if self._errors > 1 else ""
            said.append(f"ERROR at {time_text(error.at_ms)}{more}: {error.text}")
        return tuple(safe_line(text) for text in said)

    def _note(self, event: Event) -> None:
        if event.kind is EventKind.ERROR:
            self._errors += 1
            self._last_error = event


class LogTail:
    """The events as lines; paused, it holds them as they were."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._held: tuple[Event, ...] | None = None
        self._held_total = 0

    @property
    def is_paused(self) -> bool:
        """Whether it is held still."""
        return self._held is not None

    @property
    def missed(self) -> int:
        """Events since it was paused."""
        return self._events.total - self._held_total if self.is_paused else 0

    def pause(self, *, wanted: bool) -> None:
        """Hold it still, or let it go on."""
        if wanted and self._held is None:
            self._held = self._events.latest(len(self._events))
            self._held_total = self._events.total
        elif not wanted:
            self._held = None

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._events) if self._held is None else len(self._held)

    def lines(self, start: int, stop: int) -> tuple[LogLine, ...]:
        """Some of them, oldest first."""
        if self._held is not None:
            events = self._held[start:stop]
        else:
            events = self._events.latest(self.count - start)[: stop - start]
        return tuple(
            LogLine(event.at_ms, event.kind.value, safe_line(event.text)) for event in events
        )
