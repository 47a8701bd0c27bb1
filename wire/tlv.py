"""The one rule for bytes: type, length, value.

     0               2                               6
    +-------+-------+-------+-------+-------+-------+------------- - -
    |  type (u16)   |          length (u32)         | value, length bytes
    +-------+-------+-------+-------+-------+-------+------------- - -

Big-endian, no padding. Type 0 is reserved everywhere, so that zeros are never a record. Frames on
the wire and records on the disk are both made of it, with code lists of their own.

Must never copy more than it is asked for, and never trust a length before it is checked.
Fails with `TlvError` when the bytes are not TLV.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from wire.errors import TlvError

HEADER: Final = Struct(">HI")
HEADER_BYTES: Final = HEADER.size

U8: Final = Struct(">B")
U16: Final = Struct(">H")
U32: Final = Struct(">I")
U64: Final = Struct(">Q")

U64_MAX: Final = (1 << 64) - 1

assert HEADER_BYTES == 6


def encode(type_: int, value: bytes) -> bytes:
    """One TLV. `type_` is 1..65535."""
    assert 0 < type_ <= 0xFFFF, type_
    return HEADER.pack(type_, len(value)) + value


def spans(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Walk the TLVs in data[start:end]: (type, where the value starts, where it ends).

    Raises TlvError for a header or value that runs past `end`, and for type 0.
    """
    position = start
    while position < end:
        value_start = position + HEADER_BYTES
        if value_start > end:
            raise TlvError(f"half a header at byte {position - start}")
        type_, length = HEADER.unpack_from(data, position)
        position = value_start + length
        if position > end:
            raise TlvError(f"a value of {length} bytes runs past the end")
        if type_ == 0:
            raise TlvError("type 0 is reserved")
        yield type_, value_start, position
