import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import TlvError
from wire.tlv import encode, spans

ITEMS = st.lists(st.tuples(st.integers(1, 0xFFFF), st.binary(max_size=40)), max_size=8)


def read(data: bytes) -> list[tuple[int, bytes]]:
    return [(number, data[start:end]) for number, start, end in spans(data, 0, len(data))]


def test_bytes_are_as_the_diagram_says() -> None:
    assert encode(0x0102, b"abc") == b"\x01\x02\x00\x00\x00\x03abc"


@given(ITEMS)
def test_what_is_written_is_read(items: list[tuple[int, bytes]]) -> None:
    assert read(b"".join(encode(number, value) for number, value in items)) == items


@given(ITEMS, st.data())
def test_a_cut_is_found_or_falls_between_two_values(
    items: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    whole = b"".join(encode(number, value) for number, value in items)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        found = read(cut)
    except TlvError:
        return
    assert found == items[: len(found)]
    assert b"".join(encode(number, value) for number, value in found) == cut


def test_only_the_asked_span_is_read() -> None:
    data = b"xx" + encode(5, b"in") + b"yy"
    assert list(spans(data, 2, len(data) - 2)) == [(5, 8, 10)]


@pytest.mark.parametrize("size", range(1, 6))
def test_half_a_header_is_refused(size: int) -> None:
    with pytest.raises(TlvError, match="half a header"):
        read(encode(1, b"")[:size])


def test_a_value_past_the_end_is_refused() -> None:
    with pytest.raises(TlvError, match="past the end"):
        read(encode(1, b"abc")[:-1])


def test_a_huge_length_costs_nothing() -> None:
    with pytest.raises(TlvError, match="4294967295 bytes"):
        read(b"\x00\x01\xff\xff\xff\xff")


def test_type_zero_is_refused_so_zeros_are_never_a_record() -> None:
    with pytest.raises(TlvError, match="reserved"):
        read(bytes(12))


@pytest.mark.parametrize("number", [0, 0x10000, -1])
def test_writing_an_impossible_type_is_a_bug(number: int) -> None:
    with pytest.raises(AssertionError):
        encode(number, b"")
