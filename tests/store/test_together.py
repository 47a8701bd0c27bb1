"""How many files one sync is for."""

from collections.abc import Sequence

from store.limits import CHECKPOINT_SLICE_FILES
from store.together import ALONE_US, TOGETHER_US_MAX, Together
from tests.sim.sim_disk import SimDisk
from tests.store.support import new_disk


class StillClock:
    """A clock that somebody else moves."""

    def __init__(self) -> None:
        self.now_us = 1_000_000

    def monotonic_us(self) -> int:
        return self.now_us

    def wall_ms(self) -> int:
        raise AssertionError("nobody asks for the time of day here")


class SlowDisk(SimDisk):
    """A disk whose syncs take time."""

    clock: StillClock
    sync_us = 0

    def sync_together(self, handles: Sequence[int]) -> None:
        super().sync_together(handles)
        self.clock.now_us += self.sync_us


def slow_disk() -> tuple[SlowDisk, StillClock, Together]:
    disk, clock = SlowDisk(new_disk().rng), StillClock()
    disk.clock = clock
    return disk, clock, Together(disk, clock)


def test_the_disk_says_whether() -> None:
    disk, _, together = slow_disk()
    assert together.files_max() == CHECKPOINT_SLICE_FILES
    disk.can_together = False
    assert together.files_max() == 1


def test_after_a_slow_one_each_is_synced_alone_for_a_while() -> None:
    disk, clock, together = slow_disk()
    handles = [disk.create(name) for name in "abc"]
    disk.sync_us = TOGETHER_US_MAX
    together.sync(handles)
    assert together.files_max() == CHECKPOINT_SLICE_FILES
    disk.sync_us += 1
    together.sync(handles[:1])
    assert together.files_max() == CHECKPOINT_SLICE_FILES, "so slow is the disk, not the call"
    together.sync(handles)
    assert together.files_max() == 1
    clock.now_us += ALONE_US - 1
    assert together.files_max() == 1
    clock.now_us += 1
    assert together.files_max() == CHECKPOINT_SLICE_FILES
