import pytest

from term.characters import MARKS, SHOWN, WIDTHS, escaped, is_mark, is_right_to_left, shown, width
from term.limits import CACHED_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("character", "looks"),
    [
        ("a", "a"),
        ("~", "~"),
        ("é", "é"),
        ("日", "日"),
        ("\u0301", "\u0301"),
        ("\0", "^@"),
        ("\x1b", "^["),
        ("\r", "^M"),
        ("\x7f", "^?"),
        ("\x85", "<85>"),
        ("\x9b", "<9B>"),
        ("\n", "␤"),
        ("\u2028", "␤"),
        ("\t", " "),
        ("\xa0", " "),
        ("\u3000", "  "),
        ("\u2800", " "),
        ("\u202e", "<RLO>"),
        ("\u2069", "<PDI>"),
        ("\u200e", ""),
        ("\u200d", ""),
        ("\ufe0f", ""),
        ("\U000e0041", ""),
        ("\u20dd", ""),
        ("\u0600", "<U+0600>"),
        ("\U000110bd", "<U+110BD>"),
        ("\ue000", "\ufffd"),
        ("\ufdd0", "\ufffd"),
        ("\uffff", "\ufffd"),
        ("\ud800", "\ufffd"),
        ("\u0378", "\ufffd"),
    ],
)
def test_each_class_of_characters_is_shown_in_its_own_way(character: str, looks: str) -> None:
    assert shown(character) == looks
    assert SHOWN[ord(character)] == looks


@pytest.mark.parametrize(
    ("character", "looks"),
    [
        ("a", "a"),
        ("日", "日"),
        ("\n", "\\n"),
        ("\t", "\\t"),
        ("\x1b", "\\x1b"),
        ("\x9b", "\\x9b"),
        ("\u202e", "\\u202e"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("\xa0", "\\xa0"),
    ],
)
def test_logs_show_escapes(character: str, looks: str) -> None:
    assert escaped(character) == looks


def test_widths_are_columns() -> None:
    assert [width(character) for character in "aé日\u0301\n\0"] == [1, 1, 2, 0, 0, 0]


def test_a_mark_is_drawn_on_what_is_before_it() -> None:
    assert is_mark("\u0301")
    assert is_mark("\u1161")  # a vowel of Hangul, drawn in the cell of its consonant
    assert is_mark("\u200d")
    assert not is_mark("\n")
    assert not is_mark("\0")
    assert not is_mark("\u202e")
    assert not is_mark("a")


def test_direction_controls_are_called_by_their_names() -> None:
    words = [shown(character) for character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068"]
    assert words == ["<LRE>", "<RLE>", "<PDF>", "<LRO>", "<RLO>", "<LRI>", "<RLI>", "<FSI>"]


def test_scripts_from_the_right_are_known() -> None:
    assert is_right_to_left("\u05d0")
    assert is_right_to_left("\u0627")
    assert not is_right_to_left("a")


@pytest.mark.parametrize("table", [WIDTHS, MARKS])
def test_what_strangers_can_make_us_remember_is_bounded(table: dict[str, int]) -> None:
    for code in range(0x20000, 0x20000 + CACHED_CHARACTERS_MAX + 10):
        table[chr(code)]
    assert len(table) <= CACHED_CHARACTERS_MAX


def test_the_table_of_looks_is_bounded_too() -> None:
    for code in range(0x20000, 0x20000 + CACHED_CHARACTERS_MAX + 10):
        SHOWN[code]
    assert len(SHOWN) <= CACHED_CHARACTERS_MAX
    assert SHOWN[0x1B] == "^["
