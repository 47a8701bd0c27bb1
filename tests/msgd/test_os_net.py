"""The real network, on 127.0.0.1 and ports that the system chooses."""

import errno
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from msgd import os_host, os_net, os_signals
from msgd.net import AcceptError, Address, Channel, ChannelError, ListenError, Ready, Wait, Wish
from msgd.os_net import OsNetwork

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

ANY = Address("127.0.0.1", 0)
PATIENCE_MS = 5_000


@pytest.fixture
def network() -> Iterator[OsNetwork]:
    made = OsNetwork(os_signals.WISHES)
    yield made
    made.close()


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    """Clients' sockets, closed at the end."""
    made: list[socket.socket] = []
    yield made
    for one in made:
        one.close()


def connect(address: Address, sockets: list[socket.socket]) -> socket.socket:
    client = socket.create_connection((address.host, address.port), timeout=5)
    sockets.append(client)
    return client


def accept(network: OsNetwork) -> Channel:
    assert network.poll(PATIENCE_MS).listener
    channel = network.accept()
    assert channel is not None
    return channel


def wait_for(network: OsNetwork, channel: Channel, *, reading: bool) -> Ready:
    """Poll until the channel is ready."""
    network.watch(channel, reading, writing=not reading)
    ready = network.poll(PATIENCE_MS)
    assert ready.readable == ([channel] if reading else [])
    assert ready.writable == ([] if reading else [channel])
    return ready


def test_bytes_go_both_ways(network: OsNetwork, sockets: list[socket.socket]) -> None:
    address = network.listen(ANY)
    assert address.port > 0
    client = connect(address, sockets)
    channel = accept(network)
    assert channel.peer == "{}:{}".format(*client.getsockname())
    assert not channel.has_pending
    assert channel.receive(10) is Wait.READ
    client.sendall(b"hello")
    wait_for(network, channel, reading=True)
    assert channel.receive(2) == b"he"
    assert channel.receive(10) == b"llo"
    assert channel.send(memoryview(b"good day")) == 8
    assert client.recv(100) == b"good day"
    channel.finish()
    assert client.recv(1) == b""
    client.shutdown(socket.SHUT_WR)
    wait_for(network, channel, reading=True)
    assert channel.receive(1) == b""
    network.watch(channel, reading=False, writing=False)
    channel.close()


def test_nothing_is_told_that_was_not_asked_for(
    network: OsNetwork, sockets: list[socket.socket]
) -> None:
    address = network.listen(ANY)
    client = connect(address, sockets)
    channel = accept(network)
    client.sendall(b"x")
    wait_for(network, channel, reading=True)
    network.watch(channel, reading=False, writing=False)
    network.watch(channel, reading=False, writing=False)
    assert network.poll(0).readable == []
    network.watch_listener(wanted=False)
    network.watch_listener(wanted=False)
    connect(address, sockets)
    assert not network.poll(50).listener
    network.watch_listener(wanted=True)
    assert network.poll(PATIENCE_MS).listener
    channel.close()


def test_a_full_connection_waits_and_a_reset_one_breaks(
    network: OsNetwork, sockets: list[socket.socket]
) -> None:
    client = connect(network.listen(ANY), sockets)
    channel = accept(network)
    sent = 0
    while isinstance(taken := channel.send(bytes(1 << 20)), int):
        sent += taken
    assert taken is Wait.WRITE
    assert sent > 0
    # Closed with bytes unread, it is a reset.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    wait_for(network, channel, reading=True)
    with pytest.raises(ChannelError, match=r"reset|broken pipe"):
        channel.receive(1)
    with pytest.raises(ChannelError):
        channel.send(b"x")
    channel.finish()
    network.watch(channel, reading=False, writing=False)
    channel.close()


def test_small_answers_are_not_held_back(network: OsNetwork, sockets: list[socket.socket]) -> None:
    connect(network.listen(ANY), sockets)
    channel = accept(network)
    assert isinstance(channel, os_net.OsChannel)
    options = channel.socket
    assert options.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert options.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    channel.close()


