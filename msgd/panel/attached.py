"""A panel as a process: a terminal on one side, the server's socket on the other.

It is used for both kinds: the one that a server starts on its own terminal, which ends with the
server, and those that `msgd panel` attaches, which look for the server again when it is gone.
Waiting for a slow terminal costs this process its time, and nobody else.

Must never touch the terminal before there is something to show, and never take the server's word
for what is safe to draw (`codec` does not).
Fails with CallError or CodecError before the terminal is taken, and with ConsoleUnsuitable when it
is; later, whatever is wrong stands on the screen.
"""

from collections.abc import Callable
from typing import Final

from msgd.net import CallError, CallingNetwork, Channel, ChannelError, Clock, Ready, Wait, Wish
from msgd.panel.codec import (
    SCENE_BYTES_MAX,
    CodecError,
    Lines,
    decode_scene,
    encode_request,
)
from msgd.panel.screen import Role, Screen
from term.console import Console, ConsoleClosed
from term.decoder import KeyDecoder
from term.safe import safe_line

RETRY_MS: Final = 1_000
QUIET_MS_MAX: Final = 3_000
"""A server speaks once a second; after so long without a word the person is told."""
DRAW_MS_MIN: Final = 33
"""Keys that are held down are drawn so often; scenes come at most ten times a second."""
RECEIVE_BYTES_MAX: Final = 1 << 16
UNSENT_BYTES_MAX: Final = 1 << 16
LAST_WORD: Final = "q leaves"


