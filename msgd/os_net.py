"""TCP and the local socket through the operating system: the only file with sockets and selectors.

Must never block outside `poll`, and never leave a waiting connection un-taken in a busy loop: when
file descriptors run out, a spare one is given up to take the connection and close it, and the
reactor is told to pause the listener (libuv's trick).
Fails with ListenError before anything is served; a broken connection is a ChannelError.
"""

import errno
import selectors
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgd import os_files, os_local
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

LISTEN_BACKLOG_MAX: Final = 128
KEEPALIVE_IDLE_S: Final = 60
USER_TIMEOUT_MS: Final = 30_000
LOCAL_BACKLOG_MAX: Final = 8
SIGNALS_BYTES_MAX: Final = 4_096

_NO_ROOM: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PASSING: Final = frozenset(
    (
        *(errno.EAGAIN, errno.EINTR, errno.ECONNABORTED, errno.ECONNRESET, errno.EPERM),
        *(errno.EPROTO, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EHOSTUNREACH),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT),
    )
)
"""accept's words for "nobody is waiting any more"; accept(2) of Linux lists them."""

_LISTENER: Final = "listener"
_CALLERS: Final = "callers"
_BESIDE: Final = "beside"
_CONSOLE: Final = "console"
_SIGNALS: Final = "signals"

_Key = str | Channel


