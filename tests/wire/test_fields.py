"""The rules for fields, tried on frames that use each of them."""

import pytest

from wire import limits
from wire.codes import Code, Field, FrameType
from wire.errors import LocalProtocolError, RemoteProtocolError
from wire.fields import UnsupportedFieldError
from wire.frames import decode, encode
from wire.messages import (
    AccountList,
    CreateAccount,
    Hello,
    ListAccounts,
    LoginRequest,
    Message,
    MessageReceipt,
    Ping,
    SendMessage,
)
from wire.tlv import encode as tlv

REQUEST = tlv(Field.REQUEST, b"\0\0\0\1")
NAME = tlv(Field.USERNAME, b"bob")
INSTALLATION = tlv(Field.INSTALLATION, bytes(8))


def read(frame: FrameType, *parts: bytes) -> Message:
    data = b"".join(parts)
    return decode(frame, data, 0, len(data))


def refused(frame: FrameType, *parts: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        read(frame, *parts)
    assert caught.value.code == Code.MALFORMED
    return caught.value.text


def test_fields_stand_in_any_order() -> None:
    assert read(FrameType.CREATE_ACCOUNT, NAME, REQUEST) == CreateAccount(1, "bob")


def test_an_unknown_field_is_skipped() -> None:
    unknown = tlv(0x7FAA, b"whatever")
    message = read(FrameType.CREATE_ACCOUNT, unknown, REQUEST, unknown, NAME, unknown)
    assert message == CreateAccount(1, "bob")


def test_an_unknown_field_that_must_be_understood_is_not_skipped() -> None:
    with pytest.raises(UnsupportedFieldError) as caught:
        read(FrameType.CREATE_ACCOUNT, REQUEST, NAME, tlv(0x80AA, b""))
    assert caught.value.field == 0x80AA


def test_a_missing_field_is_named() -> None:
    assert "username" in refused(FrameType.CREATE_ACCOUNT, REQUEST)


@pytest.mark.parametrize("twice", [REQUEST, NAME])
def test_a_single_field_stands_once(twice: bytes) -> None:
    assert "twice" in refused(FrameType.CREATE_ACCOUNT, REQUEST, NAME, twice)


def test_a_zero_or_false_value_stands_once_too() -> None:
    off = tlv(Field.LIVE, b"\0")
    assert "twice" in refused(FrameType.LOGIN_REQUEST, REQUEST, NAME, INSTALLATION, off, off)
    limit = tlv(Field.LIMIT, bytes(4))
    assert "twice" in refused(FrameType.LIST_ACCOUNTS, REQUEST, limit, limit)


def test_a_request_is_not_zero() -> None:
    assert "below 1" in refused(FrameType.PING, tlv(Field.REQUEST, bytes(4)))


@pytest.mark.parametrize("size", [0, 3, 5])
def test_a_number_has_its_size(size: int) -> None:
    assert f"of {size} bytes" in refused(FrameType.PING, tlv(Field.REQUEST, bytes(size)))


@pytest.mark.parametrize("size", [0, 7, 9])
def test_octets_have_their_size(size: int) -> None:
    wrong = tlv(Field.INSTALLATION, bytes(size))
    assert f"{size} bytes" in refused(FrameType.LOGIN_REQUEST, REQUEST, NAME, wrong)


@pytest.mark.parametrize("value", [b"", b"\2", b"\1\1"])
def test_a_flag_is_one_byte_of_zero_or_one(value: bytes) -> None:
    flag = tlv(Field.LIVE, value)
    assert "neither" in refused(FrameType.LOGIN_REQUEST, REQUEST, NAME, INSTALLATION, flag)


def test_a_flag_sent_as_zero_is_off() -> None:
    off = tlv(Field.LIVE, b"\0")
    message = read(FrameType.LOGIN_REQUEST, REQUEST, NAME, INSTALLATION, off)
    assert message == LoginRequest(1, "bob", bytes(8), live=False)


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"]
)
def test_text_is_strict_utf8(bad: bytes) -> None:
    assert "UTF-8" in refused(FrameType.CREATE_ACCOUNT, REQUEST, tlv(Field.USERNAME, bad))
    body = tlv(Field.BODY, bad)
    message_id = tlv(Field.MESSAGE_ID, bytes(16))
    assert "UTF-8" in refused(FrameType.SEND_MESSAGE, REQUEST, message_id, body)


def test_text_has_a_limit_at_both_ends() -> None:
    name = "n" * limits.NAME_BYTES_MAX
    assert read(FrameType.CREATE_ACCOUNT, REQUEST, tlv(Field.USERNAME, name.encode())) == (
        CreateAccount(1, name)
    )
    too_long = tlv(Field.USERNAME, b"n" * (limits.NAME_BYTES_MAX + 1))
    assert "at most" in refused(FrameType.CREATE_ACCOUNT, REQUEST, too_long)
    with pytest.raises(LocalProtocolError):
        encode(CreateAccount(1, name + "n"))


