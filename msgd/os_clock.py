"""The machine's clocks: the only file of this package that imports `time`.

Must never sleep. Fails never.
"""

import time


class OsClock:
    """Serves both `msgd.net.Clock` and the store's clock."""

    def monotonic_ms(self) -> int:
        """Milliseconds since the machine was started; never goes back."""
        return time.monotonic_ns() // 1_000_000

    def monotonic_us(self) -> int:
        """The same in microseconds."""
        return time.monotonic_ns() // 1_000

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump."""
        return time.time_ns() // 1_000_000
