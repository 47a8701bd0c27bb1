"""What the client costs: `scripts/bench.sh --client [--quick]`.

Real `msgc` processes against a real server: commands by their wall and CPU time, the screens on a
pseudo terminal by the time from a key to the first byte of the new picture. The search is measured
in this process, without a screen. Full sizes take some minutes, most of them to make the archive.

Must never judge: a figure that misses its target is marked, and the exit code stays 0.
Fails with RunError when the server or a command does not do its part.
"""

import os
import random
import select
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from msgc.archive import Archive
from msgc.values import Arrival
from tests.bench.machine import RunError, Server
from tests.e2e.machine import environment, program
from tests.e2e.terminal import Terminal
from tests.real.server import ROOT

STARTS: Final = 15
KEYS: Final = 40
WORDS: Final = 30_000
SEARCHES: Final = 3
ROWS_SHOWN: Final = 200
BODY_BYTES: Final = 64 * 1024
STORED_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large everything is."""

    messages: int
    names: int
    history: int


FULL: Final = Sizes(100_000, 10_000, 1_000_000)
QUICK: Final = Sizes(5_000, 2_000, 50_000)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: medians in milliseconds; `target` is for the wall clock."""

    title: str
    wall_ms: float
    cpu_ms: float
    worst_ms: float
    target_ms: float | None = None

    def line(self) -> str:
        """As it is printed."""
        aim, verdict = "", ""
        if self.target_ms is not None:
            aim = f"<= {self.target_ms:,.0f}"
            verdict = "ok" if self.wall_ms <= self.target_ms else "MISSED"
        return (
            f"{self.title:<50}{self.wall_ms:>12,.1f}{self.worst_ms:>12,.1f}{self.cpu_ms:>12,.1f}"
            f"{aim:>10} {verdict}"
        )


HEAD: Final = f"{'':<50}{'wall ms':>12}{'worst ms':>12}{'CPU ms':>12}{'target':>10}"

Sample = tuple[float, float]
"""Wall and CPU, in milliseconds."""


def row(title: str, samples: Sequence[Sample], target_ms: float | None = None) -> Row:
    """A line of medians."""
    walls = [wall for wall, _ in samples]
    cpu = statistics.median(each for _, each in samples)
    return Row(title, statistics.median(walls), cpu, max(walls), target_ms)


class Person:
    """Somebody with a home of their own, who uses that server."""

    def __init__(self, home: Path, port: int, name: str) -> None:
        self.name = name
        self.environment = environment(home) | {"MSGC_PORT": str(port)}

    def run(self, *words: str) -> Sample:
        """A command, to its end; raises RunError for another exit code than 0."""
        began_s = time.perf_counter()
        process = subprocess.Popen(
            program("msgc", "-u", self.name, *words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.environment,
            cwd=ROOT,
        )
        assert process.stderr is not None
        said = process.stderr.read()
        process.stderr.close()
        _, status, used = os.wait4(process.pid, 0)
        wall_ms = (time.perf_counter() - began_s) * 1e3
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RunError(f"msgc {words[0]} ended with {process.returncode}: {said.decode()}")
        return wall_ms, (used.ru_utime + used.ru_stime) * 1e3

    def screen(self) -> Terminal:
        """The client on a terminal."""
        return Terminal(program("msgc", "-u", self.name), self.environment)


def cpu_ms(process_id: int) -> float:
    """The CPU time of a process so far: Linux counts it in nanoseconds here."""
    return int(Path(f"/proc/{process_id}/schedstat").read_text().split()[0]) / 1e6


def press(terminal: Terminal, keys: str) -> Sample:
    """One key, to the first byte of what it changes; and the CPU time until all is drawn.

    A key that changes nothing would be timed until a clock on the screen goes on.
    """
    before_ms = cpu_ms(terminal.process_id)
    began_s = time.perf_counter()
    terminal.send_keys(keys)
    if not select.select([terminal.fd], [], [], 20)[0]:
        raise RunError(f"a key that nothing followed: {keys!r}; the screen:\n{terminal.text}")
    wall_ms = (time.perf_counter() - began_s) * 1e3
    terminal.wait_until(lambda _: True, "the picture")
    return wall_ms, cpu_ms(terminal.process_id) - before_ms


def presses(terminal: Terminal, *keys: str) -> list[Sample]:
    """These keys again and again, KEYS in all."""
    return [press(terminal, keys[index % len(keys)]) for index in range(KEYS)]


def starting(person: Person) -> Iterator[Row]:
    """From nothing to the first question."""

    def start() -> Sample:
        began_s = time.perf_counter()
        terminal = Terminal(program("msgc"), person.environment)
        try:
            while b"Username" not in terminal.raw:
                if not select.select([terminal.fd], [], [], 20)[0]:
                    raise RunError(f"no question on the screen:\n{terminal.text}")
                terminal.read_waiting()
            return (time.perf_counter() - began_s) * 1e3, cpu_ms(terminal.process_id)
        finally:
            terminal.close()

    start()  # the byte code may have to be written first
    yield row("start to the first prompt", [start() for _ in range(STARTS)], 150)


def commands(person: Person, reader: Person, server: Server, sizes: Sizes) -> Iterator[Row]:
    """Large errands of the command line."""
    server.measure("ingest", users=1, count=sizes.messages, tag=91)
    title = f"msgc check of {sizes.messages:,} messages"
    yield row(title, [reader.run("check", "--json")])
    person.run("create", person.name)
    names = [f"user{number:04d}" for number in range(sizes.names)]
    yield row(f"msgc send to {len(names):,} names", [person.run("send", *names, "-m", "hello")])


def searching(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """The history, with every letter that is typed; words as frequent as words are."""
    source = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(source.choices(letters, k=source.randint(2, 9))) for _ in range(WORDS)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(WORDS)))
    archive = Archive(str(folder / "search.db"), lambda: 1, os.urandom)
    try:
        for first in range(0, sizes.history, STORED_AT_ONCE):
            last = min(first + STORED_AT_ONCE, sizes.history)
            archive.inbox.store(_arrival(n, source, words, weights) for n in range(first, last))
        common, middle, rare = words[0], words[300], words[25_000]
        asked = {
            "as one types a common word": [common[:end] for end in range(1, len(common) + 1)],
            "as one types one less common": [middle[:end] for end in range(1, len(middle) + 1)],
            "as one types a rare one": [rare[:end] for end in range(1, len(rare) + 1)],
            "two words": [f"{words[0]} {words[5]}", f"{words[900]} {words[901]}"],
            "what is not there": ["zzzzqqqq", "qzx"],
        }
        for title, queries in asked.items():
            samples = [_searched(archive, query) for query in queries]
            yield row(f"search in {sizes.history:,}: {title}", samples, 50)
    finally:
        archive.close()


