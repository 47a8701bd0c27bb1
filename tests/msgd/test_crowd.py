"""So many connections are heard in one turn, those first that have said little: at each limit."""

import pytest

from msgd.crowd import TAB_FRAME_US, TAB_US_MAX, is_quiet
from msgd.reactor_limits import ReactorLimits
from msgd.slack import HEARD_US
from tests.msgd.fake_machine import FAST, Bench, message, of
from tests.msgd.fake_net import FakeClient
from tests.msgd.test_brakes import HEADER, RATED, pending
from wire.messages import ListAccounts, Ping, Pong

LOUD_FRAMES = TAB_US_MAX // TAB_FRAME_US + 1
QUIET_PER_TURN = RATED.quiet_us_per_turn_max // HEARD_US
CROWD_PER_TURN = RATED.crowd_us_per_turn_max // HEARD_US


def users(bench: Bench, count: int, kind: str = "user") -> list[FakeClient]:
    """So many, and so long ago that they have said nothing lately."""
    found = [bench.user(f"{kind}{number}") for number in range(count)]
    bench.clock.advance_to(bench.clock.now_ms + 2_000)
    bench.settle()
    return found


def make_loud(bench: Bench, *clients: FakeClient) -> None:
    """They say so much that they are loud for a second."""
    for client in clients:
        client.say(*(Ping(number + 1) for number in range(LOUD_FRAMES + 50)))
    bench.settle()
    for client in clients:
        assert len(client.hear()) == LOUD_FRAMES + 50


def heard(clients: list[FakeClient]) -> list[int]:
    return [number for number, each in enumerate(clients) if of(Pong, each.hear())]


def ask(*clients: FakeClient) -> None:
    for client in clients:
        client.say(Ping(1))


def test_so_many_that_said_little_are_heard_in_a_turn_and_then_the_next() -> None:
    bench = Bench(RATED)
    quiet = users(bench, 2 * QUIET_PER_TURN + 1)
    ask(*quiet)
    bench.turn()
    assert heard(quiet) == list(range(QUIET_PER_TURN))
    assert bench.timeout_ms() == 0
    bench.turn()
    assert heard(quiet) == list(range(QUIET_PER_TURN, 2 * QUIET_PER_TURN))
    bench.turn()
    assert heard(quiet) == [2 * QUIET_PER_TURN]
    assert bench.timeout_ms() > 0


def test_so_many_that_say_much_are_heard_in_a_turn_one_after_the_other() -> None:
    bench = Bench(RATED)
    loud = users(bench, 2 * CROWD_PER_TURN + 1, "loud")
    make_loud(bench, *loud)
    ask(*loud)
    turns: list[list[int]] = []
    for _ in range(3):
        bench.turn()
        turns.append(heard(loud))
        ask(*(loud[number] for number in turns[0]))
        in_line = [each for each in loud if each.channel.to_server]
        assert [bench.network.is_watched(each)[0] for each in in_line].count(False) >= 1
    assert [len(turn) for turn in turns] == [CROWD_PER_TURN] * 3
    assert len({*turns[0], *turns[1]}) == 2 * CROWD_PER_TURN, "nobody overtakes"
    assert len({*turns[0], *turns[1], *turns[2]}) == 2 * CROWD_PER_TURN + 1
    bench.settle()
    assert [bench.network.is_watched(each) for each in loud] == [(True, False)] * len(loud)


def test_who_says_little_does_not_wait_for_a_flood() -> None:
    bench = Bench(RATED)
    alice, *loud = users(bench, 40)
    make_loud(bench, *loud)
    turns: list[int] = []
    for number in range(6):
        ask(*loud)
        alice.say(Ping(7))
        bench.turn()
        assert alice.hear() == [Pong(7)], number
        turns.append(len(heard(loud)))
        bench.clock.advance_to(bench.clock.now_ms + 20)
    assert turns == [0, CROWD_PER_TURN] * 3, "and the flood is heard in every second turn"