class OsChannel:
    """One connection, of TCP or on this machine."""

    __slots__ = ("_peer", "events", "socket")

    has_pending: Final = False  # the kernel tells of every byte
    binding: Final = None
    needs_handshake: Final = False

    def __init__(self, connected: socket.socket, peer: str) -> None:
        self.socket = connected
        self.events = 0
        """What the selector watches of it: kept by the network, which else would have to ask."""
        self._peer = peer

    @property
    def peer(self) -> str:
        """Address and port, numbers only."""
        return self._peer

    def shake(self) -> Wait | None:
        """There is no handshake."""
        return None

    def receive(self, bytes_max: int) -> bytes | Wait:
        """See msgd.net.Channel."""
        try:
            return self.socket.recv(bytes_max)
        except (BlockingIOError, InterruptedError):
            return Wait.READ
        except OSError as error:
            raise ChannelError(_reason(error)) from None

    def send(self, data: bytes | memoryview) -> int | Wait:
        """See msgd.net.Channel."""
        try:
            return self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return Wait.WRITE
        except OSError as error:
            raise ChannelError(_reason(error)) from None

    def finish(self) -> None:
        """Send FIN after what is in the kernel's buffer."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the peer is gone already: then there is nobody to tell

    def close(self) -> None:
        """Close the socket."""
        _close(self.socket)


class OsNetwork:
    """A listener, its connections, the terminal and the signals, under one selector."""

    def __init__(self, wishes: Mapping[int, Wish]) -> None:
        self._wishes = wishes  # by number of signal
        self._selector = self.make_selector()
        self._listeners: tuple[socket.socket, ...] = ()
        self._path = ""
        self._security: Security | None = None
        self._callers: socket.socket | None = None
        self._callers_path = ""
        self._beside: socket.socket | None = None
        self._console_fd: int | None = None
        self._signals_in, self._signals_out = socket.socketpair()
        self._signals_in.settimeout(0)
        self._signals_out.settimeout(0)
        self._selector.register(self._signals_in, selectors.EVENT_READ, _SIGNALS)
        # Any descriptor will do: it is there to be given up when there are no others.
        self._spare: socket.socket | None = self.make_socket(socket.AF_INET)

    def make_selector(self) -> selectors.BaseSelector:
        """The one thing to wait with."""
        return selectors.DefaultSelector()

    def make_socket(self, family: int) -> socket.socket:
        """A new socket; what it accepts is of its own kind."""
        return socket.socket(family, socket.SOCK_STREAM)

    @property
    def signals_fd(self) -> int:
        """Where signal numbers are to be written (signal.set_wakeup_fd)."""
        return self._signals_out.fileno()

    @staticmethod
    def resolve(host: str, port: int) -> Address:
        """The first numeric address of a host. Raises ListenError."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not a host name"
            raise ListenError(
                f"the host {host!r} has no address ({reason}); give --host an address of this "
                "machine, such as 127.0.0.1"
            ) from None
        numbers = found[0][4]
        return Address(str(numbers[0]), int(numbers[1]))

    def listen(self, address: Address) -> Address:
        """Begin to listen; gives the address with the port that it really is (port 0: any).

        Raises ListenError.
        """
        listener, found = self._open_listener(address, _LISTENER)
        self._listeners = (*self._listeners, listener)
        return found

    def listen_beside(self, address: Address) -> Address:
        """See msgd.net.BesideNetwork."""
        self._beside, found = self._open_listener(address, _BESIDE)
        return found

    def _open_listener(self, address: Address, key: _Key) -> tuple[socket.socket, Address]:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listener = self.make_socket(family)
        try:
            listener.settimeout(0)
            # Without it a restarted server waits minutes until its old connections are forgotten.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address.host, address.port))
            listener.listen(LISTEN_BACKLOG_MAX)
            self._selector.register(listener, selectors.EVENT_READ, key)
        except OSError as error:
            _close(listener)
            raise ListenError(_listen_reason(error, address)) from None
        numbers = listener.getsockname()
        return listener, Address(str(numbers[0]), int(numbers[1]))

    def protect(self, security: Security) -> None:
        """From now on whoever comes over TCP must encrypt."""
        self._security = security

    def listen_at(self, path: str, mode: int) -> None:
        """Listen on a local socket too, for clients on this machine. Raises ListenError."""
        listener = self.make_socket(socket.AF_UNIX)
        try:
            os_local.listen(listener, path, mode, LISTEN_BACKLOG_MAX)
            self._watch_for_others(listener, _LISTENER, wanted=True)
        except (ListenError, AcceptError) as error:
            _close(listener)
            raise ListenError(str(error)) from None
        self._listeners = (*self._listeners, listener)
        self._path = path

    def take_given(self, listeners: Sequence[socket.socket]) -> None:
        """Listen with sockets that were opened for us, as they are. Raises ListenError."""
        try:
            for listener in listeners:
                self._watch_for_others(listener, _LISTENER, wanted=True)
        except AcceptError as error:
            raise ListenError(f"cannot listen on a socket that was given: {error}") from None
        self._listeners = (*self._listeners, *listeners)

    def accept(self) -> Channel | None:
        """See msgd.net.Network."""
        for listener in self._listeners:
            channel = self._accept_at(listener)
            if channel is not None:
                return channel
        return None

    def _accept_at(self, listener: socket.socket) -> Channel | None:
        try:
            connected, numbers = listener.accept()
        except OSError as error:
            if error.errno in _PASSING:
                return None  # none waiting, or one that went away while it waited
            if error.errno in _NO_ROOM:
                self._drop_one_waiting(listener)
            raise AcceptError(_reason(error)) from None
        if self._spare is None:
            self._make_spare()
        try:
            if listener.family == socket.AF_UNIX:
                connected.settimeout(0)
                _, user_id = os_local.read_credentials(connected)
                return OsChannel(connected, f"local uid {user_id}")
            _prepare(connected)
        except OSError:
            _close(connected)  # it went away while we prepared it
            return None
        channel = OsChannel(connected, str(Address(str(numbers[0]), int(numbers[1]))))
        return channel if self._security is None else self._security.protect(channel)

    def watch_listener(self, wanted: bool) -> None:
        """See msgd.net.Network."""
        for listener in self._listeners:
            self._watch_for_others(listener, _LISTENER, wanted=wanted)

    def listen_locally(self, path: str) -> None:
        """Take callers of this user at a local socket; what stood there before is removed.

        Raises ListenError. Only for a folder whose lock is held: whoever else uses it would lose
        its socket.
        """
        callers: socket.socket | None = None
        try:
            callers = self.make_socket(socket.AF_UNIX)
            callers.settimeout(0)
            os_files.remove(path)
            with os_files.shortened(path) as way:
                callers.bind(way)
            os_files.make_private(path)
            callers.listen(LOCAL_BACKLOG_MAX)
            self._selector.register(callers, selectors.EVENT_READ, _CALLERS)
        except OSError as error:
            if callers is not None:
                _close(callers)
                os_files.remove(path)
            raise ListenError(f"{path}: {_reason(error)}") from None
        self._callers, self._callers_path = callers, path

    def accept_caller(self) -> Caller | None:
        """See msgd.net.LocalNetwork."""
        if self._callers is None:
            return None
        try:
            connected, _ = self._callers.accept()
        except OSError as error:
            if error.errno in _PASSING:
                return None
            raise AcceptError(_reason(error)) from None
        try:
            connected.settimeout(0)
            process_id, user_id = os_local.read_credentials(connected)
        except OSError:
            _close(connected)  # whose it is is not known, so it is nobody's
            return None
        return Caller(OsChannel(connected, f"process {process_id}"), user_id, process_id)

    def watch_callers(self, wanted: bool) -> None:
        """See msgd.net.LocalNetwork."""
        if self._callers is not None:
            self._watch_for_others(self._callers, _CALLERS, wanted=wanted)

    def hang_up(self) -> None:
        """See msgd.net.LocalNetwork."""
        if self._callers is not None:
            self.watch_callers(wanted=False)
            _close(self._callers)
            self._callers = None
            os_files.remove(self._callers_path)

    @staticmethod
    def call(path: str) -> Channel:
        """See msgd.net.CallingNetwork."""
        calling = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            calling.settimeout(0)
            with os_files.shortened(path) as way:
                calling.connect(way)
        except OSError as error:
            _close(calling)
            raise CallError(_reason(error)) from None
        return OsChannel(calling, "the server")

    def accept_beside(self) -> Channel | None:
        """See msgd.net.BesideNetwork."""
        if self._beside is None:
            return None
        try:
            connected, _ = self._beside.accept()
        except OSError as error:
            if error.errno in _PASSING:
                return None
            raise AcceptError(_reason(error)) from None
        connected.settimeout(0)
        return OsChannel(connected, "metrics")

    def watch_beside(self, wanted: bool) -> None:
        """See msgd.net.BesideNetwork."""
        if self._beside is not None:
            self._watch_for_others(self._beside, _BESIDE, wanted=wanted)

    def stop_listening_beside(self) -> None:
        """See msgd.net.BesideNetwork."""
        if self._beside is not None:
            self.watch_beside(wanted=False)
            _close(self._beside)
            self._beside = None

    def watch_console(self, fd: int | None) -> None:
        """See msgd.net.Network."""
        if self._console_fd is not None:
            self._selector.unregister(self._console_fd)
        self._console_fd = fd
        if fd is not None:
            self._selector.register(fd, selectors.EVENT_READ, _CONSOLE)

    def watch(self, channel: Channel, reading: bool, writing: bool) -> None:
        """See msgd.net.Network."""
        owner = channel
        if isinstance(channel, TlsChannel):
            channel = channel.carrier
        assert isinstance(channel, OsChannel)
        events = (selectors.EVENT_READ if reading else 0) | (
            selectors.EVENT_WRITE if writing else 0
        )
        watched = channel.events
        try:
            if not events:
                if watched:
                    self._selector.unregister(channel.socket)
            elif watched:
                self._selector.modify(channel.socket, events, owner)
            else:
                self._selector.register(channel.socket, events, owner)
        except OSError as error:  # no memory, or epoll's own limit of what one user may watch
            channel.events = 0  # what it cannot modify, the selector forgets
            raise ChannelError(_reason(error)) from None
        channel.events = events

    def poll(self, timeout_ms: int | None) -> Ready:
        """See msgd.net.Network."""
        ready = Ready()
        timeout = None if timeout_ms is None else timeout_ms / 1_000
        for key, events in self._selector.select(timeout):
            owner: _Key = key.data
            if not isinstance(owner, str):
                if events & selectors.EVENT_READ:
                    ready.readable.append(owner)
                if events & selectors.EVENT_WRITE:
                    ready.writable.append(owner)
            elif owner == _LISTENER:
                ready.listener = True
            elif owner == _CALLERS:
                ready.callers = True
            elif owner == _BESIDE:
                ready.beside = True
            elif owner == _CONSOLE:
                ready.console = True
            else:
                numbers = self._signals_in.recv(SIGNALS_BYTES_MAX)
                ready.wishes = tuple(
                    self._wishes[number] for number in numbers if number in self._wishes
                )
        return ready

    def stop_listening(self) -> None:
        """See msgd.net.Network."""
        self.watch_listener(wanted=False)
        listeners, self._listeners = self._listeners, ()
        for listener in listeners:
            if listener.family == socket.AF_UNIX:
                os_files.remove(self._path)
            _close(listener)

    def close(self) -> None:
        """See msgd.net.Network."""
        self.stop_listening()
        self.hang_up()
        self.stop_listening_beside()
        self._selector.close()
        self._signals_in.close()
        self._signals_out.close()
        if self._spare is not None:
            _close(self._spare)

    def _watch_for_others(self, listener: socket.socket, key: _Key, *, wanted: bool) -> None:
        """Raises AcceptError."""
        watched = listener.fileno() in self._selector.get_map()
        if wanted and not watched:
            try:
                self._selector.register(listener, selectors.EVENT_READ, key)
            except OSError as error:
                raise AcceptError(_reason(error)) from None
        elif watched and not wanted:
            self._selector.unregister(listener)

    def _drop_one_waiting(self, listener: socket.socket) -> None:
        """Take one waiting connection with the spare descriptor and close it.

        Left waiting it would make every poll return at once. On Linux accept checks for free
        descriptors before it looks for a connection, so there may be none: then nothing is done.
        """
        if self._spare is not None:
            with suppress(OSError):  # it went away by itself, which is what was wanted
                self._spare.close()
                dropped, _ = listener.accept()
                dropped.close()
            self._spare = None
        self._make_spare()

    def _make_spare(self) -> None:
        try:
            self._spare = self.make_socket(socket.AF_INET)
        except OSError:
            self._spare = None  # tried again at the next accept


def make_pair() -> tuple[OsChannel, OsChannel]:
    """Two ends of one connection, for a process and its child."""
    ends = socket.socketpair()
    for end in ends:
        end.settimeout(0)
    return OsChannel(ends[0], "its own panel"), OsChannel(ends[1], "the server")


def _prepare(connected: socket.socket) -> None:
    connected.settimeout(0)
    # One send a turn is already a whole turn's worth: waiting to fill a packet only adds delay.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def _close(ours: socket.socket) -> None:
    with suppress(OSError):  # the descriptor is free whatever close says
        ours.close()


def _reason(error: OSError) -> str:
    """What went wrong, in the system's words for the number: never the peer's."""
    return (error.strerror or "network error").lower()


def _listen_reason(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{address} is in use by another program; stop that one, or choose another port "
            "with --port (0 takes any that is free)"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{address.host} is not an address of this machine; choose another with --host"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return (
            f"{address} needs more rights than this user has; choose a port above 1023 with --port"
        )
    return f"cannot listen on {address}: {_reason(error)}; see --host and --port"
