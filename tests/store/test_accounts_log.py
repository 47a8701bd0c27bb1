from dataclasses import replace

from store.accounts_log import AccountsLog, accounts_path
from store.checkpoint import Checkpoint
from store.disk import DiskFull
from store.limits import CHECKPOINT_LOOKS_PER_SLICE
from tests.store.support import LARGE, SMALL, filled, new_disk, open_store, picture


def test_an_account_with_everything_at_its_limit_is_read_back() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    people = [store.create_account(f"user{index}", 1) for index in range(12)]
    for account in people * 300:
        store.touch(account, 1)
    for account in people:
        for index in range(1000):
            account.settled.add(1_000 + 2 * index, 1_001 + 2 * index)
    store.checkpoint_now()
    for account in people:
        store.touch(account, 2)
    store.checkpoint_now()
    disk.kill()
    again = open_store(disk, LARGE)
    assert len(again.state.by_name["user3"].settled) == 1001


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


def test_accounts_that_need_no_copy_are_passed_over_in_slices() -> None:
    _, store = filled(2)
    checkpoint = Checkpoint(store.core)
    while checkpoint.done < len(checkpoint.numbers):
        checkpoint.step()
    # As if there were so many more, and all of them saved just now.
    checkpoint.all_numbers = tuple(range(1, CHECKPOINT_LOOKS_PER_SLICE + 2))
    checkpoint.listed = frozenset(checkpoint.all_numbers)
    checkpoint.step()
    assert checkpoint.copied == CHECKPOINT_LOOKS_PER_SLICE
    checkpoint.step()
    assert checkpoint.copied == CHECKPOINT_LOOKS_PER_SLICE + 1


def test_a_log_that_was_to_be_removed_goes_with_the_next_start() -> None:
    disk = new_disk()
    store = open_store(disk)
    log = store.core.accounts_log
    AccountsLog.create(disk, store.store_id, log.number + 1)  # killed before MANIFEST named it
    AccountsLog.create(disk, b"somebody else's!", log.number + 2)
    half = disk.create(accounts_path(log.number + 3))
    disk.write_at(half, 0, b"half")
    disk.close(half)
    disk.kill()
    again = open_store(disk)
    left = [accounts_path(log.number + each) for each in (0, 2, 3)]
    assert [f"accounts/{name}" for name in disk.list("accounts")] == left
    assert [each for each in again.findings if "left alone" in each] == [
        f"{path} is not ours; left alone" for path in left[1:]
    ]


def test_a_leftover_is_not_removed_once_its_number_is_in_force() -> None:
    disk, store = filled(2)
    log = store.core.accounts_log
    AccountsLog.create(disk, store.store_id, log.number + 1)
    disk.kill()
    rewriting = replace(SMALL, accounts_garbage_bytes_min=-(1 << 40))
    again = open_store(disk, rewriting)
    assert again.core.accounts_log.number == log.number + 1
    disk.kill()
    assert picture(open_store(disk, rewriting)) == picture(again)


def test_a_leftover_that_cannot_be_read_is_left_alone() -> None:
    disk, store = filled(2)
    before = picture(store)
    log = store.core.accounts_log
    AccountsLog.create(disk, store.store_id, log.number + 1)
    disk.kill()
    disk.inode(accounts_path(log.number + 1)).bad_pages.add(0)
    again = open_store(disk)
    assert f"{accounts_path(log.number + 1)} is not ours; left alone" in again.findings
    assert picture(again) == before
