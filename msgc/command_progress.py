"""How far long work has come, on one line of a terminal that it takes away again.

Only for a person who sits there: standard error is a terminal, and standard output is not the same
one, for the lines would run into each other.

Must never be written into a file or a pipe, nor more often than ten times a second.
Fails never: what a terminal does not take is not missed.
"""

from typing import Final

from msgc.surroundings import Surroundings

PAUSE_MS: Final = 100
FIRST_MS: Final = 500
"""Work that is done sooner needs no progress."""


class Progress:
    """`12,000 of 100,000 messages (12 %)`. `total` None: nobody knows how many there will be."""

    def __init__(self, world: Surroundings, *, quiet: bool, prints: bool = True) -> None:
        """`prints`: lines of data go to standard output meanwhile."""
        self._clock = world.clock
        self._stream = world.stderr
        self._shows = not quiet and world.stderr.isatty() and not (prints and world.stdout.isatty())
        self._next_ms = self._clock.now_ms() + FIRST_MS
        self._columns = 0
        self.done = 0
        self.total: int | None = None

    def step(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        if self._shows and self._clock.now_ms() >= self._next_ms:
            self._next_ms = self._clock.now_ms() + PAUSE_MS
            self._show()

    def clear(self) -> None:
        """Take the line away: other words come, or it is done."""
        if self._columns:
            self._write(f"\r{' ' * self._columns}\r")
            self._columns = 0

    def _show(self) -> None:
        text = f"{self.done:,} messages"
        if self.total is not None and self.total >= self.done:
            share = 100 * self.done // max(1, self.total)
            text = f"{self.done:,} of {self.total:,} messages ({share} %)"
        self._write(f"\r{text:<{self._columns}}")
        self._columns = max(self._columns, len(text))

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._shows = False
            self._columns = 0
