import re

import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from msgd.net import Ready, Wish
from msgd.reactor_limits import ReactorLimits
from msgd.values import Now
from store.errors import StoreFailure
from store.store import Store
from tests.msgd.fake_machine import Bench, message, of
from tests.sources_only import need_sources
from wire.codes import Code
from wire.messages import (
    CheckMessages,
    DistributeMessage,
    Error,
    Hello,
    ListAccounts,
    LoggedOut,
    Logout,
    MessagePending,
    Notice,
    Ping,
    Pong,
)

# ----- the order of a turn ------------------------------------------------------------------------


class OrderedStore:
    """A store that notes when it was asked what, among the sends of the network."""

    def __init__(self, store: Store, trace: list[str]) -> None:
        self._store = store
        self._trace = trace

    def commit(self) -> None:
        self._trace.append("commit" if self._store.has_pending else "nothing to commit")
        self._store.commit()

    def work(self, budget_ms: int) -> bool:
        self._trace.append("work")
        return self._store.work(budget_ms)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_an_answer_leaves_after_its_commit_and_in_the_same_turn() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    trace: list[str] = []
    need_sources()
    spy = OrderedStore(bench.store, trace)
    bench.reactor._store = spy  # type: ignore[assignment]  # a spy
    bench.reactor._upkeep._store = spy  # type: ignore[assignment]  # the same
    bench.clock.advance_to(bench.clock.now_ms + 1_000)  # so that a slice is due, whoever comes
    for user, name in ((alice, "alice"), (bob, "bob")):
        send = user.channel.send

        def noted(data: bytes | memoryview, name: str = name, send: object = send) -> object:
            trace.append(f"send to {name}")
            return send(data)  # type: ignore[operator]  # the bound method of above

        user.channel.send = noted  # type: ignore[method-assign, assignment]  # a spy
    alice.say(message("alice", 1, "bob"))
    bench.turn()
    assert trace == ["commit", "send to alice", "send to bob", "work"]
    assert len(of(MessagePending, alice.hear())) == 1
    assert len(of(DistributeMessage, bob.hear())) == 1


def test_nobody_hears_anything_of_a_commit_that_failed() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")

    def fail() -> None:
        raise StoreFailure("the disk is on fire")

    need_sources()
    bench.store.commit = fail  # type: ignore[method-assign]  # the disk fails at this very moment
    alice.say(message("alice", 1, "bob"))
    with pytest.raises(StoreFailure):
        bench.turn()
    assert alice.hear() == []
    assert bob.hear() == []


def test_what_arrived_together_is_one_commit_and_one_send_each() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    commits, sends = bench.store.status().commits, alice.channel.sends
    for counter in range(1, 51):
        alice.say(message("alice", counter, "bob", b"%d" % counter))
    bench.turn()
    assert bench.store.status().commits == commits + 1
    assert alice.channel.sends == sends + 1
    assert len(of(MessagePending, alice.hear())) == 50
    got = [one.body for one in of(DistributeMessage, bob.hear()) if hasattr(one, "body")]
    assert got == [b"%d" % counter for counter in range(1, 51)]


# ----- limits of a turn ---------------------------------------------------------------------------


def test_a_flood_is_served_in_slices_and_others_get_their_turn() -> None:
    bench = Bench(ReactorLimits(frames_per_turn_max=10))
    flood, other = bench.user("flood"), bench.user("other")
    for request in range(1, 36):
        flood.say(Ping(request))
    other.say(Ping(7))
    bench.turn()
    assert len(flood.hear()) == 10
    assert other.hear() == [Pong(7)]
    assert bench.timeout_ms() == 0
    assert bench.network.is_watched(flood) == (False, False), "not read while frames are left"
    bench.turn()
    assert len(flood.hear()) == 10
    bench.settle()
    assert flood.hear() == [Pong(request) for request in range(21, 36)]
    assert bench.network.is_watched(flood) == (True, False)


def test_a_frame_may_come_byte_by_byte() -> None:
    bench = Bench()
    client = bench.network.connect()
    client.channel.receive_bytes_max = 1
    client.say(Hello((1,), "test"))
    bench.settle()
    assert len(client.hear()) == 1


def test_who_does_not_read_its_answers_is_not_heard_until_it_does() -> None:
    bench = Bench(ReactorLimits(output_bytes_pause=1_000, frames_per_turn_max=8))
    user = bench.user("alice")
    user.channel.room_bytes = 0
    for request in range(1, 200):
        user.say(ListAccounts(request))
    bench.settle()
    transport = next(iter(bench.reactor._transports.values()))
    assert transport.is_paused
    assert bench.network.is_watched(user) == (False, True)
    waiting = len(transport.session.outbox)
    assert waiting == 0
    assert transport.output_bytes < 3_000, "bounded, whatever was asked"
    user.channel.room_bytes = None
    bench.settle()
    assert len(user.hear()) == 199


