"""A simulated network: connections as queues of bytes, with delay, cuts, stalls and resets.

The server's end is a `msgd.net.Network`, the clients' ends are `ClientEnd`s. All randomness comes
from the given generator, all time from the given clock.

Must never deliver bytes out of order, twice, or after a reset: TCP does not either.
"""

import random
from collections import deque
from collections.abc import Callable

from msgd.net import Channel, ChannelError, Ready, Wait, Wish
from tests.sim.draw import draw_below
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import PowerCut

PIECES_MAX = 8
"""Into how many pieces one write is cut at most."""


class Direction:
    """One way of one connection: bytes in flight, in order, each with the time of its arrival."""

    def __init__(self, clock: SimClock, rng: random.Random, capacity_bytes: int) -> None:
        self.clock = clock
        self.rng = rng
        self.capacity_bytes = capacity_bytes
        self.flight: deque[tuple[int, bytes]] = deque()
        self.flight_bytes = 0
        self.last_at_ms = 0
        self.stalled_until_ms = 0
        self.is_finished = False
        self.is_reset = False

    def room(self) -> int:
        return max(0, self.capacity_bytes - self.flight_bytes)

    def takes_more(self) -> bool:
        """Whether a write would find room, or that there is nobody any more."""
        return self.is_reset or self.flight_bytes < self.capacity_bytes

    def write(self, data: bytes, latency_ms: int, cut_bytes: int) -> int:
        """Take what there is room for: a few pieces of `cut_bytes`, then the rest."""
        if self.is_finished or self.is_reset:
            return len(data)  # as the kernel does until it learns of it: taken, and lost
        taken = data[: self.room()]
        start = 0
        for piece in range(PIECES_MAX):
            if start >= len(taken):
                break
            end = start + cut_bytes if piece < PIECES_MAX - 1 else len(taken)
            late_ms = draw_below(self.rng, latency_ms + 1) if latency_ms else 0
            self.last_at_ms = max(self.last_at_ms, self.clock.now_ms + late_ms)
            self.flight.append((self.last_at_ms, taken[start:end]))
            start = end
        self.flight_bytes += len(taken)
        return len(taken)

    def arrival_ms(self) -> int | None:
        """When the next bytes, or the end, can be read; None for never as things stand."""
        if self.is_reset:
            return self.clock.now_ms
        if self.flight:
            at_ms = self.flight[0][0]
        elif self.is_finished:
            at_ms = self.last_at_ms
        else:
            return None
        return max(at_ms, self.stalled_until_ms)

    def is_readable(self) -> bool:
        at_ms = self.arrival_ms()
        return at_ms is not None and at_ms <= self.clock.now_ms

    def read(self, bytes_max: int) -> bytes:
        """What has arrived; b"" means nothing yet, or the end when `is_finished`."""
        parts: list[bytes] = []
        size = 0
        while self.flight and self.is_readable() and size < bytes_max:
            _, piece = self.flight.popleft()
            room = bytes_max - size
            if len(piece) > room:
                self.flight.appendleft((self.clock.now_ms, piece[room:]))
                piece = piece[:room]
            parts.append(piece)
            size += len(piece)
        self.flight_bytes -= size
        return b"".join(parts)

    def at_end(self) -> bool:
        return self.is_finished and not self.flight and self.is_readable()

    def cut(self, keep_bytes: int) -> None:
        """Lose what is in flight but the first `keep_bytes`, then end."""
        kept: deque[tuple[int, bytes]] = deque()
        size = 0
        for at_ms, piece in self.flight:
            part = piece[: max(0, keep_bytes - size)]
            if part:
                kept.append((at_ms, part))
                size += len(part)
        self.flight, self.flight_bytes = kept, size
        self.is_finished = True