def test_a_port_in_use_is_named_with_what_to_do(network: OsNetwork) -> None:
    address = network.listen(ANY)
    other = OsNetwork({})
    with pytest.raises(ListenError) as caught:
        other.listen(address)
    other.close()
    assert str(caught.value) == (
        f"127.0.0.1:{address.port} is in use by another program; stop that one, or choose "
        "another port with --port (0 takes any that is free)"
    )


def test_a_port_is_free_again_at_once(sockets: list[socket.socket]) -> None:
    first = OsNetwork({})
    address = first.listen(ANY)
    client = connect(address, sockets)
    channel = accept(first)
    channel.close()
    first.close()
    assert client.recv(1) == b""
    second = OsNetwork({})
    assert second.listen(address) == address
    second.close()


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", "192.0.2.1 is not an address of this machine; choose another with --host"),
        ("no such host", "the host 'no such host' has no address"),
        ("x" * 70, "has no address (not a host name)"),
    ],
)
def test_a_host_that_cannot_be_is_named(network: OsNetwork, host: str, words: str) -> None:
    with pytest.raises(ListenError) as caught:
        network.listen(network.resolve(host, 0))
    assert words in str(caught.value)


def test_ports_below_1024_need_rights(network: OsNetwork) -> None:
    error = os_net._listen_reason(PermissionError(13, "Permission denied"), Address("::1", 80))
    assert error.startswith("[::1]:80 needs more rights than this user has")
    other = os_net._listen_reason(OSError(99_999, "odd"), Address("::1", 80))
    assert other == "cannot listen on [::1]:80: odd; see --host and --port"


def test_both_families_have_addresses(network: OsNetwork) -> None:
    assert network.resolve("127.0.0.1", 5) == Address("127.0.0.1", 5)
    assert network.resolve("::1", 5) == Address("::1", 5)
    assert str(Address("::1", 5)) == "[::1]:5"


def test_a_network_that_listens_no_more_accepts_nobody(network: OsNetwork) -> None:
    assert network.accept() is None
    network.listen(ANY)
    assert network.accept() is None
    network.stop_listening()
    network.stop_listening()
    network.watch_listener(wanted=True)
    assert network.accept() is None
    assert not network.poll(0).listener


def test_a_console_is_watched_until_it_is_not(network: OsNetwork) -> None:
    near, far = socket.socketpair()
    with near, far:
        network.watch_console(near.fileno())
        assert not network.poll(0).console
        far.send(b"k")
        assert network.poll(PATIENCE_MS).console
        network.watch_console(None)
        assert not network.poll(0).console


def test_without_descriptors_the_waiting_one_is_let_go_and_the_loop_sleeps(
    network: OsNetwork, sockets: list[socket.socket]
) -> None:
    client = connect(network.listen(ANY), sockets)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    top = max(client.fileno(), network.signals_fd) + 20
    hoard: list[socket.socket] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            take_all(hoard)
        with pytest.raises(AcceptError, match="too many open files"):
            network.accept()
        assert client.recv(1) == b"", "told at once, instead of left hanging"
        assert not network.poll(0).listener, "or the loop would turn for nothing"
        second = connect_within(hoard, network)
        with pytest.raises(AcceptError):
            network.accept()
        assert second.recv(1) == b""
    finally:
        for one in hoard:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    third = connect(address_of(network), sockets)
    channel = accept(network)
    channel.close()
    assert third.recv(1) == b""


