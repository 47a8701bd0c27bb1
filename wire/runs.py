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

from struct import Struct
from typing import Final

from wire import limits
from wire.codes import Field, FrameType
from wire.tlv import HEADER, HEADER_BYTES

SendToOne = tuple[int, bytes, bytes, int, bytes, bytes]
"""Where the frame ends, its REQUEST and MESSAGE_ID as they stand there, the installation and the
counter of the id, the recipient's name (not looked at), the body."""

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

ID_AT: Final = 16
"""Where in REQUEST and MESSAGE_ID, as they stand in a frame, the id itself begins."""


def read_sends(data: bytes, position: int, count_max: int) -> list[SendToOne]:
    """The SEND_MESSAGEs to one recipient that stand in a row from `position` on."""
    found: list[SendToOne] = []
    unpack_head, unpack_header = _SEND_HEAD.unpack_from, HEADER.unpack_from
    head_bytes = _SEND_HEAD.size
    last = len(data) - head_bytes - HEADER_BYTES
    whole = len(data)
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


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
