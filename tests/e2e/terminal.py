"""A real program on a real terminal: pexpect holds its pty, pyte keeps the screen.

Must never sleep. Fails with AssertionError, which shows the screen, when what is waited for does
not appear in time.
"""

import os
import re
import signal
import termios
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Final

import pexpect
import pyte

from tests.e2e.machine import ROOT, WATCHED, wait, wait_for_exit, wait_s_max

_READ_BYTES_MAX: Final = 65_536
_still_s: Final = 0.035
_KEYS: Final = {
    "Enter": "\r",
    "Esc": "\x1b",
    "Down": "\x1b[B",
    "Up": "\x1b[A",
    "C-c": "\x03",
    "C-d": "\x04",
    "C-x": "\x18",
    "Backspace": "\x7f",
}


class Terminal:
    """One program. It ends with `close`, if it has not ended before."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        rows: int = 24,
        columns: int = 80,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = bytearray()
        """All bytes that the program sent to its terminal."""
        self._exit_code: int | None = None
        self._child = pexpect.spawn(
            arguments[0],
            list(arguments[1:]),
            env=dict(environment),
            cwd=str(ROOT),
            dimensions=(rows, columns),
        )
        self._child.delaybeforesend = None
        self.fd: int = self._child.child_fd
        self.process_id: int = self._child.pid
        WATCHED[self.fd] = self

    # ----- reading ------------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without the blanks at their ends."""
        return [row.rstrip() for row in self._screen.display]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    def read_waiting(self) -> None:
        """Take what the program has sent; at its end the terminal is watched no more."""
        try:
            data = os.read(self.fd, _READ_BYTES_MAX)
        except OSError:  # Linux says EIO when no process has the other end open
            data = b""
        if not data:
            WATCHED.pop(self.fd, None)
            return
        self.raw += data
        self._stream.feed(data)

    def wait_until(self, holds: Callable[[str], bool], what: str) -> str:
        """Wait until the screen is as wanted and still; gives the screen.

        Still, because a picture may arrive in pieces: what is shown while the rest is under way
        may belong to the picture before.
        """
        deadline_s = monotonic() + wait_s_max
        while not (holds(self.text) and self._is_still()):
            is_open = self.fd in WATCHED
            assert is_open, f"the program has ended, waiting for {what}; its screen:\n{self.text}"
            left_s = deadline_s - monotonic()
            assert left_s > 0, f"time is up, waiting for {what}; the screen:\n{self.text}"
            if not holds(self.text):
                wait(left_s)
        return self.text

    def _is_still(self) -> bool:
        """Whether nothing comes for a moment; longer than a lone Esc needs to be taken as a key."""
        seen = len(self.raw)
        still_s = monotonic() + _still_s
        while len(self.raw) == seen:
            left_s = still_s - monotonic()
            if left_s <= 0 or self.fd not in WATCHED:
                return True
            wait(left_s)
        return False

    def wait_for(self, *texts: str) -> str:
        """Wait until the screen shows all of these at once."""
        return self.wait_until(lambda screen: all(text in screen for text in texts), repr(texts))

    def wait_for_match(self, pattern: str) -> re.Match[str]:
        """Wait until the screen matches (line by line); gives the match."""
        wanted = re.compile(pattern, re.MULTILINE)
        screen = self.wait_until(lambda screen: wanted.search(screen) is not None, repr(pattern))
        found = wanted.search(screen)
        assert found is not None
        return found

    def wait_while(self, text: str) -> str:
        """Wait until the screen does not show this any more."""
        return self.wait_until(lambda screen: text not in screen, f"the end of {text!r}")

    # ----- typing -------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Text as from a keyboard. Several Enters at once would be a paste: see `send_keys`."""
        os.write(self.fd, text.encode("utf-8"))

    def send_bytes(self, data: bytes) -> None:
        """Bytes that no keyboard sends."""
        os.write(self.fd, data)

    def send_keys(self, *keys: str) -> None:
        """Keys by name (Enter, Esc, C-d ...); what is no name is text."""
        for key in keys:
            self.type(_KEYS.get(key, key))

    # ----- ending -------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        return self._exit_code is None and bool(self._child.isalive())

    @property
    def echoes(self) -> bool:
        """Whether the terminal is as a shell wants it: lines, and what is typed is shown."""
        modes: int = termios.tcgetattr(self.fd)[3]
        return modes & (termios.ECHO | termios.ICANON) == termios.ECHO | termios.ICANON

    def resize(self, rows: int, columns: int) -> None:
        """Pull at the window's corner."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def hang_up(self) -> int:
        """Close the window; the exit code of the program."""
        WATCHED.pop(self.fd, None)
        os.close(self.fd)
        self._child.closed = True
        return self.wait_for_exit()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal that ends it; its exit code."""
        os.kill(self.process_id, number)
        return self.wait_for_exit()

    def wait_for_exit(self) -> int:
        """Wait until the program has ended; its exit code, negative for a signal."""
        if self._exit_code is None:
            wait_for_exit(self.process_id)
            while self.fd in WATCHED and wait(0, self.fd):
                self.read_waiting()
            self._child.wait()
            code = self._child.exitstatus
            self._exit_code = -self._child.signalstatus if code is None else code
        return self._exit_code

    def close(self) -> None:
        """End the program, if it still runs, and give the terminal back."""
        if self.alive:
            self.kill()
        WATCHED.pop(self.fd, None)
        if not self._child.closed:
            self._child.close(force=False)
