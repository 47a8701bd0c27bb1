"""The loop with encrypted connections: real TLS in memory, and every turn by hand."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from msgd.events import EventKind
from msgd.gate import GateLimits
from msgd.net import Wait
from msgd.os_tls import OsSecurity, TlsChannel
from msgd.reactor_limits import ReactorLimits
from msgd.values import Now
from tests.msgd.certificates import FIRST, FakeTlsClient, der, put
from tests.msgd.fake_machine import FAST, Bench, installation, message, of
from wire.certificate import read_binding
from wire.codes import Code
from wire.connection import Connection, Unsupported
from wire.messages import (
    DistributeMessage,
    Error,
    Hello,
    LoginRequest,
    LoginSuccess,
    Message,
    MessagePending,
    Ping,
    Pong,
    Welcome,
)
from wire.states import Role


class TlsUser:
    """A client of the bench that speaks MSGP over TLS."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.channel = bench.network.connect().channel
        self.tls = FakeTlsClient(self.channel)
        self.connection = Connection(Role.CLIENT)

    def shake(self) -> None:
        while not self.tls.shake():
            self.bench.settle()

    def is_closed(self) -> bool:
        return self.channel.closed

    def say(self, *messages: Message) -> None:
        for each in messages:
            self.tls.say(self.connection.send(each))

    def hear(self) -> list[Message | Unsupported]:
        self.connection.receive_data(self.tls.hear())
        new = []
        while (event := self.connection.next_event()) is not None:
            new.append(event)
        return new

    def log_in(self, name: str) -> None:
        self.shake()
        self.say(Hello((1,), "test"))
        self.bench.settle()
        assert of(Welcome, self.hear())
        self.say(LoginRequest(1, name, installation(name), create_if_new=True, live=True))
        self.bench.settle()
        assert of(LoginSuccess, self.hear())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return encrypted(tmp_path)


def encrypted(folder: Path, limits: ReactorLimits = FAST, gate: GateLimits | None = None) -> Bench:
    made = Bench(limits, gate=gate)
    made.network.security = OsSecurity(*put(folder), os.getuid())
    return made


def test_two_users_talk_and_a_session_knows_its_binding(bench: Bench) -> None:
    alice, bob = TlsUser(bench), TlsUser(bench)
    alice.log_in("alice")
    bob.log_in("bob")
    alice.say(message("alice", 1, "bob", b"secret words"))
    bench.settle()
    assert of(MessagePending, alice.hear())
    assert b"secret words" not in bob.channel.to_client
    (got,) = of(DistributeMessage, bob.hear())
    assert isinstance(got, DistributeMessage)
    assert got.body == b"secret words"
    sessions = bench.exchange.sessions.values()
    assert {session.binding for session in sessions} == {read_binding(der(FIRST))}


def test_who_has_not_shaken_hands_is_no_session(bench: Bench) -> None:
    user = TlsUser(bench)
    bench.settle()
    assert bench.reactor.connections == 0
    assert bench.exchange.sessions == {}
    bench.pass_time(4_999)
    assert not user.is_closed()
    assert bench.timeout_ms() == 1, "the loop wakes for it"
    bench.pass_time(1)
    assert user.is_closed()
    assert bench.noted(EventKind.REJECT) == [
        "connection from 127.0.0.1:40001: no handshake: not done after 5 s"
    ]


def test_the_time_to_log_in_runs_from_the_first_moment(bench: Bench) -> None:
    user = TlsUser(bench)
    user.tls.shake()
    bench.settle()
    bench.pass_time(4_000)
    user.shake()
    bench.settle()
    assert bench.reactor.connections == 1
    bench.pass_time(5_999)
    assert not user.is_closed()
    bench.pass_time(1)
    assert user.is_closed()


def test_words_that_came_with_the_handshake_are_heard_at_once(bench: Bench) -> None:
    """They are in OpenSSL's hands, where no poll sees them."""
    user = TlsUser(bench)
    user.tls.shake()
    bench.settle()
    assert user.tls.shake()
    user.say(Hello((1,), "test"))
    bench.turn()
    assert bench.timeout_ms() == 0
    bench.settle()
    assert of(Welcome, user.hear())


def test_what_was_decrypted_and_not_served_has_its_turn(tmp_path: Path) -> None:
    limits = replace(FAST, read_bytes_per_turn_max=4_000, frames_per_turn_max=1_000)
    bench = encrypted(tmp_path, limits)
    user = TlsUser(bench)
    user.log_in("alice")
    pings = b"".join(user.connection.send(Ping(request)) for request in range(1, 900))
    user.tls.say(pings)
    assert len(user.channel.to_server) < len(pings) + 100, "one record: nothing of it is readable"
    turns = 0
    (transport,) = bench.reactor._transports.values()
    while not transport.channel.has_pending:
        bench.turn()
        turns += 1
    assert bench.timeout_ms() == 0
    assert not bench.network.watched, "one read a turn, whatever the poll says"
    while user.channel.to_server or bench.timeout_ms() == 0:
        bench.turn()
        turns += 1
        assert turns < 100
    assert user.hear() == [Pong(request) for request in range(1, 900)]
    assert turns > 3


def test_who_takes_nothing_is_not_heard_though_words_are_pending(tmp_path: Path) -> None:
    limits = replace(FAST, read_bytes_per_turn_max=1_000, output_bytes_pause=1_000)
    bench = encrypted(tmp_path, limits)
    user = TlsUser(bench)
    user.log_in("alice")
    user.channel.room_bytes = 0
    user.tls.say(b"".join(user.connection.send(Ping(request)) for request in range(1, 500)))
    bench.settle()
    assert bench.timeout_ms() > 0, "no busy loop"
    (transport,) = bench.reactor._transports.values()
    assert transport.is_paused
    user.channel.room_bytes = None
    bench.settle()
    assert user.hear() == [Pong(request) for request in range(1, 500)]


