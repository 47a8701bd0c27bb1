"""The frames of the load generator: written from templates, read at fixed places.

The generator must never be what is measured, so a frame costs it one `struct` call. Rare frames go
through `wire` as everywhere; a test holds these templates against it.

Must never be used by a client: it knows only what `msgd` itself writes.
Fails with LoadError on bytes that it does not expect.
"""

from array import array
from collections.abc import Iterable
from struct import Struct
from typing import Final

from wire.codes import Field, FrameType
from wire.tlv import HEADER, HEADER_BYTES

BODY_BYTES: Final = 100
ID_DIGITS: Final = 16
FILLING: Final = (
    b"The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs"
)
USER_DIGITS: Final = 4

# SEND_MESSAGE to one user: frame header, REQUEST, MESSAGE_ID, RECIPIENT, BODY.
_SEND: Final = Struct(f">HI HII HI8sQ HI4s{USER_DIGITS}s HI{ID_DIGITS}s{len(FILLING)}s")
# The same to all: EVERYONE in the place of RECIPIENT.
_SEND_ALL: Final = Struct(f">HI HII HI8sQ HIB HI{ID_DIGITS}s{len(FILLING)}s")
_DELIVERY: Final = Struct(">HIQ")
_REQUEST_BYTES: Final = HEADER_BYTES + 4
_NUMBER_BYTES: Final = 8
_REQUEST_AND_COUNTER: Final = Struct(f">{HEADER_BYTES}xI{HEADER_BYTES}x8xQ")


class LoadError(Exception):
    """The server said something that a measurement cannot go on with."""


class ServerGoneError(LoadError):
    """The server went away."""


def send_frame(request: int, installation: bytes, user: bytes, body_id: bytes) -> bytes:
    """A SEND_MESSAGE to one of the users `user0000` and so on; the counter is the request."""
    return _SEND.pack(
        *(FrameType.SEND_MESSAGE, _SEND.size - HEADER_BYTES),
        *(Field.REQUEST, 4, request),
        *(Field.MESSAGE_ID, 16, installation, request),
        *(Field.RECIPIENT, 4 + USER_DIGITS, b"user", user),
        *(Field.BODY, BODY_BYTES, body_id, FILLING),
    )


def send_all_frame(request: int, installation: bytes, body_id: bytes) -> bytes:
    """A SEND_MESSAGE to everyone."""
    return _SEND_ALL.pack(
        *(FrameType.SEND_MESSAGE, _SEND_ALL.size - HEADER_BYTES),
        *(Field.REQUEST, 4, request),
        *(Field.MESSAGE_ID, 16, installation, request),
        *(Field.EVERYONE, 1, 1),
        *(Field.BODY, BODY_BYTES, body_id, FILLING),
    )


def receipt_frame(deliveries: Iterable[int]) -> bytes:
    """A MESSAGE_RECEIPT that is not answered. At most DELIVERIES_MAX of them."""
    fields = [_DELIVERY.pack(Field.DELIVERY, 8, delivery) for delivery in deliveries]
    value = b"".join(fields)
    return HEADER.pack(FrameType.MESSAGE_RECEIPT, len(value)) + value


def frame_spans(data: bytes | bytearray, wanted: list[tuple[int, int, int]]) -> int:
    """Put (type, start of the fields, end) of each whole frame into `wanted`; how many bytes."""
    at, stop = 0, len(data) - HEADER_BYTES
    whole = len(data)
    unpack, add = HEADER.unpack_from, wanted.append
    while at <= stop:
        kind, size = unpack(data, at)
        start = at + HEADER_BYTES
        end = start + size
        if end > whole:
            break
        add((kind, start, end))
        at = end
    return at


def pending_request(data: bytes | bytearray, start: int) -> int:
    """The REQUEST of a MESSAGE_PENDING."""
    request, _ = _REQUEST_AND_COUNTER.unpack_from(data, start)
    return int(request)


def delivery_number(data: bytes | bytearray, start: int) -> int:
    """The DELIVERY of a frame that begins with it, or with REQUEST before it."""
    field, size, number = _DELIVERY.unpack_from(data, start)
    if field == Field.REQUEST:
        field, size, number = _DELIVERY.unpack_from(data, start + _REQUEST_BYTES)
    if field != Field.DELIVERY or size != _NUMBER_BYTES:
        raise LoadError("a delivery in another layout than the server's own")
    return int(number)


def body_id(data: bytes | bytearray, end: int) -> int:
    """The id that stands at the beginning of the body, which is the last field."""
    start = end - BODY_BYTES
    return int(data[start : start + ID_DIGITS], 16)


def percentile_us(samples_ns: "array[int]", share: float) -> float:
    """The sample below which `share` of them lie, in microseconds; 0 without samples."""
    if not samples_ns:
        return 0.0
    ordered = sorted(samples_ns)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1_000