class Wire:
    """One connection: both directions, and how bad it is."""

    def __init__(self, net: "SimNetwork", number: int) -> None:
        self.net = net
        self.number = number
        self.to_server = Direction(net.clock, net.rng, net.capacity_bytes)
        self.to_client = Direction(net.clock, net.rng, net.capacity_bytes)

    def stall(self, until_ms: int) -> None:
        """Nothing arrives either way until then: a cable is out, and nobody is told."""
        for direction in (self.to_server, self.to_client):
            direction.stalled_until_ms = max(direction.stalled_until_ms, until_ms)

    def reset(self) -> None:
        """Both ends find it broken; what was in flight is lost at any byte."""
        for direction in (self.to_server, self.to_client):
            direction.cut(self.net.rng.randint(0, direction.flight_bytes))
            if self.net.rng.random() < 0.5:
                direction.is_reset = True

    def server_dies(self, *, silently: bool) -> None:
        """The server's end is gone: what it had sent may still arrive, in part.

        When its process ends the client is told; when its machine does, nobody says anything.
        """
        rng = self.net.rng
        in_flight = self.to_client.flight_bytes
        self.to_server.cut(0)
        self.to_client.cut(rng.choice((in_flight, rng.randint(0, in_flight))))
        if silently:
            self.to_client.is_finished = False


class SimChannel:
    """The server's end: a msgd.net.Channel."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.is_closed = False

    @property
    def peer(self) -> str:
        return f"10.0.0.{self.wire.number % 250}:{40_000 + self.wire.number % 20_000}"

    has_pending = False
    binding: bytes | None = None
    needs_handshake = False

    def shake(self) -> Wait | None:
        return None

    def receive(self, bytes_max: int) -> bytes | Wait:
        direction = self.wire.to_server
        if direction.is_reset:
            raise ChannelError("reset by the other end")
        data = direction.read(bytes_max)
        if data or direction.at_end():
            return data
        return Wait.READ

    def send(self, data: bytes | memoryview) -> int | Wait:
        direction = self.wire.to_client
        if direction.is_reset:
            raise ChannelError("reset by the other end")
        net = self.wire.net
        net.before_send()
        taken = direction.write(bytes(data), net.latency_ms, net.cut_bytes())
        net.sends_left -= 1
        if net.sends_left == 0:
            raise PowerCut("send")
        return taken or Wait.WRITE

    def finish(self) -> None:
        self.wire.to_client.is_finished = True

    def close(self) -> None:
        self.is_closed = True
        self.wire.to_client.is_finished = True
        self.wire.to_server.cut(0)


class ClientEnd:
    """A client's end."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def read(self) -> bytes | None:
        """What has arrived, b"" when nothing has; None when the connection is at its end."""
        direction = self.wire.to_client
        if direction.is_reset:
            return None
        data = direction.read(1 << 20)
        if not data and direction.at_end():
            return None
        return data

    def write(self, data: bytes) -> int:
        net = self.wire.net
        return self.wire.to_server.write(data, net.latency_ms, net.cut_bytes())

    def close(self) -> None:
        self.wire.to_server.is_finished = True
        self.wire.to_client.cut(0)


