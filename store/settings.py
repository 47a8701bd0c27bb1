"""What the operator may choose, and what the store says about itself.

Must never hold anything that changes the format of a file. Sizes are in bytes, times in
milliseconds (`_us`: microseconds).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class StoreClock(Protocol):
    """The two clocks that the store needs: one that never jumps, and the wall's."""

    def monotonic_us(self) -> int:
        """Microseconds from some fixed moment; never goes back."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump."""


class Admission(Enum):
    """Whether NEW messages and accounts may be taken. Everything else always may."""

    OPEN = "open"
    BUSY = "busy"  # journal or memory nearly full: try again in a moment
    FULL = "full"  # the disk is full: somebody must make room


@dataclass(frozen=True, slots=True)
class Settings:
    """The store's settings; the defaults suit a small server with a shared disk."""

    journal_segment_bytes: int = 4 << 20
    journal_bytes_max: int = 96 << 20
    batch_bytes_max: int = 1 << 20
    checkpoint_journal_bytes: int = 32 << 20
    checkpoint_tail_entries: int = 120_000
    checkpoint_idle_ms: int = 1_000
    tail_entries_max: int = 240_000  # of small messages; about 215 bytes each
    reserve_bytes: int = 8 << 20
    free_bytes_min: int = 16 << 20
    space_check_ms: int = 1_000
    accounts_garbage_bytes_min: int = 1 << 20
    recipient_deleted_code: int = 11  # the wire's code in the FAILURE of a discarded message
    recalled_code: int = 30  # and in that of a recalled one


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What the panel shows of the store."""

    commits: int
    last_sync_us: int
    p99_sync_us: int
    journal_bytes: int
    tail_entries: int
    free_bytes: int
    reserve_intact: bool
    checkpoint_running: bool
    checkpoints: int
    compactions: int
    admission: Admission
