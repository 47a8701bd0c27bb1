"""The loop: connections that fail at once, late, and half-way; timers, readers and signals."""

from itertools import pairwise

import pytest

from msgc.link import Link
from msgc.link_events import (
    Connected,
    Connecting,
    Disconnected,
    LinkEvent,
    LoggedIn,
    MessageArrived,
)
from msgc.link_settings import LinkSettings
from msgc.loop import Loop
from msgc.net import Signal
from msgc.states import LinkState
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeClock, FakeDoor, FakeNetwork
from tests.msgc.line import make_archive


class Driven:
    def __init__(self, server: FakeServer | None) -> None:
        self.clock = FakeClock()
        self.network = FakeNetwork(self.clock, server)
        self.loop = Loop(self.network, self.clock)
        self.link = Link(make_archive(), lambda: 0.5, LinkSettings(agent="test"))
        self.events: list[LinkEvent] = []
        self.loop.attach(self.link, FakeDoor(self.network), self.events.append)

    def until(self, kind: type[LinkEvent], turns: int = 50) -> None:
        for _ in range(turns):
            if any(isinstance(event, kind) for event in self.events):
                return
            self.loop.turn(1_000)
        pytest.fail(f"no {kind} in {self.events}")


def test_logs_in_over_a_socket_that_takes_little_at_a_time() -> None:
    server = FakeServer("alice")
    driven = Driven(server)
    driven.link.log_in("alice", create_if_new=False, live=True)
    driven.loop.turn(0)
    driven.network.channels[0].sends_max = 3
    driven.until(LoggedIn)
    assert [type(event) for event in driven.events] == [Connecting, Connected, LoggedIn]


def test_large_answers_are_read_in_pieces() -> None:
    server = FakeServer("alice", "bob")
    for _ in range(5):
        server.queue("alice", "bob", "x" * 60_000)
    driven = Driven(server)
    driven.link.log_in("alice", create_if_new=False, live=True)
    driven.until(LoggedIn)
    driven.link.check()
    for _ in range(30):
        driven.loop.turn(10)
    assert sum(isinstance(event, MessageArrived) for event in driven.events) == 5


def test_refusal_at_once_is_told_and_tried_again() -> None:
    driven = Driven(None)
    driven.link.log_in("alice", create_if_new=False, live=True)
    driven.until(Disconnected)
    assert driven.network.waits == [0], "who hears the news has a turn before the loop waits"
    driven.network.server = FakeServer("alice")
    driven.until(LoggedIn)


def test_refusal_later_is_told() -> None:
    driven = Driven(FakeServer("alice"))
    driven.network.refusal = "no route to host"
    driven.link.log_in("alice", create_if_new=False, live=True)
    driven.until(Disconnected)
    assert Disconnected("no route to host", driven.link.retry_at_ms) in driven.events


def test_end_and_reset_of_the_connection_are_told() -> None:
    driven = Driven(FakeServer("alice"))
    driven.link.log_in("alice", create_if_new=False, live=True)
    driven.until(LoggedIn)
    driven.network.channels[0].broken = "connection reset by peer"
    driven.until(Disconnected)
    gone = next(event for event in driven.events if isinstance(event, Disconnected))
    assert gone.reason == "connection reset by peer"
    assert driven.network.channels[0].closed
    driven.events.clear()
    driven.until(LoggedIn)
    assert driven.link.state is LinkState.ONLINE


def test_detached_link_is_disconnected_and_told_nothing_more() -> None:
    driven = Driven(FakeServer("alice"))
    driven.link.log_in("alice", create_if_new=False, live=True)
    driven.until(LoggedIn)
    count = len(driven.events)
    driven.loop.detach()
    driven.loop.turn(0)
    assert driven.network.channels[0].closed
    assert len(driven.events) == count


def test_timers_happen_in_order_and_not_when_cancelled() -> None:
    driven = Driven(None)
    told: list[str] = []
    now_ms = driven.clock.now_ms()
    driven.loop.call_at(now_ms + 20, lambda: told.append("late"))
    driven.loop.call_at(now_ms + 10, lambda: told.append("early"))
    driven.loop.call_at(now_ms + 15, lambda: told.append("never")).cancel()
    driven.loop.run(lambda: len(told) == 2)
    assert told == ["early", "late"]
    assert driven.clock.now_ms() == now_ms + 20


def test_timer_may_set_another() -> None:
    driven = Driven(None)
    told: list[int] = []

    def again() -> None:
        told.append(driven.clock.now_ms())
        driven.loop.call_at(driven.clock.now_ms() + 5, again)

    again()
    driven.loop.run(lambda: len(told) == 3)
    assert [later - earlier for earlier, later in pairwise(told)] == [5, 5]


def test_readers_and_signals_call_back() -> None:
    driven = Driven(None)
    told: list[str] = []
    driven.loop.watch_reader(7, lambda: told.append("read"))
    driven.loop.watch_signal(Signal.RESIZE, lambda: told.append("resized"))
    assert driven.network.watched == {Signal.RESIZE}
    driven.network.readable = {7}
    driven.network.signals = [Signal.RESIZE, Signal.HANG_UP]
    driven.loop.turn(0)
    assert told == ["resized", "read"]
    driven.loop.forget_reader(7)
    driven.loop.turn(0)
    assert told == ["resized", "read"]
