"""The templates of the load generator say what `wire` says."""

from tests.bench.frames import (
    BODY_BYTES,
    FILLING,
    body_id,
    delivery_number,
    frame_spans,
    pending_request,
    receipt_frame,
    send_all_frame,
    send_frame,
)
from wire import frames
from wire.messages import (
    DistributeMessage,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    SendMessage,
)
from wire.tlv import HEADER, HEADER_BYTES

INSTALLATION = b"\x00\x00\x00\x0b\x00\x00\x00\x01"
BODY = b"000b000100000007" + FILLING


def read(data: bytes) -> object:
    kind, size = HEADER.unpack_from(data)
    assert len(data) == HEADER_BYTES + size
    return frames.decode(kind, data, HEADER_BYTES, len(data))


def test_a_send_is_a_send() -> None:
    assert len(BODY) == BODY_BYTES
    message_id = INSTALLATION + (7).to_bytes(8, "big")
    one = read(send_frame(7, INSTALLATION, b"0042", BODY[:16]))
    assert one == SendMessage(7, message_id, BODY, ("user0042",))
    everyone = read(send_all_frame(7, INSTALLATION, BODY[:16]))
    assert everyone == SendMessage(7, message_id, BODY, (), everyone=True)


def test_a_receipt_is_a_receipt() -> None:
    assert read(receipt_frame([5, 9])) == MessageReceipt((5, 9))


def test_answers_are_read_at_their_places() -> None:
    pending = frames.encode(MessagePending(7, bytes(16), 1, 1_000))
    assert pending_request(pending, HEADER_BYTES) == 7
    for request in (None, 3):
        message = DistributeMessage(99, bytes(16), "alice", 1_000, 1, 1, BODY, request)
        data = frames.encode(message)
        assert delivery_number(data, HEADER_BYTES) == 99
        assert body_id(data, len(data)) == 0x000B000100000007
    success = frames.encode(MessageSuccess(98, bytes(16), "bob", 1_000))
    assert delivery_number(success, HEADER_BYTES) == 98


def test_only_whole_frames_are_taken() -> None:
    one = receipt_frame([1])
    spans: list[tuple[int, int, int]] = []
    assert frame_spans(one + one[:-1], spans) == len(one)
    assert spans == [(37, HEADER_BYTES, len(one))]
