from dataclasses import replace

import pytest

from msgc.screens.menu import ITEMS, KEYS, Menu
from msgc.screens.screen import Screen
from msgc.screens.settings import Settings
from msgc.view_values import Phase, Standing
from tests.msgc.screens import states_sending as states
from tests.msgc.screens.fake_desk import FakeDesk, Person


class Doors:
    """Notes which door was opened; behind each is some screen."""

    def __init__(self, desk: FakeDesk) -> None:
        self.opened: list[str] = []
        self._desk = desk

    def of(self, command: str) -> Screen:
        self.opened.append(command)
        return Settings(self._desk)


def menu() -> tuple[Person, Doors]:
    desk = FakeDesk()
    doors = Doors(desk)
    commands = [item.command for item in ITEMS[:-2]]
    entries = {command: (lambda command=command: doors.of(command)) for command in commands}
    return Person(desk, Menu(desk, entries)), doors


@pytest.mark.parametrize("item", ITEMS[:-2], ids=lambda item: item.command)
def test_letter_and_digit_go_at_once(item: object) -> None:
    keys = {binding.command: binding.keys for binding in KEYS.bindings()}
    command = getattr(item, "command")  # noqa: B009 - the items are private values of the menu
    for key in keys[command]:
        person, doors = menu()
        person.press(key)
        assert doors.opened == [command]


def test_arrows_and_enter_go_in_two_steps() -> None:
    person, doors = menu()
    person.press("Down", "Enter")
    assert doors.opened == ["check"]


def test_begins_with_the_words_that_tell_the_connection() -> None:
    rows = menu()[0].see().splitlines()
    body = [row.strip() for row in rows[1:] if row.strip()]
    assert body[0] == "You are connected as alice."


def test_the_two_options_of_the_service_come_first() -> None:
    labels = [item.words for item in ITEMS]
    assert labels[:2] == ["Send message", "Check for messages"]


def test_q_quits_and_esc_does_not() -> None:
    person, _ = menu()
    person.press("Esc")
    assert person.desk.done == [("ask_accounts", "")]
    assert "q disconnects" in person.see()
    person.press("q")
    assert person.desk.done[-1] == ("quit",)


def test_after_a_refusal_r_connects_again() -> None:
    person, _ = menu()
    person.desk.look = replace(person.desk.look, standing=Standing(Phase.REFUSED))
    assert "r connects again" in person.see()
    person.press("r")
    assert person.desk.done[-1] == ("retry_now",)


def test_offline_says_what_happens_to_what_is_sent() -> None:
    assert "kept, and goes by itself" in states.menu_offline().see()
