import pytest

from store.limits import NAME_BYTES_MAX
from store.names import decode_name


def test_a_name_is_read() -> None:
    assert decode_name("ä".encode()) == "ä"
    assert decode_name(b"n" * NAME_BYTES_MAX) == "n" * NAME_BYTES_MAX


@pytest.mark.parametrize("data", [b"", b"n" * (NAME_BYTES_MAX + 1), b"\xff"])
def test_what_is_no_name_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_name(data)
