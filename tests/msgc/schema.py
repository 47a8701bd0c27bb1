"""Holds lines of JSON against docs/command-line.schema.json.

It knows the words of JSON Schema that the document uses, and stops at any other. A key that the
document does not name is a failure too: for a user it would be one more key, for us a forgotten
line of documentation.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

SCHEMA_PATH: Final = Path(__file__).parents[2] / "docs" / "command-line.schema.json"
_TYPES: Final[dict[str, type]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_WORDS: Final = {
    *("title", "description", "type", "const", "enum", "pattern", "minimum"),
    *("items", "properties", "required"),
}


@cache
def shapes() -> dict[str, Any]:
    """The kinds of lines, by their kind."""
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    assert set(schema) == {"$schema", "title", "description", "oneOf", "$defs"}
    kinds: dict[str, Any] = schema["$defs"]
    assert [each["$ref"] for each in schema["oneOf"]] == [f"#/$defs/{name}" for name in kinds]
    return kinds


def check_line(line: str) -> dict[str, Any]:
    """The object of this line; AssertionError when it is not as documented."""
    line = line.removesuffix("\n")
    assert line.isascii(), line
    assert line.isprintable(), line
    value = json.loads(line)
    assert isinstance(value, dict), line
    assert value.get("kind") in shapes(), f"no such kind: {line}"
    check(value, shapes()[value["kind"]], value["kind"])
    return value


def check(value: Any, shape: dict[str, Any], where: str) -> None:  # noqa: ANN401  JSON is anything
    """AssertionError when the value has another shape."""
    assert set(shape) <= _WORDS, f"{where}: a word of JSON Schema that this does not know"
    if "const" in shape:
        assert value == shape["const"], where
    if "enum" in shape:
        assert value in shape["enum"], f"{where}: {value!r}"
    if "type" in shape:
        kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
        # type(), because True is an int for isinstance and no integer for JSON.
        assert type(value) in [_TYPES[kind] for kind in kinds], f"{where}: {value!r}"
    if "minimum" in shape and value is not None:
        assert value >= shape["minimum"], f"{where}: {value!r}"
    if "pattern" in shape and value is not None:
        assert re.search(shape["pattern"], value), f"{where}: {value!r}"
    if isinstance(value, list):
        for each in value:
            check(each, shape["items"], f"{where}[]")
    if isinstance(value, dict):
        properties = shape["properties"]
        assert set(shape["required"]) <= set(value) <= set(properties), f"{where}: {sorted(value)}"
        for name, each in value.items():
            check(each, properties[name], f"{where}.{name}")
