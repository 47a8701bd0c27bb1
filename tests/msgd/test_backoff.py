"""How long who was wrong must wait: doubling, at its most, forgotten."""

import pytest

from msgd.backoff import Backoff, BackoffLimits

HOME = (4, 1)
AWAY = (4, 2)


def test_a_second_doubling_to_300() -> None:
    backoff, now_ms, waits = Backoff(BackoffLimits()), 0, []
    for _ in range(11):
        waits.append(backoff.failed("bob", HOME, now_ms))
        now_ms += waits[-1]
    assert waits == [1_000 << each for each in range(9)] + [300_000, 300_000]


def test_at_its_end_one_may_try_and_a_moment_before_not() -> None:
    backoff = Backoff(BackoffLimits())
    backoff.failed("bob", HOME, 0)
    assert backoff.wait_ms("bob", HOME, 999) == 1
    assert backoff.wait_ms("bob", HOME, 1_000) == 0


def test_others_and_elsewhere_do_not_wait() -> None:
    backoff = Backoff(BackoffLimits())
    for _ in range(20):
        backoff.failed("bob", HOME, 0)
    assert backoff.wait_ms("bob", AWAY, 0) == 0
    assert backoff.wait_ms("bob", None, 0) == 0
    assert backoff.wait_ms("alice", HOME, 0) == 0
    assert backoff.wait_ms("bob", HOME, 300_000) == 0, "nobody is locked out for good"


@pytest.mark.parametrize(("at_ms", "wait_ms"), [(300_999, 2_000), (301_000, 1_000)])
def test_it_is_forgotten_300_seconds_after_its_end(at_ms: int, wait_ms: int) -> None:
    backoff = Backoff(BackoffLimits())
    backoff.failed("bob", HOME, 0)
    assert backoff.failed("bob", HOME, at_ms) == wait_ms


def test_success_forgets() -> None:
    backoff = Backoff(BackoffLimits())
    backoff.failed("bob", HOME, 0)
    backoff.succeeded("bob", HOME)
    backoff.succeeded("bob", HOME)
    assert backoff.wait_ms("bob", HOME, 0) == 0
    assert len(backoff) == 0


def test_the_table_has_a_most() -> None:
    backoff = Backoff(BackoffLimits(rows_max=3))
    for name in ("a", "b", "c", "a", "d"):
        backoff.failed(name, HOME, 0)
    assert len(backoff) == 3
    assert backoff.wait_ms("b", HOME, 0) == 0, "the oldest"
    assert backoff.wait_ms("a", HOME, 0) == 2_000
