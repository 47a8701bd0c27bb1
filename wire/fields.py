"""How one field of a frame is written and read: the kinds of values, and the rules for repeats.

A message is described by a tuple of `FieldSpec`s (see `wire.messages`); `write_fields` and
`read_fields` turn it into bytes and back. Values are scalars only; a list of things with several
attributes is flat: the first field of a `group` opens an entry.

Must never accept what it would not have written, save for unknown fields, which are skipped.
Fails with `RemoteProtocolError(MALFORMED)` for a broken frame, and with `UnsupportedFieldError`
for an unknown field that has the must-understand bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from struct import Struct
from typing import Any, Final

from wire import limits
from wire.codes import MUST_UNDERSTAND, Code, Field
from wire.errors import LocalProtocolError, RemoteProtocolError, TlvError, WireError
from wire.tlv import HEADER, U8, U16, U32, U64, spans


class UnsupportedFieldError(WireError):
    """The frame has a field that must be understood and is not known here."""

    def __init__(self, field: int) -> None:
        super().__init__(f"field {field:#06x} must be understood and is not known here")
        self.field = field


@unique
class Rule(Enum):
    """How often a field stands in its frame. A flag that is absent is False."""

    REQUIRED = "once"
    OPTIONAL = "at most once"
    REPEATED = "any number of times"
    FLAG = "flag"


_REQUIRED: Final = Rule.REQUIRED  # asked of the class, a member costs more than the comparison
_REPEATED: Final = Rule.REPEATED


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: how it is written, how it is read, and what docs/protocol.md calls it."""

    label: str
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One line of the table of a frame: attribute, field number, kind of value, how often."""

    attribute: str
    field: Field
    kind: Kind
    rule: Rule = Rule.REQUIRED


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A flat list: `specs[0]` opens an entry, the others belong to the entry opened last.

    Rules within an entry are REQUIRED, OPTIONAL and FLAG only.
    """

    attribute: str
    entry: type[Any]
    specs: tuple[FieldSpec, ...]


