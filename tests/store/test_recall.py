"""Sessions, what they were handed, and what senders take back: on the disk, and after every end."""

from random import Random

import pytest

from store.account import EVERYONE, Withdrawn
from store.account_codec import decode_everyone, encode_everyone
from store.checkpoint import Checkpoint
from store.compaction import Compaction
from store.dump import dump
from store.entry import Entry, EntryKind
from store.fsck import fsck
from store.records import Copy, Ended, Recalled, RecalledFromAll, Touched
from store.repair import repair
from store.repair_report import Report
from store.state import Account, State
from store.store import Store
from tests.examples import some
from tests.sim.sim_disk import SimDisk
from tests.sources_only import replace_constant
from tests.store.support import (
    LARGE,
    SMALL,
    message_id,
    new_disk,
    open_store,
    picture,
    read_all,
    waiting,
)

NAMES = ("alice", "bob", "carol")


def people(store: Store) -> list[Account]:
    return [store.create_account(name, 1) for name in NAMES]


def take_back(store: Store, sender: Account, entry: Entry, *accounts: Account) -> None:
    copies = [Copy(each.number, entry.number, len(entry.body), each.name) for each in accounts]
    store.recall(sender, entry.message_id, copies, 9)


def killed(store: Store) -> Store:
    """The same folder, as the next process finds it."""
    disk = store.core.disk
    assert isinstance(disk, SimDisk)
    store.commit()
    disk.unlock()
    return open_store(disk, LARGE)


def whole_picture(store: Store) -> object:
    """Also what only recalls look at."""
    state = store.state
    accounts = [state.by_name[name] for name in state.names]
    marks = [(each.session_number, each.handed_from, each.handed_to) for each in accounts]
    return picture(store), marks, sorted(state.accounts.marked), state.everyone.recalled


def test_a_copy_leaves_its_queue_and_its_sender_learns_it() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, carol = people(store)
    entry = store.accept(alice, message_id(1), [bob, carol], b"both", 2)
    other = store.accept(alice, message_id(2), [bob], b"stays", 3)
    take_back(store, alice, entry, bob, carol)
    assert waiting(store, "bob") == [(other.number, EntryKind.MESSAGE, b"stays", "alice")]
    assert waiting(store, "carol") == []
    assert [each[3] for each in waiting(store, "alice")] == ["bob", "carol"]
    assert {each.code for each in read_all(store, "alice")} == {30}
    before = whole_picture(store)
    store = killed(store)
    assert whole_picture(store) == before
    store.checkpoint_now()
    assert fsck(store.core.disk) == []
    assert whole_picture(killed(store)) == before


def test_a_copy_to_oneself_leaves_an_outcome_too() -> None:
    store = open_store(new_disk(), LARGE)
    alice, _, _ = people(store)
    entry = store.accept(alice, message_id(1), [alice], b"me", 2)
    take_back(store, alice, entry, alice)
    assert [each[1] for each in waiting(store, "alice")] == [EntryKind.FAILURE]
    before = whole_picture(store)
    assert whole_picture(killed(store)) == before


def test_the_record_of_a_recall_outlives_both_accounts() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, carol = people(store)
    entry = store.accept(alice, message_id(1), [bob, carol], b"x", 2)
    store.checkpoint_now()
    take_back(store, alice, entry, bob)
    store.begin_session(alice, 3)
    store.end_session(alice, (entry.number,), 3)
    store.delete_account(bob, 4)
    store.delete_account(alice, 5)
    store.checkpoint_now()
    assert killed(store).state.names == ["carol"]


def test_records_about_accounts_that_are_gone_change_nothing() -> None:
    state = State(11, 30)
    state.apply_session_begun(1, Touched(1, 99))
    state.apply_session_ended(2, Ended(1, 99, 0, 0))
    state.apply_recalled(3, Recalled(1, 98, bytes(16), (Copy(99, 2, 3, "bob"),)), None)
    assert state.next_number == 4
    assert not state.dirty


