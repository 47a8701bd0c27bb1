"""The slack of a turn: how much of it goes to what may wait for the next one.

Whoever is in and has said little lately is served in the turn in which he comes. Everything else
has a bound in each turn, in microseconds: those who say much, so many of them; and all together
what somebody asks for beyond a few frames, lists of users, newcomers, handshakes, those that were
held back. What is left over comes in the next turn, and between the two whoever has said little is
heard again. So however many want something, a turn stays short.

What things take is known and not measured while they run: so the same frames make the same turns on
every machine, and in every repetition of a simulation. Of each kind one is done in every turn,
slack or not: nothing waits for ever.

Must never be asked about what cannot wait. Fails never.
"""

from typing import Final

from msgd.reactor_limits import ReactorLimits

FRAME_US: Final = 15
HEARD_US: Final = 100
HELD_US: Final = 100
NEWCOMER_US: Final = 50
SHAKE_US: Final = 250
"""What they take, about: a usual frame; to hear a connection, with the frames that it is sure of,
and to answer it; to let one go on that was held back; to take a connection, or refuse it, or end it
when its time is over; a step of a handshake. Measured, in plain Python 3.11, encrypted with P-256.
What lists and the like take is in `Session.cost_us`."""


class Slack:
    """Of one loop. Whoever does something that can wait looks at `left_us` first."""

    __slots__ = ("_limits", "crowd_us", "left_us", "quiet_us")

    def __init__(self, limits: ReactorLimits) -> None:
        self._limits = limits
        self.begin_turn()

    def begin_turn(self) -> None:
        """All of it is there again."""
        limits = self._limits
        self.left_us = limits.slack_us_per_turn_max
        """Nothing more is begun at 0 or below."""
        self.quiet_us = limits.quiet_us_per_turn_max
        """To hear those who have said little lately..."""
        self.crowd_us = limits.crowd_us_per_turn_max
        """...and all others. At 0 or below whoever else is there waits for the next turn."""
