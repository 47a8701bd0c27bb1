"""`scripts/start_all.sh` as a newcomer runs it: real tmux, real server, real clients.

Each test has its own tmux socket, home, data folder and port, and ends what it started. The virtual
environment is the one that runs the tests, so nothing is installed a second time.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from select import select
from time import monotonic
from typing import Final

import pexpect
import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
wait_s_max: Final = 30.0

pytestmark = pytest.mark.e2e


@dataclass(frozen=True, slots=True)
class Stage:
    """A place to run the script in: its environment, port, data folder and the project itself."""

    environment: dict[str, str]
    port: int
    data: Path
    root: Path = ROOT

    @property
    def session(self) -> str:
        return f"msg-{self.port}"

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Runs the script to its end, with changes to its environment; an empty one is removed."""
        environment = {key: value for key, value in (self.environment | changes).items() if value}
        return subprocess.run(
            ["bash", str(self.root / "scripts/start_all.sh"), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def start(self, *names: str) -> subprocess.CompletedProcess[str]:
        return self.run("--detach", "--port", str(self.port), "--data", str(self.data), *names)

    def stop(self) -> subprocess.CompletedProcess[str]:
        return self.run("--stop", "--port", str(self.port))

    def tmux(self, *arguments: str) -> str:
        """What tmux prints; nothing when it has no such session."""
        command = ["tmux", "-S", self.environment["MSG_TMUX_SOCKET"], *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout

    def panes(self, value: str) -> list[str]:
        """A tmux format for each of the panes, the server's first, then the clients' in order."""
        return self.tmux("list-panes", "-t", self.session, "-F", value).splitlines()

    def screen(self, pane: int) -> str:
        """What the pane shows; nothing while there is no such pane."""
        panes = self.panes("#{pane_id}")
        return self.tmux("capture-pane", "-p", "-t", panes[pane]) if pane < len(panes) else ""

    def type(self, pane: int, *keys: str) -> None:
        self.tmux("send-keys", "-t", self.panes("#{pane_id}")[pane], *keys)

    def screen_with(self, pane: int, pattern: str) -> str:
        """Waits until the pane shows the pattern; returns its screen."""
        found = until(lambda: re.search(pattern, self.screen(pane), re.MULTILINE) is not None)
        screen = self.screen(pane)
        assert found, f"no {pattern!r} in pane {pane}:\n{screen}"
        return screen


def until(holds: Callable[[], bool]) -> bool:
    """Asks again and again, ten times a second, until it holds or the time is up."""
    deadline = monotonic() + wait_s_max
    while not holds():
        if monotonic() > deadline:
            return False
        select([], [], [], 0.1)
    return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert isinstance(port, int)
        return port


def pip_settings() -> dict[str, str]:
    """How this machine reaches its package index, if not in the usual way."""
    return {key: value for key, value in os.environ.items() if key.startswith("PIP_")}


def is_alive(process_id: int) -> bool:
    """Whether the process runs; one that has ended and was not yet reaped does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    kept = {key: os.environ[key] for key in ("PATH", "TERM", "LANG") if key in os.environ}
    environment = kept | {
        "HOME": str(tmp_path / "home"),
        "MSG_VENV": sys.prefix,
        "MSG_TMUX_SOCKET": str(tmp_path / "tmux"),
        "TERM": "xterm-256color",
    }
    (tmp_path / "home").mkdir()
    stage = Stage(environment, free_port(), tmp_path / "data")
    yield stage
    pids = [int(pid) for pid in stage.panes("#{@program_pid}") if pid]
    stage.tmux("kill-server")
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def test_four_panes_work_and_stop_leaves_nothing(stage: Stage) -> None:
    started = stage.start("alice", "Bob")
    assert started.returncode == 0, started.stderr
    assert f"attach -t {stage.session}" in started.stdout
    assert stage.panes("#{@title}") == [
        f"server, port {stage.port}",
        "client 1: alice",
        "client 2: Bob",
        "client 3",
    ]

    # Every client says that it is connected; the one without a name asks for it.
    stage.screen_with(1, r"You are connected as alice\.")
    stage.screen_with(2, r"You are connected as bob\.")
    stage.screen_with(3, r"Username:")
    stage.type(3, "carol", "Enter")
    stage.screen_with(3, r"You are connected as carol\.")
    # The panel shows every name, and that it is connected.
    for name in ("alice", "bob", "carol"):
        stage.screen_with(0, rf"\* ON +{name}\b|\b{name} +\* ON\b")

    # Run again, it finds what runs and changes nothing.
    before = stage.panes("#{pane_id} #{@program_pid}")
    again = stage.start()
    assert again.returncode == 0, again.stderr
    assert "Already running" in again.stdout
    assert "names" not in again.stdout
    other = stage.start("xenia", "yves")
    assert other.returncode == 0, other.stderr
    assert "the names given were not used" in other.stdout
    assert stage.panes("#{pane_id} #{@program_pid}") == before
    elsewhere = stage.run("--detach", "--port", str(stage.port), "--data", "/elsewhere")
    assert elsewhere.returncode == 1
    assert str(stage.data) in elsewhere.stderr

    pids = [int(pid) for pid in stage.panes("#{@program_pid}")]
    assert len(pids) == 4
    stopped = stage.stop()
    assert stopped.returncode == 0, stopped.stderr
    assert not stage.panes("#{pane_id}")
    assert not [pid for pid in pids if is_alive(pid)]
    assert "Nothing is running" in stage.stop().stdout


def test_the_first_run_installs_and_the_second_does_not(stage: Stage, tmp_path: Path) -> None:
    """From a clean copy of the project, with no environment given: what a newcomer has."""
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("scripts", "wire", "store", "term", "msgd", "msgc"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {key: value for key, value in stage.environment.items() if key != "MSG_VENV"}
    clean = replace(stage, root=copy, environment=environment | pip_settings())
    first = clean.start("alice")
    assert first.returncode == 0, first.stderr
    assert "Making a virtual environment" in first.stdout
    clean.screen_with(1, "You are connected as alice")
    assert clean.stop().returncode == 0
    second = clean.start("alice")
    assert second.returncode == 0, second.stderr
    assert "virtual environment" not in second.stdout
    assert "Installing" not in second.stdout


def test_messages_survive_stop_and_start(stage: Stage) -> None:
    stage.start("alice", "bob")
    stage.screen_with(2, "You are connected as bob")
    assert stage.stop().returncode == 0
    stage.start("alice")
    stage.screen_with(1, "You are connected as alice")
    # bob is known from before, and not connected now.
    stage.screen_with(0, r"\boff +bob\b|\bbob +off\b")


def test_panes_are_large_enough_to_read(stage: Stage) -> None:
    stage.start()
    for size in stage.panes("#{pane_width} #{pane_height}"):
        columns, rows = map(int, size.split())
        assert columns >= 80
        assert rows >= 24


def test_a_program_that_ends_says_so_and_starts_again(stage: Stage) -> None:
    stage.start("alice")
    stage.screen_with(1, "You are connected as alice")
    first = int(stage.panes("#{@program_pid}")[1])
    stage.type(1, "q")
    stage.screen_with(1, r"msgc ended with exit status 0\. Press Enter to start it again\.")
    assert not is_alive(first)
    stage.type(1, "Enter")
    stage.screen_with(1, "You are connected as alice")


def test_a_killed_server_starts_again_and_the_clients_come_back(stage: Stage) -> None:
    stage.start("alice")
    stage.screen_with(1, "You are connected as alice")
    os.kill(int(stage.panes("#{@program_pid}")[0]), signal.SIGKILL)
    screen = stage.screen_with(0, r"msgd ended with exit status 137\.")
    assert "Users" not in screen, "the panel's last picture is in the way"
    stage.screen_with(1, "You are not connected")
    stage.type(0, "Enter")
    stage.screen_with(0, r"\* ON +alice")
    stage.screen_with(1, "You are connected as alice")


@pytest.mark.parametrize(("dimensions", "zoomed"), [((50, 170), "0"), ((24, 80), "1")])
def test_a_terminal_is_attached(stage: Stage, dimensions: tuple[int, int], zoomed: str) -> None:
    """A terminal too small for four panes begins with one of them."""
    script = str(ROOT / "scripts/start_all.sh")
    arguments = [script, "--port", str(stage.port), "--data", str(stage.data), "alice"]
    child = pexpect.spawn("bash", arguments, env=stage.environment, dimensions=dimensions)
    try:
        assert until(lambda: stage.tmux("list-clients", "-F", "#{client_session}") != "")
        stage.screen_with(1, "You are connected as alice")
        assert stage.panes("#{window_zoomed_flag}") == [zoomed] * 4
        stage.tmux("detach-client", "-s", stage.session)
        child.expect(pexpect.EOF, timeout=10)
    finally:
        child.close(force=True)


def test_a_taken_port_is_named(stage: Stage) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", stage.port))
        holder.listen()
        refused = stage.start()
    assert refused.returncode == 1
    assert f"Port {stage.port}" in refused.stderr
    assert "--port" in refused.stderr
    assert not stage.panes("#{pane_id}")


def test_a_server_that_cannot_start_is_quoted(stage: Stage) -> None:
    stage.data.write_text("a file where a folder should be", encoding="ascii")
    refused = stage.start()
    assert refused.returncode == 1
    assert str(stage.data) in refused.stderr
    assert not stage.panes("#{pane_id}")


def test_a_session_of_somebody_else_is_left_alone(stage: Stage) -> None:
    stage.tmux("new-session", "-d", "-s", stage.session)
    for answer in (stage.start(), stage.stop()):
        assert answer.returncode == 1
        assert "did not make" in answer.stderr
    assert len(stage.panes("#{pane_id}")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], "--port takes a number"),
        (["--port", "seventy"], "--port takes a number"),
        (["--port"], "--port needs a value"),
        (["--size", "200"], "--size takes COLSxROWS"),
        (["--size", "20x10"], "at least"),
        (["--size", "120x60"], "at least 121x35"),
        (["--size", "200x34"], "at least 121x35"),
        (["--frobnicate"], "Unknown option --frobnicate"),
        (["a", "b", "c", "d"], "4 names were given"),
        (["al ice"], "does not fit"),
    ],
)
def test_bad_arguments(stage: Stage, arguments: list[str], said: str) -> None:
    refused = stage.run(*arguments)
    assert refused.returncode == 2
    assert said in refused.stderr


def folder_with(folder: Path, *programs: str) -> str:
    """A PATH that holds these programs and no other."""
    folder.mkdir()
    for program in programs:
        found = shutil.which(program)
        assert found, program
        (folder / program).symlink_to(found)
    return str(folder)


BASICS: Final = ("bash", "cat", "dirname", "env", "id", "mktemp", "rm", "sed", "sha256sum", "cut")


def test_no_tmux_and_no_way_to_get_it(stage: Stage, tmp_path: Path) -> None:
    refused = stage.run("--detach", PATH=folder_with(tmp_path / "bin", *BASICS))
    assert refused.returncode == 1
    assert "tmux is missing" in refused.stderr
    assert "Install tmux" in refused.stderr


def test_no_python(stage: Stage, tmp_path: Path) -> None:
    path = folder_with(tmp_path / "bin", *BASICS, "tmux")
    refused = stage.run("--detach", PATH=path, MSG_VENV="")
    assert refused.returncode == 1
    assert "Python 3.11 or newer is needed, and python3 was not found" in refused.stderr


def test_python_too_old(stage: Stage, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.2'\nexit 1\n")
    old.chmod(0o755)
    refused = stage.run("--detach", MSG_VENV="", PYTHON=str(old))
    assert refused.returncode == 1
    assert "is Python 3.9.2" in refused.stderr
