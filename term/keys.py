"""Names of keys, and tables that say what each key does.

One table serves the dispatcher, the help screen, the footer and the documentation, so they cannot
disagree. Must never act: a table answers with the name of a command, the screen does it. Fails at
construction, with KeyTableError, for tables that cannot work.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from term.picture import Line, Span, Style
from term.safe import Safe
from term.width import columns as columns_of_text
from term.width import pad


@dataclass(frozen=True, slots=True)
class Paste:
    """A whole paste: newlines are `\\n`, control characters are gone.

    `cut_bytes`: how many bytes of it were more than we keep, and were dropped.
    """

    text: str
    cut_bytes: int = 0


KeyEvent = str | Paste

_EDIT_KEYS: Final = ("Enter", "Esc", "Tab", "BackTab", "Backspace", "Delete", "Insert", "Space")
_MOVE_KEYS: Final = ("Up", "Down", "Left", "Right", "Home", "End", "PageUp", "PageDown")
NAMED_KEYS: Final = frozenset({*_EDIT_KEYS, *_MOVE_KEYS, *(f"F{n}" for n in range(1, 13))})
# C-h, C-i, C-j, C-m and C-[ are Backspace, Tab, Enter, Enter and Esc to a terminal. C-s and C-q
# stop and start the output of some terminals, and never arrive there.
_CONTROL_KEY: Final = re.compile(r"C-([a-gk-lnopr-z_\\\]^])")
_REFUSED_CONTROLS: Final = frozenset({"C-s", "C-q"})
# M-[, M-O, M-P and so on begin control sequences, so they cannot be told from an answer of the
# terminal that was split in two.
_REFUSED_METAS: Final = frozenset({"M-[", "M-]", "M-O", "M-P", "M-X", "M-^", "M-_"})
_MODIFIED_NAMES: Final = NAMED_KEYS - {"Esc", "BackTab", "Tab"}
_LABELS: Final = {"PageUp": "PgUp", "PageDown": "PgDn"}


class KeyTableError(ValueError):
    """A table of keys that cannot work: our own bug, found when the program starts."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Some keys and what they do. The first key is the one that the footer shows.

    `help` is a sentence for the help screen, `footer` one or two words for the key line, or None
    for a binding that the key line leaves out.
    """

    keys: tuple[str, ...]
    command: str
    help: str
    footer: str | None = None


class KeyTable:
    """The keys of a screen; those of `inherits` count where this table has none of its own."""

    def __init__(self, bindings: Iterable[Binding], inherits: "KeyTable | None" = None) -> None:
        self._bindings = tuple(bindings)
        self._inherits = inherits
        self._commands: dict[str, str] = {}
        for binding in self._bindings:
            if not binding.keys or not binding.command or not binding.help:
                raise KeyTableError(f"a binding needs keys, a command and help: {binding}")
            for key in binding.keys:
                self._bind(key, binding.command)

    def command(self, key: KeyEvent) -> str | None:
        """The command of this key, or None. A paste has none."""
        if isinstance(key, Paste):
            return None
        own = self._commands.get(key)
        if own is not None or self._inherits is None:
            return own
        return self._inherits.command(key)

    def bindings(self) -> tuple[Binding, ...]:
        """All that count here, own ones first; overridden keys of inherited ones are left out."""
        inherited: list[Binding] = []
        for binding in self._inherits.bindings() if self._inherits else ():
            keys = tuple(key for key in binding.keys if key not in self._commands)
            if keys:
                inherited.append(Binding(keys, binding.command, binding.help, binding.footer))
        return (*self._bindings, *inherited)

    def footer(self, columns: int) -> Line:
        """The key line: `Enter:open  r:reply  ?:help`, as many as fit into `columns`, whole."""
        spans: list[Span] = []
        left = columns - 1
        for binding in self.bindings():
            if binding.footer is None:
                continue
            key = Safe(key_label(binding.keys[0]))
            words = Safe(f":{binding.footer}")
            taken = columns_of_text(key) + columns_of_text(words)
            if taken > left:
                break
            spans += [Span(Safe(" " if not spans else "  ")), Span(key, Style.BOLD), Span(words)]
            left -= taken + 2
        return tuple(spans)

    def help_lines(self) -> tuple[Safe, ...]:
        """The help screen: keys in one column, what they do in the next."""
        rows = [
            (Safe(", ".join(map(key_label, binding.keys))), Safe(binding.help))
            for binding in self.bindings()
        ]
        width = max((columns_of_text(keys) for keys, _ in rows), default=0)
        return tuple(Safe(f"  {pad(keys, width)}  {words}") for keys, words in rows)

    def _bind(self, key: str, command: str) -> None:
        if not is_key(key):
            raise KeyTableError(f"no terminal sends {key!r}, or it may not be bound")
        if key in self._commands:
            raise KeyTableError(f"{key} is bound twice: {self._commands[key]} and {command}")
        self._commands[key] = command


def is_key(key: str) -> bool:
    """Whether a table may hold this name: a decoder gives it, and it is not C-s or C-q."""
    if key in NAMED_KEYS or key == "C-Space":
        return True
    if len(key) == 1:
        return key.isprintable() and key != " "
    if key in _REFUSED_CONTROLS or key in _REFUSED_METAS:
        return False
    if key.startswith("C-"):
        return _CONTROL_KEY.fullmatch(key) is not None or key[2:] in _MODIFIED_NAMES - {
            "Enter",
            "Backspace",
            "Space",
        }
    if key.startswith("M-"):
        rest = key[2:]
        return rest in _MODIFIED_NAMES or (len(rest) == 1 and rest.isprintable() and rest != " ")
    return False


def key_label(key: str) -> str:
    """The name of a key for people: `^D` for C-d, `Meta-Enter` for M-Enter, `PgUp`."""
    if key.startswith("C-") and len(key) == 3:
        return "^" + key[2:].upper()
    if key.startswith("C-"):
        return "Ctrl-" + key_label(key[2:])
    if key.startswith("M-"):
        return "Meta-" + key_label(key[2:])
    return _LABELS.get(key, key)


def character_of(key: KeyEvent) -> str | None:
    """The character that this key types into a text, or None if it types none."""
    if isinstance(key, Paste):
        return None
    if key == "Space":
        return " "
    return key if len(key) == 1 else None
