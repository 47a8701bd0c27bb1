"""Whose messages an account does not take: the record that says so, and the list as it is kept.

On the disk: count u16, then the numbers of the accounts (u64 each), in the order in which they were
blocked. By number, as everything here: who makes a new account of an old name is somebody else.

Must never hold an account twice. Fails with ValueError and struct.error.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from wire import tlv

SENDERS_BLOCKED: Final = 17
"""The record's code, for `store.records.RecordCode`."""

HEAD: Final = Struct(">QQ")
COUNT: Final = Struct(">H")


class Blocked(NamedTuple):
    """SENDERS_BLOCKED, decoded: from now on these, and no others."""

    at_ms: int
    account: int
    blocked: tuple[int, ...]


def encode_blocked(at_ms: int, account: int, blocked: Sequence[int]) -> bytes:
    """SENDERS_BLOCKED."""
    return tlv.encode(SENDERS_BLOCKED, HEAD.pack(at_ms, account) + encode_list(blocked))


def decode_blocked(value: bytes) -> Blocked:
    """SENDERS_BLOCKED."""
    at_ms, account = HEAD.unpack_from(value)
    blocked, end = decode_list(value, HEAD.size)
    if end != len(value):
        raise ValueError("a list of the wrong size")
    return Blocked(at_ms, account, blocked)


def encode_list(blocked: Sequence[int]) -> bytes:
    """The list, with its count."""
    return COUNT.pack(len(blocked)) + Struct(f">{len(blocked)}Q").pack(*blocked)


def decode_list(data: bytes, at: int) -> tuple[tuple[int, ...], int]:
    """The list that begins there, and where it ends."""
    (count,) = COUNT.unpack_from(data, at)
    numbers = Struct(f">{count}Q").unpack_from(data, at + COUNT.size)
    if len(set(numbers)) != count:
        raise ValueError("an account is blocked twice")
    return numbers, at + COUNT.size + 8 * count
