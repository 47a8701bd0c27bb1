"""The JSON face: a `View` as an object of plain values, documented in docs/faces.md.

For programs, and for tests that ask what a screen says rather than where it stands. Escapes nothing
by itself: texts are the safe ones of the view, `json` escapes what JSON wants escaped.

Must never hold what the view does not. Fails never.
"""

from typing import TypeAlias

from msgc.view import (
    Block,
    Fact,
    Field,
    Fixed,
    Foot,
    Head,
    Paragraph,
    Scrolled,
    Table,
    Text,
    View,
)
from term.keys import KeyTable

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


def object_of(view: View) -> dict[str, Json]:
    """The whole screen."""
    question: Json = None
    if view.question is not None:
        field = view.question.field
        question = {
            "words": view.question.words,
            "field": None if field is None else _field(field),
        }
    return {
        "screen": view.screen,
        "title": view.title,
        "right": view.right,
        "status": {
            "name": view.status.name,
            "link": view.status.link,
            "waiting": view.status.waiting,
            "unsent": view.status.unsent,
            "clock": view.status.clock,
        },
        "message": view.message,
        "question": question,
        "body": _blocks(view.blocks),
        "keys": _keys(view.keys),
    }


def _blocks(blocks: tuple[Block, ...]) -> "list[Json]":
    made: list[Json] = []
    for block in blocks:
        if isinstance(block, Scrolled):
            made += _blocks(block.blocks)
            continue
        one = _block(block)
        if one is not None:
            made.append(one)
    return made


def _block(block: Block) -> "dict[str, Json] | None":
    match block:
        case Table():
            return _table(block)
        case Paragraph() if block.text:
            return {"kind": "words", "words": block.text}
        case Head():
            return {"kind": "words", "words": block.words}
        case Fact():
            return {"kind": "fact", "label": block.label, "words": block.words}
        case Text():
            lines: list[Json] = ["".join(span.text for span in line) for line in block.lines]
            return {"kind": "text", "lines": lines, "more": block.more}
        case Field():
            return {"kind": "field", **_field(block)}
        case Fixed():
            return {"kind": "fact", "label": block.label.rstrip(":"), "words": block.text}
        case Foot() if block.words:
            return {"kind": "words", "words": block.words}
        case _:
            return None


def _table(table: Table) -> "dict[str, Json]":
    rows: list[Json] = []
    for row in table.rows:
        cells: dict[str, Json] = {
            column.key: cell.spoken.strip()
            for column, cell in zip(table.columns, row.cells, strict=True)
        }
        if row.body:
            cells["body"] = list(row.body)
        rows.append(cells)
    return {
        "kind": "table",
        "name": table.key,
        "first": table.first,
        "total": table.total,
        "more": table.more,
        "selected": table.selected,
        "rows": rows,
    }


def _field(field: Field) -> "dict[str, Json]":
    return {"label": field.label, "rows": list(field.rows), "cursor": list(field.cursor)}


def _keys(table: KeyTable) -> "list[Json]":
    return [
        {"keys": list(binding.keys), "command": binding.command, "help": binding.help}
        for binding in table.bindings()
    ]
