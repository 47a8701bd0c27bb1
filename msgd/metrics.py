"""The server in numbers, for a monitoring system: what is counted, and what it is called.

The counts are taken where they are anyway (tallies, the journal); this module looks at them once a
turn, and only if somebody asked for metrics at the start.

Must never name a user, an address or a message: whoever may read the numbers learns no more.
Fails never.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from msgd import VERSION
from msgd.events import Event, EventKind, EventLog
from msgd.exchange import Exchange
from msgd.panel.users import Census
from store.settings import Admission
from store.store import Store

TIME_BOUNDS_US: Final = tuple(
    factor * power for power in (100, 1_000, 10_000, 100_000, 1_000_000) for factor in (1, 2.5, 5)
)
BATCH_BOUNDS: Final = tuple(float(1 << power) for power in range(0, 14, 2))
US_PER_S: Final = 1_000_000
CENSUS_US_PER_TURN_MAX: Final = 2_000


@unique
class Kind(Enum):
    """The types of Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Histogram:
    """How many were at most so large; what is larger than the last bound is counted too."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(frozen=True, slots=True)
class Sample:
    """One number; `label` is its one label, of a small fixed set of values, or none."""

    value: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: of a COUNTER the name stands without `_total`. A HISTOGRAM has `buckets`, with
    their upper bounds and counted up, and the `total` of all its values.
    """

    name: str
    kind: Kind
    text: str
    samples: tuple[Sample, ...] = ()
    label_name: str = ""
    buckets: tuple[tuple[float, int], ...] = ()
    total: float = 0.0


Renderer = Callable[[tuple[Family, ...]], bytes]
"""Makes of families what a monitoring system reads."""


