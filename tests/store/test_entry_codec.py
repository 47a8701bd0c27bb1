import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.entry import Audience, Entry, EntryKind
from store.entry_codec import decode_entries, encode_entry, entry_of, parts_of
from tests.store.support import IDS, NAMES, U64
from wire import tlv

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
    assert [entry_of(parts_of(entry), 0) for entry in entries] == entries


@given(st.binary(max_size=100))
def test_rubbish_is_no_entry(payload: bytes) -> None:
    for data in (payload, tlv.encode(1, payload), tlv.encode(9, bytes(100))):
        try:
            decode_entries(data)
        except ValueError:
            continue


def test_an_entry_that_is_shorter_than_it_says_is_none() -> None:
    entry = Entry(*(7, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 5, Audience.ONE, 1, 0, b"hello"))
    whole = encode_entry(entry)
    assert decode_entries(whole) == [entry]
    longer = whole[:2] + (len(whole) - 5).to_bytes(4, "big") + whole[6:]
    shorter = whole[:2] + (50).to_bytes(4, "big") + whole[6:]
    unknown = b"\0\7" + whole[2:]
    for data in (whole[:-1], longer, shorter, unknown, whole + b"\0"):
        with pytest.raises(ValueError, match=r"entry|name"):
            decode_entries(data)
