"""Names of keys as people write them, and the one name that tables use.

`^D`, `C-d`, `Ctrl-D` and `ctrl+d` are one key. Must never give a name that no table may hold. Fails
with KeyNameError, a sentence for people that says what would be right.
"""

import difflib
import re
from typing import Final

from term.keys import NAMED_KEYS, UNSENT_CONTROLS, UNSENT_METAS, is_key

_OTHER_NAMES: Final = {
    "escape": "Esc",
    "return": "Enter",
    "pgup": "PageUp",
    "pgdn": "PageDown",
    "pagedn": "PageDown",
    "del": "Delete",
    "ins": "Insert",
    "bs": "Backspace",
    "spacebar": "Space",
    "shift-tab": "BackTab",
    "shift+tab": "BackTab",
    " ": "Space",
}
_NAMES: Final = {name.lower(): name for name in NAMED_KEYS} | _OTHER_NAMES
_CONTROL: Final = re.compile(r"(?:\^|c-|ctrl[-+]|control[-+])(.+)", re.IGNORECASE | re.DOTALL)
_META: Final = re.compile(r"(?:m-|meta[-+]|alt[-+])(.+)", re.IGNORECASE | re.DOTALL)
_SHOWN_CHARACTERS_MAX: Final = 24


class KeyNameError(ValueError):
    """That names no key; the text says what would."""


def parse_key(words: str) -> str:
    """The name that tables use for this key. Raises KeyNameError."""
    key = _fold(words)
    if key is not None and is_key(key):
        return key
    shown = repr(words[:_SHOWN_CHARACTERS_MAX]).strip("'\"")
    if key in UNSENT_CONTROLS:
        raise KeyNameError(f'"{shown}" cannot be bound: some terminals keep it for themselves.')
    if key in UNSENT_METAS:
        raise KeyNameError(
            f'"{shown}" cannot be bound: to a terminal it begins the name of another key.'
        )
    near = difflib.get_close_matches(words.lower(), _NAMES, 1, 0.5)
    hint = f'Did you mean "{_NAMES[near[0]]}"?' if near else "Keys are a, A, ^D, Alt-x, F5, PgUp."
    raise KeyNameError(f'"{shown}" is not a key. {hint}')


def _fold(words: str) -> str | None:
    if len(words) == 1:
        return "Space" if words == " " else words
    named = _NAMES.get(words.lower())
    if named is not None:
        return named
    for pattern, prefix in ((_CONTROL, "C-"), (_META, "M-")):
        match = pattern.fullmatch(words)
        if match is not None:
            rest = match[1]
            if len(rest) == 1:
                return prefix + (rest.lower() if prefix == "C-" else rest)
            return prefix + _NAMES.get(rest.lower(), rest)
    return None
