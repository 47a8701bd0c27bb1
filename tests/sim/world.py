"""The whole service in one process: the real server, real links, and nothing real under them.

Everything comes from one seed: disk, network, clocks, users, faults, and when they strike. The
same seed gives the same trace, byte for byte. First the storm, then the healing: in the end
everything that was accepted must be where it belongs (`tests.sim.oracle`).

Must never use a real clock, disk, socket or random number, nor depend on the order of a set.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from msgd.events import EventLog
from msgd.exchange import Exchange
from msgd.limits import EVENTS_MAX, ExchangeLimits
from msgd.reactor import Reactor
from msgd.reactor_limits import ReactorLimits
from store.errors import StoreDamaged, StoreError, StoreFailure, StoreFromTheFuture, StoreNoRoom
from store.fsck import fsck
from store.journal_segment import segment_path
from store.settings import Settings
from store.store import Store
from tests.sim.oracle import Oracle, Verdict
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import PowerCut, SimDisk
from tests.sim.sim_gate import open_gate
from tests.sim.sim_log import SimLog
from tests.sim.sim_net import SimNetwork
from tests.sim.sim_operator import SimOperator
from tests.sim.sim_password import has_passwords, see_to_passwords
from tests.sim.sim_user import SimUser
from tests.sim.storm import Storm
from tests.sim.watch import Watch

TURNS_AT_ONE_MOMENT_MAX = 20_000
INDEXED_SEEDS = 16
"""In one of so many worlds the archives have an index of words; the traces do not depend on it."""
HEALING_MS_MAX = 30 * 60_000


@dataclass(slots=True)
class Outcome:
    """One seed's end."""

    seed: int
    verdict: Verdict
    crashes: int
    turns: int
    simulated_ms: int
    trace_hash: str
    counts: Counter[str]
    """How often each kind of thing happened: faults, and what users did."""


