from dataclasses import replace

from store.checkpoint import Checkpoint
from store.disk import DiskFull
from store.mailbox import MAILBOX_TEMPORARY, mailbox_path
from store.settings import Admission
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
