"""The records of the journal: what happened, in bytes. One record is one TLV of `wire.tlv`.

    code  record               value
    1     ACCOUNT_CREATED      at_ms u64, everyone_total u64, everyone_bytes u64,
                               everyone_hint u64, name
    2     ACCOUNT_TOUCHED      at_ms u64, account u64
    3     MESSAGE_ACCEPTED     at_ms u64, sender u64, message_id 16, name_bytes u8,
                               recipients u32, sender's name, recipients * u64, body
    4     MESSAGE_FOR_EVERYONE the same, where `recipients` only counts and none follow
    5     ENTRIES_SETTLED      at_ms u64, account u64, discarded u8, name_bytes u8, entries u32,
                               account's name, entries * (pred u64, number u64, kind u8,
                               everyone u8, body_bytes u32, sender u64, message_id 16)
    6     DELETION_BEGUN       at_ms u64, account u64, everyone_total u64, everyone_bytes u64
    7     ACCOUNT_DELETED      at_ms u64, account u64
    8     SESSION_BEGUN        at_ms u64, account u64
    9     SESSION_ENDED        at_ms u64, account u64, handed_from u64, handed_to u64
    10    COPIES_RECALLED      at_ms u64, sender u64, message_id 16, copies u32,
                               copies * (account u64, number u64, body_bytes u32, name_bytes u8,
                               account's name)
    11    RECALLED_FROM_ALL    at_ms u64, sender u64, message_id 16, number u64, body_bytes u32,
                               kept u32, kept * account u64
    12    CREDENTIAL_SET       at_ms u64, account u64, credential (see `store.credential`)
    13    ACCOUNT_REGISTERED   as ACCOUNT_CREATED up to everyone_hint, then name_bytes u8,
                               invite_bytes u8 (0 or 32), name, hash of the invite, credential
    14    ACCOUNT_RETIRED      at_ms u64, account u64, until_ms u64, name
    15    INVITES_MADE         at_ms u64, until_ms u64, hashes * 32
    16    SECRET_MADE          at_ms u64, secret
    17    SENDERS_BLOCKED      at_ms u64, account u64, count u16, count * account u64

Big-endian. Accounts go by number, never by name: a name can be born again. Names stand in only
where the account may be gone when the record is replayed. A record occupies one number, except
ENTRIES_SETTLED and COPIES_RECALLED, which occupy one per entry or copy and at least one: the i-th
outcome gets the i-th.

Must never need anything but the record to be undone into its parts. Fails with RecordError.
"""

from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from struct import error as StructError  # noqa: N812  # it is a class
from typing import Final, NamedTuple, Protocol

from store import admitting_records, blocking
from store.admitting_records import (
    CredentialSet,
    Invited,
    Registered,
    Retired,
    SecretMade,
    decode_admitting,
)
from store.blocking import Blocked, decode_blocked
from store.names import decode_name
from wire import tlv


class RecordCode(IntEnum):
    """The kinds of records. For ever; 0 is reserved."""

    ACCOUNT_CREATED = 1
    ACCOUNT_TOUCHED = 2
    MESSAGE_ACCEPTED = 3
    MESSAGE_FOR_EVERYONE = 4
    ENTRIES_SETTLED = 5
    DELETION_BEGUN = 6
    ACCOUNT_DELETED = 7
    SESSION_BEGUN = 8
    SESSION_ENDED = 9
    COPIES_RECALLED = 10
    RECALLED_FROM_ALL = 11
    CREDENTIAL_SET = admitting_records.CREDENTIAL_SET
    ACCOUNT_REGISTERED = admitting_records.ACCOUNT_REGISTERED
    ACCOUNT_RETIRED = admitting_records.ACCOUNT_RETIRED
    INVITES_MADE = admitting_records.INVITES_MADE
    SECRET_MADE = admitting_records.SECRET_MADE
    SENDERS_BLOCKED = blocking.SENDERS_BLOCKED


TOUCHING: Final = (
    RecordCode.ACCOUNT_TOUCHED,
    RecordCode.ACCOUNT_DELETED,
    RecordCode.SESSION_BEGUN,
)


class RecordError(Exception):
    """A record's checksum was right and yet it makes no sense."""