def test_a_session_leaves_marks_of_what_it_was_handed() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, _ = people(store)
    store.begin_session(bob, 2)
    assert bob.marked
    entries = [store.accept(alice, message_id(each), [bob], b"x", 3) for each in range(4)]
    store.end_session(bob, [entries[1].number, entries[2].number], 4)
    assert [bob.may_have_been_handed(each.number) for each in entries] == [0, 1, 1, 0]
    store.begin_session(bob, 5)
    store.end_session(bob, [entries[3].number], 6)
    assert [bob.may_have_been_handed(each.number) for each in entries] == [0, 1, 1, 1]
    before = whole_picture(store)
    store = killed(store)
    assert whole_picture(store) == before
    store.checkpoint_now()
    store = killed(store)
    assert whole_picture(store) == before
    bob = store.state.by_name["bob"]
    store.settle(bob, read_all(store, "bob"), 7)
    store.begin_session(bob, 8)
    store.end_session(bob, (), 9)
    assert not bob.marked
    assert not store.state.accounts.marked
    store.checkpoint_now()
    assert not killed(store).state.accounts.marked


def test_a_dump_shows_sessions_and_recalls() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, carol = people(store)
    store.begin_session(bob, 2)
    store.checkpoint_now()
    entry = store.accept(alice, message_id(1), [bob], b"x", 3)
    shared = store.accept_for_everyone(alice, message_id(2), b"x", 3)
    take_back(store, alice, entry, bob)
    store.recall_from_all(shared, [carol.number], 4)
    store.recall_from_all(shared, [], 4)
    store.end_session(bob, (entry.number,), 5)
    store.commit()
    lines = list(dump(store.core.disk))
    assert any(f" session={bob.number + 2} handed=0-0" in line for line in lines)
    assert any(f"copies={entry.number}@{bob.number}" in line for line in lines)
    assert any(f"entry={shared.number} kept={carol.number}" in line for line in lines)
    assert any(f"entry={shared.number} kept=nobody" in line for line in lines)
    assert any(f"handed={entry.number}-{entry.number}" in line for line in lines)


def test_a_session_that_was_cut_off_may_have_been_handed_everything() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, _ = people(store)
    entry = store.accept(alice, message_id(1), [bob], b"x", 2)
    store.begin_session(bob, 3)
    store = killed(store)
    bob = store.state.by_name["bob"]
    assert bob.session_number
    store.begin_session(bob, 4)
    assert bob.may_have_been_handed(entry.number)
    later = store.accept(store.state.by_name["alice"], message_id(2), [bob], b"x", 5)
    assert not bob.may_have_been_handed(later.number)


def test_a_message_to_everyone_goes_by_one_record_and_counts_stay_right() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, carol = people(store)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 2)
    second = store.accept_for_everyone(alice, message_id(2), b"second", 2)
    third = store.accept_for_everyone(bob, message_id(1), b"third", 2)
    (got, _, _) = read_all(store, "carol")
    assert got.number == first.number
    assert store.oldest_waiting_at_ms(bob) is not None
    store.recall_from_all(first, [carol.number], 3)
    store.recall_from_all(second, [], 3)
    assert [each[2] for each in waiting(store, "bob")] == []
    assert [each[2] for each in waiting(store, "carol")] == [b"first", b"third"]
    assert (bob.messages_waiting(store.state), bob.bytes_waiting(store.state)) == (0, 0)
    assert (carol.messages_waiting(store.state), carol.bytes_waiting(store.state)) == (2, 10)
    assert store.oldest_waiting_at_ms(bob) is None
    dave = store.create_account("dave", 4)
    assert dave.messages_waiting(store.state) == 0
    before = whole_picture(store)
    store = killed(store)
    assert whole_picture(store) == before
    store.checkpoint_now()
    assert fsck(store.core.disk) == []
    assert any(line.startswith(f"recalled {first.number} ") for line in dump(store.core.disk))
    store = killed(store)
    assert whole_picture(store) == before
    # What a settled range passes over is counted once.
    carol = store.state.by_name["carol"]
    store.settle(carol, read_all(store, "carol"), 5)
    assert carol.messages_waiting(store.state) == 0
    assert third.number <= carol.settled.floor
    before = whole_picture(store)
    assert whole_picture(killed(store)) == before


def test_the_oldest_that_waits_is_not_one_that_was_recalled() -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, _ = people(store)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 10)
    store.accept_for_everyone(alice, message_id(2), b"second", 20)
    assert store.oldest_waiting_at_ms(bob) == 10
    store.recall_from_all(first, [], 30)
    assert store.oldest_waiting_at_ms(bob) == 20
    store.recall_from_all(first, [bob.number], 30)
    assert store.oldest_waiting_at_ms(bob) == 20


