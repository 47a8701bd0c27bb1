"""A real msgd: with its panel on a terminal, or headless; ended, killed and started again.

Must never use another data folder or port than its own. Fails with AssertionError when the server
does not come up, with what it said.
"""

import re
import signal
from pathlib import Path
from typing import Final

from tests.e2e.machine import Running, environment, free_port, program, run, start, until
from tests.e2e.terminal import Terminal

PANEL_SIZE: Final = (40, 110)


class Server:
    """One data folder and one port, and a process from time to time."""

    def __init__(
        self, folder: Path, *, headless: bool = True, options: tuple[str, ...] = (), data: str = ""
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = Path(data) if data else folder / "data"
        self.headless = headless
        self.options = options
        self.port = free_port()
        self.log_path = folder / "log"
        self._environment = environment(folder / "home")
        self._panel: Terminal | None = None
        self._process: Running | None = None

    # ----- its life -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, on the port that it had; it listens when this returns."""
        assert self._panel is None
        assert self._process is None
        arguments = program(
            "msgd",
            *("--data", str(self.data), "--port", str(self.port), "--log", str(self.log_path)),
            *self.options,
        )
        if self.headless:
            self._process = start([*arguments, "--headless"], self._environment, self.folder)
            self._process.wait_for("listening on")
            said = self._process.out
        else:
            rows, columns = PANEL_SIZE
            self._panel = Terminal(arguments, self._environment, rows=rows, columns=columns)
            said = self._panel.wait_for_match(r"^ msgd \S+  127\.0\.0\.1:\d+ .*$").group()
        found = re.search(r"127\.0\.0\.1:(\d+)", said)
        assert found is not None, said
        self.port = int(found[1])

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """End it as its operator would; its exit code."""
        return self._signal(signal.SIGTERM)

    def restart(self) -> None:
        """kill -9, and start again on the same port."""
        self.kill()
        self.start()

    def close(self) -> None:
        """For the end of a test."""
        if self._panel is not None:
            self._panel.close()
        if self._process is not None:
            self._process.kill()

    def _signal(self, number: signal.Signals) -> int:
        if self._panel is not None:
            code = self._panel.kill(number)
            self._panel.close()
            self._panel = None
            return code
        assert self._process is not None, "the server does not run"
        self._process.process.send_signal(number)
        finished = self._process.finish()
        self._process = None
        return finished.code

    # ----- looking at it ------------------------------------------------------------------------

    @property
    def panel(self) -> Terminal:
        """Its screen."""
        assert self._panel is not None, "a headless server has no panel"
        return self._panel

    @property
    def process_id(self) -> int:
        """Of the process that runs now."""
        if self._panel is not None:
            return self._panel.process_id
        assert self._process is not None, "the server does not run"
        return self._process.process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        if self._panel is not None:
            return self._panel.alive
        return self._process is not None and self._process.process.poll() is None

    @property
    def log(self) -> str:
        """Its log file."""
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def wait_for_log(self, text: str, count: int = 1) -> None:
        """Wait until the log holds this, so many times."""
        until(lambda: self.log.count(text) >= count, f"{count} x {text!r} in the log")

    def row(self, name: str) -> str:
        """What the panel's table says of this user, or nothing; never two rows."""
        self.panel.wait_until(lambda _: len(self._rows(name)) <= 1, f"one row of {name}")
        return "".join(self._rows(name))

    def wait_for_row(self, name: str, *words: str) -> str:
        """Wait until the table shows this user, once, with these words (`* ON`, `off`)."""

        def is_there(_: str) -> bool:
            rows = self._rows(name)
            return len(rows) == 1 and all(word in rows[0] for word in words)

        self.panel.wait_until(is_there, f"one row of {name} with {words}")
        return self._rows(name)[0]

    def wait_for_waiting(self, name: str, count: int) -> None:
        """Wait until so many messages wait for this user, by the table."""
        self.panel.wait_until(
            lambda _: [_waiting(row) for row in self._rows(name)] == [count],
            f"{count} waiting for {name}",
        )

    def _rows(self, name: str) -> list[str]:
        # More than one is possible for a moment: while a picture arrives in pieces.
        start = re.compile(rf"[> ] ([*?] ON|  off|  del) +{re.escape(name)} ")
        return [line for line in self.panel.lines if start.match(line)]

    def mailboxes(self) -> set[str]:
        """The queue files of all users, by their path under the data folder."""
        return {str(path.relative_to(self.data)) for path in self.data.rglob("*.mailbox")}

    def tool(self, *arguments: str) -> str:
        """The output of `msgd fsck DIR` or `msgd dump DIR`; it must end well."""
        done = run(program("msgd", *arguments), self._environment, self.folder)
        assert done.code == 0, done.err
        return done.out


def _waiting(row: str) -> int:
    """The column WAITING of a row: `> * ON  alice  127.0.0.1:40001  4s  0 ...`."""
    return int(row[len("> * ON ") :].split()[3])
