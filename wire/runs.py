"""Several frames of one kind in a row, read or written in one go.

A loaded connection brings SEND_MESSAGE after SEND_MESSAGE and gets answers of one kind. Taken one
by one each costs half a dozen calls and a value made of it; in a row they share all that. What is
read here is what `wire.hot` reads, with one recipient; what is written is what it writes. Tests
hold them equal.

Measured in plain Python 3.11 (100-byte body; microseconds a frame in a row, one by one): reading
SEND_MESSAGE 0.9, 3.0; writing MESSAGE_PENDING 0.1, 1.5.

Must never read or write anything that the table of `wire.frames` would not.
Fails never: a run ends before the first frame that is not laid out as usual, or not whole.
"""

from collections.abc import Iterable
from struct import Struct
from typing import Final

from wire import limits
from wire.codes import Field, FrameType
from wire.tlv import HEADER, HEADER_BYTES, U64

SendToOne = tuple[int, bytes, bytes, int, bytes, bytes]
"""Where the frame ends, its REQUEST and MESSAGE_ID as they stand there, the installation and the
counter of the id, the recipient's name (not looked at), the body."""

Delivered = tuple[int, bytes, bytes, int, int, int, int, bytes]
"""What is handed out: delivery, message id, the other's name as it goes over the wire, time in
milliseconds, audience, audience's count, code of a failure (not looked at), body."""

_Alike = tuple[bytes, int, int, int]

# Plain ints and bytes: an IntEnum member costs a call wherever it is compared.
_SEND: Final = int(FrameType.SEND_MESSAGE)
_RECIPIENT: Final = int(Field.RECIPIENT)
_BODY: Final = int(Field.BODY)
_REQUEST_HEADER: Final = HEADER.pack(Field.REQUEST, 4)
_ID_HEADER: Final = HEADER.pack(Field.MESSAGE_ID, 16)

# Frame header, REQUEST, MESSAGE_ID, and the header of RECIPIENT.
_SEND_HEAD: Final = Struct(">HI 6sI 6s8sQ HI")
_IDS_AT: Final = HEADER_BYTES
_IDS_END: Final = _IDS_AT + 10 + 22

# What stands around REQUEST and MESSAGE_ID in a MESSAGE_PENDING: the frame header; COUNT and
# RECEIVED_AT.
_PENDING_TAIL: Final = Struct(">HII HIQ")
_PENDING_HEADER: Final = HEADER.pack(FrameType.MESSAGE_PENDING, 10 + 22 + _PENDING_TAIL.size)
_COUNT: Final = int(Field.COUNT)
_RECEIVED_AT: Final = int(Field.RECEIVED_AT)

# DELIVERY and MESSAGE_ID; then the name; then the time; then what stands between it and the body.
_DELIVERED: Final = Struct(">6sQ6s16s")
_AFTER_TIME: Final = Struct(">6sB 6sI HI")
_REQUEST_FIELD: Final = Struct(">HII")
# And for one alone: the frame header and all up to the name; then what follows it.
_DELIVERED_HEAD: Final = Struct(">HI 6sQ6s16s HI")
_MESSAGE_TAIL: Final = Struct(">6sQ 6sB 6sI HI")
_MESSAGE_FIXED_BYTES: Final = _DELIVERED_HEAD.size - HEADER_BYTES + _MESSAGE_TAIL.size
_SUCCESS_TAIL: Final = Struct(">6sQ")
_SUCCESS_FIXED_BYTES: Final = _DELIVERED_HEAD.size - HEADER_BYTES + _SUCCESS_TAIL.size
_DELIVERY_HEADER: Final = HEADER.pack(Field.DELIVERY, 8)
_RECEIVED_AT_HEADER: Final = HEADER.pack(Field.RECEIVED_AT, 8)
_AUDIENCE_HEADER: Final = HEADER.pack(Field.AUDIENCE, 1)
_COUNT_HEADER: Final = HEADER.pack(Field.COUNT, 4)
_REQUEST: Final = int(Field.REQUEST)
_SENDER: Final = int(Field.SENDER)
_DELIVERED_AT_HEADER: Final = HEADER.pack(Field.DELIVERED_AT, 8)
_DISTRIBUTE: Final = int(FrameType.DISTRIBUTE_MESSAGE)
_SUCCESS: Final = int(FrameType.MESSAGE_SUCCESS)

