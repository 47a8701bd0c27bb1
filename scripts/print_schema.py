"""Print the tables that tell the keys of `msgc --json`, or write them into their document.

    python scripts/print_schema.py            print them
    python scripts/print_schema.py --write    put them between their marks in docs/command-line.md

They are made of docs/command-line.schema.json, against which the tests hold every line printed. A
test compares the document with what this prints, so the two cannot drift apart.
Must never touch anything outside the marks. Fails with exit 1 when a mark is missing.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "command-line.md"
SCHEMA = ROOT / "docs" / "command-line.schema.json"
BEGIN, END = "<!-- made: json -->\n", "<!-- end -->\n"


def tables() -> str:
    """All kinds of lines, each with its keys."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return "\n".join(_table(shape) for shape in schema["$defs"].values())


def _table(shape: dict[str, Any]) -> str:
    lines = [
        f"{shape['title']}: {_lower(shape['description'])}",
        "",
        "| key | | |",
        "|---|---|---|",
    ]
    lines += _rows("", shape["properties"])
    return "\n".join(lines) + "\n"


def _rows(prefix: str, properties: dict[str, Any]) -> list[str]:
    rows = []
    for name, value in properties.items():
        rows.append(f"| `{prefix}{name}` | {_values(value)} | {value['description']} |")
        items = value.get("items", {})
        rows += _rows(f"{prefix}{name}[].", items.get("properties", {}))
    return rows


def _values(value: dict[str, Any]) -> str:
    if "const" in value:
        return f'`"{value["const"]}"`'
    if "enum" in value:
        return ", ".join(f'`"{each}"`' for each in value["enum"])
    kinds = value["type"] if isinstance(value["type"], list) else [value["type"]]
    words = {"integer": "number", "boolean": "true, false", "array": "list", "string": "text"}
    return " or ".join(words.get(kind, str(kind)) for kind in kinds)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def spliced(document: str) -> str:
    """The document with the tables between their marks."""
    before, mark, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        sys.exit(f"{DOCUMENT}: the marks for the tables are missing")
    return f"{before}{mark}\n{tables()}\n{end}{after}"


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write them into the document")
    if parser.parse_args().write:
        DOCUMENT.write_text(spliced(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(tables())


if __name__ == "__main__":
    main()
