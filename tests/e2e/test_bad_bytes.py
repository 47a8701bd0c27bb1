"""Bytes that no client should send. Each time the server survives, and honest clients go on."""

import random
import socket
from collections.abc import Callable
from typing import Final

import pytest

from tests import no_brakes
from tests.e2e.machine import wait_for_fd
from tests.e2e.plain_client import PlainClient
from tests.e2e.stage import Stage
from wire import limits, tlv
from wire.codes import Code, Field, FrameType
from wire.messages import (
    CheckComplete,
    CheckMessages,
    DistributeMessage,
    Error,
    LoginRequest,
    MessageFailure,
    MessagePending,
    MessageReceipt,
)

pytestmark = pytest.mark.e2e

AGENT: Final = tlv.encode(Field.AGENT, b"bad/1")


def hello(*fields: bytes) -> bytes:
    return tlv.encode(FrameType.HELLO, tlv.encode(Field.VERSION, b"\x00\x01") + b"".join(fields))


def honest_clients_go_on(stage: Stage, alice: PlainClient, bob: PlainClient) -> None:
    """They send to each other, and a new one comes in."""
    assert stage.server.alive
    assert isinstance(alice.send(("bob",), "still there?"), MessagePending)
    assert bob.check()[-1].body == b"still there?"
    stage.plain_user("carol").log_out()


def answer_to(stage: Stage, data: bytes) -> bytes:
    """What the server says to these bytes on a new connection, until it closes."""
    with socket.create_connection(("127.0.0.1", stage.server.port)) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            wait_for_fd(peer.fileno(), "the server closes")
            try:
                piece = peer.recv(65_536)
            except ConnectionResetError:
                return answer
            if not piece:
                return answer
            answer += piece


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes(stage: Stage, seed: int) -> None:
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    source = random.Random(seed)
    for _ in range(40):
        answer_to(stage, source.randbytes(source.randint(1, 5_000)))
        # The same after a good beginning: deeper doors.
        answer_to(stage, hello(AGENT) + source.randbytes(source.randint(1, 500)))
    honest_clients_go_on(stage, alice, bob)
    assert "Traceback" not in stage.server.log


def test_an_http_request(stage: Stage) -> None:
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    answer = answer_to(stage, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"this port speaks MSGP/1, which begins with HELLO" in answer
    honest_clients_go_on(stage, alice, bob)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        hello(AGENT)[:-1],
        hello(AGENT)[:7],
        hello(AGENT) + b"\x00\x13\x00\x00\x00",
        hello(AGENT) + tlv.encode(FrameType.LOGIN_REQUEST, b"\x00\x01\x00\x00\x00\x04\x00"),
    ],
    ids=["nothing", "one byte", "no last byte", "no value", "half a header", "half a field"],
)
def test_truncated_frames(stage: Stage, data: bytes) -> None:
    server = stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    answer_to(stage, data)
    server.wait_for_log("DISCONNECT")
    honest_clients_go_on(stage, alice, bob)


def broken(user: PlainClient, data: bytes) -> Error:
    """Say bytes on a good connection; the server's last word."""
    user.say_bytes(data)
    error = user.expect_end()
    assert error is not None
    return error


def oversized_before_login(stage: Stage) -> Error:
    return broken(stage.plain(), tlv.HEADER.pack(FrameType.LOGIN_REQUEST, 4_097))


def oversized_after_login(stage: Stage) -> Error:
    header = tlv.HEADER.pack(FrameType.SEND_MESSAGE, limits.FRAME_BYTES_MAX + 1)
    return broken(stage.plain_user("mallory"), header)


def enormous(stage: Stage) -> Error:
    return broken(stage.plain_user("mallory"), tlv.HEADER.pack(FrameType.SEND_MESSAGE, 2**32 - 1))


def too_many_fields(stage: Stage) -> Error:
    fields = tlv.encode(Field.REQUEST, b"\x00\x00\x00\x01") + tlv.encode(0x7AAA, b"") * 2_048
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.PING, fields))


def frame_type_zero(stage: Stage) -> Error:
    return broken(stage.plain_user("mallory"), tlv.HEADER.pack(0, 0))


def login_before_hello(stage: Stage) -> Error:
    answer = answer_to(stage, tlv.encode(FrameType.LOGIN_REQUEST, b""))
    assert b"begins with HELLO" in answer
    return Error(Code.ILLEGAL_NOW, "", fatal=True)


