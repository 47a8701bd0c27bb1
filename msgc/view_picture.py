"""The curses face: a `View` becomes a `Picture` of a window of any size.

Must never say anything that the view does not. Fails never: what does not fit is clipped, and a
window that is too small shows one line that says so.
"""

from collections.abc import Sequence
from typing import Final

from msgc.view import (
    Block,
    Fact,
    Field,
    Fill,
    Fixed,
    Foot,
    Head,
    Paragraph,
    Question,
    Row,
    Rule,
    Scrolled,
    Status,
    Table,
    Text,
    View,
)
from msgc.view_text import plural
from term.keys import Binding, KeyTable
from term.picture import (
    EMPTY,
    Line,
    Picture,
    Span,
    Style,
    body_rows,
    columns_of,
    compose,
    rule,
    spread,
)
from term.safe import Safe, safe_line
from term.width import columns as columns_of_text
from term.width import pad, wrap

STATUS_NAME_COLUMNS_MAX: Final = 34
STATUS_LINK_COLUMNS_MAX: Final = 40
_MESSAGE_ROWS_MAX: Final = 4
_INDENT_COLUMNS: Final = 3
_LABEL_COLUMNS: Final = 10
_ALWAYS_SHOWN: Final = frozenset(("help", "leave", "quit", "other"))

Place = tuple[int, int]


def picture_of(view: View, size: tuple[int, int]) -> Picture:
    """The whole screen for a window of (rows, columns)."""
    columns, room = size[1], body_rows(size)
    body, cursor = _body(view.blocks, columns, room)
    message, place = _message(view, columns, room)
    cursor = place or cursor
    if len(message) > 1:
        kept = room - len(message) + 1
        body = [*body[:kept], *(EMPTY for _ in range(kept - len(body))), *message[:-1]]
    return compose(
        size,
        spread(_line(Safe(f" {view.title}")), _line(Safe(f"{view.right} ")), columns),
        body,
        message=message[-1],
        status=status_line(view.status, columns),
        keys=key_line(view.keys, columns),
        cursor=cursor,
    )


def status_line(status: Status, columns: int) -> Line:
    """`[alice] [online] [3 messages waiting]`, and the clock at the right."""
    parts = [f"[{safe_line(status.name, STATUS_NAME_COLUMNS_MAX)}]"] if status.name else []
    parts.append(f"[{safe_line(status.link, STATUS_LINK_COLUMNS_MAX)}]")
    if status.waiting:
        parts.append(f"[{plural(status.waiting, 'message')} waiting]")
    if status.unsent:
        parts.append(f"[{status.unsent:,} unsent]")
    return spread(_line(Safe(" " + " ".join(parts))), _line(Safe(f"{status.clock[:5]} ")), columns)


def key_line(keys: KeyTable, columns: int) -> Line:
    """The screen's own keys at the left, as many as fit; the way out and the help at the right."""
    tail: list[Binding] = []
    rest: list[Binding] = []
    for binding in keys.bindings():
        if binding.footer is not None and binding.command in _ALWAYS_SHOWN:
            if all(binding.command != shown.command for shown in tail):
                tail.append(binding)
        else:
            rest.append(binding)
    right = (*KeyTable(tail).footer(columns), Span(Safe(" ")))
    left = KeyTable(rest).footer(columns - columns_of(right) - 1)
    return spread(left, right, columns)


# ----- the body ---------------------------------------------------------------------------------


def _body(blocks: Sequence[Block], columns: int, room: int) -> tuple[list[Line], Place | None]:
    """The rows of the body, and where the cursor stands among them."""
    lines: list[Line] = []
    cursor: Place | None = None
    typed = False
    for number, block in enumerate(blocks):
        if isinstance(block, Fill):
            rest, _ = _body(blocks[number + 1 :], columns, room)
            lines += [EMPTY] * (room - len(lines) - len(rest))
        elif isinstance(block, Scrolled):
            lines += _scrolled(block, columns, room - len(lines))
        else:
            drawn, place = _draw(block, columns)
            if place is not None and not typed:
                cursor = (len(lines) + place[0], place[1])
                typed = isinstance(block, Field)
            lines += drawn
    return lines, cursor


def _scrolled(block: Scrolled, columns: int, room: int) -> list[Line]:
    lines, _ = _body(block.blocks, columns, 0)
    height = max(1, room - 1)
    block.window.set_lines(len(lines), height)
    shown = [lines[row] for row in block.window.visible()]
    shown += [EMPTY] * (height - len(shown))
    foot = _line(Safe(f"{block.window.position_text()} "), Style.DIM)
    return [*shown, spread(EMPTY, foot, columns)]


