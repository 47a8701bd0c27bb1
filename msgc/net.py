"""The network, the clock and the signals as the client sees them.

The real ones are `msgc.os_net.OsNetwork` and `msgc.os_clock.OsClock`; tests bring in-memory ones.

Must never block, except in `poll` (and in `connect` while a host's name is looked up).
Fails with NetError, whose text is short, ours, and fit for the middle of a sentence.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, unique
from typing import Protocol


class NetError(Exception):
    """The connection did not come about, or broke."""


@unique
class Signal(Enum):
    """What somebody outside wants of the process."""

    INTERRUPT = "INT"
    TERMINATE = "TERM"
    HANG_UP = "HUP"
    RESIZE = "WINCH"
    CONTINUE = "CONT"
    CHILD = "CHLD"


@dataclass(frozen=True, slots=True)
class Ready:
    """What a poll found: file descriptors, and the signals that came."""

    readable: frozenset[int] = frozenset()
    writable: frozenset[int] = frozenset()
    signals: tuple[Signal, ...] = ()


class Channel(Protocol):
    """One connection, or one that is about to be."""

    def fileno(self) -> int:
        """The descriptor to poll. It may change until the connection stands."""

    def finish_connecting(self) -> bool:
        """Once it is writable: whether the connection stands. False: poll again. NetError."""

    def receive(self, bytes_max: int) -> bytes | None:
        """What came; b"" at the end, None when there is nothing now. Raises NetError."""

    def send(self, data: bytes) -> int:
        """How many bytes were taken; 0 when none can be now. Raises NetError."""

    def close(self) -> None:
        """Let go of it."""


class Network(Protocol):
    """Where connections come from, and the one wait."""

    def connect(self, host: str, port: int) -> Channel:
        """Begin to connect. Raises NetError."""

    def watch_signals(self, signals: Collection[Signal]) -> None:
        """From now on `poll` reports these, and they do nothing else."""

    def release_signals(self) -> None:
        """From now on they do again what they did before; one not yet reported does it now."""

    def poll(
        self, reading: Collection[int], writing: Collection[int], timeout_ms: int | None
    ) -> Ready:
        """Wait until something is ready, or the time is over; None is for ever."""


class Clock(Protocol):
    """The time."""

    def now_ms(self) -> int:
        """Milliseconds since some moment; never goes back, goes on while the machine sleeps."""

    def asleep_ms(self) -> int:
        """How long the machine has slept since it was started."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC, as the machine believes."""

    def local_text(self, at_ms: int, pattern: str) -> str:
        """A time since 1970 in the person's own time zone, as strftime writes it."""
