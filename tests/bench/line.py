"""One connection of the load generator: a socket that never blocks, and a session on it.

The handshake goes through `wire`; after the login the bytes are the workload's.

Must never wait. Fails with LoadError when the server refuses or goes away.
"""

import socket
from typing import Final

from tests.bench.frames import LoadError, ServerGoneError, frame_spans
from wire import limits
from wire.connection import Connection
from wire.messages import (
    Error,
    Hello,
    LoginFailure,
    LoginRequest,
    LoginSuccess,
    Message,
    Welcome,
)
from wire.states import Role

_READ_BYTES: Final = 256 * 1024
_LOGIN: Final = 1


class Line:
    """One user's connection."""

    def __init__(self, port: int, name: str, installation: bytes, *, live: bool) -> None:
        self.name = name
        self.installation = installation
        self.is_ready = False
        self.is_closed = False
        self.wants_writing = True
        self.is_watched = True
        """Whether the poll tells when it can be written to."""
        self._live = live
        self._out = bytearray()
        self._in = bytearray()
        self._wire: Connection | None = Connection(Role.CLIENT)
        self._socket = socket.socket()
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.connect_ex(("127.0.0.1", port))
        self.say(Hello((limits.VERSION,), "bench"))

    @property
    def fd(self) -> int:
        """Its descriptor."""
        return self._socket.fileno()

    def say(self, message: Message) -> None:
        """A rare frame. Before the login only."""
        assert self._wire is not None
        self.write(self._wire.send(message))

    def write(self, data: bytes) -> None:
        """Send, or keep what does not go yet."""
        self._out += data
        self.flush()

    def flush(self) -> None:
        """Send what was kept."""
        if self._out:
            try:
                sent = self._socket.send(self._out)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                raise ServerGoneError(f"{self.name}: {error.strerror}") from None
            del self._out[:sent]
        self.wants_writing = bool(self._out)

    def read(self) -> bytes:
        """What came, and what was left of it before."""
        try:
            data = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            raise ServerGoneError(f"{self.name}: {error.strerror}") from None
        if not data:
            raise ServerGoneError(f"{self.name}: the server closed the connection")
        return data

    def take(self) -> tuple[bytes, list[tuple[int, int, int]]]:
        """All whole frames that came; see `frame_spans`. A part of a frame is kept."""
        self._in += self.read()
        spans: list[tuple[int, int, int]] = []
        used = frame_spans(self._in, spans)
        data = bytes(self._in[:used])
        del self._in[:used]
        return data, spans

    def greet(self) -> bool:
        """Go on with the handshake; whether the login is done."""
        assert self._wire is not None
        self._wire.receive_data(self.read())
        while (event := self._wire.next_event()) is not None:
            if isinstance(event, Welcome):
                self.say(
                    LoginRequest(
                        _LOGIN, self.name, self.installation, create_if_new=True, live=self._live
                    )
                )
            elif isinstance(event, LoginSuccess):
                self.is_ready = True
                self._wire = None
                return True
            elif isinstance(event, (LoginFailure, Error)):
                raise LoadError(f"{self.name}: {event.text}")
        return False

    def close(self) -> None:
        """Let go."""
        self.is_closed = True
        self._socket.close()