def test_who_has_said_much_has_said_little_after_a_while() -> None:
    bench = Bench(RATED)
    (alice,) = users(bench, 1)
    transport = next(iter(bench.reactor._transports.values()))
    now_ms = bench.clock.now_ms
    for number in range(LOUD_FRAMES):
        assert is_quiet(transport, now_ms), number
        ask(alice)
        bench.turn()
    assert not is_quiet(transport, now_ms)
    assert not is_quiet(transport, now_ms + TAB_FRAME_US // 1_000 - 1)
    assert is_quiet(transport, now_ms + TAB_FRAME_US // 1_000)


def test_part_of_a_frame_is_on_the_tab_too() -> None:
    bench = Bench(RATED)
    (alice,) = users(bench, 1)
    transport = next(iter(bench.reactor._transports.values()))
    for byte in (HEADER + bytes(LOUD_FRAMES))[:LOUD_FRAMES]:
        assert is_quiet(transport, bench.clock.now_ms)
        alice.say_bytes(bytes([byte]))
        bench.turn()
    assert not is_quiet(transport, bench.clock.now_ms)


def test_who_has_just_come_says_much_until_it_is_silent_for_a_moment() -> None:
    bench = Bench(RATED)
    bench.user("alice")
    transport = next(iter(bench.reactor._transports.values()))
    assert transport.is_logged_in
    assert not is_quiet(transport, bench.clock.now_ms)
    assert not is_quiet(transport, bench.clock.now_ms + 39), "it has said two frames"
    assert is_quiet(transport, bench.clock.now_ms + 40)


def test_beside_those_who_ask_for_lists_a_flood_is_heard_and_they_beside_it() -> None:
    bench = Bench(RATED)
    many = users(bench, 30)
    make_loud(bench, *many)
    for each in many[:20]:
        each.say(*(ListAccounts(number + 1) for number in range(5)))
    ask(*many[20:])
    first = [0] * 30
    for turn in range(1, 100):
        bench.turn()
        for number, each in enumerate(many):
            if each.hear() and not first[number]:
                first[number] = turn
    assert all(first), first
    assert max(first[20:]) <= 9, "ten, of four in a turn and what they meet of the others"
    assert max(first[:20]) <= 20


def test_who_waits_for_a_list_and_goes_is_gone() -> None:
    bench = Bench(RATED)
    deaf = users(bench, 3)
    make_loud(bench, *deaf)
    for each in deaf:
        each.say(*(ListAccounts(number + 1) for number in range(50)))
    bench.turn()
    bench.turn()
    assert len(bench.reactor._crowd) >= 1
    for number in range(3):
        assert bench.exchange.kick(f"user{number}", bench.now)
    bench.turn()
    bench.turn()
    assert len(bench.reactor._crowd) == 0
    assert bench.reactor.connections == 0


def test_strangers_wait_like_those_who_say_much() -> None:
    bench = Bench(RATED)
    strangers = [bench.client() for _ in range(CROWD_PER_TURN + 1)]
    (alice,) = users(bench, 1)
    ask(*strangers, alice)
    bench.turn()
    assert alice.hear() == [Pong(1)]
    assert heard(strangers) == []
    bench.turn()
    assert heard(strangers) == list(range(CROWD_PER_TURN))
    bench.turn()
    assert heard(strangers) == [CROWD_PER_TURN]


def test_who_has_begun_a_frame_and_stands_in_line_is_not_late() -> None:
    bench = Bench(ReactorLimits(crowd_us_per_turn_max=1))
    first, second = users(bench, 2)
    make_loud(bench, first, second)
    data = second.connection.send(Ping(7))
    second.say_bytes(data[:-1])
    bench.settle()
    second.say_bytes(data[-1:])
    ask(first)
    make_loud_now(bench, first, second)
    bench.turn()
    assert first.hear() == [Pong(1)]
    bench.clock.advance_to(bench.clock.now_ms + 20_000)
    bench.turn()
    assert second.hear() == [Pong(7)]
    assert not second.is_closed()


def make_loud_now(bench: Bench, *clients: FakeClient) -> None:
    """By what the loop keeps of them."""
    for transport in bench.reactor._transports.values():
        if any(transport.channel is each.channel for each in clients):
            transport.tab_us = bench.clock.now_ms * 1_000 + TAB_US_MAX + 1


def test_who_goes_while_standing_in_line_is_gone() -> None:
    bench = Bench(ReactorLimits(crowd_us_per_turn_max=1))
    clients = users(bench, 4)
    make_loud(bench, *clients)
    ask(*clients[:3])
    clients[3].end()
    bench.turn()
    in_line = set(range(3)) - set(heard(clients[:3]))
    assert len(in_line) >= 2
    kicked = in_line.pop()
    assert bench.exchange.kick(f"user{kicked}", bench.now)
    bench.settle()
    assert len(bench.reactor._crowd) == 0
    assert clients[3].is_closed()
    assert bench.reactor.connections == 2
    assert not of(Pong, clients[kicked].hear())


def test_who_is_to_take_what_is_for_it_stands_in_no_line() -> None:
    bench = Bench(
        ReactorLimits(crowd_us_per_turn_max=1, output_bytes_pause=100, output_bytes_max=1 << 20)
    )
    bob, other, deaf = users(bench, 3)
    make_loud(bench, other, deaf)
    deaf.channel.room_bytes = 0
    ask(other, deaf)
    bob.say(message("user0", 1, "user2", b"x" * 200))
    bench.turn()
    bench.turn()
    bench.turn()
    assert len(bench.reactor._crowd) == 0
    assert not of(Pong, deaf.hear())
    deaf.channel.room_bytes = None
    bench.settle()
    assert len(of(Pong, deaf.hear())) == 1


def test_all_are_heard_where_all_may_be_fast() -> None:
    bench = Bench(FAST)
    many = users(bench, 60)
    make_loud(bench, *many)
    ask(*many)
    bench.turn()
    assert len(heard(many)) == 60


def test_many_messages_come_through_the_line_in_order_and_none_is_lost() -> None:
    bench = Bench(RATED)
    names = [f"user{number}" for number in range(30)]
    many = users(bench, 30)
    for name, each in zip(names, many, strict=True):
        each.say(*(message(name, counter, "user0") for counter in range(1, 101)))
    bench.settle(10_000)
    assert [pending(each) for each in many] == [100] * 30


@pytest.mark.parametrize("limit", ["quiet_us_per_turn_max", "crowd_us_per_turn_max"])
def test_a_line_in_which_all_would_wait_for_ever_is_a_mistake(limit: str) -> None:
    with pytest.raises(ValueError, match="wait for ever"):
        ReactorLimits(**{limit: 0})
    ReactorLimits(**{limit: 1})
