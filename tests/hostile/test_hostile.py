"""The short form: all kinds of hostile clients, for half a minute.

How long the honest clients wait depends on what else the machine does, so that alone is left to
`scripts/hostile.sh` on a machine that does nothing else.
"""

from pathlib import Path

import pytest

from tests.hostile.attackers import KINDS
from tests.hostile.hostile import MEMORY_BYTES_MAX, RATIO_MAX, Figures, p99, run


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_half_a_minute_of_all_kinds_leaves_nothing_behind(tmp_path: Path) -> None:
    figures = run(tmp_path, seconds=25, clients=300, plain=False, calm_s=3, is_timed=False)
    assert figures.leaked == 0
    assert figures.exceptions == 0
    assert figures.failures == 0
    assert figures.memory_bytes <= MEMORY_BYTES_MAX
    assert figures.came > 300, "they came again"
    assert figures.answers > 500, "the honest ones went on"


def test_each_figure_can_fail() -> None:
    good = Figures(calm_ms=10, attack_ms=10 * RATIO_MAX, memory_bytes=MEMORY_BYTES_MAX)
    assert good.violations() == []
    assert len(Figures(calm_ms=10, attack_ms=10 * RATIO_MAX + 1).violations()) == 1
    assert len(Figures(memory_bytes=MEMORY_BYTES_MAX + 1).violations()) == 1
    assert len(Figures(leaked=1, exceptions=1, failures=1).violations()) == 3
    assert "ratio=2.00" in good.line()


def test_a_calm_in_which_times_are_far_apart_is_none() -> None:
    assert not Figures(calm_ms=10, calm_p50_ms=2).is_restless
    assert Figures(calm_ms=10.1, calm_p50_ms=2).is_restless


def test_p99_is_what_99_of_a_hundred_stay_below() -> None:
    assert p99([float(each) for each in range(100)]) == 99
    assert p99([7.0]) == 7


def test_every_kind_of_the_list_is_there() -> None:
    assert {"slow", "half", "deaf", "giant", "replay", "reset", "flood"} <= set(KINDS)
