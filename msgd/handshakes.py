"""Connections that still shake hands: each has its time, and all of them together have a share.

A handshake costs many times what a message costs, and anybody may ask for one. So a turn makes a
few steps and no more, a second begins so many handshakes and no more, and who talks already never
waits for who does not. Those that must wait stand in a line.

Must never wait itself, and never let one in whose handshake is not done.
Fails for one connection only: its end is an event, and the connection is closed.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgd.events import EventKind, EventLog
from msgd.gate import Gate
from msgd.net import Channel, ChannelError, ChannelViolation, Network, Wait
from msgd.penalties import Fault
from msgd.reactor_limits import ReactorLimits
from msgd.refusals import Refusal, RefusalNotes
from msgd.slack import NEWCOMER_US, SHAKE_US, Slack
from msgd.sources import address_of
from msgd.values import Now

SECOND_MS: Final = 1_000
STALL_MS: Final = 2_000
"""A longer pause between two turns is the server's own: nobody else is blamed for it."""


class _Handshake:
    """One that is not done. Slots, because a crowd may be at it at once."""

    __slots__ = ("begun_ms", "has_place", "until_ms")

    def __init__(self, begun_ms: int, until_ms: int) -> None:
        self.begun_ms = begun_ms
        self.until_ms = until_ms
        self.has_place = False
        """Whether it was counted among the second's; before that it costs nothing."""


class Handshakes:
    """Between the gate and the sessions: whoever ends here leaves the gate, too."""

    def __init__(
        self,
        *,
        network: Network,
        events: EventLog,
        limits: ReactorLimits,
        gate: Gate,
        slack: Slack,
        refusals: RefusalNotes,
    ) -> None:
        self._network = network
        self._events = events
        self._limits = limits
        self._gate = gate
        self._slack = slack
        self._refusals = refusals
        self._all: dict[Channel, _Handshake] = {}  # the oldest first, so the next to time out
        self._due: dict[Channel, _Handshake] = {}  # ready, with a place
        self._line: dict[Channel, _Handshake] = {}  # ready, and waiting for a place
        self._places: deque[int] = deque(maxlen=limits.handshakes_per_s_max)  # when the last began
        self._turn_ms = 0

    def __len__(self) -> int:
        return len(self._all)

    def begin(self, channel: Channel, now: Now) -> None:
        """A connection was accepted. It speaks first."""
        ms = now.monotonic_ms
        if len(self._all) >= self._limits.handshakes_max:
            self._part(channel, "too many at once", None, now)
            return
        self._all[channel] = _Handshake(ms, ms + self._limits.handshake_ms)
        try:
            self._network.watch(channel, reading=True, writing=False)
        except ChannelError as error:
            self._end(channel, str(error), None, now)

    def wake(self, channel: Channel) -> bool:
        """The poll says that it is ready. False if it is none of these."""
        handshake = self._all.get(channel)
        if handshake is None:
            return False
        # Not watched while it is in line: the poll would tell of it again and again.
        self._network.watch(channel, reading=False, writing=False)
        (self._due if handshake.has_place else self._line)[channel] = handshake
        return True

    def work(self, now: Now) -> Iterator[tuple[Channel, int]]:
        """A few steps. Gives those that are done, and when each began (monotonic)."""
        ms = now.monotonic_ms
        if self._turn_ms and ms - self._turn_ms > STALL_MS:
            for handshake in self._all.values():
                handshake.until_ms += ms - self._turn_ms
        self._turn_ms = ms
        for count in range(self._limits.handshake_steps_per_turn_max):
            if count and self._slack.left_us <= 0:
                break
            channel = self._next(ms)
            if channel is None:
                break
            self._slack.left_us -= SHAKE_US
            done = self._step(channel, now)
            if done is not None:
                yield channel, done
        ended = 0
        while self._all and (not ended or self._slack.left_us > 0):
            channel, handshake = next(iter(self._all.items()))
            if ms < handshake.until_ms:
                break
            ended += 1
            self._slack.left_us -= NEWCOMER_US
            seconds = self._limits.handshake_ms / SECOND_MS
            self._end(channel, f"not done after {seconds:g} s", Fault.TOO_SLOW, now)

    def deadline_ms(self, now_ms: int) -> int | None:
        """When `work` has something to do next."""
        if self._due:
            return now_ms
        if not self._all:
            return None
        until_ms = next(iter(self._all.values())).until_ms
        return min(until_ms, self._place_ms()) if self._line else until_ms

    def end(self, now: Now) -> None:
        """The server ends: let go of all of them."""
        for channel in tuple(self._all):
            self._end(channel, "the server ends", None, now)

    # ----- below ------------------------------------------------------------------------------

    def _place_ms(self) -> int:
        """When there will be a place for one more."""
        return self._places[0] + SECOND_MS if len(self._places) == self._places.maxlen else 0

    def _next(self, ms: int) -> Channel | None:
        """Whose step is next: first those that have begun."""
        if self._due:
            channel = next(iter(self._due))
            del self._due[channel]
            return channel
        if not self._line or ms < self._place_ms():
            return None
        self._places.append(ms)
        channel = next(iter(self._line))
        self._line.pop(channel).has_place = True
        return channel

    def _step(self, channel: Channel, now: Now) -> int | None:
        """Gives when it began, if that was its last step."""
        try:
            wait = channel.shake()
        except ChannelError as error:
            violates = isinstance(error, ChannelViolation)
            fault = Fault.PROTOCOL if violates else Fault.NO_LOGIN
            self._end(channel, str(error), fault, now)
            return None
        if wait is None:
            return self._all.pop(channel).begun_ms
        try:
            reading = wait is Wait.READ
            self._network.watch(channel, reading=reading, writing=not reading)
        except ChannelError as error:
            self._end(channel, str(error), None, now)
        return None

    def _end(self, channel: Channel, reason: str, fault: Fault | None, now: Now) -> None:
        del self._all[channel]
        self._due.pop(channel, None)
        self._line.pop(channel, None)
        self._network.watch(channel, reading=False, writing=False)
        self._part(channel, reason, fault, now)

    def _part(self, channel: Channel, reason: str, fault: Fault | None, now: Now) -> None:
        note = self._refusals.add(Refusal.HANDSHAKE, channel.peer, now.monotonic_ms)
        if note is not None:
            self._events.add(EventKind.REJECT, f"{note}: {reason}", now.wall_ms)
        self._gate.leave(address_of(channel.peer), fault, now, logged_in=False)
        channel.close()
