"""Who is too fast waits and loses nothing; who is too slow is closed: at each limit."""

import pytest

from msgd.events import EventKind
from msgd.gate import GateLimits
from msgd.reactor_limits import ReactorLimits
from tests.msgd.fake_machine import FAST, Bench, message, of
from tests.msgd.fake_net import FakeClient
from wire.codes import Code
from wire.messages import (
    AccountList,
    Error,
    Hello,
    ListAccounts,
    LoginRequest,
    LoginSuccess,
    Logout,
    MessagePending,
    MessageReceipt,
    Ping,
    Pong,
    SendMessage,
)

RATED = ReactorLimits()
HEADER = b"\0\x20" + (60_000).to_bytes(4, "big")
"""Of a SEND_MESSAGE that would have 60,000 bytes."""


def pending(client: FakeClient) -> int:
    return len(of(MessagePending, client.hear()))


def post(client: FakeClient, first: int, count: int, name: str = "alice") -> None:
    client.say(*(message(name, counter, "bob") for counter in range(first, first + count)))


# ----- too fast -----------------------------------------------------------------------------------


def test_100_at_once_then_20_a_second_and_none_is_lost() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 150)
    bench.settle()
    assert pending(alice) == 100
    bench.pass_time(49)
    assert pending(alice) == 0
    bench.pass_time(1)
    assert pending(alice) == 1
    bench.pass_time(1_000)
    assert pending(alice) == 20
    bench.pass_time(2_000)
    assert pending(alice) == 29
    assert not alice.is_closed()


def test_after_a_pause_the_burst_is_there_again() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 100)
    bench.settle()
    bench.pass_time(5_000)
    assert pending(alice) == 100
    post(alice, 101, 101)
    bench.settle()
    assert pending(alice) == 100


def test_20_a_second_are_never_slowed() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    for counter in range(1, 400):
        post(alice, counter, 1)
        bench.settle()
        assert pending(alice) == 1
        bench.clock.advance_to(bench.clock.now_ms + 50)


def test_to_come_anew_is_no_way_to_send_more() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 100)
    bench.settle()
    alice.end()
    bench.settle()
    alice = bench.user("alice")
    post(alice, 101, 10)
    bench.settle()
    assert pending(alice) == 0
    bench.pass_time(499)
    assert pending(alice) == 9
    bench.pass_time(1)
    assert pending(alice) == 1


def test_others_do_not_wait_for_who_is_too_fast() -> None:
    bench = Bench(RATED)
    alice, carol, _ = bench.user("alice"), bench.user("carol"), bench.user("bob", live=False)
    post(alice, 1, 1_000)
    post(carol, 1, 100, "carol")
    bench.settle()
    assert pending(carol) == 100
    assert pending(alice) == 100


def test_what_was_sent_to_who_waits_still_comes() -> None:
    bench = Bench(RATED)
    alice, carol, _ = bench.user("alice"), bench.user("carol"), bench.user("bob", live=False)
    post(alice, 1, 101)
    alice.say(Ping(7))
    bench.settle()
    alice.hear()
    carol.say(SendMessage(1, b"carol".ljust(8, b"\0") + bytes(8), b"x", ("alice",)))
    bench.settle()
    assert [type(each).__name__ for each in alice.hear()] == ["DistributeMessage"]
    bench.pass_time(100)
    assert any(isinstance(each, Pong) for each in alice.hear())


def test_who_waits_may_go() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 150)
    bench.settle()
    assert bench.exchange.kick("alice", bench.now)
    bench.settle()
    bench.pass_time(10_000)
    assert alice.is_closed()
    assert bench.reactor.connections == 1


def test_without_a_limit_nobody_waits() -> None:
    bench = Bench(FAST)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 1_000)
    bench.settle()
    assert pending(alice) == 1_000


def test_2_mib_a_second_of_one_connection() -> None:
    bench = Bench(ReactorLimits(sends_per_second_max=0))
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    wave = [message("alice", counter, "bob", bytes([65]) * 60_000) for counter in range(1, 91)]
    alice.say(*wave)  # 5.4 MB
    bench.settle(2_000)
    at_once = pending(alice)
    assert 2 << 20 <= at_once * 60_000 <= (2 << 20) + 200_000
    bench.pass_time(1_000)
    second = pending(alice)
    assert 2 << 20 <= second * 60_000 + 200_000 <= (2 << 20) + 300_000
    bench.pass_time(3_000)
    assert at_once + second + pending(alice) == 90


def test_who_asks_for_list_after_list_has_a_share_and_no_more() -> None:
    bench = Bench(RATED)
    bench.user("bob")
    deaf = [bench.user(f"deaf{number}") for number in range(5)]
    for each in deaf:
        each.say(*(ListAccounts(number) for number in range(1, 2_001)))
    bench.settle(1_000)
    at_once = sum(len(of(AccountList, each.hear())) for each in deaf)
    page_us = 50 + 2 * 6
    assert 200_000 // (8 * page_us) <= at_once <= 200_000 // (8 * page_us) + 6
    bench.pass_time(2_000)
    later = [len(of(AccountList, each.hear())) for each in deaf]
    assert abs(sum(later) - 2_000_000 // (8 * page_us)) < 400
    assert min(later) > max(later) // 2, "each has its turn"
    assert not any(each.is_closed() for each in deaf)


def test_one_person_may_turn_forty_pages_at_once() -> None:
    bench = Bench(RATED)
    alice = bench.user("alice")
    alice.say(*(ListAccounts(number) for number in range(1, 41)))
    bench.settle(1_000)
    assert len(of(AccountList, alice.hear())) == 40


# ----- too slow -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "ms"),
    [
        (HEADER[:1], 11_000),  # of a header only 6 bytes are known to come
        (b"\0\x20" + (1_018).to_bytes(4, "big"), 11_000),  # 1,024 with its header
        (b"\0\x20" + (1_019).to_bytes(4, "big"), 12_000),
        (b"\0\x20" + (10_000).to_bytes(4, "big"), 20_000),
        (HEADER, 60_000),
    ],
)
def test_a_frame_has_10_seconds_and_1_for_each_kib_but_60_at_most(begin: bytes, ms: int) -> None:
    bench = Bench(FAST)
    alice = bench.user("alice")
    alice.say_bytes(begin)
    bench.settle()
    alive_ms = 0
    while alive_ms < ms - 1:  # it answers no ping, as its frame is not at its end
        step_ms = min(1_000, ms - 1 - alive_ms)
        bench.pass_time(step_ms)
        bench.exchange.online["alice"].heard_ms = bench.clock.now_ms
        alive_ms += step_ms
    assert not alice.is_closed()
    bench.pass_time(1)
    error = alice.hear()[-1]
    assert isinstance(error, Error)
    assert error.code == Code.TOO_SLOW
    assert alice.is_closed()
    assert "did not come to its end in time" in bench.noted(EventKind.DISCONNECT)[-1]


