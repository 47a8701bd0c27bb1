from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgd.wildcard import Wildcard

NAMES = st.text(alphabet="abz09.-_", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "bob", True),
        ("bob", "bob", True),
        ("bob", "bobby", False),
        ("bobby", "bob", False),
        ("b*", "bob", True),
        ("*b", "bob", True),
        ("*o*", "bob", True),
        ("*x*", "bob", False),
        ("b?b", "bob", True),
        ("b?b", "bb", False),
        ("?", "b", True),
        ("b**b", "bb", True),
        ("[abc]ob", "bob", True),
        ("[a-c]ob", "bob", True),
        ("[!a-c]ob", "bob", False),
        ("[^a-c]ob", "dob", True),
        ("[]b]ob", "bob", True),
        ("[!]b]ob", "bob", False),
        ("[a-]b", "-b", True),
        ("[z-a]ob", "bob", False),
        ("[bob", "bob", False),
        ("[]", "a", False),
        ("B*", "bob", True),
        ("[A-C]OB", "bob", True),
        ("b\\*", "b-", False),
        ("*.*", "a.b", True),
        ("", "a", False),
        ("é*", "e", False),
    ],
)
def test_wildcards_of_the_shell(pattern: str, name: str, matches: bool) -> None:
    assert Wildcard(pattern).matches(name) is matches


@given(st.text(alphabet="ab9.-_*?", max_size=10), NAMES)
def test_stars_and_question_marks_mean_what_the_standard_library_says(
    pattern: str, name: str
) -> None:
    assert Wildcard(pattern).matches(name) is fnmatchcase(name, pattern)


@given(st.text(alphabet="abz09-[]!*?", max_size=10), NAMES)
def test_sets_mean_what_the_standard_library_says(pattern: str, name: str) -> None:
    # Where its regular expressions differ from its own description is left out.
    if "--" in pattern or "[" in pattern.split("]", 1)[0][1:]:
        return
    assert Wildcard(pattern).matches(name) is fnmatchcase(name, pattern)


@given(st.text(max_size=255), NAMES)
def test_any_text_is_a_pattern(pattern: str, name: str) -> None:
    Wildcard(pattern).matches(name)


@given(st.text(alphabet="abz09.-_*?[]", max_size=12), NAMES)
def test_what_matches_begins_with_the_prefix(pattern: str, name: str) -> None:
    wildcard = Wildcard(pattern)
    if wildcard.matches(name):
        assert name.startswith(wildcard.prefix)


@given(NAMES)
def test_a_name_is_a_pattern_for_itself(name: str) -> None:
    assert Wildcard(name).prefix == name
    assert Wildcard(name).matches(name)


def test_a_pattern_longer_than_any_name_matches_nothing_but_many_stars_may() -> None:
    assert not Wildcard("?" * 33).matches("a" * 32)
    assert Wildcard("?" * 32).matches("a" * 32)
    assert Wildcard("*" * 255).matches("a" * 32)
    assert not Wildcard("*a" * 127).matches("a" * 32)


def test_the_work_for_a_name_does_not_grow_with_the_stars() -> None:
    """What blows up a backtracking matcher is a few dozen steps here; counted, not timed."""
    steps = 0

    class Counted(str):
        __slots__ = ()

        def __iter__(self) -> Iterator[str]:
            nonlocal steps
            for character in str.__str__(self):
                steps += 1
                yield character

    assert not Wildcard("a*" * 31 + "b").matches(Counted("a" * 32))
    assert steps <= 32


def test_a_prefix_is_known_as_one() -> None:
    for pattern in ("*", "ann*", "ann***", "a-b.c*"):
        assert Wildcard(pattern).is_prefix, pattern
    for pattern in ("", "ann", "*a", "a*n", "a?*", "?*", "[a]*b", "x" * 99 + "*"):
        assert not Wildcard(pattern).is_prefix, pattern
