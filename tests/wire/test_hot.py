"""The short way and the table: the same bytes, the same messages, the same refusals."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.wire.samples import MESSAGE_ID, MESSAGES, NOON_MS
from wire import frames, hot, limits
from wire.codes import Field, FrameType
from wire.errors import RemoteProtocolError
from wire.fields import UnsupportedFieldError
from wire.messages import (
    AccountEntry,
    AccountList,
    DistributeMessage,
    Message,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    SendMessage,
)
from wire.tlv import HEADER_BYTES, encode

NAMES = st.text("abcxyz09._-", min_size=0, max_size=12)
ASCII = st.text(st.characters(max_codepoint=127), max_size=60).map(str.encode)
U64 = st.integers(0, (1 << 64) - 1)
U32 = st.integers(0, 0xFFFFFFFF)
REQUESTS = st.integers(1, 0xFFFFFFFF)
IDS = st.binary(min_size=16, max_size=16)
USUAL = st.one_of(
    st.builds(SendMessage, REQUESTS, IDS, ASCII, st.lists(NAMES, max_size=4).map(tuple)),
    st.builds(SendMessage, REQUESTS, IDS, ASCII, everyone=st.just(value=True)),
    st.builds(MessageReceipt, st.lists(U64, max_size=5).map(tuple), st.none() | REQUESTS),
    st.builds(MessagePending, REQUESTS, IDS, U32, U64),
    st.builds(MessageSuccess, U64, IDS, NAMES, U64),
    st.builds(
        AccountList,
        *(REQUESTS, U32, U32, st.none() | NAMES),
        st.lists(
            st.builds(
                AccountEntry,
                *(NAMES, st.integers(0, 255), st.none() | U64, st.none() | U64, st.booleans()),
            ),
            max_size=3,
        ).map(tuple),
    ),
    st.builds(DistributeMessage, U64, IDS, NAMES, U64, st.integers(0, 255), U32, ASCII),
)
ASKED = st.builds(
    DistributeMessage, U64, IDS, NAMES, U64, st.integers(0, 255), U32, ASCII, REQUESTS
)
Way = Callable[[int, bytes, int, int], Message]
READERS = {
    FrameType.SEND_MESSAGE: hot.read_send,
    FrameType.MESSAGE_RECEIPT: hot.read_receipt,
    FrameType.DISTRIBUTE_MESSAGE: hot.read_distribute,
    FrameType.MESSAGE_SUCCESS: hot.read_success,
}
PIECES = st.sampled_from(
    [
        encode(Field.REQUEST, b"\0\0\0\1"),
        encode(Field.REQUEST, bytes(4)),
        encode(Field.REQUEST, b"\1"),
        encode(Field.MESSAGE_ID, MESSAGE_ID),
        encode(Field.MESSAGE_ID, MESSAGE_ID[1:]),
        encode(Field.RECIPIENT, b"bob"),
        encode(Field.RECIPIENT, "bób".encode()),
        encode(Field.RECIPIENT, b"\xff"),
        encode(Field.RECIPIENT, b"n" * (limits.NAME_BYTES_MAX + 1)),
        encode(Field.EVERYONE, b"\1"),
        encode(Field.EVERYONE, b"\0"),
        encode(Field.EVERYONE, b"\2"),
        encode(Field.BODY, b"hello"),
        encode(Field.BODY, "grüße".encode()),
        encode(Field.BODY, b"\xff"),
        encode(Field.DELIVERY, bytes(8)),
        encode(Field.DELIVERY, bytes(7)),
        encode(0x7FAA, b"unknown"),
        encode(0x80AA, b"must be understood"),
        b"\0",
    ]
)


def outcome(way: Way, type_: int, data: bytes) -> object:
    """What a way of reading makes of the bytes: a message, or how it refuses."""
    try:
        return way(type_, data, 0, len(data))
    except RemoteProtocolError as error:
        return (error.code, error.text)
    except UnsupportedFieldError as error:
        return error.field


@given(st.sampled_from(list(READERS)), st.lists(PIECES, max_size=7))
def test_whatever_is_read_is_read_as_the_table_reads_it(
    type_: FrameType, pieces: list[bytes]
) -> None:
    data = b"".join(pieces)
    assert outcome(frames.decode, type_, data) == outcome(frames.decode_by_table, type_, data)


@given(MESSAGES | USUAL)
def test_whatever_is_written_is_written_as_the_table_writes_it(message: Message) -> None:
    assert frames.encode(message) == frames.encode_by_table(message)


def test_a_page_of_names_is_the_same_both_ways() -> None:
    entries = (AccountEntry("ann", 1, 2, 3, queue_full=True), AccountEntry("bob", 2))
    page = AccountList(1, 2, 3, cursor="bob", entries=entries)
    assert frames.encode(page) == frames.encode_by_table(page)


@given(USUAL)
def test_what_is_usual_takes_the_short_way(message: Message) -> None:
    """Else all of this would be for nothing, and nobody would notice."""
    reader = READERS.get(frames.frame_type(message))
    if reader is not None:
        data = frames.encode_by_table(message)
        assert reader(data, HEADER_BYTES, len(data)) == message
    if isinstance(message, SendMessage | MessageReceipt):
        return
    if isinstance(message, MessagePending):
        assert hot.write_pending(message) is not None
    elif isinstance(message, MessageSuccess):
        assert hot.write_success(message) is not None
    elif isinstance(message, AccountList):
        assert hot.write_list(message) is not None
    else:
        assert isinstance(message, DistributeMessage)
        assert hot.write_distribute(message) is not None


@given(ASKED)
def test_what_a_check_brings_is_read_the_short_way(message: DistributeMessage) -> None:
    data = frames.encode_by_table(message)
    assert hot.read_distribute(data, HEADER_BYTES, len(data)) == message


@given(USUAL | ASKED, st.data())
def test_a_changed_byte_is_read_as_the_table_reads_it(
    message: Message, source: st.DataObject
) -> None:
    type_, data = frames.frame_type(message), bytearray(frames.encode(message)[HEADER_BYTES:])
    assume(data)
    data[source.draw(st.integers(0, len(data) - 1))] = source.draw(st.integers(0, 255))
    del data[source.draw(st.integers(1, len(data))) :]
    found = outcome(frames.decode, type_, bytes(data))
    assert found == outcome(frames.decode_by_table, type_, bytes(data))


@pytest.mark.parametrize("cut", range(1, 80))
def test_every_cut_is_refused_as_the_table_refuses_it(cut: int) -> None:
    whole = frames.encode(SendMessage(1, MESSAGE_ID, b"hello", ("bob", "carol")))
    data = whole[HEADER_BYTES:-cut]
    type_ = FrameType.SEND_MESSAGE
    assert outcome(frames.decode, type_, data) == outcome(frames.decode_by_table, type_, data)


def test_a_message_that_begins_with_another_field_is_left_to_the_table() -> None:
    message = SendMessage(7, MESSAGE_ID, b"hello", ("bob", "carol"))
    data = frames.encode(message)[HEADER_BYTES:]
    request, rest = data[:10], data[10:]
    assert hot.read_send(rest + request, 0, len(data)) is None
    assert frames.decode(FrameType.SEND_MESSAGE, rest + request, 0, len(data)) == message


def test_limits_are_the_tables() -> None:
    many = (7,) * (limits.DELIVERIES_MAX + 1)
    data = frames.encode(MessageReceipt(many))[HEADER_BYTES:]
    assert hot.read_receipt(data, 0, len(data)) is None
    assert frames.decode(FrameType.MESSAGE_RECEIPT, data, 0, len(data)) == MessageReceipt(many)
    names = ("bob",) * (limits.RECIPIENTS_MAX + 1)
    data = frames.encode(SendMessage(1, MESSAGE_ID, b"x", names))[HEADER_BYTES:]
    assert hot.read_send(data, 0, len(data)) is None
    long = "n" * (limits.NAME_BYTES_MAX + 1)
    assert hot.write_success(MessageSuccess(1, MESSAGE_ID, long, NOON_MS)) is None
    assert hot.write_list(AccountList(1, 2, 3, cursor=long)) is None
    assert hot.write_list(AccountList(1, 2, 3, entries=(AccountEntry(long, 1),))) is None
    page = (AccountEntry("bob", 1),) * (limits.FRAME_BYTES_MAX // 16 + 1)
    assert hot.write_list(AccountList(1, 2, 3, entries=page)) is None
    distribute = DistributeMessage(1, MESSAGE_ID, long, NOON_MS, 1, 1, b"x")
    assert hot.write_distribute(distribute) is None


def test_what_is_unusual_is_left_to_the_table() -> None:
    unknown = encode(0x7FAA, bytes(8))
    no_request = encode(Field.REQUEST, bytes(4))
    for data in (unknown, no_request):
        assert hot.read_receipt(data, 0, len(data)) is None
    head = encode(Field.REQUEST, b"\0\0\0\1") + encode(Field.MESSAGE_ID, MESSAGE_ID)
    stranger = encode(Field.RECIPIENT, "zoë".encode())
    for field in (unknown, encode(Field.EVERYONE, b"\0"), stranger):
        data = head + field + encode(Field.BODY, b"x")
        assert hot.read_send(data, 0, len(data)) is None
    assert hot.write_pending(MessagePending(1, MESSAGE_ID, duplicate=True)) is None
    assert hot.write_pending(MessagePending(1, b"short", 1, NOON_MS)) is None
    assert hot.write_success(MessageSuccess(1, b"short", "bob", NOON_MS)) is None


def test_a_delivery_that_is_laid_out_otherwise_is_left_to_the_table() -> None:
    named = [
        encode(Field.DELIVERY, bytes(7) + b"\1"),
        encode(Field.MESSAGE_ID, MESSAGE_ID),
        encode(Field.RECIPIENT, b"bob"),
    ]
    success = [*named, encode(Field.DELIVERED_AT, bytes(8))]
    sent = [
        *named[:2],
        encode(Field.SENDER, b"bob"),
        encode(Field.RECEIVED_AT, bytes(8)),
        encode(Field.AUDIENCE, b"\1"),
        encode(Field.COUNT, b"\0\0\0\1"),
        encode(Field.BODY, b"x"),
    ]
    for reader, fields in ((hot.read_success, success), (hot.read_distribute, sent)):
        whole = b"".join(fields)
        assert reader(whole, 0, len(whole)) is not None
        for place, field in enumerate(fields):
            # Of the same size, so that only its number tells; and too long.
            other = encode(0x7FAA, field[HEADER_BYTES:])
            for changed in (other, other + b"\0"):
                data = b"".join((*fields[:place], changed, *fields[place + 1 :]))
                assert reader(data, 0, len(data)) is None
        for end in range(len(whole)):
            assert reader(whole[:end], 0, end) is None
        stranger = whole.replace(b"bob", "zö".encode())
        assert reader(stranger, 0, len(stranger)) is None
    umlaut = b"".join((*sent[:-1], encode(Field.BODY, "ü".encode())))
    assert hot.read_distribute(umlaut, 0, len(umlaut)) is None
