"""A network in memory that does exactly what a test says: no time, no chance, no threads.

`FakeNetwork` is what the reactor polls; `connect` gives the other end of a new connection, which
speaks through the client's side of the wire's machine. A test decides how many bytes one receive
gives (`receive_bytes_max`), how many the peer has room for (`room_bytes`), and when it breaks.

Must never wait: `poll` tells what is so, and notes the time-out it was given.
"""

from collections import deque
from collections.abc import Callable

from msgd.net import (
    AcceptError,
    Address,
    Caller,
    CallError,
    Channel,
    ChannelError,
    ListenError,
    Ready,
    Security,
    Wait,
    Wish,
)
from msgd.os_tls import TlsChannel
from wire.connection import Connection, Unsupported
from wire.messages import Message
from wire.states import Role


class FakeChannel:
    """The server's end of a connection."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.to_server = bytearray()
        self.to_client = bytearray()
        self.receive_bytes_max: int | None = None
        self.room_bytes: int | None = None
        """How much the peer's side takes before it must read; None: any amount."""
        self.ended = False
        """The client has closed its end."""
        self.broken: str | None = None
        self.finished = False
        self.closed = False
        self.sends = 0
        self.receives = 0
        self.receive_answers: deque[Wait] = deque()
        self.send_answers: deque[Wait] = deque()

    has_pending = False
    binding: bytes | None = None
    needs_handshake = False

    def shake(self) -> Wait | None:
        return None

    def receive(self, bytes_max: int) -> bytes | Wait:
        assert not self.closed, "used after it was closed"
        self.receives += 1
        if self.receive_answers:
            return self.receive_answers.popleft()
        if self.broken is not None:
            raise ChannelError(self.broken)
        if not self.to_server:
            return b"" if self.ended else Wait.READ
        size = min(bytes_max, self.receive_bytes_max or bytes_max)
        data = bytes(self.to_server[:size])
        del self.to_server[:size]
        return data

    def send(self, data: bytes | memoryview) -> int | Wait:
        assert not self.closed, "used after it was closed"
        assert not self.finished, "sent after the last byte"
        assert len(data), "sent nothing"
        self.sends += 1
        if self.send_answers:
            return self.send_answers.popleft()
        if self.broken is not None:
            raise ChannelError(self.broken)
        room = len(data) if self.room_bytes is None else self.room_bytes - len(self.to_client)
        if room <= 0:
            return Wait.WRITE
        taken = bytes(data[:room])
        self.to_client += taken
        return len(taken)

    def finish(self) -> None:
        self.finished = True

    def close(self) -> None:
        self.closed = True

    @property
    def is_readable(self) -> bool:
        return bool(self.to_server) or self.ended or self.broken is not None

    @property
    def is_writable(self) -> bool:
        has_room = self.room_bytes is None or len(self.to_client) < self.room_bytes
        return has_room or self.broken is not None


def carrier_of(channel: Channel) -> FakeChannel:
    """What a channel's bytes go over, encrypted or not."""
    carrier = channel.carrier if isinstance(channel, TlsChannel) else channel
    assert isinstance(carrier, FakeChannel)
    return carrier


