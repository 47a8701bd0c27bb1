"""Five hundred hostile clients beside fifty honest ones: `scripts/hostile.sh`.

A real server over TLS, with few descriptors, and with the limits as they are by default, but that
this machine is counted. First the honest ones talk alone; then the attack begins, and they go on;
at last it is looked at what is left of it.

Ends with one line of figures; exit code 1 when one of them is not as it must be: the honest ones
may not wait longer than twice as long as in the calm, the server may not need more than 64 MiB
more, no descriptor may be left, no exception may be unhandled.
Must never reach another machine. Fails with ServerError when the server ends, or throws out an
honest client.
"""

import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests import as_root
from tests.hostile.honest import HONEST, Crowd
from tests.hostile.peers import client_context
from tests.real.server import MSGD, ROOT, Server, ServerError

NOFILE: Final = 640
"""Descriptors of the server: 256 connections, for 550 who want one."""
CALM_S: Final = 12.0
SETTLE_S: Final = 20.0
RATIO_MAX: Final = 2.0
MEMORY_BYTES_MAX: Final = 64 << 20
RESTLESS_RATIO: Final = 5
"""On a machine that does nothing else one answer of a hundred takes two or three times as long as
the one in the middle; at more than this, both p99 say what else the machine did."""
STEP_S: Final = 5.0


@dataclass(slots=True)
class Figures:
    """What came of it."""

    calm_ms: float = 0.0
    """p99, as all of these that do not say something else."""
    calm_p50_ms: float = 0.0
    attack_p50_ms: float = 0.0
    attack_ms: float = 0.0
    calm_felt_ms: float = 0.0
    attack_felt_ms: float = 0.0
    """The same as the clients felt it, who in the attack wait for their processor, too."""
    answers: int = 0
    memory_bytes: int = 0
    """More than in the calm, at its worst."""
    leaked: int = 0
    exceptions: int = 0
    failures: int = 0
    came: int = 0
    victim_ms: float = 0.0
    """p99 of the one who was flooded; its process gives way to others, so that is no promise."""
    victim_got: int = 0
    stood_percent: float = 0.0
    """Of the attack, in which the server was ready and had no processor: not its own fault."""

    @property
    def ratio(self) -> float:
        """How much longer the honest ones waited."""
        return self.attack_ms / self.calm_ms if self.calm_ms else 0.0

    @property
    def is_restless(self) -> bool:
        """Whether something else kept processor or disk busy while nobody attacked."""
        return self.calm_ms > RESTLESS_RATIO * self.calm_p50_ms

    def violations(self) -> list[str]:
        """What is not as it must be."""
        found = []
        if self.ratio > RATIO_MAX:
            found.append(f"the honest ones waited {self.ratio:.2f} times as long")
        if self.memory_bytes > MEMORY_BYTES_MAX:
            found.append(f"{self.memory_bytes >> 20} MiB more memory")
        if self.leaked > 0:
            found.append(f"{self.leaked} descriptors were left")
        if self.exceptions:
            found.append("an exception was not handled")
        if self.failures:
            found.append(f"{self.failures} messages of the honest ones were refused")
        return found

    def line(self) -> str:
        """The closing line."""
        return (
            f"honest_p99_ms={self.attack_ms:.1f} calm_p99_ms={self.calm_ms:.1f} "
            f"ratio={self.ratio:.2f} honest_p50_ms={self.attack_p50_ms:.1f} "
            f"calm_p50_ms={self.calm_p50_ms:.1f} felt_p99_ms={self.attack_felt_ms:.1f} "
            f"calm_felt_p99_ms={self.calm_felt_ms:.1f} answers={self.answers} attacks={self.came} "
            f"memory_mib=+{self.memory_bytes / (1 << 20):.1f} leaked_descriptors={self.leaked} "
            f"unhandled_exceptions={self.exceptions} refused={self.failures} "
            f"victim_p99_ms={self.victim_ms:.1f} victim_received={self.victim_got} "
            f"server_without_processor={self.stood_percent:.0f}%"
        )