def test_who_takes_nothing_for_long_is_closed_and_keeps_its_mail() -> None:
    bench = Bench(rules=ExchangeLimits(ping_idle_ms=100_000, dead_after_ms=200_000))
    alice, bob = bench.user("alice"), bench.user("bob")
    bob.channel.room_bytes = 0
    alice.say(message("alice", 1, "bob"))
    bench.settle()
    bench.pass_time(29_999)
    assert not bob.is_closed()
    assert bench.timeout_ms() <= 1
    bench.pass_time(1)
    assert bob.is_closed()
    assert "took nothing of what was sent to it for 30 s" in bench.noted(EventKind.DISCONNECT)[0]
    again = bench.user("bob")
    again.say(CheckMessages(2))
    bench.settle()
    assert len(of(DistributeMessage, again.hear())) == 1


def test_a_slow_reader_that_takes_a_little_is_kept() -> None:
    bench = Bench(rules=ExchangeLimits(ping_idle_ms=100_000, dead_after_ms=200_000))
    alice, bob = bench.user("alice"), bench.user("bob")
    bob.channel.room_bytes = 100
    alice.say(message("alice", 1, "bob", b"x" * 500))
    bench.settle()
    for _ in range(8):
        bob.hear()
        bench.pass_time(20_000)
    bob.hear()
    assert len(of(DistributeMessage, bob.inbox)) == 1
    assert not bob.is_closed()


# ----- connections --------------------------------------------------------------------------------


def test_one_more_than_allowed_is_told_so() -> None:
    bench = Bench(ReactorLimits(connections_max=2))
    bench.client()
    bench.client()
    third = bench.network.connect()
    bench.settle()
    error = third.hear()[0]
    assert isinstance(error, Error)
    assert error.code == Code.TOO_MANY_CONNECTIONS
    assert error.fatal
    assert third.channel.finished
    third.end()
    bench.settle()
    assert third.is_closed()
    assert bench.reactor.connections == 2
    assert bench.noted(EventKind.REJECT) == [
        "connection from 127.0.0.1:40003: too many connections"
    ]


def test_a_refused_one_that_is_gone_already_is_let_go() -> None:
    bench = Bench(ReactorLimits(connections_max=1))
    bench.client()
    second = bench.network.connect()
    second.reset()
    bench.settle()
    assert second.is_closed()


def test_accepts_are_taken_in_slices() -> None:
    bench = Bench(ReactorLimits(accepts_per_turn_max=3))
    for _ in range(7):
        bench.network.connect()
    bench.turn()
    assert bench.reactor.connections == 3
    bench.turn(2)
    assert bench.reactor.connections == 7


def test_without_descriptors_the_listener_pauses_longer_each_time() -> None:
    bench = Bench()
    bench.network.accept_errors = 5
    bench.network.connect()
    pauses: list[int] = []
    bench.turn()
    while not bench.network.watches_listener:
        pauses.append(bench.timeout_ms())
        bench.clock.advance_to(bench.clock.now_ms + pauses[-1])
        bench.turn(2)
    assert pauses == [100, 200, 400, 800, 1_000]
    assert bench.reactor.connections == 1
    warnings = bench.noted(EventKind.WARN)
    assert warnings[0] == "cannot take connections: too many open files; next try in 100 ms"
    bench.network.accept_errors = 1
    bench.network.connect()
    bench.turn()
    assert bench.timeout_ms() == 100, "one that was taken ends the series"


def test_a_reset_ends_one_connection_and_nothing_else() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    alice.reset()
    bob.say(Ping(3))
    bench.settle()
    assert bob.hear() == [Pong(3)]
    assert alice.is_closed()
    assert not bench.network.is_watched(alice)[0]
    assert list(bench.exchange.online) == ["bob"]


def test_the_last_frame_before_the_end_of_the_stream_counts() -> None:
    bench = Bench()
    alice = bench.user("alice")
    bench.user("bob")
    alice.say(message("alice", 1, "bob"))
    alice.end()
    bench.settle()
    assert alice.is_closed()
    assert len(bench.noted(EventKind.SEND)) == 1


def test_a_broken_protocol_is_answered_and_then_closed_gently() -> None:
    bench = Bench()
    client = bench.network.connect()
    client.say_bytes(b"GET / HTTP/1.1\r\n\r\n")
    bench.settle()
    error = client.hear()[0]
    assert isinstance(error, Error)
    assert error.fatal
    assert client.channel.finished
    assert not client.is_closed(), "the peer may still read to the end"
    client.say_bytes(b"more of the same")
    bench.settle()
    assert client.channel.to_server == b""
    client.end()
    bench.settle()
    assert client.is_closed()
    assert bench.exchange.sessions == {}


def test_who_lingers_too_long_is_closed() -> None:
    bench = Bench()
    client = bench.user("alice")
    client.say(Logout(9))
    bench.settle()
    assert client.hear() == [LoggedOut(9)]
    assert not client.is_closed()
    bench.pass_time(2_000)
    assert client.is_closed()
    assert bench.network.watched == {}


def test_only_so_many_may_linger() -> None:
    bench = Bench(ReactorLimits(lingering_max=1))
    clients = [bench.user(name) for name in ("alice", "bob")]
    for client in clients:
        client.say(Logout(9))
    bench.settle()
    assert [client.is_closed() for client in clients] == [False, True]


