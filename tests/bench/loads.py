"""The workloads, as the load generator plays them: each a set of connections and what they do.

`Load.open` gives the connections to make, `start` begins, `take` is called with the frames that
came for one of them, `is_done` ends it. Latencies are kept for every message.

Must never measure itself: no message is encoded twice, no frame is decoded field by field.
Fails with LoadError on any frame that the workload does not expect.
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from tests.bench.frames import (
    LoadError,
    body_id,
    delivery_number,
    pending_request,
    receipt_frame,
    send_all_frame,
    send_frame,
)
from tests.bench.line import Line
from wire import frames as wire_frames
from wire.codes import FrameType
from wire.limits import DELIVERIES_MAX
from wire.messages import CheckMessages, CreateAccount, ListAccounts, Logout, Ping, Pong

_PENDING: Final = int(FrameType.MESSAGE_PENDING)
_DISTRIBUTE: Final = int(FrameType.DISTRIBUTE_MESSAGE)
_SUCCESS: Final = int(FrameType.MESSAGE_SUCCESS)
_COMPLETE: Final = int(FrameType.CHECK_COMPLETE)
_CREATED: Final = int(FrameType.CREATE_SUCCESS)
_NOT_CREATED: Final = int(FrameType.CREATE_FAILURE)
_LOGGED_OUT: Final = int(FrameType.LOGGED_OUT)
_LISTED: Final = int(FrameType.ACCOUNT_LIST)
_PING: Final = int(FrameType.PING)
_NOTICE: Final = int(FrameType.NOTICE)
_CREATES_AHEAD: Final = 64

Spans = list[tuple[int, int, int]]


class Dial(Protocol):
    """Makes a connection for a user; `index` makes its installation its own."""

    def __call__(self, name: str, index: int, *, live: bool) -> Line:
        """The connection, not yet logged in."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What to play. `count` ends an ingest instead of `seconds`."""

    connections: int
    window: int
    users: int
    seconds: float
    count: int | None
    tag: int


class Load(ABC):
    """One workload."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.messages = 0
        self.acknowledged: array[int] = array("Q")
        self.received: array[int] = array("Q")
        self.latencies_ns: array[int] = array("Q")
        self.first_ns: int | None = None
        self.last_ns = 0

    @abstractmethod
    def open(self, dial: Dial) -> Iterator[Line]:
        """Connections to be logged in before the start."""

    @abstractmethod
    def start(self, now_ns: int) -> None:
        """Go."""

    @abstractmethod
    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """Frames came."""

    @property
    @abstractmethod
    def is_done(self) -> bool:
        """Whether there is nothing left to do or to wait for."""

    def ready(self, line: Line) -> None:
        """A connection made after the start is logged in."""
        raise AssertionError(line.name)

    def other(self, line: Line, data: bytes, kind: int, start: int, end: int) -> None:
        """A frame that is not the workload's. Raises LoadError unless any session may get it."""
        if kind == _PING:
            ping = wire_frames.decode(kind, data, start, end)
            assert isinstance(ping, Ping)
            line.write(wire_frames.encode(Pong(ping.request)))
        elif kind != _NOTICE:
            raise LoadError(f"{line.name}: the server sent {FrameType(kind).name}")


class _Sender:
    """The bookkeeping of one sending connection: numbers, times, ids."""

    def __init__(self, line: Line, index: int, options: Options) -> None:
        self.line = line
        self.sent = 0
        self.acknowledged = 0
        self.done = 0
        self.at_ns: array[int] = array("Q", [0])
        self._head = b"%04x%04x" % (options.tag, index)
        self.id_base = options.tag << 48 | index << 32

    def next_id(self, now_ns: int) -> bytes:
        """The id in the body of the next message; its number is `sent` after this."""
        self.sent += 1
        self.at_ns.append(now_ns)
        return self._head + b"%08x" % self.sent


