"""One server, several persons, one loop, and the oracle that judges what they have in the end.

Must never wait anywhere but in its one poll, and never without an end.
Fails with ServerError when the server ends by itself, and with `Violation` for a bad verdict.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random
from signal import SIGTERM

from msgc.net import Clock
from msgc.os_clock import OsClock
from msgc.os_net import OsNetwork
from msgc.states import SendState
from msgc.values import OutboxCounts
from tests.real.person import Person
from tests.real.server import Server, ServerError
from tests.sim.oracle import ALL, Oracle, Verdict

START_MS_MAX = 30_000
STOP_MS_MAX = 10_000
DRAIN_MS_MAX = 120_000
TURN_MS_MAX = 100
TURN_COUNTED_MS_MAX = 1_000
QUIET_ROUNDS = 4
ROUNDS_MAX = 100


class Crowd:
    """See the module's text. `archives` is the folder for the persons' archives."""

    def __init__(self, server: Server, archives: Path, random: Random) -> None:
        archives.mkdir(parents=True, exist_ok=True)
        self.server = server
        self.oracle = Oracle()
        self.persons: dict[str, Person] = {}
        self.clock: Clock = OsClock()
        self.random = random
        self._archives = archives
        self._network = OsNetwork()
        self.on_turn: Callable[[], None] = lambda: None
        """Called once a turn, after everybody had theirs."""

    def add(self, name: str, *, live: bool) -> Person:
        """One more person, who logs in as soon as there is a server."""
        person = Person(
            name=name,
            folder=self._archives,
            port=self.server.port,
            network=self._network,
            clock=self.clock,
            oracle=self.oracle,
            random=Random(self.random.random()),
            live=live,
        )
        self.persons[name] = person
        return person

    def close(self) -> None:
        """Let go of everything."""
        for person in self.persons.values():
            person.close()
        self.server.close()

    # ----- going round

    def turn(self, wait_ms_max: int = TURN_MS_MAX) -> None:
        """Wait until something happens, and let everybody do what is due."""
        now_ms = self.clock.now_ms()
        reading: set[int] = set()
        writing: set[int] = set()
        times = [now_ms + wait_ms_max]
        for person in self.persons.values():
            reading.update(person.reading())
            writing.update(person.writing())
            at_ms = person.deadline_ms()
            if at_ms is not None:
                times.append(at_ms)
        output_fd = self.server.output_fd
        if output_fd is not None:
            reading.add(output_fd)
        ready = self._network.poll(reading, writing, max(0, min(times) - now_ms))
        if output_fd is not None and output_fd in ready.readable:
            was_listening = self.server.is_listening
            self.server.take_output()
            if self.server.is_listening and not was_listening:
                self._welcome()
        for person in self.persons.values():
            person.step(ready.readable, ready.writable)
        self.on_turn()

    def _welcome(self) -> None:
        """The server is back: nobody waits for the end of a pause, as by pressing `retry`."""
        for person in self.persons.values():
            person.link.retry_now()

    def run_until(self, holds: Callable[[], bool], timeout_ms: int) -> bool:
        """Turn until it holds; whether it did in time.

        A turn counts for little, however long it took: when the whole machine stood still, nobody
        had time to do anything.
        """
        left_ms = timeout_ms
        while not holds():
            if left_ms <= 0:
                return False
            begun_ms = self.clock.now_ms()
            self.turn(min(left_ms, TURN_MS_MAX))
            left_ms -= min(self.clock.now_ms() - begun_ms, TURN_COUNTED_MS_MAX)
        return True

    def must(self, holds: Callable[[], bool], what: str, timeout_ms: int = 30_000) -> None:
        """Turn until it holds. Raises ServerError when it does not, or the server ends."""
        server = self.server
        if not self.run_until(lambda: holds() or server.output_fd is None, timeout_ms):
            raise ServerError(f"time is up: {what}; {server.condition()}; {server.last_words()}")
        if server.output_fd is None and not holds():
            raise ServerError(f"msgd ended: {what}; {server.last_words()}")

    def start(self) -> None:
        """Start the server; it listens when this returns. Raises ServerError."""
        self.server.start()
        self.must(lambda: self.server.is_listening, "msgd listens", START_MS_MAX)

    # ----- the end

    def stop(self) -> None:
        """End the server as its operator would, while everybody hears its goodbye."""
        self.server.signal(SIGTERM)
        self.run_until(lambda: self.server.output_fd is None, STOP_MS_MAX)
        self.server.check_good_end()

    def drain(self) -> bool:
        """Let everybody fetch everything; whether they came to rest.

        One is done when nothing is left for it, but the receipts of others may still make fates
        for it: so they ask until nothing has changed for several rounds.
        """
        rounds: list[tuple[OutboxCounts, ...]] = []
        while len(rounds) < QUIET_ROUNDS or len(set(rounds[-QUIET_ROUNDS:])) > 1:
            for person in self.persons.values():
                person.calm = True
                person.ask_again()
            if len(rounds) >= ROUNDS_MAX or not self.run_until(self.is_quiet, DRAIN_MS_MAX):
                return False
            rounds.append(tuple(each.archive.outbox.counts() for each in self.persons.values()))
        return True

    def is_quiet(self) -> bool:
        """Everybody has everything."""
        return all(person.is_done() for person in self.persons.values())

    def judge(self) -> Verdict:
        """The oracle's verdict, and what only the archives can show: no refused message arrived."""
        archives = {name: person.archive for name, person in self.persons.items()}
        verdict = self.oracle.judge(archives)
        refused = {
            sent.message_id
            for archive in archives.values()
            for sent in archive.outbox.recent(ALL)
            if sent.state is SendState.FAILED
        }
        for name, archive in archives.items():
            for row in archive.inbox.recent(ALL):
                if row.message_id in refused:
                    verdict.unexpected += 1
                    verdict.sentences.append(f"{name} has a message that was refused")
        return verdict