class UnwellSelector(selectors.DefaultSelector):
    """A selector that has no room for anybody any more."""

    well = True

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        if not self.well:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().register(fileobj, events, data)

    def modify(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        if not self.well:
            super().unregister(fileobj)  # as the real one does before it passes the error on
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().modify(fileobj, events, data)


class UnwellSocket(socket.socket):
    """A socket whose accept fails, and whose close says that it did."""

    error = errno.EIO

    def accept(self) -> tuple[socket.socket, object]:
        raise OSError(self.error, os.strerror(self.error))

    def close(self) -> None:
        if self.fileno() >= 0:
            super().close()
            raise OSError(errno.EIO, "Input/output error")


class UnwellNetwork(OsNetwork):
    """The real network on a system that is not well."""

    def make_selector(self) -> selectors.BaseSelector:
        self.selector = UnwellSelector()
        return self.selector

    def make_socket(self, family: int) -> socket.socket:
        return UnwellSocket(family, socket.SOCK_STREAM)


@pytest.mark.parametrize(
    ("number", "rests"),
    [(errno.EIO, True), (errno.ENOSPC, True), (errno.EINTR, False), (errno.ECONNABORTED, False)],
)
def test_an_accept_that_fails_for_no_known_reason_rests(number: int, *, rests: bool) -> None:
    network = UnwellNetwork({})
    network.listen(ANY)
    assert isinstance(network._listeners[0], UnwellSocket)
    network._listeners[0].error = number
    if rests:
        with pytest.raises(AcceptError):
            network.accept()
    else:
        assert network.accept() is None
    network.stop_listening()
    assert network.accept() is None, "a close that fails has closed"
    network.close()


def test_without_room_in_the_selector_one_is_told(sockets: list[socket.socket]) -> None:
    network = UnwellNetwork({})
    network.selector.well = False
    with pytest.raises(ListenError, match="no space left on device"):
        network.listen(ANY)
    network.selector.well = True
    network.listen(ANY)
    network.watch_listener(wanted=False)
    network.selector.well = False
    with pytest.raises(AcceptError, match="no space left on device"):
        network.watch_listener(wanted=True)
    near, far = socket.socketpair()
    sockets.append(far)
    channel = os_net.OsChannel(near, "127.0.0.1:1")
    with pytest.raises(ChannelError, match="no space left on device"):
        network.watch(channel, reading=True, writing=False)
    network.watch(channel, reading=False, writing=False)
    channel.close()
    network.stop_listening()
    network.close()


def test_what_the_selector_forgets_when_it_fails_is_watched_anew(
    sockets: list[socket.socket],
) -> None:
    network = UnwellNetwork({})
    near, far = socket.socketpair()
    sockets.append(far)
    channel = os_net.OsChannel(near, "127.0.0.1:1")
    network.watch(channel, reading=True, writing=False)
    network.selector.well = False
    with pytest.raises(ChannelError, match="no space left on device"):
        network.watch(channel, reading=True, writing=True)
    network.selector.well = True
    network.watch(channel, reading=False, writing=False)
    network.watch(channel, reading=True, writing=False)
    assert near.fileno() in network.selector.get_map()
    network.watch(channel, reading=False, writing=False)
    channel.close()
    network.close()


def take_all(hoard: list[socket.socket]) -> None:
    """Open sockets until there are no descriptors left, which raises OSError."""
    while True:
        hoard.append(socket.socket())


def connect_within(hoard: list[socket.socket], network: OsNetwork) -> socket.socket:
    """A client that takes one of the hoarded descriptors."""
    address = address_of(network)
    client = hoard[-1]
    client.settimeout(5)
    client.connect((address.host, address.port))
    assert network.poll(PATIENCE_MS).listener
    return client


def address_of(network: OsNetwork) -> Address:
    assert network._listeners
    host, port = network._listeners[0].getsockname()
    return Address(host, port)


def test_signals_are_wishes(network: OsNetwork) -> None:
    before = {number: signal.getsignal(number) for number in os_signals.WISHES}
    os_signals.install(network.signals_fd)
    try:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGINT):
            signal.raise_signal(number)
        assert network.poll(PATIENCE_MS).wishes == (
            Wish.STOP,
            Wish.REOPEN,
            Wish.RESIZE,
            Wish.STOP,
        )
        assert network.poll(0).wishes == ()
    finally:
        os_signals.uninstall()
        for known, handler in before.items():
            signal.signal(known, handler)


LATE_SIGNAL = """\
import os, signal, sys
from msgd import os_signals
class Late:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
late = Late()
os_signals.install(os.open(os.devnull, os.O_WRONLY | os.O_NONBLOCK))
os_signals.ignore()
sys.exit(70)
"""


def test_a_signal_at_the_very_end_does_not_change_the_exit_code() -> None:
    assert subprocess.run([sys.executable, "-c", LATE_SIGNAL], check=False).returncode == 70


def test_descriptors_are_taken_as_far_as_allowed() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
        assert os_host.take_descriptors(200) == 300
        assert os_host.take_descriptors(400) == 400
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (400, hard)
        assert os_host.take_descriptors(hard + 1) == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
