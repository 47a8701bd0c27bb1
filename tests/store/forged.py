"""A small folder with every kind of record and file; other values in it, under right checksums."""

from dataclasses import replace

from store.fsck import fsck
from store.limits import PAGE_BYTES
from store.manifest import MANIFEST
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import reseal, size_of
from tests.store.support import LARGE, open_store
from tests.store.workload import Day, every_record

SETTINGS = replace(LARGE, journal_segment_bytes=64 * 1024, batch_bytes_max=32 * 1024)
BLOCKS = (b"MSGB", b"MSGC", b"MSGT")


def day_of(disk: SimDisk) -> None:
    """A day with every kind of record, before a checkpoint and after it; then the server dies."""
    every_record(Day(open_store(disk, SETTINGS), lambda _: None))
    disk.kill()
    disk.quota_bytes = 64 << 20  # SimDisk has no holes: who makes a large one meets a full disk


def files_of(disk: SimDisk) -> list[str]:
    """The files that hold anything, in order."""
    return [
        *(
            f"{folder}/{name}"
            for folder in sorted(disk.tree)
            if folder.startswith(("accounts", "mailboxes/", "journal"))
            for name in sorted(disk.tree[folder].cache)
        ),
        MANIFEST,
    ]


def change_value(disk: SimDisk, path: str, part: int, at: int, value: bytes) -> None:
    """Other bytes in the header of a file (part 0) or in one of its blocks, under a right checksum.
    What is too high begins anew at 0.
    """
    data = disk.contents(path)
    starts = [each for each in range(0, len(data), PAGE_BYTES) if data[each : each + 4] in BLOCKS]
    start = [0, *starts][part % (len(starts) + 1)]
    first = 16 if start else 20
    place = start + first + at % (size_of(disk, path, start) - first)
    data[place : place + len(value)] = value
    reseal(disk, path, start, size_of(disk, path, start))


def damage_in(disk: SimDisk) -> list[str]:
    """What fsck calls damage."""
    return [str(each) for each in fsck(disk) if not each.harmless]
