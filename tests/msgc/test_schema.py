"""The documented shapes: the document is made of the schema, and the checker can fail."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from msgc.command_options import COMMANDS
from scripts import print_schema
from tests.msgc.schema import check_line, shapes

GOOD: dict[str, Any] = {"kind": "account", "name": "bob", "state": "on", "last_seen_ms": None}


def test_the_document_is_made_of_the_schema() -> None:
    document = print_schema.DOCUMENT.read_text(encoding="utf-8")
    assert print_schema.spliced(document) == document, "run scripts/print_schema.py --write"


def test_every_command_that_prints_json_is_in_the_schema() -> None:
    printers = " ".join(shape["title"] for shape in shapes().values())
    for command in COMMANDS:
        assert re.search(rf"`{command.name}\b", printers), command.name


def test_a_line_as_documented_passes() -> None:
    assert check_line(json.dumps(GOOD)) == GOOD


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"name": 7},
        {"state": "away"},
        {"last_seen_ms": "now"},
        {"last_seen_ms": -1},
        {"last_seen_ms": True},
        {"undocumented": 1},
    ],
)
def test_any_other_line_does_not(change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check_line(json.dumps(GOOD | change))
    with pytest.raises(AssertionError):
        check_line(json.dumps({"kind": "account", "name": "bob", "state": "on"}))


def test_no_command_prints_json_another_way() -> None:
    """One function writes it, so that the tests which hold lines against the schema see all."""
    root = Path(__file__).parents[2]
    users = {path.name for path in (root / "msgc").glob("*.py") if "json.dumps" in path.read_text()}
    assert users == {"commands_output.py"}
