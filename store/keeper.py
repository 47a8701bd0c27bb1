"""House-keeping in slices: checkpoints, compaction, the reserve, and what may be admitted.

A full disk is a normal state. What must not stop (receipts, deletions, checkpoints) may use up the
reserve; new messages and accounts are refused meanwhile, and the store heals by itself when there
is room again.

Must never run while a batch is open. DiskFull ends here; any other error of the disk goes up and
ends the process.
"""

from collections import deque
from collections.abc import Callable

from store.account import EVERYONE
from store.checkpoint import Checkpoint
from store.compaction import Compaction
from store.core import Core
from store.disk import DiskFull
from store.errors import StoreDamaged
from store.limits import (
    COMPACT_EMPTY_BYTES_MIN,
    PAGE_BYTES,
    PRESSED_DEAR_MS_MAX,
    PRESSED_MS_MAX,
    RECALLED_FORGET_MIN,
)
from store.settings import Admission


class Keeper:
    """Decides what to do next, and does a slice of it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.checkpoint: Checkpoint | None = None
        self.compaction: Compaction | None = None
        self.candidates: deque[int] = deque()  # mailboxes that may be worth a compaction
        self.starved = False  # the last thing we tried found no room
        self.segment_refused = False  # there is none for the journal's next segment
        self.free_bytes = core.disk.free_bytes()
        self.space_checked_us = core.clock.monotonic_us()
        # What accepted messages will take in the mailboxes: since the last checkpoint began, and
        # in the one that is under way. The disk does not know of it yet.
        self.promised_bytes = 0
        self.being_written_bytes = 0
        self.checkpoints = 0
        self.compactions = 0

    # --- admission ---

    def admission(self) -> Admission:
        """Whether new messages and accounts may be taken."""
        core = self.core
        settings = core.settings
        if self.starved or not core.reserve_intact or self.room_bytes() < settings.free_bytes_min:
            return Admission.FULL
        if (
            core.journal.bytes_used * 4 >= settings.journal_bytes_max * 3
            or core.state.tail_entries >= settings.tail_entries_max
        ):
            return Admission.BUSY
        return Admission.OPEN

    def pressed_ms(self) -> int:
        """How much longer than usual a slice should take, so that nobody need be refused: none up
        to half of what journal and memory may hold, then more and more.
        """
        core = self.core
        settings = core.settings
        journal = core.journal.bytes_used * 4 / (settings.journal_bytes_max * 3)
        pressure = max(journal, core.state.tail_entries / settings.tail_entries_max)
        return max(0, int((min(pressure, 1) * 2 - 1) * self.pressed_ms_max()))

    def pressed_ms_max(self) -> int:
        """The most of that: where syncs are dear a flood would be refused, had it not to wait."""
        return PRESSED_DEAR_MS_MAX if self.core.together.is_dear else PRESSED_MS_MAX

    def room_bytes(self) -> int:
        """Free, and not promised to what was accepted; each mailbox begins a page of its own."""
        pages_bytes = len(self.core.state.dirty) * PAGE_BYTES
        return self.free_bytes - self.promised_bytes - self.being_written_bytes - pages_bytes

    # --- what next ---

    def slice(self) -> bool:
        """One slice of whatever is to be done; False when there is nothing."""
        return self.urgent_slice() or (self.is_idle() and self.core.journal.seal())

    def urgent_slice(self) -> bool:
        """One slice of what is most urgent; False when there is nothing, or no room for it."""
        self.check_space()
        if self.starved:
            return False
        if self.segment_is_wanted():
            return self.step_ready()
        if self.checkpoint is None and self.checkpoint_is_due():
            return self.attempt(self.begin_checkpoint)
        if self.checkpoint is not None:
            return self.attempt(self.step_checkpoint)
        if self.core.journal.prepared is None:
            return self.attempt(self.make_segment)
        if self.compaction is None and self.candidates:
            self.compaction = Compaction(self.core, self.candidates.popleft())
        if self.compaction is not None:
            return self.attempt(self.step_compaction)
        return self.restore_reserve()

    def attempt(self, action: Callable[[], None]) -> bool:
        """Do it; without room give up the reserve, and then wait for somebody to make room."""
        try:
            action()
        except DiskFull:
            if not self.core.give_up_reserve():
                self.starve()
                return False
        return True

    def starve(self) -> None:
        """No room: put everything back, and try again later."""
        self.starved = True
        if self.checkpoint is not None:
            self.checkpoint.abandon()
            self.checkpoint = None
            self.promised_bytes += self.being_written_bytes
            self.being_written_bytes = 0
        self.close()

    def close(self) -> None:
        """Give up a compaction that is under way; nothing is lost with it."""
        if self.compaction is not None:
            self.compaction.abandon()
            self.compaction = None

    # --- checkpoints ---

    def has_unsaved(self) -> bool:
        """Whether a checkpoint would save anything."""
        state = self.core.state
        return bool(state.dirty or state.deleted or state.registry.is_dirty)

    def checkpoint_is_due(self) -> bool:
        """Whether the journal or the memory is full enough, or there is time for it."""
        core = self.core
        settings = core.settings
        if not self.has_unsaved():
            return False
        return (
            core.journal.bytes_used >= settings.checkpoint_journal_bytes
            or core.state.tail_entries >= settings.checkpoint_tail_entries
            or self.is_idle()
        )

    def is_idle(self) -> bool:
        """Whether nothing was committed for a while."""
        core = self.core
        idle_us = core.clock.monotonic_us() - core.last_commit_us
        return idle_us >= core.settings.checkpoint_idle_ms * 1000

    def begin_checkpoint(self) -> None:
        """Begin one; a compaction that is under way starts again afterwards."""
        if self.compaction is not None:
            self.candidates.append(self.compaction.number)
            self.close()
        self.checkpoint = Checkpoint(self.core)
        self.being_written_bytes = self.promised_bytes + len(self.checkpoint.numbers) * PAGE_BYTES
        self.promised_bytes = 0

    def step_checkpoint(self) -> None:
        """One slice; at the end the mailboxes that were touched may be worth a compaction."""
        checkpoint = self.checkpoint
        assert checkpoint is not None
        if not checkpoint.step():
            return
        self.checkpoint = None
        self.checkpoints += 1
        self.being_written_bytes = 0
        self.free_bytes = self.core.disk.free_bytes()
        waiting = set(self.candidates) | self.core.damaged  # compaction leaves these alone
        self.candidates += [each for each in checkpoint.compactable if each not in waiting]
        everyone = self.core.state.everyone.queue
        size = everyone.end_offset - max(everyone.base, 0)
        many = len(self.core.state.everyone.recalled) >= RECALLED_FORGET_MIN
        is_large = size > COMPACT_EMPTY_BYTES_MIN
        if EVERYONE not in waiting and everyone.has_file and (is_large or many):
            self.candidates.append(EVERYONE)

    def run_checkpoint(self) -> None:
        """A whole one, now; gives up quietly when there is no room."""
        self.starved = False
        while not self.starved and (self.checkpoint is not None or self.has_unsaved()):
            begun = self.checkpoint is not None
            self.attempt(self.step_checkpoint if begun else self.begin_checkpoint)

    # --- the journal's next segment ---

    def segment_is_wanted(self) -> bool:
        """Whether to make it before anything else, or a commit will have to wait for it; not where
        room is scarce: there the end of a checkpoint makes it out of what it lets go.
        """
        return (
            self.core.journal.prepared is None
            and not self.segment_refused
            and self.room_bytes() >= self.core.settings.free_bytes_min
        )

    def make_segment(self) -> None:
        """A slice of making it where room is scarce, and there is no checkpoint to wait for."""
        self.core.journal.step_ready()

    def step_ready(self) -> bool:
        """A slice of making it. True: there is more to do, if not for the segment."""
        try:
            self.core.journal.step_ready()
        except DiskFull:
            self.segment_refused = True
        return True

    # --- compaction ---

    def step_compaction(self) -> None:
        """One slice. A damaged mailbox is left as it is, and named."""
        compaction = self.compaction
        assert compaction is not None
        try:
            if not compaction.step():
                return
            self.compactions += compaction.copied
        except StoreDamaged as error:
            compaction.abandon()
            self.core.tell_damage(compaction.number, str(error))
        self.compaction = None

    # --- room ---

    def check_space(self) -> None:
        """Now and then: how much room is there, and is it time to try again?"""
        core = self.core
        now_us = core.clock.monotonic_us()
        if now_us - self.space_checked_us >= core.settings.space_check_ms * 1000:
            self.space_checked_us = now_us
            self.free_bytes = core.disk.free_bytes()
            self.starved = self.segment_refused = False

    def restore_reserve(self) -> bool:
        """Take the reserve again when there is clearly room for it."""
        core = self.core
        settings = core.settings
        if (
            core.reserve_intact
            or self.free_bytes < settings.reserve_bytes + settings.free_bytes_min
        ):
            return False
        return self.attempt(core.make_reserve)
