import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.credential import Credential, decode_credential, encode_credential

CREDENTIALS = st.builds(
    Credential,
    st.binary(min_size=16, max_size=64),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=32, max_size=32),
)


@given(st.none() | CREDENTIALS)
def test_a_credential_comes_back(credential: Credential | None) -> None:
    assert decode_credential(encode_credential(credential)) == credential


@pytest.mark.parametrize("value", [b"x", bytes(5), bytes(68), bytes(70)])
def test_rubbish_is_no_credential(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_credential(value)


def test_the_keys_are_not_shown() -> None:
    shown = repr(Credential(b"salt", 600_000, b"kept", b"secret"))
    assert "kept" not in shown
    assert "secret" not in shown
