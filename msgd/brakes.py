"""What slows a connection down, and what it may not be slow with.

Who sends faster than is allowed is not refused: nothing more is read from its connection, and no
more of its frames are served, until a message may be taken again. TCP does the rest: the sender
waits. What it has been told so far stays true, and nothing is lost.

One turn of the loop has its bounds, too, so that a crowd in its burst is no long turn for the
others: each connection has a few frames for sure; more frames, and what takes long, come out of the
turn's slack. And those that may speak again after a wait do so together, for then
they share one commit.

The other way round, a frame that was begun must come to its end in a time that grows with its
length, so that nobody holds memory by sending a byte a second. Time in which the server itself did
not read counts for nobody.

Must never hold a reference to a connection that is gone, or cost anything while nobody is fast.
Fails never.
"""

from collections.abc import Mapping
from heapq import heapify, heappop, heappush
from typing import Final

from msgd.reactor_limits import ReactorLimits
from msgd.session import Session
from msgd.slack import FRAME_US, HELD_US, Slack
from msgd.transport import Transport
from wire.codes import FrameType
from wire.connection import Connection

US_PER_S: Final = 1_000_000
WEIGHINGS_PER_S: Final = 32
DEAR_SHARE: Final = 8
"""Requests that take long (lists of accounts) take one in so many microseconds, of all together."""
DEAR_AHEAD_US: Final = 200_000
"""And so far ahead of that they may be: for one person this is forty full pages."""
AHEAD_MS: Final = 1_000
"""So much of what a connection may send in a time, it may send at once."""
DEAR: Final = frozenset(
    map(int, (FrameType.LIST_ACCOUNTS, FrameType.CREATE_ACCOUNT, FrameType.BLOCK_SENDERS))
)
"""The frames that may be such requests."""
GATHER_MS: Final = 50
"""From one moment when those that were held are released to the next."""
TIMERS_SPARE_MAX: Final = 64
STALL_MS: Final = 2_000
"""A longer pause between two turns is the server's own."""
_KIB: Final = 1_024

Timers = list[tuple[int, int]]


