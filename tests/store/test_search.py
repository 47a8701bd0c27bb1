import pytest

from store.entry import Entry
from store.errors import StoreDamaged
from store.search import CopySearch
from store.store import Store
from tests.store.support import filled, message_id, new_disk, open_store


def find(search: CopySearch) -> tuple[Entry | None, int]:
    """(what was found, in how many steps)."""
    steps, found = 0, None
    while not search.done:
        found = search.step()
        steps += 1
    return found, steps


def search(store: Store, counter: int, sender: str = "alice") -> CopySearch:
    by_name = store.state.by_name
    return store.search(by_name["bob"], by_name[sender], message_id(counter))


def test_the_tail_is_looked_at_first() -> None:
    store = open_store(new_disk())
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    entry = store.accept(alice, message_id(1), [bob], b"x", 3)
    assert find(search(store, 1)) == (entry, 1)
    assert find(search(store, 2)) == (None, 1)
    assert find(search(store, 1, "bob")) == (None, 1)


def test_the_file_is_gone_through_in_slices() -> None:
    _, store = filled()
    found, steps = find(search(store, 39))
    assert found is not None
    assert found.message_id == message_id(39)
    assert steps > 3
    nothing, more = find(search(store, 99))
    assert nothing is None
    assert more == steps


def test_an_outcome_is_no_message() -> None:
    store = open_store(new_disk())
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    entry = store.accept(alice, message_id(1), [bob], b"x", 3)
    store.settle(bob, [entry], 4)
    by_name = store.state.by_name
    assert find(store.search(by_name["alice"], by_name["bob"], message_id(1))) == (None, 1)


def test_a_search_goes_on_while_the_file_loses_its_front() -> None:
    _, store = filled()
    one = search(store, 39)
    one.step()
    one.step()
    bob = store.state.by_name["bob"]
    reader = store.reader(bob, 0, None)
    while not reader.exhausted:
        store.settle(bob, reader.read(1000, 1 << 30), 5)
    store.checkpoint_now()
    while store.work(1_000):
        pass
    for _ in range(20):
        store.core.clock.monotonic_us()
        store.keeper.slice()
    found, _ = find(one)
    assert found is None or found.message_id == message_id(39)


def test_everyone_has_a_queue_to_search_in() -> None:
    store = open_store(new_disk())
    alice = store.create_account("alice", 1)
    store.create_account("bob", 2)
    entry = store.accept_for_everyone(alice, message_id(1), b"x", 3)
    assert find(store.search_everyone(alice, message_id(1))) == (entry, 1)


def test_damage_is_not_passed_over() -> None:
    disk, store = filled()
    path = next(name for name in disk.list("mailboxes/02"))
    handle = disk.open(f"mailboxes/02/{path}", writable=True)
    disk.write_at(handle, 4096, b"rubbish!")
    disk.close(handle)
    with pytest.raises(StoreDamaged):
        find(search(store, 39))