class Attached:
    """One panel. `turn` until `done`."""

    def __init__(
        self,
        *,
        network: CallingNetwork,
        clock: Clock,
        open_console: Callable[[], Console],
        screen: Screen,
        path: str,
        channel: Channel | None = None,
    ) -> None:
        """`channel` for the server's own panel; others call the server at `path`."""
        self.done = False
        self._network = network
        self._clock = clock
        self._open_console = open_console
        self._screen = screen
        self._path = path
        self._channel: Channel | None = None
        self._console: Console | None = None
        self._lines = Lines(SCENE_BYTES_MAX)
        self._decoder = KeyDecoder()
        self._unsent = b""
        self._heard_ms = clock.monotonic_ms()
        self._server_ends = False
        self._retry_ms: int | None = None
        self._lost = ""
        self._dirty = False
        self._drawn_ms: int | None = None
        self._take(network.call(path) if channel is None else channel)

    def run(self) -> None:
        """Until the person leaves, or the server whose own panel this is has ended."""
        try:
            while not self.done:
                self.turn()
        finally:
            self.close()

    def close(self) -> None:
        """Give the terminal back, and let go of the server. Again does nothing."""
        if self._console is not None:
            self._console.close()
            self._console = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def turn(self) -> None:
        """Wait for something, and do what there is to do."""
        ready = self._network.poll(self._timeout_ms())
        now_ms = self._clock.monotonic_ms()
        self._obey(ready, now_ms)
        if self._channel is not None and self._channel in ready.readable:
            self._hear(self._channel, now_ms)
        self._look_at_clock(now_ms)
        screen = self._screen
        if screen.wants_quit:
            self.done = True
        self._send()
        if self._console is not None and not self.done:
            try:
                self._serve_console(self._console, now_ms)
            except ConsoleClosed:
                self.done = True

    def _timeout_ms(self) -> int | None:
        now_ms = self._clock.monotonic_ms()
        deadlines = [self._retry_ms, self._decoder.deadline_ms]
        if self._channel is not None:
            quiet_ms = now_ms - self._heard_ms
            # Then each second, to count them.
            deadlines.append(
                self._heard_ms + max(QUIET_MS_MAX, quiet_ms - quiet_ms % 1_000 + 1_000)
            )
        if self._dirty and self._drawn_ms is not None:
            deadlines.append(self._drawn_ms + DRAW_MS_MIN)
        times = [at for at in deadlines if at is not None]
        return max(0, min(times) - now_ms) if times else None

    # ----- the terminal -----------------------------------------------------------------------

    def _obey(self, ready: Ready, now_ms: int) -> None:
        console = self._console
        for wish in ready.wishes:
            if wish is Wish.STOP:
                self.done = True
            elif wish is Wish.RESIZE and console is not None:
                console.resized()
                self._screen.resize(console.size())
                self._dirty = True
        if console is None:
            return
        try:
            keys = self._decoder.feed(console.read(), now_ms) if ready.console else ()
        except ConsoleClosed:
            self.done = True
            return
        for key in (*keys, *self._decoder.timeout(now_ms)):
            self._screen.press(key)
            self._dirty = True

    def _serve_console(self, console: Console, now_ms: int) -> None:
        screen = self._screen
        if screen.wants_suspend:
            screen.wants_suspend = False
            console.suspend()
            screen.resize(console.size())
            self._dirty = True
        if screen.wants_redraw:
            screen.wants_redraw = False
            console.redraw()
        if screen.wants_bell:
            screen.wants_bell = False
            console.bell()
        due = self._drawn_ms is None or now_ms >= self._drawn_ms + DRAW_MS_MIN
        if self._dirty and due:
            console.draw(screen.picture())
            self._dirty = False
            self._drawn_ms = now_ms

    def _take_terminal(self) -> None:
        self._console = self._open_console()
        self._network.watch_console(self._console.fileno())
        self._screen.resize(self._console.size())

    # ----- the server -------------------------------------------------------------------------

    def _take(self, channel: Channel) -> None:
        """A server was reached."""
        try:
            self._network.watch(channel, reading=True, writing=False)
        except ChannelError as error:
            raise CallError(str(error)) from None
        self._channel = channel
        self._lines = Lines(SCENE_BYTES_MAX)
        self._unsent = b""
        self._heard_ms = self._clock.monotonic_ms()
        self._server_ends = False
        self._screen.begin()
        self._send()

    def _hear(self, channel: Channel, now_ms: int) -> None:
        try:
            data = channel.receive(RECEIVE_BYTES_MAX)
        except ChannelError as error:
            self._lose(str(error), now_ms)
            return
        if isinstance(data, Wait):
            return
        if not data:
            self._lose("", now_ms)
            return
        try:
            lines = self._lines.feed(data)
            if not lines:
                return
            scene = decode_scene(lines[-1])  # an older one is not worth looking at
        except CodecError as error:
            if self._console is None:
                raise
            self._lose(str(error), now_ms)
            return
        self._heard_ms = now_ms
        self._server_ends = scene.ending
        self._screen.link = safe_line("")
        self._screen.see(scene)
        self._dirty = True
        if self._console is None:
            self._take_terminal()

    def _lose(self, reason: str, now_ms: int) -> None:
        """The server is out of reach."""
        assert self._channel is not None
        self._network.watch(self._channel, reading=False, writing=False)
        self._channel.close()
        self._channel = None
        if self._screen.role is Role.OWNER or self._console is None:
            self.done = True
            return
        self._lost = "The server has ended" if self._server_ends else "The server is gone"
        if reason:
            self._lost += f" ({reason})"
        self._retry_ms = now_ms + RETRY_MS
        self._tell()

    def _look_at_clock(self, now_ms: int) -> None:
        if self._retry_ms is not None and now_ms >= self._retry_ms:
            self._retry_ms = None
            try:
                self._take(self._network.call(self._path))
            except CallError:
                self._retry_ms = now_ms + RETRY_MS
            return
        quiet_ms = now_ms - self._heard_ms
        if self._channel is None or quiet_ms < QUIET_MS_MAX:
            return
        words = f"No word from the server for {quiet_ms // 1_000} s"
        if self._console is not None:
            self._screen.link = safe_line(f"{words}; {LAST_WORD}.")
            self._dirty = True
        elif self._screen.role is not Role.OWNER:  # that one waits until the folder is recovered
            raise CallError(f"{words.lower()}: it runs, but does not answer")

    def _tell(self) -> None:
        words = f"{self._lost}; looking for it again once a second. {LAST_WORD}."
        self._screen.link = safe_line(words)
        self._dirty = True

    def _send(self) -> None:
        """Send what the keys asked for; what was not taken waits until it is."""
        channel = self._channel
        requests = self._screen.take()
        if channel is None:
            return
        self._unsent += b"".join(map(encode_request, requests))
        if len(self._unsent) > UNSENT_BYTES_MAX:
            # The server has not listened for thousands of keys: begin anew when it does.
            self._lose("it does not listen", self._clock.monotonic_ms())
            return
        if not self._unsent:
            return
        try:
            taken = channel.send(self._unsent)
            if not isinstance(taken, Wait):
                self._unsent = self._unsent[taken:]
            self._network.watch(channel, reading=True, writing=bool(self._unsent))
        except ChannelError as error:
            self._lose(str(error), self._clock.monotonic_ms())