def p99(samples: list[float]) -> float:
    """What 99 of a hundred stay below; of sorted samples."""
    return samples[min(len(samples) - 1, len(samples) * 99 // 100)]


def p50(samples: list[float]) -> float:
    """What half of them stay below; of sorted samples."""
    return samples[len(samples) // 2]


def memory_bytes(process_id: int) -> int:
    """Resident memory."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmRSS:"))
    return int(line.split()[1]) * 1_024


def processor_s(process_id: int) -> tuple[float, float]:
    """Seconds that it was at work, and that it was ready and had no processor (proc(5))."""
    words = Path(f"/proc/{process_id}/schedstat").read_text(encoding="ascii").split()
    return int(words[0]) / 1e9, int(words[1]) / 1e9


def sockets(process_id: int) -> int:
    """Sockets that it has open. Its files come and go with its mailboxes, and are not counted."""
    found = 0
    for entry in os.scandir(f"/proc/{process_id}/fd"):
        try:
            found += str(Path(entry.path).readlink()).startswith("socket:")
        except FileNotFoundError:
            continue  # it was closed while we looked
    return found


def start(work: Path, *, plain: bool) -> Server:
    """The server, listening."""
    options = [*as_root.ARGUMENTS, "--count-this-machine"]
    if not plain:
        subprocess.run(
            [*MSGD, "cert", "--out", str(work), "--host", "127.0.0.1"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
        )
        options += ["--tls-cert", str(work / "cert.pem"), "--tls-key", str(work / "key.pem")]
    limited = ["bash", "-c", f'ulimit -n {NOFILE}; exec "$@"', "bash", *MSGD]
    server = Server(work / "server", options, command=limited)
    server.environment = {
        key: value for key, value in os.environ.items() if not key.startswith("MSGD_")
    } | as_root.ENVIRONMENT
    server.start()
    until_s = time.monotonic() + 20
    while not server.is_listening:
        if not server.take_output() or time.monotonic() > until_s:
            raise ServerError(f"msgd does not listen: {server.last_words()}")
        fd = server.output_fd
        assert fd is not None
        select.select([fd], [], [], 1.0)
    return server


def pin(server_process_id: int) -> str:
    """Give the server a processor of its own, and this process and its children the others.

    The clients of a real attack run on machines of their own: here they must not be what keeps the
    server from its processor. The same holds in the calm and in the attack. Gives what was done.
    """
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        return "one processor for all: the clients are in the server's way"
    os.sched_setaffinity(server_process_id, processors[:1])
    os.sched_setaffinity(0, processors[1:])
    return f"the server on processor {processors[0]}, all clients on the others"


def put_ahead(server_process_id: int) -> None:
    """Server and honest clients go before whatever else the machine does; what they start does not.

    For a machine that does other things, too; only root may.
    """
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(server_process_id, policy, os.sched_param(2))
    os.sched_setscheduler(0, policy, os.sched_param(1))


def attack(
    server: Server, clients: int, seconds: float, *, plain: bool, kinds: str, place: str
) -> subprocess.Popen[str]:
    """Let them loose, in a process that gives way to those who are timed: it sees to that, by its
    option `place`.
    """
    options = ["--clients", str(clients), "--seconds", str(seconds)]
    options += ["--kinds", kinds] if kinds else []
    options += [place] if place else []
    return start_beside(server, "attackers", options, plain=plain)


def start_beside(
    server: Server, module: str, options: Sequence[str], *, plain: bool
) -> subprocess.Popen[str]:
    """Another program of this folder, as a process."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", f"tests.hostile.{module}", "--port", str(server.port)),
            *options,
            *(["--plain"] if plain else []),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def take_victim(victim: subprocess.Popen[str]) -> tuple[float, int]:
    """End it; gives its p99 in milliseconds, over all of the time, and how many messages it got."""
    said, _ = victim.communicate(timeout=60)
    if not said:
        raise ServerError("the one who was flooded was thrown out")
    told = json.loads(said)
    return p99(sorted(told["samples_ms"])), told["received"]


def run(
    work: Path,
    *,
    seconds: float,
    clients: int,
    plain: bool,
    calm_s: float,
    kinds: str = "",
    ahead: bool = False,
    is_timed: bool = True,
) -> Figures:
    """The whole of it; the times mean nothing unless `is_timed`. Raises ServerError."""
    figures = Figures()
    place = "--ahead" if ahead else "--idle" if is_timed else ""
    server = start(work, plain=plain)
    crowd: Crowd | None = None
    processors = os.sched_getaffinity(0)
    victim: subprocess.Popen[str] | None = None
    attackers: subprocess.Popen[str] | None = None
    try:
        say(pin(server.process_id))
        if ahead:
            put_ahead(server.process_id)
        victim = start_beside(server, "honest", [], plain=plain)
        assert victim.stdout is not None
        victim.stdout.readline()  # it is in
        crowd = Crowd(server.port, range(HONEST), context=None if plain else client_context())
        crowd.run(2.0)  # to get warm
        calm = crowd.run(calm_s)
        figures.calm_ms, figures.calm_p50_ms = p99(calm), p50(calm)
        figures.calm_felt_ms = p99(crowd.felt_ms)
        calm_bytes, calm_sockets = memory_bytes(server.process_id), sockets(server.process_id)
        took = f"p99 {figures.calm_ms:.1f} ms ({figures.calm_felt_ms:.1f} as felt)"
        say(f"calm: {took}, {calm_bytes >> 20} MiB, {calm_sockets} sockets")
        attackers = attack(server, clients, seconds, plain=plain, kinds=kinds, place=place)
        watch(server, crowd, figures, seconds, calm_bytes)
        said, _ = attackers.communicate(timeout=60)
        told = json.loads(said)
        say(f"attackers: came {told['came']}, logged in {told['logged_in']}")
        figures.came = sum(told["came"].values())
        until_s = time.monotonic() + SETTLE_S
        while sockets(server.process_id) > calm_sockets and time.monotonic() < until_s:
            crowd.run(0.5)
        figures.leaked = max(0, sockets(server.process_id) - calm_sockets)
        figures.failures = crowd.failures
        figures.victim_ms, figures.victim_got = take_victim(victim)
        server.signal(signal.SIGTERM)
        server.check_good_end()
        figures.exceptions = server.errors().count("Traceback")
        server.check_folder()
    finally:
        for process in (attackers, victim):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if crowd is not None:
            crowd.close()
        server.close()
        os.sched_setaffinity(0, processors)
        if ahead:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return figures


def watch(server: Server, crowd: Crowd, figures: Figures, seconds: float, calm_bytes: int) -> None:
    """What the honest measure while the attackers are at it, into `figures`."""
    samples: list[float] = []
    felt_ms: list[float] = []
    before_s = processor_s(server.process_id)[1]
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        step_s = min(STEP_S, max(left_s, 0.5))
        worked_s, waited_s = processor_s(server.process_id)
        part = crowd.run(step_s)
        now_worked_s, now_waited_s = processor_s(server.process_id)
        samples += part
        felt_ms += crowd.felt_ms
        more = memory_bytes(server.process_id) - calm_bytes
        figures.memory_bytes = max(figures.memory_bytes, more)
        say(
            f"attack: p99 {p99(part):.1f} ms ({p99(crowd.felt_ms):.1f} as felt), "
            f"{more / (1 << 20):+.1f} MiB, "
            f"{sockets(server.process_id)} sockets, server at work "
            f"{(now_worked_s - worked_s) / step_s:.0%}, without a processor "
            f"{(now_waited_s - waited_s) / step_s:.0%}"
        )
    stood_s = processor_s(server.process_id)[1] - before_s
    figures.stood_percent = 100 * stood_s / seconds
    samples.sort()
    figures.attack_ms, figures.attack_p50_ms = p99(samples), p50(samples)
    figures.answers = len(samples)
    figures.attack_felt_ms = p99(sorted(felt_ms))


def say(text: str) -> None:
    """A line of what goes on."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="hostile.sh", description="see scripts/hostile.sh")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--calm", type=float, default=CALM_S, help="seconds")
    parser.add_argument("--kinds", default="", help="only these, such as slow,deaf")
    parser.add_argument("--plain", action="store_true", help="without TLS")
    parser.add_argument(
        "--ahead", action="store_true", help="of all else on this machine; only root may"
    )
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="msgd-hostile-"))
    try:
        figures = run(
            work,
            seconds=given.minutes * 60,
            clients=given.clients,
            plain=given.plain,
            calm_s=given.calm,
            kinds=given.kinds,
            ahead=given.ahead,
        )
    except ServerError as error:
        say(f"VIOLATION: {error}; see {work}")
        return 1
    violations = figures.violations()
    for violation in violations:
        say(f"VIOLATION: {violation}; see {work}")
    print(figures.line())
    if figures.is_restless:
        say("this machine did something else, too: times were far apart before anybody attacked")
    if not violations:
        shutil.rmtree(work)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
