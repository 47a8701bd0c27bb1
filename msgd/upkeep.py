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
APART_BYTES_MAX: Final = 1 << 20
"""Of journal between two slices while there is room. A turn takes a page of it at least: so at most
one turn of 256 meets a slice."""
APART_OF_JOURNAL: Final = 64
"""And no more than this part of what the journal may hold."""
SLICES_PER_SEGMENT: Final = 32
"""At least so many while the next segment is not made: or a commit would have to make it."""

# How much longer than usual the store would work after each turn (`Keeper.pressed_ms`) says how
# full journal and memory are: 0 up to half, 250 when they are full.
LONGER_PRESSED_MS: Final = 50
"""Up to here slices become longer: five times what they are in the beginning..."""
CLOSER_PRESSED_MS: Final = 125
"""...and from there to here they come closer together, to one after each turn."""


class Upkeep:
    """Asked after each turn of the loop."""

    __slots__ = (
        "_apart_bytes",
        "_apart_bytes_of_segment",
        "_clock",
        "_due_ms",
        "_journal_bytes",
        "_limits",
        "_number",
        "_quiet_from_ms",
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
        if is_quiet and now.monotonic_ms >= self._quiet_from_ms:
            # Short, and if still nobody has come, another one.
            allowed_ms: int | None = self._limits.store_slice_ms - store.keeper.pressed_ms()
        else:
            allowed_ms = self._allowed_ms(changes, now)
        if allowed_ms is not None:
            self.has_more = store.work(allowed_ms)
            self._journal_bytes = store.journal.bytes_used
            self._due_ms = now.monotonic_ms + self._limits.idle_turn_ms
        if not is_quiet:
            # By the clock as it is now: if the turn was long, those who wait for it come now.
            self._quiet_from_ms = self._clock.monotonic_ms() + self._limits.quiet_ms

    def _allowed_ms(self, changes: int, now: Now) -> int | None:
        """How long a slice may take while somebody comes, less what the store adds; None: none."""
        slice_ms = self._limits.store_slice_ms
        if changes >= CROWD_CHANGES_MIN:
            return slice_ms
        journal = self._store.journal
        pressed_ms = self._store.keeper.pressed_ms()
        apart_bytes = self._apart_bytes
        if pressed_ms <= LONGER_PRESSED_MS:
            slice_ms += slice_ms * 4 * pressed_ms // LONGER_PRESSED_MS
        elif pressed_ms < CLOSER_PRESSED_MS:
            left_ms = CLOSER_PRESSED_MS - pressed_ms
            apart_bytes = apart_bytes * left_ms // (CLOSER_PRESSED_MS - LONGER_PRESSED_MS)
        else:
            apart_bytes = 0
            slice_ms += 2 * (pressed_ms - CLOSER_PRESSED_MS)
        if journal.prepared is None:
            self.has_more = True
            apart_bytes = min(apart_bytes, self._apart_bytes_of_segment)
        is_near = journal.bytes_used - self._journal_bytes < apart_bytes
        if is_near and now.monotonic_ms < self._due_ms:
            return None
        return slice_ms - pressed_ms
