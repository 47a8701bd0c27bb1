from dataclasses import replace

import pytest

from store.disk import DiskFull
from store.errors import StoreFailure
from store.journal_segment import segment_path
from tests.store.support import SMALL, message_id, new_disk, open_store, picture, waiting


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
