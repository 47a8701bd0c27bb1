import pytest

from msgd.events import EventKind
from msgd.limits import CHALLENGE_WAITERS_MAX
from tests.msgd.fake_server import Client, Server
from wire.codes import Authentication, Code
from wire.messages import (
    AccountList,
    Error,
    Hello,
    ListAccounts,
    LoggedOut,
    LoginFailure,
    LoginRequest,
    LoginSuccess,
    Logout,
    Ping,
    Welcome,
)
from wire.states import State

PHONE = b"phone..."
LAPTOP = b"laptop.."


def is_silent(client: Client) -> bool:
    return client.session.silent


# ----- greeting -----------------------------------------------------------------------------------


def test_hello_is_answered_with_the_limits_and_the_stores_identity() -> None:
    server = Server()
    client = Client(server, "127.0.0.1:1")
    client.say(Hello((1, 2, 9), "test"))
    welcome = client.last(Welcome)
    assert welcome.version == 1
    assert welcome.server_id == server.store.store_id
    assert welcome.authentication == Authentication.NAME_ONLY
    assert welcome.server_time_ms == server.now.wall_ms
    assert (welcome.window_messages, welcome.window_bytes) == (256, 256 * 1024)
    assert (welcome.body_bytes_max, welcome.recipients_max) == (64 * 1024, 1_024)
    assert welcome.ping_interval_ms == 30_000


def test_no_common_version_ends_the_connection_and_says_which_are_spoken() -> None:
    server = Server()
    client = Client(server, "127.0.0.1:1")
    client.say(Hello((2, 3), "test"))
    error = client.last(Error)
    assert (error.code, error.fatal) == (Code.VERSION, True)
    assert "version 1" in error.text
    assert client.is_closed


# ----- login --------------------------------------------------------------------------------------


def test_a_new_name_is_registered_by_its_first_login() -> None:
    server = Server()
    client = server.client()
    client.login("bob")
    success = client.last(LoginSuccess)
    assert (success.username, success.created) == ("bob", True)
    assert success.account == server.store.state.by_name["bob"].number
    assert (success.messages_waiting, success.outcomes_waiting) == (0, 0)
    assert success.last_seen_ms is None
    assert server.noted(EventKind.CREATE) == [f"bob from {client.session.peer}"]
    assert server.noted(EventKind.CONNECT) == [f"bob from {client.session.peer}"]
    assert list(server.exchange.online) == ["bob"]


def test_a_name_used_before_is_the_same_account_again() -> None:
    server = Server()
    server.user("bob").drop()
    seen_ms = server.now.wall_ms
    server.advance(60_000)
    client = server.user("bob")
    success = client.last(LoginSuccess)
    assert success.created is False
    assert success.last_seen_ms is None or success.last_seen_ms == seen_ms
    assert server.store.state.names == ["bob"]


def test_login_tells_when_the_user_was_last_seen() -> None:
    server = Server()
    server.user("bob")
    server.advance(5_000)
    server.clients[0].drop()
    left_ms = server.now.wall_ms
    server.advance(60_000)
    assert server.user("bob").last(LoginSuccess).last_seen_ms == left_ms


def test_a_login_counts_as_being_seen_even_if_no_orderly_end_follows() -> None:
    server = Server()
    server.account("bob")
    server.advance(60_000)
    server.user("bob")
    seen_ms = server.now.wall_ms
    server.advance(5_000)
    assert server.store.state.by_name["bob"].last_seen_ms == seen_ms


def test_an_unknown_name_is_refused_unless_it_may_be_created() -> None:
    server = Server()
    client = server.client()
    client.login("bob", create=False)
    assert client.is_refused(Code.UNKNOWN_USER)
    assert not server.store.state.names
    client.login("bob")
    client.last(LoginSuccess)


@pytest.mark.parametrize("name", ["", "..", "../x", "a b", "b\x1b[2Jb", "böb", "a" * 33])
def test_a_name_that_may_not_be_is_refused_with_the_rule_and_escaped_in_the_log(name: str) -> None:
    server = Server()
    client = server.client()
    client.login(name)
    failure = client.last(LoginFailure)
    assert failure.code == Code.NAME_INVALID
    assert "a-z" in failure.text
    (text,) = server.noted(EventKind.REJECT)
    assert text.isprintable()
    assert text.endswith("name invalid")
    assert client.connection.state is State.READY


def test_names_are_folded_to_lower_case_and_the_answer_tells_the_folded_one() -> None:
    server = Server()
    client = server.client()
    client.login("BoB")
    assert client.last(LoginSuccess).username == "bob"
    assert server.store.state.names == ["bob"]


def test_login_tells_how_much_waits() -> None:
    server = Server()
    alice = server.user("alice")
    server.account("bob")
    alice.send("bob")
    alice.send("alice", "bob")
    alice.drop()
    bob = server.user("bob")
    assert bob.last(LoginSuccess).messages_waiting == 2
    bob.check()
    bob.confirm()
    alice = server.user("alice")
    success = alice.last(LoginSuccess)
    assert (success.messages_waiting, success.outcomes_waiting) == (1, 2)


