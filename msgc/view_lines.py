"""The face of lines: a `View` as lines to be read aloud, and what has changed since.

Rows have numbers, states have words, facts stand on lines of their own. A text of somebody's is
indented, and nothing of ours is, so that no text can pass for a line of ours. What is only of use
to the eye (gaps, rules, previews of what is said whole) is left out.

Must never say the same thing twice unless it was asked for. Fails never.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from msgc.view import (
    Block,
    Fact,
    Field,
    Fixed,
    Foot,
    Head,
    Paragraph,
    Row,
    Scrolled,
    Table,
    Text,
    View,
)
from term.keys import Binding, key_label
from term.safe import Safe

INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Item:
    """Some lines that belong together. `key` is the same when only its words have changed.

    `steady` is what of them has to change before they are said again; None: all of it.
    """

    key: tuple[str, object]
    lines: tuple[Safe, ...]
    is_moving: bool = False
    steady: Safe | None = None

    @property
    def sense(self) -> object:
        """By which it is told whether something has changed."""
        return self.lines if self.steady is None else self.steady


def lines_of(view: View) -> tuple[Safe, ...]:
    """The whole screen: its title, what it holds, and its keys."""
    lines = [Safe(f"{view.title}: {view.right}" if view.right else view.title)]
    for item in _items(view):
        lines += item.lines
    if view.table is not None:
        lines.append(_position(view.table))
    lines.append(keys_line(view))
    return tuple(lines)


def changes_of(before: View, view: View, *, asked: bool) -> tuple[Safe, ...]:
    """What is new since `before` on the same screen.

    `asked`: a line of the person's stands between, so what has changed is an answer. Else only what
    was not there at all is said.
    """
    lines: list[Safe] = []
    if view.title != before.title:
        lines.append(view.title)
    told = {item.key: item.sense for item in _items(before)}
    anew = _other_rows(before, view) if asked else frozenset()
    for item in _items(view):
        is_new = item.key not in told or item.key[0] in anew
        if not item.is_moving and (is_new or (asked and told[item.key] != item.sense)):
            lines += item.lines
    table, other = view.table, before.table
    if asked and table is not None and other is not None:
        if table.selected != other.selected:
            lines += _selected_lines(table, lines)
        if anew or table.selected != other.selected:
            lines.append(_position(table))
    if view.question is None and before.question is None and view.keys is not before.keys:
        lines.append(keys_line(view))
    return tuple(lines)


def prompt_of(view: View) -> Safe:
    """What stands before the answer."""
    field = view.field
    if field is not None and field.has_lines:
        return Safe("| ")
    if field is None:
        return Safe("> ")
    written = f" [{_line_of(field)}]" if field.text else ""
    return Safe(f"{field.label}{written} ")


def question_lines(view: View) -> tuple[Safe, ...]:
    """The words of the question that is open, and how to leave it."""
    if view.question is None:
        return ()
    words = (view.question.words,) if view.question.words else ()
    return words if view.question.field is None else (*words, keys_line(view))


def keys_line(view: View) -> Safe:
    """What can be answered: keys and words of the screen's own table."""
    shown = [binding for binding in view.keys.bindings() if binding.footer is not None]
    bindings = tuple({binding.command: binding for binding in reversed(shown)}.values())[::-1]
    field = view.field
    if field is None:
        words = ", ".join(f"{key_label(one.keys[0])} {one.footer}" for one in bindings)
        number = "a number takes that row, " if view.table is not None else ""
        return Safe(f"[{number}{words}]")
    known = [f".{word_of(one)}" for one in bindings if field.done not in one.keys]
    if field.has_lines:
        done = next((one.footer for one in bindings if field.done in one.keys), "goes on")
        return Safe(f"[a dot alone: {done}; {', '.join(known)}; two dots begin a line with one]")
    row = ".1 takes row 1, " if view.table is not None else ""
    return Safe(f"[{row}{', '.join(known)}]")


