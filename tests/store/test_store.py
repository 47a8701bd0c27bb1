import pytest

from store.disk import DiskFailure
from store.entry import EntryKind
from store.errors import (
    StoreFailure,
    StoreLocked,
)
from store.limits import SYNC_SAMPLES_MAX
from store.manifest import MANIFEST
from store.settings import Admission
from tests.store.support import (
    TINY,
    crashed_store,
    filled,
    message_id,
    new_disk,
    open_store,
    read_all,
)
from tests.store.workload import pass_time


def test_what_covers_the_changes_made_so_far() -> None:
    _, store = filled(1, 100)
    assert (store.has_pending, store.pending_lsn) == (False, store.durable_lsn)
    store.touch(store.state.by_name["bob"], 9)
    assert (store.has_pending, store.pending_lsn) == (True, store.open_lsn)
    store.commit()
    assert store.durable_lsn == store.pending_lsn


def test_an_oldest_message_behind_many_outcomes_is_not_looked_for_far() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    for number in range(70):
        store.accept(ann, message_id(number), [bob], b"", 2)
    store.settle(bob, read_all(store, "bob"), 3)
    store.accept(bob, message_id(1, b"bobs-own"), [ann], b"", 4)
    assert store.oldest_waiting_at_ms(ann) is None
    store.settle(ann, read_all(store, "ann", 10), 5)
    assert store.oldest_waiting_at_ms(ann) == 4


def test_the_oldest_waiting_message() -> None:
    _, store = filled(2, 100)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    assert store.oldest_waiting_at_ms(alice) is None
    assert store.oldest_waiting_at_ms(bob) == 3
    assert store.oldest_waiting_at_ms(bob) == 3
    for number in range(100):
        store.settle(bob, read_all(store, "bob", 1), 10)
        store.accept(bob, message_id(number, b"bobs-own"), [alice], b"x", 11 + number)
        (message,) = read_all(store, "alice", 1)
        store.settle(alice, [message], 12) if message.kind is EntryKind.MESSAGE else None
        store.accept(alice, message_id(200 + number), [bob], b"y", 13)
    assert store.settle(bob, [], 1) == []


def test_a_sync_takes_time_and_the_panel_sees_it() -> None:
    _, store = filled(2, 100)
    assert open_store(new_disk()).status().p99_sync_us == 0
    bob = store.state.by_name["bob"]
    for at_ms in range(SYNC_SAMPLES_MAX + 10):
        store.touch(bob, at_ms)
        store.commit()
    store.checkpoint_now()
    status = store.status()
    assert status.last_sync_us > 0
    assert status.p99_sync_us > 0
    assert len(store.journal.sync_us) <= SYNC_SAMPLES_MAX
    assert status.admission is Admission.OPEN
    assert not status.checkpoint_running


def test_a_failed_commit_is_fatal() -> None:
    for call in ("write journal", "sync_data"):
        disk, store = filled(2, 100)
        disk.fail_only, disk.fail_at = call, 1
        store.touch(store.state.by_name["bob"], 5)
        with pytest.raises(StoreFailure, match="journal cannot be written") as error:
            store.commit()
        assert error.value.exit_code == 70


def test_a_failed_checkpoint_is_fatal_unless_the_disk_is_full() -> None:
    disk, store = filled(2, 100)
    store.touch(store.state.by_name["bob"], 5)
    store.commit()
    disk.fail_only, disk.fail_at = "sync accounts", 1
    pass_time(store)
    with pytest.raises(StoreFailure, match="the disk failed"):
        store.work(10)
    disk.fail_at = 1
    with pytest.raises(StoreFailure, match="the disk failed"):
        store.checkpoint_now()


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


def test_an_end_that_the_disk_does_not_take_is_a_failure() -> None:
    disk = new_disk()
    store = open_store(disk)

    def refuse(handle: int) -> None:
        raise DiskFailure(5, f"{handle}: close failed")

    disk.close = refuse  # type: ignore[method-assign]  # as a disk that is on its way out
    with pytest.raises(StoreFailure, match="close failed"):
        store.close()