def _draw(block: Block, columns: int) -> tuple[list[Line], Place | None]:
    match block:
        case Table():
            return _table(block)
        case Field():
            return _field(block)
        case Fixed():
            words = Safe(f"{' ' * _INDENT_COLUMNS}{block.label} {block.text}")
            return [_line(words)], (0, columns_of_text(words))
        case Paragraph():
            rows = wrap(block.text, columns - _INDENT_COLUMNS) if block.text else [block.text]
            return [_indented(row, block.style) for row in rows], None
        case Head():
            style = Style.NORMAL if block.is_said else Style.DIM
            return [_line(Safe(f" {block.words}"), style)], None
        case Fact():
            return _fact(block, columns), None
        case Text():
            return _text(block), None
        case Rule():
            right = _line(Safe(f" {block.right} ")) if block.right else EMPTY
            return [spread(rule(columns - columns_of(right)), right, columns)], None
        case Foot():
            left = _indented(block.words, block.style)
            right = _line(Safe(f" {block.position} ")) if block.position else EMPTY
            return [spread(left, right, columns)], None
        case _:
            return [EMPTY], None


def _table(table: Table) -> tuple[list[Line], Place | None]:
    lines: list[Line] = []
    marker = 2 if table.has_marker else 0
    start = table.indent + marker
    if table.has_heads:
        heads = [f"{column.head:<{column.width}}" for column in table.columns]
        lines.append(_line(Safe(" " * start + " ".join(heads)), Style.DIM))
    cursor: Place | None = None
    for number, row in enumerate(table.rows):
        is_selected = table.first + number == table.selected
        if is_selected:
            cursor = (len(lines), table.indent)
        sign = ">" if is_selected else " "
        left = " " * table.indent + (f"{sign} " if table.has_marker else "")
        lines.append(_row(table, row, left, Style.BOLD if is_selected else Style.NORMAL))
    return lines, cursor


def _row(table: Table, row: Row, left: str, style: Style) -> Line:
    style |= row.style
    spans = [Span(Safe(left), style)] if left else []
    for place, (column, cell) in enumerate(zip(table.columns, row.cells, strict=True)):
        last = place == len(table.columns) - 1
        shown = pad(cell.text, column.width) if column.width else cell.text
        spans.append(Span(shown if last else Safe(f"{shown} "), style | cell.style))
    return tuple(spans)


def _field(block: Field) -> tuple[list[Line], Place]:
    label = f"{block.label} " if block.label else ""
    indent = " " * block.indent
    first, *rest = block.rows or (Safe(""),)
    lines = [
        _line(Safe(f"{indent}{label}{first}".rstrip() if not first else indent + label + first))
    ]
    lines += [_line(Safe(f"{indent}{row}")) if row else EMPTY for row in rest]
    before = block.indent + (columns_of_text(Safe(label)) if block.cursor[0] == 0 else 0)
    return lines, (block.cursor[0], before + block.cursor[1])


def _fact(block: Fact, columns: int) -> list[Line]:
    parts = wrap(block.words, max(8, columns - _LABEL_COLUMNS - 3))
    return [
        (
            Span(Safe(f" {block.label if row == 0 else '':<{_LABEL_COLUMNS}}"), Style.DIM),
            Span(part),
        )
        for row, part in enumerate(parts)
    ]


def _text(block: Text) -> list[Line]:
    gutter = Span(Safe(" "), Style.REVERSE)
    lines: list[Line] = [(gutter, Span(Safe(" ")), *line) for line in block.lines]
    if block.more:
        lines.append(_line(Safe(f" -- {block.more:,} more lines: Enter --"), Style.DIM))
    return lines


# ----- the message line -------------------------------------------------------------------------


def _message(view: View, columns: int, room: int) -> tuple[list[Line], Place | None]:
    """Its rows: the last is the message line, those before cover the end of the body."""
    if view.question is None:
        rows = wrap(view.message, columns - 2) if view.message else ()
        return [_line(Safe(f" {row}")) for row in rows][:_MESSAGE_ROWS_MAX] or [EMPTY], None
    return _question(view.question, columns, room)


def _question(question: Question, columns: int, room: int) -> tuple[list[Line], Place | None]:
    lines: list[Line] = []
    if question.words:
        rows = wrap(question.words, columns - 2)
        lines = [_line(Safe(f" {row}"), Style.BOLD) for row in rows]
    field = question.field
    if field is None:
        return lines[:_MESSAGE_ROWS_MAX] or [EMPTY], None
    lines = lines[: _MESSAGE_ROWS_MAX - 1]
    label = Safe(f" {field.label} ")
    lines.append((Span(label, Style.BOLD), Span(field.rows[0])))
    return lines, (room, columns_of_text(label) + field.cursor[1])


def _line(words: Safe, style: Style = Style.NORMAL) -> Line:
    return (Span(words, style),) if words else EMPTY


def _indented(words: Safe, style: Style) -> Line:
    return (Span(Safe(" " * _INDENT_COLUMNS + words), style),) if words else EMPTY
