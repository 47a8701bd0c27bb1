"""The simulated clocks. Time stands still until the world moves it.

Must never go back, except for the wall clock, which may jump as the real one may.
"""

START_WALL_MS = 1_772_366_400_000
START_MONOTONIC_MS = 1_000_000


class SimClock:
    """Serves as msgd.net.Clock and as the store's clock."""

    def __init__(self) -> None:
        self.now_ms = START_MONOTONIC_MS
        self.wall_offset_ms = START_WALL_MS - START_MONOTONIC_MS

    def monotonic_ms(self) -> int:
        return self.now_ms

    def monotonic_us(self) -> int:
        return self.now_ms * 1_000

    def wall_ms(self) -> int:
        return self.now_ms + self.wall_offset_ms

    def advance_to(self, at_ms: int) -> None:
        assert at_ms >= self.now_ms, "time went back"
        self.now_ms = at_ms

    def jump_wall(self, by_ms: int) -> None:
        self.wall_offset_ms += by_ms
