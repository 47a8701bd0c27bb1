"""The server as a process: sockets, signals, exit codes and words."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from msgd.__main__ import main
from tests import as_root
from wire.connection import Connection
from wire.messages import Hello, LoginRequest, LoginSuccess, Message, Notice
from wire.states import Role

ROOT = Path(__file__).resolve().parent.parent.parent


class Process:
    """`python -m msgd --headless`, on a port that the system chooses."""

    def __init__(
        self, folder: Path, *arguments: str, through: Sequence[str] = (), **environment: str
    ) -> None:
        self.running = subprocess.Popen(
            [*through, sys.executable, "-m", "msgd", "--data", str(folder), *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **as_root.ENVIRONMENT}
            | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def port(self) -> int:
        """Waits until it listens."""
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        assert line.startswith("msgd: listening on 127.0.0.1:"), self.end()
        return int(line.rpartition(":")[2])

    def end(self) -> tuple[int, str]:
        """Waits for its end; gives the exit code and what it said on standard error."""
        _, words = self.running.communicate(timeout=20)
        return self.running.returncode, words


e2e = pytest.mark.e2e


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def begin(
        *arguments: str, folder: str = "data", through: Sequence[str] = (), **environment: str
    ) -> Process:
        made.append(Process(tmp_path / folder, *arguments, through=through, **environment))
        return made[-1]

    yield begin
    for process in made:
        if process.running.poll() is None:
            process.running.kill()
        process.running.communicate()


class Caller:
    """A client with a real socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.connection = Connection(Role.CLIENT)

    def say(self, message: Message) -> None:
        self.socket.sendall(self.connection.send(message))

    def hear(self) -> object:
        """The next frame; None at the end of the stream."""
        while (event := self.connection.next_event()) is None:
            data = self.socket.recv(65_536)
            if not data:
                return None
            self.connection.receive_data(data)
        return event


@e2e
def test_a_process_serves_and_sigterm_tells_the_clients(start: Callable[..., Process]) -> None:
    process = start("--headless", "--port", "0")
    caller = Caller(process.port())
    caller.say(Hello((1,), "test"))
    caller.hear()
    caller.say(LoginRequest(1, "alice", bytes(8), create_if_new=True, live=True))
    assert isinstance(caller.hear(), LoginSuccess)
    process.running.send_signal(signal.SIGTERM)
    assert isinstance(caller.hear(), Notice)
    assert caller.hear() is None
    caller.socket.close()
    code, log = process.end()
    assert code == 0, log
    for word in ("START", "CREATE", "alice", "DISCONNECT", "STOP"):
        assert word in log
    again = start("--headless", "--port", "0")
    again.port()
    again.running.send_signal(signal.SIGINT)
    code, log = again.end()
    assert code == 0
    assert "1 users" in log


@e2e
def test_two_servers_never_share_a_folder_or_a_port(start: Callable[..., Process]) -> None:
    first = start("--headless", "--port", "0")
    port = first.port()
    code, words = start("--headless", "--port", "0").end()
    assert code == 78
    assert "another msgd is running" in words
    code, words = start("--headless", "--port", str(port), folder="other").end()
    assert code == 1
    assert f"127.0.0.1:{port} is in use by another program" in words


@e2e
def test_a_folder_that_others_can_read_is_refused(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)
    code, words = start("--headless", "--port", "0").end()
    assert code == 78
    assert "chmod 700" in words
    assert len(words.strip().splitlines()) == 1, words


@e2e
def test_the_log_moves_and_the_file_and_environment_count(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    log = tmp_path / "msgd.log"
    config = tmp_path / "msgd.toml"
    config.write_text(f'port = 1\nheadless = true\nlog = "{log}"\n')
    process = start("--config", str(config), MSGD_PORT="0")
    port = process.port()
    log.rename(tmp_path / "old.log")
    process.running.send_signal(signal.SIGHUP)
    Caller(port).socket.close()
    process.running.send_signal(signal.SIGTERM)
    code, words = process.end()
    assert (code, words) == (0, "")
    assert "START" in (tmp_path / "old.log").read_text()
    assert "STOP" in log.read_text()


@e2e
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--help"], 0, ""),
        (["--version"], 0, ""),
        (["--prot", "1"], 2, 'did you mean "--port"?'),
        (["--config", "/nowhere"], 2, "--config /nowhere: No such file or directory"),
        (["--port", "1"], 2, "use --headless"),
        (["--data", ""], 2, "--data needs the name of a folder"),
        (["--headless", "--host", "0.0.0.0"], 2, "--unsafe-plaintext"),
    ],
)
def test_what_a_process_says_without_serving(
    start: Callable[..., Process], arguments: list[str], code: int, words: str
) -> None:
    found, said = start(*arguments).end()
    assert found == code
    assert words in said


@e2e
@pytest.mark.parametrize(
    ("sink", "code", "said"),
    [
        (">/dev/full", 1, "msgd: standard output cannot be written: No space left on device\n"),
        ("| true", 141, ""),
    ],
)
def test_an_output_that_takes_nothing(sink: str, code: int, said: str) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m msgd --help {sink}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, said)


@e2e
def test_without_assertions_it_does_not_run() -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-m", "msgd"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "python -O" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fsck", "/d"], "nothing was changed"),
        (["fsck", "/d", "--repair"], "run it again"),
        (["backup", "/d", "/e"], "remove it"),
    ],
)
def test_what_is_left_behind_by_an_interruption_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    def interrupt(*_: object, create: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["msgd", *arguments])
    monkeypatch.setattr("msgd.__main__.OsDisk", interrupt)
    assert main() == 130
    assert words in capsys.readouterr().err
