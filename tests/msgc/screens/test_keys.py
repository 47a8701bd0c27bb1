"""Keys that a person chose: what they are, and which are refused with which words."""

from collections.abc import Iterator

import pytest

from msgc.screens.keys import TABLES, KeyChoiceError, bind, document
from msgc.settings import KeyChoices
from term.keys import KeyTable

TABLE = {one.section: one.table for one in TABLES}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    for one in TABLES:
        one.table.restore()


def keys_of(section: str, command: str) -> set[str]:
    bindings = TABLE[section].bindings()
    return {key for binding in bindings if binding.command == command for key in binding.keys}


def test_a_command_has_the_keys_that_were_chosen_and_no_other() -> None:
    bind({"composer": {"send": ("^X", "alt+enter"), "discard": ("F8",)}})
    assert keys_of("composer", "send") == {"C-x", "M-Enter"}
    assert keys_of("composer", "discard") == {"F8"}
    assert TABLE["composer"].command("C-d") is None
    assert TABLE["composer"].command("C-x") == "send"


def test_an_inherited_command_is_rebound_on_one_screen_alone() -> None:
    bind({"menu": {"redraw": ("F5",)}})
    assert TABLE["menu"].command("F5") == "redraw"
    assert TABLE["menu"].command("C-l") is None
    assert TABLE["check"].command("C-l") == "redraw"


def test_all_reaches_every_screen_that_has_the_command() -> None:
    bind({"all": {"redraw": ("F5",), "leave": ("z", "F9")}})
    assert all(TABLE[one].command("F5") == "redraw" for one in TABLE)
    assert keys_of("history", "leave") == {"z", "F9"}
    assert keys_of("composer", "leave") == {"F9"}, "z is text there"


def test_a_screen_counts_more_than_all() -> None:
    bind({"all": {"redraw": ("F5",)}, "menu": {"redraw": ("F6",)}})
    assert keys_of("menu", "redraw") == {"F6"}
    assert keys_of("check", "redraw") == {"F5"}


def test_keys_may_be_swapped() -> None:
    bind({"composer": {"send": ("C-x",), "discard": ("C-d",)}})
    assert TABLE["composer"].command("C-d") == "discard"


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"compose": {}}, 'keys: there is no screen "compose". Did you mean "composer"?'),
        ({"composer": {"snd": ("F2",)}}, 'no command "snd". Did you mean "send"?'),
        ({"all": {"zzz": ("F2",)}}, 'keys.all: there is no command "zzz". Known: '),
        ({"composer": {"send": ("Ctrl-Shift-x",)}}, 'keys.composer.send: "Ctrl-Shift-x" is not'),
        ({"composer": {"send": ("PageUpp",)}}, 'Did you mean "PageUp"?'),
        ({"composer": {"send": ("^S",)}}, "some terminals keep it for themselves"),
        ({"composer": {"send": ()}}, "keys.composer.send: name one key at least."),
        ({"composer": {"send": ("^X",)}}, '^X is bound twice, to "send" and to "discard"'),
        ({"composer": {"send": ("^L",)}}, '^L is bound twice, to "send" and to "redraw"'),
        ({"composer": {"send": ("s",)}}, 's writes here, it cannot be "send"'),
        ({"choose-several": {"all": ("b",)}}, 'b writes here, it cannot be "all"'),
        ({"all": {"redraw": ("^D",)}}, "^D is bound twice"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(choices: KeyChoices, words: str) -> None:
    with pytest.raises(KeyChoiceError) as raised:
        bind({"menu": {"redraw": ("F5",)}, **choices})
    assert words in str(raised.value)
    assert all(one.table.bindings() == one.table.defaults() for one in TABLES)


def test_the_document_is_of_the_defaults() -> None:
    before = document()
    bind({"composer": {"send": ("F2",)}})
    assert document() == before


def test_every_table_has_a_name_of_its_own() -> None:
    assert len(TABLE) == len(TABLES)
    assert "all" not in TABLE


@pytest.mark.parametrize("table", TABLE.values(), ids=TABLE)
def test_every_command_can_be_given_a_free_key_and_is_found_by_it(table: KeyTable) -> None:
    for binding in table.defaults():
        table.rebind({binding.command: ("F12",)})
        assert table.command("F12") == binding.command
        shown = [one for one in table.bindings() if one.command == binding.command]
        assert [one.keys for one in shown] == [("F12",)]
        table.restore()