def send_before_login(stage: Stage) -> Error:
    return broken(stage.plain(), tlv.encode(FrameType.SEND_MESSAGE, b""))


def hello_twice(stage: Stage) -> Error:
    return broken(stage.plain_user("mallory"), hello(AGENT))


def login_twice(stage: Stage) -> Error:
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.LOGIN_REQUEST, b""))


def a_frame_of_the_servers(stage: Stage) -> Error:
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.MESSAGE_SUCCESS, b""))


def name_that_is_not_utf8(stage: Stage) -> Error:
    fields = (
        tlv.encode(Field.REQUEST, b"\x00\x00\x00\x01")
        + tlv.encode(Field.USERNAME, b"b\xffb")
        + tlv.encode(Field.INSTALLATION, b"12345678")
    )
    return broken(stage.plain(), tlv.encode(FrameType.LOGIN_REQUEST, fields))


def body_that_is_not_utf8(stage: Stage) -> Error:
    mallory = stage.plain_user("mallory")
    fields = (
        tlv.encode(Field.REQUEST, b"\x00\x00\x00\x01")
        + tlv.encode(Field.MESSAGE_ID, mallory.next_message_id())
        + tlv.encode(Field.RECIPIENT, b"bob")
        + tlv.encode(Field.BODY, b"\xc3\x28 \xed\xa0\x80 \xff")
    )
    return broken(mallory, tlv.encode(FrameType.SEND_MESSAGE, fields))


def missing_field(stage: Stage) -> Error:
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.PING, b""))


def field_twice(stage: Stage) -> Error:
    fields = tlv.encode(Field.REQUEST, b"\x00\x00\x00\x01") * 2
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.PING, fields))


def request_zero(stage: Stage) -> Error:
    fields = tlv.encode(Field.REQUEST, b"\x00\x00\x00\x00")
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.PING, fields))


def field_of_a_wrong_size(stage: Stage) -> Error:
    fields = tlv.encode(Field.REQUEST, b"\x00\x01")
    return broken(stage.plain_user("mallory"), tlv.encode(FrameType.PING, fields))


def no_common_version(stage: Stage) -> Error:
    frame = tlv.encode(FrameType.HELLO, tlv.encode(Field.VERSION, b"\x00\x63") + AGENT)
    answer = answer_to(stage, frame)
    assert b"MSGP version 1 only" in answer
    return Error(Code.VERSION, "", fatal=True)


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (oversized_before_login, Code.FRAME_TOO_LARGE),
        (oversized_after_login, Code.FRAME_TOO_LARGE),
        (enormous, Code.FRAME_TOO_LARGE),
        (too_many_fields, Code.MALFORMED),
        (frame_type_zero, Code.MALFORMED),
        (login_before_hello, Code.ILLEGAL_NOW),
        (send_before_login, Code.ILLEGAL_NOW),
        (hello_twice, Code.ILLEGAL_NOW),
        (login_twice, Code.ILLEGAL_NOW),
        (a_frame_of_the_servers, Code.ILLEGAL_NOW),
        (name_that_is_not_utf8, Code.MALFORMED),
        (body_that_is_not_utf8, Code.MALFORMED),
        (missing_field, Code.MALFORMED),
        (field_twice, Code.MALFORMED),
        (request_zero, Code.MALFORMED),
        (field_of_a_wrong_size, Code.MALFORMED),
        (no_common_version, Code.VERSION),
    ],
)
def test_a_broken_rule_ends_that_connection_only(
    stage: Stage, break_it: Callable[[Stage], Error], code: Code
) -> None:
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    error = break_it(stage)
    assert error.fatal
    assert error.code == code, error
    honest_clients_go_on(stage, alice, bob)
    # The offender's name is free again, and its queue is as it was.
    assert stage.plain_user("mallory").check() == []


def test_what_is_unknown_is_not_fatal(stage: Stage) -> None:
    """Frames and fields of the future are answered or passed over, and the connection goes on."""
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    request = tlv.encode(Field.REQUEST, b"\x00\x00\x03\xe7")
    alice.say_bytes(tlv.encode(999, request))
    unknown = alice.expect(Error)
    assert (unknown.code, unknown.fatal, unknown.request) == (Code.UNSUPPORTED, False, 999)
    alice.say_bytes(tlv.encode(FrameType.PING, request + tlv.encode(0x8001, b"must")))
    assert alice.expect(Error).code == Code.UNSUPPORTED
    alice.say_bytes(tlv.encode(FrameType.LIST_ACCOUNTS, request + tlv.encode(0x7AAA, b"may")))
    honest_clients_go_on(stage, alice, bob)


