"""The store from outside: reading, admission, disk full, status."""

from dataclasses import replace

import pytest

from store.disk import DiskFull
from store.entry import Audience, Entry, EntryKind
from store.errors import StoreDamaged, StoreFailure
from store.fsck import fsck
from store.limits import SETTLED_RANGES_MAX, SYNC_SAMPLES_MAX
from store.mailbox import mailbox_path
from store.reader import QueueReader
from store.settings import Admission
from store.store import Store
from tests.sim.sim_disk import SimDisk
from tests.store.support import SMALL, message_id, new_disk, open_store, picture, waiting
from tests.store.workload import pass_time


def filled(count: int = 40, size: int = 9000) -> tuple[SimDisk, Store]:
    """alice and bob; so many messages for bob in his mailbox file."""
    disk = new_disk()
    store = open_store(disk)
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    for number in range(count):
        store.accept(alice, message_id(number), [bob], number.to_bytes(4, "big") * (size // 4), 3)
        store.commit()
    store.checkpoint_now()
    return disk, store


def read_all(store: Store, name: str, count: int = 1000) -> list[Entry]:
    reader = store.reader(store.state.by_name[name], 0, None)
    found: list[Entry] = []
    while not reader.exhausted and len(found) < count:
        found += reader.read(count - len(found), 1 << 30)
    return found


def rest(reader: QueueReader) -> list[Entry]:
    found: list[Entry] = []
    while not reader.exhausted:
        found += reader.read(1000, 1 << 30)
    return found


def test_one_call_reads_a_slice_and_all_calls_read_everything() -> None:
    _, store = filled()
    reader = store.reader(store.state.by_name["bob"], 0, None)
    first = reader.read(1000, 1 << 30)
    assert 0 < len(first) < 40
    assert not reader.exhausted
    numbers = [entry.number for entry in first]
    numbers += [entry.number for entry in rest(reader)]
    assert numbers == list(range(3, 43))


def test_a_reader_stops_at_bytes_and_until() -> None:
    _, store = filled()
    bob = store.state.by_name["bob"]
    assert len(store.reader(bob, 0, None).read(100, 20_000)) == 2
    assert len(store.reader(bob, 0, None).read(100, 1)) == 1
    reader = store.reader(bob, 4, 7)
    assert [(each.pred, each.number) for each in reader.read(100, 1 << 30)] == [
        (4, 5),
        (5, 6),
        (6, 7),
    ]
    assert reader.exhausted


def test_a_live_reader_follows_through_a_checkpoint() -> None:
    _, store = filled(2)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    reader = store.reader(bob, store.state.next_number - 1, None)
    assert reader.read(10, 1000) == []
    assert reader.exhausted
    store.accept(alice, message_id(100), [bob], b"a", 4)
    store.accept(alice, message_id(101), [bob], b"b", 4)
    assert [each.body for each in reader.read(1, 1000)] == [b"a"]
    store.checkpoint_now()
    assert [each.body for each in reader.read(9, 1000)] == [b"b"]


def test_outcomes_only_skips_messages_without_settling_them() -> None:
    _, store = filled(3, 100)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    reader = store.reader(bob, 0, None)
    assert reader.read(10, 1000, outcomes_only=True) == []
    assert reader.exhausted
    store.accept(bob, message_id(1, b"bobs-own"), [alice], b"hi", 5)
    (message,) = read_all(store, "alice")
    ((to, outcome),) = store.settle(alice, [message], 6)
    assert (to, outcome.kind, outcome.audience) == (bob, EntryKind.SUCCESS, Audience.ONE)
    (found,) = store.reader(bob, 0, None).read(10, 1000, outcomes_only=True)
    assert found.pred == 5
    store.settle(bob, [found], 7)
    assert len(waiting(store, "bob")) == 3


def test_too_many_settled_ranges_stop_a_reader() -> None:
    _, store = filled(3, 100)
    bob = store.state.by_name["bob"]
    for index in range(SETTLED_RANGES_MAX):
        bob.settled.add(1000 + 2 * index, 1001 + 2 * index)
    reader = store.reader(bob, 3, None)
    assert reader.read(10, 1000) == []
    assert not reader.exhausted
    reader = store.reader(bob, 0, None)
    assert [each.number for each in reader.read(10, 1000)] == [3], "it closes a gap"


def test_reading_raises_the_hint_so_that_the_next_reader_starts_there() -> None:
    _, store = filled()
    bob = store.state.by_name["bob"]
    reader = store.reader(bob, 0, None)
    while not reader.exhausted:
        if found := reader.read(5, 1 << 30):
            store.settle(bob, found, 9)
            store.commit()
    assert bob.queue.hint > 0
    assert waiting(store, "bob") == []


def test_damage_in_a_queue_is_said_after_what_was_found_before_it() -> None:
    disk, store = filled()
    bob = store.state.by_name["bob"]
    disk.damage(mailbox_path(bob.number), bob.queue.end_offset - 5000, 1)
    reader = store.reader(bob, 0, None)
    found: list[Entry] = []

    def read_on() -> None:
        while not reader.exhausted:
            found.extend(reader.read(1000, 1 << 30))

    with pytest.raises(StoreDamaged, match="checksum"):
        read_on()
    assert 0 < len(found) < 40
    assert read_all(store, "alice") == []
    damage = [each for each in fsck(disk) if not each.harmless]
    assert damage[0].file == mailbox_path(bob.number)
    assert str(damage[0]).startswith("DAMAGE: mailboxes/02/")


def test_found_entries_are_given_before_the_damage_is_raised() -> None:
    disk, store = filled(2, 100)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    reader = store.reader(bob, 0, None)
    assert len(reader.read(1, 1000)) == 1
    store.accept(alice, message_id(100), [bob], b"a", 4)
    store.checkpoint_now()
    disk.unreadable.add(mailbox_path(bob.number))
    assert len(reader.read(9, 1000)) == 1
    with pytest.raises(StoreDamaged, match="cannot be read"):
        reader.read(9, 1000)


@pytest.mark.parametrize("what", ["missing", "other account", "short header"])
def test_a_mailbox_that_is_not_the_one(what: str) -> None:
    disk, store = filled(2, 100)
    path = mailbox_path(store.state.by_name["bob"].number)
    if what == "missing":
        disk.remove(path)
    elif what == "other account":
        disk.contents(path)[:] = disk.contents(mailbox_path(1))
    else:
        del disk.contents(path)[10:]
    with pytest.raises(StoreDamaged):
        read_all(store, "bob")
    assert [each for each in fsck(disk) if not each.harmless]


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


def test_a_new_accounts_log_that_finds_no_room_is_given_up() -> None:
    disk = new_disk()
    settings = replace(SMALL, accounts_garbage_bytes_min=4096)
    store = open_store(disk, settings)
    ann = store.create_account("ann", 1)
    for at_ms in range(4):
        store.touch(ann, at_ms)
        store.checkpoint_now()
    for fail_at in range(1, 6):
        store.touch(ann, 10 + fail_at)
        store.core.reserve_intact = False
        disk.fail_only, disk.fail_at, disk.fail_error = "write accounts", fail_at, DiskFull
        store.checkpoint_now()
        store.touch(ann, 20 + fail_at)
        store.checkpoint_now()
        disk.fail_at = -1
        store.checkpoint_now()
    before = picture(store)
    disk.kill()
    assert picture(open_store(disk, settings)) == before


def test_a_checkpoint_into_a_damaged_mailbox_is_refused() -> None:
    disk, store = filled(12, 14_000)
    bob = store.state.by_name["bob"]
    store.settle(bob, read_all(store, "bob"), 10)
    store.commit()
    disk.damage(mailbox_path(bob.number), 0, 1)
    store.accept(bob, message_id(1, b"bobs-own"), [bob], b"", 11)
    with pytest.raises(StoreDamaged, match="does not begin with MSGQ"):
        store.checkpoint_now()


def test_compaction_leaves_a_damaged_mailbox_alone() -> None:
    disk, store = filled(12, 14_000)
    bob = store.state.by_name["bob"]
    store.settle(bob, read_all(store, "bob"), 10)
    disk.damage(mailbox_path(bob.number), 0, 1)
    store.checkpoint_now()
    while store.work(5):
        pass
    assert "does not begin with MSGQ" in store.findings[-1]
    store.touch(bob, 12)
    store.checkpoint_now()
    assert not store.keeper.candidates


def test_the_accounts_log_is_begun_anew_when_it_is_mostly_garbage() -> None:
    disk, store = filled(1, 100)
    bob = store.state.by_name["bob"]
    for at_ms in range(20):
        store.touch(bob, 100 + at_ms)
        store.checkpoint_now()
    assert store.core.accounts_log.number > 1
    assert sum(each.startswith("accounts/") for each in disk.files()) == 1
    before = picture(store)
    disk.crash()
    assert picture(open_store(disk)) == before
