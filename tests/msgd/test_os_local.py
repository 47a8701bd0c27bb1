"""A local socket beside TCP: who calls, who may, and what may be taken away for it."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgd.net import Address, Channel, ListenError
from msgd.os_local import read_credentials
from msgd.os_net import OsNetwork

PATIENCE_MS = 5_000


@pytest.fixture
def network() -> Iterator[OsNetwork]:
    made = OsNetwork({})
    yield made
    made.close()


def call(path: Path) -> socket.socket:
    calling = socket.socket(socket.AF_UNIX)
    calling.connect(str(path))
    return calling


def accept(network: OsNetwork) -> Channel:
    assert network.poll(PATIENCE_MS).listener
    channel = network.accept()
    assert channel is not None
    return channel


def leave_behind(path: Path) -> None:
    """What a killed server leaves."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))


def test_a_client_of_this_machine_is_known_by_its_user(network: OsNetwork, tmp_path: Path) -> None:
    path = tmp_path / "msgd.sock"
    network.listen_at(str(path), 0o600)
    with call(path) as client:
        channel = accept(network)
        assert channel.peer == f"local uid {os.getuid()}"
        assert channel.binding is None
        assert not channel.needs_handshake
        client.sendall(b"hello")
        network.watch(channel, reading=True, writing=False)
        assert network.poll(PATIENCE_MS).readable == [channel]
        assert channel.receive(100) == b"hello"
        assert channel.send(b"good day") == 8
        assert client.recv(100) == b"good day"
        network.watch(channel, reading=False, writing=False)
        channel.close()


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_the_mode_is_the_one_that_was_meant(network: OsNetwork, tmp_path: Path, mode: int) -> None:
    before = os.umask(0)
    try:
        network.listen_at(str(tmp_path / "s"), mode)
    finally:
        os.umask(before)
    assert (tmp_path / "s").stat().st_mode & 0o777 == mode


def test_both_ways_in_at_once(network: OsNetwork, tmp_path: Path) -> None:
    address = network.listen(Address("127.0.0.1", 0))
    network.listen_at(str(tmp_path / "s"), 0o600)
    with call(tmp_path / "s"), socket.create_connection((address.host, address.port)):
        peers = set()
        for _ in range(2):
            channel = accept(network)
            peers.add(channel.peer.partition(":")[0])
            channel.close()
        assert network.accept() is None
        assert peers == {"127.0.0.1", f"local uid {os.getuid()}"}
    network.watch_listener(wanted=False)
    with call(tmp_path / "s"):
        assert not network.poll(0).listener
        network.watch_listener(wanted=True)
        assert network.poll(PATIENCE_MS).listener


def test_a_socket_that_was_left_behind_is_taken_away(network: OsNetwork, tmp_path: Path) -> None:
    leave_behind(tmp_path / "s")
    network.listen_at(str(tmp_path / "s"), 0o600)
    call(tmp_path / "s").close()
    network.stop_listening()
    assert not (tmp_path / "s").exists()
    network.stop_listening()


def test_one_that_somebody_listens_on_stays(network: OsNetwork, tmp_path: Path) -> None:
    path = tmp_path / "s"
    network.listen_at(str(path), 0o600)
    other = OsNetwork({})
    with pytest.raises(ListenError, match="is in use by another program"):
        other.listen_at(str(path), 0o600)
    other.close()
    with call(path):
        accept(network).close()


def test_one_whose_line_is_full_is_in_use_too(network: OsNetwork, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))
        with pytest.raises(ListenError, match="is in use by another program"):
            network.listen_at(str(path), 0o600)
    assert path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_never_taken_away(
    network: OsNetwork, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "precious"
    if kind == "file":
        path.write_text("words")
    elif kind == "folder":
        path.mkdir()
    else:
        leave_behind(tmp_path / "s")
        path.symlink_to(tmp_path / "s")
    with pytest.raises(ListenError, match="is there and is no socket"):
        network.listen_at(str(path), 0o600)
    assert path.is_symlink() or path.exists()


def test_a_place_that_cannot_be(network: OsNetwork, tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="no such file or directory; see --unix-socket"):
        network.listen_at(str(tmp_path / "nowhere" / "s"), 0o600)


def test_a_path_may_be_long(network: OsNetwork, tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    network.listen_at(str(folder / "s"), 0o600)
    network.stop_listening()
    leave_behind(tmp_path / "s")
    (tmp_path / "s").rename(folder / "s")
    network.listen_at(str(folder / "s"), 0o600)


def test_the_kernel_says_who_is_there() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert read_credentials(near) == (os.getpid(), os.getuid())
