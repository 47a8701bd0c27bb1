"""What all files of the store have in common: a header with a format, and checksummed blocks.

The first page of a file (MANIFEST has nothing else):

     0         4         8              12       14           16          18    20
    +---------+---------+--------------+--------+------------+-----------+-----+-------- - -
    | magic 4 | crc u32 | length u32   | format | min_reader | algorithm |  0  | body
    +---------+---------+--------------+--------+------------+-----------+-----+-------- - -

`length` counts from the magic to the end of the body; the crc covers bytes 8 to `length`.
`algorithm` 1 is CRC-32 as zlib computes it. These 20 bytes never change their meaning.

A block of a mailbox or of the accounts log, always on a page boundary and padded to one:

     0         4         8           16           24            28          32        40       48
    +---------+---------+-----------+------------+-------------+-----------+---------+--------+- -
    | magic 4 | crc u32 | owner u64 | offset u64 | payload u32 | count u32 | first   | last   |
    +---------+---------+-----------+------------+-------------+-----------+---------+--------+- -

The crc covers bytes 8 to the end of the payload. Owner and offset say where the block belongs, so
that one written to the wrong place is not believed.

Must never believe a length before it is bounded. Fails with StoreDamaged or StoreFromTheFuture.
"""

from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from store.errors import StoreDamaged, StoreFromTheFuture
from store.limits import BLOCK_PAYLOAD_BYTES_MAX, FORMAT, FORMAT_READ_MAX, PAGE_BYTES

PREFIX: Final = Struct(">4sIIHHHH")
CRC: Final = Struct(">I")
BLOCK: Final = Struct(">4sIQQIIQQ")
ALGORITHM_CRC32: Final = 1
HEADER_BYTES_MAX: Final = 1 << 20

assert PREFIX.size == 20
assert BLOCK.size == 48


def pages(size: int) -> int:
    """`size` rounded up to whole pages."""
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def padded(data: bytes) -> bytes:
    """`data` with zeros up to whole pages."""
    return data.ljust(pages(len(data)), b"\0")


def encode_header(magic: bytes, body: bytes) -> bytes:
    """The header of a file, padded to whole pages."""
    length = PREFIX.size + len(body)
    head = PREFIX.pack(magic, 0, length, FORMAT, FORMAT, ALGORITHM_CRC32, 0)[8:]
    return padded(magic + CRC.pack(crc32(body, crc32(head))) + head + body)


def decode_header(file: str, magic: bytes, data: bytes) -> bytes:
    """The body of a file's header."""
    if len(data) < PREFIX.size:
        raise StoreDamaged(file, 0, f"it has only {len(data)} bytes")
    found, crc, length, _, min_reader, algorithm, _ = PREFIX.unpack_from(data)
    if found != magic:
        raise StoreDamaged(file, 0, f"it does not begin with {magic.decode()}")
    # One rotten byte must not pass for a newer version: who needs another algorithm needs a newer
    # reader too, and with this one the checksum must be right.
    is_bounded = PREFIX.size <= length <= len(data)
    is_right = is_bounded and crc32(data[8:length]) == crc
    if min_reader > FORMAT_READ_MAX and (is_right or algorithm != ALGORITHM_CRC32):
        raise StoreFromTheFuture(file, min_reader, FORMAT_READ_MAX)
    if not is_bounded:
        raise StoreDamaged(file, 8, f"a header of {length} bytes")
    if not is_right or algorithm != ALGORITHM_CRC32:
        raise StoreDamaged(file, 0, "the checksum of the header is wrong")
    return data[PREFIX.size : length]


class Block(NamedTuple):
    """A block that was read and found right."""

    payload: bytes
    items: int
    first: int
    last: int
    total_bytes: int  # on the disk, padding included


def encode_block(
    magic: bytes, *, owner: int, offset: int, payload: bytes, count: int, first: int, last: int
) -> bytes:
    """A block, padded to whole pages."""
    head = BLOCK.pack(magic, 0, owner, offset, len(payload), count, first, last)[8:]
    return padded(magic + CRC.pack(crc32(payload, crc32(head))) + head + payload)


def block_bytes(file: str, place: int, magic: bytes, data: bytes, start: int) -> int:
    """How many bytes the block that begins at data[start] takes; `place` is for the error."""
    if len(data) - start < BLOCK.size:
        raise StoreDamaged(file, place, "the file ends in the middle of a block")
    found, _, _, _, payload_bytes, _, _, _ = BLOCK.unpack_from(data, start)
    if found != magic or payload_bytes > BLOCK_PAYLOAD_BYTES_MAX:
        raise StoreDamaged(file, place, "no block begins here")
    return pages(BLOCK.size + payload_bytes)


def decode_block(
    file: str, place: int, *, owner: int, offset: int, data: bytes, start: int
) -> Block:
    """The block at data[start], all of which is there; `block_bytes` has looked at its head."""
    _, crc, found_owner, found_offset, payload_bytes, count, first, last = BLOCK.unpack_from(
        data, start
    )
    end = start + BLOCK.size + payload_bytes
    if end > len(data) or crc32(data[start + 8 : end]) != crc:
        raise StoreDamaged(file, place, "the checksum of a block is wrong")
    if (found_owner, found_offset) != (owner, offset):
        raise StoreDamaged(file, place, "a block that belongs elsewhere")
    payload = data[start + BLOCK.size : end]
    return Block(payload, count, first, last, pages(BLOCK.size + payload_bytes))
