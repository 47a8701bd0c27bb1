from dataclasses import replace

import pytest

from store.disk import DiskFailure, DiskFull
from store.errors import StoreDamaged, StoreFailure
from store.fsck import fsck
from store.journal_segment import BATCH, FIRST_BATCH, segment_path
from store.limits import PAGE_BYTES
from store.manifest import read_manifest
from tests.sim.sim_disk import SimDisk
from tests.store.support import (
    LARGE,
    SMALL,
    crashed_store,
    journal_in_use,
    last_batch,
    message_id,
    new_disk,
    open_store,
    picture,
    waiting,
)
from tests.store.workload import pass_time


def test_a_turn_larger_than_a_batch_becomes_several_in_order() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1)
    first = store.open_lsn
    for number in range(10):
        store.accept(ann, message_id(number), [ann], bytes([number]) * 10_000, 2)
    assert store.open_lsn == first + 9
    assert store.durable_lsn == first - 1
    store.commit()
    assert store.durable_lsn == first + 9
    disk.crash()
    assert [body[0] for _, _, body, _ in waiting(open_store(disk), "ann")] == list(range(10))


@pytest.mark.parametrize("reserve", [True, False])
def test_a_rotation_that_finds_no_room_uses_the_reserve(*, reserve: bool) -> None:
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1)
    store.core.reserve_intact = reserve
    disk.fail_only, disk.fail_at, disk.fail_error = "create journal", 1, DiskFull
    for number in range(3):
        store.accept(ann, message_id(number), [ann], b"x" * 15_000, 2)
    while store.journal.spares:
        disk.remove(segment_path(store.journal.spares.pop()))
    if store.journal.prepared is not None:
        disk.remove(segment_path(store.journal.prepared.number))
        store.journal.prepared = None
    if reserve:
        store.commit()
        before = picture(store)
        disk.crash()
        assert picture(open_store(disk)) == before
    else:
        with pytest.raises(StoreFailure):
            store.commit()


def test_segments_of_another_size_are_not_used_again() -> None:
    disk = new_disk()
    store = open_store(disk)
    store.create_account("ann", 1)
    store.close()
    larger = replace(SMALL, journal_segment_bytes=64 * 1024)
    store = open_store(disk, larger)
    for at_ms in range(6):
        store.touch(store.state.by_name["ann"], at_ms)
        store.checkpoint_now()
    sizes = {len(disk.contents(each)) for each in disk.files() if each.startswith("journal/")}
    assert sizes == {64 * 1024}


def without_room(*, idle: bool) -> SimDisk:
    """Ended, or idle and then killed, when the disk had no room for a checkpoint."""
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1)
    store.checkpoint_now()
    for number in range(3):
        store.accept(ann, message_id(number), [ann], bytes([number]) * 3000, 2)
        store.commit()
    store.core.give_up_reserve()
    disk.quota_bytes = disk.used_bytes()
    before = store.durable_lsn
    if idle:
        pass_time(store)
        while store.work(1):
            pass
        assert store.durable_lsn == before + 1
        assert store.open_lsn == before + 2
        assert not store.work(1), "one seal is enough"
        disk.kill()
    else:
        store.close()
    disk.quota_bytes = 1 << 40
    return disk


@pytest.mark.parametrize("idle", [True, False])
def test_after_a_seal_damage_to_the_last_batch_is_damage(*, idle: bool) -> None:
    disk = without_room(idle=idle)
    assert fsck(disk) == []
    path = journal_in_use(disk)
    batch = FIRST_BATCH + 2 * PAGE_BYTES
    assert disk.contents(path)[batch + BATCH.size + 100] == 2
    disk.damage(path, batch + BATCH.size + 100, 1)
    with pytest.raises(StoreDamaged, match=r"stands behind it|batch 5 where 4 should be"):
        open_store(disk)


@pytest.mark.parametrize("idle", [True, False])
def test_damage_to_a_seal_costs_nothing(*, idle: bool) -> None:
    disk = without_room(idle=idle)
    manifest = read_manifest(disk)
    assert manifest is not None
    for number, _ in manifest.segments:  # the checkpoint that found no room had rotated
        if segment_path(number) != journal_in_use(disk):
            disk.damage(segment_path(number), FIRST_BATCH + 9, 1)
    store = open_store(disk)
    assert store.findings != ()
    assert [body[0] for _, _, body, _ in waiting(store, "ann")] == [0, 1, 2]


def test_a_store_goes_on_behind_a_seal() -> None:
    disk = without_room(idle=True)
    store = open_store(disk)
    assert len(waiting(store, "ann")) == 3
    ann = store.state.by_name["ann"]
    store.accept(ann, message_id(9), [ann], b"after", 3)
    store.commit()
    assert store.journal.seal()
    assert not store.journal.seal()
    store.accept(ann, message_id(10), [ann], b"after that", 3)
    store.commit()
    disk.crash()
    assert len(waiting(open_store(disk), "ann")) == 5


def test_without_a_seal_the_last_batch_looks_torn() -> None:
    disk = crashed_store()
    disk.damage(journal_in_use(disk), last_batch(disk).start + BATCH.size, 1)
    assert "unfinished batch" in open_store(disk).findings[0]


def test_nothing_is_sealed_that_needs_no_seal_or_has_no_room() -> None:
    disk = new_disk()
    store = open_store(disk)
    ann = store.create_account("ann", 1)
    store.checkpoint_now()
    calls = disk.calls
    assert not store.journal.seal(), "a checkpoint is a seal"
    assert disk.calls == calls
    store.accept(ann, message_id(1), [ann], b"x", 2)
    store.commit()
    store.journal.segments[-1].used = SMALL.journal_segment_bytes - FIRST_BATCH
    assert not store.journal.seal()


def test_a_seal_that_fails_ends_the_process() -> None:
    disk = new_disk()
    store = open_store(disk)
    store.create_account("ann", 1)
    store.commit()
    disk.fail_only, disk.fail_at, disk.fail_error = "sync_data", 1, DiskFailure
    with pytest.raises(StoreFailure):
        store.journal.seal()


def test_a_segment_that_is_being_made_is_given_up_at_the_end() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    journal = store.journal
    journal.prepared = None  # as after a rotation
    journal.spares.clear()
    assert not journal.step_ready()
    store.close()
    assert journal.making is None
    assert not disk.handles
    open_store(disk, LARGE)
    assert not [name for name in disk.list("journal") if name.endswith(".tmp")]


def test_a_commit_finishes_the_segment_that_is_being_made() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann = store.create_account("ann", 1)
    store.commit()
    journal = store.journal
    journal.prepared = None
    journal.spares.clear()
    assert not journal.step_ready()
    first = journal.segments[-1].number
    for number in range(4):
        store.accept(ann, message_id(number), [ann], bytes(300_000), 2)
        store.commit()
    assert journal.segments[-1].number > first
    disk.kill()
    assert len(waiting(open_store(disk, LARGE), "ann")) == 4
