"""The real program on a real terminal, with pyte as the eyes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests import as_root
from tests.msgd.test_server_process import Caller, Process
from wire.messages import Error, Hello, LoginRequest, Notice, Ping, Pong

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 20

pytestmark = pytest.mark.e2e


class Terminal:
    """A program, and the screen that it drew."""

    arguments: tuple[str, ...] = ("--port=0",)

    def __init__(
        self, folder: Path, rows: int = 24, columns: int = 80, through: str | None = None
    ) -> None:
        words = [sys.executable, "-m", "msgd", *self.arguments, "--data", str(folder)]
        if through is not None:
            words = [through, "-c", '"$@"; read answer', through, *words]
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.program = pexpect.spawn(
            words[0],
            words[1:],
            cwd=str(ROOT),
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
            | as_root.ENVIRONMENT,
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


# ----- attached to a headless server --------------------------------------------------------------


class Attached(Terminal):
    """`msgd panel` on a terminal."""

    arguments = ("panel",)


def headless(folder: Path) -> Process:
    return Process(folder, "--headless", "--port", "0")


def test_a_panel_comes_and_goes_and_is_killed_and_the_server_goes_on(tmp_path: Path) -> None:
    server = headless(tmp_path / "data")
    alice = log_in(server.port(), "alice")
    try:
        first = Attached(tmp_path / "data")
        first.wait_for("* ON  alice")
        mode = (tmp_path / "data" / "panel.sock").stat().st_mode
        assert mode & 0o777 == 0o600
        second = Attached(tmp_path / "data")
        second.wait_for("* ON  alice")
        first.program.kill(signal.SIGKILL)
        first.program.wait()
        second.wait_for("panel detached")
        second.program.send("q")
        assert second.end() == 0
        assert b"\x1b[?1049l" in second.raw
        third = Attached(tmp_path / "data")
        third.wait_for("* ON  alice")
        third.program.send("K")
        third.wait_for("Disconnect alice?")
        third.program.send("y")
        third.wait_for("alice was disconnected.")
        assert isinstance(alice.hear(), Error)
        server.running.send_signal(signal.SIGTERM)
        third.wait_for("looking for it again once a second")
        code, log = server.end()
        assert code == 0, log
        assert "NOTICE the server was asked to end; 0 connected users are told" in log
        assert not (tmp_path / "data" / "panel.sock").exists()
        server = headless(tmp_path / "data")
        server.port()
        third.wait_for("  off alice")
        third.program.send("q")
        assert third.end() == 0
    finally:
        alice.socket.close()
        server.running.kill()
        server.end()


def test_what_is_said_without_a_server_and_what_scripts_get(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "msgd", "panel", "--data", str(tmp_path / "data"), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    code, out, words = run("--once")
    assert (code, out) == (1, "")
    assert "no server answers on" in words
    server = headless(tmp_path / "data")
    alice = log_in(server.port(), "alice")
    try:
        code, out, words = run("--once")
        assert (code, words) == (0, "")
        assert "Users: 1 known, 1 connected" in out
        code, out, words = run("--once", "--json", "--user", "alice")
        assert (code, words) == (0, "")
        assert json.loads(out)["user"]["row"]["presence"] == "on"
        code, out, words = run()
        assert (code, out) == (2, "")
        assert "standard output is not a terminal; use --once" in words
    finally:
        alice.socket.close()
        server.running.kill()
        server.end()


def test_a_folder_with_a_long_name_has_its_socket_too(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 20) / ("longer-" * 10) / "data"
    folder.parent.mkdir(parents=True)
    server = headless(folder)
    server.port()
    try:
        panel = Attached(folder)
        panel.wait_for("0 known")
        panel.program.send("q")
        assert panel.end() == 0
    finally:
        server.running.kill()
        server.end()


def test_a_terminal_that_takes_nothing_does_not_stop_its_server(terminal: Terminal) -> None:
    """Nobody reads the terminal from here on; the kernel holds a few KB of it, then nothing."""
    port = terminal.port()
    for turn in range(12):
        # Each takes the whole screen: log in, so that rows change, and change the size.
        caller = log_in(port, f"user{turn:02d}")
        terminal.program.setwinsize(60 + turn % 2, 200)
        terminal.program.send("\x0c" * 20)
        caller.socket.close()
    late = log_in(port, "late")
    late.say(Ping(7))
    answer = late.hear()
    while not isinstance(answer, Pong):
        answer = late.hear()
    late.socket.close()
    terminal.program.kill(signal.SIGTERM)
    # The panel cannot give the terminal back, and is not waited for longer than two seconds.
    assert terminal.program.wait() == 0


def test_a_server_that_is_killed_leaves_the_terminal_in_order(tmp_path: Path) -> None:
    """Under a shell, as people start it: the terminal outlives the server."""
    terminal = Terminal(tmp_path / "data", through="sh")
    try:
        terminal.wait_for("0 known")
        process_id = int(terminal.text.split(" pid ")[1].split()[0])
        os.kill(process_id, signal.SIGKILL)
        while b"\x1b[?1049l" not in terminal.raw:
            terminal.raw += terminal.program.read_nonblocking(65_536, timeout=PATIENCE_S)
    finally:
        terminal.program.close(force=True)
