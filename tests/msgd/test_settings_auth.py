"""What a server asks for, by where it listens and by what the operator says."""

import pytest

from msgd.limits import ExchangeLimits
from msgd.settings import Layer, merge
from msgd.settings_auth import DAY_MS, unheeded, warning, with_auth, words
from wire.codes import Registration


def rules(*, is_local: bool, **options: str | int) -> ExchangeLimits:
    settings = merge([Layer("test", {"data": "d", **options})])
    return with_auth(
        settings.exchange_limits(),
        auth=settings.auth,
        registration=settings.registration,
        name_reserved_days=settings.name_reserved_days,
        is_local=is_local,
    )


def test_on_one_machine_a_name_is_enough() -> None:
    found = rules(is_local=True)
    assert found == ExchangeLimits()
    assert words(found) == "a login needs a name, everybody makes accounts"


def test_anywhere_else_it_takes_a_password_and_an_invite() -> None:
    found = rules(is_local=False)
    assert found.password_needed
    assert found.registration == Registration.INVITE
    assert found.name_reserved_ms == 30 * DAY_MS
    assert words(found) == "a login needs a password, accounts are made by invite"


@pytest.mark.parametrize("is_local", [True, False])
def test_the_operator_has_the_last_word(is_local: bool) -> None:
    found = rules(is_local=is_local, auth="password", registration="closed", name_reserved_days=0)
    assert (found.password_needed, found.registration) == (True, Registration.CLOSED)
    assert found.name_reserved_ms == 0
    found = rules(is_local=is_local, auth="open", name_reserved_days=9)
    assert (found.password_needed, found.registration) == (False, Registration.OPEN)
    assert found.name_reserved_ms == 0
    found = rules(is_local=is_local, auth="open", registration="invite")
    assert found.registration == Registration.INVITE
    assert "by invite" in words(found)


def test_what_counts_for_nothing_is_told() -> None:
    assert "counts for nothing" in unheeded(rules(is_local=True), 9)
    assert not unheeded(rules(is_local=True), 30)
    assert not unheeded(rules(is_local=True), 0)
    assert not unheeded(rules(is_local=False), 9)


def test_a_name_that_is_enough_for_other_machines_is_warned_of() -> None:
    assert "any user" in warning(rules(is_local=False, auth="open"), is_local=False)
    assert not warning(rules(is_local=True, auth="open"), is_local=True)
    assert not warning(rules(is_local=False), is_local=False)
