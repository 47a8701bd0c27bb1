"""The page with the metrics: a few short answers of HTTP/1.0, from the loop itself.

It listens on this machine only. Whoever may connect there may read it: it holds numbers, no names.

Must never hold more than its few connections, read more than a small request of each, or wait for
any of them longer than its deadline.
Fails never, once it listens; a connection that does anything else than to ask is closed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgd.metrics import Measures, Renderer
from msgd.net import AcceptError, BesideNetwork, Channel, ChannelError, Ready, Wait
from msgd.values import Now

CONNECTIONS_MAX: Final = 4
ACCEPTS_PER_TURN_MAX: Final = 8
REQUEST_BYTES_MAX: Final = 4_096
DEADLINE_MS: Final = 5_000
PAUSE_MS: Final = 1_000
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
PAGE: Final = b"/metrics"
HEAD_ENDS: Final = (b"\r\n\r\n", b"\n\n")

NOTHING: Final = memoryview(b"")


@dataclass(slots=True)
class _Visit:
    """One connection: what it said, and what it has not taken yet."""

    channel: Channel
    until_ms: int
    request: bytes = b""
    answer: memoryview = NOTHING
    is_answered: bool = False
    is_over: bool = False


class MetricsPage:
    """Attends the loop: see `msgd.reactor.Face`."""

    def __init__(self, network: BesideNetwork, measures: Measures, render: Renderer) -> None:
        self._network = network
        self._measures = measures
        self._render = render
        self._visits: dict[Channel, _Visit] = {}
        self._back_ms: int | None = None

    def serve(self, ready: Ready, now: Now) -> bool:
        """Hear who asks."""
        self._measures.begin_turn()
        if self._back_ms is not None and now.monotonic_ms >= self._back_ms:
            self._back_ms = None
            self._try(lambda: self._network.watch_beside(wanted=True), now)
        if ready.beside:
            self._admit(now)
        if self._visits:
            for channel in ready.readable:
                visit = self._visits.get(channel)
                if visit is not None:
                    self._hear(visit)
            for channel in ready.writable:
                visit = self._visits.get(channel)
                if visit is not None:
                    self._flush(visit)
            self._part(now)
        return False

    def work(self, now: Now) -> bool:
        """Count this turn."""
        self._part(now)
        self._measures.end_turn()
        return False

    def deadline_ms(self) -> int | None:
        """When the first visit is over, or the queues are to be counted again."""
        deadlines = [visit.until_ms for visit in self._visits.values()]
        deadlines.append(self._measures.census.deadline_us() // 1_000 + 1)
        if self._back_ms is not None:
            deadlines.append(self._back_ms)
        return min(deadlines)

    def end(self, now: Now) -> None:  # noqa: ARG002  what a face is told
        """The page goes; the figures of the end are in the log."""
        self.close()

    def close(self) -> None:
        """Let go of everybody."""
        self._network.stop_listening_beside()
        self._back_ms = None
        for visit in self._visits.values():
            self._let_go(visit)
        self._visits.clear()

    # ----- visits -----------------------------------------------------------------------------

    def _admit(self, now: Now) -> None:
        for _ in range(ACCEPTS_PER_TURN_MAX):
            try:
                channel = self._network.accept_beside()
            except AcceptError:
                self._pause(now)
                return
            if channel is None:
                return
            if len(self._visits) >= CONNECTIONS_MAX:
                channel.close()
                continue
            visit = _Visit(channel, now.monotonic_ms + DEADLINE_MS)
            self._visits[channel] = visit
            self._watch(visit)

    def _pause(self, now: Now) -> None:
        """Left alone, a connection that cannot be taken would turn the loop for nothing."""
        self._network.watch_beside(wanted=False)
        self._back_ms = now.monotonic_ms + PAUSE_MS

    def _try(self, act: Callable[[], None], now: Now) -> None:
        try:
            act()
        except AcceptError:
            self._pause(now)

    def _part(self, now: Now) -> None:
        """Let go of those that are over, and of those that took too long."""
        for visit in tuple(self._visits.values()):
            if visit.is_over or now.monotonic_ms >= visit.until_ms:
                del self._visits[visit.channel]
                self._let_go(visit)

    def _let_go(self, visit: _Visit) -> None:
        self._network.watch(visit.channel, reading=False, writing=False)
        visit.channel.close()

    def _hear(self, visit: _Visit) -> None:
        try:
            data = visit.channel.receive(REQUEST_BYTES_MAX)
        except ChannelError:
            visit.is_over = True
            return
        if isinstance(data, Wait):
            return
        if not data:
            visit.is_over = True
            return
        if visit.is_answered:
            return  # read to the end, so that the answer is not lost on its way to them
        visit.request += data
        if any(end in visit.request for end in HEAD_ENDS):
            self._answer(visit, self._page(visit.request))
        elif len(visit.request) > REQUEST_BYTES_MAX:
            self._answer(visit, _reply(b"431 Request Header Fields Too Large", b"too long\n"))

    def _page(self, request: bytes) -> bytes:
        words = request.split(b"\n", 1)[0].split()
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return _reply(b"400 Bad Request", b"this is no request of HTTP/1\n")
        method, path, _ = words
        if method != b"GET":
            return _reply(b"405 Method Not Allowed", b"only GET\n", b"Allow: GET\r\n")
        if path.partition(b"?")[0] != PAGE:
            return _reply(b"404 Not Found", b"the metrics are at /metrics\n")
        return _reply(b"200 OK", self._render(self._measures.families()))

    def _answer(self, visit: _Visit, data: bytes) -> None:
        visit.is_answered = True
        visit.request = b""
        visit.answer = memoryview(data)
        self._flush(visit)

    def _flush(self, visit: _Visit) -> None:
        if not visit.answer or visit.is_over:
            return
        try:
            taken = visit.channel.send(visit.answer)
        except ChannelError:
            visit.is_over = True
            return
        if not isinstance(taken, Wait):
            visit.answer = visit.answer[taken:]
            if not visit.answer:
                visit.channel.finish()
        self._watch(visit)

    def _watch(self, visit: _Visit) -> None:
        try:
            self._network.watch(visit.channel, reading=True, writing=bool(visit.answer))
        except ChannelError:
            visit.is_over = True


def _reply(status: bytes, body: bytes, more: bytes = b"") -> bytes:
    return b"".join(
        (
            b"HTTP/1.0 " + status + b"\r\n",
            b"Content-Type: " + CONTENT_TYPE + b"\r\n",
            b"Content-Length: " + str(len(body)).encode() + b"\r\n",
            more,
            b"Connection: close\r\n\r\n",
            body,
        )
    )
