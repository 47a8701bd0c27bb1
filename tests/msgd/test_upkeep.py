from dataclasses import dataclass, field

from msgd.reactor_limits import ReactorLimits
from msgd.upkeep import (
    APART_BYTES_MAX,
    CROWD_CHANGES_MIN,
    SLICES_PER_SEGMENT,
    SLOW_SYNC_US,
    SLOW_SYNCS,
    Upkeep,
)
from msgd.values import Now
from store.limits import PAGE_BYTES, PRESSED_MS_MAX
from store.settings import Settings
from tests.msgd.fake_machine import Bench, message
from tests.sim.sim_clock import SimClock
from tests.sources_only import need_sources

LIMITS = ReactorLimits()
SETTINGS = Settings()
TURN_MS = 1


@dataclass
class FakeStore:
    """A store as upkeep sees it: all its parts in one, each as full as the test says."""

    settings: Settings = SETTINGS
    bytes_used: int = 0
    tail_entries: int = 0
    used: int = 0
    prepared: object = "the next segment"
    next_number: int = 1
    is_done: bool = True
    sync_us: list[int] = field(default_factory=list)
    slices_ms: list[int] = field(default_factory=list)

    @property
    def core(self) -> "FakeStore":
        return self

    journal = state = keeper = core

    @property
    def segments(self) -> list["FakeStore"]:
        return [self]

    def pressed_ms(self) -> int:
        part = min(1, self.tail_entries / self.settings.tail_entries_max)
        return max(0, int((part * 2 - 1) * PRESSED_MS_MAX))

    def pressed_ms_max(self) -> int:
        return PRESSED_MS_MAX

    def work(self, budget_ms: int) -> bool:
        self.slices_ms.append(budget_ms + self.pressed_ms())
        return not self.is_done


class Loop:
    """Turns that somebody comes in, or nobody."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.clock = SimClock()
        self.upkeep = Upkeep(store=self.store, clock=self.clock, limits=LIMITS)  # type: ignore[arg-type]  # a fake
        self.busy()  # the first is due at once
        self.store.slices_ms.clear()

    def turn(self, *, is_quiet: bool) -> int:
        """How many slices were taken."""
        before = len(self.store.slices_ms)
        now = Now(self.clock.monotonic_ms(), self.clock.wall_ms())
        self.upkeep.work(now, is_quiet=is_quiet)
        return len(self.store.slices_ms) - before

    def busy(self, turns: int = 1, changes: int = 1, ms: int = TURN_MS) -> int:
        """The same for so many turns, each with a page of the journal."""
        taken = 0
        for _ in range(turns):
            self.store.next_number += changes
            self.store.bytes_used = (self.store.bytes_used + PAGE_BYTES) % (8 << 20)
            self.store.used += PAGE_BYTES
            self.clock.advance_to(self.clock.now_ms + ms)
            taken += self.turn(is_quiet=False)
        return taken

    def quiet(self, ms: int) -> int:
        self.clock.advance_to(self.clock.now_ms + ms)
        return self.turn(is_quiet=True)


def test_while_somebody_comes_one_turn_of_many_meets_a_slice() -> None:
    loop = Loop()
    loop.store.is_done = False
    turns = 4 * APART_BYTES_MAX // PAGE_BYTES
    assert loop.busy(turns, ms=0) == 4
    assert set(loop.store.slices_ms) == {LIMITS.store_slice_ms}


def test_when_nobody_comes_slices_follow_each_other() -> None:
    loop = Loop()
    loop.store.is_done = False
    loop.store.tail_entries = (
        SETTINGS.tail_entries_max
    )  # even then they are short: somebody may come
    loop.quiet(LIMITS.quiet_ms)
    assert [loop.quiet(0) for _ in range(5)] == [1] * 5
    assert set(loop.store.slices_ms) == {LIMITS.store_slice_ms}
    deadline_ms = loop.upkeep.deadline_ms()
    assert deadline_ms is not None
    assert deadline_ms <= loop.clock.monotonic_ms()
    loop.store.is_done = True
    loop.quiet(0)
    assert loop.upkeep.deadline_ms() is None


def test_a_short_silence_is_none() -> None:
    loop = Loop()
    loop.store.is_done = False
    loop.quiet(LIMITS.quiet_ms)
    loop.busy()
    assert loop.upkeep.deadline_ms() == loop.clock.monotonic_ms() + LIMITS.quiet_ms
    assert loop.quiet(LIMITS.quiet_ms - 1) == 0
    assert loop.quiet(1) == 1


def test_the_fuller_the_longer_and_then_the_closer() -> None:
    def shape(percent: int) -> tuple[int, int]:
        loop = Loop()
        loop.store.tail_entries = SETTINGS.tail_entries_max * percent // 100
        taken = loop.busy(1_024, ms=0)
        return taken, loop.store.slices_ms[0]

    few = 1_024 * PAGE_BYTES // APART_BYTES_MAX
    assert [shape(percent) for percent in (10, 30, 45, 59)] == [
        (few, 4),
        (few, 4),
        (few, 6),
        (few, 7),
    ]
    counts, lengths_ms = zip(*[shape(percent) for percent in (60, 65, 70, 74)], strict=True)
    assert list(counts) == sorted(counts)
    assert lengths_ms == (4, 4, 4, 4)
    assert [shape(percent) for percent in (75, 80, 100)] == [
        (1_024, 4),
        (1_024, 4),
        (1_024, 4 + PRESSED_MS_MAX),
    ]


def test_in_a_flood_each_turn_has_its_slice() -> None:
    loop = Loop()
    assert loop.busy(10, changes=CROWD_CHANGES_MIN, ms=0) == 10


def test_where_a_sync_takes_as_long_as_a_slice_each_turn_has_its_slice() -> None:
    loop = Loop()
    loop.store.sync_us = [SLOW_SYNC_US] * SLOW_SYNCS
    assert loop.busy(10, ms=0) == 10
    loop.store.sync_us.append(SLOW_SYNC_US - 1)
    assert loop.busy(10, ms=0) == 0


def test_the_next_segment_is_made_in_time() -> None:
    loop = Loop()
    loop.store.prepared, loop.store.is_done = None, False
    half = SETTINGS.journal_segment_bytes // PAGE_BYTES // 2
    assert loop.busy(half, ms=0) <= 4
    assert loop.busy(half, ms=0) >= SLICES_PER_SEGMENT // 2
    assert loop.upkeep.deadline_ms() is not None, "and at once when nobody comes"


def test_there_is_one_in_a_second_whoever_comes() -> None:
    loop = Loop()
    assert loop.busy(100, ms=100) == 10


def test_a_loop_that_is_never_quiet_keeps_its_journal_in_bounds() -> None:
    need_sources()
    settings = Settings(
        journal_segment_bytes=256 << 10,
        batch_bytes_max=64 << 10,
        journal_bytes_max=4 << 20,
        checkpoint_journal_bytes=1 << 20,
        reserve_bytes=64 << 10,
        free_bytes_min=64 << 10,
    )
    bench = Bench(settings=settings)
    alice, _ = bench.user("alice"), bench.user("bob")
    journal = bench.store.journal

    def make_ready() -> None:
        raise AssertionError("a commit had to make its segment")

    journal.make_ready = make_ready  # type: ignore[method-assign]  # a spy
    highest = 0
    for counter in range(1, 2_001):
        alice.say(message("alice", counter, "bob"))
        bench.turn()
        alice.hear()
        highest = max(highest, journal.bytes_used)
    assert bench.store.status().checkpoints > 1
    assert highest < settings.journal_bytes_max * 9 // 16, "three quarters of what means BUSY"
