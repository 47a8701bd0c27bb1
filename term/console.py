"""What a screen needs from a terminal, and what can be wrong with one.

Must never say how it is done: `curses_console` is the real one, tests write their own in a few
lines. The owner waits on `fileno()` itself; nothing here blocks.
"""

from typing import Protocol

from term.picture import Picture
from term.safe import Safe


class ConsoleUnsuitable(Exception):  # noqa: N818 - named for what it says: this terminal cannot
    """No screen can be drawn here; the text is a sentence for people that says what to do."""


class ConsoleClosed(Exception):  # noqa: N818 - an end, not an error: the person hung up
    """The terminal is gone: end cleanly, and write nothing more to it."""


class Console(Protocol):
    """A terminal that shows pictures and gives bytes."""

    def size(self) -> tuple[int, int]:
        """Rows and columns."""

    def draw(self, picture: Picture) -> None:
        """Show this; only what differs from the picture before is sent."""

    def redraw(self) -> None:
        """Send everything with the next `draw`: something else wrote on the terminal (C-l)."""

    def resized(self) -> None:
        """Read the size again (after SIGWINCH); the next `draw` sends everything."""

    def bell(self) -> None:
        """Ring once. How often is the owner's decision."""

    def suspend(self) -> None:
        """Give the terminal back, stop (C-z), and take it again when continued."""

    def close(self) -> None:
        """Give the terminal back as it was. May be called more than once, and after errors."""

    def fileno(self) -> int:
        """The descriptor to wait on for `read`."""

    def read(self) -> bytes:
        """What was typed, for a `KeyDecoder`; empty if nothing waits. Raises ConsoleClosed."""


class LendableConsole(Console, Protocol):
    """A console that another program may have for a while, and that can call a person."""

    def notify(self, words: Safe) -> bool:
        """Have the terminal tell the person, where it may know how (OSC 9).

        False: whether it does cannot be known here, so ring the bell too.
        """

    def give_back(self) -> None:
        """Let another program have the terminal; nothing is drawn until `take_again`."""

    def take_again(self) -> None:
        """The other program has ended; the next `draw` sends everything."""
