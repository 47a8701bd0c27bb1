"""What a patch is, and how it is laid over a copy of the tree.

A patch names a function and a little text in it, so that edits around it do not matter. The text
is found whatever its spaces and line breaks are; it must stand there exactly once (or, with
`every`, at least once).

Must never change anything silently: what does not fit is said with file, function and text.
"""

import ast
import re
from pathlib import Path
from typing import NamedTuple


class Edit(NamedTuple):
    """In `where` ("file" or "file:function") `new` stands instead of `old`.

    The lines of `new` get the indentation of the line on which `old` begins.
    """

    where: str
    old: str
    new: str
    every: bool = False


class Mutant(NamedTuple):
    """One broken rule."""

    name: str
    rule: str
    edits: tuple[Edit, ...]
    by: str = "crash"  # who should see it first: crash (states) or sim(ulation)


def mutant(  # noqa: PLR0917  # a row of a table
    name: str, rule: str, where: str, old: str, new: str, by: str = "crash", *, every: bool = False
) -> Mutant:
    """A patch of one place."""
    return Mutant(name, rule, (Edit(where, old, new, every),), by)


def apply(mutant: Mutant, tree: Path) -> str:
    """Change the copy; says what is wrong when the patch does not fit."""
    for edit in mutant.edits:
        file, _, function = edit.where.partition(":")
        path = tree / file
        if not path.is_file():
            return f"{file} is not there"
        text = path.read_text(encoding="utf-8")
        changed = change(text, function, edit)
        if not changed:
            return f"{edit.where} has no such function"
        if changed == text:
            many = "the text more than once" if pattern(edit.old).search(text) else "no such text"
            return f"{edit.where} has {many}: {edit.old!r}"
        try:
            ast.parse(changed)
        except SyntaxError as error:
            return f"{edit.where} is no Python with {edit.new!r}: {error}"
        path.write_text(changed, encoding="utf-8")
    return ""


def change(text: str, function: str, edit: Edit) -> str:
    """The text with the edit; itself when the edit does not fit, "" without such a function."""
    lines = text.splitlines(keepends=True)
    first, last = span(text, function) if function else (0, len(lines))
    if first < 0:
        return ""
    before, part, after = lines[:first], "".join(lines[first:last]), lines[last:]
    found = list(pattern(edit.old).finditer(part))
    if not found or (len(found) > 1 and not edit.every):
        return text
    for match in reversed(found):
        line_start = part.rfind("\n", 0, match.start()) + 1
        indent = re.match(r" *", part[line_start:])
        assert indent is not None
        new = edit.new.replace("\n", "\n" + indent[0])
        part = part[: match.start()] + new + part[match.end() :]
    return "".join((*before, part, *after))


def span(text: str, function: str) -> tuple[int, int]:
    """The lines of the only function of this name; (-1, -1) when there is not one."""
    found = [
        (node.lineno - 1, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    return found[0] if len(found) == 1 else (-1, -1)


def pattern(text: str) -> re.Pattern[str]:
    """Finds the text however it is spaced and wrapped."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    head = r"\b" if re.match(r"\w", tokens[0]) else ""
    tail = r"\b" if re.match(r"\w", tokens[-1]) else ""
    return re.compile(head + r"\s*".join(re.escape(token) for token in tokens) + tail)
