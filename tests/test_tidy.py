"""Holds the architecture: sizes, who may touch the machine, reasons for suppressions, links.

Every rule is a function from one source file to complaints. `PLANTED` holds for each rule a text
that breaks it, so that a rule which has gone blind fails here too. Which package may import which
other is held by import-linter (see pyproject.toml); what a module may import from outside is held
here.
"""

import ast
import gc
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("wire", "store", "term", "msgd", "msgc")

function_lines_max: Final = 70
module_lines_max: Final = 500
module_docstring_characters_min: Final = 80

# Modules that reach the machine, and the only files of the five packages that may import them. A
# new file in a row is a decision: the rest of its package goes on receiving it as an argument.
ONLY_IN: Final[dict[str, tuple[str, ...]]] = {
    "socket": ("msgd/os_net.py", "msgd/os_local.py", "msgd/os_systemd.py", "msgc/os_net.py"),
    "selectors": ("msgd/os_net.py", "msgc/os_net.py"),
    "select": ("term/os_terminal.py", "msgd/os_files.py", "msgd/os_process.py"),
    "ssl": ("msgd/os_tls.py", "msgc/os_tls.py"),
    "time": ("msgd/os_clock.py", "msgc/os_clock.py"),
    "random": (),
    "secrets": (),
    "uuid": (),
    "curses": ("term/curses_console.py",),
    "termios": ("term/curses_console.py", "term/os_echo.py"),
    "sqlite3": ("msgc/archive_database.py",),
    "os": (
        "store/os_disk.py",
        "term/os_prompt.py",
        "term/os_terminal.py",
        "msgd/os_files.py",
        "msgd/os_host.py",
        "msgd/os_process.py",
        "msgd/os_systemd.py",
        "msgd/__main__.py",
        "msgc/os_files.py",
        "msgc/os_net.py",  # for the system's words for its error numbers
        "msgc/__main__.py",
    ),
    "ctypes": ("store/syncfs.py",),
    "fcntl": ("store/os_disk.py", "msgc/os_files.py"),
    "resource": ("msgd/os_host.py",),
    "signal": (
        "term/os_terminal.py",
        "msgd/os_signals.py",
        "msgd/os_process.py",
        "msgc/os_net.py",
    ),
    "subprocess": ("msgc/os_process.py", "msgd/os_openssl.py"),
    "tempfile": ("msgc/os_process.py",),
    "shutil": (),
    # One thread, one order: there are no locks because there is nothing to lock against.
    "threading": (),
    "multiprocessing": (),
    "concurrent": (),
    "asyncio": (),
}

SUPPRESSION: Final = re.compile(r"#\s*(noqa|type:\s*ignore|pragma)\b")

# Of ours, store may see only the codec and its error (pyproject.toml cannot say "only").
STORE_SEES_OF_WIRE: Final = ("wire.tlv", "wire.errors")

# What a constructor must be given, so that forgetting it fails instead of reaching for the machine.
HANDED_DOWN: Final = {"clock", "disk", "net", "network", "entropy", "random"}

