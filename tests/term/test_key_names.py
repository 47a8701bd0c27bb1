import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from term.key_names import KeyNameError, parse_key
from term.keys import NAMED_KEYS, is_key, key_label


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("a", "a"),
        ("A", "A"),
        (" ", "Space"),
        ("^D", "C-d"),
        ("C-X", "C-x"),
        ("Ctrl-D", "C-d"),
        ("ctrl+d", "C-d"),
        ("Alt-x", "M-x"),
        ("meta-enter", "M-Enter"),
        ("M-<", "M-<"),
        ("M-A", "M-A"),
        ("f5", "F5"),
        ("pgdn", "PageDown"),
        ("RETURN", "Enter"),
        ("escape", "Esc"),
        ("Ctrl-Left", "C-Left"),
        ("^_", "C-_"),
    ],
)
def test_what_people_write(words: str, key: str) -> None:
    assert parse_key(words) == key


@pytest.mark.parametrize("key", sorted({*NAMED_KEYS, "C-a", "C-_", "M-Enter", "C-Left", "M-b"}))
def test_the_name_and_the_label_of_a_key_are_read_back(key: str) -> None:
    assert parse_key(key) == parse_key(key_label(key)) == key


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("C-s", "keep it for themselves"),
        ("^q", "keep it for themselves"),
        ("Alt-[", "begins the name of another key"),
        ("entr", 'Did you mean "Enter"?'),
        ("F13", "is not a key"),
        ("C-m", "is not a key"),
        ("", "Keys are a, A, ^D"),
        ("\x1b[31m", "is not a key"),
    ],
)
def test_what_is_no_key(words: str, said: str) -> None:
    with pytest.raises(KeyNameError) as raised:
        parse_key(words)
    assert said in str(raised.value)
    assert str(raised.value).isprintable()


@given(st.text(max_size=6))
def test_any_words_are_a_key_or_refused(words: str) -> None:
    with contextlib.suppress(KeyNameError):
        assert is_key(parse_key(words))
