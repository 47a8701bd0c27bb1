"""The door: connections before they have a session, and after they have lost it.

Whoever knocks is taken, a few in a turn; is refused at once, or shakes hands, or may talk; and who
was sent away may read to the end why. Nobody here is worth waiting for: each step has its limit for
one turn of the loop, and the rest comes in the next, behind those who are in already.

Must never hand over a connection whose handshake is not done, and never keep one for longer than
its time.
Fails for one connection only: it is closed.
"""

from collections.abc import Iterator

from msgd.events import EventKind, EventLog
from msgd.gate import Gate
from msgd.handshakes import Handshakes
from msgd.net import AcceptError, Channel, ChannelError, Network, Wait
from msgd.reactor_limits import ReactorLimits
from msgd.refusals import WORDS, Refusal, RefusalNotes
from msgd.slack import NEWCOMER_US, Slack
from msgd.sources import address_of
from msgd.values import Now
from wire import frames
from wire.codes import Code
from wire.messages import Error


class Door:
    """Between the network and the sessions. What it hands over belongs to the loop."""

    def __init__(
        self,
        *,
        network: Network,
        events: EventLog,
        limits: ReactorLimits,
        gate: Gate,
        slack: Slack,
        refused: dict[Refusal, int],
    ) -> None:
        """`refused` counts all refusals, for whoever watches."""
        self._network = network
        self._events = events
        self._limits = limits
        self._gate = gate
        self._slack = slack
        self._refusals = RefusalNotes(refused)
        self._handshakes = Handshakes(
            network=network,
            events=events,
            limits=limits,
            gate=gate,
            slack=slack,
            refusals=self._refusals,
        )
        self._lingering: dict[Channel, int] = {}  # closed by us; until when they may still read
        self._listener_back_ms: int | None = None
        self._accept_pause_ms = limits.accept_pause_ms
        self._is_shut = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody reads to the end any more."""
        return not self._lingering

    def deadlines(self, now_ms: int) -> list[int | None]:
        """When there is something to do, by the monotonic clock."""
        return [
            self._listener_back_ms,
            self._handshakes.deadline_ms(now_ms),
            *self._lingering.values(),
        ]

    def shut(self, now: Now) -> None:
        """The server ends: nobody else comes in. Who reads to the end may."""
        self._is_shut = True
        self._network.stop_listening()
        self._handshakes.end(now)
        self._listener_back_ms = None

    def take(self, sessions: int, now: Now, *, knocking: bool) -> Iterator[Channel]:
        """Take those who wait outside, `sessions` being inside; gives those who may talk."""
        if self._is_shut:
            return
        if self._listener_back_ms is not None and now.monotonic_ms >= self._listener_back_ms:
            self._listener_back_ms = None
            try:
                self._network.watch_listener(wanted=True)
            except AcceptError as error:
                self._pause_listener(str(error), now)
        if not knocking:
            return
        for count in range(self._limits.accepts_per_turn_max):
            if count and self._slack.left_us <= 0:
                return
            try:
                channel = self._network.accept()
            except AcceptError as error:
                self._pause_listener(str(error), now)
                return
            if channel is None:
                return
            self._slack.left_us -= NEWCOMER_US
            self._accept_pause_ms = self._limits.accept_pause_ms
            if sessions + len(self._handshakes) >= self._limits.connections_max:
                self._refuse(channel, Refusal.TOO_MANY, now)
                continue
            refusal = self._gate.enter(address_of(channel.peer), now)
            if refusal is not None:
                self._refuse(channel, refusal, now)
            elif channel.needs_handshake:
                self._handshakes.begin(channel, now)
            else:
                sessions += 1
                yield channel

    def shake(self, now: Now) -> Iterator[tuple[Channel, int]]:
        """Go on with the handshakes. Gives those that are done, and when each began (monotonic)."""
        return self._handshakes.work(now)

    def wake(self, channel: Channel) -> None:
        """One of no session is writable."""
        self._handshakes.wake(channel)

    def hear(self, channel: Channel) -> None:
        """One of no session is readable: it shakes hands, or what it says is thrown away."""
        if channel not in self._lingering:
            self._handshakes.wake(channel)
            return
        try:
            data = channel.receive(self._limits.read_bytes_per_turn_max)
        except ChannelError:
            data = b""
        if not isinstance(data, Wait) and not data:
            self.forget(channel)

    def linger(self, channel: Channel, now: Now) -> None:
        """Let the peer read to the end.

        Closed at once, with bytes of the peer's unread, TCP would reset the connection, and the
        last frame, which says why, would be lost on the way.
        """
        channel.finish()
        if len(self._lingering) >= self._limits.lingering_max:
            self.forget(channel)
            return
        self._lingering[channel] = now.monotonic_ms + self._limits.linger_ms
        try:
            self._network.watch(channel, reading=True, writing=False)
        except ChannelError:
            self.forget(channel)

    def forget(self, channel: Channel) -> None:
        """Close it, and be done with it."""
        self._lingering.pop(channel, None)
        self._network.watch(channel, reading=False, writing=False)
        channel.close()

    def keep_time(self, now: Now) -> None:
        """Once a turn: who has read to the end for long enough is closed."""
        for channel, until_ms in tuple(self._lingering.items()):
            if now.monotonic_ms >= until_ms:
                self.forget(channel)

    def keep_house(self, accounts: int, now: Now) -> None:
        """Once a second: tell who was refused, and look at the memory."""
        for note in self._refusals.take():
            self._events.add(EventKind.REJECT, note, now.wall_ms)
        if self._gate.look_at_memory(accounts):
            full = self._gate.is_out_of_memory
            text = "too much memory is used, no new connections are taken" if full else ""
            text = text or "there is memory again, new connections are taken"
            self._events.add(EventKind.WARN if full else EventKind.NOTICE, text, now.wall_ms)

    def close(self) -> None:
        """The loop is at its end: let go of who is left."""
        for channel in tuple(self._lingering):
            self.forget(channel)

    # ----- below ------------------------------------------------------------------------------

    def _pause_listener(self, reason: str, now: Now) -> None:
        """Out of descriptors: a listener that stays ready would turn the loop for nothing."""
        self._network.watch_listener(wanted=False)
        self._listener_back_ms = now.monotonic_ms + self._accept_pause_ms
        self._events.add(
            EventKind.WARN,
            f"cannot take connections: {reason}; next try in {self._accept_pause_ms} ms",
            now.wall_ms,
        )
        self._accept_pause_ms = min(self._accept_pause_ms * 2, self._limits.accept_pause_ms_max)

    def _refuse(self, channel: Channel, refusal: Refusal, now: Now) -> None:
        note = self._refusals.add(refusal, channel.peer, now.monotonic_ms)
        if note is not None:
            self._events.add(EventKind.REJECT, note, now.wall_ms)
        text = WORDS.get(refusal)
        if refusal is Refusal.TOO_MANY:
            text = f"this server serves {self._limits.connections_max} connections and has them all"
        if text is None or channel.needs_handshake:
            channel.close()  # to say why would cost a handshake
            return
        try:
            channel.send(frames.encode(Error(Code.TOO_MANY_CONNECTIONS, text, fatal=True)))
        except ChannelError:
            channel.close()
            return
        self.linger(channel, now)
