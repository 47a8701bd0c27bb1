"""A client on a made-up machine: clock, network, server and keyboard in memory, files in a folder.

Must never wait: when nothing is ready, the clock jumps to the next deadline.
"""

import io
from collections import deque
from collections.abc import Collection
from pathlib import Path

from msgc.app import App
from msgc.door import ServerDoor
from msgc.known_servers import KnownServers
from msgc.net import Channel, NetError, Network, Ready, Signal
from msgc.os_files import OsFiles
from msgc.outside_editor import EditorError, OutsideEditor, RunningEditor
from msgc.passwords import PasswordChoice, PasswordSource
from msgc.plain_app import PlainApp
from msgc.profile import Profiles
from msgc.server import Server
from msgc.settings import Settings
from msgc.settings_file import SettingsFile
from msgc.surroundings import Surroundings
from term.console import ConsoleClosed, LendableConsole
from term.picture import Picture, plain
from term.safe import Safe
from tests.msgc.fake_server import FakeServer, FakeSession
from tests.msgc.fake_world import FakeSecrets, no_tls
from tests.msgc.screens.fake_desk import NOW_MS

ASKED = PasswordChoice()
"""Passwords are asked for."""
KEYBOARD_FD = 3
CHANNEL_FD = 4
TURNS_MAX = 200


class WorldClock:
    def __init__(self) -> None:
        self.ms = 1_000_000
        self.slept_ms = 0

    def now_ms(self) -> int:
        return self.ms

    def asleep_ms(self) -> int:
        return self.slept_ms

    def wall_ms(self) -> int:
        return NOW_MS + self.ms - 1_000_000

    def local_text(self, at_ms: int, pattern: str) -> str:
        return f"{at_ms} as {pattern}"


class WorldChannel(Channel):
    def __init__(self, session: FakeSession) -> None:
        self.session = session
        self.waiting = b""
        self.is_dead = False
        self.connected = False

    binding = None
    has_pending = False

    def interest(self, *, has_unsent: bool) -> tuple[bool, bool]:
        return self.connected, has_unsent or not self.connected

    def fileno(self) -> int:
        return CHANNEL_FD

    def finish_connecting(self) -> bool:
        self.connected = True
        return True

    def fetch(self) -> bool:
        self.waiting += self.session.take()
        return bool(self.waiting) or self.session.is_closed or self.is_dead

    def receive(self, bytes_max: int) -> bytes | None:
        if self.is_dead:
            raise NetError("connection reset by peer")
        data, self.waiting = self.waiting[:bytes_max], self.waiting[bytes_max:]
        return data or (b"" if self.session.is_closed else None)

    def send(self, data: bytes) -> int:
        self.session.receive(data)
        return len(data)

    def close(self) -> None:
        self.session.close()


class WorldNetwork(Network):
    """One server, which may be `down`; signals are put into `signals`."""

    def __init__(self, clock: WorldClock, server: FakeServer) -> None:
        self.server = server
        self.down = False
        self.signals: list[Signal] = []
        self.typed: deque[bytes] = deque()
        self.channel: WorldChannel | None = None
        self._clock = clock

    def connect(self, server: Server) -> Channel:
        if self.down:
            raise NetError("connection refused")
        self.channel = WorldChannel(self.server.open())
        return self.channel

    def watch_signals(self, signals: Collection[Signal]) -> None:
        pass

    def release_signals(self) -> None:
        pass

    def poll(
        self, reading: Collection[int], writing: Collection[int], timeout_ms: int | None
    ) -> Ready:
        readable = {KEYBOARD_FD} & set(reading) if self.typed else set()
        if self.channel is not None and CHANNEL_FD in reading and self.channel.fetch():
            readable.add(CHANNEL_FD)
        signals, self.signals = tuple(self.signals), []
        if not readable and not writing and not signals and timeout_ms is not None:
            self._clock.ms += timeout_ms
        return Ready(frozenset(readable), frozenset(writing), signals)

    def hang_up(self) -> None:
        """The server is gone, and so is the connection."""
        self.down = True
        if self.channel is not None:
            self.channel.is_dead = True
            self.channel.session.close()


class Screenful(LendableConsole):
    """A console that remembers what it was last asked to show."""

    def __init__(self, network: WorldNetwork) -> None:
        self.network = network
        self.rows = ""
        self.calls: list[str] = []
        self.window = (24, 80)
        self.closed_by_peer = False
        self.notices_are_sure = True

    def size(self) -> tuple[int, int]:
        return self.window

    def draw(self, picture: Picture) -> None:
        self.rows = plain(picture)

    def redraw(self) -> None:
        self.calls.append("redraw")

    def resized(self) -> None:
        self.calls.append("resized")

    def bell(self) -> None:
        self.calls.append("bell")

    def notify(self, words: Safe) -> bool:
        self.calls.append(f"notify {words}")
        return self.notices_are_sure

    def give_back(self) -> None:
        self.calls.append("give_back")

    def take_again(self) -> None:
        self.calls.append("take_again")

    def suspend(self) -> None:
        self.calls.append("suspend")

    def close(self) -> None:
        self.calls.append("close")

    def fileno(self) -> int:
        return KEYBOARD_FD

    def read(self) -> bytes:
        data = self.network.typed.popleft()
        if not data:
            raise ConsoleClosed("the terminal is gone")
        return data


