"""One question to who sits at the terminal, past standard input and output.

It reads and writes /dev/tty, so that `msgc send bob < file` can still ask for a password. A secret
answer is not echoed. Must never leave the terminal without echo: `close` gives back what was found,
and whoever opened it calls that however it ends. C-z does nothing meanwhile, for a shell would get
a terminal without echo. Fails with ConsoleClosed when the terminal is gone.
"""

import os
import termios
from typing import Any, Final, Self

from term.console import ConsoleClosed
from term.os_terminal import read_waiting, write_all
from term.plain_console import LineDecoder
from term.safe import Safe

_PATH: Final = "/dev/tty"
_LOCAL_FLAGS: Final = 3
_CONTROLS: Final = 6


class TerminalPrompt:
    """See the module's text. Lines come whole: the terminal lets the person edit them."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list[Any] | None = None
        self._decoder = LineDecoder()

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
            self._hide()
        else:
            self._show()
        write_all(self._fd, words.encode("utf-8", "replace"))

    def read_line(self) -> str | None:
        """The answer; None while it is not whole. Raises ConsoleClosed, also for C-d."""
        lines = self._decoder.feed(read_waiting(self._fd))
        return lines[0] if lines else None

    def close(self) -> None:
        """Give the terminal back as it was found."""
        try:
            self._show()
        finally:
            os.close(self._fd)

    def _hide(self) -> None:
        """No echo but that of the newline. What was typed ahead is thrown away, as by getpass."""
        if self._before is not None:
            return
        try:
            before = termios.tcgetattr(self._fd)
            changed = termios.tcgetattr(self._fd)
            changed[_LOCAL_FLAGS] = (changed[_LOCAL_FLAGS] & ~termios.ECHO) | termios.ECHONL
            changed[_CONTROLS][termios.VSUSP] = b"\0"
            termios.tcsetattr(self._fd, termios.TCSAFLUSH, changed)
        except termios.error as error:
            raise ConsoleClosed("the terminal is gone") from error
        self._before = before

    def _show(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            try:
                termios.tcsetattr(self._fd, termios.TCSAFLUSH, before)
            except termios.error:
                return  # it is gone, and nobody can see that it is without echo
