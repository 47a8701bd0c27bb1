"""What goes on while a checkpoint or a compaction is half done."""

from dataclasses import replace

import pytest

from store.disk import DiskFailure, DiskFull
from store.errors import StoreDamaged
from store.limits import BLOCK_PAYLOAD_BYTES, READ_SLICE_BYTES
from store.mailbox import mailbox_path
from store.store import Store
from tests.sim.sim_disk import SimDisk
from tests.store.support import SMALL, message_id, new_disk, open_store, picture, waiting
from tests.store.test_store import filled, read_all
from tests.store.workload import pass_time

LARGE = replace(
    SMALL,
    journal_segment_bytes=1 << 20,
    batch_bytes_max=512 * 1024,
    checkpoint_idle_ms=1 << 40,
    checkpoint_journal_bytes=1 << 40,
    journal_bytes_max=1 << 40,
)


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
        if slices == 3:
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


def test_a_large_entry_stands_alone_in_a_large_block() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann = store.create_account("ann", 1)
    for number, size in enumerate([10, READ_SLICE_BYTES * 2, 10, BLOCK_PAYLOAD_BYTES]):
        store.accept(ann, message_id(number), [ann], b"x" * size, 2)
        store.commit()
    store.checkpoint_now()
    sizes = [len(body) for _, _, body, _ in waiting(store, "ann")]
    assert sizes == [10, READ_SLICE_BYTES * 2, 10, BLOCK_PAYLOAD_BYTES]


def test_an_account_with_everything_at_its_limit_is_read_back() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    people = [store.create_account(f"user{index}", 1) for index in range(12)]
    for account in people:
        for index in range(1000):
            account.settled.add(10_000 + 2 * index, 10_001 + 2 * index)
    store.checkpoint_now()
    for account in people:
        store.touch(account, 2)
    store.checkpoint_now()
    disk.kill()
    again = open_store(disk, LARGE)
    assert len(again.state.by_name["user3"].settled) == 1001


def compactable() -> tuple[SimDisk, Store]:
    """bob's mailbox is worth a compaction, and so is everyone's; the next slice begins it."""
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    for number in range(100):
        store.accept(ann, message_id(2 * number), [bob], b"x" * 15_000, 2)
        store.accept_for_everyone(ann, message_id(2 * number + 1), b"y" * 15_000, 2)
    store.checkpoint_now()
    reader = store.reader(bob, 0, None)
    for _ in range(38):
        if found := reader.read(5, 1 << 30):
            store.settle(bob, found, 3)
            store.commit()
    store.checkpoint_now()
    return disk, store


def slices_until_temporary(disk: SimDisk, store: Store) -> None:
    """Until bob's mailbox is being copied."""
    while mailbox_path(2) + ".tmp" not in disk.files():
        assert store.work(0)


def test_compaction_keeps_what_is_waiting_and_gives_back_the_rest() -> None:
    disk, store = compactable()
    before = picture(store)
    used = disk.used_bytes()
    while store.work(0):
        pass
    assert store.status().compactions == 2
    assert disk.used_bytes() < used - 2_000_000
    assert picture(store) == before
    disk.crash()
    assert picture(open_store(disk, LARGE)) == before


def test_a_checkpoint_goes_before_a_compaction() -> None:
    disk, store = compactable()
    slices_until_temporary(disk, store)
    store.touch(store.state.by_name["ann"], 9)
    store.checkpoint_now()
    assert not any(each.endswith("mailbox.tmp") for each in disk.files())
    while store.work(0):
        pass
    assert store.status().compactions == 2


def test_a_compaction_without_room_is_given_up() -> None:
    disk, store = compactable()
    before = picture(store)
    store.core.reserve_intact = False
    disk.fail_only, disk.fail_at, disk.fail_error = "write mailboxes", 2, DiskFull
    while store.work(0):
        pass
    assert store.keeper.starved
    assert not any(each.endswith("mailbox.tmp") for each in disk.files())
    assert picture(store) == before


@pytest.mark.parametrize("when", ["in line", "under way"])
def test_the_account_goes_while_its_mailbox_is_compacted(when: str) -> None:
    disk, store = compactable()
    bob = store.state.by_name["bob"]
    if when == "under way":
        slices_until_temporary(disk, store)
    for each in read_all(store, "bob"):
        store.settle(bob, [each], 9)
    store.delete_account(bob, 10)
    while store.work(0):
        pass
    store.checkpoint_now()
    while store.work(0):
        pass
    assert not any(each.startswith("mailboxes/02/") for each in disk.files())


def test_everyone_is_not_compacted_below_what_a_closing_account_has_not_seen() -> None:
    _, store = compactable()
    carol = store.create_account("carol", 20)
    store.accept_for_everyone(store.state.by_name["ann"], message_id(5000), b"for carol", 21)
    store.begin_deletion(carol, 22)
    store.checkpoint_now()
    while store.work(0):
        pass
    assert [body for _, _, body, _ in waiting(store, "carol")] == [b"for carol"]


def test_no_room_in_the_middle_then_compaction_then_a_power_cut() -> None:
    """The file's base may then be past the end that the last complete checkpoint knows."""
    for fail_at in range(1, 30):
        disk = new_disk(fail_at)
        store = open_store(disk)
        ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
        store.checkpoint_now()
        for number in range(8):
            store.accept(ann, message_id(number), [bob], b"x" * 15_000, 2)
            store.commit()
        store.core.reserve_intact = False
        disk.fail_only, disk.fail_at, disk.fail_error = "write", fail_at, DiskFull
        store.checkpoint_now()
        disk.fail_at = -1
        store.settle(bob, read_all(store, "bob"), 3)
        store.accept(ann, message_id(100), [bob], b"new", 4)
        store.commit()
        store.keeper.candidates.append(bob.number)
        bob.queue.hint = bob.queue.end_offset
        store.core.settings = LARGE
        pass_time(store)
        while store.work(0):
            pass
        before = picture(store)
        disk.crash()
        store = open_store(disk)
        assert picture(store) == before
        store.accept(
            store.state.by_name["ann"], message_id(101), [store.state.by_name["bob"]], b"", 5
        )
        store.checkpoint_now()
        before = picture(store)
        disk.crash()
        assert picture(open_store(disk)) == before


def test_a_mailbox_that_cannot_be_opened_is_damage_of_that_queue() -> None:
    disk, store = filled(3, 100)

    def refuse(path: str, *, writable: bool) -> int:
        raise DiskFailure(24, f"{path} {writable}")

    disk.open = refuse  # type: ignore[method-assign]  # as when there are too many open files
    with pytest.raises(StoreDamaged, match="cannot be opened"):
        read_all(store, "bob")


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


def test_a_slice_with_nothing_wanted_gives_nothing_yet() -> None:
    _, store = filled(40, 9000)
    bob = store.state.by_name["bob"]
    reader = store.reader(bob, 30, None)
    calls = 0
    found: list[int] = []
    while not reader.exhausted:
        found += [each.number for each in reader.read(100, 1 << 30)]
        calls += 1
    assert found == list(range(31, 43))
    assert calls > 2