def test_a_recall_is_forgotten_when_nobody_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_constant(monkeypatch, "store.keeper.RECALLED_FORGET_MIN", 1)
    store = open_store(new_disk(), LARGE)
    alice, bob, carol = people(store)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 2)
    store.accept_for_everyone(alice, message_id(2), b"second", 2)
    store.recall_from_all(first, [], 3)
    store.checkpoint_now()
    assert EVERYONE in store.keeper.candidates

    def look() -> None:
        compaction = Compaction(store.core, EVERYONE)
        while not compaction.step():
            pass

    look()
    assert list(store.state.everyone.recalled) == [first.number]
    for account in (bob, carol):
        store.settle(account, read_all(store, account.name), 4)
    look()
    assert fsck(store.core.disk) == []
    assert not store.state.everyone.recalled
    assert EVERYONE in store.state.dirty
    assert bob.messages_waiting(store.state) == 0
    before = whole_picture(store)[0]  # type: ignore[index]  # it is a tuple
    store.checkpoint_now()
    assert whole_picture(killed(store))[0] == before  # type: ignore[index]  # as above


def test_a_replay_counts_what_was_delivered_before_its_recall_once() -> None:
    """Everyone's state may be saved with a recall, and an account as it was before: not the
    account's own checkpoint yet.
    """
    store = open_store(new_disk(), LARGE)
    alice, bob, _ = people(store)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 2)
    store.checkpoint_now()
    store.accept_for_everyone(alice, message_id(2), b"second", 2)
    store.commit()
    checkpoint = Checkpoint(store.core)
    assert bob.number not in checkpoint.numbers
    store.settle(bob, read_all(store, "bob", 1), 3)
    store.recall_from_all(first, [], 4)
    store.commit()
    while not checkpoint.step():
        pass
    before = whole_picture(store)
    store = killed(store)
    assert whole_picture(store) == before
    assert store.state.by_name["bob"].messages_waiting(store.state) == 1


def test_limits_of_what_is_kept_in_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(new_disk(), LARGE)
    alice, bob, carol = people(store)
    replace_constant(monkeypatch, "store.store.RECALLED_KEPT_MAX", 2)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 2)
    assert store.can_recall_from_all(2)
    store.recall_from_all(first, [bob.number, carol.number], 3)
    assert store.can_recall_from_all(0)
    assert not store.can_recall_from_all(1)
    replace_constant(monkeypatch, "store.store.RECALLED_FROM_ALL_MAX", 1)
    assert not store.can_recall_from_all(0)
    own = [store.accept(alice, message_id(5 + each), [bob], b"x", 3) for each in range(4)]
    assert store.can_recall(bob, own[1].number)
    take_back(store, alice, own[1], bob)
    replace_constant(monkeypatch, "store.store.RECALL_RANGES_MAX", 2)
    assert not store.can_recall(bob, own[3].number)
    assert store.can_recall(bob, own[1].number + 1)  # it closes up with the gap before it


def test_damaged_states_are_refused() -> None:
    state = State(11, 30)
    everyone = state.everyone
    state.apply_recalled_from_all(7, RecalledFromAll(1, 2, bytes(16), 3, 4, (5, 6)))
    value = encode_everyone(everyone)[6:]
    assert decode_everyone(value).recalled == everyone.recalled
    for end in range(1, 20):
        with pytest.raises(ValueError, match="unpack"):
            decode_everyone(value[:-end])
    for number, at_number, size, kept in (
        (0, 7, 1, 0),
        (7, 7, 1, 0),
        (3, 8, 1, 0),
        (3, 7, 1 << 21, 0),
        (3, 7, 1, 8193),
    ):
        everyone.recalled = {3: Withdrawn(number, size, 2, at_number, (5,) * kept)}
        with pytest.raises(ValueError, match="recalls that cannot be"):
            decode_everyone(encode_everyone(everyone)[6:])


def test_a_recall_applied_twice_counts_once() -> None:
    state = State(11, 30)
    fields = RecalledFromAll(1, 2, bytes(16), 3, 4, ())
    state.apply_recalled_from_all(7, fields)
    state.everyone.recalled.clear()
    state.apply_recalled_from_all(7, fields)
    assert not state.everyone.recalled