# ----- a name in use ------------------------------------------------------------------------------


def test_a_name_in_use_is_refused_when_the_holder_answers() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    client = server.client()
    client.login("bob", installation=LAPTOP)
    failure = client.last(LoginFailure)
    assert failure.code == Code.IN_USE
    assert "choose another name" in failure.text
    holder.last(Ping)
    assert server.exchange.online["bob"] is holder.session
    assert server.noted(EventKind.REJECT) == [f"bob from {client.session.peer}: username in use"]
    client.login("bob2", installation=LAPTOP)
    client.last(LoginSuccess)


def test_nobody_is_refused_before_the_holder_has_answered() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.newcomer("bob", LAPTOP)
    assert not client.inbox
    holder.last(Ping)
    holder.say(ListAccounts(9))  # any frame is a sign of life
    assert client.is_refused(Code.IN_USE)
    holder.last(AccountList)


def test_a_holder_that_does_not_answer_in_two_seconds_is_closed_and_the_newcomer_admitted() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.newcomer("bob", LAPTOP)
    server.advance(1_999)
    assert not client.inbox
    server.advance(1)
    client.last(LoginSuccess)
    assert holder.is_closed
    assert holder.last(Error).code == Code.TOO_SLOW
    assert server.exchange.online["bob"] is client.session
    assert "silent session did not answer, closed" in server.noted(EventKind.CONNECT)[-1]


def test_the_same_installation_takes_over_its_own_session_at_once() -> None:
    server = Server()
    old = server.user("bob", installation=PHONE)
    old.answers_pings = False
    new = server.user("bob", installation=PHONE)
    error = old.last(Error)
    assert (error.code, error.fatal) == (Code.TAKEN_OVER, True)
    assert old.is_closed
    assert server.exchange.online["bob"] is new.session


def test_what_the_session_taken_over_had_not_confirmed_comes_again() -> None:
    server = Server()
    alice = server.user("alice")
    old = server.user("bob", installation=PHONE)
    alice.send("bob", body="one")
    assert old.bodies() == ["one"]
    new = server.user("bob", installation=PHONE)
    assert new.last(LoginSuccess).messages_waiting == 1
    new.check()
    assert new.bodies() == ["one"]
    assert new.deliveries() == old.deliveries()


def test_several_newcomers_wait_first_come_first_admitted() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    first = server.newcomer("bob", LAPTOP)
    server.advance(500)
    second = server.newcomer("bob", b"third...")
    assert len(holder.all(Ping)) == 1
    server.advance(1_500)
    first.last(Ping)  # at once asked for the second, who wants the name too
    assert first.all(LoginSuccess)
    assert second.is_refused(Code.IN_USE)


def test_too_many_newcomers_at_one_name_are_refused_at_once() -> None:
    server = Server()
    server.user("bob", installation=PHONE).answers_pings = False
    waiting = [server.newcomer("bob", b"%08d" % n) for n in range(CHALLENGE_WAITERS_MAX)]
    assert not any(client.inbox for client in waiting)
    assert server.newcomer("bob", LAPTOP).is_refused(Code.IN_USE)


def test_a_holder_that_closes_while_challenged_makes_room_at_once() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.newcomer("bob", LAPTOP)
    holder.drop()
    client.last(LoginSuccess)


def test_a_holder_that_logs_out_while_challenged_makes_room_at_once() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.newcomer("bob", LAPTOP)
    holder.say(Logout(9))
    client.last(LoginSuccess)
    holder.last(LoggedOut)


def test_a_newcomer_that_goes_while_it_waits_is_forgotten() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.newcomer("bob", LAPTOP)
    client.drop()
    server.advance(10_000)
    assert not holder.is_closed
    assert server.exchange.online["bob"] is holder.session


def test_the_first_of_two_newcomers_goes_and_the_second_is_admitted() -> None:
    server = Server()
    server.user("bob", installation=PHONE).answers_pings = False
    first = server.newcomer("bob", LAPTOP)
    second = server.newcomer("bob", b"third...")
    first.drop()
    server.advance(2_000)
    second.last(LoginSuccess)


def test_its_own_installation_comes_before_those_who_wait() -> None:
    server = Server()
    server.user("bob", installation=PHONE).answers_pings = False
    stranger = server.newcomer("bob", LAPTOP)
    own = server.user("bob", installation=PHONE)
    assert server.exchange.online["bob"] is own.session
    assert stranger.is_refused(Code.IN_USE)


def test_waiting_for_a_challenge_is_not_being_slow_to_log_in() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.client()
    server.advance(9_000)
    holder.say(Ping(1))
    client.post(LoginRequest(1, "bob", LAPTOP, create_if_new=True, live=True))
    client.installation = LAPTOP
    server.advance(2_000)
    client.last(LoginSuccess)
