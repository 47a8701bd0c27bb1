"""Other bytes under a right checksum: what only a fault of ours, or malice, would write."""

from zlib import crc32

from store.framing import CRC, PREFIX
from store.journal_segment import BATCH
from store.limits import PAGE_BYTES
from store.manifest import MANIFEST
from tests.sim.sim_disk import SimDisk


def reseal(disk: SimDisk, path: str, start: int, size: int) -> None:
    """Make the checksum of a header, block or batch right again."""
    data = disk.contents(path)
    data[start + 4 : start + 8] = CRC.pack(crc32(bytes(data[start + 8 : start + size])))


def change(disk: SimDisk, path: str, place: int, data: bytes, *, start: int, size: int) -> None:
    """Other bytes, under a right checksum."""
    disk.contents(path)[place : place + len(data)] = data
    reseal(disk, path, start, size)


def size_of(disk: SimDisk, path: str, start: int) -> int:
    """Bytes of a header or a block that its checksum covers."""
    data = bytes(disk.contents(path))
    if start == 0:
        return int(PREFIX.unpack_from(data)[2])
    payload_at, head = (24, BATCH.size) if path.startswith("journal") else (24, 48)
    return head + int.from_bytes(data[start + payload_at : start + payload_at + 4], "big")


def change_block(disk: SimDisk, path: str, at: int, data: bytes, start: int = PAGE_BYTES) -> None:
    change(disk, path, start + at, data, start=start, size=size_of(disk, path, start))


def change_manifest(disk: SimDisk, at: int, value: int) -> None:
    """Another u64 at this byte of MANIFEST's body."""
    size = size_of(disk, MANIFEST, 0)
    change(disk, MANIFEST, 20 + at, value.to_bytes(8, "big"), start=0, size=size)
