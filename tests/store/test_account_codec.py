import pytest

from store.account_codec import (
    decode_account,
    decode_everyone,
    decode_tombstone,
    encode_account,
    encode_everyone,
)
from store.state import Account, Everyone
from store.window import Window
from tests.store.support import split


def test_an_account_comes_back() -> None:
    account = Account(7, "ann", 100)
    account.settled.add(10, 12)
    account.stamp = 12
    account.windows[b"12345678"] = Window(5, 1 << 1023, 77)
    account.closing_number, account.own_messages, account.queue.has_file = 5, 6, True
    encoded = encode_account(account)
    again = decode_account(split(encoded)[1])
    assert encode_account(again) == encoded
    everyone = Everyone()
    everyone.total, everyone.queue.end_offset, everyone.queue.has_file = 3, 8192, True
    again_everyone = decode_everyone(split(encode_everyone(everyone))[1])
    assert encode_everyone(again_everyone) == encode_everyone(everyone)
    assert again_everyone.trusted_end == 8192


def test_a_shared_queue_with_numbers_that_cannot_be() -> None:
    everyone = Everyone()
    everyone.total = 1 << 63
    with pytest.raises(ValueError, match="numbers that cannot be"):
        decode_everyone(split(encode_everyone(everyone))[1])


def test_an_account_that_has_settled_what_is_not_there_yet() -> None:
    account = Account(7, "ann", 100)
    account.settled.add(10, 12)
    account.stamp = 11
    with pytest.raises(ValueError, match="has settled what is not there yet"):
        decode_account(split(encode_account(account))[1])


@pytest.mark.parametrize("value", [b"", bytes(151), bytes(200)])
def test_rubbish_is_no_account(value: bytes) -> None:
    for what in (decode_account, decode_everyone, decode_tombstone):
        with pytest.raises(ValueError, match=r"."):
            what(value)
