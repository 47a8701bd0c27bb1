"""A real `msgd --headless` as a process: started, killed, stopped, and what it said.

Must never end another process than its own, nor touch another folder.
Fails with ServerError when the server does something that it should not: its words are in it.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from tests import as_root, no_brakes

ROOT: Final = Path(__file__).resolve().parents[2]
MSGD: Final = (sys.executable, "-m", "msgd")
LISTENING: Final = b"msgd: listening on "
PORTS: Final = range(20_000, 30_000)
"""Below the range from which the system takes ports for connections that go out."""
FIRST_PORT_STEP: Final = 37


class ServerError(Exception):
    """The server ended when it should not, or did not when it should, or said what is a bug."""


def free_port() -> int:
    """A port that nobody listens on, and that no connection will be given by chance."""
    first = os.getpid() * FIRST_PORT_STEP
    for step in range(len(PORTS)):
        port = PORTS[(first + step) % len(PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise ServerError("no port is free")


class Server:
    """One data folder, one port, and a process from time to time.

    `command` is what runs msgd: the program itself, or it under another one. `work` holds the
    log, what was said on standard error, and the data folder unless `data` names another place.
    """

    def __init__(
        self,
        work: Path,
        options: Sequence[str],
        *,
        command: Sequence[str] = MSGD,
        data: Path | None = None,
    ) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.work = work
        self.data = data or work / "data"
        self.log_path = work / "msgd.log"
        self.error_path = work / "msgd.err"
        self.port = free_port()
        self.options = tuple(options)
        self.command = tuple(command)
        self.environment: Mapping[str, str] = {
            **{key: value for key, value in os.environ.items() if not key.startswith("MSGD_")},
            **as_root.ENVIRONMENT,
            **no_brakes.ENVIRONMENT,
        }
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._out: IO[bytes] | None = None

    # ----- its life

    def start(self) -> None:
        """Start the process. It listens once `take_output` has said so."""
        assert self._process is None
        self.starts += 1
        self._said = b""
        arguments = [
            *self.command,
            "--headless",
            *("--data", str(self.data), "--port", str(self.port), "--log", str(self.log_path)),
            *self.options,
        ]
        with self.error_path.open("ab") as errors:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=self.environment,
            )
        self._out = self._process.stdout
        assert self._out is not None
        os.set_blocking(self._out.fileno(), False)

    @property
    def is_running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def process_id(self) -> int:
        """Of the process that was started last and not yet buried."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_listening(self) -> bool:
        """Whether it has said that it listens."""
        return LISTENING in self._said

    @property
    def output_fd(self) -> int | None:
        """What to poll: readable when the server says something, or ends."""
        return None if self._out is None else self._out.fileno()

    def take_output(self) -> bool:
        """Read what it says; False once it has closed its standard output, which is its end."""
        assert self._out is not None
        data: bytes | None = self._out.read(65_536)
        if data is None:
            return True
        self._said += data
        if not data:
            self._out.close()
            self._out = None
        return bool(data)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)

    def bury(self, timeout_s: float = 30.0) -> int:
        """Wait for the end of the process; its exit code, negative for a signal."""
        assert self._process is not None
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = None
        if self._out is not None:
            self._out.close()
            self._out = None
        self._process = None
        if code is None:
            raise ServerError(f"msgd did not end within {timeout_s:.0f} s")
        return code

    def kill(self) -> None:
        """kill -9. Raises ServerError when it had ended by itself."""
        self.signal(signal.SIGKILL)
        code = self.bury()
        if code != -signal.SIGKILL:
            raise ServerError(f"msgd had ended by itself, with {code}: {self.last_words()}")

    def check_good_end(self) -> None:
        """After SIGTERM: raises ServerError unless it ends well."""
        code = self.bury()
        if code != 0:
            raise ServerError(f"msgd ended with {code} on SIGTERM: {self.last_words()}")

    def close(self) -> None:
        """Let nothing run on, whatever happened."""
        if self._process is not None:
            self._process.kill()
            self.bury()

    # ----- what it left

    def errors(self) -> str:
        """All that ever came on standard error."""
        if not self.error_path.exists():
            return ""
        return self.error_path.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """The end of standard error."""
        return self.errors()[-2_000:].strip() or "(no words)"

    def condition(self) -> str:
        """What the system says of the process: running, asleep, waiting for the disk, gone."""
        status = Path(f"/proc/{self._process.pid}/status") if self._process else Path()
        if not status.is_file():
            return "the process is gone"
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("State:")).replace("\t", " ")

    def check_words(self) -> None:
        """Raises ServerError for a trace, which is always a bug."""
        if "Traceback" in self.errors():
            raise ServerError(f"msgd wrote a trace: {self.last_words()}")

    def check_folder(self) -> None:
        """`msgd fsck` on the folder, which nobody serves now. Raises ServerError for damage."""
        assert self._process is None
        done = subprocess.run(
            [*MSGD, "fsck", str(self.data)],
            check=False,
            capture_output=True,
            cwd=ROOT,
            env=self.environment,
            text=True,
        )
        if done.returncode != 0:
            raise ServerError(f"msgd fsck said {done.returncode}: {done.stdout}{done.stderr}")
