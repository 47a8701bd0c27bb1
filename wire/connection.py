"""One end of a conversation, without a socket: bytes in, messages out, and the other way round.

`Connection(role)` is the same class at both ends (h11 is the model). `receive_data` only stores
bytes; `next_event` gives the next message, or None when more bytes are needed; `send` gives the
bytes of a message. Both directions are judged by the one table in `wire.states`.

Must never do I/O, look at a clock, or keep more than one frame and one read in memory.
Fails: `next_event` raises RemoteProtocolError for whatever the peer did wrong (again at every call
after that); `send` raises LocalProtocolError for what would be our own mistake.
"""

from dataclasses import dataclass
from typing import Final

from wire import frames, limits, runs
from wire.codes import Code, Field, FrameType
from wire.errors import LocalProtocolError, RemoteProtocolError, TlvError
from wire.fields import UnsupportedFieldError
from wire.messages import Error, Message
from wire.runs import SendToOne
from wire.states import IllegalFrameError, Role, State, advance, flowing
from wire.tlv import HEADER, HEADER_BYTES, U32, spans

# Nearly every frame is one of these in this state: then there is nothing to judge or to change
# (measured: 2.1 us a frame saved, of 5.6).
_ONLINE: Final = State.ONLINE
_NEW: Final = State.NEW
_CLOSED: Final = State.CLOSED
_SERVER: Final = Role.SERVER
_HELLO: Final = int(FrameType.HELLO)
_ERROR: Final = int(FrameType.ERROR)
_SEND_MESSAGE: Final = int(FrameType.SEND_MESSAGE)
_FLOWING: Final = {role: flowing(role) for role in Role}
_BEFORE_LOGIN: Final = frozenset(
    {State.NEW, State.READY, State.LOGGING_IN, State.CHALLENGED, State.PROVING}
)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The peer sent a frame, or a field that must be understood, that this version has not.

    Not an error of the peer's. The server answers ERROR(UNSUPPORTED); a client passes over it.
    """

    frame_type: int
    field: int | None
    request: int | None


class Connection:
    """One end. See the module's text."""

    __slots__ = (
        "_chunks",
        "_data",
        "_error",
        "_flowing_in",
        "_flowing_out",
        "_needed",
        "_position",
        "_stored",
        "role",
        "state",
    )

    def __init__(self, role: Role) -> None:
        self.role = role
        self.state = State.NEW
        self._flowing_in = _FLOWING[role.peer]
        self._flowing_out = _FLOWING[role]
        # Bytes wait in a list until a whole header or frame is there: so a frame that arrives byte
        # by byte costs one join, not one copy of everything per byte.
        self._chunks: list[bytes] = []
        self._stored = 0
        self._needed = HEADER_BYTES
        self._data = b""
        self._position = 0
        self._error: RemoteProtocolError | None = None

    @property
    def buffered_bytes(self) -> int:
        """How much is stored and not yet given out. Stop reading while there is a whole frame."""
        return self._stored

    @property
    def needed_bytes(self) -> int:
        """How much must be stored for the next frame to be given out, as far as is known."""
        return self._needed

    def receive_data(self, data: bytes) -> None:
        """Store what came from the peer."""
        if data:
            self._chunks.append(data)
            self._stored += len(data)

    def next_event(self) -> Message | Unsupported | None:
        """The next message of the peer; None when more bytes are needed first.

        Raises RemoteProtocolError; the connection is broken from then on.
        """
        if self._error is not None:
            raise self._error
        try:
            return self._next_event()
        except RemoteProtocolError as error:
            self._error = error
            self.state = _CLOSED
            raise

    def next_type(self) -> int:
        """The type of the frame that comes next; 0 while that is not known yet."""
        if self._stored < HEADER_BYTES:
            return 0
        self._join()
        type_: int = HEADER.unpack_from(self._data, self._position)[0]
        return type_

    def next_sends(self, count_max: int) -> list[SendToOne]:
        """The SEND_MESSAGEs that come next, while they are laid out as usual; `pass_sends` goes
        past them. Whatever it does not give, `next_event` does.
        """
        flows = self.state is _ONLINE and _SEND_MESSAGE in self._flowing_in
        if not flows or self._stored < self._needed:
            return []
        self._join()
        return runs.read_sends(self._data, self._position, count_max)

    def pass_sends(self, end: int) -> None:
        """Go past what `next_sends` gave, to the end of one of them."""
        self._stored -= end - self._position
        self._position = end
        self._needed = HEADER_BYTES

    def send(self, message: Message) -> bytes:
        """The bytes to send for `message`. Raises LocalProtocolError when it is not legal now."""
        kind = frames.frame_type(message)
        if self.state is _ONLINE and kind in self._flowing_out:
            return frames.encode(message)
        fatal = type(message) is Error and message.fatal
        try:
            after = advance(self.state, self.role, kind, fatal=fatal)
        except IllegalFrameError as error:
            raise LocalProtocolError(str(error)) from None
        data = frames.encode(message)
        self.state = after
        return data

    def _next_event(self) -> Message | Unsupported | None:
        if self._stored < self._needed:
            return None
        self._join()
        data = self._data
        start = self._position + HEADER_BYTES
        type_: int  # said for the compiler, which knows nothing of what is unpacked
        length: int
        type_, length = HEADER.unpack_from(data, self._position)
        flows = self.state is _ONLINE and type_ in self._flowing_in
        after = _ONLINE
        if not flows or length > limits.FRAME_BYTES_MAX:
            after = self._check_header(type_, length)
        end = start + length
        if self._stored < HEADER_BYTES + length:
            self._needed = HEADER_BYTES + length
            return None
        self._position = end
        self._stored -= HEADER_BYTES + length
        self._needed = HEADER_BYTES
        if not frames.is_known(type_):
            return Unsupported(type_, None, _request_of(data, start, end))
        try:
            message = frames.decode(type_, data, start, end)
        except UnsupportedFieldError as unsupported:
            # Not obeyed, so it must not move the state either.
            return Unsupported(type_, unsupported.field, _request_of(data, start, end))
        if not flows:
            if type(message) is Error and not message.fatal:
                after = self._advanced(FrameType(type_), fatal=False)  # only a fatal one ends it
            self.state = after
        return message

    def _join(self) -> None:
        if self._chunks:
            rest = self._data[self._position :]
            self._data = b"".join((rest, *self._chunks)) if rest else b"".join(self._chunks)
            self._chunks.clear()
            self._position = 0

    def _check_header(self, type_: int, length: int) -> State:
        """Refuse what can be refused before a single byte of the value is kept. The state after
        the frame, should it be read; an ERROR is taken for a fatal one.
        """
        if type_ == 0:
            raise RemoteProtocolError(Code.MALFORMED, "frame type 0 is reserved")
        if self.role is _SERVER and self.state is _NEW and type_ != _HELLO:
            raise RemoteProtocolError(
                Code.ILLEGAL_NOW, "this port speaks MSGP/1, which begins with HELLO"
            )
        limit = self._frame_bytes_max()
        if length > limit:
            raise RemoteProtocolError(
                Code.FRAME_TOO_LARGE, f"a frame of {length} bytes, {limit} at most"
            )
        if not frames.is_known(type_):
            return self.state
        # A fatal ERROR is legal at any time; whether it is one stands in its value.
        return self._advanced(FrameType(type_), fatal=type_ == _ERROR)

    def _frame_bytes_max(self) -> int:
        if self.role is _SERVER and self.state in _BEFORE_LOGIN:
            return limits.FRAME_BYTES_MAX_BEFORE_LOGIN
        return limits.FRAME_BYTES_MAX

    def _advanced(self, frame: FrameType, fatal: bool) -> State:
        try:
            return advance(self.state, self.role.peer, frame, fatal=fatal)
        except IllegalFrameError as error:
            raise RemoteProtocolError(Code.ILLEGAL_NOW, str(error)) from None


def _request_of(data: bytes, start: int, end: int) -> int | None:
    """The REQUEST of a frame that is not understood, so that the answer can name it."""
    try:
        for number, value_start, value_end in spans(data, start, end):
            if number == Field.REQUEST and value_end - value_start == U32.size:
                request: int = U32.unpack_from(data, value_start)[0]
                return request or None
    except TlvError:
        raise RemoteProtocolError(Code.MALFORMED, "a frame that is not TLV") from None
    return None
