"""The simulated disk's damage: it goes where bytes go, and ends where they are written over."""

from random import Random

import pytest

from store.disk import DiskFailure, DiskFull
from tests.sim.sim_disk import SimDisk
from tests.sim.sim_inode import PAGE, SECTOR


def disk_with_a_file() -> tuple[SimDisk, int]:
    disk = SimDisk(Random(1))
    handle = disk.create("x")
    disk.write_at(handle, 0, b"a" * (2 * PAGE))
    disk.sync(handle)
    disk.sync_folder("")
    return disk, handle


def test_rot_is_on_the_platter_and_can_be_undone() -> None:
    disk, handle = disk_with_a_file()
    disk.damage("x", 700, 1)
    disk.damage("x", 700, 2)
    disk.crash()
    assert disk.damaged_files() == ("x",)
    assert disk.contents("x")[700] == ord("a") ^ 3
    disk.restore()
    disk.crash()
    assert disk.contents("x") == b"a" * (2 * PAGE)
    assert disk.damaged_files() == ()
    assert handle not in disk.handles


def test_what_is_written_over_rots_no_more_once_it_is_synced() -> None:
    disk, handle = disk_with_a_file()
    disk.damage("x", 700, 1)
    disk.write_at(handle, SECTOR, b"b" * SECTOR)
    assert disk.damaged_files() == ("x",), "the platter still has it"
    disk.sync_data(handle)
    assert disk.damaged_files() == ()
    disk.restore()
    assert disk.contents("x")[SECTOR : 2 * SECTOR] == b"b" * SECTOR


def test_a_write_that_was_lost_brings_the_rot_back() -> None:
    found = set()
    for seed in range(20):
        disk, handle = disk_with_a_file()
        disk.rng = Random(seed)
        disk.damage("x", 700, 1)
        disk.write_at(handle, SECTOR, b"b" * SECTOR)
        disk.crash()
        is_old = disk.contents("x")[SECTOR] == ord("a")
        assert bool(disk.damaged_files()) is is_old
        disk.restore()
        found.add(bytes(disk.contents("x")[SECTOR : SECTOR + 300]))
    assert {b"a" * 300, b"b" * 300} <= found


def test_a_failed_sync_keeps_both_kinds_apart() -> None:
    disk, handle = disk_with_a_file()
    disk.damage("x", 700, 1)
    disk.write_at(handle, SECTOR, b"b" * SECTOR)
    disk.fail_at = 1
    with pytest.raises(DiskFailure):
        disk.sync_data(handle)
    disk.sync_data(handle)  # it works, and does nothing: the page is clean
    disk.crash()
    assert disk.contents("x")[SECTOR] == ord("a")
    assert disk.damaged_files() == ("x",)


def test_a_bad_page_cannot_be_read_until_it_is_written() -> None:
    disk, handle = disk_with_a_file()
    disk.inode("x").bad_pages.add(1)
    assert disk.read_at(handle, 0, PAGE) == b"a" * PAGE
    with pytest.raises(DiskFailure):
        disk.read_at(handle, PAGE - 1, 2)
    disk.write_at(handle, PAGE, b"c" * PAGE)
    assert disk.read_at(handle, PAGE, 1) == b"c"
    assert disk.failed_reads == {"x"}


def test_one_read_of_many_fails() -> None:
    disk, handle = disk_with_a_file()
    disk.read_fail_at = 2
    assert disk.read_at(handle, 0, 1) == b"a"
    with pytest.raises(DiskFailure):
        disk.read_at(handle, 0, 1)
    assert disk.read_at(handle, 0, 1) == b"a"
    assert disk.counts["reads failed"] == 1


def test_a_write_far_behind_the_end_of_a_file_needs_the_room_before_it() -> None:
    disk, handle = disk_with_a_file()
    disk.quota_bytes = 4 * PAGE
    with pytest.raises(DiskFull):
        disk.write_at(handle, 1 << 60, b"x")
    assert disk.size(handle) == 2 * PAGE