class Ingest(Load):
    """W1: senders to recipients who are not there. Complete: MESSAGE_PENDING is here."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._senders: dict[int, _Sender] = {}
        self._users = [b"%04d" % user for user in range(options.users)]
        self._random = Random(options.tag)
        self._deadline_ns = 0
        self._room = options.count

    def open(self, dial: Dial) -> Iterator[Line]:
        """One sender each."""
        for index in range(self.options.connections):
            line = dial(f"sender{index}", index, live=False)
            self._senders[line.fd] = _Sender(line, index, self.options)
            yield line

    def start(self, now_ns: int) -> None:
        """Fill all windows."""
        self._deadline_ns = now_ns + int(self.options.seconds * 1e9)
        for sender in self._senders.values():
            self._pump(sender, now_ns)

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """Answers, in the order of the requests."""
        sender = self._senders[line.fd]
        acknowledged = sender.acknowledged
        add = self.latencies_ns.append
        at_ns, base, keep = sender.at_ns, sender.id_base, self.acknowledged.append
        for kind, start, end in spans:
            if kind != _PENDING:
                self.other(line, data, kind, start, end)
                continue
            acknowledged += 1
            if pending_request(data, start) != acknowledged:
                raise LoadError("an answer out of order")
            add(now_ns - at_ns[acknowledged])
            keep(base | acknowledged)
        self.messages += acknowledged - sender.acknowledged
        sender.acknowledged = acknowledged
        self.last_ns = now_ns
        self._pump(sender, now_ns)

    def _pump(self, sender: _Sender, now_ns: int) -> None:
        room = self.options.window - (sender.sent - sender.acknowledged)
        if self._room is None:
            if now_ns >= self._deadline_ns:
                return
        else:
            room = min(room, self._room)
            self._room -= room
        installation, users = sender.line.installation, self._users
        many = len(users)
        choose = self._random.random
        parts = []
        for _ in range(room):
            text = sender.next_id(now_ns)
            parts.append(send_frame(sender.sent, installation, users[int(choose() * many)], text))
        if parts:
            sender.line.write(b"".join(parts))

    @property
    def is_done(self) -> bool:
        """Everything sent is answered, and it is over."""
        if any(each.acknowledged < each.sent for each in self._senders.values()):
            return False
        return not self._room if self._room is not None else True


class FanOut(Ingest):
    """W4: one sender to everyone. A message counts as often as it has recipients."""

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """As above; only the users that every peer has are counted."""
        before = self.messages
        super().take(line, data, spans, now_ns)
        self.messages = before + (self.messages - before) * self.options.users

    def _pump(self, sender: _Sender, now_ns: int) -> None:
        if now_ns >= self._deadline_ns:
            return
        parts = []
        for _ in range(self.options.window - (sender.sent - sender.acknowledged)):
            text = sender.next_id(now_ns)
            parts.append(send_all_frame(sender.sent, sender.line.installation, text))
        if parts:
            sender.line.write(b"".join(parts))


class Live(Load):
    """W3: pairs; complete when the sender has MESSAGE_SUCCESS. Latency: to the receiver."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._senders: dict[int, _Sender] = {}
        self._sender_of: dict[int, _Sender] = {}
        self._user_of: dict[int, bytes] = {}
        self._deadline_ns = 0

    def open(self, dial: Dial) -> Iterator[Line]:
        """Receivers, then senders."""
        for index in range(self.options.connections):
            receiver = dial(f"user{index:04d}", 0x1000 + index, live=True)
            yield receiver
            line = dial(f"sender{index}", index, live=True)
            sender = _Sender(line, index, self.options)
            self._senders[line.fd] = sender
            self._sender_of[receiver.fd] = sender
            self._user_of[line.fd] = b"%04d" % index
            yield line

    def start(self, now_ns: int) -> None:
        """Fill all windows."""
        self._deadline_ns = now_ns + int(self.options.seconds * 1e9)
        for sender in self._senders.values():
            self._pump(sender, now_ns)

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """A receiver's messages, or a sender's answers and fates."""
        sender = self._senders.get(line.fd)
        if sender is None:
            self._receive(line, data, spans, now_ns)
        else:
            self._learn(sender, data, spans, now_ns)

    def _receive(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        sender = self._sender_of[line.fd]
        deliveries = []
        for kind, start, end in spans:
            if kind != _DISTRIBUTE:
                self.other(line, data, kind, start, end)
                continue
            deliveries.append(delivery_number(data, start))
            number = body_id(data, end) - sender.id_base
            if 0 < number <= sender.sent:
                self.latencies_ns.append(now_ns - sender.at_ns[number])
        if deliveries:
            line.write(receipt_frame(deliveries))

    def _learn(self, sender: _Sender, data: bytes, spans: Spans, now_ns: int) -> None:
        deliveries = []
        for kind, start, end in spans:
            if kind == _SUCCESS:
                deliveries.append(delivery_number(data, start))
            elif kind == _PENDING:
                sender.acknowledged += 1
            else:
                self.other(sender.line, data, kind, start, end)
        if deliveries:
            sender.line.write(receipt_frame(deliveries))
            sender.done += len(deliveries)
            self.messages += len(deliveries)
            self.last_ns = now_ns
        self._pump(sender, now_ns)

    def _pump(self, sender: _Sender, now_ns: int) -> None:
        if now_ns >= self._deadline_ns:
            return
        user = self._user_of[sender.line.fd]
        installation = sender.line.installation
        parts = []
        for _ in range(self.options.window - (sender.sent - sender.done)):
            text = sender.next_id(now_ns)
            parts.append(send_frame(sender.sent, installation, user, text))
        if parts:
            sender.line.write(b"".join(parts))

    @property
    def is_done(self) -> bool:
        """Every message has its fate."""
        return all(each.done >= each.sent for each in self._senders.values())


class Drain(Load):
    """W2: connections that log in as one user after the other, fetch everything, and confirm it."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._dial: Dial | None = None
        self._user_of: dict[int, int] = {}
        self._first: list[Line] = []
        self._running = 0

    def open(self, dial: Dial) -> Iterator[Line]:
        """The first user of each connection."""
        self._dial = dial
        for index in range(min(self.options.connections, self.options.users)):
            line = dial(f"user{index:04d}", 0x2000 + index, live=False)
            self._user_of[line.fd] = index
            self._first.append(line)
            yield line

    def start(self, now_ns: int) -> None:
        """Ask for everything."""
        self._running = len(self._first)
        for line in self._first:
            self._ask(line)

    def ready(self, line: Line) -> None:
        """The next user is in."""
        self._ask(line)

    def _ask(self, line: Line) -> None:
        line.write(wire_frames.encode(CheckMessages(1)))

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """Messages until CHECK_COMPLETE, then the way out."""
        deliveries = []
        keep = self.received.append
        out = b""
        for kind, start, end in spans:
            if kind == _DISTRIBUTE:
                deliveries.append(delivery_number(data, start))
                keep(body_id(data, end))
            elif kind == _SUCCESS:
                deliveries.append(delivery_number(data, start))
            elif kind == _COMPLETE:
                out = wire_frames.encode(Logout(2))
            elif kind == _LOGGED_OUT:
                self._next(line)
                return
            else:
                self.other(line, data, kind, start, end)
        if deliveries:
            if self.first_ns is None:
                self.first_ns = now_ns
            self.last_ns = now_ns
            self.messages += len(deliveries)
            for first in range(0, len(deliveries), DELIVERIES_MAX):
                line.write(receipt_frame(deliveries[first : first + DELIVERIES_MAX]))
        if out:
            line.write(out)

    def _next(self, line: Line) -> None:
        user = self._user_of.pop(line.fd) + self.options.connections
        line.close()
        if user >= self.options.users:
            self._running -= 1
            return
        assert self._dial is not None
        following = self._dial(f"user{user:04d}", 0x2000 + user, live=False)
        self._user_of[following.fd] = user

    @property
    def is_done(self) -> bool:
        """All users are through."""
        return self._running == 0


class Idle(Load):
    """W5: users who are logged in and do nothing."""

    def open(self, dial: Dial) -> Iterator[Line]:
        """All of them."""
        for index in range(self.options.connections):
            yield dial(f"idle{index:05d}", 0x8000 + index, live=True)

    def start(self, now_ns: int) -> None:
        """Nothing to begin."""

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """Only the server's own words."""
        for kind, start, end in spans:
            self.other(line, data, kind, start, end)

    @property
    def is_done(self) -> bool:
        """At once."""
        return True


class Prepare(Load):
    """Make the users `user0000` and so on."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._line: Line | None = None
        self._made = 0

    def open(self, dial: Dial) -> Iterator[Line]:
        """One connection makes them all."""
        self._line = dial("maker", 0x3000, live=False)
        yield self._line

    def start(self, now_ns: int) -> None:
        """The first few."""
        for _ in range(min(_CREATES_AHEAD, self.options.users)):
            self._make()

    def _make(self) -> None:
        assert self._line is not None
        self._made += 1
        name = f"user{self._made - 1:04d}"
        self._line.write(wire_frames.encode(CreateAccount(self._made, name)))

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """One more for each that is made; a name that is taken is there, too."""
        for kind, start, end in spans:
            if kind not in (_CREATED, _NOT_CREATED):
                self.other(line, data, kind, start, end)
                continue
            self.messages += 1
            if self._made < self.options.users:
                self._make()
        self.last_ns = now_ns

    @property
    def is_done(self) -> bool:
        """All are there."""
        return self.messages >= self.options.users


class Listing(Load):
    """W7: clients that ask for the accounts, page after page, again and again."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._asked_ns: dict[int, int] = {}
        self._lines: dict[int, Line] = {}
        self._deadline_ns = 0

    def open(self, dial: Dial) -> Iterator[Line]:
        """All of them."""
        for index in range(self.options.connections):
            line = dial(f"reader{index:03d}", 0x4000 + index, live=False)
            self._lines[line.fd] = line
            yield line

    def start(self, now_ns: int) -> None:
        """The first page for each."""
        self._deadline_ns = now_ns + int(self.options.seconds * 1e9)
        for line in self._lines.values():
            self._ask(line, None, now_ns)

    def _ask(self, line: Line, cursor: str | None, now_ns: int) -> None:
        self._asked_ns[line.fd] = now_ns
        line.write(wire_frames.encode(ListAccounts(1, None, cursor)))

    def take(self, line: Line, data: bytes, spans: Spans, now_ns: int) -> None:
        """A page: the next one, or the first again."""
        for kind, start, end in spans:
            if kind != _LISTED:
                self.other(line, data, kind, start, end)
                continue
            page = wire_frames.decode(kind, data, start, end)
            self.messages += 1
            self.last_ns = now_ns
            self.latencies_ns.append(now_ns - self._asked_ns.pop(line.fd))
            if now_ns < self._deadline_ns:
                self._ask(line, getattr(page, "cursor", None), now_ns)

    @property
    def is_done(self) -> bool:
        """Nobody waits for a page."""
        return not self._asked_ns


LOADS: Final[dict[str, type[Load]]] = {
    "prepare": Prepare,
    "ingest": Ingest,
    "drain": Drain,
    "live": Live,
    "fanout": FanOut,
    "idle": Idle,
    "listing": Listing,
}
