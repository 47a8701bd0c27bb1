"""The echo of a terminal: off while a secret is typed, and on again however that ends.

Must never be left off: who turns it off, turns it on when it closes. C-z does nothing meanwhile,
for a shell would get a terminal without echo. Fails with ConsoleClosed when the terminal is gone.
"""

import termios
from typing import Any, Final

from term.console import ConsoleClosed

_LOCAL_FLAGS: Final = 3
_CONTROLS: Final = 6


class Echo:
    """That of the terminal behind a descriptor; of anything else there is none."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list[Any] | None = None

    def turn_off(self) -> None:
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

    def turn_on(self) -> None:
        """As it was found."""
        before, self._before = self._before, None
        if before is not None:
            try:
                termios.tcsetattr(self._fd, termios.TCSADRAIN, before)
            except termios.error:
                return  # it is gone, and nobody can see that it is without echo
