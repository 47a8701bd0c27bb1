from random import Random

from store.account import Account
from store.entry import Audience, Entry, EntryKind
from store.fsck import fsck
from store.fsck_everyone import EveryoneLedger
from store.mailbox import mailbox_path
from tests.store.support import LARGE, message_id, new_disk, open_store, read_all


def test_the_ledger_counts_as_one_would_by_hand() -> None:
    rng = Random(1)
    for _ in range(200):
        numbers = sorted(rng.sample(range(1, 60), 20))
        ledger = EveryoneLedger()
        entries = [entry(number, rng.choice([5, 6, 7]), rng.randrange(4)) for number in numbers]
        for each in entries:
            ledger.add(each)
        ledger.close()
        account = Account(rng.choice([5, 6, 7]), "ann", 1)
        account.closing_number = rng.choice([0, 40])
        for start in sorted(rng.sample(range(60), 6)):
            account.settled.add(start, start + rng.randrange(1, 6))
        waiting = [
            each
            for each in entries
            if each.number > account.number
            and each.sender != account.number
            and not account.settled.covers(each.number)
            and (not account.closing or each.number <= account.closing_number)
        ]
        by_hand = (len(waiting), sum(len(each.body) for each in waiting))
        assert ledger.waiting(account) == by_hand


def entry(number: int, sender: int, size: int) -> Entry:
    audience = Audience.EVERYONE
    return Entry(
        number, 0, EntryKind.MESSAGE, bytes(16), sender, "x", 1, audience, 3, 0, bytes(size)
    )


def test_fsck_counts_what_waits_of_everyones_queue() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    for number in range(6):
        store.accept_for_everyone(ann, message_id(2 * number), b"from ann", 2)
        store.accept_for_everyone(bob, message_id(2 * number + 1), b"bob's", 2)
    store.commit()
    store.settle(ann, read_all(store, "ann", 2), 3)
    store.checkpoint_now()
    store.settle(bob, read_all(store, "bob")[2:4], 3)
    late = store.create_account("late", 4)
    store.accept_for_everyone(ann, message_id(50), b"after all", 5)
    store.begin_deletion(bob, 6)
    store.accept_for_everyone(ann, message_id(51), b"not for bob", 5)
    store.commit()
    disk.kill()
    assert late.messages_waiting(store.state) == 2
    assert fsck(disk) == []
    other = open_store(disk, LARGE)
    late = other.state.by_name["late"]
    late.everyone_seen += 1
    other.touch(late, 7)
    other.checkpoint_now()
    (finding,) = fsck(disk)
    assert finding.file == mailbox_path(0)
    assert "2 messages and 20 bytes waiting for late, but 1 and 20 are counted" in finding.text


def test_a_recalled_entry_counts_neither_where_it_stands_nor_where_it_is_gone() -> None:
    store = open_store(new_disk(), LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    shared = store.accept_for_everyone(ann, message_id(1), b"never mind", 2)
    store.recall_from_all(shared, [], 3)
    standing, gone = EveryoneLedger(), EveryoneLedger()
    standing.add(shared)
    for ledger in (standing, gone):
        ledger.close()
        assert ledger.disagreement(bob, store.state) == ""
