"""What is said to whoever keeps the server running: ready, reloading, stopping, and alive.

The sign of life comes from the loop itself, so a loop that stands still is seen, and restarted.
The words are those of systemd (sd_notify(3)); other supervisors understand them too.

Must never wait for the supervisor, nor fail with it: the messages are what a server is for.
Fails never.
"""

from typing import Final, Protocol

from msgd.net import Ready, Wish
from msgd.values import Now

SIGNS_PER_WATCHDOG: Final = 3
"""So many signs of life in the time after which none would be taken for death."""


class SupervisorLine(Protocol):
    """The way to the supervisor."""

    @property
    def watchdog_ms(self) -> int | None:
        """After so long without a sign of life it restarts the server; None: it does not look."""

    def say(self, words: str) -> None:
        """Say some assignments, a line each. Never waits, never raises."""


class NoSupervisor:
    """For a server that somebody started by hand."""

    watchdog_ms: Final = None

    def say(self, words: str) -> None:
        """Nobody listens."""


class Supervisor:
    """Attends the loop: see `msgd.reactor.Face`."""

    def __init__(self, line: SupervisorLine) -> None:
        self._line = line
        watchdog_ms = line.watchdog_ms
        self._every_ms = None if watchdog_ms is None else max(1, watchdog_ms // SIGNS_PER_WATCHDOG)
        self._due_ms = 0
        self._reloading = False

    def ready(self, address: str) -> None:
        """Everything is recovered and the port is open."""
        self._line.say(f"READY=1\nSTATUS=serving on {address}")

    def serve(self, ready: Ready, now: Now) -> bool:
        """A reload is announced; the loop has done it when `work` is called."""
        if Wish.REOPEN in ready.wishes:
            self._reloading = True
            self._line.say(f"RELOADING=1\nMONOTONIC_USEC={now.monotonic_ms * 1_000}")
        return False

    def work(self, now: Now) -> bool:
        """Give a sign of life, if it is time to."""
        if self._reloading:
            self._reloading = False
            self._line.say("READY=1")
        if self._every_ms is not None and now.monotonic_ms >= self._due_ms:
            self._due_ms = now.monotonic_ms + self._every_ms
            self._line.say("WATCHDOG=1")
        return False

    def deadline_ms(self) -> int | None:
        """When the next sign of life is due."""
        return None if self._every_ms is None else self._due_ms

    def end(self, now: Now) -> None:  # noqa: ARG002  what a face is told
        """The clients are being told."""
        self._line.say("STOPPING=1\nSTATUS=telling the clients, and writing what is left")
