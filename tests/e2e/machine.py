"""What the end-to-end tests share: one way to wait, processes, ports, environments.

While a test waits for anything, `wait` also reads every open terminal, so that no program ever
stands still because nobody looks at its screen. Must never sleep: it waits for what is to happen,
and for no longer than a time-out.
Fails with AssertionError when something does not happen in time.
"""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

from tests import as_root

ROOT: Final = Path(__file__).resolve().parents[2]
wait_s_max: Final = 20.0
"""Generous: the machine may be busy. A test that passes does not use it up."""
_look_again_s: Final = 0.05
_PASSED_ON: Final = ("PATH", "COVERAGE_PROCESS_START", "PYTHONHASHSEED")


class Watched(Protocol):
    """Something that has to be read whenever there is something to read."""

    fd: int

    def read_waiting(self) -> None:
        """Take what is there, without waiting. May end being watched."""


# Linux gives away 32768 to 60999 (ip_local_port_range).
_FIRST_PORT: Final = 10_000
_BLOCKS: Final = 200
_BLOCK_PORTS: Final = 100
_counted: Final = count()

WATCHED: Final[dict[int, Watched]] = {}


def wait(timeout_s: float, fd: int | None = None, *, to_write: bool = False) -> bool:
    """Wait until something happens, and read the terminals; whether `fd` is ready."""
    poll = select.poll()
    for watched in WATCHED:
        poll.register(watched, select.POLLIN)
    if fd is not None:
        poll.register(fd, select.POLLOUT if to_write else select.POLLIN)
    ready = False
    for happened, _ in poll.poll(max(0.0, timeout_s) * 1_000):
        if happened == fd:
            ready = True
        elif happened in WATCHED:
            WATCHED[happened].read_waiting()
    return ready


def wait_for_fd(fd: int, what: str, *, to_write: bool = False) -> None:
    """Wait until `fd` can be read (or written)."""
    deadline_s = monotonic() + wait_s_max
    while not wait(deadline_s - monotonic(), fd, to_write=to_write):
        assert monotonic() < deadline_s, f"time is up: {what}"


def until(holds: Callable[[], bool], what: str, timeout_s: float = wait_s_max) -> None:
    """Ask again and again until it holds: for what cannot be waited for by a descriptor."""
    deadline_s = monotonic() + timeout_s
    while not holds():
        assert monotonic() < deadline_s, f"time is up: {what}"
        wait(_look_again_s)


def wait_for_exit(process_id: int) -> None:
    """Wait until a child of ours has ended; it is still to be reaped."""
    fd = os.pidfd_open(process_id)
    try:
        wait_for_fd(fd, f"process {process_id} has ended")
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


def run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, text: str | None = None
) -> Finished:
    """Run a program without a terminal to its end. `text` is its standard input."""
    running = start(arguments, environment, folder, text)
    try:
        return running.finish()
    finally:
        running.kill()


@dataclass(frozen=True, slots=True)
class Running:
    """A program without a terminal; what it writes goes to files."""

    process: subprocess.Popen[bytes]
    out_path: Path
    err_path: Path

    @property
    def out(self) -> str:
        """What is on its standard output so far."""
        return self.out_path.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What is on its standard error so far."""
        return self.err_path.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        """Wait until it has written this, to either."""
        until(
            lambda: text in self.out + self.err or self.process.poll() is not None,
            f"{text!r} from {self.process.args!r}",
        )
        assert text in self.out + self.err, f"{self.process.args!r} ended: {self.err}{self.out}"

    def finish(self) -> Finished:
        """Wait for its end."""
        if self.process.poll() is None:
            wait_for_exit(self.process.pid)
        return Finished(self.process.wait(), self.out, self.err)

    def kill(self) -> None:
        """End it the hard way, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def start(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, text: str | None = None
) -> Running:
    """Start a program without a terminal. Its output is kept in a folder of its own."""
    kept = folder / f"run-{len(list(folder.glob('run-*')))}"
    kept.mkdir(parents=True)
    (kept / "in").write_text(text or "", encoding="utf-8")
    with (
        (kept / "in").open("rb") as given,
        (kept / "out").open("wb") as out,
        (kept / "err").open("wb") as err,
    ):
        process = subprocess.Popen(
            arguments, stdin=given, stdout=out, stderr=err, env=dict(environment), cwd=ROOT
        )
    return Running(process, kept / "out", kept / "err")


def environment(home: Path) -> dict[str, str]:
    """That of a person with this home, at a terminal that pyte understands."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
    return (
        kept
        | as_root.ENVIRONMENT
        | {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            # pyte is a VT102 with the colours of a Linux console; it does not know REP, say.
            "TERM": "linux",
            "TZ": "UTC",
        }
    )


def program(name: str, *arguments: str) -> list[str]:
    """The command line of one of the two programs, by the Python that runs the tests."""
    return [sys.executable, "-m", name, *arguments]


def free_port() -> int:
    """A port that nobody listens on, and that nobody gets by chance.

    From a block of this process's own, below those that the system gives away: a server that is
    started again finds its port free, whatever connects and listens meanwhile.
    """
    for _ in range(_BLOCK_PORTS):
        port = _FIRST_PORT + os.getpid() % _BLOCKS * _BLOCK_PORTS + next(_counted) % _BLOCK_PORTS
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")
