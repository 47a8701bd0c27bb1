"""Frames in a row and frames one by one: the same values, the same bytes."""

from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.samples import MESSAGE_ID
from wire import frames, limits, runs
from wire.codes import Field, FrameType
from wire.connection import Connection
from wire.messages import (
    DistributeMessage,
    Message,
    MessagePending,
    MessageSuccess,
    Ping,
    SendMessage,
)
from wire.states import Role, State
from wire.tlv import HEADER_BYTES, encode

IDS = st.binary(min_size=16, max_size=16)
REQUESTS = st.integers(1, 0xFFFFFFFF)
BODIES = st.text(max_size=40).map(str.encode)
NAMES = st.text("abcxyz09._-é", max_size=12)
TO_ONE = st.builds(SendMessage, REQUESTS, IDS, BODIES, st.tuples(NAMES))
FIELDS = [
    encode(Field.REQUEST, b"\0\0\0\1"),
    encode(Field.MESSAGE_ID, MESSAGE_ID),
    encode(Field.RECIPIENT, b"bob"),
    encode(Field.BODY, b"hello"),
]
PIECES = st.sampled_from(
    [
        *FIELDS,
        encode(Field.REQUEST, bytes(4)),
        encode(Field.REQUEST, b"\1"),
        encode(Field.MESSAGE_ID, MESSAGE_ID[1:]),
        encode(Field.EVERYONE, b"\1"),
        encode(Field.BODY, b"\xff"),
        encode(0x7FAA, b"unknown"),
        b"\0",
    ]
)
ODD = st.lists(PIECES, max_size=6).map(lambda pieces: frame(*pieces))
STREAMS = st.lists(TO_ONE.map(frames.encode) | ODD | st.just(frames.encode(Ping(1))), max_size=6)


def frame(*pieces: bytes) -> bytes:
    return encode(FrameType.SEND_MESSAGE, b"".join(pieces))


def usual(count: int) -> list[Message]:
    return [SendMessage(n + 1, MESSAGE_ID, b"hello %d" % n, ("bob",)) for n in range(count)]


def stream(messages: list[Message]) -> bytes:
    return b"".join(map(frames.encode, messages))


@given(STREAMS, st.integers(0, 3), st.integers(0, 30))
def test_what_is_read_in_a_row_is_what_the_table_reads(
    parts: list[bytes], count_max: int, cut: int
) -> None:
    data = b"before" + b"".join(parts)
    data = data[: len(data) - cut]
    position = start = min(6, len(data))
    found = runs.read_sends(data, position, count_max)
    assert len(found) <= count_max
    for end, ids, installation, counter, name, body in found:
        message = (
            frames.decode_by_table(FrameType.SEND_MESSAGE, data, position + HEADER_BYTES, end)
            if name.decode("utf-8", "replace").encode() == name
            else None
        )
        assert message is None or message == SendMessage(
            message.request if isinstance(message, SendMessage) else 0,
            ids[runs.ID_AT :],
            body,
            (name.decode(),),
        )
        assert ids[runs.ID_AT :] == installation + counter.to_bytes(8, "big")
        position = end
    assert start <= position <= len(data)


@given(st.lists(TO_ONE, max_size=5))
def test_what_our_encoder_writes_is_read_in_a_row(messages: list[Message]) -> None:
    data = stream(messages)
    found = runs.read_sends(data, 0, 100)
    assert len(found) == len(messages)
    assert not found or found[-1][0] == len(data)


@given(st.lists(st.tuples(REQUESTS, IDS), min_size=1, max_size=5), st.integers(0, 1 << 60))
def test_answers_in_a_row_are_what_the_table_writes(
    answered: list[tuple[int, bytes]], at_ms: int
) -> None:
    data = stream([SendMessage(request, id_, b"hi", ("bob",)) for request, id_ in answered])
    ids = [each[1] for each in runs.read_sends(data, 0, 100)]
    expected = [
        frames.encode_by_table(MessagePending(request, id_, 1, at_ms)) for request, id_ in answered
    ]
    assert runs.write_pendings(ids, at_ms) == b"".join(expected)


U64 = st.integers(0, (1 << 64) - 1)
FEW = st.integers(7, 8)  # so that what follows often shares it
SHORT = st.sampled_from(["ann", "bób", "", "n" * 64])
DISTRIBUTES = st.builds(
    DistributeMessage,
    *(U64, IDS, SHORT, FEW, FEW, FEW, st.sampled_from([b"", b"hi", b"ho"])),
)
SUCCESSES = st.builds(MessageSuccess, U64, IDS, SHORT, FEW)
OUT = st.one_of(DISTRIBUTES, SUCCESSES, st.builds(Ping, REQUESTS))


def row_of(message: Message) -> runs.Delivered:
    if isinstance(message, DistributeMessage):
        return (
            *(message.delivery, message.message_id, message.sender.encode()),
            *(message.received_at_ms, message.audience, message.audience_count, 0, message.body),
        )
    assert isinstance(message, MessageSuccess)
    name = message.recipient.encode()
    return (message.delivery, message.message_id, name, message.delivered_at_ms, 1, 1, 0, b"")


