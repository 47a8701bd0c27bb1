"""The operating system's clocks: the only file of this package that imports time.

Must never give a steady time that stands still while the machine sleeps, where the system has a
better one (CLOCK_BOOTTIME, clock_gettime(2)): the link finds out about sleep by it.
Fails never.
"""

import time
from typing import Final

_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class OsClock:
    """See msgc.net.Clock."""

    def now_ms(self) -> int:
        """Milliseconds since the machine was started, its sleep included."""
        return time.clock_gettime_ns(_STEADY) // 1_000_000

    def asleep_ms(self) -> int:
        """What the clock that stands still in sleep has missed (clock_gettime(2))."""
        return (
            time.clock_gettime_ns(_STEADY) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        ) // 1_000_000

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def local_text(self, at_ms: int, pattern: str) -> str:
        """A time since 1970 in the person's own time zone, as strftime writes it."""
        try:
            return time.strftime(pattern, time.localtime(at_ms / 1_000))
        except (OverflowError, ValueError, OSError):
            return "?"  # a year that no calendar has; the number came from a server
