"""One connection's bytes: what was read and not yet served, what was promised and not yet sent.

A transport stands between a channel (bytes) and a session (messages). It encodes a message only
when the batch that the message rests on is durable.

Must never send a message before its time, drop one, or hold more than its limits allow.
Fails for its own connection only: `gone` says why, and the reactor closes it.
"""

from typing import Final

from msgd.net import Channel, ChannelError, ChannelViolation, Wait
from msgd.reactor_limits import ReactorLimits
from msgd.session import Session
from wire import frames
from wire.messages import Error, LoggedOut, Message
from wire.states import State

# Of an enum's class a member costs several times the comparison, and each turn asks for them.
_READ: Final = Wait.READ
_WRITE: Final = Wait.WRITE
_CLOSED: Final = State.CLOSED


class Transport:
    """One connection. The reactor calls; nothing here calls back."""

    __slots__ = (
        "_limits",
        "_output",
        "_output_offset",
        "channel",
        "frame_since_ms",
        "gone",
        "has_leftover",
        "held_until_ms",
        "is_in_line",
        "is_logged_in",
        "is_timed",
        "is_violated",
        "output_bytes",
        "reading",
        "receive_waits_for",
        "received_bytes",
        "send_waits_for",
        "session",
        "stalled_since_ms",
        "tab_us",
        "weighed_ms",
        "writing",
    )

    def __init__(self, channel: Channel, session: Session, limits: ReactorLimits) -> None:
        self.channel = channel
        self.session = session
        self.gone: str | None = None
        """Why the connection is no more; None while it lives."""
        self.has_leftover = False
        """Whether there may be whole frames that this turn had no room for."""
        self.stalled_since_ms: int | None = None
        """Since when the peer has not taken a byte of what waits for it."""
        self.held_until_ms = 0
        """Until when nothing is heard of a peer that was too fast; 0: it may speak."""
        self.received_bytes = 0
        """Since they were weighed last."""
        self.weighed_ms = 0
        """The moment up to which what was weighed was its due."""
        self.tab_us = 0
        """Up to which moment what it has said was little: kept by the crowd."""
        self.is_in_line = False
        """Whether it waits until a turn has time for it: kept by the crowd."""
        self.frame_since_ms: int | None = None
        """Since when a frame has been coming that is not all there."""
        self.is_timed = False
        """Whether somebody looks whether it comes to its end: kept by the brakes."""
        self.is_logged_in = False
        """Whether the gate counts it as logged in: kept by the reactor."""
        self.reading = False
        """What the poll watches now: kept by the reactor, so that it calls only for changes."""
        self.writing = False
        self._limits = limits
        self._output = b""
        self._output_offset = 0
        self.output_bytes = 0
        """How much is encoded and not yet sent."""
        self.is_violated = False
        """With `gone`: whether the peer did what no honest one does."""
        # With encryption a receive may have to wait for room to write, and a send for bytes.
        self.receive_waits_for = _READ
        self.send_waits_for = _WRITE

    @property
    def is_paused(self) -> bool:
        """Whether the peer must wait, or first take what is for it, before more of it is heard."""
        return self.held_until_ms > 0 or self.output_bytes > self._limits.output_bytes_pause

    @property
    def is_flushed(self) -> bool:
        """Whether everything that was promised so far has been handed to the network."""
        return not self.session.outbox and not self.output_bytes

    @property
    def stalled_until_ms(self) -> int | None:
        """When it is closed, if the peer takes nothing of what waits for it until then."""
        since_ms = self.stalled_since_ms
        return None if since_ms is None else since_ms + self._limits.write_stall_ms

    @property
    def is_at_rest(self) -> bool:
        """Whether there is nothing left to serve or to send, and the poll tells of more: as it is
        after most turns.
        """
        return (
            self.reading
            and not self.writing
            and not self.output_bytes
            and not self.has_leftover
            and self.receive_waits_for is _READ
            and not self.held_until_ms
            and not self.is_in_line
            and self.session.closing is None
            and not self.channel.has_pending
        )

    def wants(self) -> tuple[bool, bool]:
        """Whether the poll should tell when it is readable, and when it is writable."""
        receiving = (
            not self.has_leftover
            and not self.channel.has_pending
            and not self.is_paused
            and not self.is_in_line
            and self.session.closing is None
        )
        sending = self.output_bytes > 0
        reading = (receiving and self.receive_waits_for is _READ) or (
            sending and self.send_waits_for is _READ
        )
        writing = (sending and self.send_waits_for is _WRITE) or (
            receiving and self.receive_waits_for is _WRITE
        )
        return reading, writing

    def read(self) -> bool:
        """Receive once and store the bytes. Gives whether there may be something to serve."""
        if self.gone is not None or self.has_leftover or self.is_paused:
            return False
        try:
            data = self.channel.receive(self._limits.read_bytes_per_turn_max)
        except ChannelError as error:
            self._lose(error)
            return False
        if isinstance(data, Wait):
            self.receive_waits_for = data
            return False
        self.receive_waits_for = _READ
        if not data:
            self.gone = "closed by the client"
            return False
        self.received_bytes += len(data)
        self.session.connection.receive_data(data)
        return True

    def release(self, durable_lsn: int) -> None:
        """Encode, in order, the messages whose batch is durable."""
        outbox = self.session.outbox
        chunks: list[bytes] = []
        while outbox and outbox[0][0] <= durable_lsn:
            message = outbox.popleft()[1]
            if isinstance(message, bytes):
                chunks.append(message)
                continue
            chunks.append(self._encode(message))
            if type(message) is LoggedOut or (type(message) is Error and message.fatal):
                outbox.clear()  # that was the last frame: the protocol has nothing after it
        if chunks:
            rest = self._output[self._output_offset :]
            self._output = b"".join((rest, *chunks)) if rest else b"".join(chunks)
            self._output_offset = 0
            self.output_bytes = len(self._output)
        if self.output_bytes > self._limits.output_bytes_max and self.gone is None:
            self.gone = "more was waiting for it than is allowed"

    def flush(self, now_ms: int) -> None:
        """Send once. What does not fit waits until the peer has taken some."""
        if not self.output_bytes or self.gone is not None:
            return
        offset = self._output_offset
        try:
            taken = self.channel.send(memoryview(self._output)[offset:] if offset else self._output)
        except ChannelError as error:
            self._lose(error)
            return
        if isinstance(taken, Wait):
            self.send_waits_for = taken
            if self.stalled_since_ms is None:
                self.stalled_since_ms = now_ms
            return
        self.send_waits_for = _WRITE
        self._output_offset += taken
        self.output_bytes -= taken
        if self.output_bytes:
            self.stalled_since_ms = now_ms
        else:
            self._output = b""
            self._output_offset = 0
            self.stalled_since_ms = None

    def _lose(self, error: ChannelError) -> None:
        self.gone = str(error)
        self.is_violated = isinstance(error, ChannelViolation)

    def _encode(self, message: Message) -> bytes:
        connection = self.session.connection
        if connection.state is _CLOSED:
            # The peer broke the protocol and the state machine is at its end; what was promised
            # before, and the reason, it still gets.
            return frames.encode(message)
        return connection.send(message)
