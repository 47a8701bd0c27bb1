"""The whole service in one process: the real server, real links, and nothing real under them.

Everything comes from one seed: disk, network, clocks, users, faults, and when they strike. The
same seed gives the same trace, byte for byte. First the storm, then the healing: in the end
everything that was accepted must be where it belongs (`tests.sim.oracle`).

Must never use a real clock, disk, socket or random number, nor depend on the order of a set.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from msgd.events import EventLog
from msgd.exchange import Exchange
from msgd.limits import EVENTS_MAX, ExchangeLimits
from msgd.net import Wish
from msgd.reactor import Reactor
from msgd.reactor_limits import ReactorLimits
from store.disk import DiskFailure
from store.errors import StoreDamaged, StoreFailure, StoreNoRoom
from store.settings import Settings
from store.store import Store
from tests.sim.oracle import Oracle, Verdict
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import PowerCut, SimDisk
from tests.sim.sim_log import SimLog
from tests.sim.sim_net import SimNetwork
from tests.sim.sim_user import SimUser

TURNS_AT_ONE_MOMENT_MAX = 20_000
HEALING_MS_MAX = 30 * 60_000
ROOMY_BYTES = 1 << 40


@dataclass(slots=True)
class Outcome:
    """One seed's end."""

    seed: int
    verdict: Verdict
    crashes: int
    turns: int
    simulated_ms: int
    trace_hash: str