class SimNetwork:
    """All connections. Implements msgd.net.Network; `poll` never waits, it says what is so now."""

    def __init__(
        self, clock: SimClock, rng: random.Random, before_send: Callable[[], None]
    ) -> None:
        """`before_send` is called before the server sends anything to anybody."""
        self.clock = clock
        self.rng = rng
        self.before_send = before_send
        self.sends_left = -1
        """The power goes after so many sends of the server."""
        self.draw_quality()
        self.wires: list[Wire] = []
        self.is_up = False
        self.wishes: list[Wish] = []
        self.wake_ms: int | None = None
        self._backlog: deque[Wire] = deque()
        self._watched: dict[SimChannel, tuple[bool, bool]] = {}
        self._listening = False
        self._count = 0

    def draw_quality(self) -> None:
        """Another network; connections that are there keep their capacity."""
        rng = self.rng
        self.capacity_bytes = rng.choice((512, 4_096, 65_536, 262_144))
        self.latency_ms = rng.choice((0, 1, 5, 50, 400, 3_000))
        self.smallest_cut_bytes = rng.choice((1, 7, 100, 1_400))

    def cut_bytes(self) -> int:
        """Of how many bytes the next pieces are: sometimes tiny, mostly not."""
        return self.smallest_cut_bytes if self.rng.random() < 0.3 else 65_536

    # ----- the world's side

    def server_starts(self) -> None:
        self.is_up = True
        self._listening = True
        self.wake_ms = self.clock.now_ms

    def server_dies(self, *, silently: bool = False) -> None:
        """Power, or kill -9: every connection with it."""
        self.is_up = False
        self._listening = False
        self._watched.clear()
        self._backlog.clear()
        self.wishes.clear()
        self.wake_ms = None
        for wire in self.wires:
            wire.server_dies(silently=silently)
        self.wires.clear()

    def connect(self) -> ClientEnd | None:
        """A client connects; None when nobody listens."""
        if not self.is_up or not self._listening:
            return None
        self._count += 1
        wire = Wire(self, self._count)
        self.wires.append(wire)
        self._backlog.append(wire)
        return ClientEnd(wire)

    def heal(self) -> None:
        """From now on the network is a good one."""
        self.sends_left = -1
        self.latency_ms = min(self.latency_ms, 5)
        self.capacity_bytes = 262_144
        self.smallest_cut_bytes = 1_400
        for wire in self.wires:
            for direction in (wire.to_server, wire.to_client):
                direction.stalled_until_ms = 0
                direction.capacity_bytes = self.capacity_bytes

    def next_news_ms(self) -> int | None:
        """When the server's poll returns, as things stand; None for never."""
        now_ms = self.clock.now_ms
        if self.wishes or (self._backlog and self._listening):
            return now_ms
        at_ms = self.wake_ms
        if at_ms is not None and at_ms <= now_ms:
            return at_ms
        for channel, (reading, writing) in self._watched.items():
            if channel.is_closed:
                continue
            if writing and channel.wire.to_client.takes_more():
                return now_ms
            if reading:
                arrival_ms = channel.wire.to_server.arrival_ms()
                if arrival_ms is not None and (at_ms is None or arrival_ms < at_ms):
                    if arrival_ms <= now_ms:
                        return arrival_ms
                    at_ms = arrival_ms
        return at_ms

    # ----- the server's side: msgd.net.Network

    def accept(self) -> Channel | None:
        return SimChannel(self._backlog.popleft()) if self._backlog else None

    def watch_listener(self, wanted: bool) -> None:
        self._listening = wanted

    def watch_console(self, fd: int | None) -> None:
        assert fd is None, "the simulated server has no terminal"

    def watch(self, channel: Channel, reading: bool, writing: bool) -> None:
        assert isinstance(channel, SimChannel)
        self._watched[channel] = (reading, writing)

    def poll(self, timeout_ms: int | None) -> Ready:
        self.wake_ms = None if timeout_ms is None else self.clock.now_ms + timeout_ms
        ready = self._look()
        self.wishes.clear()
        return ready

    def stop_listening(self) -> None:
        self._listening = False

    def close(self) -> None:
        self.server_dies()

    def _look(self) -> Ready:
        ready = Ready(listener=bool(self._backlog) and self._listening, wishes=tuple(self.wishes))
        closed: list[SimChannel] = []
        for channel, (reading, writing) in self._watched.items():
            if channel.is_closed:
                closed.append(channel)
                continue
            if reading and channel.wire.to_server.is_readable():
                ready.readable.append(channel)
            if writing and channel.wire.to_client.takes_more():
                ready.writable.append(channel)
        for channel in closed:
            del self._watched[channel]
            if channel.wire in self.wires:
                self.wires.remove(channel.wire)
        return ready