# Methods of pathlib.Path that read or change files; `open` is too common a name to be among them.
PATH_FILE_METHODS: Final = {
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "mkdir",
    "unlink",
    "rmdir",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str | None:
        """The one of the five packages that the file belongs to, if any."""
        first = self.path.split("/")[0]
        return first if first in PACKAGES else None


# A complaint is a line and what is wrong with it.
Complaint = tuple[int, str]
Rule = Callable[[Source], Iterator[Complaint]]


@cache
def sources() -> tuple[Source, ...]:
    folders = (*PACKAGES, "tests", "scripts")
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    gc.disable()  # a million nodes that all stay, looked through time and again
    try:
        return tuple(
            source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
            for path in paths
        )
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All of a tree, walked through once for all rules."""
    return tuple(ast.walk(tree))


def source(path: str, text: str) -> Source:
    return Source(path, text, ast.parse(text, filename=path))


def imported_modules(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Full dotted names of what is imported; `from a import b` gives `a` and `a.b`."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def comments(text: str) -> Iterator[tuple[str, int]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string, token.start[0]


# --- the rules ------------------------------------------------------------------------------------


def functions_fit_a_screen(file: Source) -> Iterator[Complaint]:
    for node in nodes(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > function_lines_max:
                yield (
                    node.lineno,
                    f"{node.name} has {lines} lines; {function_lines_max} are the most",
                )


def modules_fit_in_the_head(file: Source) -> Iterator[Complaint]:
    lines = file.text.count("\n")
    if lines > module_lines_max:
        yield lines, f"more than {module_lines_max} lines: split it where there is a seam"


def modules_say_what_they_are(file: Source) -> Iterator[Complaint]:
    docstring = ast.get_docstring(file.tree) or ""
    whole = file.package is not None and not file.path.endswith("__init__.py")
    if not docstring and not fnmatch(file.path, "tests/*/test_*.py"):  # its mirror's says it
        yield 1, "no docstring"
    elif whole and len(docstring) < module_docstring_characters_min:
        yield 1, "say what it is for, what it must never do, how it fails"


def machine_is_reached_in_named_files(file: Source) -> Iterator[Complaint]:
    if file.package is None:
        return
    for top, line in {(name.split(".")[0], line) for name, line in imported_modules(file.tree)}:
        if file.path not in ONLY_IN.get(top, (file.path,)):
            where = " and ".join(ONLY_IN[top]) or "no file"
            yield line, f"imports {top}, which is for {where}"


def store_sees_only_the_codec(file: Source) -> Iterator[Complaint]:
    if file.package != "store":
        return
    for name, line in imported_modules(file.tree):
        seen = ".".join(name.split(".")[:2])
        if name.startswith("wire.") and seen not in STORE_SEES_OF_WIRE:
            yield line, f"imports {name}; of wire, store sees only {STORE_SEES_OF_WIRE}"


def no_mocks(file: Source) -> Iterator[Complaint]:
    for name, line in imported_modules(file.tree):
        if name.split(".")[0] == "mock" or name.startswith(("unittest.mock", "pytest_mock")):
            yield line, f"imports {name}: write a fake"


def no_sleep_and_no_builtin_open(file: Source) -> Iterator[Complaint]:
    for node in nodes(file.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr="sleep") | ast.alias(name="sleep"):
                yield node.lineno, "sleeps: wait for the thing itself"
            case ast.Call(
                func=ast.Name(id="open") | ast.Attribute(value=ast.Name(id="io"), attr="open")
            ):
                yield node.lineno, "calls open(): files go through the disk that was handed down"


def files_are_touched_in_named_files(file: Source) -> Iterator[Complaint]:
    if file.package is None or file.path in ONLY_IN["os"]:
        return
    for node in nodes(file.tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in PATH_FILE_METHODS:
                yield node.lineno, f"calls .{name}(): only files that may import os touch files"


def no_clock_by_the_back_door(file: Source) -> Iterator[Complaint]:
    if file.package is None:
        return
    for node in nodes(file.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="datetime" | "date"), attr="now" | "today" | "utcnow"
                )
            ):
                yield node.lineno, "asks datetime for the time: the clock is handed down"


def no_bare_except(file: Source) -> Iterator[Complaint]:
    for node in nodes(file.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "catches everything"


def suppressions_have_reasons(file: Source) -> Iterator[Complaint]:
    marker = re.compile(
        r"#\s*(noqa:\s*[A-Z0-9]+(,\s*[A-Z0-9]+)*"
        r"|type:\s*ignore\[[^\]]+\]"
        r"|pragma:\s*no (cover|branch))"
    )
    if not SUPPRESSION.search(file.text):  # taking a text apart costs
        return
    for comment, line in comments(file.text):
        if not SUPPRESSION.search(comment):
            continue
        # What is left beside the markers is the reason: two words at least.
        if not marker.search(comment) or len(re.findall(r"[A-Za-z]+", marker.sub("", comment))) < 2:
            yield line, f"suppresses a check without a code or a reason: {comment}"


def the_machine_has_no_defaults(file: Source) -> Iterator[Complaint]:
    if file.package is None:
        return
    for node in nodes(file.tree):
        if isinstance(node, ast.FunctionDef):
            for name in arguments_with_defaults(node.args):
                if name in HANDED_DOWN:
                    yield node.lineno, f"{node.name} has a default for {name}"
        elif isinstance(node, ast.ClassDef):
            for field in node.body:
                match field:
                    case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()) if (
                        name in HANDED_DOWN
                    ):
                        yield field.lineno, f"{node.name} has a default for {name}"


def arguments_with_defaults(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    yield from (
        argument.arg for argument in positional[len(positional) - len(arguments.defaults) :]
    )
    yield from (
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    )


def no_yield_while_an_exception_is_handled(file: Source) -> Iterator[Complaint]:
    """Compiled (mypyc 2.4), who goes on after it never stops handling that exception: all that are
    raised later hang on it, and each raise walks down the whole chain.
    """
    if file.package not in {"wire", "store", "msgd"}:
        return
    for node in nodes(file.tree):
        if isinstance(node, ast.ExceptHandler):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Yield | ast.YieldFrom):
                    yield inner.lineno, "a yield in an except: keep what it is of, yield it after"


PLANTED: Final[dict[Rule, tuple[str, str]]] = {
    no_yield_while_an_exception_is_handled: (
        "store/x.py",
        "def f() -> Iterator[int]:\n    try:\n        g()\n    except OSError:\n        yield 1\n",
    ),
    functions_fit_a_screen: ("wire/x.py", "def f() -> None:\n" + "    f()\n" * 70),
    modules_fit_in_the_head: ("wire/x.py", "\n" * 501),
    modules_say_what_they_are: ("wire/x.py", '"""Frames."""\n'),
    machine_is_reached_in_named_files: ("msgc/link.py", "from os.path import exists\n"),
    store_sees_only_the_codec: ("store/x.py", "from wire import frames\n"),
    no_mocks: ("tests/x.py", "from unittest import mock\n"),
    no_sleep_and_no_builtin_open: ("tests/x.py", "import time\ntime.sleep(1)\n"),
    files_are_touched_in_named_files: ("msgc/link.py", "path.write_text('x')\n"),
    no_clock_by_the_back_door: ("msgd/x.py", "datetime.now(tz)\n"),
    no_bare_except: ("tests/x.py", "try:\n    f()\nexcept:\n    raise\n"),
    suppressions_have_reasons: ("tests/x.py", "f()  # noqa: S101\n"),
    the_machine_has_no_defaults: (
        "msgd/x.py",
        "class A:\n    def __init__(self, *, clock: int = 0) -> None: ...\n",
    ),
}


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_rule_holds_everywhere(rule: Rule) -> None:
    complaints = [f"{file.path}:{line} {said}" for file in sources() for line, said in rule(file)]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_rule_sees_what_breaks_it(rule: Rule) -> None:
    assert list(rule(source(*PLANTED[rule])))


@pytest.mark.parametrize(
    "text",
    [
        "import time as t\nfrom time import sleep\n",
        "f = open('x')\n",
        "x: int = f()  # type: ignore\n",
        "x: int = f()  # type: ignore[assignment]\n",
        "f()  # noqa\n",
        "f()  # pragma: no cover\n",
    ],
)
def test_other_ways_to_break_a_rule_are_seen_too(text: str) -> None:
    assert any(
        list(rule(source("tests/x.py", text)))
        for rule in (no_sleep_and_no_builtin_open, suppressions_have_reasons)
    )


@pytest.mark.parametrize(
    "text",
    [
        "x: int = f()  # type: ignore[assignment]  # the stub forgets bytes\n",
        "f()  # noqa: S101, ARG001  our own bug ends the process\n",
        "f()  # pragma: no cover - only on a broken kernel\n",
    ],
)
def test_a_suppression_with_a_reason_is_accepted(text: str) -> None:
    assert not list(suppressions_have_reasons(source("tests/x.py", text)))


def test_every_named_file_needs_its_permission() -> None:
    """A permission that nobody uses would let the next writer in unseen."""
    imported = {(name, file.path) for file in sources() for name, _ in imported_modules(file.tree)}
    permitted = {(name, path) for name, paths in ONLY_IN.items() for path in paths}
    assert not permitted - imported


@pytest.mark.parametrize("package", ["wire", "store"])
def test_every_module_has_its_mirror(package: str) -> None:
    modules = {path.stem for path in (ROOT / package).glob("*.py") if path.stem != "__init__"}
    mirrors = {
        path.stem.removeprefix("test_") for path in (ROOT / "tests" / package).glob("test_*.py")
    }
    assert not modules - mirrors, "no tests of their own"


# --- documents ------------------------------------------------------------------------------------


def documents() -> list[Path]:
    return sorted(
        [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
    )


def anchors(text: str) -> set[str]:
    """What headings are linked by: lower case, spaces to dashes, other signs dropped."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *#*$", without_code(text), flags=re.MULTILINE):
        base = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        name, count = base, 0
        while name in found:
            count += 1
            name = f"{base}-{count}"
        found.add(name)
    return found


