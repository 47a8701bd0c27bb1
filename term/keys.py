"""Names of keys, and tables that say what each key does.

One table serves the dispatcher, the help screen, the footer and the documentation, so they cannot
disagree. Must never act: a table answers with the name of a command, the screen does it. Fails at
construction, with KeyTableError, for tables that cannot work.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

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
UNSENT_CONTROLS: Final = frozenset({"C-s", "C-q"})
# M-[, M-O, M-P and so on begin control sequences, so they cannot be told from an answer of the
# terminal that was split in two.
UNSENT_METAS: Final = frozenset({"M-[", "M-]", "M-O", "M-P", "M-X", "M-^", "M-_"})
_MODIFIED_NAMES: Final = NAMED_KEYS - {"Esc", "BackTab", "Tab"}
_LABELS: Final = {"PageUp": "PgUp", "PageDown": "PgDn"}


_NAME_KEY: Final = re.compile(r"[a-z0-9._-]")
_FIELD_KEYS: Final = frozenset(("Backspace", "Delete", "Left", "Right", "Home", "End"))
_TEXT_KEYS: Final = _FIELD_KEYS | {"Space", "Enter", "Up", "Down"}

Typing = Literal["nothing", "names", "text"]
"""What letters do where a table counts: commands, or a field for names, or for any text."""


class KeyTableError(ValueError):
    """A table of keys that cannot work.

    Of ours it is a bug, found when the program starts; of a person's, a sentence about it.
    """


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
    """The keys of a screen; those of `inherits` count where this table has none of its own.

    `rebind` gives commands other keys, once, before the first screen is shown.
    """

    def __init__(
        self,
        bindings: Iterable[Binding],
        inherits: "KeyTable | None" = None,
        *,
        typing: Typing = "nothing",
    ) -> None:
        self._defaults = tuple(bindings)
        self._inherits = inherits
        self._typing = typing
        self._bindings: tuple[Binding, ...] = ()
        self._commands: dict[str, str] = {}
        self._moved: frozenset[str] = frozenset()  # commands whose inherited keys count no more
        self._use(self._defaults)

    def command(self, key: KeyEvent) -> str | None:
        """The command of this key, or None. A paste has none."""
        if isinstance(key, Paste):
            return None
        own = self._commands.get(key)
        if own is not None or self._inherits is None:
            return own
        inherited = self._inherits.command(key)
        return None if inherited in self._moved else inherited

    def bindings(self) -> tuple[Binding, ...]:
        """All that count here, own ones first; overridden keys of inherited ones are left out."""
        inherited = self._inherits.bindings() if self._inherits else ()
        return (*self._bindings, *_uncovered(inherited, self._commands, self._moved))

    def first(self, command: str) -> str:
        """The first key of this command, as a decoder gives it; empty if it has none."""
        bindings = (binding for binding in self.bindings() if binding.command == command)
        binding = next(bindings, None)
        return binding.keys[0] if binding is not None else ""

    def label(self, command: str) -> Safe:
        """The same for a sentence; a dash if it has none."""
        return Safe(key_label(self.first(command)) or "-")

    def defaults(self) -> tuple[Binding, ...]:
        """The same as nobody has rebound anything, for the documentation."""
        inherited = self._inherits.defaults() if self._inherits else ()
        taken = {key for binding in self._defaults for key in binding.keys}
        return (*self._defaults, *_uncovered(inherited, taken, ()))

    def types(self, key: str) -> bool:
        """Whether this key writes or edits where this table counts, so that it is no command."""
        if self._typing == "text":
            return len(key) == 1 or key in _TEXT_KEYS
        return self._typing == "names" and (
            _NAME_KEY.fullmatch(key) is not None or key in _FIELD_KEYS
        )

    def rebind(self, changes: Mapping[str, tuple[str, ...]]) -> None:
        """Give commands, own or inherited, other keys. Raises KeyTableError; then all is as it was.

        A key may go from one command to another only if the other is given one too.
        """
        known = {binding.command: binding for binding in reversed(self.defaults())}
        for command, keys in changes.items():
            if command not in known or not keys:
                raise KeyTableError(f'"{command}" is not a command of this screen, or has no key')
            for key in keys:
                if self.types(key):
                    raise KeyTableError(f'{key_label(key)} writes here, it cannot be "{command}"')
        own = [
            replace(binding, keys=changes.get(binding.command, binding.keys))
            for binding in _first_of_each(self._defaults, changes)
        ]
        mine = {binding.command for binding in own}
        moved = frozenset(changes)  # also own ones may have more keys in the table below
        own += [replace(known[command], keys=changes[command]) for command in sorted(moved - mine)]
        inherited = self._inherits.bindings() if self._inherits else ()
        for binding in inherited:
            for key in binding.keys if binding.command not in moved else ():
                taker = next((to for to, keys in changes.items() if key in keys), binding.command)
                if taker != binding.command:
                    raise KeyTableError(_bound_twice(key, taker, binding.command))
        before = (self._bindings, self._commands, self._moved)
        try:
            self._moved = moved
            self._use(own)
        except KeyTableError:
            self._bindings, self._commands, self._moved = before
            raise

    def restore(self) -> None:
        """Every command has its default keys again."""
        self._moved = frozenset()
        self._use(self._defaults)

    def footer(self, columns: int) -> Line:
        """The key line: `Enter:open  r:reply  ?:help`, as many as fit into `columns`, whole.

        The last column stays free: it is the last cell of the screen, which consoles never draw.
        """
        spans: list[Span] = []
        left = columns - 2  # one for the space that it begins with
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

    def _use(self, bindings: Iterable[Binding]) -> None:
        chosen = tuple(bindings)
        commands: dict[str, str] = {}
        for binding in chosen:
            if not binding.keys or not binding.command or not binding.help:
                raise KeyTableError(f"a binding needs keys, a command and help: {binding}")
            for key in binding.keys:
                if not is_key(key):
                    raise KeyTableError(f"no terminal sends {key!r}, or it may not be bound")
                if key in commands:
                    raise KeyTableError(_bound_twice(key, commands[key], binding.command))
                commands[key] = binding.command
        self._bindings, self._commands = chosen, commands


def _uncovered(
    inherited: tuple[Binding, ...], taken: Container[str], moved: Container[str]
) -> Iterator[Binding]:
    for binding in inherited:
        keys = tuple(key for key in binding.keys if key not in taken)
        if keys and binding.command not in moved:
            yield replace(binding, keys=keys)


def _bound_twice(key: str, one: str, other: str) -> str:
    return f'{key_label(key)} is bound twice, to "{one}" and to "{other}"'


def _first_of_each(
    bindings: tuple[Binding, ...], changes: Mapping[str, tuple[str, ...]]
) -> Iterator[Binding]:
    """A command that is rebound keeps one line, however many it had."""
    seen: set[str] = set()
    for binding in bindings:
        if binding.command not in changes or binding.command not in seen:
            yield binding
        seen.add(binding.command)


def is_key(key: str) -> bool:
    """Whether a table may hold this name: a decoder gives it, and it is not C-s or C-q."""
    if key in NAMED_KEYS or key == "C-Space":
        return True
    if len(key) == 1:
        return key.isprintable() and key != " "
    if key in UNSENT_CONTROLS or key in UNSENT_METAS:
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