def test_a_repair_keeps_recalls_and_what_it_cannot_keep_it_names() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    alice, bob, carol = people(store)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 2)
    store.accept_for_everyone(alice, message_id(2), b"second", 2)
    store.recall_from_all(first, [carol.number], 3)
    entry = store.accept(alice, message_id(3), [bob], b"own", 2)
    take_back(store, alice, entry, bob)
    before = [each[2] for each in waiting(store, "bob")]
    store.checkpoint_now()
    store.commit()
    disk.unlock()
    disk.remove("MANIFEST")
    assert repair(disk) is not None
    store = open_store(disk, LARGE)
    assert [each[2] for each in waiting(store, "bob")] == before == [b"second"]
    assert [each[2] for each in waiting(store, "carol")] == [b"first", b"second"]
    bob = store.state.by_name["bob"]
    assert bob.messages_waiting(store.state) == 1
    report = Report()
    report.doubt_record(store.state, 11, RecalledFromAll(1, 2, bytes(16), 3, 4, ()), certain=True)
    assert "took it back" in report.lines[0]


def test_a_repair_forgets_the_recall_of_what_is_lost() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    alice, bob, _ = people(store)
    first = store.accept_for_everyone(alice, message_id(1), b"first", 2)
    store.recall_from_all(first, [], 3)
    store.checkpoint_now()
    path = "mailboxes/00/0000000000000000.mailbox"
    disk.unlock()
    handle = disk.open(path, writable=True)
    disk.write_at(handle, 4096, bytes(64))
    disk.sync(handle)
    disk.close(handle)
    assert repair(disk) is not None
    store = open_store(disk, LARGE)
    assert not store.state.everyone.recalled
    bob = store.state.by_name["bob"]
    assert bob.messages_waiting(store.state) == len(waiting(store, "bob")) == 0


@pytest.mark.parametrize("seed", some(range(12), 4))
def test_whatever_happened_is_what_is_replayed(seed: int) -> None:
    """Random days with sessions and recalls; kills, and checkpoints that do not finish."""
    chance = Random(seed)
    store = open_store(new_disk(seed), SMALL)
    people(store)
    sent: list[Entry] = []

    def account() -> Account:
        return store.state.by_name[chance.choice(NAMES)]

    for counter in range(150):
        action = chance.randrange(12)
        one = account()
        if action <= 2:
            to = [store.state.by_name[each] for each in chance.sample(NAMES, 2)]
            sent.append(store.accept(one, message_id(counter), to, b"x" * chance.randrange(50), 1))
        elif action == 3:
            sent.append(store.accept_for_everyone(one, message_id(counter), b"all", 1))
        elif action == 4 and sent:
            entry = chance.choice(sent)
            if entry.audience == 3:
                kept = [one.number] if one.number != entry.sender else []
                if entry.number not in store.state.everyone.recalled:
                    store.recall_from_all(entry, kept, 2)
            else:
                there = [
                    each
                    for name in NAMES
                    if any(got[0] == entry.number for got in waiting(store, name))
                    for each in [store.state.by_name[name]]
                ]
                sender = store.state.by_number[entry.sender]
                if there:
                    take_back(store, sender, entry, *there)
        elif action <= 6:
            found = read_all(store, one.name, chance.randrange(1, 4))
            store.settle(one, found, 3)
        elif action == 7:
            store.begin_session(one, 4)
        elif action == 8:
            numbers = [each.number for each in read_all(store, one.name, 2)]
            store.end_session(one, numbers, 5)
        elif action == 9:
            store.checkpoint_now()
        elif action == 10:
            store.work(0)
        else:
            before = whole_picture(store)
            store.commit()
            disk = store.core.disk
            assert isinstance(disk, SimDisk)
            disk.unlock()
            assert [each for each in fsck(disk) if not each.harmless] == []
            store = open_store(disk, SMALL)
            assert whole_picture(store) == before
        for name in NAMES:
            each = store.state.by_name[name]
            messages = [got for got in waiting(store, name) if got[1] is EntryKind.MESSAGE]
            assert len(messages) == each.messages_waiting(store.state)
            assert sum(len(got[2]) for got in messages) == each.bytes_waiting(store.state)
