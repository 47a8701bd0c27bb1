"""The server put together, first on a machine in memory, then as a process on a real one."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from msgd.log import LogError, LogOutput
from msgd.metrics import Renderer
from msgd.net import Address, Channel, Security, SecurityError, Wish
from msgd.options import SettingsError, Value
from msgd.server import Machine, OwnPanel, check_folder, serve
from msgd.settings import Layer, Settings, merge
from msgd.supervisor import NoSupervisor
from store.disk import Disk, DiskFailure
from store.errors import StoreDamaged, StoreLocked, StoreNoRoom
from tests.msgd.fake_machine import FakeOutput
from tests.msgd.fake_net import FakeChannel, FakeNetwork
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk
from wire.messages import Hello, LoginRequest

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Desk:
    """A machine in memory, and what was said on it."""

    network: FakeNetwork = field(default_factory=FakeNetwork)
    clock: SimClock = field(default_factory=SimClock)
    disk: SimDisk = field(default_factory=lambda: SimDisk(random.Random(1)))
    output: FakeOutput = field(default_factory=FakeOutput)
    said: list[str] = field(default_factory=list)
    complained: list[str] = field(default_factory=list)
    took_signals: bool = False
    settled: int = 0
    given: tuple[Address | str, ...] = ()
    took_given: bool = False
    has_metrics: bool = False
    security: Security | None = None
    own_panel: OwnPanel | None = None
    private: dict[str, bytes] = field(default_factory=dict)

    def machine(self) -> Machine:
        return Machine(
            network=self.network,
            clock=self.clock,
            entropy=random.Random(2).randbytes,
            descriptors_max=1_024,
            process_id=42,
            user_id=1_000,
            own_panel=self.own_panel,
            given=self.given,
            take_given=self.take_given,
            open_disk=lambda _: self.disk,
            open_security=self.open_security,
            open_log=lambda _: self.output,
            resident_bytes=lambda: 0,
            read_private=lambda path: self.private.get(path, b""),
            write_private=self.private.__setitem__,
            supervisor=NoSupervisor(),
            load_metrics=self.load_metrics,
            settle=self.settle,
            take_signals=self.take_signals,
            say=self.said.append,
            complain=self.complained.append,
        )

    def load_metrics(self) -> Renderer:
        if self.has_metrics:
            return lambda families: f"{len(families)} families".encode()
        raise SettingsError("metrics_port needs a package")

    def open_security(self, certificate: str, key: str) -> Security:
        if self.security is None:
            raise SecurityError(f"{certificate} and {key} are no good")
        return self.security

    def take_given(self) -> None:
        self.took_given = True

    def settle(self) -> None:
        self.settled += 1

    def take_signals(self) -> None:
        self.took_signals = True


class FakeOwnPanel:
    """The panel that was started with the server, as the server sees it."""

    def __init__(self, code: int = 0) -> None:
        self.fake = FakeChannel("its own panel")
        self.code = code
        self.ends = 0

    @property
    def channel(self) -> Channel:
        return self.fake

    def end(self) -> int:
        self.ends += 1
        return self.code


def settings(**options: Value) -> Settings:
    given: dict[str, Value] = {"data": "/d", "headless": True, **options}
    return merge([Layer("test", given)])


def test_it_serves_until_asked_to_end() -> None:
    desk = Desk()
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(port=0), desk.machine()) == 0
    assert desk.said == ["msgd: listening on 127.0.0.1:40000"]
    assert desk.complained == []
    assert desk.took_signals
    assert desk.settled == 1
    assert desk.network.closed
    assert desk.output.closed
    lines = desk.output.data.decode().splitlines()
    assert "START msgd 0.1.0 on 127.0.0.1:40000, data in /d, 0 users" in lines[0]
    assert "STOP" in lines[-1]


def test_it_can_be_started_again_on_what_it_left() -> None:
    desk = Desk()
    for _ in range(2):
        desk.network.wishes.append(Wish.STOP)
        assert serve(settings(), desk.machine()) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ""),
        ({"auth": "password"}, "a login needs a password, accounts are made by invite"),
        ({"registration": "closed"}, "a login needs a name, accounts are made by the operator"),
        (
            {"host": "192.168.1.5", "unsafe_plaintext": True, "registration": "open"},
            "a login needs a password, everybody makes accounts",
        ),
    ],
)
def test_who_may_log_in_depends_on_where_it_listens(options: dict[str, Value], words: str) -> None:
    desk = Desk()
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(**options), desk.machine()) == 0
    assert words in desk.output.data.decode()
    assert bool(words) is ("a login needs" in desk.output.data.decode())


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({"host": "192.168.1.5", "unsafe_plaintext": True, "auth": "open"}, True),
        ({"host": "192.168.1.5", "unsafe_plaintext": True}, False),
        ({"auth": "open"}, False),
    ],
)
def test_open_doors_to_other_machines_are_warned_of(
    options: dict[str, Value], warned: bool
) -> None:
    desk = Desk()
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(**options), desk.machine()) == 0
    words = "WARN other machines can connect, and a login needs no password"
    assert (words in desk.output.data.decode()) is warned


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "2001:db8::1"])
def test_beyond_this_machine_only_if_one_insists(host: str) -> None:
    desk = Desk()
    assert serve(settings(host=host), desk.machine()) == 2
    (words,) = desk.complained
    assert words == (
        f"msgd: {host} can be reached from other machines, and everything would pass in plain "
        "text for anybody to read or forge; give it a certificate (msgd cert makes one: "
        "--tls-cert, --tls-key), use a tunnel to 127.0.0.1, or add --unsafe-plaintext"
    )
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(host=host, unsafe_plaintext=True), desk.machine()) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_has_many_addresses(host: str) -> None:
    desk = Desk()
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(host=host), desk.machine()) == 0


def test_who_was_banned_stays_so_and_a_file_that_is_none_is_no_start() -> None:
    desk = Desk(private={"/d/bans.json": b"{"})
    assert serve(settings(), desk.machine()) == 2
    assert desk.complained == [
        "msgd: /d/bans.json: it holds no list of bans; mend it, or move it away"
    ]
    ban = b'{"whom":"127.0.0.0/8","since_ms":1,"until_ms":null,"reason":""}'
    desk.private["/d/bans.json"] = b'{"format":"msgd.bans/1","bans":[' + ban + b"]}"
    client = desk.network.connect()
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0, "the lock was let go"
    assert client.hear() == []


def test_a_panel_needs_a_terminal() -> None:
    desk = Desk()
    assert serve(settings(headless=False), desk.machine()) == 2
    assert desk.complained == [
        "msgd: standard output is not a terminal, so there can be no panel; use --headless"
    ]


def test_a_panel_that_is_gone_ends_the_server_in_order() -> None:
    panel = FakeOwnPanel()
    panel.fake.ended = True
    desk = Desk(own_panel=panel)
    assert serve(settings(headless=False), desk.machine()) == 0
    assert panel.ends == 1
    assert panel.fake.closed
    assert desk.said == []


def test_a_terminal_that_cannot_show_it_leaves_everything_in_order() -> None:
    panel = FakeOwnPanel(code=1)  # it has said why by itself
    panel.fake.ended = True
    desk = Desk(own_panel=panel)
    assert serve(settings(headless=False), desk.machine()) == 1
    assert desk.complained == []
    desk.own_panel = None
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0, "the lock was let go"


def test_a_panel_that_was_killed_is_no_error() -> None:
    panel = FakeOwnPanel(code=-9)
    panel.fake.ended = True
    desk = Desk(own_panel=panel)
    assert serve(settings(headless=False), desk.machine()) == 0


def test_the_terminal_is_given_back_before_anything_is_said() -> None:
    panel = FakeOwnPanel()
    desk = Desk(own_panel=panel)
    desk.network.listen_error = "127.0.0.1:7070 is in use by another program"
    said: list[int] = []
    machine = replace(desk.machine(), complain=lambda _: said.append(panel.ends))
    assert serve(settings(headless=False), machine) == 1
    assert said == [1]


def test_panels_are_called_to_a_socket_in_the_data_folder() -> None:
    desk = Desk()
    seen: list[str | None] = []
    desk.network.before_poll = lambda _: seen.append(desk.network.local_path)
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0
    assert seen[0] == "/d/panel.sock"
    assert desk.network.local_path is None


def test_without_a_local_socket_it_serves_as_well() -> None:
    desk = Desk()
    desk.network.local_error = "/d/panel.sock: read-only file system"
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0
    log = desk.output.data.decode()
    assert "WARN no panel can be attached: /d/panel.sock: read-only file system" in log


def test_a_port_in_use_leaves_everything_in_order() -> None:
    desk = Desk()
    desk.network.listen_error = "127.0.0.1:7070 is in use by another program"
    assert serve(settings(), desk.machine()) == 1
    assert desk.complained == ["msgd: 127.0.0.1:7070 is in use by another program"]
    desk.network.listen_error = None
    desk.network.wishes.append(Wish.STOP)
    assert serve(settings(), desk.machine()) == 0, "the lock was let go"


def refuse(error: Exception) -> Callable[[str], Disk]:
    def open_disk(_: str) -> Disk:
        raise error

    return open_disk


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreLocked("/d: another msgd is running"), "msgd: /d: another msgd is running"),
        (StoreDamaged("MANIFEST", 12, "wrong\x1b[2J"), "msgd: MANIFEST is damaged at byte 12"),
    ],
)
def test_a_refusal_is_one_clear_line_and_78(error: Exception, words: str) -> None:
    desk = Desk()
    machine = replace(desk.machine(), open_disk=refuse(error))
    assert serve(settings(), machine) == 78
    assert len(desk.complained) == 1
    assert desk.complained[0].startswith(words)
    assert "\x1b" not in desk.complained[0]


class BrokenDisk(SimDisk):
    """A disk whose syncs fail from some moment on."""

    is_broken = False

    def sync_data(self, handle: int) -> None:
        if self.is_broken:
            raise DiskFailure(5, "journal: sync failed")
        super().sync_data(handle)


def test_a_failed_sync_ends_it_with_70_and_tells_nobody_anything() -> None:
    disk = BrokenDisk(random.Random(1))
    desk = Desk(disk=disk)
    client = desk.network.connect()
    client.say(Hello((1,), "test"))

    def go_on(_: int | None) -> None:
        if client.hear():
            client.say(LoginRequest(1, "alice", bytes(8), create_if_new=True))
            disk.is_broken = True

    desk.network.before_poll = go_on
    assert serve(settings(), desk.machine()) == 70
    assert len(desk.complained) == 1
    assert "sync failed" in desk.complained[0]
    assert client.hear() == []
    assert len(client.inbox) == 1


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            DiskFailure(13, "LOCK: Permission denied"),
            78,
            "must be able to write to its data folder",
        ),
        (DiskFailure(30, "LOCK: Read-only file system"), 78, "LOCK: Read-only file system; msgd"),
        (DiskFailure(5, "Input/output error"), 70, "/d: the disk failed: Input/output error"),
    ],
)
def test_a_folder_that_cannot_be_written_to(error: Exception, code: int, words: str) -> None:
    desk = Desk()
    assert serve(settings(), replace(desk.machine(), open_disk=refuse(error))) == code
    assert len(desk.complained) == 1
    assert words in desk.complained[0]


def test_a_start_without_room_may_be_tried_again() -> None:
    desk = Desk()
    machine = replace(desk.machine(), open_disk=refuse(StoreNoRoom("the disk is full")))
    assert serve(settings(), machine) == 70
    assert desk.complained == ["msgd: the disk is full; nothing is lost, make room"]


def test_a_folder_of_somebody_else_is_not_filled() -> None:
    desk = Desk()
    desk.disk.close(desk.disk.create("thesis.txt"))
    assert serve(settings(), desk.machine()) == 78
    assert (
        "is not empty and no data folder of msgd (there is 'thesis.txt' in it)"
        in (desk.complained[0])
    )
    assert desk.disk.list("") == ("thesis.txt",)


@pytest.mark.parametrize("name", ["lost+found", "LOCK", "msgd.log"])
def test_what_may_be_in_a_new_folder(name: str) -> None:
    disk = SimDisk(random.Random(1))
    disk.close(disk.create(name))
    check_folder(disk, settings(log="/d/msgd.log"))


def test_a_log_that_cannot_be_opened_is_an_error() -> None:
    desk = Desk()

    def open_log(_: str) -> LogOutput:
        raise LogError("the log /l cannot be opened: Permission denied; see --log")

    machine = replace(desk.machine(), open_log=open_log)
    assert serve(settings(), machine) == 1
    assert desk.complained[0].startswith("msgd: the log /l cannot be opened")


def test_options_that_contradict_each_other_are_a_usage_error() -> None:
    desk = Desk()
    assert serve(settings(ping_idle_ms=60_000), desk.machine()) == 2
    assert "contradict" in desk.complained[0]


def test_metrics_are_on_this_machine_only_and_need_their_library() -> None:
    bare = Desk()
    assert serve(settings(metrics_port=9_000), bare.machine()) == 2
    assert "needs a package" in bare.complained[0]
    desk = Desk(has_metrics=True)
    desk.network.wishes.append(Wish.STOP)
    seen: list[Address | None] = []
    desk.network.before_poll = lambda _: seen.append(desk.network.beside_address)
    assert serve(settings(metrics_port=9_000), desk.machine()) == 0
    assert seen[0] == Address("127.0.0.1", 9_000)
    assert desk.network.beside_address is None


def test_sockets_that_were_given_take_the_place_of_its_own() -> None:
    desk = Desk(given=(Address("127.0.0.1", 443), "/run/msgd.sock"))
    desk.network.wishes.append(Wish.STOP)
    desk.network.listen_error = "must not be asked"
    assert serve(settings(), desk.machine()) == 0
    assert desk.took_given
    assert "msgd: listening on 127.0.0.1:443 and /run/msgd.sock" in desk.said
    open_to_all = Desk(given=("/run/msgd.sock", Address("0.0.0.0", 443)))
    assert serve(settings(), open_to_all.machine()) == 2
    assert "plain text" in open_to_all.complained[0]
    assert not open_to_all.took_given
