import pytest

from msgd.events import EventKind
from msgd.exchange_core import REQUEST_MAX, Core
from tests.msgd.fake_server import Client, Server
from wire import frames
from wire.codes import MUST_UNDERSTAND, Code, NoticeKind
from wire.errors import RemoteProtocolError
from wire.messages import (
    Error,
    Hello,
    LoginRequest,
    LoginSuccess,
    Notice,
    Ping,
    Pong,
    Welcome,
)
from wire.states import State
from wire.tlv import encode


@pytest.fixture
def server() -> Server:
    return Server()


# ----- what is not understood, and what is broken -------------------------------------------------


def test_an_unknown_frame_is_answered_and_the_connection_goes_on(server: Server) -> None:
    bob = server.user("bob")
    bob.say_bytes(encode(999, encode(1, (7).to_bytes(4, "big"))))
    error = bob.last(Error)
    assert (error.code, error.fatal, error.request) == (Code.UNSUPPORTED, False, 7)
    assert "999" in error.text
    bob.say(Ping(8))
    bob.last(Pong)


def test_an_unknown_field_that_must_be_understood_is_answered(server: Server) -> None:
    bob = server.user("bob")
    field = MUST_UNDERSTAND | 77
    bob.say_bytes(
        encode(frames.frame_type(Ping(1)), encode(1, bytes(3) + b"\x05") + encode(field, b""))
    )
    error = bob.last(Error)
    assert (error.code, error.fatal, error.request) == (Code.UNSUPPORTED, False, 5)
    assert f"{field:#06x}" in error.text


def test_a_greeting_that_is_not_understood_ends_the_connection(server: Server) -> None:
    client = Client(server, "127.0.0.1:1")
    hello = frames.encode(Hello((1,), "test")) + encode(MUST_UNDERSTAND | 1, b"")
    client.say_bytes(encode(1, hello[6:]))
    error = client.last(Error)
    assert (error.code, error.fatal) == (Code.UNSUPPORTED, True)
    assert client.is_closed


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\xff" * 64, b"\x00\x01\x00\x00\x00\x01\x00"]
)
def test_bytes_that_are_no_protocol_are_told_so_and_the_connection_ends(
    server: Server, data: bytes
) -> None:
    client = Client(server, "127.0.0.1:1")
    client.say_bytes(data)
    assert client.last(Error).fatal
    assert client.is_closed
    assert "broke the protocol" in server.noted(EventKind.DISCONNECT)[0]
    assert not server.exchange.sessions


def test_one_who_breaks_the_protocol_loses_the_session_and_keeps_what_was_promised(
    server: Server,
) -> None:
    server.account("bob")
    alice = server.user("alice")
    alice.post(alice.message("bob"))
    alice.say_bytes(bytes(6))
    assert [type(message).__name__ for message in alice.inbox[1:]] == ["MessagePending", "Error"]
    assert alice.is_closed
    assert "alice" not in server.exchange.online
    assert server.user("bob").last(LoginSuccess).messages_waiting == 1


def test_a_session_that_is_closing_is_not_broken_a_second_time(server: Server) -> None:
    bob = server.user("bob")
    server.exchange.kick("bob", server.now)
    bob.session.connection.state = State.ONLINE
    before = len(bob.session.outbox)
    server.exchange.break_session(
        bob.session, RemoteProtocolError(Code.MALFORMED, "late"), server.now
    )
    assert len(bob.session.outbox) == before


def test_a_frame_that_no_client_may_send_is_our_own_bug(server: Server) -> None:
    bob = server.user("bob")
    with pytest.raises(AssertionError):
        server.exchange.receive(bob.session, Notice(1, "x"), server.now)


# ----- what the operator asks ---------------------------------------------------------------------


def test_a_kicked_user_is_told_and_may_come_again(server: Server) -> None:
    bob = server.user("bob")
    assert server.exchange.kick("bob", server.now)
    server.turn()
    error = bob.last(Error)
    assert (error.code, error.fatal) == (Code.KICKED, True)
    assert bob.is_closed
    assert server.noted(EventKind.DISCONNECT) == [f"{bob.session.label}: kicked by the operator"]
    server.user("bob")


