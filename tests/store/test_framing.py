from collections.abc import Callable

import pytest

from store.errors import (
    StoreDamaged,
    StoreError,
    StoreFromTheFuture,
)
from store.fsck import fsck
from store.journal_segment import BATCH
from store.manifest import MANIFEST
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change, change_block, size_of
from tests.store.support import (
    ACCOUNTS,
    TINY,
    crashed_store,
    journal_in_use,
    last_batch,
    open_store,
)

WRONG: dict[str, Callable[[SimDisk], None]] = {
    "manifest too short": lambda disk: change(
        disk, MANIFEST, 8, (30).to_bytes(4, "big"), start=0, size=30
    ),
    "manifest with too many segments": lambda disk: change(
        disk, MANIFEST, 20 + 76, b"\0\0\0\x09", start=0, size=size_of(disk, MANIFEST, 0)
    ),
    "manifest with a longer accounts log": lambda disk: change(
        disk,
        MANIFEST,
        20 + 60,
        (1 << 20).to_bytes(8, "big"),
        start=0,
        size=size_of(disk, MANIFEST, 0),
    ),
    "manifest with more accounts blocks": lambda disk: change(
        disk,
        MANIFEST,
        20 + 68,
        bytes([0, 0, 0, 0, 0, 0, 0, 99]),
        start=0,
        size=size_of(disk, MANIFEST, 0),
    ),
    "manifest with another next number": lambda disk: change(
        disk,
        MANIFEST,
        20 + 24,
        bytes([0, 0, 0, 0, 0, 0, 0, 99]),
        start=0,
        size=size_of(disk, MANIFEST, 0),
    ),
    "accounts log missing": lambda disk: disk.remove(ACCOUNTS),
    "accounts log of another store": lambda disk: change(
        disk, ACCOUNTS, 25, b"other", start=0, size=size_of(disk, ACCOUNTS, 0)
    ),
    "account of an unknown code": lambda disk: change_block(disk, ACCOUNTS, 48, b"\0\x09"),
    "account cut short": lambda disk: change_block(disk, ACCOUNTS, 50, b"\0\0\xff\xff"),
    "accounts block elsewhere": lambda disk: change_block(disk, ACCOUNTS, 15, b"\x07"),
    "accounts block without a magic": lambda disk: change_block(disk, ACCOUNTS, 0, b"nope"),
    "batch with an unknown record": lambda disk: change_block(
        disk, journal_in_use(disk), BATCH.size, b"\0\x63", last_batch(disk).start
    ),
    "segment header of another size": lambda disk: change(
        disk, journal_in_use(disk), 8, (51).to_bytes(4, "big"), start=0, size=51
    ),
    "header length of nonsense": lambda disk: change(
        disk, MANIFEST, 8, b"\xff\xff\xff\xff", start=0, size=100
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_right_checksum_is_not_enough(what: str) -> None:
    disk = crashed_store()
    WRONG[what](disk)
    assert [each for each in fsck(disk) if not each.harmless]
    with pytest.raises(StoreError):
        open_store(disk, TINY)


@pytest.mark.parametrize("path", ["MANIFEST", "accounts", "journal"])
def test_a_format_from_the_future_is_refused(path: str) -> None:
    disk = crashed_store()
    file = next(each for each in disk.files() if each.startswith(path))
    if path == "journal":
        file = journal_in_use(disk)
    change(disk, file, 14, b"\0\x09", start=0, size=size_of(disk, file, 0))
    with pytest.raises(StoreFromTheFuture, match="use a newer msgd") as error:
        open_store(disk, TINY)
    assert error.value.exit_code == 78


def test_a_newer_version_may_use_another_checksum() -> None:
    disk = crashed_store()
    disk.contents(MANIFEST)[14:18] = b"\0\x02\0\x02"
    with pytest.raises(StoreFromTheFuture):
        open_store(disk, TINY)


@pytest.mark.parametrize("place", range(12, 18))
def test_one_rotten_byte_is_no_newer_version(place: int) -> None:
    disk = crashed_store()
    disk.contents(MANIFEST)[place] ^= 0x10
    with pytest.raises(StoreDamaged):
        open_store(disk, TINY)


def test_a_right_checksum_of_an_unknown_algorithm_is_no_header() -> None:
    disk = crashed_store()
    change(disk, MANIFEST, 16, b"\0\x02", start=0, size=size_of(disk, MANIFEST, 0))
    with pytest.raises(StoreDamaged):
        open_store(disk, TINY)
