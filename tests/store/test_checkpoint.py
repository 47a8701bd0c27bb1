from dataclasses import replace

import pytest

from store.checkpoint import Checkpoint
from store.disk import DiskFull
from store.errors import StoreFailure
from store.mailbox import MAILBOX_TEMPORARY, mailbox_path
from store.settings import Admission
from store.store import Store
from tests.sim.sim_disk import SimDisk
from tests.store.support import (
    LARGE,
    filled,
    message_id,
    new_disk,
    open_store,
    picture,
    read_all,
    waiting,
)
from tests.store.workload import pass_time


def test_an_account_deleted_while_a_checkpoint_runs() -> None:
    """Replay meets records of an account whose tombstone is in the checkpoint already."""
    disk = new_disk()
    store = open_store(disk)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    store.accept(ann, message_id(1), [bob], b"before", 2)
    store.commit()
    pass_time(store)
    store.work(0)
    assert store.status().checkpoint_running
    store.touch(bob, 3)
    store.accept(bob, message_id(1, b"bobs-own"), [ann, bob], b"several", 4)
    store.accept_for_everyone(bob, message_id(2, b"bobs-own"), b"everyone", 5)
    store.begin_deletion(bob, 6)
    store.settle(bob, read_all(store, "bob"), 7, discarded=True)
    store.settle(bob, read_all(store, "bob"), 7, discarded=True)
    store.delete_account(bob, 8)
    while store.keeper.checkpoint is not None:
        store.work(0)
    store.create_account("bob", 9)
    store.commit()
    before = picture(store)
    disk.kill()
    again = open_store(disk)
    assert picture(again) == before
    assert mailbox_path(2) not in disk.files()
    assert [body for _, _, body, _ in waiting(again, "ann")] == [b"several", b"everyone", b""]


def test_an_account_that_is_gone_before_it_had_a_mailbox() -> None:
    disk = new_disk()
    store = open_store(disk)
    store.delete_account(store.create_account("ann", 1), 2)
    store.checkpoint_now()
    disk.kill()
    assert open_store(disk).state.names == []


def test_a_checkpoint_given_up_forgets_neither_the_deleted_nor_those_who_stay() -> None:
    disk = new_disk()
    store = open_store(disk)
    people = [store.create_account(name, 1) for name in ("ann", "bob", "cat")]
    store.checkpoint_now()
    for account in people:
        store.touch(account, 2)
    store.delete_account(people[0], 3)
    store.commit()
    pass_time(store)
    store.work(0)
    store.delete_account(people[1], 4)
    store.core.reserve_intact = False
    disk.fail_only, disk.fail_at, disk.fail_error = "write accounts", 1, DiskFull
    while store.work(0):
        pass
    assert store.keeper.starved
    store.checkpoint_now()
    before = picture(store)
    assert [each for each in disk.files() if each.startswith("mailboxes/0")] == [mailbox_path(3)]
    disk.crash()
    assert picture(open_store(disk)) == before


def test_a_long_tail_is_written_in_pieces_while_more_comes() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    for number in range(60):
        store.accept(ann, message_id(2 * number), [bob], b"x" * 15_000, 2)
        store.accept_for_everyone(ann, message_id(2 * number + 1), b"y" * 15_000, 2)
    store.commit()
    store.core.settings = replace(LARGE, checkpoint_idle_ms=0)
    slices = 0
    while store.work(0):
        slices += 1
        store.accept(ann, message_id(1000 + slices), [bob], b"more", 3)
        if store.keeper.checkpoint is not None:
            store.core.settings = LARGE
    assert slices > 8
    before = picture(store)
    assert len(waiting(store, "bob")) == 120 + slices
    store.commit()
    disk.crash()
    assert picture(open_store(disk, LARGE)) == before


def test_many_new_accounts_take_several_slices() -> None:
    disk = new_disk()
    store = open_store(disk)
    for number in range(600):
        store.create_account(f"user{number}", 1)
    store.checkpoint_now()
    for number in range(600):
        store.touch(store.state.by_name[f"user{number}"], 2)
    store.checkpoint_now()
    disk.crash()
    store = open_store(disk)
    assert len(store.state.names) == 600
    store.close()