def test_frames_byte_by_byte_and_many_at_once(stage: Stage) -> None:
    stage.start_server()
    stage.create("bob")
    slow = stage.plain(b"slow....")
    login = tlv.encode(
        FrameType.LOGIN_REQUEST,
        tlv.encode(Field.REQUEST, b"\x00\x00\x00\x01")
        + tlv.encode(Field.USERNAME, b"slow")
        + tlv.encode(Field.INSTALLATION, b"slow....")
        + tlv.encode(Field.CREATE_IF_NEW, b"\x01"),
    )
    for place in range(len(login)):
        slow.say_bytes(login[place : place + 1])
    ping = tlv.encode(FrameType.PING, tlv.encode(Field.REQUEST, b"\x00\x00\x00\x02"))
    slow.say_bytes(ping * 5_000)
    bob = stage.plain_user("bob")
    assert "slow" in {entry.username for entry in bob.list_accounts()}
    assert stage.server.alive


def test_receipts_and_checks_that_make_no_sense(stage: Stage) -> None:
    """Numbers that are not out, of other people's messages, or far too large."""
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    mallory = stage.plain_user("mallory")
    alice.send(("bob",), "bob's own")
    bob.say(CheckMessages(bob.next_request()))
    delivery = bob.expect(DistributeMessage).delivery
    bob.expect(CheckComplete)
    assert mallory.confirm(delivery, 0, 1, 2**64 - 1) == 0
    mallory.say(MessageReceipt(tuple(range(1_024)), mallory.next_request()))
    # Bob still has it to confirm.
    assert bob.confirm(delivery) == 1
    honest_clients_go_on(stage, alice, bob)


def test_messages_that_cannot_be_accepted(stage: Stage) -> None:
    """Refused by a code, and the connection goes on."""
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    for recipients, body, everyone, code in (
        (("bob",), b"", False, Code.BODY_EMPTY),
        (("bob",), b"x" * (64 * 1024 + 1), False, Code.BODY_TOO_LARGE),
        ((), b"x", False, Code.NO_RECIPIENTS),
        (("bob",), b"x", True, Code.TOO_MANY_RECIPIENTS),
        (tuple(f"u{n}" for n in range(1_025)), b"x", False, Code.TOO_MANY_RECIPIENTS),
        (("../../etc/passwd",), b"x", False, Code.UNKNOWN_RECIPIENT),
    ):
        refused = alice.send(recipients, body, everyone=everyone)
        assert isinstance(refused, MessageFailure), recipients
        assert refused.code == code
    assert isinstance(alice.send(("bob",), b"x" * 64 * 1024), MessagePending)
    assert len(bob.check()[0].body) == 64 * 1024
    honest_clients_go_on(stage, alice, bob)


def test_somebody_who_never_reads(stage: Stage) -> None:
    """A client that asks much and takes nothing is not waited for."""
    stage.start_server(options=no_brakes.ARGUMENTS)
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    deaf = stage.plain_user("deaf", live=True)
    for _ in range(200):
        alice.send(("deaf",), b"x" * 10_000)
    honest_clients_go_on(stage, alice, bob)
    deaf.close()
    again = stage.plain_user("deaf")
    assert len(again.check()) == 200


def test_many_connections_that_say_nothing(stage: Stage) -> None:
    """They have no login after a while, and make room."""
    server = stage.start_server(
        options=("--connections-max", "20", "--login-timeout-ms", "500"),
    )
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
    try:
        server.wait_for_log("REJECT")
        server.wait_for_log("no login within", 10)
        honest_clients_go_on(stage, alice, bob)
    finally:
        for one in silent:
            one.close()


def test_a_login_request_before_the_answer_to_another(stage: Stage) -> None:
    """Wrong order: only the first counts, the second breaks the rules."""
    stage.start_server()
    alice, bob = stage.plain_user("alice"), stage.plain_user("bob")
    hasty = stage.plain(b"hasty...")
    hasty.say(LoginRequest(1, "hasty", hasty.installation, create_if_new=True))
    frame = tlv.encode(FrameType.LOGIN_REQUEST, b"")
    error = broken(hasty, frame)
    assert error.code == Code.ILLEGAL_NOW
    honest_clients_go_on(stage, alice, bob)
