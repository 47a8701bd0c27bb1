"""The golden texts: every state of every screen, at three sizes, as it was approved."""

import pytest

from msgc.screens.keys import TABLES, document
from term.keys import KeyTable
from term.picture import plain
from term.width import columns
from tests.msgc.screens.states import GOLDEN, SIZES, STATES, picture_of

DIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("name", STATES)
def test_picture_is_as_approved(name: str) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert picture_of(STATES[name]) == golden, (
        "if this is wanted: python -m tests.msgc.screens.states"
    )


def test_no_golden_text_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STATES)


@pytest.mark.parametrize("name", STATES)
def test_picture_fits_every_window_and_holds_nothing_that_a_terminal_obeys(name: str) -> None:
    """Also after the window was too small: the same picture comes back."""
    top = STATES[name]().top
    first = plain(top.picture((24, 80)))
    for size in (*SIZES, (1, 1), (15, 200), (50, 59), (24, 80)):
        picture = top.picture(size)
        assert len(picture.rows) == size[0]
        for row in picture.rows:
            assert sum(columns(span.text) for span in row) <= size[1]
            for span in row:
                assert all(character >= " " and character != "\x7f" for character in span.text)
                assert not DIRECTIONAL & set(span.text)
        if picture.cursor is not None:
            assert 0 <= picture.cursor[0] < size[0]
            assert 0 <= picture.cursor[1] < size[1]
    assert plain(top.picture((24, 80))) == first


@pytest.mark.parametrize("name", STATES)
def test_every_key_of_the_footer_is_a_command(name: str) -> None:
    top = STATES[name]().top
    for binding in top.keys.bindings():
        assert all(top.keys.command(key) == binding.command for key in binding.keys)


def test_document_of_the_keys_is_that_of_the_tables() -> None:
    written = (GOLDEN.parents[3] / "docs" / "keys.md").read_text(encoding="utf-8")
    assert written.startswith(document()), (
        "(python -m msgc.screens.keys; echo; python -m msgd.panel.keys) > docs/keys.md"
    )


@pytest.mark.parametrize("table", [one.table for one in TABLES], ids=[one[0] for one in TABLES])
def test_every_screen_has_a_way_out_and_help(table: KeyTable) -> None:
    commands = {binding.command for binding in table.bindings()}
    assert "help" in commands
    assert {"C-c", "C-l", "C-z"} <= {key for binding in table.bindings() for key in binding.keys}
    assert commands & {"leave", "cancel", "no", "stay", "clear", "other"}
