import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import records
from store.records import Copy, RecordCode, RecordError, Settlement, decode
from tests.store.support import IDS, NAMES, U64, split

NOT_DISCARDED = False


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


def test_the_records_of_sessions_come_back() -> None:
    assert decode(*split(records.encode_session_begun(1, 2))) == (1, 2)
    ended = decode(*split(records.encode_session_ended(1, 2, 3, 4)))
    assert ended == (1, 2, 3, 4)
    assert records.numbers_of(ended) == 1


@given(
    copies=st.lists(st.builds(Copy, U64, U64, st.integers(0, 2**32 - 1), NAMES), max_size=5),
    kept=st.lists(U64, max_size=5),
)
def test_recalls_come_back(copies: list[Copy], kept: list[int]) -> None:
    fields = decode(*split(records.encode_recalled(1, 2, bytes(16), copies)))
    assert fields == (1, 2, bytes(16), tuple(copies))
    assert records.numbers_of(fields) == max(1, len(copies))
    fields = decode(*split(records.encode_recalled_from_all(1, 2, bytes(16), 3, 4, kept)))
    assert fields == (1, 2, bytes(16), 3, 4, tuple(kept))
    assert records.numbers_of(fields) == 1


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
        records.encode_recalled(1, 2, bytes(16), [Copy(3, 4, 5, "bob")]),
        records.encode_recalled_from_all(1, 2, bytes(16), 3, 4, [5]),
    ):
        type_, value = split(record)
        with pytest.raises(RecordError):
            decode(type_, value[:-1])
    type_, value = split(records.encode_recalled(1, 2, bytes(16), []))
    with pytest.raises(RecordError, match="0 copies"):
        decode(type_, value + b"x")
