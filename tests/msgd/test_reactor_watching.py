"""What the loop does when the system has no room to watch one connection more."""

from msgd.events import EventKind
from tests.msgd.fake_machine import Bench
from wire.messages import Hello, Ping, Pong


def test_a_listener_that_cannot_be_watched_pauses_again() -> None:
    bench = Bench()
    bench.network.accept_errors = 1
    bench.network.connect()
    bench.turn()
    bench.network.watch_errors = 1
    bench.clock.advance_to(bench.clock.now_ms + 100)
    bench.turn()
    assert not bench.network.watches_listener
    assert bench.noted(EventKind.WARN)[-1] == (
        "cannot take connections: no space left on device; next try in 200 ms"
    )
    bench.clock.advance_to(bench.clock.now_ms + 200)
    bench.turn(2)
    assert bench.reactor.connections == 1


def test_a_connection_that_cannot_be_watched_is_closed_and_nothing_else() -> None:
    bench = Bench()
    bob = bench.user("bob")
    bench.network.watch_errors = 1
    alice = bench.network.connect()
    alice.say(Hello((1,), "test"))
    bob.say(Ping(3))
    bench.settle()
    assert alice.is_closed()
    assert bob.hear() == [Pong(3)]
    assert bench.reactor.connections == 1
    assert "no space left on device" in bench.noted(EventKind.DISCONNECT)[-1]


def test_who_cannot_be_watched_while_lingering_is_let_go() -> None:
    bench = Bench()
    alice = bench.user("alice")
    bench.network.watch_errors = 1
    alice.say_bytes(b"no frame at all, but quite a few bytes")
    bench.settle()
    assert alice.is_closed()