def test_no_room_to_remove_the_mailboxes_of_the_deleted_is_tried_again() -> None:
    """Some file systems need room for that; the checkpoint counts already."""
    disk = new_disk()
    store = open_store(disk)
    people = [store.create_account(f"user{number}", 1) for number in range(3)]
    store.checkpoint_now()
    for account in people:
        store.delete_account(account, 2)
    store.core.reserve_intact = False
    disk.fail_only, disk.fail_at, disk.fail_error = "remove mailboxes", 2, DiskFull
    store.checkpoint_now()
    assert store.admission is Admission.FULL
    assert store.state.deleted == {1: None, 2: None, 3: None}
    assert store.core.accounts_log.path in disk.files()
    disk.fail_at = -1
    store.checkpoint_now()
    assert not any(each.endswith(".mailbox") for each in disk.files() if "/00/" not in each)
    disk.crash()
    assert open_store(disk).state.names == []


def test_what_a_compaction_left_goes_at_the_start() -> None:
    disk, _ = filled(3, 100)
    handle = disk.create(MAILBOX_TEMPORARY)
    disk.write_at(handle, 0, b"what bob was sent")
    disk.sync(handle)
    disk.sync_folder("")
    disk.kill()
    open_store(disk)
    assert MAILBOX_TEMPORARY not in disk.files()
    disk.crash()
    assert MAILBOX_TEMPORARY not in disk.files()


def test_no_room_to_remove_an_old_segment_changes_nothing() -> None:
    for what in ("remove journal", "remove accounts"):
        disk = new_disk()
        store = open_store(disk)
        ann = store.create_account("ann", 1)
        for number in range(40):
            store.accept(ann, message_id(number), [ann], b"x" * 12_000, 2)
            store.commit()
        disk.fail_only, disk.fail_at, disk.fail_error = what, 1, DiskFull
        for at_ms in range(200):
            store.touch(ann, at_ms)
            store.checkpoint_now()
        assert disk.fail_at == 0
        before = picture(store)
        disk.crash()
        assert picture(open_store(disk)) == before


def test_a_mailbox_of_a_checkpoint_that_was_given_up_keeps_its_name() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    store.accept(ann, message_id(1), [bob], b"kept", 2)
    store.commit()
    checkpoint = Checkpoint(store.core)
    while not checkpoint.states:
        checkpoint.step()
    checkpoint.abandon()
    assert store.core.unsynced_folders
    store.checkpoint_now()
    assert not store.core.unsynced_folders
    names = {path: set(folder.platter) for path, folder in disk.tree.items()}
    for number in (ann.number, bob.number):
        folder, _, name = mailbox_path(number).rpartition("/")
        assert name in names[folder]


def test_the_folders_of_many_new_mailboxes_are_synced_once_each() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    for number in range(600):
        store.create_account(f"user{number}", 1)
    store.commit()
    disk.trace.clear()
    store.checkpoint_now()
    synced = [each for each in disk.trace if each.startswith("sync_folder mailboxes")]
    assert len(synced) == len(set(synced)) == 257
    late = store.create_account("late", 1)  # in a folder that has been synced before
    store.checkpoint_now()
    folder, _, name = mailbox_path(late.number).rpartition("/")
    assert name in disk.tree[folder].platter


def crowd(count: int) -> tuple[SimDisk, Store]:
    """So many accounts with mailboxes, and one message for each that is not in them yet."""
    disk = new_disk()
    store = open_store(disk, LARGE)
    people = [store.create_account(f"user{number:02}", 1) for number in range(count)]
    store.checkpoint_now()
    for number, account in enumerate(people):
        store.accept(people[0], message_id(number), [account], b"to %d" % number, 2)
    store.commit()
    disk.trace.clear()
    return disk, store


