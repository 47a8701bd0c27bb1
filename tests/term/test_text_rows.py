"""Rows that are kept while the text is edited: as if they were found anew each time."""

from hypothesis import given
from hypothesis import strategies as st

from term.text_rows import TextRows, columns_of

TEXTS = st.text(st.sampled_from("ab \n\n\tä漢字\u0301"), max_size=60)


def rows_of(text: str, columns: int) -> list[tuple[int, int]]:
    rows = TextRows()
    rows.update(text, columns)
    return [rows.row(number) for number in range(len(rows))]


def test_an_empty_text_is_one_row() -> None:
    assert rows_of("", 5) == [(0, 0)]
    assert TextRows().row(0) == (0, 0)


def test_rows_of_words_and_lines() -> None:
    assert rows_of("one two\n\nthree", 4) == [(0, 4), (4, 7), (8, 8), (9, 13), (13, 14)]


def test_a_tab_takes_columns() -> None:
    assert columns_of("a\tb") == 6
    assert columns_of("漢") == 2
    assert rows_of("\t\ta", 8) == [(0, 2), (2, 3)]


@given(TEXTS, st.lists(st.tuples(TEXTS, st.integers(2, 9)), max_size=6))
def test_kept_rows_are_those_found_anew(first: str, rest: list[tuple[str, int]]) -> None:
    kept = TextRows()
    kept.update(first, 5)
    for text, columns in rest:
        kept.update(text, columns)
        assert [kept.row(number) for number in range(len(kept))] == rows_of(text, columns)


@given(TEXTS, st.integers(0, 60), st.integers(0, 60), TEXTS)
def test_an_edit_anywhere(text: str, start: int, end: int, new: str) -> None:
    kept = TextRows()
    kept.update(text, 4)
    edited = text[:start] + new + text[max(start, end) :]
    kept.update(edited, 4)
    assert [kept.row(number) for number in range(len(kept))] == rows_of(edited, 4)
    spans = rows_of(edited, 4)
    for index in range(len(edited) + 1):
        number = kept.row_of(index)
        assert spans[number][0] <= index
        assert number + 1 == len(spans) or index < spans[number + 1][0]
