"""The golden texts: every state of the panel, at three sizes, as it was approved."""

import pytest

from term.safe import Safe
from term.width import columns
from tests.msgd.panel.states import GOLDEN, SIZES, STATES, picture_of

DIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("name", STATES)
def test_picture_is_as_approved(name: str) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert picture_of(STATES[name]) == golden, (
        "if this is wanted: python -m tests.msgd.panel.states"
    )


def test_no_golden_text_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STATES)


@pytest.mark.parametrize("name", STATES)
def test_every_row_fits_and_holds_nothing_that_a_terminal_obeys(name: str) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    parts = golden.split("===== ")[1:]
    assert len(parts) == len(SIZES)
    for part, (height, width) in zip(parts, SIZES, strict=True):
        rows = part.splitlines()[1:]
        assert len(rows) == height
        for row in rows:
            assert columns(Safe(row)) <= width
            assert all(character >= " " and character != "\x7f" for character in row)
            assert not DIRECTIONAL & set(row)
        assert columns(Safe(rows[-1])) < width, "the last cell is never drawn"
