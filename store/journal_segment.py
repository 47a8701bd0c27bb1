"""One segment of the journal: its header and its batches, in bytes.

The header page (see `store.framing`, magic MSGJ) has the body: store_id 16, number u64, nonce u64.
Batches follow from byte 4096 on, each on a page boundary, zeros up to the next:

     0         4         8         16                 24            28          32           36
    +---------+---------+---------+------------------+-------------+-----------+------------+- -
    | MSGT    | crc u32 | lsn u64 | first_number u64 | payload u32 | count u32 | prev_crc   |
    +---------+---------+---------+------------------+-------------+-----------+------------+- -
        36          40            48          56            64
    - -+-----------+-------------+-----------+-------------+------------------------- - -
       | flags u32 | segment u64 | nonce u64 | wall_ms u64 | records, payload bytes
    - -+-----------+-------------+-----------+-------------+------------------------- - -

The crc covers bytes 8 to the end of the payload. The nonce is random for each use of the file: no
bytes of an earlier use, and none that somebody sent in a message, can pass for a batch.

Must never let the nonce out of the data folder. `read_batch` answers None for what is no batch.
"""

from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from store.disk import Disk
from store.errors import StoreDamaged
from store.framing import CRC, decode_header, encode_header, padded, pages
from store.limits import PAGE_BYTES

MAGIC: Final = b"MSGJ"
BATCH_MAGIC: Final = b"MSGT"
BODY: Final = Struct(">16sQQ")
BATCH: Final = Struct(">4sIQQIIIIQQQ")
NONCE_AT: Final = 48
SCAN_BYTES: Final = 1 << 20
FIRST_BATCH: Final = PAGE_BYTES

assert BATCH.size == 64


class FoundBatch(NamedTuple):
    """A batch that was read and whose checksum is right."""

    crc: int
    lsn: int
    first_number: int
    records: int
    prev_crc: int
    payload: bytes
    total_bytes: int  # with header and padding


def segment_path(number: int) -> str:
    """Where the segment of this number is."""
    return f"journal/{number:016x}.journal"


def encode_segment_header(store_id: bytes, number: int, nonce: int) -> bytes:
    """The first page."""
    return encode_header(MAGIC, BODY.pack(store_id, number, nonce))


def decode_segment_header(file: str, data: bytes) -> tuple[bytes, int, int]:
    """(store id, number, nonce)."""
    body = decode_header(file, MAGIC, data)
    if len(body) != BODY.size:
        raise StoreDamaged(file, 0, "its header has another size")
    store_id, number, nonce = BODY.unpack(body)
    return store_id, number, nonce


def encode_batch(
    *,
    lsn: int,
    first_number: int,
    records: list[bytes],
    prev_crc: int,
    segment: int,
    nonce: int,
    wall_ms: int,
) -> tuple[bytes, int]:
    """The bytes to write, whole pages, and the batch's checksum."""
    payload = b"".join(records)
    head = BATCH.pack(
        BATCH_MAGIC,
        0,
        lsn,
        first_number,
        len(payload),
        len(records),
        prev_crc,
        0,
        segment,
        nonce,
        wall_ms,
    )[8:]
    crc = crc32(payload, crc32(head))
    return padded(b"".join((BATCH_MAGIC, CRC.pack(crc), head, payload))), crc


def read_batch(
    disk: Disk, handle: int, offset: int, *, end: int, segment: int, nonce: int
) -> FoundBatch | None:
    """The batch at `offset` of a segment of `end` bytes, or None when there is none."""
    head = disk.read_at(handle, offset, BATCH.size)
    if len(head) < BATCH.size:
        return None
    magic, crc, lsn, first, payload_bytes, count, prev_crc, _, number, found_nonce, _ = (
        BATCH.unpack(head)
    )
    if magic != BATCH_MAGIC or number != segment or found_nonce != nonce:
        return None
    if offset + BATCH.size + payload_bytes > end:
        return None
    payload = disk.read_at(handle, offset + BATCH.size, payload_bytes)
    if crc32(payload, crc32(head[8:])) != crc:
        return None
    total_bytes = pages(BATCH.size + payload_bytes)
    return FoundBatch(crc, lsn, first, count, prev_crc, payload, total_bytes)


def find_batch(
    disk: Disk, handle: int, offset: int, *, end: int, segment: int, nonce: int
) -> FoundBatch | None:
    """The first whole batch of this segment at or after `offset`."""
    nonce_bytes = nonce.to_bytes(8, "big")
    while offset < end:
        chunk = disk.read_at(handle, offset, min(SCAN_BYTES, end - offset))
        for start in range(0, len(chunk), PAGE_BYTES):
            if (
                chunk[start : start + 4] == BATCH_MAGIC
                and chunk[start + NONCE_AT : start + NONCE_AT + 8] == nonce_bytes
            ):
                place = offset + start
                batch = read_batch(disk, handle, place, end=end, segment=segment, nonce=nonce)
                if batch is not None:
                    return batch
        offset += SCAN_BYTES
    return None


def torn_bytes(disk: Disk, handle: int, offset: int, *, end: int, segment: int, nonce: int) -> int:
    """How many bytes of a damaged batch of ours seem to stand at `offset`; 0 when none does."""
    head = disk.read_at(handle, offset, BATCH.size)
    if len(head) < BATCH.size:
        return 0
    _, _, _, _, payload_bytes, _, _, _, number, found_nonce, _ = BATCH.unpack(head)
    if number != segment and found_nonce != nonce:
        return 0
    return min(pages(BATCH.size + payload_bytes), end - offset)
