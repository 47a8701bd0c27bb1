"""Messages in a row: the same records and the same state as one by one."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from store.limits import HOT_ACCOUNTS_MAX
from store.state import Account
from store.store import Store
from tests.store.support import SMALL, message_id, new_disk, open_store, picture

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


def test_a_run_larger_than_a_batch_becomes_several() -> None:
    store, accounts = three_users()
    settings = store.core.settings
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
