"""Every kind of damage: refused by name, or harmless; never a silent loss."""

from dataclasses import replace

import pytest

from store.disk import DiskFull
from store.errors import (
    StoreDamaged,
    StoreError,
    StoreFailure,
    StoreFromTheFuture,
    StoreLocked,
    StoreNoRoom,
)
from store.fsck import fsck
from store.journal_segment import BATCH, FIRST_BATCH, encode_segment_header
from store.limits import PAGE_BYTES, TORN_FILES_MAX
from store.manifest import MANIFEST, decode_manifest
from tests.sim.sim_disk import SimDisk
from tests.store.support import SMALL, message_id, new_disk, open_store, picture, waiting

TINY = replace(SMALL, reserve_bytes=4096, journal_segment_bytes=24 * 1024)


def crashed_store(batches: int = 3) -> SimDisk:
    """A store that was checkpointed once, with so many batches in its journal."""
    disk = new_disk()
    store = open_store(disk, TINY)
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    store.accept(alice, message_id(0), [bob], b"in the mailbox", 3)
    store.accept_for_everyone(bob, message_id(0), b"for everyone", 4)
    store.checkpoint_now()
    for number in range(1, batches + 1):
        store.accept(alice, message_id(number), [bob], b"in the journal %d" % number, 5)
        store.commit()
    disk.kill()
    return disk


def journal_in_use(disk: SimDisk) -> str:
    """The live segment with batches in it."""
    for number, nonce in decode_manifest(bytes(disk.contents(MANIFEST))).segments:
        path = f"journal/{number:016x}.journal"
        if nonce.to_bytes(8, "big") in disk.contents(path)[FIRST_BATCH : FIRST_BATCH + BATCH.size]:
            return path
    raise AssertionError


def verdict(disk: SimDisk) -> object:
    """What a start and a look at every queue give: a picture, or the word for the damage."""
    try:
        store = open_store(disk, TINY)
        return picture(store)
    except (StoreDamaged, StoreFromTheFuture) as error:
        return type(error).__name__


def sound() -> object:
    return picture(open_store(crashed_store(), TINY))


def last_batch(disk: SimDisk) -> range:
    start = FIRST_BATCH + 2 * PAGE_BYTES
    return range(start, start + PAGE_BYTES)


def interesting(path: str) -> list[int]:
    """The bytes of a file that are not zero, and some that are."""
    data = crashed_store().contents(path)
    return [place for place in range(len(data)) if data[place] or place % 997 == 0]


@pytest.mark.parametrize(
    "path",
    [each for each in crashed_store().files() if each not in {"reserve", "LOCK"}],
)
def test_a_flipped_bit_is_seen_or_harmless(path: str) -> None:
    expected = sound()
    disk = crashed_store()
    original = bytes(disk.contents(path))
    is_live = path == journal_in_use(disk)
    for place in interesting(path):
        copy = crashed_store()
        assert bytes(copy.contents(path)) == original, "the same seed gives the same bytes"
        copy.damage(path, place, 1 << place % 8)
        harmful = [each for each in fsck(copy) if not each.harmless]
        found = verdict(copy)
        if is_live and place in last_batch(copy):
            assert found != "StoreFromTheFuture"
            continue
        assert found in (expected, "StoreDamaged", "StoreFromTheFuture"), place
        if found != expected:
            assert harmful, place


def test_a_journal_cut_short_anywhere_ends_with_the_last_whole_batch() -> None:
    """Each batch of this one fits a sector, so it is whole as soon as its first sector is."""
    for size in range(0, TINY.journal_segment_bytes, 512):
        disk = crashed_store()
        del disk.contents(journal_in_use(disk))[size:]
        if size == 0:
            assert verdict(disk) == "StoreDamaged"
            continue
        store = open_store(disk, TINY)
        batches = sum(size > FIRST_BATCH + PAGE_BYTES * index for index in range(3))
        assert len(waiting(store, "bob")) == 1 + batches, size


def test_damage_before_the_last_batch_is_refused_by_name() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.damage(path, FIRST_BATCH + BATCH.size, 1)
    with pytest.raises(StoreDamaged, match=r"batch \d+ is damaged, and \d+ stands behind it") as e:
        open_store(disk, TINY)
    assert (e.value.file, e.value.offset) == (path, FIRST_BATCH)
    assert e.value.exit_code == 78


def test_a_torn_tail_is_copied_aside_and_said() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.damage(path, last_batch(disk).start + BATCH.size, 1)
    store = open_store(disk, TINY)
    assert "never acknowledged; copied to torn/" in store.findings[0]
    assert [body for _, _, body, _ in waiting(store, "bob")][-1] == b"in the journal 2"
    assert [each for each in disk.files() if each.startswith("torn/")]


@pytest.mark.parametrize("reason", ["folder full", "disk full"])
def test_a_torn_tail_without_room_for_a_copy(reason: str) -> None:
    disk = crashed_store()
    disk.damage(journal_in_use(disk), last_batch(disk).start + BATCH.size, 1)
    if reason == "folder full":
        for number in range(TORN_FILES_MAX):
            disk.close(disk.create(f"torn/{number}"))
    else:
        disk.fail_only, disk.fail_at = "write torn", 1
        disk.fail_error = DiskFull
    store = open_store(disk, TINY)
    assert "no copy was kept" in store.findings[0]
    assert len(waiting(store, "bob")) == 3