class World:
    """See the module's text."""

    def __init__(
        self, seed: int, storm_ms: int, make_disk: Callable[[random.Random], SimDisk] = SimDisk
    ) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.clock = SimClock()
        self.disk = make_disk(random.Random(self.rng.random()))
        self.disk.can_together = seed % 4 > 0
        self.net = SimNetwork(self.clock, random.Random(self.rng.random()), self._before_send)
        self.oracle = Oracle()
        self.has_passwords = has_passwords(seed)
        # Nothing here searches, so the archives' index of words is kept in some worlds only.
        self.indexes_words = seed % INDEXED_SEEDS == 0
        self.names = tuple(f"u{number}" for number in range(self.rng.randint(2, 5)))
        self.users = [SimUser(self, name, random.Random(self.rng.random())) for name in self.names]
        self.crashes = 0
        self.turns = 0
        self.counts: Counter[str] = Counter()
        self.findings: list[str] = []
        self._storm_ms = storm_ms
        self._trace: list[str] = []
        self._server_entropy = random.Random(self.rng.random())
        self._settings = self._draw_settings()
        self._storm = Storm(self)
        self._operator = SimOperator(self, random.Random(self.rng.random()))
        self._start_at_ms: int | None = self.clock.now_ms
        self._reactor: Reactor | None = None
        self._exchange: Exchange | None = None  # of the reactor
        self._store: Store | None = None
        self._watch: Watch | None = None

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
        self._trace.append(f"{self.clock.now_ms} {who} {what}\n")

    def count(self, what: str) -> None:
        self.counts[what] += 1

    @property
    def store(self) -> Store | None:
        """The running server's; None while none runs."""
        return None if self._reactor is None else self._store

    # ----- the run

    def run(self) -> Outcome:
        started_ms = self.clock.now_ms
        self._run_until(lambda: self.clock.now_ms >= started_ms + self._storm_ms)
        self._heal()
        deadline_ms = self.clock.now_ms + HEALING_MS_MAX
        self._run_until(lambda: self._is_quiet() or self.clock.now_ms >= deadline_ms)
        verdict = self.oracle.judge({user.name: user.archive for user in self.users})
        verdict.sentences += self.findings
        if not self._is_quiet():
            verdict.sentences.append("the users never came to rest after the healing")
        self._look_at_the_disk(verdict)
        self.counts["messages sent again"] = len(self.oracle.sent_again)
        return Outcome(
            self.seed,
            verdict,
            self.crashes,
            self.turns,
            self.clock.now_ms - started_ms,
            hashlib.sha256("".join(self._trace).encode()).hexdigest(),
            self.counts + self.disk.counts,
        )

    def _look_at_the_disk(self, verdict: Verdict) -> None:
        """What is on it in the end is sound; what rotted unseen is told by fsck, and only that."""
        damaged = self.disk.damaged_files()
        for finding in fsck(self.disk):
            if not finding.harmless and not any(path in str(finding) for path in damaged):
                verdict.sentences.append(f"fsck says in the end: {finding}")

    def _run_until(self, is_over: Callable[[], bool]) -> None:
        moment_ms, at_one_moment = -1, 0
        users_ms = earliest([user.wake_ms() for user in self.users])
        while not is_over():
            news_ms = self._advance(users_ms)
            if self.clock.now_ms == moment_ms:
                at_one_moment += 1
                assert at_one_moment < TURNS_AT_ONE_MOMENT_MAX, "time stands still"
            else:
                moment_ms, at_one_moment = self.clock.now_ms, 0
            if self._storm.strike() | self._operator.act():
                news_ms = self._news_ms()  # they may have changed anything
            self._serve(news_ms)
            # What a user does is no news to another before the server has served it.
            users_ms = earliest([user.act() for user in self.users])

    def _advance(self, users_ms: int | None) -> int | None:
        """To when something happens next; gives when it does to the server."""
        news_ms = self._news_ms()
        next_ms, act_ms = self._storm.next_ms, self._operator.act_ms
        at_ms = earliest([users_ms, news_ms, next_ms, act_ms, self._start_at_ms])
        assert at_ms is not None, "nothing will ever happen"
        if at_ms > self.clock.now_ms:
            self.clock.advance_to(at_ms)
        return news_ms

    def _news_ms(self) -> int | None:
        return None if self._reactor is None else self.net.next_news_ms()

    def _is_quiet(self) -> bool:
        """Everybody has everything, and the server's queues are empty."""
        if self._reactor is None or self._store is None or self._operator.act_ms is not None:
            return False
        state = self._store.state
        return all(user.is_done() for user in self.users) and not any(
            account.messages_waiting(state) or account.outcomes_waiting
            for account in state.by_number.values()
        )

    # ----- the server process

    def _serve(self, news_ms: int | None) -> None:
        """Start it, or let it do what there is to do since `news_ms`."""
        now_ms = self.clock.now_ms
        if self._reactor is None:
            if self._start_at_ms is not None and now_ms >= self._start_at_ms:
                self._start_at_ms = None
                self._start_server()
            return
        if news_ms is None or news_ms > now_ms:
            return
        self.turns += 1
        try:
            self._reactor.turn()
        except PowerCut as cut:
            self.trace("server", f"loses power at {cut}")
            self.count(
                "power cuts after an answer" if str(cut) == "send" else "power cuts in calls"
            )
            self.server_dies(power=True)
            return
        except StoreFailure as error:
            self.trace("server", f"ends: {error}")
            self._look_for_damage(error)
            self.server_dies(power=self.rng.random() < 0.5)
            return
        except StoreDamaged as error:
            self._refuses(error)
            return
        assert self._watch is not None
        problem = self._watch.look(now_ms)
        if problem:
            raise AssertionError(problem)
        if self._reactor.ended:
            self._store_close()

    def _start_server(self) -> None:
        try:
            store = Store.open(
                self.disk, self.clock, self._server_entropy.randbytes, self._settings
            )
            if self.has_passwords:
                see_to_passwords(store, self.names, self.clock.wall_ms())
        except PowerCut as cut:
            self.trace("server", f"loses power at {cut} while it recovers")
            self.count("power cuts in recovery")
            self.server_dies(power=True)
            return
        except (StoreFailure, StoreNoRoom) as error:
            self.trace("server", f"does not start: {error}")
            self.count("starts that failed")
            self._look_for_damage(error)
            self.server_dies(power=self.rng.random() < 0.5)
            return
        except (StoreDamaged, StoreFromTheFuture) as error:
            self.count("starts refused")
            self._refuses(error)
            return
        for finding in store.findings:
            self.trace("store", finding)
            if " is damaged at byte " in finding:
                self.hear_of_damage(finding)
        self.count("recoveries")
        events = EventLog(EVENTS_MAX)
        log = SimLog(self)
        events.subscribe(log.write)
        rules = ExchangeLimits(password_needed=self.has_passwords)
        exchange = self._exchange = Exchange(store, rules, events)
        self._store = store
        self._watch = Watch(exchange, store, self.disk)
        self._reactor = Reactor(
            network=self.net,
            clock=self.clock,
            store=store,
            exchange=exchange,
            events=events,
            log=log.log,
            limits=ReactorLimits(sends_per_second_max=0),
            gate=open_gate(exchange),
            face=None,
        )
        self.net.server_starts()

    def _refuses(self, error: StoreError) -> None:
        """It ends with 78: it says what is damaged, and nobody starts it before that is mended."""
        self.trace("server", f"refuses: {error}")
        self.server_dies(power=False)
        self._start_at_ms = None
        self.hear_of_damage(str(error))

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
            self._look_for_damage(error)
        except StoreDamaged as error:
            self._refuses(error)
            return
        self.server_dies(power=power)

    def server_dies(self, *, power: bool) -> None:
        """The process ends at this very moment; with `power`, the machine too."""
        self.crashes += 1
        self._reactor = None
        self.net.server_dies(silently=power and self.rng.random() < 0.5)
        if power:
            self.disk.crash()
        else:
            self.disk.kill()
        self._start_at_ms = self.clock.now_ms + self.rng.choice((0, 100, 3_000, 60_000))

    def server_ends(self) -> None:
        """The operator stops it: politely, or not."""
        if self._reactor is not None and self.rng.random() < 0.5:
            self._store_close()
        elif self._reactor is not None:
            self.server_dies(power=False)
        self._start_at_ms = None

    def server_may_start(self) -> None:
        self._start_at_ms = self.clock.now_ms

    def hear_of_damage(self, text: str) -> None:
        """The server says so, in its log or as its last words."""
        self._operator.hear(text)

    def _look_for_damage(self, error: Exception) -> None:
        """A server that ends may do so because of what is damaged."""
        if any(path in str(error) for path in self.disk.damaged_files()):
            self.hear_of_damage(str(error))

    def _before_send(self) -> None:
        """Nothing leaves the server while anything in the journal is not synced."""
        assert self._store is not None
        path = segment_path(self._store.journal.segments[-1].number)
        if self.disk.inode(path).dirty:
            self.findings.append(f"the server sends while {path} is not synced")

    # ----- the end of the storm

    def _heal(self) -> None:
        """No more faults, a good network, and people who only want their mail."""
        self.trace("storm", "is over")
        self._storm.end()
        if self._reactor is None and self._start_at_ms is None and self._operator.act_ms is None:
            self._start_at_ms = self.clock.now_ms
        for user in self.users:
            user.be_calm()


def earliest(times: list[int | None]) -> int | None:
    """None is never."""
    first_ms = None
    for at_ms in times:
        if at_ms is not None and (first_ms is None or at_ms < first_ms):
            first_ms = at_ms
    return first_ms
