"""What is kept of an account's password: good for checking, not for logging in (RFC 5802).

On the disk: iterations u32, salt_bytes u8, salt, stored_key 32, server_key 32; nothing at all for
an account without one.

Must never show its keys: not in a repr, a dump or a log. Fails with ValueError.
"""

from dataclasses import dataclass, field
from struct import Struct
from struct import error as StructError  # noqa: N812  # it is a class
from typing import Final

HEAD: Final = Struct(">IB")
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """Salt, count of iterations and the two keys of SCRAM-SHA-256."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def encode_credential(credential: Credential | None) -> bytes:
    """The bytes of a credential; none of none."""
    if credential is None:
        return b""
    head = HEAD.pack(credential.iterations, len(credential.salt))
    return head + credential.salt + credential.stored_key + credential.server_key


def decode_credential(data: bytes) -> Credential | None:
    """The credential that was kept, or None. Raises ValueError."""
    if not data:
        return None
    try:
        iterations, salt_bytes = HEAD.unpack_from(data)
    except StructError as error:
        raise ValueError(str(error)) from error
    stored_at = HEAD.size + salt_bytes
    server_at = stored_at + KEY_BYTES
    if len(data) != server_at + KEY_BYTES:
        raise ValueError("a credential of the wrong size")
    return Credential(
        data[HEAD.size : stored_at], iterations, data[stored_at:server_at], data[server_at:]
    )
