"""The slack of a turn: how much of it goes to what may wait for the next one.

Whoever is in and asks for little is served in the turn in which he is heard. Everything else shares
one bound in each turn, in microseconds: what somebody asks for beyond a few frames, lists of users,
newcomers, handshakes, those that were held back. What is left over comes in the next turn, and
between the two everybody is heard again. So however many want something, a turn stays short.

What things take is known and not measured while they run: so the same frames make the same turns on
every machine, and in every repetition of a simulation. Of each kind one is done in every turn,
slack or not: nothing waits for ever.

Must never be asked about what cannot wait. Fails never.
"""

from typing import Final

FRAME_US: Final = 15
HELD_US: Final = 100
NEWCOMER_US: Final = 50
SHAKE_US: Final = 250
"""What they take, about: a usual frame; to serve and answer a connection that was held back; to
take a connection, or refuse it; a step of a handshake. Measured, in plain Python 3.11, encrypted
with P-256. What lists and the like take is in `Session.cost_us`."""


class Slack:
    """Of one loop. Whoever does something that can wait looks at `left_us` first."""

    __slots__ = ("_us_per_turn_max", "left_us")

    def __init__(self, us_per_turn_max: int) -> None:
        self._us_per_turn_max = us_per_turn_max
        self.left_us = us_per_turn_max
        """Nothing more is begun at 0 or below."""

    def begin_turn(self) -> None:
        """All of it is there again."""
        self.left_us = self._us_per_turn_max
