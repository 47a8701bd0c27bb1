from dataclasses import replace

import pytest

from store.disk import DiskFull
from store.errors import (
    StoreDamaged,
    StoreNoRoom,
)
from store.manifest import MANIFEST
from store.settings import Admission
from tests.store.support import (
    TINY,
    crashed_store,
    message_id,
    new_disk,
    open_store,
    picture,
    read_all,
    sound,
)


def test_a_lost_manifest_is_not_a_new_folder() -> None:
    for name in ("journal", "accounts", "mailboxes"):
        disk = crashed_store()
        disk.remove(MANIFEST)
        for path in disk.files():
            if "/" in path and not path.startswith(name):
                disk.remove(path)
        if name != "mailboxes":
            disk.tree["mailboxes"].folders.clear()
        with pytest.raises(StoreDamaged, match="it is missing, but"):
            open_store(disk, TINY)


def test_an_unfinished_beginning_is_begun_again() -> None:
    disk = new_disk()
    for folder in ("journal", "accounts"):
        disk.make_folder(folder)
    handle = disk.create("accounts/0000000000000001.accounts")
    disk.write_at(handle, 0, b"half a header")
    assert open_store(disk, TINY).state.names == []


def test_too_full_to_start_says_so_and_loses_nothing() -> None:
    disk = crashed_store()
    expected = sound()
    disk.quota_bytes = disk.used_bytes() - 4096
    with pytest.raises(StoreNoRoom, match="recovery cannot finish"):
        open_store(disk, replace(TINY, journal_segment_bytes=32 * 1024))
    disk.quota_bytes = 1 << 40
    assert picture(open_store(disk, TINY)) == expected


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4, 8])
def test_a_new_folder_without_room_for_a_write_says_so_and_is_begun_again(
    fail_at: int,
) -> None:
    disk = new_disk()
    disk.fail_only, disk.fail_at, disk.fail_error = "write", fail_at, DiskFull
    with pytest.raises(StoreNoRoom, match="recovery cannot finish"):
        open_store(disk, TINY)
    disk.fail_at = -1
    assert open_store(disk, TINY).state.names == []


def test_after_a_crash_on_a_full_disk_the_reserve_is_enough_to_start_and_to_deliver() -> None:
    """One segment's room and a little more: what recovery lets go is the next one."""
    settings = replace(TINY, reserve_bytes=TINY.journal_segment_bytes + 32 * 1024)
    disk = new_disk()
    store = open_store(disk, settings)
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    for number in range(3):
        store.accept(alice, message_id(number), [bob], b"before the crash", 3)
        store.commit()
    assert store.core.reserve_intact
    disk.kill()
    disk.quota_bytes = disk.used_bytes()

    store = open_store(disk, settings)
    assert store.admission is Admission.FULL
    bob = store.state.by_name["bob"]
    store.settle(bob, read_all(store, "bob"), 4)
    store.commit()
    assert bob.messages_waiting(store.state) == 0


@pytest.mark.parametrize("folder", ["journal", "accounts", "mailboxes"])
def test_a_folder_that_is_missing_is_damage(folder: str) -> None:
    disk = crashed_store()
    del disk.tree[folder]
    disk.tree[""].folders.discard(folder)
    with pytest.raises(StoreDamaged, match="the folder is missing"):
        open_store(disk)


def test_the_folder_of_unfinished_batches_is_made_again() -> None:
    disk = crashed_store()
    del disk.tree["torn"]
    disk.tree[""].folders.discard("torn")
    open_store(disk, TINY)
    assert "torn" in disk.list("")
