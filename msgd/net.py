"""The network as the reactor sees it: a listener, channels of bytes, and one poll over all of them.

The real network is `msgd.os_net.OsNetwork`; tests and the simulator bring an in-memory one. A
channel hides what carries the bytes, so that an encrypted one can take its place: that is why
`receive` may answer "when I can write" and `send` "when I can read".

Must never block, except in `poll`.
Fails with ChannelError for one connection, with AcceptError and ListenError for the listener.
"""

from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Protocol


class ChannelError(Exception):
    """This connection is broken (reset, timed out). The text is ours and short."""


class ChannelViolation(ChannelError):  # noqa: N818  what the peer did, not what went wrong
    """This connection is broken because its peer did what no honest one does."""


class SecurityError(Exception):
    """The certificate or its key cannot be used. The text says why and what to do."""


class AcceptError(Exception):
    """A connection is waiting and there are no file descriptors or buffers to take it."""


class CallError(Exception):
    """Nobody answers at the local socket. The text says why and what to do."""


class ListenError(Exception):
    """The address cannot be listened on. The text says why and what to do."""


@unique
class Wait(Enum):
    """Nothing could be done now: what to wait for before the same call is made again."""

    READ = "read"
    WRITE = "write"


@unique
class Wish(Enum):
    """What somebody outside wants of the process, said by a signal."""

    STOP = "stop"
    REOPEN = "take the files again: the log, the certificate"
    RESIZE = "look at the terminal's size again"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, as numbers: what a host name was resolved to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Channel(Protocol):
    """One connection: bytes in, bytes out."""

    @property
    def peer(self) -> str:
        """The other end's address, numbers only, safe to show."""

    def receive(self, bytes_max: int) -> bytes | Wait:
        """What came, at most `bytes_max`; b"" at the end of the stream. Raises ChannelError."""

    @property
    def has_pending(self) -> bool:
        """Whether more can be received that `poll` knows nothing of."""

    @property
    def binding(self) -> bytes | None:
        """What ties a login to this server's certificate: `tls-server-end-point` of RFC 5929; None
        where nothing is encrypted.
        """

    @property
    def needs_handshake(self) -> bool:
        """Whether nothing but `shake` may be called yet, or `close`."""

    def shake(self) -> Wait | None:
        """One step of the handshake; None when it is done. Raises ChannelError."""

    def send(self, data: bytes | memoryview) -> int | Wait:
        """How many bytes were taken, at least one. After a Wait, offer the same bytes again.

        Raises ChannelError.
        """

    def finish(self) -> None:
        """Nothing more will be sent: let the peer read to the end. Never raises."""

    def close(self) -> None:
        """Let go of it at once, whatever is in flight. Never raises."""


class Security(Protocol):
    """What encrypts connections: a certificate and its key."""

    @property
    def pin(self) -> str:
        """What people compare: `sha256//...` of the certificate's key."""

    @property
    def end_ms(self) -> int:
        """The last moment at which the certificate holds, in milliseconds since 1970 UTC."""

    def protect(self, carrier: Channel) -> Channel:
        """A channel over another one, encrypted, with its handshake still to be done."""

    def renew(self) -> bool:
        """Read the files again, for connections from now on. Gives whether it is another one.

        Raises SecurityError, and goes on with the old one.
        """


@dataclass(slots=True)
class Ready:
    """What one poll found."""

    listener: bool = False
    callers: bool = False
    beside: bool = False
    console: bool = False
    wishes: tuple[Wish, ...] = ()
    readable: list[Channel] = field(default_factory=list)
    writable: list[Channel] = field(default_factory=list)


class Network(Protocol):
    """The one place where the process waits."""

    def accept(self) -> Channel | None:
        """The next waiting connection; None when there is none. Raises AcceptError."""

    def watch_listener(self, wanted: bool) -> None:
        """Whether `poll` should tell of waiting connections. Raises AcceptError, if it should."""

    def watch_console(self, fd: int | None) -> None:
        """The terminal whose keys `poll` should tell of; None for no longer."""

    def watch(self, channel: Channel, reading: bool, writing: bool) -> None:
        """What `poll` should tell of this channel from now on. Raises ChannelError, unless that is
        nothing.
        """

    def poll(self, timeout_ms: int | None) -> Ready:
        """Wait until something is ready, at most `timeout_ms`; None waits for ever."""

    def stop_listening(self) -> None:
        """Refuse new connections from now on. Again does nothing."""

    def close(self) -> None:
        """Let go of everything."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody on this machine who connected to the local socket, as the kernel says who it is."""

    channel: Channel
    user_id: int
    process_id: int


class LocalNetwork(Network, Protocol):
    """A network with a local socket too, for panels."""

    def accept_caller(self) -> Caller | None:
        """Who waits at the local socket; None when nobody does. Raises AcceptError."""

    def watch_callers(self, wanted: bool) -> None:
        """Whether `poll` should tell of callers. Raises AcceptError, if it should."""

    def hang_up(self) -> None:
        """Take no more callers; the local socket goes. Again does nothing."""


class BesideNetwork(Network, Protocol):
    """A network with one more listener, for what is no client: the page with the metrics."""

    def listen_beside(self, address: Address) -> Address:
        """Begin to listen there too; gives the address as it really is. Raises ListenError."""

    def accept_beside(self) -> Channel | None:
        """Who waits there; None when nobody does. Raises AcceptError."""

    def watch_beside(self, wanted: bool) -> None:
        """Whether `poll` should tell of them. Raises AcceptError, if it should."""

    def stop_listening_beside(self) -> None:
        """Refuse them from now on. Again does nothing."""


class CallingNetwork(Network, Protocol):
    """The network of a panel: it listens to nobody, and calls the server of its data folder."""

    def call(self, path: str) -> Channel:
        """Connect to a local socket. Raises CallError."""


class Clock(Protocol):
    """The two clocks of the machine."""

    def monotonic_ms(self) -> int:
        """Milliseconds from some fixed moment; never goes back."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump."""
