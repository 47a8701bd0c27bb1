"""When the store's house is kept: checkpoints, compaction, the journal's next segment.

A slice of that is a few writes with their syncs, and whoever sends a message meanwhile waits for
it. So slices are taken when nobody has come for a while. While somebody comes in each turn they are
taken too, but so far apart that few messages meet one; the fuller journal and memory are, the
longer they are, then the closer together, and at last as in a flood: one after each turn.

Must never let the journal or memory fill up while there is something to be done about it.
Fails with what the store raises: the process must end.
"""

from typing import Final

from msgd.net import Clock
from msgd.reactor_limits import ReactorLimits
from msgd.values import Now
from store.store import Store

CROWD_CHANGES_MIN: Final = 128
"""A turn with so many changes takes as long as a slice: among those who wait for it, one more slice
is hardly noticed, and it has much to do."""
SLOW_SYNC_US: Final = 1_000
SLOW_SYNCS: Final = 3
"""So does one on a disk on which the last few syncs took so long, each of them."""
APART_BYTES_MAX: Final = 1536 << 10
"""Of journal between two slices while there is room. A turn takes a page of it at least: so at most
one turn of 384 meets a slice (of one in 192 a slice was what one message of a hundred met: the turn
after it is late, too)."""
APART_OF_JOURNAL: Final = 64
"""And no more than this part of what the journal may hold."""
SLICES_PER_SEGMENT: Final = 32
"""So close are they when half of a segment is used and the next is not made: else a commit would
have to make it."""

# What is used of journal and memory, 1 where new messages are refused (`Keeper.admission`).
LONGER_FROM: Final = 0.3
"""From here slices become longer..."""
CLOSER_FROM: Final = 0.6
"""...and from here they are short again and come closer together..."""
CROWDED_FROM: Final = 0.75
"""...and from here there is one after each turn, and they become longer still."""
LONGER_MS: Final = 4
"""How much longer they are at most before they come closer together; in the end it is
`Keeper.pressed_ms_max`."""


class Upkeep:
    """Asked after each turn of the loop."""

    __slots__ = (
        "_apart_bytes",
        "_apart_bytes_of_segment",
        "_clock",
        "_due_ms",
        "_entries_full",
        "_journal_bytes",
        "_journal_bytes_full",
        "_limits",
        "_number",
        "_quiet_from_ms",
        "_segment_bytes_half",
        "_store",
        "has_more",
    )

    def __init__(self, *, store: Store, clock: Clock, limits: ReactorLimits) -> None:
        settings = store.core.settings
        self._store = store
        self._clock = clock
        self._limits = limits
        self._apart_bytes = min(APART_BYTES_MAX, settings.journal_bytes_max // APART_OF_JOURNAL)
        self._apart_bytes_of_segment = settings.journal_segment_bytes // SLICES_PER_SEGMENT
        self._segment_bytes_half = settings.journal_segment_bytes // 2
        self._journal_bytes_full = settings.journal_bytes_max * 3 // 4
        self._entries_full = settings.tail_entries_max
        self._journal_bytes = 0  # in use when the last slice ended
        self._due_ms = 0  # when there is to be one, whoever comes
        self._quiet_from_ms = 0  # when nobody will have come for a while
        self._number = store.state.next_number  # at the end of the turn before
        self.has_more = False
        """Whether there was more to do after the last slice."""

    def deadline_ms(self) -> int | None:
        """When to turn for it, if nobody comes."""
        return self._quiet_from_ms if self.has_more else None

    def work(self, now: Now, *, is_quiet: bool) -> None:
        """A slice, if this is a moment for one. `is_quiet`: in this turn nobody came."""
        store = self._store
        number = store.state.next_number
        changes, self._number = number - self._number, number
        sync_us = min(store.journal.sync_us[-SLOW_SYNCS:], default=0)
        if changes < CROWD_CHANGES_MIN and sync_us < SLOW_SYNC_US:
            slice_ms = self._limits.store_slice_ms
            if not is_quiet or now.monotonic_ms < self._quiet_from_ms:
                slice_ms = self._length_ms(now)
            # The store makes it longer by itself when it is full: here that is counted in.
            allowed_ms = slice_ms - store.keeper.pressed_ms() if slice_ms else None
        else:
            allowed_ms = self._limits.store_slice_ms
        if allowed_ms is not None:
            self.has_more = store.work(allowed_ms)
            self._journal_bytes = store.journal.bytes_used
            self._due_ms = now.monotonic_ms + self._limits.idle_turn_ms
        if not is_quiet:
            # By the clock as it is now: if the turn was long, those who wait for it come now.
            self._quiet_from_ms = self._clock.monotonic_ms() + self._limits.quiet_ms

    def _length_ms(self, now: Now) -> int:
        """How long a slice may be while somebody comes; 0: it is no moment for one."""
        journal = self._store.journal
        used = max(
            journal.bytes_used / self._journal_bytes_full,
            self._store.state.tail_entries / self._entries_full,
        )
        length_ms = self._limits.store_slice_ms
        apart_bytes = self._apart_bytes
        if used >= CROWDED_FROM:
            apart_bytes = 0
            part = (used - CROWDED_FROM) / (1 - CROWDED_FROM)
            length_ms += int(part * self._store.keeper.pressed_ms_max())
        elif used >= CLOSER_FROM:
            apart_bytes = int(apart_bytes * (CROWDED_FROM - used) / (CROWDED_FROM - CLOSER_FROM))
        elif used > LONGER_FROM:
            length_ms += int((used - LONGER_FROM) / (CLOSER_FROM - LONGER_FROM) * LONGER_MS)
        if journal.prepared is None:
            self.has_more = True
            if journal.segments[-1].used > self._segment_bytes_half:
                apart_bytes = min(apart_bytes, self._apart_bytes_of_segment)
        is_near = journal.bytes_used - self._journal_bytes < apart_bytes
        return 0 if is_near and now.monotonic_ms < self._due_ms else length_ms
