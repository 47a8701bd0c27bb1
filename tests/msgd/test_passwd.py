"""The shell's side of `msgd passwd`: what becomes of what was typed."""

from collections.abc import Callable

import pytest

from msgd import command_line
from msgd.command_line import UsageError
from msgd.options import SettingsError
from msgd.passwd import ask_password, make_passphrase, prepare
from msgd.verbs import ORDER_BYTES_MAX, Order
from wire.password import PasswordError, check_new_password
from wire.scram import make_verifier

GOOD = "a long enough password"


def typed(*words: str) -> Callable[[str], str]:
    rest = list(words)
    return lambda _: rest.pop(0)


def counting(count: int) -> bytes:
    return bytes(range(count))


def test_a_password_becomes_a_verifier_and_is_not_sent() -> None:
    order = command_line.parse(["passwd", "bob"]).order
    assert order is not None
    sent, made = prepare(order, typed(GOOD, GOOD), counting, twice=True)
    assert made == ""
    verifier = make_verifier(GOOD, bytes(range(16)), 600_000)
    assert sent == Order(
        "passwd",
        {
            "name": "bob",
            "create": False,
            "remove": False,
            "salt": verifier.salt.hex(),
            "iterations": 600_000,
            "stored_key": verifier.stored_key.hex(),
            "server_key": verifier.server_key.hex(),
        },
    )
    assert GOOD.encode() not in sent.encode()
    assert len(sent.encode()) < ORDER_BYTES_MAX


def test_a_password_that_is_made_is_told_once_and_long_enough() -> None:
    order = command_line.parse(["passwd", "bob", "--generate", "--create"]).order
    assert order is not None
    sent, made = prepare(order, typed(), counting, twice=True)
    assert made == "01234-56789-abcde-fghjk-mnpqr"
    assert made == make_passphrase(counting)
    check_new_password(made)
    assert sent.arguments["create"] is True
    assert made.encode() not in sent.encode()


def test_to_take_one_away_nothing_is_asked() -> None:
    order = command_line.parse(["passwd", "bob", "--remove"]).order
    assert order is not None
    assert prepare(order, typed(), counting, twice=True) == (order, "")


def test_typing_mistakes_change_nothing() -> None:
    with pytest.raises(PasswordError, match="two different"):
        ask_password(typed(GOOD, GOOD + "!"), "bob", twice=True)
    with pytest.raises(PasswordError, match="14 characters"):
        ask_password(typed("x" * 14), "bob", twice=True)
    assert ask_password(typed("x" * 15), "bob", twice=False) == "x" * 15


@pytest.mark.parametrize(
    "words", [["passwd"], ["passwd", "bob", "secret"], ["invite", "--count", "0"], ["invite", "x"]]
)
def test_what_makes_no_sense_is_refused(words: list[str]) -> None:
    with pytest.raises((UsageError, SettingsError), match=r"use:|takes a number"):
        command_line.parse(words)
