"""Messages in a row: the same records and the same state as one by one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from store.entry import Entry, EntryKind
from store.limits import HOT_ACCOUNTS_MAX
from store.records import Settled
from store.state import Account
from store.store import Store
from tests.store.support import (
    SMALL,
    filled,
    message_id,
    new_disk,
    open_store,
    picture,
    read_all,
)
from tests.store.workload import pass_time

RUNS = st.lists(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=300)), max_size=8))


def three_users() -> tuple[Store, list[Account]]:
    store = open_store(new_disk(), replace(SMALL, checkpoint_idle_ms=1 << 40))
    accounts = [store.create_account(name, 1) for name in ("ann", "bob", "cat")]
    store.accept(accounts[0], message_id(1), [accounts[1]], b"the first", 5)
    store.commit()
    return store, accounts


def accept_run(store: Store, accounts: list[Account], run: list[tuple[int, bytes]]) -> None:
    sender = accounts[0]
    window = sender.windows[b"install1"]
    first = window.highest + 1
    store.accept_run(
        sender,
        window,
        [(message_id(first + at), accounts[to], body) for at, (to, body) in enumerate(run)],
        7,
    )


@given(RUNS)
def test_in_a_row_is_as_one_by_one(runs: list[list[tuple[int, bytes]]]) -> None:
    (first, ours), (second, theirs) = three_users(), three_users()
    counter = 1
    for run in filter(None, runs):
        accept_run(first, ours, run)
        for to, body in run:
            counter += 1
            second.accept(theirs[0], message_id(counter), [theirs[to]], body, 7)
        assert first.journal.records == second.journal.records
        assert first.journal.first_number == second.journal.first_number
        assert first.open_lsn == second.open_lsn
        first.commit()
        second.commit()
    assert picture(first) == picture(second)
    assert first.keeper.promised_bytes == second.keeper.promised_bytes
    assert sorted(first.state.dirty) == sorted(second.state.dirty)


def test_only_who_is_awaited_is_kept_in_parts() -> None:
    store, accounts = three_users()
    bob, cat = accounts[1:]
    bob.queue.is_awaited = True
    accept_run(store, accounts, [(1, b"one"), (2, b"two")])
    store.accept(cat, message_id(1, b"cats-own"), accounts, b"to all", 8)
    assert [isinstance(item, tuple) for item in bob.queue.tail] == [False, True, True]
    assert [isinstance(item, tuple) for item in cat.queue.tail] == [False, False]
    assert [entry.body for entry in read_all(store, "bob")] == [b"the first", b"one", b"to all"]
    assert [entry.body for entry in read_all(store, "cat")] == [b"two", b"to all"]


@given(RUNS, st.sets(st.integers(0, 2)))
def test_what_is_awaited_is_the_same_and_is_kept_as_it_is(
    runs: list[list[tuple[int, bytes]]], awaited: set[int]
) -> None:
    (first, ours), (second, theirs) = three_users(), three_users()
    for index in awaited:
        ours[index].queue.is_awaited = True
    for counter, run in enumerate(filter(None, runs), 1_000):
        accept_run(first, ours, run)
        accept_run(second, theirs, run)
        for store, accounts in ((first, ours), (second, theirs)):
            store.accept(accounts[2], message_id(counter, b"cats-own"), accounts, b"to all", 8)
            store.settle(accounts[1], read_all(store, "bob")[:2], 9)
    kept = {account.number for account in ours if tuple in map(type, account.queue.tail)}
    assert kept <= {ours[index].number for index in awaited}
    assert picture(first) == picture(second)
    assert first.journal.records == second.journal.records
    for store in (first, second):
        store.checkpoint_now()
    assert [account.queue.end_offset for account in ours] == [
        account.queue.end_offset for account in theirs
    ]
    assert picture(first) == picture(second)


def test_a_run_larger_than_a_batch_becomes_several() -> None:
    store, accounts = three_users()
    settings = store.core.settings
    accept_run(store, accounts, [(1, b"x")])
    accept_run(store, accounts, [(1, b"y")])
    count = 40
    accept_run(store, accounts, [(1, b"x" * 1000)] * count)
    assert settings.batch_bytes_max < count * 1000
    assert store.journal.full
    store.commit()
    before = picture(store)
    store.core.disk.unlock()
    again = open_store(store.core.disk, SMALL)  # type: ignore[arg-type]  # the SimDisk it is
    assert picture(again) == before


def test_who_was_written_to_is_awake_until_the_next_checkpoint() -> None:
    store, _ = three_users()
    accounts = store.state.accounts
    bob = accounts.warm(b"bob")
    assert bob is accounts.by_name["bob"]
    assert accounts.hot == {b"bob": bob}
    assert accounts.warm(b"nobody") is None
    assert accounts.warm("bób".encode()) is None
    assert accounts.warm(b"\xff") is None
    store.checkpoint_now()
    assert accounts.hot == {}


def test_a_deleted_account_is_found_no_more() -> None:
    store, _ = three_users()
    accounts = store.state.accounts
    cat = accounts.warm(b"cat")
    assert cat is not None
    store.delete_account(cat, 9)
    assert accounts.hot == {}
    assert accounts.warm(b"cat") is None


def test_only_so_many_are_kept_awake() -> None:
    store, _ = three_users()
    accounts = store.state.accounts
    for number in range(HOT_ACCOUNTS_MAX):
        store.create_account(f"user{number}", 1)
        assert accounts.warm(b"user%d" % number) is not None
    assert len(accounts.hot) == HOT_ACCOUNTS_MAX
    accounts.warm(b"bob")
    assert list(accounts.hot) == [b"bob"]


def test_a_window_goes_on_as_if_each_were_taken() -> None:
    (_, ours), (_, theirs) = three_users(), three_users()
    one, other = ours[0].windows[b"install1"], theirs[0].windows[b"install1"]
    for count in (1, 7, 1023, 1024, 2000):
        one.advance(count, count)
        for _ in range(count):
            other.take(other.highest + 1, count)
        assert (one.highest, one.bitmap, one.last_used_ms) == (
            other.highest,
            other.bitmap,
            other.last_used_ms,
        )


READS = st.lists(st.tuples(st.integers(1, 5), st.sampled_from([1, 300, 1 << 30])), max_size=9)
FIRST_OF_BOB = 4  # ann, bob and cat were made, then the first message came


@given(
    st.lists(st.integers(0, 290), min_size=2, max_size=30),
    st.integers(0, 30),
    st.sets(st.integers(1, 29)),
    READS,
)
def test_what_is_read_in_a_row_is_what_is_read_with_a_look_at_everyones_queue(
    sizes: list[int], saved: int, settled: set[int], reads: list[tuple[int, int]]
) -> None:
    """A message to everyone that comes after all that is read keeps a reader from the short way."""
    given_out = []
    for to_everyone in (False, True):
        store, accounts = three_users()
        ann, bob, _ = accounts
        accept_run(store, accounts, [(1, bytes(size)) for size in sizes[:saved]])
        store.commit()
        store.checkpoint_now()
        accept_run(store, accounts, [(1, bytes(size)) for size in sizes[saved:]])
        until = store.state.next_number - 1
        waiting = store.reader(bob, 0, until).read(99, 1 << 30)
        store.settle(bob, [each for each in waiting if each.number - FIRST_OF_BOB in settled], 9)
        if to_everyone:
            store.accept_for_everyone(ann, message_id(500), b"to all", 9)
        store.commit()
        reader = store.reader(bob, 0, until)
        found = []
        for count_max, bytes_max in reads:
            entries = reader.read(count_max, bytes_max)
            found.append(([(each.pred, each.number, each.body) for each in entries], reader.pred))
        given_out.append((found, reader.exhausted))
    assert given_out[0] == given_out[1]


def test_a_slice_without_outcomes_is_passed_by() -> None:
    _, store = filled(40, 9000)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    store.accept(bob, message_id(1, b"install2"), [alice], b"hi", 5)
    store.settle(alice, read_all(store, "alice"), 6)
    store.checkpoint_now()
    last = store.state.next_number - 1
    reader = store.reader(bob, last - 1, None)
    found: list[Entry] = []
    calls = 0
    while not reader.exhausted and not found:
        found = reader.read(9, 1 << 20, outcomes_only=True)
        calls += 1
    assert [each.kind for each in found] == [EntryKind.SUCCESS]
    assert calls > 1


def test_a_reader_of_outcomes_goes_past_what_compaction_took_away() -> None:
    _, store = filled(60, 9000)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    reader = store.reader(bob, 0, None)
    store.settle(bob, read_all(store, "bob"), 6)
    store.checkpoint_now()
    pass_time(store)
    while store.work(5):
        pass
    assert store.status().compactions == 1
    store.accept(bob, message_id(1, b"install2"), [alice], b"hi", 5)
    store.settle(alice, read_all(store, "alice"), 6)
    found = reader.read(9, 1 << 20, outcomes_only=True)
    assert [each.kind for each in found] == [EntryKind.SUCCESS]


def test_gaps_are_settled_as_they_are_and_a_record_of_nothing_settles_nothing() -> None:
    store, accounts = three_users()
    bob = accounts[1]
    accept_run(store, accounts, [(1, b"x")] * 9)
    waiting = store.reader(bob, 0, None).read(99, 1 << 20)
    store.settle(bob, [waiting[1], waiting[2], waiting[5]], 9)
    first = waiting[0].number
    assert bob.settled.pairs() == [(0, 2), (first, first + 2), (first + 4, first + 5)]
    before = bob.settled.pairs(), bob.own_messages, store.state.next_number
    assert before[1] == 7
    store.state.apply_settled(
        before[2], Settled(9, bob.number, discarded=False, name="bob", settlements=()), bob
    )
    assert (bob.settled.pairs(), bob.own_messages) == before[:2]
    assert store.state.next_number == before[2] + 1
