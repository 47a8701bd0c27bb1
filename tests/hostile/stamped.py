"""A connection that knows when the kernel had what it sent, and when what came had reached it.

Who is timed shares a processor with five hundred attackers and must now and then wait for it, which
a client on a machine of its own would not. So the clocks that count are the kernel's: what was sent
is stamped right before it is handed over, and what came is stamped by the kernel as it arrives,
which on this machine is when the server sends it (`SO_TIMESTAMPNS`, socket(7)).

Must never stamp what came earlier than its last byte came: each piece that is read from the kernel
has the stamp of the last of its packets.
Fails as `Peer` does. Where the kernel gives no stamps, what came is stamped when it is read.
"""

import selectors
import socket
import ssl
import time
from struct import Struct
from typing import Final

from tests.hostile.peers import RECEIVE_BYTES, Peer
from wire.connection import Unsupported
from wire.messages import Message

SO_TIMESTAMPNS: Final = 35  # of Linux; Python has no name for it
TIMESPEC: Final = Struct("@ll")
ANCILLARY_BYTES: Final = 256


class StampedPeer(Peer):
    """One of the honest. TLS is done between the socket and here, so that each read is ours."""

    def __init__(
        self, selector: selectors.BaseSelector, port: int, *, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(selector, port, context=None)
        self.sent_ns = 0
        """Wall clock: when the last bytes were first offered to the kernel."""
        self.came_ns = 0
        """Wall clock: when the last bytes of what `pump` gave last had come."""
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._engine: ssl.SSLObject | None = None
        if context is not None:
            self._engine = context.wrap_bio(self._incoming, self._outgoing)
        self._sealed = b""

    def flush(self) -> None:
        """Hand over to the kernel what was said."""
        try:
            self._send()
        except OSError:
            self.close()

    def _begin(self) -> bool:
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "not connected")
        if self._engine is None:
            return super()._begin()
        try:
            self._engine.do_handshake()
        except ssl.SSLWantReadError:
            self._push()
            data = self._take()
            if data is None:
                self._watch_for(selectors.EVENT_READ)
                return False
            if not data:
                raise OSError("the server closed the connection") from None
            self._incoming.write(data)
            return self._begin()
        self._push()
        self.is_ready = True
        self._watch()
        return True

    def _send(self) -> None:
        if self.unsent:
            if self._engine is None:
                self._sealed += self.unsent
            else:
                self._engine.write(self.unsent)
            self.unsent = b""
            self.sent_ns = time.time_ns()
        self._push()
        self._watch()

    def _receive(self) -> list[Message | Unsupported]:
        """Each piece has its stamp, so what came later is left for the next call."""
        found: list[Message | Unsupported] = []
        if (data := self._take()) is None:
            return found
        if not data:
            self.close()
            return found
        if self._engine is None:
            self.connection.receive_data(data)
        else:
            self._incoming.write(data)
            try:
                while data := self._engine.read(RECEIVE_BYTES):
                    self.connection.receive_data(data)
                self.close()
            except ssl.SSLWantReadError:
                pass  # all of it is read
        while (message := self.connection.next_event()) is not None:
            found.append(message)
        return found

    def _push(self) -> None:
        self._sealed += self._outgoing.read()
        try:
            while self._sealed:
                self._sealed = self._sealed[self.socket.send(self._sealed) :]
        except BlockingIOError:
            return

    def _take(self) -> bytes | None:
        """What came, b"" at the end; None when nothing is there."""
        try:
            data, stamps, _, _ = self.socket.recvmsg(RECEIVE_BYTES, ANCILLARY_BYTES)
        except BlockingIOError:
            return None
        self.came_ns = time.time_ns()
        for level, kind, value in stamps:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = TIMESPEC.unpack(value)
                self.came_ns = seconds * 1_000_000_000 + nanoseconds
        return data

    def _watch(self) -> None:
        waits = self.unsent or self._sealed
        self._watch_for(selectors.EVENT_READ | (selectors.EVENT_WRITE if waits else 0))
