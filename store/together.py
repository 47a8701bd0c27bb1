"""How many mailboxes a slice of a checkpoint writes before they are made durable by one sync.

One alone costs a sync of its own; several share one of the whole file system, where the disk has
that. It waits for what other programs wrote as well, so the disk says before each whether that is
little (`store.disk.Disk.can_sync_together`), and after one that took long each is synced alone for
a while.

Must never say that something is durable which is not: it only counts. Fails as the disk's syncs.
"""

from collections.abc import Sequence
from typing import Final

from store.disk import Disk
from store.limits import CHECKPOINT_SLICE_FILES
from store.settings import StoreClock

TOGETHER_US_MAX: Final = 250_000
"""A sync of several that takes longer than this..."""
ALONE_US: Final = 10_000_000
"""...is the last one for so long."""


class Together:
    """Asked before each slice."""

    def __init__(self, disk: Disk, clock: StoreClock) -> None:
        self.disk = disk
        self.clock = clock
        self.alone_until_us = 0
        self.is_dear = False
        """Whether each file was to have a sync of its own when somebody asked last."""

    def files_max(self) -> int:
        """How many files the next sync may be for."""
        alone = self.clock.monotonic_us() < self.alone_until_us
        self.is_dear = alone or not self.disk.can_sync_together()
        return 1 if self.is_dear else CHECKPOINT_SLICE_FILES

    def sync(self, handles: Sequence[int]) -> None:
        """Make these files durable, all of them."""
        begun_us = self.clock.monotonic_us()
        self.disk.sync_together(handles)
        now_us = self.clock.monotonic_us()
        if len(handles) > 1 and now_us - begun_us > TOGETHER_US_MAX:
            self.alone_until_us = now_us + ALONE_US
