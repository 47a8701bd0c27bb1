"""The door: what one turn takes at most, and who goes first."""

from collections.abc import Callable

import pytest

from msgd.bans import Bans
from msgd.door import Door
from msgd.events import EventLog
from msgd.gate import Gate, GateLimits
from msgd.net import Channel, Wait
from msgd.reactor_limits import ReactorLimits
from msgd.refusals import Refusal
from msgd.slack import Slack
from msgd.values import Now
from tests.msgd.fake_machine import Bench
from tests.msgd.fake_net import FakeChannel, FakeClient, FakeNetwork
from wire.messages import Hello, LoginRequest, LoginSuccess, Ping, Pong, Welcome

NOW = Now(10_000, 1_000_000)


class Stranger(FakeChannel):
    """One who must shake hands; it is done at once."""

    needs_handshake = True

    def shake(self) -> Wait | None:
        self.needs_handshake = False
        return None


class World:
    """A door, its network, and who was refused."""

    def __init__(self, limits: ReactorLimits | None = None, *, early_drop_full: int = 0) -> None:
        self.network = FakeNetwork()
        self.slack = Slack(ReactorLimits(slack_us_per_turn_max=1_000_000))
        self.refused: dict[Refusal, int] = {}
        self.door = Door(
            network=self.network,
            events=EventLog(100),
            limits=limits or ReactorLimits(),
            gate=Gate(
                GateLimits(
                    source_new_max=0,
                    early_drop_begin=0,
                    early_drop_percent=0,
                    early_drop_full=early_drop_full,
                ),
                bans=Bans(),
                entropy=lambda count: b"\xff" * count,
                resident_bytes=lambda: 0,
            ),
            slack=self.slack,
            refused=self.refused,
        )

    def knock(self, count: int, make: Callable[[str], FakeChannel] = FakeChannel) -> None:
        for number in range(count):
            self.network.waiting.append(make(f"10.0.0.1:{number + 1}"))

    def take(self, sessions: int = 0) -> list[Channel]:
        return list(self.door.take(sessions, NOW, knocking=bool(self.network.waiting)))


def test_eight_are_taken_in_a_turn_and_the_ninth_in_the_next() -> None:
    world = World()
    world.knock(9)
    assert len(world.take()) == 8
    assert len(world.take(8)) == 1
    assert world.take(9) == []


@pytest.mark.parametrize(("slack_us", "taken"), [(101, 3), (100, 2), (0, 1)])
def test_one_is_taken_and_more_only_with_slack(slack_us: int, taken: int) -> None:
    world = World()
    world.knock(4)
    world.slack.left_us = slack_us
    assert len(world.take()) == taken


def test_those_who_are_refused_count_too() -> None:
    world = World(early_drop_full=1)
    world.knock(17)
    assert len(world.take()) == 1
    assert world.refused == {Refusal.EARLY_DROP: 7}
    assert world.take(1) == []
    assert world.refused == {Refusal.EARLY_DROP: 15}


@pytest.mark.parametrize("make", [FakeChannel, Stranger])
def test_no_more_than_there_is_room_for(make: Callable[[str], FakeChannel]) -> None:
    world = World(ReactorLimits(connections_max=3))
    world.knock(4, make)
    waiting = tuple(world.network.waiting)
    taken = world.take(1)
    assert len(taken) == (2 if make is FakeChannel else 0)
    assert world.refused == {Refusal.TOO_MANY: 2}
    assert [channel.finished or channel.closed for channel in waiting] == [False, False, True, True]


def test_a_shut_door_takes_nobody() -> None:
    world = World()
    world.knock(1)
    world.door.shut(NOW)
    assert list(world.door.take(0, NOW, knocking=True)) == []


def test_two_handshakes_go_on_in_a_turn() -> None:
    world = World()
    world.knock(3, Stranger)
    strangers = tuple(world.network.waiting)
    assert world.take() == []
    for stranger in strangers:
        world.door.hear(stranger)
    assert [channel for channel, _ in world.door.shake(NOW)] == list(strangers[:2])
    assert world.door.deadlines(NOW.monotonic_ms)[1] == 0, "and at once the next"
    assert [channel for channel, _ in world.door.shake(NOW)] == [strangers[2]]


def knock(bench: Bench, count: int) -> list[FakeClient]:
    return [bench.network.connect() for _ in range(count)]


def test_who_is_in_is_answered_in_the_turn_in_which_others_knock() -> None:
    bench = Bench()
    alice = bench.user("alice")
    clients = knock(bench, 20)
    for client in clients:
        client.say(Hello((1,), "test"))
    for number in range(3):
        alice.say(Ping(number + 1))
        bench.turn()
        assert alice.hear() == [Pong(number + 1)]
    assert bench.reactor.connections == 1 + 3 * 6, "50 of 300 microseconds each"
    bench.settle()
    assert all(isinstance(client.hear()[0], Welcome) for client in clients)


def test_strangers_wait_a_turn_for_who_has_just_come_and_no_more() -> None:
    bench = Bench(ReactorLimits())
    alice = bench.user("alice")
    bench.pass_time(1_000)
    knock(bench, 12)
    inside: list[int] = []
    for number in range(4):
        alice.say(Ping(number + 1))
        bench.turn()
        assert alice.hear() == [Pong(number + 1)]
        inside.append(bench.reactor.connections)
    assert inside == [1, 7, 7, 13]


def test_who_is_not_logged_in_makes_nobody_wait() -> None:
    bench = Bench(ReactorLimits())
    stranger = bench.client()
    for number in range(3):
        stranger.say_bytes(b"\0")
        knock(bench, 1)
        bench.turn()
        assert bench.reactor.connections == 2 + number


def test_a_crowd_that_knocks_gets_in_turn_by_turn() -> None:
    bench = Bench()
    clients = knock(bench, 30)
    for client in clients:
        client.say(Hello((1,), "test"))
    bench.settle()
    assert bench.reactor.connections == 30
    clients[29].hear()
    clients[29].say(LoginRequest(1, "last", b"12345678", create_if_new=True))
    bench.settle()
    assert isinstance(clients[29].hear()[0], LoginSuccess)
