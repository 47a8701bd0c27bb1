import pytest

from store.core import RESERVE
from store.disk import DiskFull
from tests.store.support import SMALL, new_disk, open_store


def test_the_reserve_is_given_up_once_and_taken_again() -> None:
    disk = new_disk()
    core = open_store(disk).core
    assert len(disk.contents(RESERVE)) == SMALL.reserve_bytes
    assert core.give_up_reserve()
    assert not core.give_up_reserve()
    assert RESERVE not in disk.files()
    disk.quota_bytes = disk.used_bytes() + 1000
    with pytest.raises(DiskFull):
        core.make_reserve()
    assert RESERVE not in disk.files()
    disk.quota_bytes = 1 << 40
    core.make_reserve()
    assert core.reserve_intact


def test_a_manifest_that_finds_no_room_leaves_the_old_one() -> None:
    disk = new_disk()
    core = open_store(disk).core
    before = core.manifest
    disk.fail_only, disk.fail_at, disk.fail_error = "write MANIFEST", 1, DiskFull
    with pytest.raises(DiskFull):
        core.publish_segments()
    assert core.manifest is before
    core.publish_segments()
    assert core.manifest.generation == before.generation + 1
