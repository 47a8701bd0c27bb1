"""Entries of a queue as TLVs in a mailbox file. The TLV's type is the entry's kind.

    number u64, sender u64, received_at_ms u64, message_id 16, audience u8, name_bytes u8,
    code u16, audience_count u32, sender's name, body

Must never be given bytes whose checksum was not looked at. Fails with ValueError.
"""

from struct import Struct
from struct import error as StructError  # noqa: N812  # it is a class
from typing import Final

from store.entry import Audience, Entry, EntryKind
from store.names import decode_name
from wire import tlv

Row = tuple[int, bytes, bytes, int, int, int, int, bytes]
"""What of an entry goes over the wire: number, message id, sender's name as it stands on the disk,
received_at_ms, audience, audience's count, code, body."""

Parts = tuple[int, int, Row]
"""A whole entry: its kind, its sender's number, the rest. Made in a third of an object's time."""

ENTRY: Final = Struct(">QQQ16sBBHI")
ENTRY_TLV: Final = Struct(">HIQQQ16sBBHI")  # with its TLV header: every message passes here once
HEAD: Final = Struct(">HI")  # and its parts: the TLV header,
SENT_AT: Final = Struct(">QQ")  # what stands between number and message_id,
REST: Final = Struct(">BBHI")  # and what follows the message_id
START: Final = Struct(">6sQ16s16s")  # all before that, made of such parts
NUMBER_AT: Final = HEAD.size  # where the number stands in it,
ID_AT: Final = NUMBER_AT + 8 + SENT_AT.size  # and the message_id
ID_END: Final = ID_AT + 16
KINDS: Final = {int(kind): kind for kind in EntryKind}
AUDIENCES: Final = {int(audience): audience for audience in Audience}


def encode_entry(entry: Entry) -> bytes:
    """One entry."""
    return encode_parts(parts_of(entry))


def encode_parts(parts: Parts) -> bytes:
    """An entry that is in its parts."""
    kind, sender, (number, message_id, name, at_ms, audience, count, code, body) = parts
    size = len(name)
    head = ENTRY_TLV.pack(
        *(kind, ENTRY.size + size + len(body), number, sender, at_ms, message_id, audience, size),
        *(code, count),
    )
    return head + name + body


def parts_of(entry: Entry) -> Parts:
    """An entry in its parts."""
    row = (
        entry.number,
        entry.message_id,
        entry.sender_name.encode(),
        entry.received_at_ms,
        int(entry.audience),
        entry.audience_count,
        entry.code,
        entry.body,
    )
    return int(entry.kind), entry.sender, row


def entry_of(parts: Parts, pred: int) -> Entry:
    """An entry that is in its parts, as an object."""
    kind, sender, (number, message_id, name, at_ms, audience, count, code, body) = parts
    return Entry(
        *(number, pred, KINDS[kind], message_id, sender, name.decode(), at_ms),
        *(AUDIENCES[audience], count, code, body),
    )


def outcome_parts(
    kind: int, whose: int, name: bytes, at_ms: int, code: int
) -> tuple[bytes, bytes, bytes]:
    """What outcomes of one recipient and one moment share, in three parts: each is
    `START.pack(first, number, second, message_id) + third`.
    """
    return (
        HEAD.pack(kind, ENTRY.size + len(name)),
        SENT_AT.pack(whose, at_ms),
        REST.pack(Audience.ONE, len(name), code, 1) + name,
    )


class RunHead:
    """What messages of one sender to one recipient each, taken at once, share: an entry is
    `START.pack(of_size(body's), number, sent_at, message_id) + rest + body`.

    (Measured: 0.15 us an entry, 0.38 with `encode_entry`.)
    """

    __slots__ = ("of_sizes", "rest", "sent_at")

    def __init__(self, sender: int, name: bytes, at_ms: int) -> None:
        self.sent_at = SENT_AT.pack(sender, at_ms)
        self.rest = REST.pack(Audience.ONE, len(name), 0, 1) + name
        self.of_sizes: dict[int, bytes] = {}

    def of_size(self, body_bytes: int) -> bytes:
        """How an entry with a body of this size begins."""
        value_bytes = ENTRY.size - REST.size + len(self.rest) + body_bytes
        head = self.of_sizes[body_bytes] = HEAD.pack(EntryKind.MESSAGE, value_bytes)
        return head


def decode_entries(payload: bytes) -> list[Entry]:
    """All entries of a block's payload, in order. Raises ValueError.

    (Measured: 1.3 us an entry, 3.1 with a generator of spans and the look-up of two enums.)
    """
    entries: list[Entry] = []
    unpack = ENTRY_TLV.unpack_from
    fixed_bytes, whole = ENTRY_TLV.size, len(payload)
    names: dict[bytes, str] = {}
    start = 0
    try:
        while start < whole:
            (type_, length, number, sender, at_ms, message_id, audience, size, code, count) = (
                unpack(payload, start)
            )
            end = start + tlv.HEADER_BYTES + length
            name_at = start + fixed_bytes
            body_at = name_at + size
            if body_at > end or end > whole:
                raise ValueError("an entry that is too short")
            encoded = payload[name_at:body_at]
            name = names.get(encoded)
            if name is None:
                name = names[encoded] = decode_name(encoded)
            entries.append(
                Entry(
                    number,
                    0,
                    KINDS[type_],
                    message_id,
                    sender,
                    name,
                    at_ms,
                    AUDIENCES[audience],
                    count,
                    code,
                    payload[body_at:end],
                )
            )
            start = end
    except (KeyError, StructError) as error:
        raise ValueError(f"no entry: {error}") from error
    return entries
