"""Connections that the attackers and the honest clients of the hostile run are made of.

A `Peer` is one TCP connection, with TLS or without, that never waits: bytes in and out, and an end.
All of a process stand in one selector.

Must never connect to another machine than this one.
Fails never: an end of the connection, whatever its reason, is `ended`.
"""

import selectors
import socket
import ssl
from contextlib import suppress
from struct import pack
from typing import Final

from wire.connection import Connection, Unsupported
from wire.errors import RemoteProtocolError
from wire.messages import Message
from wire.states import Role

LINGER_OFF: Final = pack("ii", 1, 0)
RECEIVE_BYTES: Final = 65_536
UNSENT_BYTES_MAX: Final = 1 << 20
_WAITS: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def client_context() -> ssl.SSLContext:
    """TLS 1.3, and no questions: who the server is does not matter here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class Peer:
    """One connection. `pump` when the selector says so; then look at what came."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        port: int,
        *,
        context: ssl.SSLContext | None,
        source: str = "",
    ) -> None:
        """`context` for TLS; `source` is the address to come from (127.0.0.0/8)."""
        self.ended = False
        self.is_ready = False
        """Whether it is connected, and the handshake is done."""
        self.reads = True
        """Whether what comes is taken; who never reads sets it False."""
        self.unsent = b""
        self.connection = Connection(Role.CLIENT)
        self._selector = selector
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(0)
        # As msgc does: else what is said right after a receipt waits here for the receipt's ACK.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            # Else each would hold a port of its own, of which one address has 28,000.
            raw.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
            raw.bind((source, 0))
        with suppress(BlockingIOError):
            raw.connect(("127.0.0.1", port))
        self._context = context
        self.socket: socket.socket = raw
        self._events = selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.register(raw, self._events, self)

    def say(self, *messages: Message) -> None:
        """Send frames."""
        self.say_bytes(b"".join(map(self.connection.send, messages)))

    def say_bytes(self, data: bytes) -> None:
        """Send anything, as soon as it goes."""
        if len(self.unsent) < UNSENT_BYTES_MAX:
            self.unsent += data
        if self.is_ready:
            self._watch()

    def pump(self) -> list[Message | Unsupported]:
        """Do what can be done now; gives what came."""
        try:
            if not self.is_ready and not self._begin():
                return []
            self._send()
            return self._receive()
        except (OSError, RemoteProtocolError):
            self.close()
            return []

    def close(self, *, reset: bool = False) -> None:
        """End it; with `reset` by an RST."""
        if self.ended:
            return
        self.ended = True
        if self._events:
            self._selector.unregister(self.socket)
        if reset:
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_OFF)
        self.socket.close()

    def _begin(self) -> bool:
        """Connected, and done with the handshake?"""
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "not connected")
        if self._context is not None:
            if not isinstance(self.socket, ssl.SSLSocket):
                self._selector.unregister(self.socket)
                self.socket = self._context.wrap_socket(self.socket, do_handshake_on_connect=False)
                self._events = selectors.EVENT_READ
                self._selector.register(self.socket, self._events, self)
            assert isinstance(self.socket, ssl.SSLSocket)
            try:
                self.socket.do_handshake()
            except ssl.SSLWantReadError:
                self._events = selectors.EVENT_READ
                self._selector.modify(self.socket, self._events, self)
                return False
            except ssl.SSLWantWriteError:
                self._events = selectors.EVENT_WRITE
                self._selector.modify(self.socket, self._events, self)
                return False
        self.is_ready = True
        self._watch()
        return True

    def _send(self) -> None:
        # TLS wants the same bytes again after a wait, so the piece never grows.
        while self.unsent:
            piece = self.unsent[:16_384]
            try:
                self.unsent = self.unsent[self.socket.send(piece) :]
            except _WAITS:
                break
        self._watch()

    def _receive(self) -> list[Message | Unsupported]:
        found: list[Message | Unsupported] = []
        while self.reads:
            try:
                data = self.socket.recv(RECEIVE_BYTES)
            except _WAITS:
                break
            if not data:
                self.close()
                break
            self.connection.receive_data(data)
        while (message := self.connection.next_event()) is not None:
            found.append(message)
        return found

    def _watch(self) -> None:
        self._watch_for(
            (selectors.EVENT_READ if self.reads else 0)
            | (selectors.EVENT_WRITE if self.unsent else 0)
        )

    def _watch_for(self, events: int) -> None:
        if events == self._events:
            return
        if not events:  # who neither reads nor has anything to say is told of nothing
            self._selector.unregister(self.socket)
        elif self._events:
            self._selector.modify(self.socket, events, self)
        else:
            self._selector.register(self.socket, events, self)
        self._events = events
