"""Points in time: what is understood, and in whose zone."""

import time

import pytest

from msgc.command_options import UsageError
from msgc.command_times import point_ms

NOW_MS = 1_769_870_000_000


@pytest.fixture(autouse=True)
def _east(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-02", 22 * 3_600_000),
        ("1970-01-02T02:00", 24 * 3_600_000),
        ("1970-01-02 02:00:01", 24 * 3_600_000 + 1_000),
        ("1970-01-02T00:00Z", 24 * 3_600_000),
        ("3d", NOW_MS - 3 * 86_400_000),
        ("90s", NOW_MS - 90_000),
        ("1w", NOW_MS - 7 * 86_400_000),
    ],
)
def test_what_is_understood(text: str, at_ms: int) -> None:
    assert point_ms("--since", text, NOW_MS) == at_ms


@pytest.mark.parametrize("text", ["", "soon", "3", "1969-12-31", "9999-12-31", "0001-01-01", "3 d"])
def test_what_is_not(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        point_ms("--since", text, NOW_MS)
