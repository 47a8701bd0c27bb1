"""Small parts: ranges, windows, records, entries."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import records, window
from store.account_codec import (
    decode_account,
    decode_everyone,
    decode_tombstone,
    encode_account,
    encode_everyone,
)
from store.entry import Audience, Entry, EntryKind, with_pred
from store.entry_codec import decode_entries, encode_entry
from store.limits import INSTALLATION_KEEP_MS, INSTALLATIONS_MAX, WINDOW_BITS
from store.ranges import Ranges
from store.records import RecordCode, RecordError, Settlement, decode
from store.state import Account, Everyone, State
from store.window import Window, WindowVerdict
from wire import tlv

NOT_DISCARDED = False
SETTLED_ONE = Settlement(1, 2, 1, 0, 0, 1, bytes(16))
PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), max_size=30)


@given(floor=st.integers(0, 10), pairs=PAIRS)
def test_ranges_are_a_set_of_numbers(floor: int, pairs: list[tuple[int, int]]) -> None:
    ranges = Ranges(floor)
    numbers = set(range(1, floor + 1))
    for start, size in pairs:
        ranges.add(start, start + size)
        numbers |= set(range(start + 1, start + size + 1))
    assert {n for n in range(1, 80) if ranges.covers(n)} == numbers
    found = ranges.pairs()
    assert all(one[1] < two[0] for one, two in pairwise(found))
    assert len(ranges) == len(found)
    assert Ranges.of(found).pairs() == found
    assert ranges.floor == found[0][1]


@pytest.mark.parametrize(
    "pairs", [[], [(1, 2)], [(0, 5), (4, 6)], [(0, 5), (7, 6)], [(0, 5), (5, 6)]]
)
def test_ranges_that_cannot_have_been_saved(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="settled ranges"):
        Ranges.of(pairs)


@given(st.lists(st.integers(0, 3 * WINDOW_BITS), max_size=60))
def test_a_window_never_says_new_twice(counters: list[int]) -> None:
    windows: dict[bytes, Window] = {}
    taken: set[int] = set()
    for counter in counters:
        verdict = window.check(windows, b"a" * 8, counter, 0)
        if counter in taken:
            assert verdict in (WindowVerdict.DUPLICATE, WindowVerdict.TOO_OLD)
        elif verdict is WindowVerdict.TOO_OLD:
            assert counter < max(taken) - WINDOW_BITS
        else:
            assert verdict is WindowVerdict.NEW
            window.take(windows, b"a" * 8 + counter.to_bytes(8, "big"), 0)
            taken.add(counter)


def test_the_windows_edges() -> None:
    one = Window(5000, 0, 0)
    assert one.verdict(5000) is WindowVerdict.DUPLICATE
    assert one.verdict(5000 - WINDOW_BITS) is WindowVerdict.NEW
    assert one.verdict(5000 - WINDOW_BITS - 1) is WindowVerdict.TOO_OLD
    one.take(5000 - WINDOW_BITS, 1)
    assert one.verdict(5000 - WINDOW_BITS) is WindowVerdict.DUPLICATE
    one.take(5000 + WINDOW_BITS, 2)
    assert one.verdict(5000) is WindowVerdict.DUPLICATE
    one.take(5000 + 3 * WINDOW_BITS, 2)
    assert one.bitmap == 0


def test_too_many_installations_until_one_was_silent_for_long() -> None:
    windows: dict[bytes, Window] = {}
    for index in range(INSTALLATIONS_MAX):
        window.take(windows, index.to_bytes(8, "big") + bytes(8), 1000 + index)
    newcomer = b"newcomer"
    early = window.check(windows, newcomer, 1, 1000 + INSTALLATION_KEEP_MS - 1)
    assert early is WindowVerdict.TOO_MANY_INSTALLATIONS
    late = window.check(windows, newcomer, 1, 1000 + INSTALLATION_KEEP_MS)
    assert late is WindowVerdict.NEW
    window.take(windows, newcomer + bytes(8), 9999)
    assert bytes(8) not in windows
    assert len(windows) == INSTALLATIONS_MAX


def split(record: bytes) -> tuple[int, bytes]:
    ((type_, start, end),) = tlv.spans(record, 0, len(record))
    return type_, record[start:end]


NAMES = st.text("abcdefghij.-_0", min_size=1, max_size=32)
U64 = st.integers(0, tlv.U64_MAX)
IDS = st.binary(min_size=16, max_size=16)


@given(at=U64, sender=U64, name=NAMES, identity=IDS, to=st.lists(U64, max_size=5), body=st.binary())
def test_messages_come_back(
    *, at: int, sender: int, name: str, identity: bytes, to: list[int], body: bytes
) -> None:
    packed = b"".join(each.to_bytes(8, "big") for each in to)
    record = records.encode_message(at, sender, name.encode(), identity, packed, body)
    assert decode(*split(record)) == (at, sender, identity, name, len(to), tuple(to), body)
    record = records.encode_for_everyone(
        at_ms=at,
        sender=sender,
        name=name.encode(),
        message_id=identity,
        audience_count=7,
        body=body,
    )
    assert decode(*split(record)) == (at, sender, identity, name, 7, (), body)


@given(
    at=U64,
    account=U64,
    name=NAMES,
    discarded=st.booleans(),
    entries=st.lists(
        st.builds(
            Settlement,
            pred=U64,
            number=U64,
            kind=st.integers(1, 3),
            everyone=st.integers(0, 1),
            body_bytes=st.integers(0, 2**32 - 1),
            sender=U64,
            message_id=IDS,
        ),
        max_size=5,
    ),
)
def test_settlements_come_back(
    at: int, account: int, name: str, discarded: bool, entries: list[Settlement]
) -> None:
    record = records.encode_settled(at, account, name.encode(), discarded, entries)
    fields = decode(*split(record))
    assert fields == (at, account, discarded, name, tuple(entries))
    assert records.numbers_of(fields) == max(1, len(entries))


def test_the_small_records_come_back() -> None:
    assert decode(*split(records.encode_created(1, 2, 3, 4, "ann"))) == (1, 2, 3, 4, "ann")
    assert decode(*split(records.encode_touched(1, 2))) == (1, 2)
    assert decode(*split(records.encode_deleted(1, 2))) == (1, 2)
    begun = decode(*split(records.encode_begun(1, 2, 3, 4)))
    assert begun == (1, 2, 3, 4)
    assert records.numbers_of(begun) == 1


@pytest.mark.parametrize("code", list(RecordCode))
@given(value=st.binary(max_size=200))
def test_rubbish_is_a_record_error_or_a_record(code: RecordCode, value: bytes) -> None:
    try:
        decode(code, value)
    except RecordError as error:
        assert str(code.value) in str(error)  # noqa: PT017  # both ways are right


def test_records_that_make_no_sense() -> None:
    with pytest.raises(RecordError, match="no record has the code 99"):
        decode(99, b"")
    for record in (
        records.encode_message(1, 2, b"ann", bytes(16), bytes(16), b""),
        records.encode_settled(
            1, 2, b"ann", NOT_DISCARDED, [Settlement(1, 2, 1, 0, 0, 1, bytes(16))]
        ),
    ):
        type_, value = split(record)
        with pytest.raises(RecordError):
            decode(type_, value[:-1])


ENTRIES = st.builds(
    Entry,
    number=U64,
    pred=st.just(0),
    kind=st.sampled_from(EntryKind),
    message_id=IDS,
    sender=U64,
    sender_name=NAMES,
    received_at_ms=U64,
    audience=st.sampled_from(Audience),
    audience_count=st.integers(0, 2**32 - 1),
    code=st.integers(0, 2**16 - 1),
    body=st.binary(max_size=50),
)


@given(st.lists(ENTRIES, max_size=5))
def test_entries_come_back(entries: list[Entry]) -> None:
    assert decode_entries(b"".join(map(encode_entry, entries))) == entries


@given(st.binary(max_size=100))
def test_rubbish_is_no_entry(payload: bytes) -> None:
    for data in (payload, tlv.encode(1, payload), tlv.encode(9, bytes(100))):
        try:
            decode_entries(data)
        except ValueError:
            continue


def test_an_entry_shared_by_several_is_copied() -> None:
    one = Entry(9, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b"")
    assert with_pred(one, 0) is one
    assert with_pred(one, 3) is one
    assert with_pred(one, 4) is not one
    shared = Entry(9, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.SEVERAL, 2, 0, b"")
    assert with_pred(shared, 3).pred == 3
    assert shared.pred == 0


def test_an_account_comes_back() -> None:
    account = Account(7, "ann", 100)
    account.settled.add(10, 12)
    account.windows[b"12345678"] = Window(5, 1 << 1023, 77)
    account.closing_number, account.own_messages, account.queue.has_file = 5, 6, True
    encoded = encode_account(account)
    again = decode_account(split(encoded)[1])
    assert encode_account(again) == encoded
    everyone = Everyone()
    everyone.total, everyone.queue.end_offset = 3, 8192
    again_everyone = decode_everyone(split(encode_everyone(everyone))[1])
    assert encode_everyone(again_everyone) == encode_everyone(everyone)
    assert again_everyone.trusted_end == 8192


@pytest.mark.parametrize("value", [b"", bytes(151), bytes(200)])
def test_rubbish_is_no_account(value: bytes) -> None:
    for what in (decode_account, decode_everyone, decode_tombstone):
        with pytest.raises(ValueError, match=r"."):
            what(value)


def test_paging_by_name() -> None:
    state = State(11)
    for number, name in enumerate(["bob", "ann", "cat"], start=1):
        state.add_account(Account(number, name, 0))
    assert state.names == ["ann", "bob", "cat"]
    assert [state.names_after(name) for name in ("", "ann", "b", "bob", "zoe")] == [0, 1, 1, 2, 3]