ID_AT: Final = 16
"""Where in REQUEST and MESSAGE_ID, as they stand in a frame, the id itself begins."""


def read_sends(data: bytes, position: int, count_max: int) -> list[SendToOne]:
    """The SEND_MESSAGEs to one recipient that stand in a row from `position` on."""
    found: list[SendToOne] = []
    unpack_head, unpack_header = _SEND_HEAD.unpack_from, HEADER.unpack_from
    head_bytes = _SEND_HEAD.size
    last = len(data) - head_bytes - HEADER_BYTES
    whole = len(data)
    # For the compiler, which knows nothing of what is unpacked (there: 0.49 us without, 0.30).
    type_: int
    length: int
    first: bytes
    request: int
    second: bytes
    installation: bytes
    counter: int
    field: int
    name_bytes: int
    size: int
    while position <= last and count_max > 0:
        (
            type_,
            length,
            first,
            request,
            second,
            installation,
            counter,
            field,
            name_bytes,
        ) = unpack_head(data, position)
        end = position + HEADER_BYTES + length
        if (
            type_ != _SEND
            or first != _REQUEST_HEADER
            or second != _ID_HEADER
            or field != _RECIPIENT
            or end > whole
            or length > limits.FRAME_BYTES_MAX
            or not request
        ):
            break
        name_at = position + head_bytes
        name_end = name_at + name_bytes
        body_at = name_end + HEADER_BYTES
        if body_at > end:
            break
        field, size = unpack_header(data, name_end)
        body = data[body_at:end]
        if field != _BODY or body_at + size != end or not (body.isascii() or _is_utf8(body)):
            break
        ids = data[position + _IDS_AT : position + _IDS_END]
        found.append((end, ids, installation, counter, data[name_at:name_end], body))
        position = end
        count_max -= 1
    return found


def write_pendings(ids: list[bytes], received_at_ms: int) -> bytes:
    """The MESSAGE_PENDINGs of messages to one recipient each, all taken at the same moment.

    `ids` are REQUEST and MESSAGE_ID as `read_sends` gave them: the answer repeats them as they are.
    """
    tail = _PENDING_TAIL.pack(_COUNT, 4, 1, _RECEIVED_AT, 8, received_at_ms)
    return b"".join((_PENDING_HEADER, (tail + _PENDING_HEADER).join(ids), tail))


def write_message(row: Delivered) -> bytes:
    """`Deliveries` for one message that no check asked for: its DISTRIBUTE_MESSAGE."""
    delivery, message_id, sender, at_ms, audience, count, _, body = row
    body_bytes = len(body)
    assert body_bytes <= limits.BODY_BYTES_MAX
    name_bytes = len(sender)
    assert name_bytes <= limits.NAME_BYTES_MAX
    length = _MESSAGE_FIXED_BYTES + name_bytes + body_bytes
    head = _DELIVERED_HEAD.pack(
        *(_DISTRIBUTE, length, _DELIVERY_HEADER, delivery, _ID_HEADER, message_id),
        *(_SENDER, name_bytes),
    )
    tail = _MESSAGE_TAIL.pack(
        *(_RECEIVED_AT_HEADER, at_ms, _AUDIENCE_HEADER, audience, _COUNT_HEADER, count),
        *(_BODY, body_bytes),
    )
    return head + sender + tail + body


def write_success(row: Delivered) -> bytes:
    """`Deliveries` for one success: its MESSAGE_SUCCESS."""
    delivery, message_id, recipient, at_ms, _, _, _, _ = row
    name_bytes = len(recipient)
    assert name_bytes <= limits.NAME_BYTES_MAX
    length = _SUCCESS_FIXED_BYTES + name_bytes
    head = _DELIVERED_HEAD.pack(
        *(_SUCCESS, length, _DELIVERY_HEADER, delivery, _ID_HEADER, message_id),
        *(_RECIPIENT, name_bytes),
    )
    return head + recipient + _SUCCESS_TAIL.pack(_DELIVERED_AT_HEADER, at_ms)


