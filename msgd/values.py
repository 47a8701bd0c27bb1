"""Small values that both halves of the server pass to each other.

Must never hold behaviour. Fails never.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Now:
    """The two clocks, read once a turn: so that within a turn everything happens at one moment."""

    monotonic_ms: int
    """Never goes back; for timers only."""
    wall_ms: int
    """Milliseconds since 1970 UTC; for what people and the disk see. May jump."""
