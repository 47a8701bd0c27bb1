import pytest

from term.keys import Binding, KeyTable, KeyTableError, Paste, character_of, is_key, key_label
from term.picture import Picture, columns_of, plain

GENERAL = KeyTable(
    [
        Binding(("?", "F1"), "help", "show the keys of this screen", "help"),
        Binding(("C-l",), "redraw", "draw the screen again"),
        Binding(("q", "Esc"), "back", "one level up", "back"),
    ]
)
INBOX = KeyTable(
    [
        Binding(("Enter",), "open", "read the message", "open"),
        Binding(("r",), "reply", "write to the sender", "reply"),
        Binding(("Esc",), "close", "close the message"),
    ],
    GENERAL,
)


def text(table: KeyTable, columns: int) -> str:
    return plain(Picture((table.footer(columns),), columns, None)).rstrip("\n")


def test_a_key_has_a_command() -> None:
    assert INBOX.command("r") == "reply"
    assert INBOX.command("F1") == "help"
    assert INBOX.command("x") is None
    assert INBOX.command(Paste("r")) is None


def test_own_keys_go_before_inherited_ones() -> None:
    assert INBOX.command("Esc") == "close"
    assert GENERAL.command("Esc") == "back"
    assert ("q",) in [binding.keys for binding in INBOX.bindings()]


def test_the_footer_shows_whole_labels_as_far_as_they_fit() -> None:
    assert text(INBOX, 80) == " Enter:open  r:reply  ?:help  q:back"
    assert text(INBOX, 29) == " Enter:open  r:reply  ?:help"
    assert text(INBOX, 28) == " Enter:open  r:reply"
    assert text(INBOX, 5) == ""
    for columns in range(60):
        assert columns_of(INBOX.footer(columns)) <= max(0, columns - 1)


def test_help_is_made_of_the_same_table() -> None:
    assert GENERAL.help_lines() == (
        "  ?, F1   show the keys of this screen",
        "  ^L      draw the screen again",
        "  q, Esc  one level up",
    )
    assert KeyTable([]).help_lines() == ()


@pytest.mark.parametrize(
    "key",
    [
        "C-s",
        "C-q",
        "C-i",
        "C-m",
        "C-h",
        "C-A",
        "C-Enter",
        "M-[",
        "M-O",
        "M-P",
        "Up ",
        "",
        "ab",
        " ",
        "\x1b",
        "M-",
        "F13",
        "M-Esc",
    ],
)
def test_keys_that_no_terminal_sends_cannot_be_bound(key: str) -> None:
    assert not is_key(key)
    with pytest.raises(KeyTableError):
        KeyTable([Binding((key,), "x", "x")])


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "é",
        "?",
        "Space",
        "C-a",
        "C-_",
        "C-Space",
        "M-x",
        "M-Enter",
        "M-Backspace",
        "C-Left",
        "M-Up",
        "F12",
        "BackTab",
    ],
)
def test_other_keys_can(key: str) -> None:
    assert KeyTable([Binding((key,), "x", "x")]).command(key) == "x"


def test_tables_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(KeyTableError, match="twice"):
        KeyTable([Binding(("a",), "x", "x"), Binding(("b", "a"), "y", "y")])
    with pytest.raises(KeyTableError, match="needs keys"):
        KeyTable([Binding((), "x", "x")])
    with pytest.raises(KeyTableError, match="needs keys"):
        KeyTable([Binding(("a",), "x", "")])


def test_labels_are_for_people() -> None:
    assert [key_label(key) for key in ("C-d", "C-Left", "M-Enter", "PageUp", "a")] == [
        "^D",
        "Ctrl-Left",
        "Meta-Enter",
        "PgUp",
        "a",
    ]


def test_some_keys_type() -> None:
    assert character_of("Space") == " "
    assert character_of("é") == "é"
    assert character_of("Enter") is None
    assert character_of(Paste("a")) is None