class Deliveries:
    """DISTRIBUTE_MESSAGEs and MESSAGE_SUCCESSes in a row, being written.

    What messages of one sender and one length share (mostly all but delivery, id, time and text) is
    written once: measured 0.4 us a message, 1.9 one by one.
    """

    __slots__ = ("_messages", "_parts", "_request", "_successes")

    def __init__(self, request: int | None) -> None:
        """`request` is that of the check which asked for the messages, if one did."""
        self._request = b"" if request is None else _REQUEST_FIELD.pack(_REQUEST, 4, request)
        self._parts: list[bytes] = []
        # What such messages share: what stands before DELIVERY, before the time, and after it.
        self._messages: dict[_Alike, tuple[bytes, bytes, bytes]] = {}
        self._successes: dict[bytes, tuple[bytes, bytes]] = {}

    def add_messages(self, rows: Iterable[Delivered]) -> None:
        """A DISTRIBUTE_MESSAGE for each."""
        parts, shared = self._parts, self._messages
        pack, pack_time = _DELIVERED.pack, U64.pack
        alike: _Alike | None = None
        time_ms = -1
        front = middle = b""
        for delivery, message_id, sender, at_ms, audience, count, _, body in rows:
            key = sender, len(body), audience, count
            if at_ms != time_ms or key != alike:
                found = shared.get(key)
                if found is None:
                    found = shared[key] = self._shared(*key)
                front, before_time, after_time = found
                middle = before_time + pack_time(at_ms) + after_time
                alike, time_ms = key, at_ms
            parts += (
                front,
                pack(_DELIVERY_HEADER, delivery, _ID_HEADER, message_id),
                middle,
                body,
            )

    def add_successes(self, rows: Iterable[Delivered]) -> None:
        """A MESSAGE_SUCCESS for each; its name is the recipient's."""
        parts, shared = self._parts, self._successes
        pack, pack_time = _DELIVERED.pack, U64.pack
        name: bytes | None = None
        time_ms = -1
        front = rest = b""
        for delivery, message_id, recipient, at_ms, _, _, _, _ in rows:
            if at_ms != time_ms or recipient != name:
                found = shared.get(recipient)
                if found is None:
                    before_time = _named(_RECIPIENT, recipient) + _DELIVERED_AT_HEADER
                    length = _DELIVERED.size + len(before_time) + U64.size
                    found = shared[recipient] = HEADER.pack(_SUCCESS, length), before_time
                front, before_time = found
                rest = before_time + pack_time(at_ms)
                name, time_ms = recipient, at_ms
            parts += (front, pack(_DELIVERY_HEADER, delivery, _ID_HEADER, message_id), rest)

    def add_frame(self, frame: bytes) -> None:
        """Any other frame, whole."""
        self._parts.append(frame)

    def written(self) -> bytes:
        """All of them."""
        return b"".join(self._parts)

    def _shared(
        self, sender: bytes, body_bytes: int, audience: int, count: int
    ) -> tuple[bytes, bytes, bytes]:
        assert body_bytes <= limits.BODY_BYTES_MAX
        before_time = _named(_SENDER, sender) + _RECEIVED_AT_HEADER
        after_time = _AFTER_TIME.pack(
            _AUDIENCE_HEADER, audience, _COUNT_HEADER, count, _BODY, body_bytes
        )
        value_bytes = len(self._request) + _DELIVERED.size + len(before_time) + U64.size
        value_bytes += len(after_time) + body_bytes
        return HEADER.pack(_DISTRIBUTE, value_bytes) + self._request, before_time, after_time


def _named(field: int, name: bytes) -> bytes:
    """A field with a user's name."""
    assert len(name) <= limits.NAME_BYTES_MAX
    return HEADER.pack(field, len(name)) + name


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
