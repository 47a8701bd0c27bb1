"""Entries on their way out: in a row they are what they are one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.entry import Audience, Entry, EntryKind
from store.entry_codec import decode_entries, encode_entry, parts_of
from store.limits import NUMBER_MAX
from store.queue import Item
from store.rows import NAMES_KNOWN_MAX, Rows
from tests.store.support import IDS, NAMES, U64
from wire import tlv

AUDIENCE_AT = 46  # in an encoded entry

DRAFTS = st.builds(
    Entry,
    number=st.just(0),
    pred=st.just(0),
    kind=st.sampled_from(EntryKind),
    message_id=IDS,
    sender=U64,
    sender_name=NAMES | st.just("bób"),
    received_at_ms=U64,
    audience=st.sampled_from(Audience),
    audience_count=st.integers(0, 2**32 - 1),
    code=st.integers(0, 2**16 - 1),
    body=st.binary(max_size=50),
)
ENTRIES = st.lists(DRAFTS, max_size=8).map(
    lambda drafts: [replace_number(each, 3 * at + 5) for at, each in enumerate(drafts)]
)


def replace_number(entry: Entry, number: int) -> Entry:
    return Entry(
        *(number, 0, entry.kind, entry.message_id, entry.sender, entry.sender_name),
        *(entry.received_at_ms, entry.audience, entry.audience_count, entry.code, entry.body),
    )


def message(number: int, body: bytes = b"hello", name: str = "ann") -> Entry:
    return Entry(*(number, 0, EntryKind.MESSAGE, bytes(16), 1, name, 5, Audience.ONE, 1, 0, body))


def expected_of(
    entries: list[Entry], pred: int, count_max: int, bytes_max: int, until: int
) -> list[Entry]:
    """What is to be found, said simply."""
    found: list[Entry] = []
    size = 0
    for entry in entries:
        size += len(entry.body)
        if len(found) == count_max or entry.number > until or (found and size > bytes_max):
            break
        after = found[-1].number if found else pred
        found.append(replace_number(entry, entry.number))
        found[-1].pred = after
    return found


@given(ENTRIES, st.integers(0, 9), st.integers(0, 200), st.integers(0, 40))
def test_what_is_taken_of_bytes_is_what_they_decode_to(
    entries: list[Entry], count_max: int, bytes_max: int, until: int
) -> None:
    payload = b"".join(map(encode_entry, entries))
    found = Rows(4, count_max, bytes_max)
    end = found.take(payload, 0, until, set())
    expected = expected_of(entries, 4, count_max, bytes_max, until)
    assert found.as_entries() == expected
    assert decode_entries(payload[:end]) == entries[: len(expected)]
    assert found.pred == (expected[-1].number if expected else 4)
    assert found.body_bytes == sum(len(each.body) for each in expected)
    for entry, settlement in zip(expected, found.settlements, strict=True):
        everyone = int(entry.audience is Audience.EVERYONE)
        assert settlement == (
            *(entry.pred, entry.number, int(entry.kind), everyone, len(entry.body)),
            *(entry.sender, entry.message_id),
        )
    if len(expected) < len(entries) and entries[len(expected)].number <= until:
        assert found.is_full


@given(
    ENTRIES,
    st.lists(st.sampled_from("bpg"), min_size=8, max_size=8),
    *(st.integers(0, 9), st.integers(0, 200), st.integers(0, 40)),
)
def test_what_is_taken_of_a_tail_is_the_same_in_every_form(
    entries: list[Entry], forms: list[str], count_max: int, bytes_max: int, until: int
) -> None:
    items: list[Item] = []
    waiting: list[Entry] = []
    for entry, form in zip(entries, forms, strict=False):
        if form == "g":
            items.append(b"")  # it is gone
            continue
        waiting.append(entry)
        items.append(encode_entry(entry) if form == "b" else parts_of(entry))
    found = Rows(4, count_max, bytes_max)
    found.take_items(items, until, set())
    expected = expected_of(waiting, 4, count_max, bytes_max, until)
    assert found.as_entries() == expected
    assert found.body_bytes == sum(len(each.body) for each in expected)
    if len(expected) < len(waiting) and waiting[len(expected)].number <= until:
        assert found.is_full


@pytest.mark.parametrize("is_second_in_parts", [False, True])
@pytest.mark.parametrize("count_max", [1, 9])
def test_one_that_is_too_many_ends_it_whatever_comes_after(
    count_max: int, is_second_in_parts: bool
) -> None:
    second = message(6, b"x" * 50)
    items: list[Item] = [
        parts_of(message(5)),
        parts_of(second) if is_second_in_parts else encode_entry(second),
        parts_of(message(7, b"")),
    ]
    found = Rows(4, count_max, 20)
    found.take_items(items, NUMBER_MAX, set())
    assert [each.number for each in found.as_entries()] == [5]
    assert found.is_full


def settlements_one_by_one(entries: list[Entry]) -> Rows:
    found = Rows(4, 99, 1 << 20)
    for entry in entries:
        found.add(parts_of(entry))
    return found


@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_that_wait_in_parts_are_taken_at_once_as_one_by_one(count: int) -> None:
    everyone = message(5)
    everyone.audience = Audience.EVERYONE
    outcome = Entry(
        *(6, 0, EntryKind.SUCCESS, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b""),
    )
    entries = [everyone, outcome, *(message(number, b"x" * number) for number in (7, 8, 9))][:count]
    expected = settlements_one_by_one(entries)
    for count_max, is_full in ((99, False), (count, True)):
        found = Rows(4, count_max, 1_000)
        found.take_items([parts_of(each) for each in entries], entries[-1].number, set())
        assert found.rows == expected.rows
        assert found.settlements == expected.settlements
        assert (found.pred, found.body_bytes) == (expected.pred, expected.body_bytes)
        assert found.is_full is is_full


def test_of_many_in_parts_only_those_with_room_are_taken() -> None:
    entries = [message(number, b"x" * 10) for number in (5, 6, 7, 8)]
    for count_max, bytes_max, until, count in (
        *((2, 1_000, 9, 2), (9, 25, 9, 2), (9, 1, 9, 1), (9, 1_000, 7, 3), (9, 1_000, 4, 0)),
    ):
        found = Rows(4, count_max, bytes_max)
        found.take_items([parts_of(each) for each in entries], until, set())
        assert found.settlements == settlements_one_by_one(entries[:count]).settlements
        assert found.is_full is (until == 9)


@pytest.mark.parametrize("is_in_parts", [False, True])
def test_what_came_later_is_not_taken(is_in_parts: bool) -> None:
    entries = [message(5), message(6)]
    items: list[Item] = [parts_of(each) if is_in_parts else encode_entry(each) for each in entries]
    found = Rows(4, 9, 1_000)
    found.take_items(items, 5, set())
    assert [each.number for each in found.as_entries()] == [5]
    assert not found.is_full


def test_of_large_bodies_not_all_are_copied_for_who_has_little_room() -> None:
    items: list[Item] = [encode_entry(message(each, b"x" * 10_000)) for each in range(1, 11)]
    for bytes_max, count in ((25_000, 2), (1, 1), (100_000, 10)):
        found = Rows(0, 10, bytes_max)
        found.take_items(items, NUMBER_MAX, set())
        assert len(found.rows) == count
        assert found.is_full


def test_what_is_no_entry_is_said_after_what_was_found_before_it() -> None:
    good = encode_entry(message(5))
    longer = good[:2] + (len(good) - 5).to_bytes(4, "big") + good[6:]
    shorter = good[:2] + (50).to_bytes(4, "big") + good[6:]
    kind_seven = b"\0\7" + good[2:]
    no_audience = good[:AUDIENCE_AT] + b"\0" + good[AUDIENCE_AT + 1 :]
    nameless = encode_entry(message(5, name=""))
    for bad in (longer, shorter, kind_seven, no_audience, nameless, good[:20], tlv.encode(1, b"")):
        found = Rows(0, 10, 1_000)
        with pytest.raises(ValueError, match=r"entry|name"):
            found.take(encode_entry(message(3)) + bad, 0, NUMBER_MAX, set())
        assert [each.number for each in found.as_entries()] == [3]
        assert (found.pred, found.body_bytes) == (3, 5)


def test_only_so_many_names_are_known_at_once() -> None:
    names: set[bytes] = set()
    for number in range(NAMES_KNOWN_MAX + 1):
        Rows(0, 10, 1_000).take(encode_entry(message(5, name=f"u{number}")), 0, 9, names)
        assert len(names) <= NAMES_KNOWN_MAX
    assert names == {b"u%d" % NAMES_KNOWN_MAX}


def test_of_a_mixed_tail_nothing_past_the_last_one_wanted_is_taken() -> None:
    first, second, third = message(5), message(8), message(11)
    items: list[Item] = [encode_entry(first), parts_of(second), parts_of(third)]
    found = Rows(4, 8, 100)
    found.take_items(items, 8, set())
    assert [row[0] for row in found.rows] == [5, 8]
    assert not found.is_full