def test_a_long_answer_goes_slice_by_slice(bench: Bench) -> None:
    alice, bob = TlsUser(bench), TlsUser(bench)
    alice.log_in("alice")
    bob.log_in("bob")
    bob.channel.room_bytes = 5_000
    for counter in range(1, 6):
        alice.say(message("alice", counter, "bob", bytes([counter]) * 40_000))
    heard: list[Message] = []
    for _ in range(200):
        bench.settle()
        heard += of(DistributeMessage, bob.hear())
    bodies = [each.body for each in heard if isinstance(each, DistributeMessage)]
    assert bodies == [bytes([counter]) * 40_000 for counter in range(1, 6)]


def test_a_plain_client_is_turned_away_and_noted(bench: Bench) -> None:
    client = bench.network.connect()
    client.say(Hello((1,), "test"))
    bench.settle()
    assert client.is_closed()
    assert client.hear() == [Error(Code.TLS_NEEDED, "this port speaks TLS", fatal=True)]
    (words,) = bench.noted(EventKind.REJECT)
    assert words == (
        "connection from 127.0.0.1:40001: no handshake: TLS failed: it does not speak TLS"
    )


def test_a_forged_record_ends_the_session_as_a_violation(bench: Bench) -> None:
    user = TlsUser(bench)
    user.log_in("alice")
    (transport,) = bench.reactor._transports.values()
    user.say(Ping(1))
    user.channel.to_server[-1] ^= 1
    bench.settle()
    assert user.channel.closed
    assert transport.is_violated
    assert "TLS failed: decryption failed" in bench.noted(EventKind.DISCONNECT)[0]


def test_a_forged_record_is_held_against_its_source(tmp_path: Path) -> None:
    bench = encrypted(tmp_path, gate=GateLimits(counts_this_machine=True))
    user = TlsUser(bench)
    user.log_in("alice")
    user.say(Ping(1))
    user.channel.to_server[-1] ^= 1
    bench.settle()
    again = TlsUser(bench)
    bench.settle()
    assert again.channel.closed
    assert "its source is being punished" in bench.noted(EventKind.REJECT)[0]


def test_an_end_without_a_goodbye_is_noted_and_no_violation(bench: Bench) -> None:
    user = TlsUser(bench)
    user.log_in("alice")
    (transport,) = bench.reactor._transports.values()
    user.channel.ended = True
    bench.settle()
    assert user.channel.closed
    assert not transport.is_violated
    assert "cut without a goodbye of TLS" in bench.noted(EventKind.DISCONNECT)[0]


def test_a_crowd_fills_the_house_before_it_has_shaken_hands(tmp_path: Path) -> None:
    bench = encrypted(tmp_path, replace(FAST, connections_max=2))
    users = [TlsUser(bench) for _ in range(3)]
    bench.settle()
    assert [user.channel.closed for user in users] == [False, False, True]
    assert users[2].channel.to_client == b"", "to say why would cost a handshake"


def test_the_end_of_the_server_is_told_and_said_goodbye(bench: Bench) -> None:
    user, slow = TlsUser(bench), TlsUser(bench)
    user.log_in("alice")
    bench.settle()
    bench.reactor.stop(bench_now(bench))
    bench.settle()
    assert slow.channel.closed
    assert user.channel.finished
    assert user.hear()
    assert user.tls.engine.read(10) == b"", "the goodbye of TLS"
    user.channel.ended = True
    bench.settle()
    assert bench.has_ended()


def bench_now(bench: Bench) -> Now:
    return Now(bench.clock.monotonic_ms(), bench.clock.wall_ms())


# ----- want-read in send, want-write in receive, as the loop sees them ----------------------------


def test_a_send_that_waits_for_bytes_is_made_again_when_some_come() -> None:
    bench = Bench()
    user = bench.user("alice")
    user.channel.send_answers.append(Wait.READ)
    user.say(Ping(1))
    bench.turn()
    assert user.hear() == []
    assert bench.network.is_watched(user) == (True, False)
    user.channel.to_server += b"\0"  # a byte that is no frame yet
    bench.turn()
    assert user.hear() == [Pong(1)]


def test_a_receive_that_waits_for_room_is_made_again_when_there_is() -> None:
    bench = Bench()
    user = bench.user("alice")
    user.channel.receive_answers.append(Wait.WRITE)
    user.say(Ping(1))
    bench.turn()
    assert bench.network.is_watched(user) == (False, True)
    bench.settle()
    assert user.hear() == [Pong(1)]
    assert bench.network.is_watched(user) == (True, False)


def test_both_at_once_come_to_rest() -> None:
    bench = Bench()
    user = bench.user("alice")
    user.channel.receive_answers += [Wait.WRITE, Wait.READ, Wait.WRITE]
    user.channel.send_answers += [Wait.READ, Wait.WRITE, Wait.READ]
    for request in range(1, 20):
        user.say(Ping(request))
        bench.settle()
    assert user.hear() == [Pong(request) for request in range(1, 20)]


def test_a_refusal_over_tls_is_closed_without_a_word(tmp_path: Path) -> None:
    bench = encrypted(tmp_path, replace(FAST, connections_max=1))
    first = TlsUser(bench)
    first.log_in("alice")
    second = TlsUser(bench)
    bench.settle()
    assert second.channel.closed
    assert not of(Error, first.hear())


def test_a_watched_channel_is_the_encrypted_one(bench: Bench) -> None:
    user = TlsUser(bench)
    user.log_in("alice")
    (channel,) = bench.network.watched
    assert isinstance(channel, TlsChannel)