def test_a_missing_segment_is_noticed() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.remove(path)
    with pytest.raises(StoreDamaged, match="it is missing") as error:
        open_store(disk, TINY)
    assert error.value.file == path


def test_a_segment_of_another_store_is_refused() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.contents(path)[:PAGE_BYTES] = encode_segment_header(bytes(16), 1, 2)
    with pytest.raises(StoreDamaged, match="not the segment that MANIFEST names"):
        open_store(disk, TINY)


def test_a_gap_between_segments_is_damage() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    alice = store.create_account("alice", 1)
    for number in range(9):
        store.accept(alice, message_id(number), [alice], b"x" * 3000, 5)
        store.commit()
    disk.kill()
    first = journal_in_use(disk)
    batch = FIRST_BATCH + 4 * PAGE_BYTES
    assert disk.contents(first)[batch : batch + 4] == b"MSGT"
    disk.damage(first, batch + BATCH.size, 1)
    with pytest.raises(StoreDamaged, match=r"batch \d+ where \d+ should be"):
        open_store(disk, TINY)


def test_a_manifest_older_than_the_journal_is_refused() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    old = bytes(disk.contents(MANIFEST))
    account = store.create_account("alice", 1)
    for at_ms in range(2, 5):
        store.checkpoint_now()
        store.touch(account, at_ms)
        store.commit()
    disk.kill()
    disk.contents(MANIFEST)[:] = old
    with pytest.raises(StoreDamaged, match="MANIFEST"):
        open_store(disk, TINY)


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


@pytest.mark.parametrize("path", ["MANIFEST", "accounts", "journal"])
def test_a_format_from_the_future_is_refused(path: str) -> None:
    disk = crashed_store()
    file = next(each for each in disk.files() if each.startswith(path))
    if path == "journal":
        file = journal_in_use(disk)
    disk.contents(file)[14:16] = b"\0\x09"
    with pytest.raises(StoreFromTheFuture, match="use a newer msgd") as error:
        open_store(disk, TINY)
    assert error.value.exit_code == 78


def test_a_mailbox_from_the_future_is_refused_when_it_is_needed() -> None:
    disk = crashed_store()
    disk.contents("mailboxes/02/0000000000000002.mailbox")[14:16] = b"\0\x09"
    with pytest.raises(StoreFromTheFuture):
        open_store(disk, TINY)


def test_the_lock_is_held_for_life() -> None:
    disk = new_disk()
    store = open_store(disk)
    with pytest.raises(StoreLocked, match="stop it first"):
        open_store(disk)
    store.close()
    open_store(disk).close()


def test_a_disk_that_cannot_be_read_at_start() -> None:
    disk = crashed_store()
    disk.unreadable.add(MANIFEST)
    with pytest.raises(StoreFailure, match="during recovery"):
        open_store(disk, TINY)
    disk.unreadable.clear()
    open_store(disk, TINY)


def test_too_full_to_start_says_so_and_loses_nothing() -> None:
    disk = crashed_store()
    expected = sound()
    disk.quota_bytes = disk.used_bytes() - 4096
    with pytest.raises(StoreNoRoom, match="recovery cannot finish"):
        open_store(disk, replace(TINY, journal_segment_bytes=32 * 1024))
    disk.quota_bytes = 1 << 40
    assert picture(open_store(disk, TINY)) == expected


def test_what_is_not_ours_is_left_alone() -> None:
    disk = crashed_store()
    disk.close(disk.create("journal/notes.txt"))
    disk.close(disk.create("journal/00000000000000aa.journal.tmp"))
    handle = disk.create("journal/00000000000000bb.journal")
    disk.write_at(handle, 0, encode_segment_header(bytes(16), 0xBB, 1))
    store = open_store(disk, TINY)
    assert store.findings[1] == "journal/notes.txt is not ours; left alone"
    assert "belongs to another store" in store.findings[0]
    assert "journal/notes.txt" in disk.files()
    assert "journal/00000000000000bb.journal" in disk.files()
    assert "journal/00000000000000aa.journal.tmp" not in disk.files()


def test_a_message_that_imitates_a_batch_is_not_one() -> None:
    """Sector-aligned bytes that look like a later batch; only the nonce tells."""
    disk = crashed_store()
    path = journal_in_use(disk)
    start = last_batch(disk).start
    genuine = bytearray(disk.contents(path)[start : start + PAGE_BYTES])
    genuine[48:56] = bytes(8)
    disk.contents(path)[start + PAGE_BYTES : start + 2 * PAGE_BYTES] = genuine
    disk.damage(path, start + BATCH.size, 1)
    assert len(waiting(open_store(disk, TINY), "bob")) == 3


def test_errors_have_exit_codes() -> None:
    assert StoreError.exit_code == 78
    assert StoreFailure.exit_code == 70
