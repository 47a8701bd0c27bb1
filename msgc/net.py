"""The network, the clock and the signals as the client sees them.

The real ones are `msgc.os_net.OsNetwork` and `msgc.os_clock.OsClock`; tests bring in-memory ones.

Must never block, except in `poll` (and in `connect` while a host's name is looked up).
Fails with NetError, whose text is short, ours, and fit for the middle of a sentence.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, unique
from typing import Protocol

from msgc.server import Server


class NetError(Exception):
    """The connection did not come about, or broke."""


@unique
class Doubt(Enum):
    """Why a server is not believed to be who it should be."""

    UNKNOWN = "nobody vouches for it, and it is met for the first time"
    CHANGED = "it has another key than the one that is known"
    PLAINTEXT = "it was met with TLS, and must not be talked to without"
    NO_PASSWORD = "it asked for a password before, and does not now"  # noqa: S105  these are words
    IMPOSTOR = "it could not show that it knows the account, or asks for something odd"
    BETWEEN = "the login arrived there over another connection than this one"
    REJECTED = "its certificate does not stand the check that was asked for"


class TrustError(NetError):
    """The server is not trusted; nothing was said to it.

    `pin` is that of its key, empty where it was not looked at; `expected` is the one that it should
    have had.
    """

    def __init__(self, doubt: Doubt, pin: str, expected: str = "", reason: str = "") -> None:
        super().__init__(reason or doubt.value)
        self.doubt = doubt
        self.pin = pin
        self.expected = expected
        self.reason = reason


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

    @property
    def binding(self) -> bytes | None:
        """The tls-server-end-point of RFC 5929 once it stands; None where there is no TLS."""

    @property
    def has_pending(self) -> bool:
        """Whether `receive` may have more although the descriptor is not readable."""

    def interest(self, *, has_unsent: bool) -> tuple[bool, bool]:
        """Whether to wait until it is readable, and until it is writable.

        `has_unsent`: there is something for `send`.
        """

    def fileno(self) -> int:
        """The descriptor to poll. It may change until the connection stands."""

    def finish_connecting(self) -> bool:
        """Once it is ready: whether the connection stands. False: poll again. NetError."""

    def receive(self, bytes_max: int) -> bytes | None:
        """What came; b"" at the end, None when there is nothing now. Raises NetError."""

    def send(self, data: bytes) -> int:
        """How many bytes were taken; 0 when none can be now. Raises NetError.

        What was not taken must be offered again before anything else.
        """

    def close(self) -> None:
        """Let go of it."""


class Door(Protocol):
    """The way to one server, with all that makes sure that it is the right one."""

    def open(self) -> Channel:
        """Begin to connect. Raises NetError, TrustError."""


class Network(Protocol):
    """Where connections come from, and the one wait."""

    def connect(self, server: Server) -> Channel:
        """Begin to connect, without TLS. Raises NetError."""

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
