from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from tests.msgd.fake_server import Client, Server
from wire.codes import Code, Presence
from wire.messages import (
    AccountList,
    CreateAccount,
    DistributeMessage,
    Error,
    ListAccounts,
    LoggedOut,
    LoginRequest,
    LoginSuccess,
    Logout,
    Ping,
    Pong,
)

PHONE = b"phone..."
LAPTOP = b"laptop.."


def is_silent(client: Client) -> bool:
    return client.session.silent


# ----- leaving ------------------------------------------------------------------------------------


def test_logout_is_answered_and_the_name_is_free() -> None:
    server = Server()
    client = server.user("bob", installation=PHONE)
    client.say(Logout(9))
    assert client.last(LoggedOut).request == 9
    assert client.is_closed
    assert not server.exchange.online
    assert not server.exchange.sessions
    assert server.noted(EventKind.DISCONNECT) == [f"{client.session.label}: logged out"]
    server.user("bob", installation=LAPTOP)


def test_logout_is_answered_after_everything_before_it() -> None:
    server = Server()
    server.account("bob")
    client = server.user("alice")
    client.post(client.message("bob"))
    client.say(Logout(9))
    assert [type(message).__name__ for message in client.inbox[-2:]] == [
        "MessagePending",
        "LoggedOut",
    ]


def test_logout_without_a_login_is_answered_too() -> None:
    server = Server()
    client = server.client()
    client.say(Logout(4))
    assert client.last(LoggedOut).request == 4
    assert client.is_closed


def test_what_comes_after_logout_is_ignored() -> None:
    server = Server()
    client = server.user("bob")
    client.post(Logout(9))
    client.say(Ping(10))
    client.last(LoggedOut)


def test_a_dropped_connection_frees_the_name_and_notes_when_the_user_was_last_seen() -> None:
    server = Server()
    client = server.user("bob")
    server.advance(7_000)
    client.drop()
    assert server.store.state.by_name["bob"].last_seen_ms == server.now.wall_ms
    assert not server.exchange.online
    server.exchange.close_session(client.session, "again", server.now)
    assert len(server.noted(EventKind.DISCONNECT)) == 1


# ----- time ---------------------------------------------------------------------------------------


def test_a_connection_that_does_not_log_in_within_ten_seconds_is_closed() -> None:
    server = Server()
    silent = Client(server, "127.0.0.1:1")
    greeted = server.client()
    server.advance(9_999)
    assert not silent.is_closed
    server.advance(1)
    for client in (silent, greeted):
        assert client.is_closed
        error = client.last(Error)
        assert (error.code, error.fatal) == (Code.TOO_SLOW, True)
        assert "10 seconds" in error.text


def test_an_idle_session_is_asked_after_thirty_seconds_and_goes_on_when_it_answers() -> None:
    server = Server()
    client = server.user("bob")
    client.inbox.clear()
    server.advance(29_999)
    assert not client.inbox
    server.advance(1)
    assert len(client.all(Ping)) == 1
    server.advance(120_000)
    assert not client.is_closed
    assert not is_silent(client)
    assert len(client.all(Ping)) == 5


def test_a_session_that_does_not_answer_is_shown_as_silent_and_closed_after_45_seconds() -> None:
    server = Server()
    watcher = server.user("alice")
    client = server.user("bob")
    client.answers_pings = False
    server.advance(31_999)
    assert not is_silent(client)
    server.advance(1)
    assert is_silent(client)
    watcher.say(ListAccounts(5))
    assert [entry.presence for entry in watcher.last(AccountList).entries] == [
        Presence.ON,
        Presence.SILENT,
    ]
    assert server.noted(EventKind.WARN) == ["bob silent for 32 s, mail stays in the queue"]
    server.advance(12_999)
    assert client in server.clients
    server.advance(1)
    assert client.is_closed
    assert client.last(Error).code == Code.TOO_SLOW
    assert client.session.at_once
    assert "bob" not in server.exchange.online


