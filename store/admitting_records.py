"""The records of the journal about who may be somebody here: passwords, invites, reserved names.

Their layouts stand in the table of `store.records`, which reads and writes them through this.

Must never need anything but the record to be undone into its parts, and never show a key in a
repr. Fails with ValueError and struct.error, which `store.records` turns into RecordError.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from store.credential import Credential, decode_credential, encode_credential
from store.names import decode_name
from wire import tlv

# The codes, for `store.records.RecordCode`.
CREDENTIAL_SET: Final = 12
ACCOUNT_REGISTERED: Final = 13
ACCOUNT_RETIRED: Final = 14
INVITES_MADE: Final = 15
SECRET_MADE: Final = 16
CODES: Final = (CREDENTIAL_SET, ACCOUNT_REGISTERED, ACCOUNT_RETIRED, INVITES_MADE, SECRET_MADE)

ACCOUNT: Final = Struct(">QQ")
REGISTERED: Final = Struct(">QQQQBB")
RETIRED: Final = Struct(">QQQ")
INVITE_HASH_BYTES: Final = 32


class CredentialSet(NamedTuple):
    """CREDENTIAL_SET, decoded."""

    at_ms: int
    account: int
    credential: Credential | None


class Registered(NamedTuple):
    """ACCOUNT_REGISTERED, decoded: an account made with a password or an invite, or both."""

    at_ms: int
    everyone_total: int
    everyone_bytes: int
    everyone_hint: int
    name: str
    invite: bytes  # its hash; empty when there is none
    credential: Credential | None


class Retired(NamedTuple):
    """ACCOUNT_RETIRED, decoded: an account is gone, and its name is not free yet."""

    at_ms: int
    account: int
    until_ms: int
    name: str


class Invited(NamedTuple):
    """INVITES_MADE, decoded."""

    at_ms: int
    until_ms: int
    hashes: tuple[bytes, ...]


class SecretMade(NamedTuple):
    """SECRET_MADE, decoded."""

    at_ms: int
    secret: bytes

    def __repr__(self) -> str:
        return f"SecretMade(at_ms={self.at_ms})"


Admitting = CredentialSet | Registered | Retired | Invited | SecretMade


def encode_credential_set(at_ms: int, account: int, credential: Credential | None) -> bytes:
    """CREDENTIAL_SET."""
    value = ACCOUNT.pack(at_ms, account) + encode_credential(credential)
    return tlv.encode(CREDENTIAL_SET, value)


def encode_registered(fields: Registered) -> bytes:
    """ACCOUNT_REGISTERED."""
    name = fields.name.encode()
    head = REGISTERED.pack(*fields[:4], len(name), len(fields.invite))
    value = head + name + fields.invite + encode_credential(fields.credential)
    return tlv.encode(ACCOUNT_REGISTERED, value)


def encode_retired(at_ms: int, account: int, until_ms: int, name: str) -> bytes:
    """ACCOUNT_RETIRED."""
    value = RETIRED.pack(at_ms, account, until_ms) + name.encode()
    return tlv.encode(ACCOUNT_RETIRED, value)


def encode_invites(at_ms: int, until_ms: int, hashes: Sequence[bytes]) -> bytes:
    """INVITES_MADE."""
    value = ACCOUNT.pack(at_ms, until_ms) + b"".join(hashes)
    return tlv.encode(INVITES_MADE, value)


def encode_secret(at_ms: int, secret: bytes) -> bytes:
    """SECRET_MADE."""
    return tlv.encode(SECRET_MADE, tlv.U64.pack(at_ms) + secret)


def decode_admitting(type_: int, value: bytes) -> Admitting:
    """The records of passwords, invites and reserved names."""
    if type_ == CREDENTIAL_SET:
        at_ms, account = ACCOUNT.unpack_from(value)
        return CredentialSet(at_ms, account, decode_credential(value[ACCOUNT.size :]))
    if type_ == ACCOUNT_REGISTERED:
        return decode_registered(value)
    if type_ == ACCOUNT_RETIRED:
        at_ms, account, until_ms = RETIRED.unpack_from(value)
        return Retired(at_ms, account, until_ms, decode_name(value[RETIRED.size :]))
    if type_ == INVITES_MADE:
        at_ms, until_ms = ACCOUNT.unpack_from(value)
        data = value[ACCOUNT.size :]
        if len(data) % INVITE_HASH_BYTES:
            raise ValueError("half the hash of an invite")
        steps = range(0, len(data), INVITE_HASH_BYTES)
        return Invited(at_ms, until_ms, tuple(data[at : at + INVITE_HASH_BYTES] for at in steps))
    (made_at_ms,) = tlv.U64.unpack_from(value)
    return SecretMade(made_at_ms, value[tlv.U64.size :])


def decode_registered(value: bytes) -> Registered:
    """ACCOUNT_REGISTERED."""
    at_ms, total, total_bytes, hint, name_bytes, invite_bytes = REGISTERED.unpack_from(value)
    name_end = REGISTERED.size + name_bytes
    invite_end = name_end + invite_bytes
    if invite_bytes not in (0, INVITE_HASH_BYTES) or invite_end > len(value):
        raise ValueError("an invite that does not fit")
    name = decode_name(value[REGISTERED.size : name_end])
    invite, credential = value[name_end:invite_end], decode_credential(value[invite_end:])
    return Registered(at_ms, total, total_bytes, hint, name, invite, credential)
