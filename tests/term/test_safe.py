import functools
import unicodedata
from collections.abc import Iterator

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from term.limits import BODY_MARKS_MAX, LINE_MARKS_MAX
from term.safe import (
    Safe,
    has_right_to_left,
    safe_bytes,
    safe_line,
    safe_log,
    safe_text,
)
from term.width import columns
from tests.examples import some

EVERY_CODE_POINT = 0x110000
CHUNK = 0x1000
ASSIGNED_MAX = 0x20000  # beyond stand planes of one kind each; the tags at E0000 are met too
MANY = "A{0}{0}{0}{0}{0}{0}B"

# Written down a second time, as numbers, so that a slip in the filter is not repeated here.
DRAWS_NOTHING = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF), (0x2800, 0x2800)),
)

# Any text that Python can hold, rich in what hurts.
HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\0\x07\b\t\n\r\x1b[]\x7f\x85\x9b\x9c\u200d\u202e\u2028\u0301\u0e33\u3000日"
        ),
        st.characters(categories=("Mn", "Mc", "Me", "Cs", "Cf")),
    )
)


def slow(form: str) -> ParameterSet:
    return pytest.param(form, marks=pytest.mark.slow)


@functools.cache
def is_allowed(character: str) -> bool:
    code = ord(character)
    if code < 0x80:
        return 0x20 <= code < 0x7F
    return (
        unicodedata.category(character)[0] in "LMNPS"
        and unicodedata.category(character) != "Me"
        and wcwidth(character) >= 0
        and not any(first <= code <= last for first, last in DRAWS_NOTHING)
    )


def assert_harmless(text: str) -> None:
    forbidden = {character for character in set(text) if not is_allowed(character)}
    assert not forbidden, sorted(map(ascii, forbidden))


def chunks() -> Iterator[list[str]]:
    assigned, rest = range(0, ASSIGNED_MAX, CHUNK), range(ASSIGNED_MAX, EVERY_CODE_POINT, CHUNK)
    for start in (*assigned, *some(rest, 16)):
        yield [chr(code) for code in range(start, start + CHUNK)]


@pytest.mark.parametrize("form", ["{0}", *map(slow, ("{0}{0}", "A{0}", "{0}B", MANY))])
def test_every_code_point_becomes_harmless_in_one_line(form: str) -> None:
    for characters in chunks():
        line = safe_line("".join(form.format(character) for character in characters))
        assert_harmless(line)
        assert safe_line(line) == line


@pytest.mark.parametrize("form", [slow("{0}"), slow(MANY)])
def test_every_code_point_becomes_harmless_in_a_body(form: str) -> None:
    for characters in chunks():
        text = "".join(form.format(character) for character in characters)
        lines = safe_text(text, 10**6, 10**5).lines
        for line in lines:
            assert_harmless(line)
        assert safe_text("\n".join(lines), 10**6, 10**5).lines == lines


@pytest.mark.slow
def test_every_code_point_alone_is_harmless() -> None:
    for code in range(EVERY_CODE_POINT):
        line = safe_line(chr(code))
        assert all(map(is_allowed, line)), hex(code)
        assert safe_text(chr(code)).cut_bytes == 0


@pytest.mark.slow
def test_every_code_point_becomes_harmless_in_a_log() -> None:
    for characters in chunks():
        line = safe_log("".join(characters), 10**6)
        assert_harmless(line)
        assert safe_log(line, 10**6) == line


@given(HOSTILE)
def test_the_same_again_changes_nothing(text: str) -> None:
    assert safe_line(safe_line(text)) == safe_line(text)
    lines = safe_text(text).lines
    assert safe_text("\n".join(lines)).lines == lines
    assert safe_log(safe_log(text)) == safe_log(text)


@given(HOSTILE)
def test_no_text_gets_through(text: str) -> None:
    assert_harmless(safe_line(text))
    assert_harmless("".join(safe_text(text).lines))
    assert_harmless(safe_log(text))


@given(st.binary())
def test_no_bytes_get_through(data: bytes) -> None:
    assert_harmless(safe_bytes(data))


@given(HOSTILE, st.integers(0, 20))
def test_a_line_is_never_wider_than_asked(text: str, columns_max: int) -> None:
    line = safe_line(text, columns_max)
    assert columns(line) <= columns_max
    assert safe_line(line, columns_max) == line


