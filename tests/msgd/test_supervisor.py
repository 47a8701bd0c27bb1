"""What the supervisor hears, from the loop in memory and from a real process."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from msgd.faces import Faces, join_faces
from msgd.net import ListenError, Ready, Wish
from msgd.os_systemd import NotifySocket, find_supervisor, given_fds, open_given, place_of
from msgd.supervisor import NoSupervisor, Supervisor
from msgd.values import Now
from tests.e2e.machine import free_port, until
from tests.msgd.fake_machine import Bench
from tests.msgd.test_server_process import Process, start
from wire.connection import Connection
from wire.messages import Hello, Welcome
from wire.states import Role

__all__ = ["start"]  # the fixture


class FakeLine:
    """A supervisor that remembers."""

    def __init__(self, watchdog_ms: int | None) -> None:
        self.watchdog_ms = watchdog_ms
        self.heard: list[str] = []

    def say(self, words: str) -> None:
        self.heard.append(words)


def supervised(watchdog_ms: int | None) -> tuple[Bench, FakeLine]:
    line = FakeLine(watchdog_ms)
    return Bench(face=lambda _: Supervisor(line)), line


def test_a_sign_of_life_each_third_of_the_watchdogs_time() -> None:
    bench, line = supervised(3_000)
    bench.settle()
    assert line.heard == ["WATCHDOG=1"]
    bench.pass_time(10_000)
    assert line.heard == ["WATCHDOG=1"] * 11


def test_a_loop_that_does_not_turn_gives_none() -> None:
    bench, line = supervised(300)
    bench.settle()
    assert bench.timeout_ms() == 100
    bench.clock.advance_to(bench.clock.now_ms + 60_000)
    assert len(line.heard) == 1
    bench.turn()
    assert len(line.heard) == 2


def test_without_a_watchdog_there_are_no_signs() -> None:
    bench, line = supervised(None)
    bench.pass_time(60_000)
    assert line.heard == []


def test_a_reload_has_a_beginning_and_an_end() -> None:
    bench, line = supervised(None)
    bench.network.wishes.append(Wish.REOPEN)
    bench.turn()
    assert line.heard == [f"RELOADING=1\nMONOTONIC_USEC={bench.clock.now_ms * 1_000}", "READY=1"]
    bench.settle()
    assert len(line.heard) == 2


def test_the_end_is_said_when_it_begins() -> None:
    bench, line = supervised(None)
    bench.user("alice")
    bench.network.wishes.append(Wish.STOP)
    bench.turn()
    assert not bench.has_ended()
    assert [words.split("\n")[0] for words in line.heard] == ["STOPPING=1"]


class Plain:
    """A face that does as it was told."""

    def __init__(self, *, asks: bool, deadline_ms: int | None) -> None:
        self.asks = asks
        self.deadline = deadline_ms
        self.calls: list[str] = []

    def serve(self, ready: Ready, now: Now) -> bool:
        self.calls.append("serve")
        return self.asks

    def work(self, now: Now) -> bool:
        self.calls.append("work")
        return self.asks

    def deadline_ms(self) -> int | None:
        return self.deadline

    def end(self, now: Now) -> None:
        self.calls.append("end")


def test_faces_each_have_their_turn() -> None:
    first, second, third = (
        Plain(asks=True, deadline_ms=None),
        Plain(asks=False, deadline_ms=70),
        Plain(asks=False, deadline_ms=50),
    )
    faces = Faces(first, second, third)
    now = Now(0, 0)
    assert faces.serve(Ready(), now)
    assert faces.work(now)
    assert faces.deadline_ms() == 50
    faces.end(now)
    assert first.calls == second.calls == third.calls == ["serve", "work", "end"]
    assert Faces(first).deadline_ms() is None
    assert not Faces(second).serve(Ready(), now)
    assert join_faces(first) is first


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    """The manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        yield manager


