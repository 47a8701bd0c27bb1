import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgd.panel import words


@pytest.mark.parametrize(
    ("age_ms", "text"),
    [
        (-5, "0s"),
        (999, "0s"),
        (44_000, "44s"),
        (12 * 60_000, "12m"),
        (3 * 3_600_000 + 20 * 60_000, "3h20m"),
        (4 * 86_400_000 + 2 * 3_600_000, "4d02h"),
        (123 * 86_400_000, "123d"),
    ],
)
def test_ages(age_ms: int, text: str) -> None:
    assert words.age_text(age_ms) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1_000, "1.0K"), (30_822, "30.1K"), (1 << 20, "1.0M")],
)
def test_sizes(count: int, text: str) -> None:
    assert words.bytes_text(count) == text


@given(st.integers(0, 1 << 50))
def test_sizes_and_ages_stay_in_their_columns(number: int) -> None:
    assert len(words.bytes_text(number)) <= 6
    assert len(words.age_text(number % (99_999 * 86_400_000))) <= 6


def test_huge_sizes_end_at_the_last_unit() -> None:
    assert words.bytes_text(5_000 << 50) == "5000P"


def test_other_numbers() -> None:
    assert words.up_text(3 * 86_400_000 + 4 * 3_600_000 + 12 * 60_000) == "3d 04:12"
    assert words.up_text(61_000) == "00:01:01"
    assert words.count_text(999_999) == "999999"
    assert words.count_text(1_500_000) == "1.5M"
    assert words.rate_text(0.44) == "0.4/s"
    assert words.rate_text(312.4) == "312/s"
    assert words.sync_text(230) == "0.2ms"
    assert words.sync_text(31_000) == "31ms"


@given(st.integers(-(1 << 63), 1 << 63))
def test_no_clock_is_too_odd(wall_ms: int) -> None:
    assert len(words.date_time_text(wall_ms)) == 20
    assert len(words.time_text(wall_ms)) == 8


def test_bars() -> None:
    assert words.spark_text((0, 1, 4, 8), ascii_only=True) == " .=@"
    assert words.spark_text((0, 8), ascii_only=False) == " █"
    assert words.spark_text((0, 0), ascii_only=False) == "  "
    assert words.spark_text((), ascii_only=False) == ""


@given(st.lists(st.integers(0, 1 << 40), max_size=40))
def test_a_bar_for_each_count(counts: list[int]) -> None:
    text = words.spark_text(tuple(counts), ascii_only=False)
    assert len(text) == len(counts)
    assert all((sign == " ") == (count == 0) for sign, count in zip(text, counts, strict=True))
