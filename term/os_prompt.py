"""One question to who sits at the terminal, past standard input and output.

It reads and writes /dev/tty, so that `msgc send bob < file` can still ask for a password. A secret
answer is not echoed. Must never leave the terminal without echo: whoever
opened it closes it however it ends. Fails with ConsoleClosed when the terminal is gone.
"""

import os
from typing import Final, Self

from term.console import ConsoleClosed
from term.os_echo import Echo
from term.os_terminal import read_waiting, write_all
from term.plain_console import LineDecoder
from term.safe import Safe

_PATH: Final = "/dev/tty"


class TerminalPrompt:
    """See the module's text. Lines come whole: the terminal lets the person edit them."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._echo = Echo(fd)
        self._decoder = LineDecoder()
        self._stands = False

    @classmethod
    def open(cls) -> Self | None:
        """The terminal of this process; None if it has none."""
        try:
            return cls(os.open(_PATH, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        except OSError:
            return None

    def fileno(self) -> int:
        """The descriptor to wait on for `read_line`."""
        return self._fd

    def ask(self, words: Safe, *, secret: bool) -> None:
        """Write the question, and stay on its line."""
        if secret:
            self._echo.turn_off()
        else:
            self._echo.turn_on()
        self._stands = True
        write_all(self._fd, words.encode("utf-8", "replace"))

    def read_line(self) -> str | None:
        """The answer; None while it is not whole. Raises ConsoleClosed, also for C-d."""
        lines = self._decoder.feed(read_waiting(self._fd))
        self._stands = self._stands and not lines
        return lines[0] if lines else None

    def close(self) -> None:
        """Give the terminal back as it was found."""
        try:
            self._echo.turn_on()
            if self._stands:  # what comes next begins on a line of its own
                write_all(self._fd, b"\n")
        except ConsoleClosed:
            return  # it is gone; nobody sees what it looks like
        finally:
            os.close(self._fd)