class Settlement(NamedTuple):
    """One entry of ENTRIES_SETTLED."""

    pred: int
    number: int
    kind: int
    everyone: int  # 1 when it stands in everyone's queue
    body_bytes: int
    sender: int
    message_id: bytes


SettledEntry = tuple[int, int, int, int, int, int, bytes]
"""A Settlement, or the same without names: made for every receipt, a third as dear."""


class Recipient(Protocol):
    """What a record of a message says of a recipient; an Account is one."""

    number_bytes: bytes


class Copy(NamedTuple):
    """One copy of a message in COPIES_RECALLED: in whose queue it was, and where."""

    account: int
    number: int
    body_bytes: int
    name: str


CREATED: Final = Struct(">QQQQ")
TOUCHED: Final = Struct(">QQ")
MESSAGE: Final = Struct(">QQ16sBI")
MESSAGE_TLV: Final = Struct(">HIQQ16sBI")  # the same with its TLV header: one call on the hot path
MESSAGE_HEAD: Final = Struct(">HIQQ")  # and what of that comes before the message's id
SETTLED: Final = Struct(">QQBBI")
SETTLED_TLV: Final = Struct(">HIQQBBI")  # the same with its TLV header
SETTLEMENT: Final = Struct(">QQBBIQ16s")
BEGUN: Final = Struct(">QQQQ")
ENDED: Final = Struct(">QQQQ")
RECALLED: Final = Struct(">QQ16sI")
COPY: Final = Struct(">QQIB")
FROM_ALL: Final = Struct(">QQ16sQII")


def encode_created(
    at_ms: int, everyone_total: int, everyone_bytes: int, everyone_hint: int, name: str
) -> bytes:
    """ACCOUNT_CREATED."""
    head = CREATED.pack(at_ms, everyone_total, everyone_bytes, everyone_hint)
    return tlv.encode(RecordCode.ACCOUNT_CREATED, head + name.encode())


def encode_touched(at_ms: int, account: int) -> bytes:
    """ACCOUNT_TOUCHED."""
    return tlv.encode(RecordCode.ACCOUNT_TOUCHED, TOUCHED.pack(at_ms, account))


def encode_message(  # noqa: PLR0917  # one call per message: keywords cost
    at_ms: int, sender: int, name: bytes, message_id: bytes, recipients: bytes, body: bytes
) -> bytes:
    """MESSAGE_ACCEPTED; `recipients` are account numbers of 8 bytes each."""
    name_bytes = len(name)
    return (
        MESSAGE_TLV.pack(
            3,  # MESSAGE_ACCEPTED, without an enum's look-up
            MESSAGE.size + name_bytes + len(recipients) + len(body),
            at_ms,
            sender,
            message_id,
            name_bytes,
            len(recipients) >> 3,
        )
        + name
        + recipients
        + body
    )


def encode_messages(
    at_ms: int, sender: int, name: bytes, run: Sequence[tuple[bytes, Recipient, bytes]]
) -> list[bytes]:
    """A MESSAGE_ACCEPTED for each (message id, recipient, body): `encode_message` in a row."""
    # What all of them share is packed once for each size of bodies (measured: 0.35 us a record
    # where `encode_message` takes 0.85).
    rest_bytes = MESSAGE.size + len(name) + 8
    names_part = bytes((len(name), 0, 0, 0, 1)) + name
    heads: dict[int, bytes] = {}
    encoded: list[bytes] = []
    join = b"".join
    for message_id, recipient, body in run:
        size = len(body)
        head = heads.get(size)
        if head is None:
            head = heads[size] = MESSAGE_HEAD.pack(3, rest_bytes + size, at_ms, sender)
        encoded.append(join((head, message_id, names_part, recipient.number_bytes, body)))
    return encoded


def encode_for_everyone(
    *, at_ms: int, sender: int, name: bytes, message_id: bytes, audience_count: int, body: bytes
) -> bytes:
    """MESSAGE_FOR_EVERYONE."""
    head = MESSAGE.pack(at_ms, sender, message_id, len(name), audience_count)
    return tlv.encode(RecordCode.MESSAGE_FOR_EVERYONE, head + name + body)


