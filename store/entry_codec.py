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
from wire.errors import TlvError

ENTRY: Final = Struct(">QQQ16sBBHI")
ENTRY_TLV: Final = Struct(">HIQQQ16sBBHI")  # with its TLV header: every message passes here once


def encode_entry(entry: Entry) -> bytes:
    """One entry."""
    name, body = entry.sender_name.encode(), entry.body
    head = ENTRY_TLV.pack(
        entry.kind,
        ENTRY.size + len(name) + len(body),
        entry.number,
        entry.sender,
        entry.received_at_ms,
        entry.message_id,
        entry.audience,
        len(name),
        entry.code,
        entry.audience_count,
    )
    return head + name + body


def decode_entries(payload: bytes) -> list[Entry]:
    """All entries of a block's payload, in order. Raises ValueError."""
    entries: list[Entry] = []
    try:
        for type_, start, end in tlv.spans(payload, 0, len(payload)):
            entries.append(decode_entry(type_, payload, start, end))
    except (TlvError, StructError) as error:
        raise ValueError(str(error)) from error
    return entries


def decode_entry(type_: int, payload: bytes, start: int, end: int) -> Entry:
    """The entry whose value is payload[start:end]."""
    number, sender, at_ms, message_id, audience, name_bytes, code, count = ENTRY.unpack_from(
        payload, start
    )
    body_start = start + ENTRY.size + name_bytes
    if body_start > end:
        raise ValueError("an entry that is too short")
    return Entry(
        number,
        0,
        EntryKind(type_),
        message_id,
        sender,
        decode_name(payload[start + ENTRY.size : body_start]),
        at_ms,
        Audience(audience),
        count,
        code,
        payload[body_start:end],
    )
