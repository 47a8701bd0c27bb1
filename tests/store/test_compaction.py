import pytest

from store.account import EVERYONE
from store.compaction import Compaction
from store.disk import DiskFull
from store.mailbox import MAILBOX_TEMPORARY, mailbox_path
from store.store import Store
from tests.examples import some
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
    """Until bob's mailbox is being copied, and not everyone's."""
    number = store.state.by_name["bob"].number
    while (
        (compaction := store.keeper.compaction) is None
        or compaction.number != number
        or MAILBOX_TEMPORARY not in disk.files()
    ):
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
    assert MAILBOX_TEMPORARY not in disk.files()
    while store.work(0):
        pass
    assert store.status().compactions == 2


def test_a_compaction_without_room_is_given_up() -> None:
    disk, store = compactable()
    before = picture(store)
    store.core.reserve_intact = False
    disk.fail_only, disk.fail_at, disk.fail_error = "write mailbox.tmp", 2, DiskFull
    while store.work(0):
        pass
    assert store.keeper.starved
    assert MAILBOX_TEMPORARY not in disk.files()
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
    for fail_at in some(range(1, 30)):
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


def test_an_account_goes_while_everyones_queue_is_looked_through() -> None:
    _, store = compactable()
    everyone = store.state.everyone.queue
    slices = Compaction(store.core, EVERYONE).raise_everyone_hint(everyone)
    many = [store.create_account(f"user{number}", 9) for number in range(300)]
    assert next(slices) is False
    store.delete_account(many.pop(), 10)
    while next(slices, None) is not None:
        pass
    assert 0 < everyone.hint < everyone.end_offset, "bob has read a part"


def test_whoever_never_comes_back_is_looked_at_alone() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    people = [store.create_account(f"user{number}", 1) for number in range(600)]
    for number in range(12):
        store.accept_for_everyone(people[0], message_id(number), bytes(9000), 2)
    store.commit()
    store.checkpoint_now()
    first = list(Compaction(store.core, 0).run())
    assert len(first) >= 3, "everybody was looked at"
    assert store.core.furthest_behind[0] == people[1].number
    assert list(Compaction(store.core, 0).run()) == []
    store.settle(people[1], read_all(store, "user1"), 3)
    store.commit()
    assert len(list(Compaction(store.core, 0).run())) >= 3
    assert store.core.furthest_behind[0] == people[2].number