def encode_settled(
    at_ms: int, account: int, name: bytes, discarded: bool, settlements: Sequence[SettledEntry]
) -> bytes:
    """ENTRIES_SETTLED."""
    count = len(settlements)
    value_bytes = SETTLED.size + len(name) + count * SETTLEMENT.size
    head = SETTLED_TLV.pack(  # 5: ENTRIES_SETTLED, without an enum's look-up
        5, value_bytes, at_ms, account, discarded, len(name), count
    )
    pack = SETTLEMENT.pack
    if count == 1:
        return head + name + pack(*settlements[0])
    return b"".join([head, name, *[pack(*settlement) for settlement in settlements]])


def encode_begun(at_ms: int, account: int, everyone_total: int, everyone_bytes: int) -> bytes:
    """DELETION_BEGUN."""
    value = BEGUN.pack(at_ms, account, everyone_total, everyone_bytes)
    return tlv.encode(RecordCode.DELETION_BEGUN, value)


def encode_deleted(at_ms: int, account: int) -> bytes:
    """ACCOUNT_DELETED."""
    return tlv.encode(RecordCode.ACCOUNT_DELETED, TOUCHED.pack(at_ms, account))


def encode_session_begun(at_ms: int, account: int) -> bytes:
    """SESSION_BEGUN."""
    return tlv.encode(RecordCode.SESSION_BEGUN, TOUCHED.pack(at_ms, account))


def encode_session_ended(at_ms: int, account: int, handed_from: int, handed_to: int) -> bytes:
    """SESSION_ENDED."""
    value = ENDED.pack(at_ms, account, handed_from, handed_to)
    return tlv.encode(RecordCode.SESSION_ENDED, value)


def encode_recalled(at_ms: int, sender: int, message_id: bytes, copies: Sequence[Copy]) -> bytes:
    """COPIES_RECALLED."""
    parts = [RECALLED.pack(at_ms, sender, message_id, len(copies))]
    for account, number, body_bytes, name in copies:
        encoded = name.encode()
        parts += [COPY.pack(account, number, body_bytes, len(encoded)), encoded]
    return tlv.encode(RecordCode.COPIES_RECALLED, b"".join(parts))


def encode_recalled_from_all(  # noqa: PLR0917  # as the fields stand in the record
    at_ms: int, sender: int, message_id: bytes, number: int, body_bytes: int, kept: Sequence[int]
) -> bytes:
    """RECALLED_FROM_ALL."""
    head = FROM_ALL.pack(at_ms, sender, message_id, number, body_bytes, len(kept))
    value = head + Struct(f">{len(kept)}Q").pack(*kept)
    return tlv.encode(RecordCode.RECALLED_FROM_ALL, value)


class Created(NamedTuple):
    """ACCOUNT_CREATED, decoded."""

    at_ms: int
    everyone_total: int
    everyone_bytes: int
    everyone_hint: int
    name: str


class Touched(NamedTuple):
    """ACCOUNT_TOUCHED, ACCOUNT_DELETED or SESSION_BEGUN, decoded."""

    at_ms: int
    account: int


class Accepted(NamedTuple):
    """MESSAGE_ACCEPTED, or MESSAGE_FOR_EVERYONE with no recipients, decoded."""

    at_ms: int
    sender: int
    message_id: bytes
    sender_name: str
    audience_count: int
    recipients: tuple[int, ...]
    body: bytes


class Settled(NamedTuple):
    """ENTRIES_SETTLED, decoded."""

    at_ms: int
    account: int
    discarded: bool
    name: str
    settlements: tuple[Settlement, ...]


class Begun(NamedTuple):
    """DELETION_BEGUN, decoded."""

    at_ms: int
    account: int
    everyone_total: int
    everyone_bytes: int


class Ended(NamedTuple):
    """SESSION_ENDED, decoded: what was handed out and not confirmed lies within these numbers."""

    at_ms: int
    account: int
    handed_from: int  # 0: nothing
    handed_to: int


class Recalled(NamedTuple):
    """COPIES_RECALLED, decoded."""

    at_ms: int
    sender: int
    message_id: bytes
    copies: tuple[Copy, ...]


class RecalledFromAll(NamedTuple):
    """RECALLED_FROM_ALL, decoded: everyone's entry `number`, but for those who keep it."""

    at_ms: int
    sender: int
    message_id: bytes
    number: int
    body_bytes: int
    kept: tuple[int, ...]


