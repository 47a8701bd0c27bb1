import pytest

from term.notice import Notice
from term.safe import Safe, safe_line

PLAIN = b"\x1b]9;New message from bob.\a"


@pytest.mark.parametrize(
    ("environment", "wanted", "sure"),
    [
        ({"TERM": "xterm-256color"}, PLAIN, True),
        ({"TERM": "foot"}, PLAIN, True),
        (
            {"TERM": "tmux-256color", "TMUX": "/tmp/x,1,0"},
            b"\x1bPtmux;\x1b\x1b]9;New message from bob.\a\x1b\\",
            False,
        ),
        ({"TERM": "screen", "STY": "1.x"}, b"\x1bP" + PLAIN + b"\x1b\\", False),
        ({"TERM": "screen-256color"}, b"\x1bP" + PLAIN + b"\x1b\\", False),
        ({"TERM": "linux"}, b"", False),
        ({"TERM": "vt100"}, b"", False),
        ({"TERM": "dumb"}, b"", False),
        ({}, b"", False),
    ],
)
def test_each_terminal_is_told_in_its_way(
    environment: dict[str, str], wanted: bytes, sure: bool
) -> None:
    notice = Notice(environment)
    assert notice.sequence(Safe("New message from bob.")) == wanted
    assert notice.is_sure is sure


@pytest.mark.parametrize(
    "words", ["\x1b]52;c;x\x07", "\x07\x1b\\[2J", "\x9c", "\u202eevil", "4;1;50"]
)
def test_nothing_in_the_words_ends_or_turns_the_sequence(words: str) -> None:
    for environment in ({"TERM": "xterm"}, {"TERM": "tmux", "TMUX": "x"}):
        data = Notice(environment).sequence(safe_line(f"From {words}"))
        inner = data.replace(b"\x1bPtmux;\x1b", b"").removesuffix(b"\x1b\\").lstrip(b"\x1b")
        assert inner.startswith(b"]9;From ")
        assert inner.endswith(b"\a")
        assert all(0x20 <= byte < 0x7F for byte in inner[:-1])


def test_words_that_begin_with_a_digit_mean_something_else_to_some() -> None:
    assert Notice({"TERM": "xterm"}).sequence(Safe("4;1;50")) == b""
    assert Notice({"TERM": "xterm"}).sequence(Safe("")) == b""


def test_a_line_is_not_longer_than_a_line() -> None:
    assert len(Notice({"TERM": "xterm"}).sequence(Safe("x" * 500))) < 100
