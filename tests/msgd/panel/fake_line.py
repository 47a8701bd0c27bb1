"""What lies between a server and its panels, in memory: a local socket, and a panel's own poll.

`PanelNetwork` is the machine of one panel: its calls arrive at a server's `FakeNetwork` in the next
turn. A panel may be read slowly (`FakeChannel.room_bytes`) or be cut off.
"""

from msgd.net import Caller, CallError, Channel, ChannelError, Ready, Wait, Wish
from tests.msgd.fake_net import FakeChannel, FakeNetwork
from tests.msgd.panel.fake_console import FakeConsole

USER_ID = 1_000


class PanelEnd:
    """The panel's end of a connection whose other end is a FakeChannel."""

    def __init__(self, channel: FakeChannel) -> None:
        self.channel = channel
        self.takes = True
        """Whether the server's kernel takes bytes."""

    @property
    def peer(self) -> str:
        return "the server"

    has_pending = False
    binding: bytes | None = None
    needs_handshake = False

    @property
    def is_readable(self) -> bool:
        return bool(self.channel.to_client) or self.channel.closed

    def shake(self) -> Wait | None:
        return None

    def receive(self, bytes_max: int) -> bytes | Wait:
        data = bytes(self.channel.to_client[:bytes_max])
        del self.channel.to_client[:bytes_max]
        return data if data or self.channel.closed else Wait.READ

    def send(self, data: bytes | memoryview) -> int | Wait:
        if self.channel.closed:
            raise ChannelError("broken pipe")
        if not self.takes:
            return Wait.WRITE
        self.channel.to_server += data
        return len(data)

    def finish(self) -> None:
        raise AssertionError("a panel only closes")

    def close(self) -> None:
        self.channel.ended = True


class PanelNetwork:
    """A msgd.net.CallingNetwork."""

    def __init__(self, server: FakeNetwork | None, console: FakeConsole) -> None:
        self.server = server
        self.console = console
        self.ends: list[PanelEnd] = []
        self.watched: dict[Channel, tuple[bool, bool]] = {}
        self.wishes: list[Wish] = []
        self.console_fd: int | None = None
        self.user_id = USER_ID
        self.calls = 0

    def pair(self) -> tuple[FakeChannel, PanelEnd]:
        """Both ends of a connection."""
        channel = FakeChannel("process 77")
        end = PanelEnd(channel)
        self.ends.append(end)
        return channel, end

    def call(self, path: str) -> Channel:
        self.calls += 1
        if self.server is None or self.server.local_path is None:
            raise CallError("connection refused")
        channel, end = self.pair()
        self.server.callers.append(Caller(channel, self.user_id, 77))
        return end

    def has_news(self) -> bool:
        """Whether a poll would give anything."""
        ready = self.poll(0)
        self.wishes = list(ready.wishes)
        return bool(ready.readable or ready.writable or ready.wishes or ready.console)

    def poll(self, timeout_ms: int | None) -> Ready:
        ready = Ready(wishes=tuple(self.wishes))
        self.wishes.clear()
        if self.console_fd is not None:
            ready.console = bool(self.console.typed) or self.console.is_gone
        for end, (reading, writing) in self.watched.items():
            assert isinstance(end, PanelEnd)
            if reading and end.is_readable:
                ready.readable.append(end)
            if writing and end.takes:
                ready.writable.append(end)
        return ready

    def watch(self, channel: Channel, reading: bool, writing: bool) -> None:
        if reading or writing:
            self.watched[channel] = (reading, writing)
        else:
            self.watched.pop(channel, None)

    def watch_console(self, fd: int | None) -> None:
        self.console_fd = fd

    def accept(self) -> Channel | None:
        raise AssertionError("a panel listens to nobody")

    def watch_listener(self, wanted: bool) -> None:
        raise AssertionError("a panel listens to nobody")

    def stop_listening(self) -> None:
        raise AssertionError("a panel listens to nobody")

    def close(self) -> None:
        self.watched.clear()
