"""Logins with a password: who gets in, who does not, and that a stranger learns nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from tests.examples import examples
from tests.msgd.fake_server import Client, Server
from tests.msgd.password_world import (
    CLOSED_TO_STRANGERS,
    Guest,
    create,
    server_with,
    verifier_of,
)
from tests.wire.test_scram import CERTIFICATE
from wire.codes import Authentication, Code, Registration
from wire.messages import (
    Error,
    Hello,
    LoginChallenge,
    LoginFailure,
    LoginProof,
    LoginRequest,
    LoginSuccess,
    Logout,
    Message,
    Ping,
    Pong,
    Welcome,
)
from wire.scram import read_challenge

# ----- greeting -----------------------------------------------------------------------------------


def welcome(limits: ExchangeLimits, binding: bytes | None = None) -> Welcome:
    client = Client(Server(limits=limits), "127.0.0.1:1")
    client.session.binding = binding
    client.say(Hello((1,), "test"))
    return client.last(Welcome)


def test_the_greeting_says_what_is_needed() -> None:
    found = welcome(CLOSED_TO_STRANGERS)
    assert found.authentication == Authentication.SCRAM_SHA_256
    assert (found.registration, found.channel_binding) == (Registration.OPEN, False)
    found = welcome(replace(CLOSED_TO_STRANGERS, registration=Registration.INVITE), CERTIFICATE)
    assert (found.registration, found.channel_binding) == (Registration.INVITE, True)


def test_where_a_name_is_enough_the_greeting_is_as_it_was() -> None:
    found = welcome(ExchangeLimits(), CERTIFICATE)
    assert found.authentication == Authentication.NAME_ONLY
    assert (found.registration, found.channel_binding) == (None, False)
    found = welcome(ExchangeLimits(registration=Registration.CLOSED))
    assert found.registration == Registration.CLOSED


# ----- logins -------------------------------------------------------------------------------------


@pytest.mark.parametrize("binding", [None, CERTIFICATE])
def test_who_knows_the_password_is_let_in_and_learns_that_the_server_knows_it(
    binding: bytes | None,
) -> None:
    server = server_with()
    guest = Guest(server, binding)
    success = guest.log_in("BOB", "bob's password")
    assert isinstance(success, LoginSuccess)
    assert success.username == "bob"
    assert success.scram is not None
    guest.scram.check(success.scram)
    assert guest.client.session.proven is None
    assert list(server.exchange.online) == ["bob"]
    assert server.noted(EventKind.CONNECT)


def test_a_wrong_password_may_be_tried_again_but_not_for_ever() -> None:
    server = server_with()
    guest = Guest(server)
    for _ in range(CLOSED_TO_STRANGERS.logins_failed_max - 1):
        failure = guest.log_in("bob", "a wrong one")
        assert isinstance(failure, LoginFailure)
        assert failure.code == Code.WRONG_PASSWORD
        assert not guest.client.is_closed
    assert isinstance(guest.log_in("bob", "bob's password"), LoginSuccess)
    guest = Guest(server)
    for _ in range(CLOSED_TO_STRANGERS.logins_failed_max):
        guest.log_in("bob", "a wrong one")
    error = guest.client.last(Error)
    assert (error.code, error.fatal) == (Code.TOO_MANY_ATTEMPTS, True)
    assert guest.client.all(LoginFailure)[-1].code == Code.WRONG_PASSWORD
    assert guest.client.is_closed
    assert "bob" in server.exchange.online


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_who_was_wrong_waits_before_the_next_try(name: str) -> None:
    server = server_with()
    Guest(server).log_in(name, "a wrong one")
    client = server.client()
    message = LoginRequest(1, name, bytes(8), scram=b"n,,n=,r=" + b"c" * 32)
    client.say(message)
    assert client.is_refused(Code.BUSY)
    server.advance(999)
    client.say(message)
    assert client.is_refused(Code.BUSY)
    server.advance(1)
    client.say(message)
    client.last(LoginChallenge)


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_many_connections_give_no_more_tries(name: str) -> None:
    server = server_with()
    first, *others = guests = [Guest(server) for _ in range(3)]
    for guest in guests:
        guest.ask(name)
    first.client.say(first.answer("a wrong one"))
    assert first.client.is_refused(Code.WRONG_PASSWORD)
    for guest in others:
        guest.client.say(guest.answer("bob's password"))
        assert guest.client.is_refused(Code.BUSY), "nor is it said which one was right"
    assert not server.exchange.online
    server.advance(1_000)
    assert isinstance(others[0].log_in("bob", "bob's password"), LoginSuccess)


def test_without_a_proof_nobody_is_let_in() -> None:
    server = server_with()
    client = server.client()
    for name in ("bob", "nobody"):
        client.login(name)
        assert client.is_refused(Code.PASSWORD_NEEDED)
    assert not server.exchange.online
    assert "nobody" not in server.store.state.by_name


def test_an_account_without_a_password_is_for_nobody() -> None:
    server = server_with()
    for password in ("", "a", "bob's password"):
        guest = Guest(server)
        guest.ask("carol")
        if password:
            guest.client.say(guest.answer(password))
            assert guest.client.is_refused(Code.WRONG_PASSWORD)


def shape(message: Message) -> tuple[object, ...]:
    """What can be told of a frame without knowing the numbers in it."""
    if isinstance(message, LoginChallenge):
        nonce, salt, iterations = read_challenge(message.scram)
        return type(message), message.request, len(message.scram), len(nonce), len(salt), iterations
    if isinstance(message, LoginFailure):
        return type(message), message.request, message.code, message.text
    if isinstance(message, Error):
        return type(message), message.code, message.text, message.fatal
    return (type(message),)


def transcript(server: Server, name: str) -> list[tuple[object, ...]]:
    """All that a stranger sees who tries a wrong password for a name, three times."""
    guest = Guest(server)
    for _ in range(3):
        guest.log_in(name, "a wrong password")
    return [shape(message) for message in guest.client.inbox]


def test_a_stranger_cannot_tell_who_is_there() -> None:
    """Known, unknown, without a password, being deleted, connected, banned: all look the same."""
    server = server_with()
    now_ms = server.now.wall_ms
    dave = server.store.create_account("dave", now_ms, verifier_of("dave's password"))
    server.store.begin_deletion(dave, now_ms)
    holder = Guest(server)
    holder.log_in("bob", "bob's password")
    holder.client.answers_pings = False
    heard = len(holder.client.inbox)
    before = len(server.all_events())
    seen = {name: transcript(server, name) for name in ("bob", "nobody", "carol", "dave")}
    assert len({tuple(each) for each in seen.values()}) == 1, seen
    assert len(holder.client.inbox) == heard, "a stranger must not have a holder pinged"
    kinds = {event.kind for event in server.all_events()[before:]}
    assert EventKind.REJECT in kinds


def salt_of(server: Server, name: str) -> bytes:
    guest = Guest(server)
    guest.ask(name)
    return read_challenge(guest.client.last(LoginChallenge).scram)[1]


def test_a_name_that_does_not_exist_has_the_same_salt_each_time_and_after_a_restart() -> None:
    server = server_with()
    salts = {name: salt_of(server, name) for name in ("nobody", "noone", "carol")}
    assert len(set(salts.values())) == 3
    assert salts == {name: salt_of(server, name) for name in salts}
    server.stop()
    server.start()
    assert salts == {name: salt_of(server, name) for name in salts}
    other = Server(limits=CLOSED_TO_STRANGERS)
    other.entropy.seed(99)
    other.store.state.registry.secret = b""
    assert salt_of(other, "nobody") != salts["nobody"]


def test_where_a_name_is_enough_nothing_is_written_for_strangers() -> None:
    server = Server()
    server.user("bob")
    assert server.store.state.registry.secret == b""


def test_create_if_new_makes_nobody() -> None:
    server = server_with()
    guest = Guest(server)
    guest.ask("dave", create=True)
    guest.client.say(guest.answer("any"))
    assert guest.client.is_refused(Code.WRONG_PASSWORD)
    assert "dave" not in server.store.state.by_name


@pytest.mark.parametrize(
    "scram", [b"rubbish", b"n,,n=bob,r=short", b"n,a=eve,n=bob,r=" + b"c" * 32]
)
def test_what_is_no_first_message_ends_the_connection(scram: bytes) -> None:
    client = server_with().client()
    client.say(LoginRequest(1, "bob", bytes(8), scram=scram))
    assert client.last(Error).code == Code.MALFORMED
    assert client.is_closed


@pytest.mark.parametrize("proof", [b"rubbish", b"c=biws,r=other,p=" + b"A" * 43 + b"="])
def test_what_is_no_proof_ends_the_connection(proof: bytes) -> None:
    guest = Guest(server_with())
    request = guest.ask("bob")
    guest.client.say(LoginProof(request, proof))
    assert guest.client.last(Error).code == Code.MALFORMED


def test_a_proof_is_for_its_own_request() -> None:
    guest = Guest(server_with())
    guest.ask("bob")
    guest.client.say(replace(guest.answer("bob's password"), request=77))
    assert guest.client.last(Error).code == Code.MALFORMED


def test_a_proof_is_good_once() -> None:
    server = server_with()
    guest = Guest(server)
    guest.ask("bob")
    proof = guest.answer("bob's password")
    guest.client.drop()
    other = Guest(server)
    request = other.ask("bob")
    other.client.say(replace(proof, request=request))
    assert other.client.last(Error).code == Code.MALFORMED


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(None, CERTIFICATE), (CERTIFICATE, None), (b"x" * 32, CERTIFICATE)],
)
def test_a_login_that_is_bound_to_something_else_is_refused(
    theirs: bytes | None, ours: bytes | None
) -> None:
    guest = Guest(server_with(), theirs)
    guest.client.session.binding = ours
    for _ in range(3):
        guest.ask("bob")
        if guest.client.all(LoginChallenge):
            guest.client.say(guest.answer("bob's password"))
    failures = guest.client.all(LoginFailure)
    assert [failure.code for failure in failures] == [Code.CHANNEL_BINDING] * 3
    assert guest.client.last(Error).code == Code.TOO_MANY_ATTEMPTS


def test_a_login_may_be_given_up_half_way() -> None:
    server = server_with()
    guest = Guest(server)
    guest.ask("bob")
    guest.client.say(Logout(9))
    assert guest.client.is_closed
    assert not server.exchange.online


def test_a_login_half_way_does_not_wait_for_ever() -> None:
    server = server_with()
    guest = Guest(server)
    guest.ask("bob")
    server.advance(CLOSED_TO_STRANGERS.login_timeout_ms)
    assert guest.client.last(Error).code == Code.TOO_SLOW


# ----- a name that is held ------------------------------------------------------------------------


def held(*, answers: bool) -> tuple[Server, Guest, Guest]:
    """bob is logged in on a laptop, and asks for his name from a phone with the right password."""
    server = server_with()
    holder, guest = Guest(server), Guest(server)
    holder.log_in("bob", "bob's password", installation=b"laptop..")
    holder.client.answers_pings = answers
    guest.ask("bob")
    assert not holder.client.all(Ping), "not before the proof"
    guest.client.say(guest.answer("bob's password"))
    return server, holder, guest


def test_a_holder_who_answers_keeps_the_name() -> None:
    _, holder, guest = held(answers=True)
    assert holder.client.all(Ping)
    assert guest.client.is_refused(Code.IN_USE)
    assert guest.client.session.proven is None
    assert not guest.client.session.wrong_logins


def test_a_holder_who_is_silent_loses_it_to_who_has_the_password() -> None:
    server, holder, guest = held(answers=False)
    server.advance(2_000)
    success = guest.client.last(LoginSuccess)
    assert success.scram is not None
    guest.scram.check(success.scram)
    assert holder.client.is_closed


@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_password_that_changes_while_somebody_waits_is_not_good_any_more(how: str) -> None:
    server, _, guest = held(answers=False)
    bob = server.store.state.by_name["bob"]
    credential = verifier_of("another") if how == "changed" else None
    server.store.set_credential(bob, credential, server.now.wall_ms)
    server.advance(2_000)
    assert guest.client.is_refused(Code.WRONG_PASSWORD)


def test_an_account_that_was_made_anew_meanwhile_is_another() -> None:
    server = server_with()
    guest = Guest(server)
    guest.ask("bob")
    bob = server.store.state.by_name["bob"]
    credential = bob.credential
    server.store.delete_account(bob, server.now.wall_ms)
    server.store.create_account("bob", server.now.wall_ms, credential)
    guest.client.say(guest.answer("bob's password"))
    assert guest.client.is_refused(Code.WRONG_PASSWORD)


def test_the_same_installation_takes_its_session_over() -> None:
    server = server_with()
    old, new = Guest(server), Guest(server)
    old.log_in("bob", "bob's password")
    assert isinstance(new.log_in("bob", "bob's password"), LoginSuccess)
    assert old.client.last(Error).code == Code.TAKEN_OVER


def test_who_is_being_deleted_is_told_so_after_the_proof() -> None:
    server = server_with()
    server.store.begin_deletion(server.store.state.by_name["bob"], server.now.wall_ms)
    failure = Guest(server).log_in("bob", "bob's password")
    assert isinstance(failure, LoginFailure)
    assert failure.code == Code.BEING_DELETED


# ----- everything in any order --------------------------------------------------------------------


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "prove", "wrong", "plain", "create", "ping", "pong", "time"]),
            st.sampled_from(["bob", "carol", "dave", "nobody"]),
        ),
        max_size=25,
    )
)
def test_only_who_knows_a_password_is_ever_let_in(steps: list[tuple[str, str]]) -> None:
    """Whatever is sent in whatever order, as far as the states allow it."""
    server = server_with()
    guests = [Guest(server), Guest(server)]
    knows = {"bob": "bob's password", "dave": "a new password"}
    for index, (what, name) in enumerate(steps):
        guest = guests[index % 2]
        client = guest.client
        if client.is_closed:
            guests[index % 2] = Guest(server)
            continue
        state = client.connection.state.value
        if what == "ask" and state == "ready":
            guest.ask(name)
        elif what in {"prove", "wrong"} and state == "challenged":
            right = what == "prove" and client.name in knows
            exists = client.name in server.store.state.by_name
            client.say(guest.answer(knows[client.name] if right else "a wrong one"))
            if any(isinstance(each, LoginSuccess) for each in client.inbox[-1:]):
                assert right
                assert exists
        elif what == "plain" and state == "ready":
            client.login(name)
            assert client.is_refused(Code.PASSWORD_NEEDED)
        elif what == "create" and state in {"ready", "online"}:
            create(client, "dave")
        elif what == "ping":
            client.say(Ping(1) if state != "closed" else Pong(1))
        elif what == "time":
            server.advance(500)
        for online, session in server.exchange.online.items():
            assert online in knows
            assert session.name == online
