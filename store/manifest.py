"""MANIFEST: where everything begins. Replaced as a whole, never changed in place.

The body of its header (see `store.framing`), magic MSGM:

    store_id 16, generation u64, next_number u64, last_received_at_ms u64, replay_lsn u64,
    replay_crc u32, accounts_file u64, accounts_bytes u64, accounts_blocks u64, segments u32,
    segments * (number u64, nonce u64)

Replay begins with the batch `replay_lsn`, whose predecessor had the checksum `replay_crc` and
whose first record has the number `next_number`. The accounts log is trusted up to
`accounts_bytes`. Every live segment of the journal is listed: one that is missing is noticed.

Must never name anything that is not durable yet. Fails with StoreDamaged, StoreFromTheFuture.
"""

from contextlib import suppress
from dataclasses import dataclass
from struct import Struct
from typing import Final

from store.disk import Disk, DiskMissing
from store.errors import StoreDamaged
from store.framing import HEADER_BYTES_MAX, decode_header, encode_header
from store.limits import NUMBER_MAX, PAGE_BYTES

MAGIC: Final = b"MSGM"
MANIFEST: Final = "MANIFEST"
REPAIR: Final = "REPAIR"  # stands while a repair changes the folder
MANIFEST_TEMPORARY: Final = "MANIFEST.tmp"
FIXED: Final = Struct(">16sQQQQIQQQI")
SEGMENT: Final = Struct(">QQ")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of MANIFEST."""

    store_id: bytes
    generation: int
    next_number: int
    last_received_at_ms: int
    replay_lsn: int
    replay_crc: int
    accounts_file: int
    accounts_bytes: int
    accounts_blocks: int
    segments: tuple[tuple[int, int], ...]  # (number, nonce), in order

    @property
    def numbers(self) -> tuple[int, ...]:
        """What is counted up, also by a repair."""
        return self.generation, self.next_number, self.replay_lsn, self.accounts_file

    def encode(self) -> bytes:
        """The whole file."""
        fixed = FIXED.pack(
            self.store_id,
            self.generation,
            self.next_number,
            self.last_received_at_ms,
            self.replay_lsn,
            self.replay_crc,
            self.accounts_file,
            self.accounts_bytes,
            self.accounts_blocks,
            len(self.segments),
        )
        return encode_header(MAGIC, fixed + b"".join(SEGMENT.pack(*each) for each in self.segments))


def decode_manifest(data: bytes) -> Manifest:
    """The manifest in a file's bytes."""
    body = decode_header(MANIFEST, MAGIC, data)
    if len(body) < FIXED.size:
        raise StoreDamaged(MANIFEST, 0, "it is too short")
    fixed = FIXED.unpack_from(body)
    count: int = fixed[9]
    if len(body) != FIXED.size + count * SEGMENT.size:
        raise StoreDamaged(MANIFEST, 0, f"{count} segments do not fit")
    if max(*fixed[1:5], *fixed[6:9]) > NUMBER_MAX:
        raise StoreDamaged(MANIFEST, 0, "it has numbers that cannot be")
    segments = tuple((number, nonce) for number, nonce in SEGMENT.iter_unpack(body[FIXED.size :]))
    return Manifest(
        store_id=fixed[0],
        generation=fixed[1],
        next_number=fixed[2],
        last_received_at_ms=fixed[3],
        replay_lsn=fixed[4],
        replay_crc=fixed[5],
        accounts_file=fixed[6],
        accounts_bytes=fixed[7],
        accounts_blocks=fixed[8],
        segments=segments,
    )


def read_manifest(disk: Disk) -> Manifest | None:
    """The manifest, or None when there is no such file. Nothing counts while a repair goes on."""
    if REPAIR in disk.list(""):
        raise StoreDamaged(REPAIR, 0, "a repair was cut off; `msgd fsck --repair` goes on with it")
    return read_present_manifest(disk)


def read_present_manifest(disk: Disk) -> Manifest | None:
    """The same, for the repair itself."""
    try:
        handle = disk.open(MANIFEST, writable=False)
    except DiskMissing:
        return None
    try:
        return decode_manifest(disk.read_at(handle, 0, HEADER_BYTES_MAX + PAGE_BYTES))
    finally:
        disk.close(handle)


def replace_manifest(disk: Disk, manifest: Manifest) -> None:
    """Put a new manifest in place of the old one, durably. Raises DiskFull, DiskFailure."""
    with suppress(DiskMissing):
        disk.remove(MANIFEST_TEMPORARY)
    handle = disk.create(MANIFEST_TEMPORARY)
    try:
        disk.write_at(handle, 0, manifest.encode())
        disk.sync(handle)
    finally:
        disk.close(handle)
    disk.rename(MANIFEST_TEMPORARY, MANIFEST)
    disk.sync_folder("")