def test_any_frame_of_a_silent_session_brings_it_back() -> None:
    server = Server()
    client = server.user("bob")
    client.answers_pings = False
    server.advance(40_000)
    assert is_silent(client)
    client.say(Pong(77))
    assert not is_silent(client)
    server.advance(29_000)
    assert not client.is_closed


def test_pings_follow_the_settings_even_when_they_are_odd() -> None:
    limits = ExchangeLimits(ping_idle_ms=1_000, silent_after_ms=100, dead_after_ms=60_000)
    server = Server(limits=limits)
    client = server.user("bob")
    client.inbox.clear()
    server.advance(10_000)
    assert len(client.all(Ping)) == 10


def stand_still(server: Server, for_ms: int) -> None:
    """The whole process does nothing for a while, as when the disk hangs."""
    server.turn()
    server.clock.advance_to(server.clock.now_ms + for_ms)
    server.turn()


def test_a_pause_of_the_server_itself_is_nobodys_silence() -> None:
    server = Server()
    bob, stranger = server.user("bob"), server.client()
    bob.answers_pings = False
    server.advance(5_000)
    stand_still(server, 60_000)
    assert bob in server.clients
    assert stranger in server.clients
    assert server.noted(EventKind.WARN) == ["the server stood still for 60000 ms"]
    server.advance(5_000)
    assert stranger.is_closed
    server.advance(25_000)
    assert bob.all(Ping)
    stand_still(server, 60_000)
    assert bob in server.clients
    server.advance(15_000)
    assert bob.is_closed


def test_a_pause_of_the_server_itself_never_ends_a_challenge() -> None:
    server = Server()
    holder = server.user("bob", installation=PHONE)
    holder.answers_pings = False
    client = server.newcomer("bob", LAPTOP)
    stand_still(server, 30_000)
    assert not client.inbox
    holder.say(Pong(1))
    assert client.is_refused(Code.IN_USE)


def test_a_challenge_that_began_right_after_a_pause_lasts_no_longer() -> None:
    server = Server()
    server.user("bob", installation=PHONE).answers_pings = False
    client = server.client()
    server.clock.advance_to(server.clock.now_ms + 30_000)
    client.post(LoginRequest(1, "bob", LAPTOP, live=True))
    client.installation = LAPTOP
    server.turn()
    server.advance(1_999)
    assert not client.inbox
    server.advance(1)
    client.last(LoginSuccess)


def test_timers_of_connections_that_came_and_went_are_not_kept() -> None:
    server = Server()
    for _ in range(1_000):
        server.client().drop()
    assert len(server.exchange._login._timers) <= 65
    late = server.client()
    server.advance(10_000)
    assert late.is_closed


def test_nothing_is_due_when_nobody_is_connected() -> None:
    server = Server()
    assert server.exchange.next_deadline_ms() is None
    server.exchange.tick(server.now)


def test_an_answer_to_a_ping_is_a_pong_with_its_number() -> None:
    server = Server()
    client = server.client()
    client.say(Ping(77))
    assert client.last(Pong).request == 77


def test_one_login_at_a_time_pushes_to_the_new_session_only() -> None:
    server = Server()
    alice = server.user("alice")
    old = server.user("bob", installation=PHONE)
    new = server.user("bob", installation=PHONE)
    alice.send("bob")
    assert not old.all(DistributeMessage)
    assert len(new.all(DistributeMessage)) == 1


def test_creating_an_account_while_waiting_for_a_login_is_answered() -> None:
    server = Server()
    server.user("bob", installation=PHONE).answers_pings = False
    client = server.client()
    client.post(CreateAccount(1, "carol"))
    client.post(LoginRequest(2, "bob", LAPTOP, create_if_new=True, live=True))
    server.advance(2_000)
    assert [type(message).__name__ for message in client.inbox] == [
        "CreateSuccess",
        "LoginSuccess",
    ]