def _arrival(number: int, source: random.Random, words: list[str], weights: list[float]) -> Arrival:
    text = " ".join(source.choices(words, cum_weights=weights, k=10))
    sender, at_ms = f"user{number * 7919 % 200}", 1_700_000_000_000 + number * 1_000
    return Arrival(bytes(16), number, number.to_bytes(16, "big"), sender, at_ms, 1, 1, text)


def _searched(archive: Archive, query: str) -> Sample:
    def once() -> Sample:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        archive.glance(query, "", ROWS_SHOWN, thorough=False)
        return (time.perf_counter() - began_s) * 1e3, (time.process_time() - cpu_s) * 1e3

    return min(once() for _ in range(SEARCHES))


def screens(person: Person, reader: Person, sizes: Sizes) -> Iterator[Row]:
    """From a key to the new picture, where much is to be shown."""
    terminal = person.screen()
    try:
        terminal.wait_for_match(f"Accounts +{sizes.names // 1_000},[0-9]+ users")
        terminal.send_keys("a")
        terminal.wait_for("user0001")
        many = f"{sizes.names:,} accounts"
        yield row(f"key to redraw, {many}: down", presses(terminal, "Down"), 16)
        yield row(f"key to redraw, {many}: a page", presses(terminal, "\x1b[6~"), 16)
        terminal.send_keys("q", "s")
        terminal.wait_for("To one user")
        terminal.send_keys("1")
        terminal.wait_for("Name:", "user0001")
        yield row(f"key to redraw, picker of {many}: a letter", presses(terminal, "1", "\x7f"), 16)
    finally:
        terminal.close()
    yield from _reading(reader, sizes)
    for what, text in (
        ("of short lines", "short\n" * (BODY_BYTES // 6)),
        ("of long lines", ("word and " * 200 + "\n") * (BODY_BYTES // 1_801)),
        ("of wide characters", "\u6f22\u5b57" * (BODY_BYTES // 6)),
    ):
        yield from _writing(person, what, text)


def _reading(reader: Person, sizes: Sizes) -> Iterator[Row]:
    terminal = reader.screen()
    try:
        terminal.wait_for("History", f"{sizes.messages:,}")
        terminal.send_keys("h")
        terminal.wait_for("WHEN")
        many = f"history of {sizes.messages:,}"
        yield row(f"key to redraw, {many}: down", presses(terminal, "Down"), 16)
        yield row(f"key to redraw, {many}: a page", presses(terminal, "\x1b[6~"), 16)
    finally:
        terminal.close()


def _writing(person: Person, what: str, text: str) -> Iterator[Row]:
    terminal = person.screen()
    try:
        terminal.wait_for("History", "users")
        terminal.send_keys("a")
        terminal.wait_for("user0001")
        terminal.send_keys("Down", "Enter")
        terminal.wait_for("To:")
        for start in range(0, len(text), 2_048):
            chunk = text[start : start + 2_048].replace("\n", "\r")
            terminal.type(f"\x1b[200~{chunk}\x1b[201~")
            terminal.wait_until(lambda _: True, "the paste")
        title = f"key to redraw, {BODY_BYTES:,} bytes {what}"
        yield row(f"{title}: a letter", presses(terminal, "x"), 16)
        yield row(f"{title}: up", presses(terminal, "Up"), 16)
        terminal.send_keys("C-x")
        terminal.wait_for("Throw")
        terminal.send_keys("y")
        terminal.wait_while("Throw this")
    finally:
        terminal.close()


def measure_client(work: Path, *, quick: bool, tell: Callable[[str], None]) -> None:
    """All of it, a line for each figure as soon as it is known."""
    sizes = QUICK if quick else FULL
    tell(HEAD)
    server = Server(work / "data")
    server.start()
    try:
        person = Person(work / "home", server.port, "person")
        reader = Person(work / "home", server.port, "user0000")
        for each in starting(person):
            tell(each.line())
        server.measure("prepare", users=sizes.names, tag=90)
        for each in commands(person, reader, server, sizes):
            tell(each.line())
        for each in screens(person, reader, sizes):
            tell(each.line())
    finally:
        server.stop()
    for each in searching(work, sizes):
        tell(each.line())