@given(HOSTILE, st.integers(0, 20), st.integers(1, 5))
def test_a_body_is_never_longer_than_asked(text: str, columns_max: int, lines_max: int) -> None:
    shown = safe_text(text, columns_max, lines_max)
    assert len(shown.lines) <= lines_max
    # A mark without a base gets one to stand on, which is not counted when a line is cut.
    assert sum(map(columns, shown.lines)) <= columns_max + 1


def test_a_body_has_lines() -> None:
    assert safe_text("a\nb\r\nc\u2028d\u2029e\n").lines == ("a", "b", "c", "d", "e", "")
    assert safe_text("").lines == ("",)


def test_a_lone_carriage_return_is_seen() -> None:
    assert safe_text("all is well\rrm -rf").lines == ("all is well^Mrm -rf",)


def test_tabs_go_to_the_next_stop_of_a_body() -> None:
    assert safe_text("\ta\tbcd\t日\te").lines == ("    a   bcd 日  e",)
    assert safe_line("\ta\tb") == " a b"


def test_an_escape_sequence_is_seen_and_told() -> None:
    text = safe_text("\x1b[2J\x9b2J\x1b]0;title\x07")
    assert text.lines == ("^[[2J<9B>2J^[]0;title^G",)
    assert text.controls
    assert text.note() == "[control characters]"


def test_direction_controls_are_seen_and_told() -> None:
    text = safe_text("user\u202etxt.exe")
    assert text.lines == ("user<RLO>txt.exe",)
    assert text.directional
    assert text.note() == "[direction controls]"


def test_what_draws_nothing_is_removed_and_counted() -> None:
    text = safe_text("a" + "\u200b" * 9 + "b")
    assert text.lines == ("ab",)
    assert text.hidden == 9
    assert text.note() == "[9 hidden]"
    assert safe_text("a\u200db").note() == ""


def test_marks_stand_on_something_and_do_not_pile_up() -> None:
    assert safe_line("\u0301a") == "\u25cc\u0301a"
    assert safe_line("a" + "\u0301" * 40) == "a" + "\u0301" * LINE_MARKS_MAX
    assert safe_text("a" + "\u0301\u0302" * 20 + "b\n\u0301").lines == (
        "a" + ("\u0301\u0302" * 20)[:BODY_MARKS_MAX] + "b",
        "\u25cc\u0301",
    )


def test_a_long_line_is_cut_with_a_sign() -> None:
    assert safe_line("abcdef", 6) == "abcdef"
    assert safe_line("abcdefg", 6) == "abcde~"
    assert safe_line("日本語", 4) == "日~"
    assert safe_line("abc", 0) == ""


def test_a_long_body_is_cut_and_says_by_how_much() -> None:
    text = safe_text("abc\ndéf", columns_max=4)
    assert text.lines == ("abc", "d")
    assert text.cut_bytes == 3
    assert text.note() == "[+3 bytes]"
    text = safe_text("a\nb\nc\nd", lines_max=2)
    assert text.lines == ("a", "b")
    assert text.cut_bytes == 3
    assert safe_text("ab\ud800", columns_max=2).cut_bytes == 3


def test_a_tab_counts_for_the_cut() -> None:
    assert safe_text("a\tb\tc", columns_max=5).lines == ("a   b",)


def test_a_log_has_one_line_of_limited_length() -> None:
    assert safe_log("in\nout\x1b\u202e") == "in\\nout\\x1b\\u202e"
    assert safe_log("a" * 256) == "a" * 256
    assert safe_log("a" * 257) == "a" * 253 + "..."
    assert len(safe_log("\x1b" * 300, 50)) == 50
    assert safe_log("abc", 2) == ".."


def test_bytes_that_are_not_text_are_shown_as_bytes() -> None:
    assert safe_bytes(b"caf\xe9 caf\xc3\xa9\n") == "caf<E9> café␤"
    assert safe_bytes(b"\xff" * 9, 6) == "<FF><~"


def test_text_that_turns_the_row_around_is_known() -> None:
    assert has_right_to_left(Safe("see \u05d0"))
    assert not has_right_to_left(Safe("see é"))
    assert not has_right_to_left(Safe("see"))
