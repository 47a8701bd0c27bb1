"""What a panel costs: a real server with 10,000 names and 1,000 messages a second on a real disk.

    python -m tests.msgd.panel.measure [--seconds 15] [--names 10000] [--rate 1000]

Prints, for each kind of panel, the CPU of the server (beside that without a panel) and of the
panel's own process, in percent of one core, and how often it drew. Linux only (/proc).
Must never measure with its own load on the panel's terminal: it only reads it.
"""

import argparse
import fcntl
import os
import pty
import random
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.os_disk import OsDisk
from store.settings import Settings
from store.store import Store
from tests import as_root, no_brakes
from tests.scale.load import RealClock
from wire.connection import Connection
from wire.messages import DistributeMessage, Hello, LoginRequest, MessageReceipt, SendMessage
from wire.states import Role

ROOT: Final = Path(__file__).resolve().parents[3]
TICKS: Final = os.sysconf("SC_CLK_TCK")
WARM_SECONDS: Final = 4.0
BURST_GAP_SECONDS: Final = 0.012
"""What the terminal gets with a longer pause before it is another picture."""
KINDS: Final[tuple[tuple[str, bytes | None, bool], ...]] = (
    ("no panel", None, True),
    ("users by state", b"", True),
    ("users by waiting", b"oo", True),
    ("stuck mail", b"m", True),
    ("filter", b"/user-00\r", True),
    ("log", b"L", True),
    ("a terminal that takes nothing", b"", False),
    ("no panel again", None, True),
)
"""What is typed into each, and whether somebody reads its terminal."""


class Client:
    """One connection of the load."""

    def __init__(self, port: int, name: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.connection = Connection(Role.CLIENT)
        self.installation = random.randbytes(8)
        self.counter = 0
        self.received = 0
        self.say(Hello((1,), "measure"))
        self.hear()
        self.say(LoginRequest(1, name, self.installation, create_if_new=True, live=True))
        self.hear()
        self.socket.settimeout(0)

    def say(self, message: Hello | LoginRequest | SendMessage | MessageReceipt) -> None:
        self.socket.sendall(self.connection.send(message))

    def hear(self) -> None:
        """Take what came, and confirm messages."""
        self.connection.receive_data(self.socket.recv(1 << 20))
        deliveries = []
        while (message := self.connection.next_event()) is not None:
            if isinstance(message, DistributeMessage):
                deliveries.append(message.delivery)
        self.received += len(deliveries)
        if deliveries:
            self.say(MessageReceipt(tuple(deliveries), None))

    def send(self, name: str) -> None:
        self.counter += 1
        message_id = self.installation + self.counter.to_bytes(8, "big")
        self.say(SendMessage(self.counter, message_id, b"x" * 100, (name,)))


@dataclass
class Shown:
    """A panel on a terminal."""

    process: subprocess.Popen[bytes]
    fd: int
    is_read: bool = True
    pictures: int = 0
    size: int = 0
    last: float = 0.0

    def read(self, now: float) -> None:
        self.size += len(os.read(self.fd, 1 << 16))
        if now - self.last > BURST_GAP_SECONDS:
            self.pictures += 1
        self.last = now

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


def attach(folder: Path, keys: bytes, *, is_read: bool = True) -> Shown:
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 43, 132, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "msgd", "panel", "--data", str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"},
        stdin=its,
        stdout=its,
        start_new_session=True,
    )
    os.close(its)
    os.write(ours, keys)
    return Shown(process, ours, is_read)


class Run:
    """A server, its load, and perhaps a panel."""

    def __init__(self, folder: Path, rate: int) -> None:
        self.folder = folder
        self.rate = rate
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "msgd",
                "--headless",
                "--port",
                "0",
                "--data",
                str(folder),
                *as_root.ARGUMENTS,
                *no_brakes.ARGUMENTS,
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline().rpartition(":")[2])
        self.alice, self.bob = Client(port, "alice"), Client(port, "bob")

    def play(self, seconds: float, shown: Shown | None) -> None:
        """The load, and the terminal's other end, for so long."""
        by_fd = {self.alice.socket.fileno(): self.alice, self.bob.socket.fileno(): self.bob}
        fds = [*by_fd, *([shown.fd] if shown is not None and shown.is_read else [])]
        begun = now = time.monotonic()
        sent = 0
        while now < begun + seconds:
            for fd in select.select(fds, [], [], 0.005)[0]:
                if fd in by_fd:
                    by_fd[fd].hear()
                elif shown is not None:
                    shown.read(now)
            now = time.monotonic()
            while sent < (now - begun) * self.rate:
                self.alice.send("bob")
                sent += 1


def cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def fill(folder: Path, names: int) -> None:
    """Accounts, a few of them with mail."""
    disk = OsDisk(str(folder), create=True)
    store = Store.open(disk, RealClock(), os.urandom, Settings())
    accounts = [
        store.create_account(f"user-{number:06d}", 1_700_000_000_000) for number in range(names)
    ]
    for number in range(0, names, 100):
        message_id = bytes(8) + (number + 1).to_bytes(8, "big")
        store.accept(accounts[0], message_id, [accounts[number]], b"x" * 100, 1_700_000_000_000)
        store.commit()
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top) / "data"
        os.umask(0o077)
        fill(folder, options.names)
        run = Run(folder, options.rate)
        try:
            measure(run, options.seconds)
        finally:
            run.process.kill()
            run.process.wait()


def measure(run: Run, seconds: float) -> None:
    """One kind of panel after the other."""
    print(f"{'panel':<32}{'server %':>10}{'panel %':>10}{'pictures/s':>12}{'KB/s':>8}{'in/s':>8}")
    for title, keys, is_read in KINDS:
        shown = None if keys is None else attach(run.folder, keys, is_read=is_read)
        run.play(WARM_SECONDS, shown)
        server, panel = cpu_seconds(run.process.pid), 0.0
        received = run.bob.received
        if shown is not None:
            shown.pictures = shown.size = 0
            panel = cpu_seconds(shown.process.pid)
        began = time.monotonic()
        run.play(seconds, shown)
        took = time.monotonic() - began
        server = (cpu_seconds(run.process.pid) - server) / took * 100
        pictures = size = 0.0
        if shown is not None:
            panel = (cpu_seconds(shown.process.pid) - panel) / took * 100
            pictures, size = shown.pictures / took, shown.size / took / 1_024
            shown.end()
        row = f"{title:<32}{server:>10.1f}{panel:>10.1f}{pictures:>12.1f}{size:>8.1f}"
        print(f"{row}{(run.bob.received - received) / took:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
