"""The whole server on a machine in memory: loop, rules and store are real, the rest is not.

`Bench` turns the loop by hand. Time passes only when a test says so.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from msgd.events import Event, EventKind, EventLog
from msgd.exchange import Exchange
from msgd.gate import Gate, GateLimits
from msgd.limits import ExchangeLimits
from msgd.log import Log
from msgd.reactor import Face, Reactor
from msgd.reactor_limits import ReactorLimits
from msgd.values import Now
from store.settings import Settings as StoreSettings
from store.store import Store
from tests.msgd.fake_net import FakeClient, FakeNetwork, carrier_of
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk
from wire.connection import Unsupported
from wire.messages import (
    Hello,
    LoginRequest,
    LoginSuccess,
    Message,
    SendMessage,
    Welcome,
)

SMALL = StoreSettings(
    journal_segment_bytes=256 * 1024,
    journal_bytes_max=8 << 20,
    batch_bytes_max=128 * 1024,
    reserve_bytes=64 * 1024,
    free_bytes_min=64 * 1024,
)

LAZY: Final = replace(SMALL, checkpoint_idle_ms=1 << 40, checkpoint_journal_bytes=1 << 40)
"""No checkpoints: for tests with so many accounts that the disk in memory would be slow."""


class FakeOutput:
    """A log in memory."""

    def __init__(self) -> None:
        self.data = b""
        self.reopened = 0
        self.closed = False

    def write(self, data: bytes) -> bool:
        self.data += data
        return True

    def reopen(self) -> None:
        self.reopened += 1

    def close(self) -> None:
        self.closed = True


FAST = ReactorLimits(sends_per_second_max=0, receive_bytes_per_second_max=0)
"""Nobody is slowed down."""


class Bench:
    """A reactor with everything that it needs."""

    def __init__(
        self,
        limits: ReactorLimits | None = None,
        rules: ExchangeLimits | None = None,
        face: Callable[["Bench"], Face] | None = None,
        settings: StoreSettings = SMALL,
        gate: GateLimits | None = None,
    ) -> None:
        self.clock = SimClock()
        self.network = FakeNetwork()
        self.disk = SimDisk(random.Random(1))
        self.store = Store.open(self.disk, self.clock, random.Random(2).randbytes, settings)
        self.events = EventLog(1_000)
        self.output = FakeOutput()
        log = Log(self.output)
        self.events.subscribe(log.write)
        self.exchange = Exchange(self.store, rules or ExchangeLimits(), self.events)
        self.resident_bytes = 0
        self.gate = Gate(
            gate or GateLimits(),
            bans=self.exchange.bans,
            entropy=random.Random(3).randbytes,
            resident_bytes=lambda: self.resident_bytes,
        )
        self.reactor = Reactor(
            network=self.network,
            clock=self.clock,
            store=self.store,
            exchange=self.exchange,
            events=self.events,
            log=log,
            limits=limits or FAST,
            gate=self.gate,
            face=None if face is None else face(self),
        )

    @property
    def now(self) -> Now:
        return Now(self.clock.monotonic_ms(), self.clock.wall_ms())

    def turn(self, times: int = 1) -> None:
        """Turn the loop."""
        for _ in range(times):
            self.reactor.turn()

    def settle(self, turns_max: int = 200) -> None:
        """Turn until the loop would wait."""
        for _ in range(turns_max):
            self.reactor.turn()
            if self.reactor.ended or (self.timeout_ms() > 0 and not self.has_news()):
                return
        raise AssertionError("the loop never comes to rest")

    def has_ended(self) -> bool:
        """Whether the loop came to its end."""
        return self.reactor.ended

    def has_news(self) -> bool:
        """Whether the network has something for the loop."""
        network = self.network
        waiting = network.waiting and network.watches_listener and network.listens
        calling = network.callers and network.watches_callers
        return bool(waiting or calling) or any(
            (reading and carrier_of(channel).is_readable)
            or (writing and carrier_of(channel).is_writable)
            for channel, (reading, writing) in network.watched.items()
        )

    def timeout_ms(self) -> int:
        """What the loop would give to its next poll."""
        return self.reactor._timeout_ms()

    def pass_time(self, by_ms: int) -> None:
        """Let time pass; the loop wakes as often as it wanted to be woken."""
        until_ms = self.clock.now_ms + by_ms
        while self.clock.now_ms < until_ms and not self.reactor.ended:
            step_ms = max(1, min(self.timeout_ms(), until_ms - self.clock.now_ms))
            self.clock.advance_to(self.clock.now_ms + step_ms)
            self.settle()

    def client(self) -> FakeClient:
        """A client that has been greeted."""
        client = self.network.connect()
        client.say(Hello((1,), "test"))
        self.settle()
        assert any(isinstance(message, Welcome) for message in client.hear())
        return client

    def user(self, name: str, *, live: bool = True) -> FakeClient:
        """A client that has logged in."""
        client = self.client()
        client.say(LoginRequest(1, name, installation(name), create_if_new=True, live=live))
        self.settle()
        assert any(isinstance(message, LoginSuccess) for message in client.hear())
        return client

    def noted(self, kind: EventKind) -> list[str]:
        """The texts of the events of a kind."""
        return [event.text for event in self.all_events() if event.kind is kind]

    def all_events(self) -> tuple[Event, ...]:
        return self.events.latest(1_000)


def installation(name: str) -> bytes:
    return name.encode()[:8].ljust(8, b"\0")


def message(name: str, counter: int, to: str, body: bytes = b"hello") -> SendMessage:
    """A message of a user's, with the id that its counter gives."""
    message_id = installation(name) + counter.to_bytes(8, "big")
    return SendMessage(counter, message_id, body, (to,))


def of(kind: type[Message], messages: list[Message | Unsupported]) -> list[Message]:
    """Those of a kind."""
    return [message for message in messages if isinstance(message, kind)]
