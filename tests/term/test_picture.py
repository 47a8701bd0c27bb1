from hypothesis import given
from hypothesis import strategies as st

from term.picture import (
    EMPTY,
    Picture,
    Span,
    Style,
    body_rows,
    clip_line,
    columns_of,
    compose,
    fit,
    is_too_small,
    line,
    plain,
    restyle,
    rule,
    spread,
)
from term.safe import Safe, safe_line

LINES = st.lists(st.text(max_size=10).map(safe_line).map(Span), max_size=5).map(tuple)

GOLDEN = """\
 msgc  alice                                         online

 > 1  s   Send message
   2  c   Check for messages











 Sent to 3 users: 1 delivered, 2 waiting.
 [alice] [online]                                     14:32
 Enter:choose  q:quit
"""


def picture(size: tuple[int, int], cursor: tuple[int, int] | None = None) -> Picture:
    return compose(
        size,
        spread(line(Safe(" msgc  alice")), line(Safe("online ")), size[1]),
        [EMPTY, line(Safe(" > 1  s   Send message")), line(Safe("   2  c   Check for messages"))],
        message=line(Safe(" Sent to 3 users: 1 delivered, 2 waiting.")),
        status=spread(line(Safe(" [alice] [online]")), line(Safe("14:32 ")), size[1]),
        keys=line(Safe(" Enter:choose  q:quit")),
        cursor=cursor,
    )


def test_a_frame_looks_so() -> None:
    assert plain(picture((18, 60))) == GOLDEN


def test_bars_are_reverse_from_edge_to_edge() -> None:
    rows = picture((18, 60)).rows
    for bar in (rows[0], rows[-2]):
        assert columns_of(bar) == 60
        assert all(Style.REVERSE in span.style for span in bar)


def test_the_cursor_is_placed_in_the_body() -> None:
    assert picture((18, 60), (1, 3)).cursor == (2, 3)
    assert picture((18, 60), (99, 99)).cursor == (15, 59)
    assert picture((18, 60)).cursor is None


def test_a_small_window_says_so() -> None:
    assert is_too_small((15, 60))
    assert is_too_small((16, 59))
    assert not is_too_small((16, 60))
    assert plain(picture((11, 52))).splitlines()[0] == (
        "window too small: 60x16 needed, this is 52x11"
    )


@given(LINES, LINES, st.integers(0, 40), st.integers(0, 100))
def test_no_window_and_no_text_breaks_a_frame(
    title: tuple[Span, ...], body: tuple[Span, ...], rows: int, columns: int
) -> None:
    made = compose((rows, columns), title, [body] * 50, message=body, status=title, keys=body)
    assert len(made.rows) == rows
    assert all(columns_of(spans) <= columns for spans in made.rows)
    assert made.columns == columns


def test_a_body_has_the_rows_that_the_frame_leaves() -> None:
    assert body_rows((24, 80)) == 20
    assert body_rows((2, 80)) == 0


@given(LINES, st.integers(0, 30))
def test_fitting_gives_the_very_width(spans: tuple[Span, ...], columns: int) -> None:
    assert columns_of(fit(spans, columns)) == columns
    assert columns_of(clip_line(spans, columns)) <= columns
    assert columns_of(spread(spans, spans, columns)) == columns


def test_clipping_keeps_styles() -> None:
    spans = line(Safe("ab"), Span(Safe("日本"), Style.BOLD), style=Style.DIM)
    assert clip_line(spans, 5) == (Span(Safe("ab"), Style.DIM), Span(Safe("日"), Style.BOLD))
    assert clip_line(spans, 3) == (Span(Safe("ab"), Style.DIM),)


def test_styles_add_up() -> None:
    assert restyle(line(Safe("a"), style=Style.RED), Style.REVERSE) == (
        Span(Safe("a"), Style.RED | Style.REVERSE),
    )


def test_a_rule_is_as_wide_as_asked() -> None:
    assert rule(3) == (Span(Safe("---")),)
