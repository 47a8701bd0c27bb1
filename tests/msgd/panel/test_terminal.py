"""The real program on a real terminal, with pyte as the eyes."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.msgd.test_server import Caller
from wire.messages import Hello, LoginRequest, Notice

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 20

pytestmark = pytest.mark.e2e


class Terminal:
    """A program, and the screen that it drew."""

    def __init__(self, folder: Path, rows: int = 24, columns: int = 80) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.program = pexpect.spawn(
            sys.executable,
            ["-m", "msgd", "--data", str(folder), "--port", "0"],
            cwd=str(ROOT),
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"},
            dimensions=(rows, columns),
            timeout=PATIENCE_S,
        )

    def wait_for(self, words: str) -> None:
        """Read until the screen shows the words."""
        while words not in self.text:
            try:
                data = self.program.read_nonblocking(65_536, timeout=PATIENCE_S)
            except pexpect.EOF:
                raise AssertionError(f"it ended without {words!r}:\n{self.text}") from None
            self.raw += data
            self.stream.feed(data)

    def end(self) -> int | None:
        """Read to the end; gives the exit code."""
        self.raw += self.program.read()
        self.program.close()
        code: int | None = self.program.exitstatus
        return code

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def port(self) -> int:
        self.wait_for("127.0.0.1:")
        return int(self.text.split("127.0.0.1:")[1].split()[0])


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path / "data")
    yield made
    made.program.close(force=True)


def log_in(port: int, name: str) -> Caller:
    caller = Caller(port)
    caller.say(Hello((1,), "test"))
    caller.hear()
    caller.say(LoginRequest(1, name, bytes(8), create_if_new=True, live=True))
    caller.hear()
    return caller


def test_names_appear_as_they_come_and_go_and_q_asks(terminal: Terminal) -> None:
    port = terminal.port()
    terminal.wait_for("0 known")
    alice = log_in(port, "alice")
    terminal.wait_for("* ON  alice")
    bob = log_in(port, "bob")
    terminal.wait_for("* ON  bob")
    bob.socket.close()
    terminal.wait_for("  off bob")
    terminal.program.setwinsize(30, 100)
    terminal.screen.resize(30, 100)
    terminal.wait_for("DISCONNECT bob from 127.0.0.1:")
    terminal.program.send("q")
    terminal.wait_for("1 user is connected. Tell them and end the server?")
    terminal.program.send("y")
    assert isinstance(alice.hear(), Notice)
    assert alice.hear() is None
    alice.socket.close()
    assert terminal.end() == 0
    assert b"\x1b[?1049l" in terminal.raw, "the terminal is given back"
    assert b"Traceback" not in terminal.raw


def test_a_hung_up_terminal_ends_the_server_in_order(terminal: Terminal) -> None:
    alice = log_in(terminal.port(), "alice")
    terminal.wait_for("* ON  alice")
    terminal.program.ptyproc.fileobj.close()
    assert isinstance(alice.hear(), Notice)
    assert alice.hear() is None
    alice.socket.close()
    assert terminal.program.wait() == 0


def test_sigterm_restores_the_terminal(terminal: Terminal) -> None:
    terminal.wait_for("0 known")
    terminal.program.kill(signal.SIGTERM)
    assert terminal.end() == 0
    assert b"\x1b[?1049l" in terminal.raw
