"""The machine around a measurement: the server's process, its CPU and memory, the disk's own speed.

Linux only (/proc). Must never end a process that it did not start.
Fails with RunError when the server or the generator does not do its part.
"""

import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests import as_root, no_brakes
from tests.real.server import ROOT, free_port

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
PROBE_BYTES: Final = 4_096
MAILBOX_MESSAGES_MAX: Final = 2_000_000
"""Of what the workloads put into one mailbox, more than the server's own limit."""
CONNECTIONS_MAX: Final = 12_000
"""For ten thousand that do nothing, more than the server's own limit."""
PROBE_SECONDS: Final = 0.3
END_SECONDS: Final = 60

Figures = dict[str, float]


class RunError(Exception):
    """A measurement came to nothing; the text says why."""


def cores() -> tuple[str, str]:
    """The core of the server and that of the load; the same one where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return str(available[0]), str(available[-1])


def raise_descriptors() -> None:
    """As many descriptors as the system allows: for ten thousand connections."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server:
    """`msgd --headless` on its own core and folder."""

    def __init__(self, data: Path, python: str = sys.executable) -> None:
        """`python` has the msgd to measure: this work tree's when it is the one that runs here."""
        self.data = data
        # In the work tree's folder its sources would come first.
        self._folder = ROOT if python == sys.executable else data.parent
        self.port = free_port()
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> float:
        """Start it; the seconds until it listens."""
        began = time.monotonic()
        command = [
            self._python,
            "-m",
            "msgd",
            "--headless",
            "--data",
            str(self.data),
            *as_root.ARGUMENTS,
            *no_brakes.ARGUMENTS,
            *("--mailbox-messages-max", str(MAILBOX_MESSAGES_MAX), "--mailbox-bytes-max", "4G"),
            *("--connections-max", str(CONNECTIONS_MAX)),
        ]
        log = self.data.parent / f"{self.data.name}.log"
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*pinned(cores()[0]), *command, "--port", str(self.port), "--log", str(log)],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        if "listening on" in self._process.stdout.readline():
            return time.monotonic() - began
        raise RunError(f"msgd did not start; see {log}")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it, or kill it."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(END_SECONDS)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @property
    def process_id(self) -> int:
        """Of the running server."""
        assert self._process is not None
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        after_name = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS_PER_SECOND

    def memory_bytes(self) -> int:
        """Resident memory."""
        for line in Path(f"/proc/{self.process_id}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1_024
        raise RunError("the server is gone")

    def measure(self, workload: str, **options: object) -> Figures:
        """Play one workload against it; the figures, with the server's CPU time."""
        with Generator(self.port, workload, **options) as generator:
            before = self.cpu_seconds()
            figures = generator.play()
            figures["server_cpu_s"] = self.cpu_seconds() - before
        messages = figures["msgs"]
        figures["cpu_us_per_msg"] = figures["server_cpu_s"] / messages * 1e6 if messages else 0.0
        figures["client_util"] = figures["client_cpu_s"] / figures["elapsed_s"]
        return figures


class Generator:
    """The load generator as a process of its own, on its own core."""

    def __init__(self, port: int, workload: str, **options: object) -> None:
        command = [*pinned(cores()[1]), sys.executable, "-m", "tests.bench.load", workload]
        for name, value in {"port": port, **options}.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._line() != "READY":
            raise RunError(f"the load generator failed: {' '.join(command)}")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def begin(self) -> None:
        """Go."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def run_for(self, seconds: float) -> None:
        """Let it run. Raises RunError when it ends before."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise RunError("the load generator ended too early")

    def play(self) -> Figures:
        """Go, and wait for the figures."""
        self.begin()
        return self.figures()

    def figures(self) -> Figures:
        """Wait for them."""
        line = self._line()
        if not line:
            raise RunError("the load generator ended without figures; its reason stands above")
        figures: Mapping[str, float] = json.loads(line)
        return dict(figures)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(END_SECONDS)
        self._process.stdout.close()


def pinned(core: str) -> list[str]:
    """What runs a command on one core."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", core] if taskset else []


@dataclass(frozen=True, slots=True)
class Probe:
    """What the machine gives at this moment; it may be shared."""

    sync_us: float
    loop_ms: float


def probe(folder: Path) -> Probe:
    """Median of a 4-KiB append and fdatasync, and the best time of a fixed loop."""
    path, block = folder / "probe", bytes(PROBE_BYTES)
    samples: list[float] = []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    until = time.perf_counter() + PROBE_SECONDS
    while (began := time.perf_counter()) < until:
        os.write(fd, block)
        os.fdatasync(fd)
        samples.append(time.perf_counter() - began)
    os.close(fd)
    path.unlink()
    loops: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        sum(range(1_000_000))
        loops.append(time.perf_counter() - began)
    return Probe(statistics.median(samples) * 1e6, min(loops) * 1e3)
