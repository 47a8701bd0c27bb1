"""Who may make an account, by which password and invite; new passwords; reserved names."""

from dataclasses import replace

import pytest

from msgd.exchange_password import invite_hash
from msgd.limits import ExchangeLimits
from tests.msgd.fake_server import Client, Server
from tests.msgd.password_world import (
    CLOSED_TO_STRANGERS,
    DAY_MS,
    INVITE,
    Guest,
    create,
    server_with,
    verifier_of,
)
from wire.codes import Code, Registration
from wire.messages import (
    ChangePassword,
    CreateAccount,
    CreateFailure,
    CreateSuccess,
    DeletionRequest,
    DeletionSuccess,
    LoginFailure,
    LoginSuccess,
    Logout,
    PasswordChanged,
    PasswordFailure,
)

# ----- making accounts ----------------------------------------------------------------------------


def test_an_account_is_made_with_a_password_and_used_with_it() -> None:
    server = server_with()
    client = server.client()
    create(client, "Dave")
    assert client.last(CreateSuccess).username == "dave"
    assert isinstance(Guest(server).log_in("dave", "a new password"), LoginSuccess)


def refusal(client: Client) -> int:
    return client.last(CreateFailure).code


def test_an_account_needs_a_password() -> None:
    server = server_with()
    client = server.client()
    create(client, "dave", with_it=False)
    assert refusal(client) == Code.PASSWORD_NEEDED
    create(client, "bob")
    assert refusal(client) == Code.NAME_TAKEN
    create(client, "-")
    assert refusal(client) == Code.NAME_INVALID


def test_a_name_of_authority_is_the_operators_to_give() -> None:
    server = server_with()
    client = server.client()
    create(client, "Root")
    assert refusal(client) == Code.NAME_TAKEN
    before = client.last(CreateFailure).text
    server.store.create_account("root", server.now.wall_ms, verifier_of("the operator's own"))
    create(client, "root")
    assert client.last(CreateFailure).text == before, "nobody learns whether there is one"
    assert isinstance(Guest(server).log_in("root", "the operator's own"), LoginSuccess)
    server = Server()
    client = server.client()
    client.login("root")
    assert client.last(LoginSuccess).username == "root", "where a name is enough it says nothing"


@pytest.mark.parametrize(
    ("iterations", "good"),
    [(599_999, False), (600_000, True), (5_000_000, True), (5_000_001, False)],
)
def test_a_verifier_has_a_window_of_iterations(iterations: int, good: bool) -> None:
    server = server_with()
    client = server.client()
    keys = (bytes(16), iterations, bytes(32), bytes(32))
    client.say(CreateAccount(1, "dave", *keys))
    assert isinstance(client.inbox[-1], CreateSuccess if good else CreateFailure)
    bob = Guest(server)
    bob.log_in("bob", "bob's password")
    bob.client.say(ChangePassword(9, *keys))
    assert isinstance(bob.client.inbox[-1], PasswordChanged if good else PasswordFailure)


@pytest.mark.parametrize("missing", range(4))
def test_a_verifier_is_whole(missing: int) -> None:
    client = server_with().client()
    keys: list[bytes | int | None] = [bytes(16), 600_000, bytes(32), bytes(32)]
    keys[missing] = None
    client.say(CreateAccount(1, "dave", *keys))  # type: ignore[arg-type]  # of mixed types on purpose
    assert refusal(client) == Code.PASSWORD_REFUSED


def test_a_password_may_be_set_where_none_is_needed() -> None:
    server = Server()
    client = server.client()
    create(client, "dave")
    client.last(CreateSuccess)
    account = server.store.state.by_name["dave"]
    assert account.credential == verifier_of("a new password")
    client.login("dave")
    assert client.last(LoginSuccess).scram is None


def test_nobody_registers_where_it_is_closed() -> None:
    server = server_with(replace(CLOSED_TO_STRANGERS, registration=Registration.CLOSED))
    client = server.client()
    for name in ("bob", "dave"):
        create(client, name)
        assert refusal(client) == Code.REGISTRATION_CLOSED
    server = Server(limits=ExchangeLimits(registration=Registration.CLOSED))
    client = server.client()
    client.login("dave")
    assert client.is_refused(Code.UNKNOWN_USER)


