"""The whole server and three people with real clients in one process, and one call that may fail.

The server's store is on a disk in memory (`trace_disk`), its network is the real one with sockets
on this machine (`faulty_net`). When the server ends, the power goes with it, and the next one
starts on what was synced and no more: so an answer that was given too early is a message lost.

Must never wait: time goes on by a millisecond a turn, and leaps when nobody has anything to do.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from random import Random
from signal import SIGTERM
from typing import Final

from msgc.os_net import OsNetwork as ClientNetwork
from msgd.events import Event, EventKind, EventLog
from msgd.exchange import Exchange
from msgd.limits import EVENTS_MAX, ExchangeLimits
from msgd.log import Log
from msgd.net import Address, ListenError
from msgd.reactor import Reactor
from msgd.reactor_limits import ReactorLimits
from store.disk import DiskError
from store.errors import StoreError
from store.settings import Settings
from store.store import Store
from tests.crash.faults import Fault
from tests.crash.faulty_net import FaultyNetwork
from tests.crash.platter import Platter
from tests.crash.run import Entropy
from tests.crash.trace_disk import EMPTY, Image, TraceDisk
from tests.real.person import Person
from tests.sim.oracle import Oracle, Verdict
from tests.sim.sim_gate import open_gate
from tests.sim.sim_log import NowhereOutput

SETTINGS: Final = Settings(
    journal_segment_bytes=72 * 1024,
    journal_bytes_max=1 << 20,
    batch_bytes_max=64 * 1024,
    checkpoint_journal_bytes=32 * 1024,
    reserve_bytes=4096,
    free_bytes_min=4096,
)
NAMES: Final = ("alice", "bob", "carol")
STEP_MS_MAX: Final = 4_000
LATER_STEPS_MS_MAX: Final = 100
"""What a step gets once one has waited in vain."""
DRAIN_MS_MAX: Final = 120_000
QUIET_ROUNDS: Final = 3
ROUNDS_MAX: Final = 40
CLOSED_ANYWAY: Final = 6
"""Connections that end in `work` when nothing fails: cut, left, deleted, and three at the end."""
RESTART_MS: Final = 50
RESTART_MS_MAX: Final = 10_000


class ServiceClock:
    """Serves as everybody's clock."""

    def __init__(self) -> None:
        self.at_ms = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> int:
        return self.at_ms

    def monotonic_us(self) -> int:
        return self.at_ms * 1_000

    def asleep_ms(self) -> int:
        return 0

    def wall_ms(self) -> int:
        return 1_772_366_400_000 + self.at_ms

    def local_text(self, at_ms: int, pattern: str) -> str:
        raise AssertionError("nobody looks at a screen here")