class World:
    """See the module's text."""

    def __init__(
        self, seed: int, storm_ms: int, make_disk: Callable[[random.Random], SimDisk] = SimDisk
    ) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.clock = SimClock()
        self.disk = make_disk(random.Random(self.rng.random()))
        self.net = SimNetwork(self.clock, random.Random(self.rng.random()))
        self.oracle = Oracle()
        self.names = tuple(f"u{number}" for number in range(self.rng.randint(2, 5)))
        self.users = [SimUser(self, name, random.Random(self.rng.random())) for name in self.names]
        self.crashes = 0
        self.turns = 0
        self.findings: list[str] = []
        self._storm_ms = storm_ms
        self._hash = hashlib.sha256()
        self._server_entropy = random.Random(self.rng.random())
        self._settings = self._draw_settings()
        self._fault_pace_ms = self.rng.choice((2_000, 20_000, 120_000))
        self._next_fault_ms: int | None = self.clock.now_ms + self.rng.randint(
            1, self._fault_pace_ms
        )
        self._start_at_ms: int | None = self.clock.now_ms
        self._reactor: Reactor | None = None
        self._store: Store | None = None

    def _draw_settings(self) -> Settings:
        """Small everything, so that rotation, checkpoints and compaction happen all the time."""
        segment = self.rng.choice((64, 128, 512)) << 10
        return Settings(
            journal_segment_bytes=segment,
            journal_bytes_max=16 * segment,
            batch_bytes_max=segment // 2,
            checkpoint_journal_bytes=self.rng.choice((8, 64, 256)) << 10,
            checkpoint_tail_entries=self.rng.choice((5, 50, 1_000)),
            checkpoint_idle_ms=self.rng.choice((1, 1_000, 60_000)),
            reserve_bytes=64 << 10,
            free_bytes_min=128 << 10,
            accounts_garbage_bytes_min=self.rng.choice((16, 256)) << 10,
        )

    def trace(self, who: str, what: str) -> None:
        self._hash.update(f"{self.clock.now_ms} {who} {what}\n".encode())

    # ----- the run

    def run(self) -> Outcome:
        started_ms = self.clock.now_ms
        self._run_until(lambda: self.clock.now_ms >= started_ms + self._storm_ms)
        self._heal()
        deadline_ms = self.clock.now_ms + HEALING_MS_MAX
        self._run_until(lambda: self._is_quiet() or self.clock.now_ms >= deadline_ms)
        verdict = self.oracle.judge({user.name: user.archive for user in self.users})
        for finding in self.findings:
            verdict.sentences.append(finding)
        if not self._is_quiet():
            verdict.sentences.append("the users never came to rest after the healing")
        return Outcome(
            self.seed,
            verdict,
            self.crashes,
            self.turns,
            self.clock.now_ms - started_ms,
            self._hash.hexdigest(),
        )

    def _run_until(self, is_over: Callable[[], bool]) -> None:
        moment_ms, at_one_moment = -1, 0
        while not is_over():
            self._advance()
            if self.clock.now_ms == moment_ms:
                at_one_moment += 1
                assert at_one_moment < TURNS_AT_ONE_MOMENT_MAX, "time stands still"
            else:
                moment_ms, at_one_moment = self.clock.now_ms, 0
            self._strike()
            self._serve()
            for user in self.users:
                if user.is_due():
                    user.step()

    def _advance(self) -> None:
        times = [user.wake_ms() for user in self.users]
        times += [self._next_fault_ms, self._start_at_ms]
        if self._reactor is not None:
            times.append(self.net.next_news_ms())
        at_ms = min([at_ms for at_ms in times if at_ms is not None])
        if at_ms > self.clock.now_ms:
            self.clock.advance_to(at_ms)

    def _is_quiet(self) -> bool:
        """Everybody has everything, and the server's queues are empty."""
        if self._reactor is None or self._store is None:
            return False
        state = self._store.state
        return all(user.is_done() for user in self.users) and not any(
            account.messages_waiting(state) or account.outcomes_waiting
            for account in state.by_number.values()
        )

    # ----- the server process

    def _serve(self) -> None:
        now_ms = self.clock.now_ms
        if self._reactor is None:
            if self._start_at_ms is not None and now_ms >= self._start_at_ms:
                self._start_at_ms = None
                self._start_server()
            return
        news_ms = self.net.next_news_ms()
        if news_ms is None or news_ms > now_ms:
            return
        self.turns += 1
        try:
            self._reactor.turn()
        except PowerCut as cut:
            self.trace("server", f"loses power at {cut}")
            self._server_dies(power=True)
            return
        except StoreFailure as error:
            self.trace("server", f"ends: {error}")
            self._server_dies(power=self.rng.random() < 0.5)
            return
        if self._reactor.ended:
            self._store_close()

    def _start_server(self) -> None:
        try:
            store = Store.open(
                self.disk, self.clock, self._server_entropy.randbytes, self._settings
            )
        except PowerCut as cut:
            self.trace("server", f"loses power at {cut} while it recovers")
            self._server_dies(power=True)
            return
        except (StoreFailure, StoreNoRoom) as error:
            self.trace("server", f"does not start: {error}")
            self._server_dies(power=self.rng.random() < 0.5)
            return
        except StoreDamaged as error:
            # No fault of the storm damages what was synced, so this is the store's own doing.
            self.findings.append(f"the store calls itself damaged: {error}")
            return
        for finding in store.findings:
            self.trace("store", finding)
        events = EventLog(EVENTS_MAX)
        log = SimLog(self)
        events.subscribe(log.write)
        exchange = Exchange(store, ExchangeLimits(), events)
        self._store = store
        self._reactor = Reactor(
            network=self.net,
            clock=self.clock,
            store=store,
            exchange=exchange,
            events=events,
            log=log.log,
            limits=ReactorLimits(),
            face=None,
        )
        self.net.server_starts()

    def _store_close(self) -> None:
        assert self._store is not None
        power = False
        try:
            self._store.close()
            self.trace("server", "stopped")
        except PowerCut:
            power = True
        except StoreFailure as error:
            self.trace("server", f"failed while it stopped: {error}")
        self._server_dies(power=power)

    def _server_dies(self, *, power: bool) -> None:
        """The process ends at this very moment; with `power`, the machine too."""
        self.crashes += 1
        self._reactor = None
        self.net.server_dies()
        if power:
            self.disk.crash()
        else:
            self.disk.kill()
        self._start_at_ms = self.clock.now_ms + self.rng.choice((0, 100, 3_000, 60_000))

    # ----- the storm

    def _strike(self) -> None:
        if self._next_fault_ms is None or self.clock.now_ms < self._next_fault_ms:
            return
        self._next_fault_ms = self.clock.now_ms + self.rng.randint(1, 2 * self._fault_pace_ms)
        fault = self.rng.choice(
            (
                self._power_cut,
                self._power_cut_soon,
                self._power_cut_soon,
                self._sync_fails,
                self._disk_fills,
                self._kill,
                self._stop,
                self._wall_jumps,
                self._cable,
            )
        )
        self.trace("storm", fault.__name__)
        fault()

    def _power_cut(self) -> None:
        if self._reactor is not None:
            self._server_dies(power=True)

    def _power_cut_soon(self) -> None:
        """At one of the next calls on the disk, in the middle of whatever it is."""
        self.disk.cut_at = self.disk.calls + self.rng.randint(1, 60)

    def _sync_fails(self) -> None:
        """One sync fails, and the pages that it was for are clean from then on: the cache lies."""
        self.disk.fail_only = "sync"
        self.disk.fail_error = DiskFailure
        self.disk.fail_at = self.rng.randint(1, 5)

    def _disk_fills(self) -> None:
        """Nearly no room, until the next time."""
        if self.disk.quota_bytes < ROOMY_BYTES:
            self.disk.quota_bytes = ROOMY_BYTES
        else:
            self.disk.quota_bytes = self.disk.used_bytes() + self.rng.randint(0, 1 << 18)

    def _kill(self) -> None:
        if self._reactor is not None:
            self._server_dies(power=False)

    def _stop(self) -> None:
        self.net.wishes.append(Wish.STOP)

    def _wall_jumps(self) -> None:
        self.clock.jump_wall(self.rng.randint(-3_600_000, 3_600_000))

    def _cable(self) -> None:
        if self.net.wires:
            wire = self.rng.choice(self.net.wires)
            if self.rng.random() < 0.5:
                wire.reset()
            else:
                wire.stall(self.clock.now_ms + self.rng.randint(1, 120_000))

    def _heal(self) -> None:
        """No more faults, a good network, and people who only want their mail."""
        self.trace("storm", "is over")
        self._next_fault_ms = None
        self.disk.quota_bytes = ROOMY_BYTES
        self.disk.cut_at = self.disk.fail_at = -1
        self.net.heal()
        if self._reactor is None and self._start_at_ms is None and not self.findings:
            self._start_at_ms = self.clock.now_ms
        for user in self.users:
            user.be_calm()