def test_who_resets_while_lingering_is_let_go() -> None:
    bench = Bench()
    client = bench.user("alice")
    client.say(Logout(9))
    bench.settle()
    client.reset()
    bench.settle()
    assert client.is_closed()


def test_a_dead_peer_is_found_by_its_silence() -> None:
    bench = Bench()
    alice = bench.user("alice")
    bench.pass_time(30_000)
    assert len(of(Ping, alice.hear())) == 1
    bench.pass_time(15_000)
    assert bench.exchange.online == {}


# ----- waiting ------------------------------------------------------------------------------------


def test_an_idle_loop_sleeps_a_second_at_most() -> None:
    bench = Bench()
    bench.settle()
    assert 0 < bench.timeout_ms() <= 1_000
    bench.client()
    assert 0 < bench.timeout_ms() <= 1_000


def test_the_loop_wakes_for_the_rules_own_deadlines() -> None:
    bench = Bench(rules=ExchangeLimits(login_timeout_ms=300))
    client = bench.network.connect()
    bench.settle()
    assert bench.timeout_ms() == 300
    bench.pass_time(300)
    assert client.channel.finished or client.is_closed()


def test_what_the_store_finds_out_later_is_told_once() -> None:
    bench = Bench()
    bench.pass_time(1_000)
    bench.store.core.findings.append("mailboxes/00/x: a leftover\x1b was put aside")
    bench.pass_time(1_000)
    bench.pass_time(1_000)
    assert bench.noted(EventKind.WARN) == [r"mailboxes/00/x: a leftover\x1b was put aside"]


# ----- the end ------------------------------------------------------------------------------------


def test_a_signal_tells_the_clients_and_ends() -> None:
    bench = Bench()
    alice, bob = bench.user("alice"), bench.user("bob")
    bench.network.wishes.append(Wish.STOP)
    bench.turn()
    for user in (alice, bob):
        assert len(of(Notice, user.hear())) == 1
        assert user.channel.finished
        user.end()
    assert not bench.has_ended(), "they may still read"
    assert not bench.network.listens
    bench.turn()
    assert bench.has_ended()
    assert not bench.store.has_pending


def test_who_does_not_leave_is_not_waited_for_long() -> None:
    bench = Bench(ReactorLimits(shutdown_ms=1_000))
    alice = bench.user("alice")
    alice.channel.room_bytes = 0
    bench.network.wishes.append(Wish.STOP)
    bench.settle()
    assert not bench.has_ended()
    bench.clock.advance_to(bench.clock.now_ms + 1_000)
    bench.turn()
    assert bench.has_ended()
    assert alice.is_closed()


def test_a_second_signal_does_not_wait_at_all() -> None:
    bench = Bench()
    alice = bench.user("alice")
    alice.channel.room_bytes = 0
    bench.network.wishes.append(Wish.STOP)
    bench.turn()
    bench.network.wishes.append(Wish.STOP)
    bench.turn()
    assert bench.has_ended()
    assert alice.is_closed()
    assert not bench.store.has_pending


def test_run_ends_when_it_was_asked_to() -> None:
    bench = Bench()
    bench.network.wishes.append(Wish.STOP)
    bench.reactor.run()
    assert bench.has_ended()


def test_nobody_is_accepted_after_the_end_was_asked_for() -> None:
    bench = Bench()
    alice = bench.user("alice")
    bench.network.wishes.append(Wish.STOP)
    bench.turn()
    bench.network.listens = True
    bench.network.connect()
    bench.turn()
    assert bench.network.waiting
    alice.end()


# ----- log and face -------------------------------------------------------------------------------


def test_the_log_is_written_each_turn_and_reopened_when_asked() -> None:
    bench = Bench()
    bench.user("alice")
    lines = bench.output.data.decode().splitlines()
    assert any(re.search(r"Z CONNECT +alice from 127\.0\.0\.1:40001$", line) for line in lines)
    bench.network.wishes.append(Wish.REOPEN)
    bench.network.wishes.append(Wish.RESIZE)
    bench.turn()
    assert bench.output.reopened == 1


class FakeFace:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.wants_end = False
        self.has_more = False
        self.due_ms: int | None = None
        self.calls: list[str] = []

    def serve(self, ready: Ready, now: Now) -> bool:
        self.calls.append("serve")
        return self.wants_end

    def work(self, now: Now) -> bool:
        self.calls.append("work")
        return self.has_more

    def deadline_ms(self) -> int | None:
        return self.due_ms

    def end(self, now: Now) -> None:
        self.calls.append("end")


def test_a_face_is_served_and_may_work_each_turn() -> None:
    face = FakeFace()
    bench = Bench(face=lambda _: face)
    bench.turn()
    assert face.calls == ["serve", "work"]
    face.due_ms = bench.clock.now_ms + 40
    assert bench.timeout_ms() == 40
    face.has_more = True
    bench.turn()
    assert bench.timeout_ms() == 0


def test_a_face_may_end_the_server_and_is_told_of_it() -> None:
    face = FakeFace()
    bench = Bench(face=lambda _: face)
    face.wants_end = True
    bench.turn()
    assert bench.has_ended()
    assert face.calls == ["serve", "end", "work"]