class FakeNetwork:
    """What the reactor polls, and what a test connects to."""

    def __init__(self) -> None:
        self.waiting: deque[FakeChannel] = deque()
        self.watched: dict[Channel, tuple[bool, bool]] = {}
        self.wishes: list[Wish] = []
        self.listens = True
        self.watches_listener = True
        self.console_fd: int | None = None
        self.console_ready = False
        self.accept_errors = 0
        """So many accepts find no descriptor left."""
        self.watch_errors = 0
        """So many watches find no room left."""
        self.listen_error: str | None = None
        self.timeouts_ms: list[int | None] = []
        self.callers: deque[Caller] = deque()
        self.watches_callers = True
        self.local_path: str | None = None
        self.local_error: str | None = None
        self.beside: deque[FakeChannel] = deque()
        self.beside_address: Address | None = None
        self.watches_beside = True
        self.security: Security | None = None
        self.listens_at: tuple[str, int] | None = None
        self.before_poll: Callable[[int | None], None] | None = None
        self.closed = False
        self.peers = 0

    # ----- the test's side --------------------------------------------------------------------

    def connect(self) -> "FakeClient":
        """A client connects; it is accepted in the next turn."""
        self.peers += 1
        channel = FakeChannel(f"127.0.0.1:{40_000 + self.peers}")
        self.waiting.append(channel)
        return FakeClient(channel)

    def is_watched(self, client: "FakeClient") -> tuple[bool, bool]:
        """Whether the poll looks for (reading, writing) of a client's connection."""
        for channel, watched in self.watched.items():
            if carrier_of(channel) is client.channel:
                return watched
        return False, False

    # ----- msgd.net.Network -------------------------------------------------------------------

    def resolve(self, host: str, port: int) -> Address:
        return Address(host, port)

    def listen(self, address: Address) -> Address:
        if self.listen_error is not None:
            raise ListenError(self.listen_error)
        return Address(address.host, address.port or 40_000)

    def protect(self, security: Security) -> None:
        self.security = security

    def listen_at(self, path: str, mode: int) -> None:
        if self.local_error is not None:
            raise ListenError(self.local_error)
        self.listens_at = (path, mode)

    def accept(self) -> Channel | None:
        if self.accept_errors and self.waiting:
            self.accept_errors -= 1
            raise AcceptError("too many open files")
        if not self.waiting:
            return None
        channel = self.waiting.popleft()
        return channel if self.security is None else self.security.protect(channel)

    def watch_listener(self, wanted: bool) -> None:
        if wanted and self.watch_errors:
            self.watch_errors -= 1
            raise AcceptError("no space left on device")
        self.watches_listener = wanted

    def listen_locally(self, path: str) -> None:
        if self.local_error is not None:
            raise ListenError(self.local_error)
        self.local_path = path

    def accept_caller(self) -> Caller | None:
        if self.accept_errors and self.callers:
            self.accept_errors -= 1
            raise AcceptError("too many open files")
        return self.callers.popleft() if self.callers else None

    def watch_callers(self, wanted: bool) -> None:
        self.watches_callers = wanted

    def hang_up(self) -> None:
        self.local_path = None
        for caller in self.callers:
            caller.channel.close()
        self.callers.clear()

    def listen_beside(self, address: Address) -> Address:
        self.beside_address = address
        return address

    def accept_beside(self) -> Channel | None:
        if self.accept_errors and self.beside:
            self.accept_errors -= 1
            raise AcceptError("too many open files")
        return self.beside.popleft() if self.beside else None

    def watch_beside(self, wanted: bool) -> None:
        if wanted and self.watch_errors:
            self.watch_errors -= 1
            raise AcceptError("no space left on device")
        self.watches_beside = wanted

    def stop_listening_beside(self) -> None:
        self.beside_address = None

    def call(self, path: str) -> Channel:
        raise CallError("connection refused")

    def watch_console(self, fd: int | None) -> None:
        self.console_fd = fd

    def watch(self, channel: Channel, reading: bool, writing: bool) -> None:
        assert not carrier_of(channel).closed, "watched after it was closed"
        if reading or writing:
            if self.watch_errors:
                self.watch_errors -= 1
                raise ChannelError("no space left on device")
            self.watched[channel] = (reading, writing)
        else:
            self.watched.pop(channel, None)

    def poll(self, timeout_ms: int | None) -> Ready:
        self.timeouts_ms.append(timeout_ms)
        if self.before_poll is not None:
            self.before_poll(timeout_ms)
        ready = Ready(
            listener=bool(self.waiting) and self.watches_listener and self.listens,
            callers=bool(self.callers) and self.watches_callers,
            beside=bool(self.beside) and self.watches_beside,
            console=self.console_ready and self.console_fd is not None,
            wishes=tuple(self.wishes),
        )
        self.wishes.clear()
        for channel, (reading, writing) in self.watched.items():
            if reading and carrier_of(channel).is_readable:
                ready.readable.append(channel)
            if writing and carrier_of(channel).is_writable:
                ready.writable.append(channel)
        return ready

    def stop_listening(self) -> None:
        self.listens = False

    def close(self) -> None:
        self.closed = True


class FakeClient:
    """The other end: says messages or bytes, and collects what the server said."""

    def __init__(self, channel: FakeChannel) -> None:
        self.channel = channel
        self.connection = Connection(Role.CLIENT)
        self.inbox: list[Message | Unsupported] = []

    def say(self, *messages: Message) -> None:
        """Send frames."""
        for message in messages:
            self.channel.to_server += self.connection.send(message)

    def say_bytes(self, data: bytes) -> None:
        """Send anything."""
        self.channel.to_server += data

    def hear(self) -> list[Message | Unsupported]:
        """Take everything that came; gives what is new."""
        self.connection.receive_data(bytes(self.channel.to_client))
        self.channel.to_client.clear()
        new: list[Message | Unsupported] = []
        while (event := self.connection.next_event()) is not None:
            new.append(event)
        self.inbox += new
        return new

    def is_closed(self) -> bool:
        """Whether the server has let go of the connection."""
        return self.channel.closed

    def end(self) -> None:
        """Close this end, as a program that exits."""
        self.channel.ended = True

    def reset(self, reason: str = "connection reset by peer") -> None:
        """Break the connection."""
        self.channel.broken = reason
