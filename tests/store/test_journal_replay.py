import pytest

from store.disk import DiskFull
from store.errors import StoreDamaged
from store.fsck import fsck
from store.journal_segment import BATCH, FIRST_BATCH, encode_segment_header
from store.limits import PAGE_BYTES, TORN_FILES_MAX
from tests.store.support import (
    TINY,
    crashed_store,
    journal_in_use,
    last_batch,
    message_id,
    new_disk,
    open_store,
    verdict,
    waiting,
)


def test_a_second_name_of_a_segment_is_removed_but_not_by_fsck() -> None:
    """What a rename leaves that a power cut left half done."""
    disk = crashed_store()
    second = "journal/00000000000000aa.journal"
    disk.tree["journal"].cache[second[8:]] = disk.tree["journal"].cache[journal_in_use(disk)[8:]]
    fsck(disk)
    assert second in disk.files()
    open_store(disk, TINY)
    assert second not in disk.files()


def test_two_names_of_one_torn_file_are_no_spares() -> None:
    """Used again, both: two segments would be one file, and each would overwrite the other."""
    disk = crashed_store()
    names = disk.tree["journal"].cache
    handle = disk.create("journal/00000000000000aa.journal")
    disk.preallocate(handle, TINY.journal_segment_bytes)
    disk.write_at(handle, 0, b"\xff" * 100)
    disk.sync(handle)
    names["00000000000000bb.journal"] = names["00000000000000aa.journal"]
    disk.sync_folder("journal")
    disk.kill()
    fsck(disk)
    assert len({id(inode) for inode in names.values()}) == len(names) - 1
    store = open_store(disk, TINY)
    names = disk.tree["journal"].cache
    assert len({id(inode) for inode in names.values()}) == len(names)
    store.create_account("zoe", 1)
    store.commit()
    disk.crash()
    assert "zoe" in open_store(disk, TINY).state.by_name


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
