"""The simulated disk must answer as the real one does, or tests on it prove nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from store.disk import Disk, DiskFailure, DiskFull, DiskMissing
from store.os_disk import OsDisk
from tests.sim.sim_disk import PowerCut
from tests.store.support import new_disk


def script(disk: Disk) -> list[object]:
    """A bit of everything, and what was answered."""
    said: list[object] = []

    def attempt(action: Callable[[], object]) -> None:
        try:
            said.append(action())
        except DiskFailure as error:
            said.append(type(error).__name__)

    disk.make_folder("a")
    disk.make_folder("a")
    handle = disk.create("a/x")
    disk.write_at(handle, 10, b"hello")
    attempt(lambda: disk.size(handle))
    attempt(lambda: disk.read_at(handle, 8, 100))
    attempt(lambda: disk.read_at(handle, 99, 1))
    disk.preallocate(handle, 5000)
    disk.sync(handle)
    disk.write_at(handle, 0, b"again")
    disk.sync_data(handle)
    others = [disk.create(f"a/{number}") for number in range(3)]
    disk.sync_together([])
    disk.sync_together(others[:2])
    disk.sync_together([handle, *others])
    for other in others:
        disk.close(other)
    attempt(lambda: disk.size(handle))
    disk.close(handle)
    disk.rename("a/x", "a/y")
    disk.sync_folder("a")
    attempt(lambda: disk.list("a"))
    attempt(lambda: disk.list(""))
    attempt(lambda: disk.open("a/x", writable=False))
    attempt(lambda: disk.remove("a/x"))
    attempt(lambda: disk.rename("a/x", "a/z"))
    attempt(lambda: disk.list("b"))
    attempt(lambda: disk.open("b/x", writable=True))
    disk.remove("a/y")
    attempt(lambda: disk.list("a"))
    return said


def test_both_disks_say_the_same(tmp_path: Path) -> None:
    real = OsDisk(str(tmp_path / "data"), create=True)
    assert script(new_disk()) == script(real)
    real.unlock()


def test_what_was_not_synced_may_be_lost_and_what_was_is_not() -> None:
    kept: set[tuple[bytes, bool]] = set()
    for seed in range(60):
        disk = new_disk(seed)
        handle = disk.create("x")
        disk.write_at(handle, 0, b"old")
        disk.sync(handle)
        disk.sync_folder("")
        disk.write_at(handle, 0, b"new")
        disk.close(disk.create("y"))
        disk.crash()
        handle = disk.open("x", writable=False)
        kept.add((disk.read_at(handle, 0, 3), "y" in disk.list("")))
    assert {(b"old", True), (b"old", False), (b"new", True), (b"new", False)} < kept, (
        "and torn ones"
    )


def test_a_sync_that_failed_never_reaches_the_platter() -> None:
    disk = new_disk()
    handle = disk.create("x")
    disk.sync_folder("")
    disk.write_at(handle, 0, b"lost")
    disk.fail_at = 1
    with pytest.raises(DiskFailure):
        disk.sync(handle)
    disk.sync(handle)
    assert disk.read_at(handle, 0, 4) == b"lost"
    disk.crash()


def test_any_of_some_may_be_durable_when_their_sync_fails() -> None:
    kept = set()
    for seed in range(40):
        disk = new_disk(seed)
        handles = [disk.create(name) for name in "xyz"]
        disk.sync_folder("")
        for handle in handles:
            disk.write_at(handle, 0, b"here")
        disk.fail_only, disk.fail_at = "sync_together x y z", 1
        with pytest.raises(DiskFailure):
            disk.sync_together(handles)
        disk.sync_together(handles)
        disk.crash()
        kept.add(tuple(disk.contents(name) == b"here" for name in "xyz"))
    assert len(kept) == 8


def test_a_grown_file_needs_more_than_fdatasync() -> None:
    disk = new_disk()
    handle = disk.create("x")
    disk.write_at(handle, 0, b"grown")
    with pytest.raises(AssertionError, match="fdatasync is not enough"):
        disk.sync_data(handle)


def test_the_quota_and_the_cut() -> None:
    disk = new_disk()
    disk.quota_bytes = 10
    handle = disk.create("x")
    with pytest.raises(DiskFull):
        disk.write_at(handle, 0, b"0123456789abc")
    assert disk.size(handle) == 10
    assert disk.free_bytes() == 0
    disk.cut_at = disk.calls + 1
    with pytest.raises(PowerCut):
        disk.remove("x")
    with pytest.raises(DiskMissing):
        disk.open("y", writable=False)
