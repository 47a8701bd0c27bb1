"""Numbers drawn by the million, as `random.Random` draws them, without its ways there.

Must never draw another number than `randrange` and `choice` do: the same seed is the same run.
"""

import random


def draw_below(rng: random.Random, end: int) -> int:
    """A number from 0 to `end` - 1."""
    bits = end.bit_length()
    drawn = rng.getrandbits(bits)
    while drawn >= end:
        drawn = rng.getrandbits(bits)
    return drawn
