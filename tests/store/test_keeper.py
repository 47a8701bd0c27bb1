from dataclasses import replace

from store.limits import PRESSED_DEAR_MS_MAX, PRESSED_MS_MAX
from store.settings import Admission
from tests.store.support import SMALL, filled, message_id, new_disk, open_store, picture, read_all
from tests.store.workload import pass_time


def test_busy_when_journal_or_tail_is_nearly_full() -> None:
    disk = new_disk()
    store = open_store(disk, replace(SMALL, tail_entries_max=2, checkpoint_journal_bytes=1 << 30))
    ann = store.create_account("ann", 1)
    for number in range(2):
        store.accept(ann, message_id(number), [ann], b"", 1)
    assert store.admission is Admission.BUSY
    store.checkpoint_now()
    assert store.status().admission is Admission.OPEN
    store.core.settings = replace(SMALL, journal_bytes_max=8192)
    for number in range(2, 4):
        store.accept(ann, message_id(number), [ann], b"", 1)
        store.commit()
    assert store.admission is Admission.BUSY


def test_the_fuller_memory_and_journal_are_the_longer_a_slice_may_take() -> None:
    store = open_store(new_disk(), replace(SMALL, tail_entries_max=20))
    ann = store.create_account("ann", 1)
    store.core.together.is_dear = True
    grown = []
    for number in range(24):
        store.accept(ann, message_id(number), [ann], b"", 1)
        grown.append(store.keeper.pressed_ms())
    assert grown == sorted(grown)
    assert grown[9] == 0
    assert 0 < grown[10] < grown[18] < grown[19]
    assert grown[19] == grown[23] == PRESSED_DEAR_MS_MAX
    store.commit()
    store.core.settings = replace(SMALL, journal_bytes_max=4096)
    assert store.keeper.pressed_ms() == PRESSED_DEAR_MS_MAX
    store.core.together.is_dear = False
    assert store.keeper.pressed_ms() == PRESSED_MS_MAX


def test_a_full_disk_refuses_sends_keeps_receipts_and_heals() -> None:
    disk, store = filled(6, 9000)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    for number in range(10, 15):
        store.accept(alice, message_id(number), [bob], b"z" * 15_000, 9)
    store.commit()
    disk.quota_bytes = disk.used_bytes() - SMALL.reserve_bytes + 4096
    pass_time(store)
    while store.work(5):
        pass
    assert store.admission is Admission.FULL
    assert not store.status().reserve_intact
    assert not store.work(5), "it waits for somebody to make room"
    store.settle(bob, read_all(store, "bob"), 10)
    store.commit()
    store.checkpoint_now()
    before = picture(store)
    disk.quota_bytes = 1 << 40
    for _ in range(3):
        pass_time(store)
        while store.work(5):
            pass
    assert store.status().admission is Admission.OPEN
    assert store.status().reserve_intact
    assert picture(store) == before
    disk.crash()
    assert picture(open_store(disk)) == before


def test_what_is_accepted_has_its_room_in_the_mailboxes_before_they_are_written() -> None:
    """However fast it comes, and however long nobody looked at the disk."""
    disk = new_disk()
    store = open_store(disk, replace(SMALL, space_check_ms=1 << 40, checkpoint_idle_ms=1 << 40))
    people = [store.create_account(name, 1) for name in ("ann", "bob", "cleo", "dora")]
    store.checkpoint_now()
    disk.quota_bytes = disk.used_bytes() + 400_000
    store.keeper.free_bytes = disk.free_bytes()
    accepted = 0
    while store.admission is not Admission.FULL:
        store.accept(people[0], message_id(accepted), people, b"z" * 3_000, 9)
        store.commit()
        store.work(5)
        accepted += 1
    store.checkpoint_now()
    assert accepted > 10
    assert store.status().reserve_intact
    assert disk.free_bytes() > 0
    assert len(read_all(store, "dora")) == accepted


def test_without_room_a_segment_is_made_once_nothing_else_makes_room() -> None:
    _, store = filled(2, 4000)
    journal = store.journal
    while store.work(5):
        pass
    journal.prepared = None
    store.keeper.segment_refused = True
    while store.work(0):
        pass
    assert journal.prepared is not None


def test_a_segment_that_finds_no_room_is_not_tried_again_until_somebody_looks() -> None:
    disk, store = filled(2, 4000)
    while store.work(5):
        pass
    store.journal.spares.clear()
    store.journal.prepared = None
    room_bytes, disk.quota_bytes = disk.quota_bytes, disk.used_bytes()
    assert store.keeper.segment_is_wanted(), "as far as it knows"
    assert store.keeper.step_ready()
    assert not store.keeper.segment_is_wanted()
    disk.quota_bytes = room_bytes
    pass_time(store)
    store.work(5)
    assert not store.keeper.segment_refused
