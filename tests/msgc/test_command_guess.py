"""Which words look like a command typed wrong."""

import pytest

from msgc.command_guess import distance, nearest
from msgc.command_options import NAMES


@pytest.mark.parametrize(
    ("word", "command"),
    [
        ("chekc", "check"),
        ("lsit", "list"),
        ("Check", "check"),
        ("hstory", "history"),
        ("craete", "create"),
        ("alice", None),
        ("amy", None),
        ("bob", None),
        ("carol", None),
    ],
)
def test_nearest(word: str, command: str | None) -> None:
    assert nearest(word, NAMES) == command


def test_distance() -> None:
    assert [distance("ab", word) for word in ("ab", "ba", "b", "abc", "xy")] == [0, 1, 1, 1, 2]