def test_nobody_is_kicked_by_a_name_that_is_not_connected(server: Server) -> None:
    server.account("bob")
    assert not server.exchange.kick("bob", server.now)


def test_an_announcement_reaches_everybody_who_is_logged_in(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob", live=False)
    stranger = server.client()
    assert server.exchange.announce("back at noon\x1b[2J", server.now) == 2
    server.turn()
    for client in (alice, bob):
        notice = client.last(Notice)
        assert (notice.kind, notice.text) == (NoticeKind.ANNOUNCEMENT, "back at noon\x1b[2J")
    assert not stranger.inbox
    assert server.noted(EventKind.NOTICE)[0].isprintable()


def test_an_announcement_that_is_too_long_for_a_frame_is_cut(server: Server) -> None:
    bob = server.user("bob")
    server.exchange.announce("é" * 2_000, server.now)
    server.turn()
    assert bob.last(Notice).text == "é" * 512


def test_a_shutdown_is_told_to_all_and_ends_every_session(server: Server) -> None:
    alice, stranger = server.user("alice"), server.client()
    ungreeted = Client(server, "127.0.0.1:1")
    server.advance(5_000)
    server.exchange.shut_down(server.now)
    server.turn()
    assert alice.last(Notice).kind == NoticeKind.SHUTTING_DOWN
    assert stranger.last(Notice).kind == NoticeKind.SHUTTING_DOWN
    assert not ungreeted.inbox
    assert all(client.is_closed for client in (alice, stranger, ungreeted))
    assert not server.exchange.sessions
    assert server.store.state.by_name["alice"].last_seen_ms == server.now.wall_ms


def test_a_shutdown_gives_nobody_a_name_that_another_had(server: Server) -> None:
    server.user("bob").answers_pings = False
    client = server.client()
    client.post(Ping(1))
    client.post(LoginRequest(1, "bob", b"laptop..", live=True))
    server.read()
    server.exchange.shut_down(server.now)
    server.turn()
    assert not client.all(LoginSuccess)
    assert client.is_closed


# ----- the seam with the loop ---------------------------------------------------------------------


def test_sessions_with_news_are_given_once_and_in_the_order_in_which_they_got_it(
    server: Server,
) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    assert not server.exchange.dirty
    bob.post(Ping(1))
    alice.post(Ping(2))
    alice.post(Ping(3))
    bob.feed()
    alice.feed()
    assert server.exchange.dirty == [bob.session, alice.session]
    assert server.exchange.take_dirty() == [bob.session, alice.session]
    assert server.exchange.take_dirty() == []
    assert [len(client.session.outbox) for client in (alice, bob)] == [2, 1]


def test_an_answer_that_rests_on_nothing_new_waits_for_nothing_new(server: Server) -> None:
    bob = server.user("bob")
    bob.post(Ping(1))
    server.read()
    ((lsn, _),) = bob.session.outbox
    assert lsn == server.store.durable_lsn


def test_greeting_before_anything_else_rests_on_what_is_durable(server: Server) -> None:
    client = Client(server, "127.0.0.1:1")
    client.say(Hello((1,), "test"))
    client.last(Welcome)
    assert server.store.open_lsn == server.store.durable_lsn + 1


def test_the_numbers_of_pings_start_again_and_are_never_0(server: Server) -> None:
    bob = server.user("bob")
    core: Core = server.exchange._core
    core._pings = REQUEST_MAX - 1
    for _ in range(2):
        core.ping(bob.session, server.now)
    assert [message for _, message in bob.session.outbox] == [Ping(REQUEST_MAX), Ping(1)]


def test_what_is_closing_is_not_heard(server: Server) -> None:
    bob = server.user("bob")
    server.exchange.kick("bob", server.now)
    before = len(bob.session.outbox)
    server.exchange.receive(bob.session, Ping(1), server.now)
    assert len(bob.session.outbox) == before


def test_the_tally_counts_what_people_ask_about(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    alice.refused(alice.message("nobody"))
    bob.confirm()
    tally = server.exchange.tally
    assert (tally.logins, tally.accepted, tally.refused) == (2, 1, 1)
    assert (tally.delivered, tally.settled) == (1, 1)