def without_code(text: str) -> str:
    return re.sub(r"^( *)(```|~~~).*?^\1\2", "", text, flags=re.MULTILINE | re.DOTALL)


def broken_links(document: Path, text: str) -> Iterator[str]:
    bare = re.sub(r"`[^`\n]*`", "", without_code(text))
    links = re.findall(r"\]\(\s*<?([^)\s>]+)", bare) + re.findall(
        r"^\[[^\]]+\]:\s*(\S+)", bare, flags=re.MULTILINE
    )
    for link in links:
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue  # another site: not ours to hold, and a test does not ask the network
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or not target.is_relative_to(ROOT):
            yield f"{document.relative_to(ROOT)}: {link} leads nowhere"
        elif (
            anchor
            and target.suffix == ".md"
            and anchor not in anchors(target.read_text(encoding="utf-8"))
        ):
            yield f"{document.relative_to(ROOT)}: {link} names no heading"


def test_links_in_documents_lead_somewhere() -> None:
    found = [
        link
        for path in documents()
        for link in broken_links(path, path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("link", ["nowhere.md", "#no-such-heading", "../../outside.md"])
def test_a_broken_link_is_seen(link: str) -> None:
    document = ROOT / "CONTRIBUTING.md"
    assert list(broken_links(document, f"# Title\n[text]({link})\n"))