def _malformed(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(Code.MALFORMED, text)


def _scalar(label: str, layout: Struct, minimum: int = 0) -> Kind:
    size = layout.size

    def write(value: int) -> bytes:
        packed: bytes = layout.pack(value)
        return packed

    def read(data: bytes) -> int:
        if len(data) != size:
            raise _malformed(f"a {label} of {len(data)} bytes")
        value: int = layout.unpack(data)[0]
        if value < minimum:
            raise _malformed(f"a {label} below {minimum}")
        return value

    return Kind(label, write, read)


def _write_flag(value: bool) -> bytes:
    return U8.pack(1 if value else 0)


def _read_flag(data: bytes) -> bool:
    if data == b"\x01":
        return True
    if data == b"\x00":
        return False
    raise _malformed("a flag that is neither 0 nor 1")


def text(bytes_max: int) -> Kind:
    """UTF-8 of at most `bytes_max` bytes, a str in memory."""

    def write(value: str) -> bytes:
        data = value.encode("utf-8")
        if len(data) > bytes_max:
            raise LocalProtocolError(f"a text of {len(data)} bytes, {bytes_max} at most")
        return data

    def read(data: bytes) -> str:
        if len(data) > bytes_max:
            raise _malformed(f"a text of {len(data)} bytes, {bytes_max} at most")
        return _decode(data)

    return Kind(f"text, {bytes_max} bytes at most", write, read)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("a text that is not UTF-8") from None


def _read_body(data: bytes) -> bytes:
    _decode(data)
    return data


def octets(size: int) -> Kind:
    """Exactly `size` bytes."""

    def write(value: bytes) -> bytes:
        if len(value) != size:
            raise LocalProtocolError(f"{len(value)} bytes where {size} belong")
        return value

    def read(data: bytes) -> bytes:
        if len(data) != size:
            raise _malformed(f"{len(data)} bytes where {size} belong")
        return data

    return Kind(f"{size} bytes", write, read)


def octets_between(bytes_min: int, bytes_max: int) -> Kind:
    """At least `bytes_min` and at most `bytes_max` bytes."""
    wanted = f"where {bytes_min} to {bytes_max} belong"

    def write(value: bytes) -> bytes:
        if not bytes_min <= len(value) <= bytes_max:
            raise LocalProtocolError(f"{len(value)} bytes {wanted}")
        return value

    def read(data: bytes) -> bytes:
        if not bytes_min <= len(data) <= bytes_max:
            raise _malformed(f"{len(data)} bytes {wanted}")
        return data

    return Kind(f"{bytes_min} to {bytes_max} bytes", write, read)


def _write_body(value: bytes) -> bytes:
    return value


U8_VALUE: Final = _scalar("u8", U8)
U16_VALUE: Final = _scalar("u16", U16)
U32_VALUE: Final = _scalar("u32", U32)
U64_VALUE: Final = _scalar("u64", U64)
REQUEST_VALUE: Final = _scalar("u32, not 0", U32, minimum=1)
FLAG_VALUE: Final = Kind("flag: u8, 0 or 1", _write_flag, _read_flag)
BODY_VALUE: Final = Kind("UTF-8 text", _write_body, _read_body)
"""Checked to be UTF-8 but kept as bytes: the server only stores it."""


def write_fields(
    specs: tuple[FieldSpec, ...], group: GroupSpec | None, message: object
) -> list[bytes]:
    """The fields of `message` in the order of their table, ready to be joined."""
    parts: list[bytes] = []
    _write_all(parts, specs, message)
    if group is not None:
        for entry in getattr(message, group.attribute):
            _write_all(parts, group.specs, entry)
    return parts


def _write_all(parts: list[bytes], specs: tuple[FieldSpec, ...], source: object) -> None:
    pack = HEADER.pack
    for spec in specs:
        value = getattr(source, spec.attribute)
        rule = spec.rule
        if rule is _REPEATED:
            for item in value:
                data = spec.kind.write(item)
                parts += (pack(spec.field, len(data)), data)
        elif rule is _REQUIRED or (value is not None and value is not False):
            # Neither an option that is absent nor a flag that is not set is written.
            data = spec.kind.write(value)
            parts += (pack(spec.field, len(data)), data)


class FieldReader:
    """Reads the frames of one type. Made once per type: its table does not change."""

    __slots__ = (
        "_group",
        "_group_by_field",
        "_has_lists",
        "_opener",
        "_required",
        "_specs",
        "_template",
    )

    def __init__(self, specs: tuple[FieldSpec, ...], group: GroupSpec | None) -> None:
        self._specs: dict[int, FieldSpec] = {spec.field: spec for spec in specs}
        self._group = group
        self._group_by_field: dict[int, FieldSpec] = {}
        self._opener = 0
        if group is not None:
            self._group_by_field = {spec.field: spec for spec in group.specs}
            self._opener = group.specs[0].field
        self._template = _empty_values(specs)
        self._required = tuple(spec.attribute for spec in specs if spec.rule is Rule.REQUIRED)
        self._has_lists = any(spec.rule is Rule.REPEATED for spec in specs)

    def read(self, data: bytes, start: int, end: int) -> dict[str, Any]:
        """The attributes found in data[start:end], by name."""
        values = dict(self._template)
        entries: list[dict[str, Any]] = []
        seen: set[int] = set()
        count = 0
        try:
            for number, value_start, value_end in spans(data, start, end):
                count += 1
                if count > limits.FIELDS_MAX:
                    raise _malformed(f"more than {limits.FIELDS_MAX} fields")
                value = data[value_start:value_end]
                if number in self._group_by_field:
                    self._read_in_group(entries, number, value)
                elif number in self._specs:
                    _put(values, self._specs[number], value, seen)
                elif number & MUST_UNDERSTAND:
                    raise UnsupportedFieldError(number)
        except TlvError as error:
            raise _malformed(str(error)) from None
        for attribute in self._required:
            if attribute not in values:
                raise _malformed(f"no field for {attribute}")
        if self._group is not None:
            values[self._group.attribute] = tuple(_made(self._group, entry) for entry in entries)
        if self._has_lists:
            for attribute, found in values.items():
                if type(found) is list:
                    values[attribute] = tuple(found)
        return values

    def _read_in_group(self, entries: list[dict[str, Any]], number: int, value: bytes) -> None:
        assert self._group is not None
        if number == self._opener:
            entries.append(_empty_values(self._group.specs))
        elif not entries:
            raise _malformed("an attribute before the entry that it belongs to")
        spec = self._group_by_field[number]
        before = entries[-1].get(spec.attribute)
        if before is not None and before is not False:  # a flag that is absent is False
            raise _malformed(f"field {spec.field.name} stands twice in one entry")
        entries[-1][spec.attribute] = spec.kind.read(value)


def _empty_values(specs: tuple[FieldSpec, ...]) -> dict[str, Any]:
    """What a frame says that says nothing: absent flags and options."""
    values: dict[str, Any] = {}
    for spec in specs:
        if spec.rule is Rule.OPTIONAL:
            values[spec.attribute] = None
        elif spec.rule is Rule.FLAG:
            values[spec.attribute] = False
        elif spec.rule is Rule.REPEATED:
            values[spec.attribute] = ()
    return values


def _put(values: dict[str, Any], spec: FieldSpec, data: bytes, seen: set[int]) -> None:
    value = spec.kind.read(data)
    if spec.rule is _REPEATED:
        if spec.field in seen:
            values[spec.attribute].append(value)
        else:
            values[spec.attribute] = [value]
    elif spec.field in seen:
        raise _malformed(f"field {spec.field.name} stands twice")
    else:
        values[spec.attribute] = value
    seen.add(spec.field)


def _made(group: GroupSpec, values: dict[str, Any]) -> object:
    for spec in group.specs:
        if spec.rule is Rule.REQUIRED and spec.attribute not in values:
            raise _malformed(f"an entry without {spec.field.name}")
    return group.entry(**values)
