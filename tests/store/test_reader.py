import pytest

from store.entry import Audience, Entry, EntryKind
from store.errors import StoreDamaged
from store.fsck import fsck
from store.limits import PAGE_BYTES, SETTLED_RANGES_MAX
from store.mailbox import mailbox_path
from tests.store.forgery import change_block, reseal, size_of
from tests.store.support import filled, message_id, read_all, rest, waiting


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


def test_a_reader_of_both_queues_stops_at_bytes() -> None:
    _, store = filled(2, 100)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    store.accept_for_everyone(alice, message_id(100), b"for everyone", 4)
    reader = store.reader(bob, 0, None)
    assert [len(each.body) for each in reader.read(100, 150)] == [100]
    assert [len(each.body) for each in reader.read(100, 112)] == [100, 12]


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
    assert store.settle(alice, [message], 6) == [bob]
    (found,) = store.reader(bob, 0, None).read(10, 1000, outcomes_only=True)
    assert (found.kind, found.audience) == (EntryKind.SUCCESS, Audience.ONE)
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


LENGTH_AT, COUNT_AT = 24, 28  # in the head of a block


@pytest.mark.parametrize(
    ("at", "change", "reason"),
    [
        (LENGTH_AT, 10, "too short"),
        (LENGTH_AT, 80, "too short"),
        (COUNT_AT, 1, "missing"),
        (COUNT_AT, -1, "missing"),
    ],
)
@pytest.mark.parametrize("outcomes_only", [False, True])
def test_a_block_that_says_what_is_not_in_it_is_damage_at_its_end(
    at: int, change: int, reason: str, outcomes_only: bool
) -> None:
    """What is in it is handed out first; then it is said at every call."""
    disk, store = filled(3, 100)
    alice, bob = store.state.by_name["alice"], store.state.by_name["bob"]
    bob.own_outcomes = 1  # so that they are looked for
    path = mailbox_path(bob.number)
    place = PAGE_BYTES + at
    value = int.from_bytes(disk.contents(path)[place : place + 4], "big") + change
    change_block(disk, path, at, value.to_bytes(4, "big"))
    reseal(disk, path, PAGE_BYTES, size_of(disk, path, PAGE_BYTES))
    store.accept(alice, message_id(100), [bob], b"in memory", 4)
    reader = store.reader(bob, 0, None)
    if not outcomes_only:
        assert [each.number for each in reader.read(9, 1 << 20)] == [3, 4, 5]
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=reason) as raised:
            reader.read(9, 1 << 20, outcomes_only=outcomes_only)
        assert raised.value.file == path


def test_what_was_settled_is_passed_without_a_look() -> None:
    _, store = filled(9, 100)
    bob = store.state.by_name["bob"]
    store.settle(bob, read_all(store, "bob", 4), 9)
    reader = store.reader(bob, 0, None)
    assert [each.number for each in reader.read(3, 1 << 20)] == [7, 8, 9]
    assert [each.pred for each in reader.read(3, 1 << 20)] == [9, 10]