class PretendedEditor(OutsideEditor, RunningEditor):
    """`ends_with` None: it is open. `holds` is what stands in its file."""

    def __init__(self) -> None:
        self.holds = ""
        self.ends_with: int | None = None
        self.refusal: str | None = None
        self.unreadable: str | None = None
        self.calls: list[str] = []

    def start(self, text: str) -> RunningEditor:
        self.calls.append("start")
        if self.refusal is not None:
            raise EditorError(self.refusal)
        self.holds, self.ends_with = text, None
        return self

    def exit_code(self) -> int | None:
        return self.ends_with

    def text(self) -> str:
        if self.unreadable is not None:
            raise EditorError(self.unreadable)
        return self.holds

    def end(self) -> None:
        self.calls.append("end")

    def close(self) -> None:
        self.calls.append("close")


class World:
    """One client and its server. `wait_for` turns until a text is seen."""

    def __init__(self, folder: Path, *names: str, source: PasswordChoice = ASKED) -> None:
        self.folder = folder
        self.source = source
        self.secrets = FakeSecrets()
        self.clock = WorldClock()
        self.server = FakeServer(*names)
        self.network = WorldNetwork(self.clock, self.server)
        self.console = Screenful(self.network)
        self.editor = PretendedEditor()
        self.settings = Settings("127.0.0.1", 7070, None, "auto", bell=True)
        self.app = App(self.surroundings(), self.console)

    def surroundings(self) -> Surroundings:
        files = OsFiles()
        profiles = Profiles(
            files, str(self.folder), self.clock.wall_ms, lambda count: b"\x07" * count
        )
        settings = Settings("127.0.0.1", 7070, None, "auto", bell=True)
        stream = io.StringIO()
        known = KnownServers(files, str(self.folder / "known_servers"), lambda: "2026-03-01")
        return Surroundings(
            settings,
            SettingsFile(str(self.folder / "config.toml"), files.read_text, files.write_text),
            self.editor,
            profiles,
            OsFiles(),
            self.network,
            ServerDoor(settings.server, settings.trust, known, self.network, no_tls),
            known,
            PasswordSource(self.source, self.secrets, "127.0.0.1:7070"),
            lambda count: bytes(range(count)),
            self.clock,
            lambda: 0.5,
            lambda: None,
            "test",
            stream,
            stream,
            stream,
        )

    def start(self, name: str | None = None) -> None:
        self.app.start(name)
        if name is not None:
            self.wait_for(f"You are connected as {name}.")

    def type(self, text: str) -> None:
        """Each character as a read of its own, so that Enters are keys and not a paste."""
        for character in text:
            self.network.typed.append(character.encode())
            self.app.turn()

    def press(self, data: bytes) -> None:
        self.network.typed.append(data)
        self.app.turn()

    def escape(self) -> None:
        self.press(b"\x1b")
        self.pass_time(50)

    def wait_for(self, text: str) -> None:
        for _ in range(TURNS_MAX):
            if text in self.console.rows:
                return
            self.app.turn()
        raise AssertionError(f"{text!r} does not come:\n{self.console.rows}")

    def pass_time(self, length_ms: int) -> None:
        end_ms = self.clock.ms + length_ms
        for _ in range(TURNS_MAX):
            if self.clock.ms >= end_ms or self.app.code is not None:
                return
            self.app.turn(end_ms - self.clock.ms)

    def settle(self) -> None:
        for _ in range(12):
            self.app.turn(0)


class LineWorld(World):
    """The same for the line mode: lines in, lines out."""

    def __init__(self, folder: Path, *names: str, source: PasswordChoice = ASKED) -> None:
        super().__init__(folder, *names, source=source)
        self.lines: list[str] = []
        self.secrets_asked: list[str] = []
        self.awaited: tuple[str, Signal | None] = ("", None)
        self.plain = PlainApp(self.surroundings(), self)

    def say(self, line: Safe) -> None:
        self.lines.append(line)

    def close(self) -> None:
        """Nothing is to be given back here."""

    def ask(self, prompt: Safe, *, secret: bool = False) -> None:
        if secret:
            self.secrets_asked.append(prompt)
        self.lines.append(f"{prompt}_")
        awaited, signal = self.awaited
        if signal is not None and prompt == awaited:
            self.network.signals.append(signal)

    def signal_after(self, prompt: str, signal: Signal) -> None:
        """When this is asked, the signal comes."""
        self.awaited = (prompt, signal)

    def fileno(self) -> int:
        return KEYBOARD_FD

    def read_lines(self) -> tuple[str, ...]:
        data = self.network.typed.popleft()
        if not data:
            raise ConsoleClosed("the input has ended")
        return tuple(data.decode().split("\n")[:-1])

    def converse(self, *lines: str, name: str | None = None) -> str:
        """All lines, then the end of the input; what was said, as one text."""
        self.network.typed.extend(f"{line}\n".encode() for line in lines)
        self.network.typed.append(b"")
        assert self.plain.run(name) == 0
        self.plain.close()
        return "\n".join(self.lines)