def test_each_frame_has_its_own_time() -> None:
    bench = Bench(FAST)
    alice = bench.user("alice")
    ping = Ping(1)
    data = alice.connection.send(ping)
    for _ in range(10):  # always the half of one is there
        alice.say_bytes(data[:5])
        bench.settle()
        bench.pass_time(9_000)
        alice.say_bytes(data[5:])
        bench.settle()
    assert not alice.is_closed()


def test_a_server_that_stood_still_blames_nobody() -> None:
    bench = Bench(FAST)
    alice = bench.user("alice")
    alice.say_bytes(HEADER[:3])
    bench.settle()
    bench.clock.advance_to(bench.clock.now_ms + 30_000)
    bench.settle()
    assert not alice.is_closed()


def test_who_is_made_to_wait_is_not_late() -> None:
    bench = Bench(RATED)
    alice, _ = bench.user("alice"), bench.user("bob", live=False)
    post(alice, 1, 400)
    data = alice.connection.send(message("alice", 401, "bob"))
    alice.say_bytes(data[:30])
    bench.settle()
    bench.pass_time(15_500)
    alice.say_bytes(data[30:])
    bench.settle()
    assert pending(alice) == 401
    assert not alice.is_closed()


def test_of_floods_of_halves_nothing_is_left() -> None:
    bench = Bench(FAST)
    for _ in range(300):
        client = bench.network.connect()
        client.say_bytes(b"\0")
        bench.settle()
        client.reset()
        bench.settle()
    assert len(bench.reactor._brakes._frames) <= 66


# ----- the gate in the loop -----------------------------------------------------------------------

COUNTING = GateLimits(counts_this_machine=True)


def test_the_ninth_of_a_source_is_told_and_closed() -> None:
    bench = Bench(gate=COUNTING)
    clients = [bench.client() for _ in range(8)]
    ninth = bench.network.connect()
    ninth.say(Hello((1,), "test"))
    bench.settle()
    (error,) = ninth.hear()
    assert isinstance(error, Error)
    assert error.code == Code.TOO_MANY_CONNECTIONS
    assert "of your network" in error.text
    assert "too many of its source" in bench.noted(EventKind.REJECT)[-1]
    clients[0].say(LoginRequest(1, "alice", b"12345678", create_if_new=True))
    bench.settle()
    assert isinstance(clients[0].hear()[-1], LoginSuccess)
    bench.client()


def test_who_breaks_the_protocol_is_shut_out_for_90_seconds() -> None:
    bench = Bench(gate=COUNTING)
    alice = bench.user("alice")
    bad = bench.client()
    bad.say_bytes(b"GET / HTTP/1.1\r\n\r\n")
    bad.end()
    bench.settle()
    again = bench.network.connect()
    bench.settle()
    assert again.is_closed()
    assert again.hear() == []
    assert not alice.is_closed(), "who is there already stays"
    bench.pass_time(89_000)
    again = bench.network.connect()
    bench.settle()
    assert again.is_closed()
    bench.pass_time(1_000)
    bench.client()
    rejected = bench.noted(EventKind.REJECT)
    assert any("its source is being punished" in text for text in rejected)


@pytest.mark.parametrize("excused", [True, False])
def test_15_that_come_and_go_without_a_login_are_too_many(excused: bool) -> None:
    bench = Bench(gate=COUNTING)
    for _ in range(15):
        client = bench.client()
        if excused:
            client.say(Logout(1))
            bench.settle()
        client.end()
        bench.settle()
    again = bench.network.connect()
    bench.settle()
    assert again.is_closed() is not excused


def test_memory_closes_the_door_and_opens_it_again() -> None:
    bench = Bench()
    bench.user("alice")
    bench.resident_bytes = (256 << 20) + 1_025
    bench.pass_time(1_000)
    assert bench.noted(EventKind.WARN) == ["too much memory is used, no new connections are taken"]
    refused = bench.network.connect()
    bench.settle()
    (error,) = refused.hear()
    assert isinstance(error, Error)
    assert "no memory" in error.text
    bench.resident_bytes -= 1
    bench.pass_time(1_000)
    assert "there is memory again, new connections are taken" in bench.noted(EventKind.NOTICE)
    bench.client()


def test_receipts_do_not_count_as_messages() -> None:
    bench = Bench(RATED)
    alice = bench.user("alice")
    alice.say(*(MessageReceipt((number,), number) for number in range(1, 300)))
    bench.settle()
    assert len(alice.hear()) == 299
