"""A link and a fake server with a line between them that a test can cut anywhere."""

from typing import TypeVar

from msgc.archive import MEMORY, Archive
from msgc.link import Link
from msgc.link_events import LinkEvent
from msgc.link_settings import LinkSettings
from msgc.states import LinkState
from msgc.values import Sent
from tests.msgc.fake_server import FakeServer, FakeSession

Event = TypeVar("Event")


class Ticker:
    """Wall time that goes on by itself, and bytes that nobody else has."""

    def __init__(self) -> None:
        self.wall_now_ms = 1_700_000_000_000
        self._made = 0

    def wall_ms(self) -> int:
        self.wall_now_ms += 1
        return self.wall_now_ms

    def random_bytes(self, count: int) -> bytes:
        self._made += 1
        return self._made.to_bytes(count, "big")


def make_archive(path: str = MEMORY, ticker: Ticker | None = None) -> Archive:
    ticker = ticker or Ticker()
    return Archive(path, ticker.wall_ms, ticker.random_bytes)


class Line:
    """One client at one server. Nothing moves but by these methods."""

    def __init__(
        self, server: FakeServer, archive: Archive, settings: LinkSettings | None = None
    ) -> None:
        self.server = server
        self.archive = archive
        self.settings = settings or LinkSettings(agent="test")
        self.link = Link(archive, lambda: 0.5, self.settings)
        self.session: FakeSession | None = None
        self.now_ms = 10_000
        self.to_server = b""
        self.to_client = b""
        self.events: list[LinkEvent] = []

    @property
    def is_connected(self) -> bool:
        return self.session is not None

    @property
    def is_quiet(self) -> bool:
        return not self.to_server and not self.to_client

    def connect(self) -> bool:
        """Make the connection that the link wants, if it wants one."""
        if not self.link.wants_connection(self.now_ms):
            return False
        self.link.connecting(self.now_ms)
        self.session = self.server.open()
        self.link.connected(self.now_ms)
        return True

    def pull(self) -> None:
        """Let the link's bytes go on their way, and close when it says so."""
        self.to_server += self.link.data_to_send()
        self._note()
        if self.link.should_close():
            self.cut("closed")

    def push_up(self, count: int | None = None) -> None:
        """Bytes reach the server."""
        self.pull()
        size = len(self.to_server) if count is None else count
        data, self.to_server = self.to_server[:size], self.to_server[size:]
        if data:
            session = self.session
            assert session is not None, "bytes are thrown away when a line is cut"
            session.receive(data)

    def push_down(self, count: int | None = None) -> None:
        """Bytes reach the client."""
        if self.session is None:
            return
        self.to_client += self.session.take()
        size = len(self.to_client) if count is None else count
        data, self.to_client = self.to_client[:size], self.to_client[size:]
        if data:
            self.link.receive_data(data, self.now_ms)
        self.pull()

    def settle(self, rounds: int = 50) -> None:
        """Everything reaches everybody, until nothing moves any more."""
        for _ in range(rounds):
            self.connect()
            self.push_up()
            self.push_down()
            waiting = self.link.wants_connection(self.now_ms)
            if not self.is_connected and not waiting:
                return
            if self.is_quiet and not waiting:
                self.push_up()
                self.push_down()
                if self.is_quiet:
                    return

    def pass_time(self, milliseconds: int, step_ms: int = 500) -> None:
        """Time goes on in small steps, as the loop sees it."""
        end_ms = self.now_ms + milliseconds
        while self.now_ms < end_ms:
            self.now_ms = min(end_ms, self.now_ms + step_ms)
            self.link.tick(self.now_ms)
            self.pull()

    def cut(self, reason: str = "reset") -> None:
        """The line breaks; what was on it is lost."""
        if self.session is not None:
            self.session.close()
        self.session = None
        self.to_server = self.to_client = b""
        self.link.disconnected(reason, self.now_ms)
        self._note()

    def die(self, archive: Archive) -> None:
        """The process ends; another begins with the archive as it is on the disk."""
        if self.session is not None:
            self.session.close()
        self.session = None
        self.to_server = self.to_client = b""
        self.archive = archive
        self.link = Link(archive, lambda: 0.5, self.settings)

    def log_in(self, name: str, *, live: bool = True, create: bool = False) -> None:
        self.link.log_in(name, create_if_new=create, live=live)
        self.settle()

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of a class, so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def _note(self) -> None:
        while (event := self.link.next_event()) is not None:
            self.events.append(event)


def online(*others: str, name: str = "alice", live: bool = True) -> Line:
    line = Line(FakeServer(name, *others), make_archive())
    line.log_in(name, live=live)
    assert state_of(line) is LinkState.ONLINE
    return line


def state_of(line: Line) -> LinkState:
    return line.link.state


def compose(line: Line, body: str, *names: str) -> Sent:
    return line.archive.outbox.compose(names or ("bob",), everyone=False, body=body)


def session_of(line: Line) -> FakeSession:
    assert line.session is not None
    return line.session