def test_octets_of_our_own_have_their_size() -> None:
    with pytest.raises(LocalProtocolError):
        encode(LoginRequest(1, "bob", b"short"))


@pytest.mark.parametrize("size", [limits.SALT_BYTES_MIN, limits.SALT_BYTES_MAX])
def test_octets_between_two_sizes_may_have_either(size: int) -> None:
    message = read(FrameType.CREATE_ACCOUNT, REQUEST, NAME, tlv(Field.SALT, bytes(size)))
    assert message == CreateAccount(1, "bob", salt=bytes(size))
    assert encode(CreateAccount(1, "bob", salt=bytes(size))).endswith(bytes(size))


@pytest.mark.parametrize("size", [limits.SALT_BYTES_MIN - 1, limits.SALT_BYTES_MAX + 1])
def test_octets_between_two_sizes_have_no_other(size: int) -> None:
    wrong = tlv(Field.SALT, bytes(size))
    assert f"{size} bytes where 16 to 64" in refused(FrameType.CREATE_ACCOUNT, REQUEST, NAME, wrong)
    with pytest.raises(LocalProtocolError):
        encode(CreateAccount(1, "bob", salt=bytes(size)))


def test_repeated_fields_keep_their_order_and_repeats() -> None:
    parts = [tlv(Field.DELIVERY, number.to_bytes(8)) for number in (3, 1, 3)]
    assert read(FrameType.MESSAGE_RECEIPT, *parts) == MessageReceipt((3, 1, 3))
    assert read(FrameType.MESSAGE_RECEIPT) == MessageReceipt(())


def test_half_a_field_is_refused() -> None:
    assert "half a header" in refused(FrameType.PING, REQUEST, b"\0\1")
    assert "past the end" in refused(FrameType.PING, REQUEST[:-1])


def test_the_number_of_fields_has_a_limit() -> None:
    delivery = tlv(Field.DELIVERY, bytes(8))
    most = read(FrameType.MESSAGE_RECEIPT, delivery * limits.FIELDS_MAX)
    assert most == MessageReceipt((0,) * limits.FIELDS_MAX)
    more = refused(FrameType.MESSAGE_RECEIPT, delivery * (limits.FIELDS_MAX + 1))
    assert str(limits.FIELDS_MAX) in more
    unknown = tlv(0x7FAA, b"")
    assert "more than" in refused(FrameType.PING, REQUEST, unknown * limits.FIELDS_MAX)


LIST_HEAD = (
    REQUEST,
    tlv(Field.ACCOUNTS_TOTAL, b"\0\0\0\2"),
    tlv(Field.ACCOUNTS_CONNECTED, bytes(4)),
)
PRESENCE = tlv(Field.PRESENCE, b"\1")


def test_a_group_attribute_belongs_to_the_entry_before_it() -> None:
    message = read(FrameType.ACCOUNT_LIST, *LIST_HEAD, NAME, PRESENCE, NAME, PRESENCE)
    assert isinstance(message, AccountList)
    assert [entry.username for entry in message.entries] == ["bob", "bob"]


def test_a_group_attribute_needs_an_entry() -> None:
    assert "before the entry" in refused(FrameType.ACCOUNT_LIST, *LIST_HEAD, PRESENCE)


def test_a_group_entry_is_whole() -> None:
    assert "without PRESENCE" in refused(FrameType.ACCOUNT_LIST, *LIST_HEAD, NAME)


def test_a_group_attribute_stands_once_an_entry() -> None:
    twice = refused(FrameType.ACCOUNT_LIST, *LIST_HEAD, NAME, PRESENCE, PRESENCE)
    assert "twice in one entry" in twice


def test_absent_options_are_none_and_absent_flags_false() -> None:
    assert read(FrameType.LIST_ACCOUNTS, REQUEST) == ListAccounts(1, None, None, None)
    assert read(
        FrameType.SEND_MESSAGE, REQUEST, tlv(Field.MESSAGE_ID, bytes(16)), tlv(Field.BODY, b"x")
    ) == (SendMessage(1, bytes(16), b"x", (), everyone=False))


def test_two_frames_never_share_what_they_have_read() -> None:
    first = read(FrameType.HELLO, tlv(Field.VERSION, b"\0\1"), tlv(Field.AGENT, b"a"))
    second = read(FrameType.HELLO, tlv(Field.VERSION, b"\0\2"), tlv(Field.AGENT, b"b"))
    assert (first, second) == (Hello((1,), "a"), Hello((2,), "b"))


def test_an_empty_frame_of_one_number_is_small() -> None:
    assert encode(Ping(1)) == b"\0\4\0\0\0\x0a" + REQUEST
