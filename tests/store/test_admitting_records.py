import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import admitting_records, records
from store.admitting_records import CODES, Registered, SecretMade
from store.credential import Credential
from store.records import RecordCode, RecordError, decode
from tests.store.support import NAMES, U64, split
from tests.store.test_credential import CREDENTIALS

HASH = st.binary(min_size=32, max_size=32)


@given(
    st.builds(Registered, U64, U64, U64, U64, NAMES, st.just(b"") | HASH, st.none() | CREDENTIALS)
)
def test_registrations_come_back(fields: Registered) -> None:
    assert decode(*split(admitting_records.encode_registered(fields))) == fields
    assert records.numbers_of(fields) == 1


@given(U64, U64, U64, NAMES, st.none() | CREDENTIALS, st.lists(HASH, max_size=3))
def test_the_others_come_back(  # noqa: PLR0917  # as hypothesis gives them
    at: int, one: int, two: int, name: str, credential: Credential | None, hashes: list[bytes]
) -> None:
    record = admitting_records.encode_credential_set(at, one, credential)
    assert decode(*split(record)) == (at, one, credential)
    assert decode(*split(admitting_records.encode_retired(at, one, two, name))) == (
        at,
        one,
        two,
        name,
    )
    record = admitting_records.encode_invites(at, one, hashes)
    assert decode(*split(record)) == (at, one, tuple(hashes))
    assert decode(*split(admitting_records.encode_secret(at, b"secret"))) == (at, b"secret")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("value", [b"", bytes(7), bytes(17), b"\xff" * 90])
def test_rubbish_is_refused(code: int, value: bytes) -> None:
    if code == RecordCode.SECRET_MADE and len(value) >= 8:
        assert isinstance(decode(code, value), SecretMade)
        return
    with pytest.raises(RecordError):
        decode(code, value)


def test_an_invite_is_a_hash_or_none() -> None:
    head = admitting_records.REGISTERED.pack(1, 2, 3, 4, 3, 31)
    with pytest.raises(RecordError, match="does not fit"):
        decode(RecordCode.ACCOUNT_REGISTERED, head + b"ann" + bytes(31))
    head = admitting_records.REGISTERED.pack(1, 2, 3, 4, 3, 32)
    with pytest.raises(RecordError, match="does not fit"):
        decode(RecordCode.ACCOUNT_REGISTERED, head + b"ann" + bytes(31))


def test_the_codes_are_for_ever_and_the_secret_is_not_shown() -> None:
    assert [RecordCode(code).name for code in CODES] == [
        "CREDENTIAL_SET",
        "ACCOUNT_REGISTERED",
        "ACCOUNT_RETIRED",
        "INVITES_MADE",
        "SECRET_MADE",
    ]
    assert CODES == (12, 13, 14, 15, 16)
    assert "hush" not in repr(SecretMade(1, b"hush"))
