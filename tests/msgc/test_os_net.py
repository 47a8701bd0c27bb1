"""Real sockets and signals, on the loopback."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgc.net import NetError, Signal
from msgc.os_clock import OsClock
from msgc.os_net import OsChannel, OsNetwork
from msgc.server import Server

WAIT_MS = 5_000


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def connect(network: OsNetwork, listener: socket.socket) -> tuple[OsChannel, socket.socket]:
    channel = network.connect(Server("127.0.0.1", listener.getsockname()[1]))
    ready = network.poll([], [channel.fileno()], WAIT_MS)
    assert channel.fileno() in ready.writable
    assert channel.finish_connecting()
    peer, _ = listener.accept()
    return channel, peer


def test_bytes_go_both_ways_and_the_end_is_seen(listener: socket.socket) -> None:
    network = OsNetwork()
    channel, peer = connect(network, listener)
    assert channel.receive(10) is None
    assert channel.send(b"hello") == 5
    assert peer.recv(10) == b"hello"
    peer.sendall(b"world")
    assert network.poll([channel.fileno()], [], WAIT_MS).readable == {channel.fileno()}
    assert channel.receive(3) == b"wor"
    assert channel.receive(30) == b"ld"
    peer.close()
    network.poll([channel.fileno()], [], WAIT_MS)
    assert channel.receive(10) == b""
    channel.close()


def test_a_full_socket_takes_nothing(listener: socket.socket) -> None:
    channel, peer = connect(OsNetwork(), listener)
    while channel.send(b"x" * 65_536):
        pass
    assert channel.send(b"x") == 0
    channel.close()
    peer.close()


def test_nobody_listens(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    network = OsNetwork()
    channel = network.connect(Server("127.0.0.1", port))
    network.poll([], [channel.fileno()], WAIT_MS)
    with pytest.raises(NetError, match="connection refused"):
        channel.finish_connecting()


def test_the_next_address_is_tried(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.getsockname()[1]
    dead = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.2", port))
    good = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [dead, good])
    network = OsNetwork()
    channel = network.connect(Server("two.example", port))
    network.poll([], [channel.fileno()], WAIT_MS)
    assert not channel.finish_connecting()
    network.poll([], [channel.fileno()], WAIT_MS)
    assert channel.finish_connecting()
    channel.close()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 300, "\udcff"])
def test_hosts_without_an_address(host: str) -> None:
    with pytest.raises(NetError, match="no address"):
        OsNetwork().connect(Server(host, 1))


def test_reset_is_an_error_with_words(listener: socket.socket) -> None:
    network = OsNetwork()
    channel, peer = connect(network, listener)
    linger = b"\x01\0\0\0\0\0\0\0"  # close with RST
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    peer.close()
    network.poll([channel.fileno()], [], WAIT_MS)
    with pytest.raises(NetError, match="connection reset"):
        channel.receive(10)
    with pytest.raises(NetError):
        channel.send(b"x")
    channel.close()


def test_poll_ends_in_time() -> None:
    clock = OsClock()
    before_ms = clock.now_ms()
    assert OsNetwork().poll([], [], 20).readable == frozenset()
    assert 15 <= clock.now_ms() - before_ms < 2_000


def test_signals_arrive_through_the_poll() -> None:
    before = signal.getsignal(signal.SIGWINCH)
    network = OsNetwork()
    try:
        network.watch_signals([Signal.RESIZE])
        network.watch_signals([Signal.RESIZE])
        os.kill(os.getpid(), signal.SIGWINCH)
        ready = network.poll([], [], WAIT_MS)
        assert ready.signals == (Signal.RESIZE,)
        assert ready.readable == frozenset()
        assert network.poll([], [], 0).signals == ()
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGWINCH, before)
        network.close()


def test_clock_knows_the_time_and_odd_years() -> None:
    clock = OsClock()
    assert clock.wall_ms() > 1_700_000_000_000
    assert len(clock.local_text(1_700_000_000_000, "%Y-%m-%d")) == 10
    assert clock.local_text(2**80, "%Y") == "?"


def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)
        network = OsNetwork()
        channel = network.connect(Server("", 0, path))
        assert channel.interest(has_unsent=False) == (False, True)
        assert channel.fileno() in network.poll([], [channel.fileno()], WAIT_MS).writable
        assert channel.finish_connecting()
        assert channel.interest(has_unsent=False) == (True, False)
        peer, _ = server.accept()
        assert channel.send(b"") == 0
        assert channel.send(b"hello") == 5
        assert peer.recv(10) == b"hello"
        peer.close()
        channel.close()


def test_a_unix_socket_where_nobody_listens_and_where_too_many_wait(tmp_path: Path) -> None:
    with pytest.raises(NetError, match="no such file"):
        OsNetwork().connect(Server("", 0, str(tmp_path / "none")))
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        with pytest.raises(NetError, match="connection refused"):
            OsNetwork().connect(Server("", 0, path))
        server.listen(0)
        waiting = OsNetwork().connect(Server("", 0, path))
        with pytest.raises(NetError, match="too many others"):
            OsNetwork().connect(Server("", 0, path))
        waiting.close()