def assert_written_as_by_the_table(messages: list[Message], request: int | None) -> None:
    out = runs.Deliveries(request)
    expected: list[bytes] = []
    for kind, alike in groupby(messages, type):
        some = list(alike)
        if kind is DistributeMessage:
            out.add_messages(map(row_of, some))
            some = [
                replace(each, request=request)
                for each in some
                if isinstance(each, DistributeMessage)
            ]
        elif kind is MessageSuccess:
            out.add_successes(map(row_of, some))
        else:
            for each in some:
                out.add_frame(frames.encode(each))
        expected += map(frames.encode_by_table, some)
    assert out.written() == b"".join(expected)


def assert_written_alone_as_by_the_table(message: DistributeMessage | MessageSuccess) -> None:
    if isinstance(message, DistributeMessage):
        written = runs.write_message(row_of(message))
    else:
        written = runs.write_success(row_of(message))
    assert written == frames.encode_by_table(message)


@given(DISTRIBUTES | SUCCESSES)
def test_one_alone_is_what_the_table_writes(message: DistributeMessage | MessageSuccess) -> None:
    assert_written_alone_as_by_the_table(message)


def test_a_message_alone_and_a_success_alone() -> None:
    for name in ("ann", "bób", "n" * 64):
        assert_written_alone_as_by_the_table(
            DistributeMessage(9, MESSAGE_ID, name, 7, 2, 300, b"x" * limits.BODY_BYTES_MAX)
        )
        assert_written_alone_as_by_the_table(MessageSuccess(1 << 60, MESSAGE_ID, name, 8))


@given(st.lists(OUT, max_size=8), st.none() | REQUESTS)
def test_deliveries_in_a_row_are_what_the_table_writes(
    messages: list[Message], request: int | None
) -> None:
    assert_written_as_by_the_table(messages, request)


@pytest.mark.parametrize("request_", [None, 7])
def test_deliveries_outcomes_and_other_frames_follow_each_other(request_: int | None) -> None:
    two = [DistributeMessage(each, MESSAGE_ID, "ann", 7, 1, 1, b"hi") for each in (1, 2)]
    outcomes = [MessageSuccess(each, MESSAGE_ID, "bob", 8) for each in (3, 4)]
    other = MessageSuccess(5, MESSAGE_ID, "bob", 9)
    assert_written_as_by_the_table([*two, *outcomes, other, Ping(6), *two], request_)


def test_two_answers_in_a_row() -> None:
    data = stream(usual(2))
    ids = [each[1] for each in runs.read_sends(data, 0, 100)]
    expected = [MessagePending(request, MESSAGE_ID, 1, 99) for request in (1, 2)]
    assert runs.write_pendings(ids, 99) == b"".join(map(frames.encode_by_table, expected))


def test_senders_who_take_turns_keep_their_names() -> None:
    turns = list(enumerate(("ann", "bób", "ann", "bób"), 1))
    messages = [DistributeMessage(at, bytes(16), name, at, 1, 1, b"hi") for at, name in turns]
    assert_written_as_by_the_table([*messages], None)
    outcomes = [MessageSuccess(at, bytes(16), name, at) for at, name in turns]
    assert_written_as_by_the_table([*outcomes], None)


def test_a_frame_longer_than_the_limit_ends_the_run() -> None:
    size = limits.FRAME_BYTES_MAX
    rest = b"".join(FIELDS[:3])
    data = frame(rest, encode(Field.BODY, bytes(size - len(rest) - HEADER_BYTES)))
    assert len(runs.read_sends(data, 0, 9)) == 1
    data = frame(rest, encode(Field.BODY, bytes(size - len(rest) - HEADER_BYTES + 1)))
    assert runs.read_sends(data, 0, 9) == []


def test_a_name_that_leaves_no_room_for_a_body_ends_the_run() -> None:
    data = frame(*FIELDS[:2], encode(Field.RECIPIENT, b"n" * 30))
    assert runs.read_sends(data + bytes(100), 0, 9) == []


def test_a_body_that_is_no_text_or_not_the_last_field_ends_the_run() -> None:
    assert runs.read_sends(frame(*FIELDS[:3], encode(Field.BODY, b"\xff")), 0, 9) == []
    assert runs.read_sends(frame(*FIELDS, encode(Field.EVERYONE, b"\1")), 0, 9) == []
    assert runs.read_sends(frame(*FIELDS[:3], FIELDS[2]), 0, 9) == []
    assert len(runs.read_sends(frame(*FIELDS[:3], encode(Field.BODY, "ü".encode())), 0, 9)) == 1


def online() -> Connection:
    server = Connection(Role.SERVER)
    server.state = State.ONLINE
    return server


def test_a_connection_goes_past_what_was_taken_and_reads_on() -> None:
    server, messages = online(), [*usual(3), Ping(9)]
    data = stream(messages)
    server.receive_data(data[:-1])
    found = server.next_sends(100)
    assert len(found) == 3
    server.pass_sends(found[1][0])
    assert server.next_event() == messages[2]
    assert server.next_event() is None
    assert server.next_sends(100) == []
    server.receive_data(data[-1:])
    assert server.next_sends(100) == []
    assert server.next_event() == Ping(9)
    assert server.buffered_bytes == 0


def test_only_who_is_online_has_messages_in_a_row() -> None:
    server = Connection(Role.SERVER)
    server.receive_data(stream(usual(2)))
    assert server.next_sends(100) == []
    client = Connection(Role.CLIENT)
    client.state = State.ONLINE
    client.receive_data(stream(usual(2)))
    assert client.next_sends(100) == []
