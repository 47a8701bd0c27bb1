import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgd import names


@pytest.mark.parametrize("name", ["a", "7", "bob", "bob.smith", "a-b_c.d", "0-0", "a" * 32])
def test_names_that_may_be(name: str) -> None:
    assert names.is_valid(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 33,
        "-bob",
        "bob-",
        ".",
        "..",
        "_",
        "Bob",
        "b b",
        "b/b",
        "../etc/passwd",
        "bob\n",
        "bob\x00",
        "böb",
        "b\u202eob",
        "\u212aelvin",
    ],
)
def test_names_that_may_not_be(name: str) -> None:
    assert not names.is_valid(name)


def test_upper_case_is_folded_and_nothing_else() -> None:
    assert names.fold("BoB.Smith-7") == "bob.smith-7"
    # The Kelvin sign in lower case is a plain k: it must not become somebody's name.
    assert names.fold("\u212aelvin") == "\u212aelvin"


@given(st.text(max_size=40))
def test_any_text_is_judged_and_folding_twice_is_folding_once(text: str) -> None:
    folded = names.fold(text)
    assert names.fold(folded) == folded
    if names.is_valid(folded):
        assert folded.isascii()
        assert 1 <= len(folded) <= 32


def test_the_rule_says_what_is_allowed() -> None:
    for part in ("1 to 32", "a-z", "0-9", "begins and ends"):
        assert part in names.RULE


def test_names_that_are_the_operators_are_names() -> None:
    assert {"admin", "root", "system", "msgd", "postmaster"} <= names.RESERVED
    assert all(names.is_valid(name) and names.fold(name) == name for name in names.RESERVED)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("bob", "bob"),
        ("", "-"),
        ("x from 6.6.6.6:9: wrong", r"x\x20from\x206.6.6.6:9:\x20wrong"),
        ("a\nb\u00a0c\u2003d", r"a\nb\xa0c\u2003d"),
    ],
)
def test_in_a_log_a_name_is_one_word(name: str, word: str) -> None:
    assert names.logged(name) == word


@given(st.text(max_size=80))
def test_in_a_log_any_text_is_one_word(text: str) -> None:
    assert len(names.logged(text).split()) == 1