def walk(checkpoint: Checkpoint) -> None:
    """Up to where it counts."""
    while not checkpoint.is_published:
        checkpoint.step()


def synced_mailboxes(disk: SimDisk) -> list[int]:
    """How many mailboxes each of the syncs was for."""
    return [each.count(".mailbox") for each in disk.trace if each.startswith("sync_together")]


def test_mailboxes_share_a_sync() -> None:
    disk, store = crowd(40)
    store.checkpoint_now()
    assert synced_mailboxes(disk) == [16, 16, 8]
    before = picture(store)
    disk.crash()
    assert picture(open_store(disk, LARGE)) == before


def test_where_they_cannot_share_each_has_its_own() -> None:
    disk, store = crowd(20)
    disk.can_together = False
    store.checkpoint_now()
    assert synced_mailboxes(disk) == [1] * 20
    before = picture(store)
    disk.crash()
    assert picture(open_store(disk, LARGE)) == before


def test_much_to_write_is_the_last_of_its_slice() -> None:
    disk, store = crowd(9)
    people = [store.state.by_name[f"user{number:02}"] for number in range(9)]
    for number in range(9):
        store.accept(people[0], message_id(100 + number), people[1:7], b"x" * 15_000, 3)
    for number in range(2_000):
        store.accept(people[0], message_id(200 + number), people[7:8], b"", 3)
    store.commit()
    disk.trace.clear()
    store.checkpoint_now()
    # 135 KiB each of six, so two of them are enough; a long tail ends with its first piece.
    assert synced_mailboxes(disk) == [3, 2, 2, 1, 2]
    before = picture(store)
    disk.crash()
    assert picture(open_store(disk, LARGE)) == before


def test_nothing_counts_when_there_is_no_room_for_one_of_them() -> None:
    for fail_at in range(1, 17):
        disk, store = crowd(16)
        queues = [store.state.by_name[name].queue for name in store.state.names]
        offsets = [queue.end_offset for queue in queues]
        entries = store.state.tail_entries
        checkpoint = Checkpoint(store.core)
        disk.fail_only, disk.fail_at, disk.fail_error = "write mailboxes", fail_at, DiskFull
        with pytest.raises(DiskFull):
            walk(checkpoint)
        assert disk.fail_at == 0
        assert [queue.end_offset for queue in queues] == offsets
        assert store.state.tail_entries == entries
        assert checkpoint.done == 0
        assert not synced_mailboxes(disk)
        assert not [path for path, *_ in disk.handles.values() if "mailbox" in path], "all closed"
        walk(checkpoint)
        assert synced_mailboxes(disk) == [16]
        before = picture(store)
        disk.crash()
        assert picture(open_store(disk, LARGE)) == before


def test_a_sync_of_some_that_fails_ends_the_process_and_loses_nothing() -> None:
    for seed in range(8):
        disk, store = crowd(16)
        disk.rng.seed(seed)
        before = picture(store)
        disk.fail_only, disk.fail_at = "sync_together", 1
        with pytest.raises(StoreFailure):
            store.checkpoint_now()
        disk.kill()
        store = open_store(disk, LARGE)
        assert picture(store) == before
        store.checkpoint_now()
        disk.crash()
        assert picture(open_store(disk, LARGE)) == before


def test_a_name_is_synced_though_there_was_no_room_behind_it() -> None:
    """The next attempt finds the file, and need not know that nobody synced its name."""
    disk, store = crowd(1)
    path = mailbox_path(1)
    disk.remove(path)
    store.core.state.by_name["user00"].queue.hint = 0
    disk.sync_folder(path.rpartition("/")[0])
    checkpoint = Checkpoint(store.core)
    disk.fail_only, disk.fail_at, disk.fail_error = f"write {MAILBOX_TEMPORARY}", 2, DiskFull
    with pytest.raises(DiskFull):
        walk(checkpoint)
    assert path in disk.files()
    walk(checkpoint)
    folder, _, name = path.rpartition("/")
    assert name in disk.tree[folder].platter
