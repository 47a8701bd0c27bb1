"""From the running server to values for the screen: meters, rates, log lines.

Must never change anything in the exchange or the store. Fails never.
"""

from collections import deque
from typing import Final

from msgd.events import Event, EventLog
from msgd.exchange import Exchange
from msgd.panel.values import Identity, LogLine, Meters, Totals
from store.store import Store
from term.safe import safe_line

RATE_SECONDS: Final = 10
SPARK_SECONDS: Final = 30


class Rates:
    """How many messages came in and went out in each of the last seconds."""

    def __init__(self, now_ms: int) -> None:
        self._second = now_ms // 1_000
        self._in_before = 0
        self._out_before = 0
        self._in: deque[int] = deque([0] * SPARK_SECONDS, maxlen=SPARK_SECONDS)
        self._out: deque[int] = deque([0] * SPARK_SECONDS, maxlen=SPARK_SECONDS)

    def sample(self, taken: int, settled: int, now_ms: int) -> None:
        """The counts since the start of the process, now."""
        second = now_ms // 1_000
        if second == self._second:
            return
        for _ in range(min(second - self._second - 1, SPARK_SECONDS)):
            self._in.append(0)
            self._out.append(0)
        self._in.append(taken - self._in_before)
        self._out.append(settled - self._out_before)
        self._in_before, self._out_before, self._second = taken, settled, second

    @property
    def in_per_second(self) -> float:
        """Messages taken, averaged over the last seconds."""
        return sum(list(self._in)[-RATE_SECONDS:]) / RATE_SECONDS

    @property
    def out_per_second(self) -> float:
        """Confirmations, averaged likewise."""
        return sum(list(self._out)[-RATE_SECONDS:]) / RATE_SECONDS

    @property
    def in_by_second(self) -> tuple[int, ...]:
        """Messages taken in each of the last seconds, oldest first."""
        return tuple(self._in)


def gather_meters(
    exchange: Exchange, store: Store, identity: Identity, rates: Rates, totals: Totals
) -> Meters:
    """The three lines at the top."""
    return Meters(
        known=len(store.state.names),
        connected=len(exchange.online),
        silent=sum(session.silent for session in exchange.online.values()),
        sessions=len(exchange.sessions),
        sessions_max=identity.connections_max,
        logins=exchange.tally.logins,
        totals=totals,
        in_per_second=rates.in_per_second,
        out_per_second=rates.out_per_second,
        in_by_second=rates.in_by_second,
        store=store.status(),
    )


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