def test_an_invite_is_good_for_one_account_and_told_before_the_name() -> None:
    server = server_with(replace(CLOSED_TO_STRANGERS, registration=Registration.INVITE))
    until_ms = server.now.wall_ms + DAY_MS
    server.store.make_invites([invite_hash(INVITE)], until_ms, server.now.wall_ms)
    client = server.client()
    create(client, "bob")
    assert refusal(client) == Code.INVITE_INVALID
    create(client, "bob", invite=bytes(16))
    assert refusal(client) == Code.INVITE_INVALID
    create(client, "bob", invite=INVITE)
    assert refusal(client) == Code.NAME_TAKEN
    create(client, "dave", invite=INVITE)
    client.last(CreateSuccess)
    create(client, "erin", invite=INVITE)
    assert refusal(client) == Code.INVITE_INVALID


@pytest.mark.parametrize(("after_ms", "good"), [(DAY_MS - 1, True), (DAY_MS, False)])
def test_an_invite_has_its_time(after_ms: int, good: bool) -> None:
    server = server_with(replace(CLOSED_TO_STRANGERS, registration=Registration.INVITE))
    now_ms = server.now.wall_ms
    server.store.make_invites([invite_hash(INVITE)], now_ms + DAY_MS, now_ms)
    server.clock.advance_to(server.clock.now_ms + after_ms)
    client = server.client()
    create(client, "dave", invite=INVITE)
    assert isinstance(client.inbox[-1], CreateSuccess if good else CreateFailure)


def test_an_invite_that_nobody_asks_for_is_kept() -> None:
    server = server_with()
    now_ms = server.now.wall_ms
    server.store.make_invites([invite_hash(INVITE)], now_ms + DAY_MS, now_ms)
    client = server.client()
    create(client, "dave", invite=INVITE)
    client.last(CreateSuccess)
    assert server.store.state.registry.count_invites(now_ms) == 1


# ----- changing, leaving --------------------------------------------------------------------------


def test_a_changed_password_is_the_only_one() -> None:
    server = server_with()
    guest = Guest(server)
    guest.log_in("bob", "bob's password")
    made = verifier_of("the new one", b"s" * 20)
    keys = (made.salt, made.iterations, made.stored_key, made.server_key)
    guest.client.say(ChangePassword(9, *keys))
    assert guest.client.last(PasswordChanged).request == 9
    guest.client.say(Logout(10))
    server.stop()
    server.start()
    assert isinstance(Guest(server).log_in("bob", "bob's password"), LoginFailure)
    assert isinstance(Guest(server).log_in("bob", "the new one"), LoginSuccess)
    shown = " ".join(event.text for event in server.all_events())
    assert made.stored_key.hex() not in shown


def test_who_is_being_deleted_changes_no_password() -> None:
    server = server_with()
    guest = Guest(server)
    guest.log_in("bob", "bob's password")
    server.store.begin_deletion(server.store.state.by_name["bob"], server.now.wall_ms)
    made = verifier_of("the new one")
    guest.client.say(
        ChangePassword(9, made.salt, made.iterations, made.stored_key, made.server_key)
    )
    assert guest.client.last(PasswordFailure).code == Code.BEING_DELETED


@pytest.mark.parametrize(("after_ms", "free"), [(DAY_MS - 1, False), (DAY_MS, True)])
def test_the_name_of_a_deleted_account_stays_reserved_for_its_time(
    after_ms: int, free: bool
) -> None:
    server = server_with(replace(CLOSED_TO_STRANGERS, name_reserved_ms=DAY_MS))
    guest = Guest(server)
    guest.log_in("bob", "bob's password")
    guest.client.say(DeletionRequest(9, "bob"))
    assert guest.client.all(DeletionSuccess)
    server.stop()
    server.start()
    server.clock.advance_to(server.clock.now_ms + after_ms)
    client = server.client()
    create(client, "bob")
    if free:
        client.last(CreateSuccess)
    else:
        assert refusal(client) == Code.NAME_TAKEN


def test_a_reserved_name_is_not_taken_by_a_login_either_and_is_free_when_the_operator_says_so() -> (
    None
):
    server = Server(limits=ExchangeLimits(name_reserved_ms=DAY_MS))
    server.user("bob").say(DeletionRequest(9, "bob"))
    client = server.client()
    client.login("bob")
    assert client.is_refused(Code.NAME_TAKEN)
    server.stop()
    server.limits = ExchangeLimits()
    server.start()
    server.user("bob")