Fields = (
    Created
    | Touched
    | Accepted
    | Settled
    | Begun
    | Ended
    | Recalled
    | RecalledFromAll
    | CredentialSet
    | Registered
    | Retired
    | Invited
    | SecretMade
    | Blocked
)


def decode(type_: int, value: bytes) -> Fields:
    """The fields of a record of this code. Raises RecordError."""
    try:
        if type_ == RecordCode.MESSAGE_ACCEPTED:
            return decode_message(value, listed=True)
        if type_ == RecordCode.MESSAGE_FOR_EVERYONE:
            return decode_message(value, listed=False)
        if type_ == RecordCode.ENTRIES_SETTLED:
            return decode_settled(value)
        if type_ == RecordCode.ACCOUNT_CREATED:
            name = decode_name(value[CREATED.size :])
            at_ms, total, total_bytes, hint = CREATED.unpack_from(value)
            return Created(at_ms, total, total_bytes, hint, name)
        if type_ in TOUCHING:
            return Touched(*TOUCHED.unpack(value))
        if type_ == RecordCode.DELETION_BEGUN:
            return Begun(*BEGUN.unpack(value))
        if type_ == RecordCode.SESSION_ENDED:
            return Ended(*ENDED.unpack(value))
        if type_ == RecordCode.COPIES_RECALLED:
            return decode_recalled(value)
        if type_ == RecordCode.RECALLED_FROM_ALL:
            return decode_recalled_from_all(value)
        if type_ in admitting_records.CODES:
            return decode_admitting(type_, value)
        if type_ == RecordCode.SENDERS_BLOCKED:
            return decode_blocked(value)
    except (ValueError, StructError) as error:
        raise RecordError(f"record of code {type_}: {error}") from error
    raise RecordError(f"no record has the code {type_}")


def decode_message(value: bytes, *, listed: bool) -> Accepted:
    """Both kinds of messages; `listed` when the recipients follow."""
    at_ms, sender, message_id, name_bytes, count = MESSAGE.unpack_from(value)
    name_end = MESSAGE.size + name_bytes
    name = decode_name(value[MESSAGE.size : name_end])
    body_start = name_end + 8 * count if listed else name_end
    if body_start > len(value):
        raise ValueError(f"{count} recipients do not fit")
    numbers = Struct(f">{count}Q").unpack_from(value, name_end) if listed else ()
    return Accepted(at_ms, sender, message_id, name, count, numbers, value[body_start:])


def decode_settled(value: bytes) -> Settled:
    """ENTRIES_SETTLED."""
    at_ms, account, discarded, name_bytes, count = SETTLED.unpack_from(value)
    name_end = SETTLED.size + name_bytes
    name = decode_name(value[SETTLED.size : name_end])
    if len(value) != name_end + count * SETTLEMENT.size:
        raise ValueError(f"{count} entries do not fit")
    entries = SETTLEMENT.iter_unpack(value[name_end:])
    return Settled(at_ms, account, bool(discarded), name, tuple(Settlement(*e) for e in entries))


def decode_recalled(value: bytes) -> Recalled:
    """COPIES_RECALLED."""
    at_ms, sender, message_id, count = RECALLED.unpack_from(value)
    copies: list[Copy] = []
    start = RECALLED.size
    for _ in range(count):
        account, number, body_bytes, name_bytes = COPY.unpack_from(value, start)
        start += COPY.size + name_bytes
        name = decode_name(value[start - name_bytes : start])
        copies.append(Copy(account, number, body_bytes, name))
    if start != len(value):
        raise ValueError(f"{count} copies do not fit")
    return Recalled(at_ms, sender, message_id, tuple(copies))


def decode_recalled_from_all(value: bytes) -> RecalledFromAll:
    """RECALLED_FROM_ALL."""
    at_ms, sender, message_id, number, body_bytes, count = FROM_ALL.unpack_from(value)
    kept = Struct(f">{count}Q").unpack(value[FROM_ALL.size :])
    return RecalledFromAll(at_ms, sender, message_id, number, body_bytes, kept)


def numbers_of(fields: Fields) -> int:
    """How many numbers a record occupies."""
    if isinstance(fields, Settled):
        return max(1, len(fields.settlements))
    return max(1, len(fields.copies)) if isinstance(fields, Recalled) else 1
