"""Scenes and requests as lines of JSON: what travels between a server and its panels.

One value is one line, ASCII only, ended by a newline. A scene is its dataclass with the same names;
a request has the name of its class, in lower case, under `do`: {"do":"kick","name":"bob"}. Fields
that are not known are passed over, so that a newer server can say more.

Must never trust what is decoded: every field is checked against the type that it should have, and
every text that is to be drawn goes through `term.safe` once more.
Fails with CodecError for what is no such line.
"""

import json
import re
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from msgd.panel import requests
from msgd.panel.requests import Request
from msgd.panel.values import SCHEMA, Scene
from term.safe import Safe, safe_line

REQUEST_BYTES_MAX: Final = 4_096
SCENE_BYTES_MAX: Final = 1 << 20
_TEXT_CHARACTERS_MAX: Final = 4_096
_HALF_CHARACTER: Final = re.compile("[\ud800-\udfff]")  # JSON can say them, UTF-8 cannot
_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 64) - 1

T = TypeVar("T")
_KINDS: Final[dict[str, type]] = {
    kind.__name__.lower(): kind for kind in get_args(requests.Request)
}


class CodecError(Exception):
    """These bytes are no line that is spoken here; the text says what is wrong with them."""


class Lines:
    """Bytes become whole lines, in pieces of any size; holds one unfinished line at most."""

    def __init__(self, line_bytes_max: int) -> None:
        self._line_bytes_max = line_bytes_max
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes complete, without their ends. Raises CodecError."""
        self._held += data
        *complete, rest = bytes(self._held).split(b"\n")
        if any(len(each) > self._line_bytes_max for each in (*complete, rest)):
            raise CodecError(f"a line is longer than {self._line_bytes_max} bytes")
        self._held = bytearray(rest)
        return complete


def encode_scene(scene: Scene) -> bytes:
    """One line."""
    return _line(plain_value(scene))


def decode_scene(line: bytes) -> Scene:
    """Raises CodecError; for a refusal of the server's, with its words."""
    value = _parse(line)
    if isinstance(value, dict) and isinstance(value.get("error"), str):
        raise CodecError(safe_line(value["error"], 200) or "refused without a word")
    if isinstance(value, dict) and value.get("schema") != SCHEMA:
        raise CodecError(f"this server's panel is of another version than {SCHEMA}")
    scene: Scene = _value(Scene, value)
    return scene


def encode_error(text: str) -> bytes:
    """The last line for a panel that is refused."""
    return _line({"error": text})


def encode_request(request: Request) -> bytes:
    """One line."""
    return _line({"do": type(request).__name__.lower(), **plain_value(request)})


def decode_request(line: bytes) -> Request:
    """Raises CodecError."""
    value = _parse(line)
    if not isinstance(value, dict) or not isinstance(value.get("do"), str):
        raise CodecError('a request is an object with a text under "do"')
    kind = _KINDS.get(value["do"])
    if kind is None:
        raise CodecError(f"there is no request {value['do'][:32]!r}")
    request: Request = _value(kind, value)
    return request


def plain_value(value: object) -> Any:  # noqa: ANN401  whatever JSON can say
    """A value as the objects, lists, texts and numbers of JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain_value(getattr(value, name)) for name, _, _ in _fields(type(value))}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [plain_value(each) for each in value]
    return value


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> object:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        raise CodecError("not a line of JSON") from None
    return value


@cache
def _fields(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type, and whether it may be absent, of each field of a dataclass."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    return tuple(
        (each.name, hints[each.name], each.default is not MISSING) for each in fields(kind)
    )


def _value(hint: Any, value: object) -> Any:  # noqa: ANN401  a type, known only when it runs
    """The value of this type that JSON said. Raises CodecError."""
    if hint is Safe:
        return safe_line(_text(value))
    if hint is str:
        return _text(value)
    if get_origin(hint) in {UnionType, Union}:
        options = [option for option in get_args(hint) if option is not NoneType]
        return None if value is None else _value(options[0], value)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise CodecError("a list was to come")
        return tuple(_value(get_args(hint)[0], each) for each in value)
    if is_dataclass(hint):
        return _object(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(value)
        except ValueError:
            raise CodecError(f"there is no such {hint.__name__.lower()}") from None
    return _scalar(hint, value)


def _object(kind: Any, value: object) -> Any:  # noqa: ANN401  a dataclass, known only when it runs
    if not isinstance(value, dict):
        raise CodecError("an object was to come")
    found = {}
    for name, hint, may_be_absent in _fields(kind):
        if name in value:
            found[name] = _value(hint, value[name])
        elif not may_be_absent:
            raise CodecError(f"{name} is missing")
    return kind(**found)


def _scalar(hint: Any, value: object) -> Any:  # noqa: ANN401  one of three types of values
    # JSON knows numbers of any length, and NaN; and to Python True is a number too.
    if hint is bool and isinstance(value, bool):
        return value
    if hint is bool or isinstance(value, bool) or not isinstance(value, int | float):
        raise CodecError(f"a value of the kind {hint.__name__} was to come")
    if not _LEAST <= value <= _MOST or (hint is int and not isinstance(value, int)):
        raise CodecError(f"a number of the kind {hint.__name__} was to come")
    return hint(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_CHARACTERS_MAX:
        raise CodecError("a text was to come")
    if _HALF_CHARACTER.search(value):
        raise CodecError("a text holds half a character")
    return value
