from datetime import UTC, timedelta, timezone

import pytest

from msgc.view_text import Times, after, ago, duration, join_names, plural, size
from tests.msgc.screens.fake_desk import DAY_MS, MINUTE_MS, NOW_MS


@pytest.mark.parametrize(
    ("age_ms", "stamp"),
    [
        (0, "14:32:07"),
        (DAY_MS, "02-28 14:32:07"),
        (400 * DAY_MS, "2025-01-25 14:32"),
    ],
)
def test_stamps_have_the_date_when_it_is_not_today(age_ms: int, stamp: str) -> None:
    assert Times(UTC).stamp(NOW_MS - age_ms, NOW_MS) == stamp


def test_times_are_local() -> None:
    assert Times(timezone(timedelta(hours=5, minutes=30))).clock(NOW_MS) == "20:02:07"


@pytest.mark.parametrize("at_ms", [2**64 - 1, 10**17])
def test_a_time_that_no_calendar_has(at_ms: int) -> None:
    times = Times(UTC)
    assert times.clock(at_ms) == times.stamp(at_ms, NOW_MS) == times.full(at_ms) == "?"


@pytest.mark.parametrize(
    ("age_ms", "words"),
    [
        (-5, "now"),
        (4_999, "now"),
        (44_000, "44s ago"),
        (5 * MINUTE_MS, "5m ago"),
        (120 * MINUTE_MS, "2h ago"),
        (4 * DAY_MS + 120 * MINUTE_MS, "4d 02h ago"),
        (30 * DAY_MS, "30d ago"),
    ],
)
def test_ages(age_ms: int, words: str) -> None:
    assert ago(NOW_MS - age_ms, NOW_MS) == words


def test_small_words() -> None:
    assert duration(-1) == "0s"
    assert after(0, 1_000) == "at once"
    assert after(0, 90_000) == "after 1m"
    assert plural(1, "user") == "1 user"
    assert plural(12_345, "user") == "12,345 users"
    assert plural(2, "try", "tries") == "2 tries"
    assert size(311) == "311"
    assert size(65_536) == "64.0K"


def test_names() -> None:
    assert join_names(()) == "nobody"
    assert join_names(("a", "b")) == "a and b"
    assert join_names(("a", "b", "c", "d")) == "a, b, c and d"
    assert join_names(tuple("abcdefg")) == "a, b, c and 4 others"
