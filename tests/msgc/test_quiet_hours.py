import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgc.quiet_hours import DAY_MINUTES, QuietHours, QuietHoursError, parse_quiet_hours

MINUTES = st.integers(0, DAY_MINUTES - 1)


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("22:00-07:00", QuietHours(1_320, 420)),
        (" 9-17:30 ", QuietHours(540, 1_050)),
        ("0:00 - 6", QuietHours(0, 360)),
        ("none", None),
        ("", None),
        ("OFF", None),
    ],
)
def test_what_people_write(words: str, hours: QuietHours | None) -> None:
    assert parse_quiet_hours(words) == hours


@pytest.mark.parametrize(
    "words", ["22:00", "24:00-7:00", "7:60-8", "7-7", "-", "22-07-09", "x", "²-3"]
)
def test_what_is_no_span_of_a_day(words: str) -> None:
    with pytest.raises(QuietHoursError, match=r"."):
        parse_quiet_hours(words)


@given(MINUTES, MINUTES, MINUTES)
def test_the_rest_of_the_day_is_the_other_span(start: int, end: int, minute: int) -> None:
    if start != end:
        hours, rest = QuietHours(start, end), QuietHours(end, start)
        assert hours.holds(minute) != rest.holds(minute)
        assert hours.holds(start)
        assert not hours.holds(end)
        assert parse_quiet_hours(str(hours)) == hours