class Brakes:
    """For all connections of a loop, which hands them over by number of session."""

    __slots__ = (
        "_bytes_per_second_max",
        "_dear_count",
        "_dear_count_before",
        "_dear_us",
        "_frames",
        "_held",
        "_limits",
        "_release_ms",
        "_slack",
        "_stalled_ms",
        "_turned_ms",
        "burst_us",
        "bytes_max",
        "frames_max",
        "interval_us",
    )

    def __init__(self, limits: ReactorLimits, slack: Slack) -> None:
        rate = limits.sends_per_second_max
        self.interval_us = US_PER_S // rate if rate else 0
        """Between two messages of one account, on the long run; 0: as fast as it likes."""
        self.frames_max = limits.frames_per_turn_max
        """In a turn: no more than an account may send at once, so that nobody need look closer."""
        if rate:
            self.frames_max = min(limits.frames_per_turn_max, limits.sends_burst_max)
        self.burst_us = max(0, limits.sends_burst_max - 1) * self.interval_us
        """How far ahead of that an account may be (the generic cell rate algorithm, ITU-T I.371)"""
        self._bytes_per_second_max = limits.receive_bytes_per_second_max
        self.bytes_max = max(1, limits.receive_bytes_per_second_max // WEIGHINGS_PER_S)
        """So many bytes are read before `weigh` is to look at the time they took."""
        if not limits.receive_bytes_per_second_max:
            self.bytes_max = 1 << 62
        self._limits = limits
        self._held: Timers = []
        self._release_ms = 0
        self._dear_us = 0
        self._dear_count = self._dear_count_before = 0  # in this turn
        self._slack = slack
        self._frames: Timers = []
        self._turned_ms = 0
        self._stalled_ms = 0

    # ----- one turn ---------------------------------------------------------------------------

    def begin_turn(self) -> None:
        """A turn begins: everybody has his share again."""
        self._dear_count = 0

    def share(self) -> int:
        """How many frames the next connection may have in this turn."""
        self._dear_count_before = self._dear_count
        if not self.interval_us:
            return self.frames_max
        more = max(0, self._slack.left_us) // FRAME_US
        return min(self.frames_max, self._limits.sure_frames_per_turn + more)

    def take(self, count: int) -> bool:
        """It had so many; gives whether it was what all who are heard are sure of, and no more."""
        beyond = count - self._limits.sure_frames_per_turn
        if beyond > 0 and self.interval_us:
            self._slack.left_us -= beyond * FRAME_US
        return beyond <= 0 and self._dear_count == self._dear_count_before

    def must_wait(self, connection: Connection) -> bool:
        """Whether its next frame asks for what this turn has no time for any more."""
        is_over = self._dear_count and self._slack.left_us <= 0
        return bool(is_over) and connection.next_type() in DEAR

    # ----- too fast ---------------------------------------------------------------------------

    def hold(self, transport: Transport, until_ms: int) -> None:
        """Hear nothing of it until then."""
        transport.held_until_ms = max(transport.held_until_ms, until_ms)
        heappush(self._held, (until_ms, transport.session.number))

    def room(self, session: Session, most: int, now_us: int) -> int:
        """How many messages, `most` at most, it may send until it must wait; one at least."""
        spent_us = max(session.spent_us, now_us)
        return max(1, min(most, (now_us + self.burst_us - spent_us) // self.interval_us + 1))

    def spend(self, transport: Transport, count: int, now_us: int) -> bool:
        """It has sent so many messages, or asked for what takes long: gives whether it must wait
        now, and is held.
        """
        session = transport.session
        spent_us = session.spent_us
        if count:
            spent_us = (spent_us if spent_us > now_us else now_us) + count * self.interval_us  # noqa: FURB136  max() is a call, once per message
            session.spent_us = spent_us
        until_us = spent_us - self.burst_us
        if session.cost_us:
            # One line for all: whoever asked last waits until those before have had their share.
            self._dear_us = max(self._dear_us, now_us) + session.cost_us * DEAR_SHARE
            self._dear_count += 1
            self._slack.left_us -= session.cost_us
            session.cost_us = 0
            until_us = max(until_us, self._dear_us - DEAR_AHEAD_US)
        if until_us <= now_us:
            return False
        self.hold(transport, -(-until_us // 1_000))
        return True

    def weigh(self, transport: Transport, now_ms: int) -> None:
        """More than `bytes_max` were read from it: if it is a second ahead of its due, it waits."""
        due_ms = transport.received_bytes * 1_000 // self._bytes_per_second_max
        transport.received_bytes = 0
        transport.weighed_ms = max(now_ms, transport.weighed_ms) + due_ms
        if transport.weighed_ms > now_ms + AHEAD_MS:
            self.hold(transport, transport.weighed_ms - AHEAD_MS)

    def release(self, transports: Mapping[int, Transport], now_ms: int) -> list[Transport]:
        """Those that may be heard again. Once a turn."""
        released: list[Transport] = []
        held = self._held
        if not held or now_ms < max(held[0][0], self._release_ms):
            return released
        while held and held[0][0] <= now_ms:
            if released and self._slack.left_us <= 0:
                return released  # the rest is next, and at once
            transport = transports.get(heappop(held)[1])
            if transport is not None and 0 < transport.held_until_ms <= now_ms:
                transport.held_until_ms = 0
                released.append(transport)
                self._slack.left_us -= HELD_US
        self._release_ms = now_ms + GATHER_MS
        return released

    # ----- too slow ---------------------------------------------------------------------------

    def await_rest(
        self,
        transport: Transport,
        transports: Mapping[int, Transport],
        now_ms: int,
        *,
        is_next: bool,
    ) -> None:
        """A frame has begun to come. `is_next`: others came to their end since the last call."""
        if is_next or transport.frame_since_ms is None:
            transport.frame_since_ms = now_ms
        if transport.is_timed:
            return
        transport.is_timed = True
        if len(self._frames) > 2 * len(transports) + TIMERS_SPARE_MAX:
            self._frames = [timer for timer in self._frames if timer[1] in transports]
            heapify(self._frames)
        heappush(self._frames, (self._due_ms(transport), transport.session.number))

    def late(self, transports: Mapping[int, Transport], now_ms: int) -> list[Transport]:
        """Those whose frame did not come to its end in time. Once a turn."""
        if now_ms - self._turned_ms > STALL_MS:
            self._stalled_ms = now_ms
        self._turned_ms = now_ms
        found: list[Transport] = []
        frames = self._frames
        while frames and frames[0][0] <= now_ms:
            number = heappop(frames)[1]
            transport = transports.get(number)
            if transport is None:
                continue
            if transport.frame_since_ms is None:
                transport.is_timed = False
                continue
            if transport.is_paused or transport.has_leftover or transport.is_in_line:
                transport.frame_since_ms = now_ms  # it is not heard: so it is not late
            due_ms = self._due_ms(transport)
            if due_ms > now_ms:
                heappush(frames, (due_ms, number))
            else:
                transport.is_timed = False
                found.append(transport)
        return found

    def deadline_ms(self) -> int | None:
        """When `release` or `late` may have something to do."""
        first: list[int] = []
        if self._held:
            first.append(max(self._held[0][0], self._release_ms))
        if self._frames:
            first.append(self._frames[0][0])
        return min(first, default=None)

    def _due_ms(self, transport: Transport) -> int:
        """When the frame that is coming must be there."""
        limits = self._limits
        since_ms = transport.frame_since_ms
        assert since_ms is not None
        kibibytes = -(-transport.session.connection.needed_bytes // _KIB)
        allowed_ms = min(limits.frame_ms + limits.frame_ms_per_kib * kibibytes, limits.frame_ms_max)
        return max(since_ms, self._stalled_ms) + allowed_ms
