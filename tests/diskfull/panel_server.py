"""A real msgd with its panel on a real terminal, to be used in the place of a headless one.

Must never be left unread: a panel waits for its terminal.
"""

import os
from signal import Signals
from typing import Final

from tests.e2e.machine import WATCHED
from tests.e2e.terminal import Terminal
from tests.real.server import Server

ROWS: Final = 40
COLUMNS: Final = 110


class PanelServer(Server):
    """See `tests.real.server.Server`; what it says stands on its screen."""

    terminal: Terminal | None = None

    def start(self) -> None:
        assert self.terminal is None
        self.starts += 1
        arguments = [
            *self.command,
            *("--data", str(self.data), "--port", str(self.port), "--log", str(self.log_path)),
            *self.options,
        ]
        environment = {**self.environment, "TERM": "linux", "LANG": "C.UTF-8"}
        self.terminal = Terminal(arguments, environment, rows=ROWS, columns=COLUMNS)

    @property
    def screen(self) -> str:
        """What the panel shows."""
        return "" if self.terminal is None else self.terminal.text

    @property
    def is_running(self) -> bool:
        return self.terminal is not None and self.terminal.alive

    @property
    def process_id(self) -> int:
        assert self.terminal is not None
        return self.terminal.process_id

    @property
    def is_listening(self) -> bool:
        return f"127.0.0.1:{self.port}" in self.screen

    @property
    def output_fd(self) -> int | None:
        terminal = self.terminal
        return terminal.fd if terminal is not None and terminal.fd in WATCHED else None

    def last_words(self) -> str:
        return self.screen

    def condition(self) -> str:
        return "it runs" if self.is_running else "the process is gone"

    def take_output(self) -> bool:
        assert self.terminal is not None
        self.terminal.read_waiting()
        return self.terminal.fd in WATCHED

    def signal(self, number: Signals) -> None:
        assert self.terminal is not None
        os.kill(self.terminal.process_id, number)

    def bury(self, timeout_s: float = 30.0) -> int:
        assert self.terminal is not None
        code = self.terminal.wait_for_exit()
        self.close()
        return code

    def close(self) -> None:
        if self.terminal is not None:
            self.terminal.close()
            self.terminal = None
