from hypothesis import example, given
from hypothesis import strategies as st

from term.safe import Safe, safe_line
from term.width import break_rows, clip, columns, pad, pad_left, wrap

LINES = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("a  日\u0301"))).map(
    safe_line
)
PLAIN = st.text("ab  ", max_size=60)


def test_columns_are_not_characters() -> None:
    assert columns(Safe("abc")) == 3
    assert columns(Safe("日本")) == 4
    assert columns(Safe("e\u0301")) == 1


def test_clip_does_not_halve_a_character() -> None:
    assert clip(Safe("日本"), 3) == "日"
    assert clip(Safe("e\u0301e\u0301"), 1) == "e\u0301"
    assert clip(Safe("abc"), 2) == "ab"
    assert clip(Safe("abc"), -1) == ""
    assert clip(Safe("日"), 0) == ""


@given(LINES, st.integers(0, 20))
def test_padding_gives_the_very_width(line: Safe, width: int) -> None:
    assert columns(pad(line, width)) == width
    assert columns(pad_left(line, width)) == width
    assert pad(line, width).startswith(clip(line, width))
    assert pad_left(line, width).endswith(clip(line, width))


def test_lines_are_broken_after_spaces() -> None:
    assert wrap(Safe("hello brave new world"), 10) == ("hello", "brave new", "world")
    assert wrap(Safe("  indented line"), 10) == ("  indented", "line")
    assert wrap(Safe("abcdefgh"), 3) == ("abc", "def", "gh")
    assert wrap(Safe("ab 日本語"), 5) == ("ab", "日本", "語")
    assert wrap(Safe(""), 5) == ("",)
    assert wrap(Safe("日a"), 1) == ("日", "a")


@given(LINES, st.integers(2, 20))
def test_rows_fit_and_lose_only_spaces(line: Safe, width: int) -> None:
    rows = wrap(line, width)
    # Spaces at the end of the line may hang over: clipping hides them.
    assert all(columns(Safe(row.rstrip(" "))) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == line.replace(" ", "")


@given(LINES, st.integers(1, 20))
@example(Safe(" \u03000"), 1)
def test_no_row_begins_with_a_mark(line: Safe, width: int) -> None:
    assert all(columns(Safe(row[0])) > 0 for row in wrap(line, width) if row)


@given(PLAIN, st.integers(1, 12))
def test_the_short_way_for_narrow_text_breaks_at_the_same_places(line: str, width: int) -> None:
    assert break_rows(line, None, width) == break_rows(line, (1,) * len(line), width)
