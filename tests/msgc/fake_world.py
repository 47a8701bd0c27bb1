"""A network, a clock and streams in memory, so that whole commands run in a test."""

import io
from collections.abc import Callable, Collection
from pathlib import Path

from msgc.door import ServerDoor, TrustChoice
from msgc.known_servers import KnownServers
from msgc.net import Channel, NetError, Ready, Signal
from msgc.os_files import OsFiles
from msgc.os_process import OsEditor
from msgc.passwords import PasswordChoice, PasswordSource
from msgc.profile import Profiles
from msgc.server import Server
from msgc.settings import Settings
from msgc.settings_file import SettingsFile
from msgc.surroundings import Surroundings
from term.console import ConsoleClosed
from term.safe import Safe
from tests.msgc.fake_server import FakeServer, FakeSession
from tests.msgc.line import Ticker


class FakeClock:
    def __init__(self) -> None:
        self.steady_ms = 5_000
        self.slept_ms = 0

    def now_ms(self) -> int:
        return self.steady_ms

    def asleep_ms(self) -> int:
        return self.slept_ms

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + self.steady_ms

    def local_text(self, at_ms: int, pattern: str) -> str:
        return f"<{at_ms}>" if "%Y" in pattern else "14:32:07"


class FakeChannel:
    binding: bytes | None = None
    has_pending = False

    def __init__(self, fd: int, session: FakeSession) -> None:
        self.fd = fd
        self.session = session
        self.closed = False
        self.waiting = b""
        self.sends_max = 1_000_000
        self.refusal: str | None = None
        self.broken: str | None = None
        self.connected = False

    def interest(self, *, has_unsent: bool) -> tuple[bool, bool]:
        return self.connected, has_unsent or not self.connected

    def fileno(self) -> int:
        return self.fd

    def finish_connecting(self) -> bool:
        if self.refusal is not None:
            raise NetError(self.refusal)
        self.connected = True
        return True

    def receive(self, bytes_max: int) -> bytes | None:
        if self.broken is not None:
            raise NetError(self.broken)
        self.waiting += self.session.take()
        if not self.waiting:
            return b"" if self.session.is_closed else None
        data, self.waiting = self.waiting[:bytes_max], self.waiting[bytes_max:]
        return data

    def send(self, data: bytes) -> int:
        if self.broken is not None:
            raise NetError(self.broken)
        taken = data[: self.sends_max]
        self.session.receive(taken)
        return len(taken)

    def close(self) -> None:
        self.closed = True
        self.session.close()

    @property
    def is_readable(self) -> bool:
        self.waiting += self.session.take()
        return bool(self.waiting) or self.session.is_closed or self.broken is not None


class FakeNetwork:
    """`server` None: nobody listens. `idle` callbacks run, one each time nothing else happens."""

    def __init__(self, clock: FakeClock, server: FakeServer | None) -> None:
        self.clock = clock
        self.server = server
        self.channels: list[FakeChannel] = []
        self.idle: list[Callable[[], None]] = []
        self.signals: list[Signal] = []
        self.readable: set[int] = set()
        self.watched: set[Signal] = set()
        self.waits: list[int | None] = []
        self.refusal: str | None = None

    def connect(self, server: Server) -> FakeChannel:
        if self.server is None:
            raise NetError("connection refused")
        channel = FakeChannel(100 + len(self.channels), self.server.open())
        channel.refusal = self.refusal
        self.channels.append(channel)
        return channel

    def watch_signals(self, signals: Collection[Signal]) -> None:
        self.watched |= set(signals)

    def release_signals(self) -> None:
        self.watched.clear()

    def poll(
        self, reading: Collection[int], writing: Collection[int], timeout_ms: int | None
    ) -> Ready:
        self.waits.append(timeout_ms)
        signals, self.signals = tuple(self.signals), []
        readable = {
            channel.fd for channel in self.channels if channel.fd in reading and channel.is_readable
        } | (self.readable & set(reading))
        if not (readable or writing or signals):
            assert timeout_ms is not None or self.idle, "the loop would wait for ever"
            self.clock.steady_ms += timeout_ms or 0
            if self.idle and timeout_ms != 0:
                self.idle.pop(0)()
        return Ready(frozenset(readable), frozenset(writing), signals)