class Service:
    """See the module's text. `folder` is for the people's archives."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        self.fault = fault
        self.clock = ServiceClock()
        self.oracle = Oracle()
        self.ended: list[str] = []
        """Why the server ended, each time that it did."""
        self.stops = 0
        """How often it ended well, because it was asked to."""
        self.refused = 0
        """How often it did not start."""
        self.closed = 0
        """How many connections the server lost or closed."""
        self.closed_anyway = CLOSED_ANYWAY
        self.disk = TraceDisk(EMPTY)
        self.base = EMPTY
        self.starts = 0
        self.network: FaultyNetwork | None = None
        self.reactor: Reactor | None = None
        self.store: Store  # of the reactor
        # Bound and never listening: nobody else is given the port, and the server may have it.
        self.holder = socket.socket()
        self.holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.holder.bind(("127.0.0.1", 0))
        self.port: int = self.holder.getsockname()[1]
        self.restart_ms = self.clock.at_ms
        self.start()
        self.clients = ClientNetwork()
        self.persons = {
            name: Person(
                name=name,
                folder=folder,
                port=self.port,
                network=self.clients,
                clock=self.clock,
                oracle=self.oracle,
                random=Random(name),
                live=name != "bob",
            )
            for name in NAMES
        }

    def close(self) -> None:
        for person in self.persons.values():
            person.close()
        if self.network is not None:
            self.network.kill()
        self.holder.close()

    # --- the server ---

    def start(self) -> None:
        """Start it; when it cannot, it is tried again in a while."""
        self.starts += 1
        self.disk = self.make_disk()
        self.disk.before = self.fault.on_disk
        network = self.network = self.make_network()
        try:
            entropy = Entropy(f"service {self.starts}")
            store = Store.open(self.disk, self.clock, entropy, SETTINGS)
            network.listen(Address("127.0.0.1", self.port))
        except (StoreError, ListenError) as error:
            self.refused += 1
            self.die(f"{type(error).__name__}: {error}")
            return
        events = EventLog(EVENTS_MAX)
        events.subscribe(self.note)
        self.store = store
        exchange = Exchange(store, ExchangeLimits(), events)
        self.reactor = Reactor(
            network=network,
            clock=self.clock,
            store=store,
            exchange=exchange,
            events=events,
            log=Log(NowhereOutput()),
            limits=ReactorLimits(sends_per_second_max=0),
            gate=open_gate(exchange),
            face=None,
        )
        for person in getattr(self, "persons", {}).values():
            person.link.retry_now()

    def make_disk(self) -> TraceDisk:
        return TraceDisk(self.base)

    def make_network(self) -> FaultyNetwork:
        return FaultyNetwork(self.fault.on_socket)

    def note(self, event: Event) -> None:
        self.closed += event.kind is EventKind.DISCONNECT

    def die(self, reason: str) -> None:
        """The process ends, not at its own wish."""
        self.ended.append(reason)
        self.let_go()

    def let_go(self) -> None:
        """There is no process any more; and the power goes too: what was not synced is no more."""
        assert self.network is not None
        self.network.kill()
        self.network = None
        self.reactor = None
        self.base = self.durable()
        self.restart_ms = self.clock.at_ms + min(RESTART_MS << self.starts, RESTART_MS_MAX)

    def durable(self) -> Image:
        """What is on the platter for certain."""
        platter = Platter(self.base)
        for op in self.disk.ops:
            platter.apply(op)
        return platter.compose(platter.nothing())[1]

    # --- going round ---

    def turn(self) -> None:
        """Everybody does what is due; then time goes on."""
        now_ms = self.clock.at_ms
        reading = {fd for person in self.persons.values() for fd in person.reading()}
        writing = {fd for person in self.persons.values() for fd in person.writing()}
        ready = self.clients.poll(reading, writing, 0)
        for person in self.persons.values():
            person.step(ready.readable, ready.writable)
        times = [now_ms + 1_000]
        times += [at for each in self.persons.values() if (at := each.deadline_ms()) is not None]
        idle = not ready.readable and not ready.writable
        if self.reactor is None:
            times.append(self.restart_ms)
            if now_ms >= self.restart_ms:
                self.start()
        else:
            idle = self.serve() and idle
            times.append(now_ms + (self.network.wanted_ms if self.network else 0))
        self.clock.at_ms = max(now_ms + 1, min(times) if idle else 0)

    def serve(self) -> bool:
        """One turn of the server; whether it found nothing to do."""
        assert self.reactor is not None
        assert self.network is not None
        try:
            self.reactor.turn()
            if self.reactor.ended:
                self.store.close()
                self.stops += 1
                self.let_go()
                return False
        except (StoreError, DiskError) as error:  # what msgd.server has words for
            self.die(f"{type(error).__name__}: {error}")
            return False
        except OSError as error:
            # Only the wait itself may end it: then there is nothing that it could still do.
            if "select" not in str(error):
                raise
            self.die(str(error))
            return False
        return self.network.selector.found == 0

    def run_until(self, holds: Callable[[], bool], timeout_ms: int) -> bool:
        """Turn until it holds; whether it did in time."""
        until_ms = self.clock.at_ms + timeout_ms
        while not holds():
            if self.clock.at_ms >= until_ms:
                return False
            self.turn()
        return True

    # --- what people do ---

    def work(self) -> None:
        """Sends to one, several and all; checks, receipts; a checkpoint; deletion by force."""
        alice, bob, carol = (self.persons[name] for name in NAMES)
        patience_ms = STEP_MS_MAX

        def until(holds: Callable[[], bool]) -> None:
            nonlocal patience_ms
            if not self.run_until(holds, patience_ms):
                patience_ms = LATER_STEPS_MS_MAX

        def is_sent(*people: Person) -> bool:
            return not any(each.archive.outbox.counts().unsent for each in people)

        until(lambda: all(person.is_online for person in self.persons.values()))
        for number in range(4):
            alice.compose(("bob",), f"{number} to bob " + "x" * 6_000)
            carol.compose(("alice", "bob"), f"{number} to two")
        carol.compose((), "to everyone")
        until(lambda: is_sent(alice, carol))
        bob.check(3)
        until(lambda: bob.remaining is not None)
        bob.cut()
        until(lambda: bob.is_online)
        bob.check()
        until(lambda: bob.remaining == 0)
        carol.leave()
        until(lambda: not carol.is_online)
        alice.compose(("carol", "bob"), "y" * 20_000)
        alice.compose(("carol",), "z" * 20_000)
        until(lambda: is_sent(alice))
        bob.delete(force=True)
        until(lambda: not bob.is_online)
        self.run_until(lambda: False, 1_500)  # a checkpoint of idleness
        carol.come_back()
        bob.come_back()
        until(lambda: carol.is_online and bob.is_online)
        bob.compose(("alice", "carol"), "I am new")
        until(lambda: is_sent(bob))
        if self.network is not None:
            os.write(self.network.signals_fd, bytes((SIGTERM,)))
        until(lambda: bool(self.stops))

    def drain(self) -> bool:
        """Everybody fetches everything; whether they came to rest."""
        self.restart_ms = self.clock.at_ms
        rounds: list[object] = []
        while len(rounds) < QUIET_ROUNDS or len(set(rounds[-QUIET_ROUNDS:])) > 1:
            for person in self.persons.values():
                person.calm = True
                person.ask_again()
            if len(rounds) >= ROUNDS_MAX or not self.run_until(self.is_quiet, DRAIN_MS_MAX):
                return False
            rounds.append(tuple(each.archive.outbox.counts() for each in self.persons.values()))
        return True

    def is_quiet(self) -> bool:
        return all(person.is_done() for person in self.persons.values())

    def judge(self) -> Verdict:
        return self.oracle.judge({name: each.archive for name, each in self.persons.items()})