@pytest.mark.e2e
def test_a_process_tells_its_manager(
    start: Callable[..., Process], heard: socket.socket, tmp_path: Path
) -> None:
    server = start(
        *("--headless", "--port", "0"),
        NOTIFY_SOCKET=str(tmp_path / "notify"),
        WATCHDOG_USEC="300000",
    )
    port = server.port()

    def next_but_signs() -> str:
        while (words := heard.recv(4_096).decode()) == "WATCHDOG=1":
            pass
        return words

    assert next_but_signs() == f"READY=1\nSTATUS=serving on 127.0.0.1:{port}"
    assert [heard.recv(4_096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    server.running.send_signal(signal.SIGHUP)
    assert next_but_signs().startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert next_but_signs() == "READY=1"
    server.running.send_signal(signal.SIGTERM)
    assert next_but_signs().startswith("STOPPING=1\n")
    assert server.end()[0] == 0


def test_who_listens_is_read_from_the_environment(heard: socket.socket, tmp_path: Path) -> None:
    assert isinstance(find_supervisor({}, 1), NoSupervisor)
    assert isinstance(find_supervisor({"NOTIFY_SOCKET": "vsock:2:1"}, 1), NoSupervisor)
    NoSupervisor().say("x")
    path = str(tmp_path / "notify")
    for extra, expected in (
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30_000),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "1"}, 1),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
    ):
        line = find_supervisor({"NOTIFY_SOCKET": path, **extra}, 7)
        assert line.watchdog_ms == expected
        assert isinstance(line, NotifySocket)
        line.close()
    gone = NotifySocket(str(tmp_path / "nobody"), None)
    gone.say("READY=1")
    gone.close()


def test_an_abstract_name_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0msgd-test-{os.getpid()}")
        manager.settimeout(10)
        line = NotifySocket(f"@msgd-test-{os.getpid()}", None)
        line.say("READY=1")
        line.close()
        assert manager.recv(100) == b"READY=1"


def test_given_descriptors_are_for_the_process_that_is_named() -> None:
    assert given_fds({}, 7) == ()
    assert given_fds({"LISTEN_FDS": "2", "LISTEN_PID": "8"}, 7) == ()
    assert given_fds({"LISTEN_FDS": "x", "LISTEN_PID": "7"}, 7) == ()
    assert given_fds({"LISTEN_FDS": "0", "LISTEN_PID": "7"}, 7) == ()
    assert given_fds({"LISTEN_FDS": "2", "LISTEN_PID": "7"}, 7) == (3, 4)


LISTENERS = """
import os, socket, sys
folder, *words = sys.argv[1:]
tcp = socket.create_server(("127.0.0.1", 0))
local = socket.socket(socket.AF_UNIX)
local.bind(folder + "/given.sock")
local.listen()
print(tcp.getsockname()[1], flush=True)
os.dup2(tcp.fileno(), 3) if tcp.fileno() != 3 else os.set_inheritable(3, True)
os.dup2(local.fileno(), 4) if local.fileno() != 4 else os.set_inheritable(4, True)
os.environ.update(LISTEN_FDS="2", LISTEN_PID=str(os.getpid()))
os.execv(words[0], words)
"""
"""What systemd does before it starts a service with two sockets, in the process that will be it."""


@pytest.mark.e2e
def test_a_process_serves_the_sockets_that_it_is_given(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    through = (sys.executable, "-c", LISTENERS, str(tmp_path))
    server = start("--headless", "--port", "1", through=through)
    assert server.running.stdout is not None
    port = int(server.running.stdout.readline())
    said = server.running.stdout.readline()
    assert said == f"msgd: listening on 127.0.0.1:{port} and {tmp_path}/given.sock\n"
    for family, place in (
        (socket.AF_INET, ("127.0.0.1", port)),
        (socket.AF_UNIX, str(tmp_path / "given.sock")),
    ):
        with socket.socket(family) as client:
            client.settimeout(20)
            client.connect(place)
            connection = Connection(Role.CLIENT)
            client.sendall(connection.send(Hello((1,), "test")))
            connection.receive_data(client.recv(65_536))
            assert isinstance(connection.next_event(), Welcome)
    server.running.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0
    assert (tmp_path / "given.sock").exists(), "it is not ours to remove"


@pytest.mark.e2e
@pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None, reason="systemd-socket-activate is missing"
)
def test_a_process_is_started_by_systemds_own_tool(start: Callable[..., Process]) -> None:
    port = free_port()
    activate = ("systemd-socket-activate", "-l", f"127.0.0.1:{port}")
    kept = [word for name in ("PATH", "HOME", "MSGD_ALLOW_ROOT") for word in ("-E", name)]
    server = start("--headless", through=(*activate, *kept))

    def is_listening() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(is_listening, "the tool listens")
    assert server.port() == port
    server.running.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0


def test_what_is_no_listening_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket() as silent, (tmp_path / "file").open("w") as file:
        with pytest.raises(ListenError, match="ListenStream"):
            open_given((os.dup(silent.fileno()),))
        with pytest.raises(ListenError, match="no socket"):
            open_given((file.fileno(),))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (given,) = open_given((os.dup(listener.fileno()),))
        with given:
            assert str(place_of(given)) == f"127.0.0.1:{listener.getsockname()[1]}"