class FakeDoor:
    """Leads to the network without a question."""

    def __init__(self, network: FakeNetwork) -> None:
        self.network = network

    def open(self) -> Channel:
        return self.network.connect(Server("here", 1))


def no_tls(_open: Callable[[], Channel], _host: str, _door: ServerDoor) -> Channel:
    raise NetError("there is no TLS in this world")


class FakePrompter:
    """A person who gives these answers, one after another; a Signal among them is pressed."""

    FD = 77

    def __init__(self, network: FakeNetwork, *answers: str | Signal) -> None:
        self.network = network
        self.answers = list(answers)
        self.asked: list[tuple[str, bool]] = []
        self.closed = 0

    def fileno(self) -> int:
        return self.FD

    def ask(self, words: Safe, *, secret: bool) -> None:
        self.asked.append((str(words), secret))
        if self.answers and isinstance(self.answers[0], Signal):
            self.network.signals.append(self.answers[0])
        else:
            self.network.readable.add(self.FD)

    def read_line(self) -> str | None:
        if not self.answers:
            raise ConsoleClosed("no more answers")
        answer = self.answers.pop(0)
        assert isinstance(answer, str)
        return answer

    def close(self) -> None:
        self.network.readable.discard(self.FD)
        self.closed += 1


class FakeSecrets:
    """A machine that knows one password."""

    def __init__(self) -> None:
        self.password: str | None = None
        self.asked: list[tuple[str, ...]] = []

    def of_file(self, path: str, bytes_max: int) -> str:
        self.asked.append(("file", path))
        return f"{self.password}\nand more\n"

    def of_command(
        self, command: str, bytes_max: int, timeout_ms: int, *, may_ask: bool = True
    ) -> str:
        self.asked.append(("command", command))
        return f"{self.password}\r\n"

    def of_keyring(self, service: str, name: str) -> str | None:
        self.asked.append(("keyring", service, name))
        return self.password


class FakeWorld:
    """Surroundings for one user, and what the commands printed."""

    def __init__(self, folder: Path, server: FakeServer | None, user: str | None = "alice") -> None:
        self.clock = FakeClock()
        self.network = FakeNetwork(self.clock, server)
        self.stdout = io.StringIO()
        self.stderr = io.StringIO()
        self.stdin = io.StringIO()
        self.person: FakePrompter | None = None
        self.secrets = FakeSecrets()
        ticker = Ticker()
        files = OsFiles()
        self.profiles = Profiles(
            files, str(folder / "msgc" / "here_1"), self.clock.wall_ms, ticker.random_bytes
        )
        self.known = KnownServers(files, str(folder / "known_servers"), lambda: "2026-03-01")
        plain = TrustChoice(unsafe_plaintext=True)
        server_here = Server("here", 1)
        self.surroundings = Surroundings(
            settings=Settings("here", 1, user, "auto", bell=True),
            door=ServerDoor(server_here, plain, self.known, self.network, no_tls),
            known_servers=self.known,
            passwords=PasswordSource(PasswordChoice(), self.secrets, "here:1"),
            random_bytes=ticker.random_bytes,
            keeper=SettingsFile(str(folder / "config.toml"), files.read_text, files.write_text),
            editor=OsEditor(""),
            profiles=self.profiles,
            files=OsFiles(),
            network=self.network,
            clock=self.clock,
            jitter=lambda: 0.5,
            terminal=lambda: self.person,
            agent="msgc/test",
            stdin=self.stdin,
            stdout=self.stdout,
            stderr=self.stderr,
        )

    @property
    def printed(self) -> str:
        return self.stdout.getvalue()

    @property
    def said(self) -> str:
        return self.stderr.getvalue()