def word_of(binding: Binding) -> str:
    """The word that does what the key does: `reply all`, `page down`."""
    footer = binding.footer or ""
    return footer if footer and "," not in footer else binding.command.replace("_", " ")


def row_line(table: Table, place: int, row: Row) -> Safe:
    """A row: its number, then what its cells say."""
    number = f"{place + 1:,}. " if table.is_numbered else ""
    words = _cells_line(table, row, all_cells=True)
    return Safe(f"{number}{words}:" if row.body else f"{number}{words}")


def _cells_line(table: Table, row: Row, *, all_cells: bool) -> Safe:
    """The cells of a row; without those that move if not `all_cells`."""
    words = ""
    for column, cell in zip(table.columns, row.cells, strict=True):
        spoken = cell.spoken.strip()
        if spoken and (all_cells or not cell.is_moving):
            words += f"{column.before if words else ''}{spoken}"
    return Safe(words)


def _items(view: View) -> list[_Item]:
    return list(_of_blocks(view.blocks))


def _of_blocks(blocks: Iterable[Block]) -> Iterable[_Item]:
    for block in blocks:
        match block:
            case Table():
                yield from _of_table(block)
            case Scrolled():
                yield from _of_blocks(block.blocks)
            case Paragraph() if block.text:
                key: object = block.text
                yield _Item(("words", key), (block.text,), block.is_moving)
            case Head() if block.is_said:
                yield _Item(("head", ""), (block.words,))
            case Fact():
                line = Safe(f"{block.label}: {block.words}")
                yield _Item(("fact", block.label), (line,))
            case Text():
                lines = tuple(
                    Safe(INDENT + "".join(span.text for span in line)) for line in block.lines
                )
                yield _Item(("text", lines), lines)
            case Field() if block.has_lines and block.text:
                yield _Item(("field", ""), _written(block), is_moving=True)
            case Fixed():
                yield _Item(("fixed", block.label), (Safe(f"{block.label} {block.text}"),))
            case Foot() if block.words:
                yield _Item(("foot", ""), (block.words,))
            case _:
                pass


def _of_table(table: Table) -> Iterable[_Item]:
    for number, row in enumerate(table.rows):
        head = row_line(table, table.first + number, row)
        body = tuple(Safe(INDENT + line) for line in row.body)
        steady = _cells_line(table, row, all_cells=False)
        yield _Item((table.key, row.identity), (head, *body), steady=steady)
    if table.selected is None and len(table.rows) < table.total:
        position = Safe(f"{table.position} are shown: page down, page up.")
        yield _Item((f"{table.key} shown", ""), (position,))


def _other_rows(before: View, view: View) -> frozenset[str]:
    """The tables that show other rows than before: they are said anew, for numbers have changed."""
    old = {table.key: [row.identity for row in table.rows] for table in _tables(before)}
    return frozenset(
        table.key
        for table in _tables(view)
        if table.key in old and old[table.key] != [row.identity for row in table.rows]
    )


def _tables(view: View) -> list[Table]:
    return [block for block in view.blocks if isinstance(block, Table)]


def _written(field: Field) -> tuple[Safe, ...]:
    return tuple(Safe(f"| {row}") for row in field.rows)


def _position(table: Table) -> Safe:
    """`At 1 of 12.` with what is not shown."""
    here = (table.selected or 0) + 1
    more = "+" if table.more else ""
    words = f"At {here:,} of {table.total:,}{more}."
    last = table.first + len(table.rows)
    if len(table.rows) < table.total or table.more:
        words = f"{words} {table.first + 1:,} to {last:,} are shown: page down, page up."
    return Safe(words)


def _selected_lines(table: Table, said: list[Safe]) -> list[Safe]:
    """The row that is chosen now, unless it was just said."""
    place = table.selected or 0
    if not table.first <= place < table.first + len(table.rows):
        return []
    line = row_line(table, place, table.rows[place - table.first])
    return [] if line in said else [line]


def _line_of(field: Field) -> str:
    return " ".join(field.rows)
