"""TCP, Unix sockets and signals through the system: the one file with socket, selectors, signal.

Must never block outside `poll`; the one exception is the look-up of a host's name.
Fails with NetError; the system's own words for its error numbers stand in the text.
"""

import os
import selectors
import signal
import socket
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any, Final, TypeAlias

from msgc.net import NetError, Ready, Signal
from msgc.server import Server

_SIGNALS_BYTES_MAX: Final = 4_096
_ADDRESSES_MAX: Final = 8

_Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int
"""What `signal.signal` takes and gives."""


class OsChannel:
    """One connection, TCP or Unix; it tries the addresses of the host one after another."""

    binding = None
    has_pending = False

    def __init__(self, server: Server) -> None:
        self._addresses = _addresses(server)
        self._connected = False
        self._socket = self._next_socket("no address for this host")

    def interest(self, *, has_unsent: bool) -> tuple[bool, bool]:
        """See msgc.net.Channel."""
        return self._connected, has_unsent or not self._connected

    def fileno(self) -> int:
        """See msgc.net.Channel."""
        return self._socket.fileno()

    def finish_connecting(self) -> bool:
        """See msgc.net.Channel."""
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not error:
            self._connected = True
            return True
        self._socket.close()
        self._socket = self._next_socket(os.strerror(error).lower())
        return False

    def receive(self, bytes_max: int) -> bytes | None:
        """See msgc.net.Channel."""
        try:
            return self._socket.recv(bytes_max)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise NetError(_reason(error)) from None

    def send(self, data: bytes) -> int:
        """See msgc.net.Channel."""
        if not data:
            return 0
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise NetError(_reason(error)) from None

    def close(self) -> None:
        """See msgc.net.Channel."""
        self._socket.close()

    def _next_socket(self, reason: str) -> socket.socket:
        """Begin with the next address; `reason` is why the one before did not do."""
        while self._addresses:
            family, address = self._addresses.pop(0)
            begun = socket.socket(family, socket.SOCK_STREAM)
            try:
                begun.settimeout(0)
                # A request is one send: waiting to fill a packet would only add delay.
                if family != socket.AF_UNIX:
                    begun.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                begun.connect(address)
            except (BlockingIOError, InterruptedError):
                if family != socket.AF_UNIX:
                    return begun
                # A Unix socket is connected at once or not at all (connect(2), EAGAIN).
                begun.close()
                reason = "too many others are waiting there"
            except OSError as error:
                begun.close()
                reason = _reason(error)
            else:
                return begun
        raise NetError(reason)


class OsNetwork:
    """See msgc.net.Network."""

    def __init__(self) -> None:
        self._signals_in: socket.socket | None = None
        self._signals_out: socket.socket | None = None
        self._numbers: dict[int, Signal] = {}
        self._before: dict[int, _Handler] = {}

    def connect(self, server: Server) -> OsChannel:
        """See msgc.net.Network."""
        return OsChannel(server)

    def watch_signals(self, signals: Collection[Signal]) -> None:
        """See msgc.net.Network."""
        if self._signals_in is None or self._signals_out is None:
            self._signals_in, self._signals_out = socket.socketpair()
            self._signals_in.settimeout(0)
            self._signals_out.settimeout(0)
            signal.set_wakeup_fd(self._signals_out.fileno(), warn_on_full_buffer=False)
        for wanted in signals:
            number = signal.Signals[f"SIG{wanted.value}"]
            self._numbers[number] = wanted
            # The handler does nothing: its number arrives through the wake-up descriptor.
            before = signal.signal(number, _note)
            self._before.setdefault(number, signal.SIG_DFL if before is None else before)

    def release_signals(self) -> None:
        """See msgc.net.Network."""
        if self._signals_in is None:
            return
        numbers = {number: self._before[number] for number in self._numbers}
        pending = self.poll((), (), 0).signals
        signal.set_wakeup_fd(-1)
        for number, before in numbers.items():
            signal.signal(number, before)
        for wanted in pending:
            signal.raise_signal(signal.Signals[f"SIG{wanted.value}"])

    def poll(
        self, reading: Collection[int], writing: Collection[int], timeout_ms: int | None
    ) -> Ready:
        """See msgc.net.Network."""
        # Made anew each time: a handful of descriptors, and none can be left behind in it.
        with selectors.PollSelector() as selector:
            for fd in {*reading, *writing}:
                events = (selectors.EVENT_READ if fd in reading else 0) | (
                    selectors.EVENT_WRITE if fd in writing else 0
                )
                selector.register(fd, events)
            if self._signals_in is not None:
                selector.register(self._signals_in, selectors.EVENT_READ)
            found = selector.select(None if timeout_ms is None else max(0, timeout_ms) / 1_000)
        readable = {key.fd for key, events in found if events & selectors.EVENT_READ}
        writable = {key.fd for key, events in found if events & selectors.EVENT_WRITE}
        signals = self._take_signals(readable)
        return Ready(frozenset(readable), frozenset(writable), signals)

    def close(self) -> None:
        """Let go of the signals' descriptors; they go with the process otherwise."""
        for end in (self._signals_in, self._signals_out):
            if end is not None:
                end.close()

    def _take_signals(self, readable: set[int]) -> tuple[Signal, ...]:
        """The signals that came; their descriptor is nobody else's, and is taken out."""
        if self._signals_in is None or self._signals_in.fileno() not in readable:
            return ()
        readable.discard(self._signals_in.fileno())
        numbers = self._signals_in.recv(_SIGNALS_BYTES_MAX)
        return tuple(self._numbers[number] for number in numbers if number in self._numbers)


def _addresses(server: Server) -> list[tuple[int, Any]]:
    """Family and address of each place where the server may be."""
    if server.path:
        return [(socket.AF_UNIX, server.path)]
    try:
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a host name"
        raise NetError(f"no address for this host ({reason})") from None
    return [(entry[0], entry[4]) for entry in found[:_ADDRESSES_MAX]]


def _note(_number: int, _frame: FrameType | None) -> None:
    """Nothing. See watch_signals."""


def _reason(error: OSError) -> str:
    return (error.strerror or "network error").lower()