class Measures:
    """What has to be watched while it happens; all else is looked up when it is asked for."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        store: Store,
        events: EventLog,
        connections_max: int,
        started_wall_ms: int,
        monotonic_us: Callable[[], int],
    ) -> None:
        self.census = Census(store, monotonic_us)
        self._exchange = exchange
        self._store = store
        self._connections_max = connections_max
        self._started_wall_ms = started_wall_ms
        self._monotonic_us = monotonic_us
        self._syncs = Histogram(TIME_BOUNDS_US)
        self._batches = Histogram(BATCH_BOUNDS)
        self._turns = Histogram(TIME_BOUNDS_US)
        self._kinds = dict.fromkeys(EventKind, 0)
        self._written_bytes = 0
        self._commits = store.journal.commits
        self._number = store.journal.next_number
        self._segment = store.journal.segments[-1]
        self._segment_used_bytes = self._segment.used
        self._begun_us = 0
        events.subscribe(self._note)

    def begin_turn(self) -> None:
        """Something is ready; the turn begins."""
        self._begun_us = self._monotonic_us()

    def end_turn(self) -> None:
        """The turn's work is done."""
        self._turns.add(self._monotonic_us() - self._begun_us)
        self._look_at_journal()
        self.census.step(self._monotonic_us() + CENSUS_US_PER_TURN_MAX)

    def _look_at_journal(self) -> None:
        journal = self._store.journal
        new = journal.commits - self._commits
        if not new:
            return
        self._commits = journal.commits
        for took_us in journal.sync_us[-new:]:
            self._syncs.add(took_us)
        changes, self._number = journal.next_number - self._number, journal.next_number
        for _ in range(new):  # nearly always one; of several only the average is known
            self._batches.add(changes / new)
        # What was written before in the segment that was the last, and in all that came after it.
        before = self._segment
        self._written_bytes += before.used - self._segment_used_bytes
        self._written_bytes += sum(
            segment.used for segment in journal.segments if segment.number > before.number
        )
        self._segment = journal.segments[-1]
        self._segment_used_bytes = self._segment.used

    def _note(self, event: Event) -> None:
        self._kinds[event.kind] += 1

    # ----- what is told -----------------------------------------------------------------------

    def families(self) -> tuple[Family, ...]:
        """All metrics, as they stand."""
        return (*self._flow(), *self._people(), *self._queues(), *self._journal())

    def _flow(self) -> tuple[Family, ...]:
        tally = self._exchange.tally
        refused = tuple(
            Sample(count, code.name.lower()) for code, count in tally.logins_refused.items()
        )
        return (
            _gauge("msgd_info", "The version of the server", Sample(1, VERSION), label="version"),
            _gauge(
                "msgd_start_time_seconds",
                "When it started, in seconds since 1970",
                Sample(self._started_wall_ms / 1_000),
            ),
            _counter("msgd_messages_accepted", "Messages taken from clients", tally.accepted),
            _counter("msgd_messages_accepted_bytes", "Bytes of their bodies", tally.accepted_bytes),
            _counter("msgd_messages_refused", "Messages refused", tally.refused),
            _counter("msgd_messages_delivered", "Messages handed to recipients", tally.delivered),
            _counter("msgd_entries_settled", "Entries of queues confirmed", tally.settled),
            _counter("msgd_logins", "Logins that were let in", tally.logins),
            Family(
                "msgd_logins_refused",
                Kind.COUNTER,
                "Logins that were refused, by reason",
                refused,
                "reason",
            ),
            Family(
                "msgd_connections_refused",
                Kind.COUNTER,
                "Connections that were refused before a byte was read, by reason",
                tuple(
                    Sample(count, refusal.name.lower())
                    for refusal, count in tally.connections_refused.items()
                ),
                "reason",
            ),
            Family(
                "msgd_events",
                Kind.COUNTER,
                "Lines of the log, by their kind",
                tuple(Sample(count, kind.value) for kind, count in self._kinds.items()),
                "kind",
            ),
            _histogram("msgd_turn_seconds", "Turns of the loop, without waiting", self._turns),
        )

    def _people(self) -> tuple[Family, ...]:
        exchange = self._exchange
        return (
            _gauge("msgd_connections", "Connections now", Sample(len(exchange.sessions))),
            _gauge(
                "msgd_connections_max", "Connections served at once", Sample(self._connections_max)
            ),
            _gauge("msgd_users_online", "Users logged in", Sample(len(exchange.online))),
            _gauge("msgd_users", "User names ever used", Sample(len(self._store.state.by_name))),
        )

    def _queues(self) -> tuple[Family, ...]:
        """Counted piece by piece, so they are of a moment not long ago."""
        totals = self.census.totals
        oldest_s = 0.0 if totals.oldest_ms is None else totals.oldest_ms / 1_000
        return (
            _gauge("msgd_queue_messages", "Messages that wait", Sample(totals.waiting)),
            _gauge("msgd_queue_bytes", "Bytes of their bodies", Sample(totals.waiting_bytes)),
            _gauge("msgd_queue_users", "Users with messages waiting", Sample(totals.stuck)),
            _gauge(
                "msgd_queue_oldest_time_seconds",
                "When the message came that waits longest, in seconds since 1970; 0: none waits",
                Sample(oldest_s),
            ),
        )

    def _journal(self) -> tuple[Family, ...]:
        status = self._store.status()
        return (
            _counter("msgd_commits", "Batches made durable", status.commits),
            _histogram("msgd_fsync_seconds", "Syncs of the journal", self._syncs),
            _histogram(
                "msgd_batch_changes", "Changes made durable by one sync", self._batches, unit=1
            ),
            _counter(
                "msgd_journal_written_bytes", "Bytes written to the journal", self._written_bytes
            ),
            _gauge("msgd_journal_bytes", "Journal in use", Sample(status.journal_bytes)),
            _gauge(
                "msgd_journal_entries",
                "Entries of queues that only the journal holds",
                Sample(status.tail_entries),
            ),
            _gauge("msgd_disk_free_bytes", "Free on the disk", Sample(status.free_bytes)),
            _gauge(
                "msgd_reserve_intact",
                "1 while the reserve for a full disk is kept",
                Sample(status.reserve_intact),
            ),
            _gauge(
                "msgd_admission_open",
                "1 while new messages are taken, 0 while the journal or the disk is full",
                Sample(status.admission is Admission.OPEN),
            ),
            _counter("msgd_checkpoints", "Checkpoints written", status.checkpoints),
            _counter("msgd_compactions", "Mailboxes compacted", status.compactions),
        )


def _counter(name: str, text: str, value: float) -> Family:
    return Family(name, Kind.COUNTER, text, (Sample(value),))


def _gauge(name: str, text: str, sample: Sample, *, label: str = "") -> Family:
    return Family(name, Kind.GAUGE, text, (sample,), label)


def _histogram(name: str, text: str, histogram: Histogram, *, unit: float = US_PER_S) -> Family:
    counted = 0
    buckets = []
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        counted += count
        buckets.append((bound / unit, counted))
    return Family(name, Kind.HISTOGRAM, text, buckets=tuple(buckets), total=histogram.total / unit)
