from collections.abc import Hashable

from hypothesis import given
from hypothesis import strategies as st

from term.list_view import ListView, ScrollView

COMMANDS = ["up", "down", "page_up", "page_down", "half_page_up", "half_page_down", "first", "last"]


def view_of(count: int, height: int) -> ListView:
    view = ListView()
    view.set_rows(range(count))
    view.set_height(height)
    return view


def selected_now(view: ListView) -> Hashable | None:
    """A property that mypy would otherwise believe to be what it was before."""
    return view.selected


def test_the_cursor_pulls_the_window() -> None:
    view = view_of(12, 8)
    assert (view.selected, view.position_text()) == (0, "[1-8 of 12]")
    view.move(8)
    assert (view.cursor, view.offset) == (8, 1)
    view.end()
    assert (view.selected, view.visible()) == (11, range(4, 12))
    view.home()
    assert view.visible() == range(8)


def test_pages_overlap_by_a_row() -> None:
    view = view_of(100, 10)
    view.page(1)
    assert view.cursor == 9
    view.half_page(-1)
    assert view.cursor == 4


def test_the_selected_row_stays_selected_and_in_its_place() -> None:
    view = ListView()
    view.set_rows([f"user{number}" for number in range(20)])
    view.set_height(5)
    view.move(10)
    view.move(-2)
    place = view.cursor - view.offset
    view.set_rows(["new", *[f"user{number}" for number in range(20)]])
    assert view.selected == "user8"
    assert view.cursor - view.offset == place


def test_the_top_stays_the_top_until_the_cursor_is_moved() -> None:
    view = ListView(stays_on_top=True)
    view.set_rows("nop")
    view.set_height(2)
    for rows in ("anop", "abnop"):
        view.set_rows(rows)
        assert (view.selected, view.offset) == ("a", 0)
    view.move(1)
    view.set_rows("aAbnop")
    assert (selected_now(view), view.offset) == ("b", 1)
    view.move(-5)
    view.set_rows("XaAbnop")
    assert selected_now(view) == "a", "moved to the first row is chosen, too"
    view.home()
    view.set_rows("0Aabnop")
    assert (selected_now(view), view.offset) == ("0", 0)


def test_when_it_goes_away_its_place_is_selected() -> None:
    view = ListView()
    view.set_rows("abc")
    view.move(1)
    view.set_rows("ac")
    assert view.selected == "c"
    view.set_rows("")
    assert view.position_text() == "[0 of 0]"
    assert selected_now(view) is None
    view.set_rows("xyz")
    assert selected_now(view) == "x"


def test_a_row_can_be_selected_by_name() -> None:
    view = view_of(50, 5)
    assert view.select(30)
    assert view.cursor == 30
    assert not view.select(50)
    assert view.cursor == 30


def test_commands_are_obeyed() -> None:
    view = view_of(50, 5)
    assert [view.handle(command) and view.cursor for command in COMMANDS] == [
        0,
        1,
        0,
        4,
        2,
        4,
        0,
        49,
    ]
    assert not view.handle("open")


@given(
    st.lists(
        st.one_of(
            st.sampled_from(COMMANDS),
            st.integers(-5, 20),
            st.lists(st.integers(0, 30), unique=True, max_size=30),
        )
    )
)
def test_nothing_brings_it_out_of_range(steps: list[str | int | list[int]]) -> None:
    view = ListView()
    for step in steps:
        if isinstance(step, str):
            view.handle(step)
        elif isinstance(step, int):
            view.set_height(step)
        else:
            kept = view.selected in step
            before = view.selected
            view.set_rows(step)
            assert not kept or view.selected == before
        view.check_invariants()


def test_a_text_scrolls_to_its_end() -> None:
    view = ScrollView()
    view.set_lines(12, 5)
    assert view.position_text() == "-- more 7 --"
    assert view.handle("page_down")
    assert view.visible() == range(4, 9)
    view.handle("last")
    assert (view.visible(), view.position_text()) == (range(7, 12), "[end]")
    view.handle("half_page_up")
    assert view.offset == 5
    view.handle("first")
    assert view.offset == 0
    assert not view.handle("open")


def test_a_log_is_followed_until_somebody_scrolls_up() -> None:
    view = ScrollView(follow=True)
    view.set_lines(3, 5)
    assert view.visible() == range(3)
    view.set_lines(30, 5)
    assert view.visible() == range(25, 30)
    view.move(-1)
    view.set_lines(40, 5)
    assert view.visible() == range(24, 29)
    assert not view.follow
