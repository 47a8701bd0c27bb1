"""What is drawn the short way is what `random.Random` draws: seeds mean the same runs."""

import random

from tests.sim.draw import draw_below


def test_the_same_numbers_in_the_same_order() -> None:
    short, long, chosen = (random.Random(7) for _ in range(3))
    for end in (*range(1, 70), 1_000, 3_001, 65_536):
        drawn = draw_below(short, end)
        assert drawn == long.randrange(end) == chosen.choice(range(end))
    assert short.getstate() == long.getstate() == chosen.getstate()
