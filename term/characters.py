"""The judgment of single characters: how each is shown, and how many columns it takes.

An allow-list: a character is shown as it is only if it is a letter, a mark, a number, punctuation,
a symbol or the space of the Unicode version that Python bundles, is not default-ignorable, and has
a width (`wcwidth`; ambiguous counts as one). Everything else becomes visible words or is removed.

Must never look at more than one character: runs and lines are `safe`'s work. Never fails, also not
for surrogates and NUL.

Sources: UAX #9 (direction controls), UAX #44 (general category), DerivedCoreProperties
(Default_Ignorable_Code_Point), ECMA-48 (C0 and C1), CVE-2021-42574.
"""

import re
import unicodedata
from typing import Final

from term.limits import CACHED_CHARACTERS_MAX

REPLACEMENT: Final = "\ufffd"
NEWLINE_SIGN: Final = "\u2424"
MARK_HOLDER: Final = "\u25cc"

DIRECTION_NAMES: Final = {
    "\u202a": "<LRE>",
    "\u202b": "<RLE>",
    "\u202c": "<PDF>",
    "\u202d": "<LRO>",
    "\u202e": "<RLO>",
    "\u2066": "<LRI>",
    "\u2067": "<RLI>",
    "\u2068": "<FSI>",
    "\u2069": "<PDI>",
}

# Removed and counted: default-ignorable characters, direction marks, enclosing marks. The last
# cannot be drawn in cells at all, the others are drawn as nothing and serve to hide.
_HIDDEN_CLASS: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065"
    "\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u0488\u0489\u1abe\u20dd-\u20e0\u20e2-\u20e4\ua670-\ua672"
)
_DIRECTIONAL_CLASS: Final = "\u202a-\u202e\u2066-\u2069"
_CONTROL_CLASS: Final = "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"
HIDDEN: Final = re.compile(f"[{_HIDDEN_CLASS}]")
DIRECTIONAL: Final = re.compile(f"[{_DIRECTIONAL_CLASS}]")
CONTROL: Final = re.compile(f"[{_CONTROL_CLASS}]")
ASCII_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f]")
LINE_END: Final = re.compile("\r\n|[\u2028\u2029]")
# One look that tells whether any of the above has something to do.
UNUSUAL: Final = re.compile(f"[{_HIDDEN_CLASS}{_DIRECTIONAL_CLASS}{_CONTROL_CLASS}\u2028\u2029]")

_BRAILLE_BLANK: Final = "\u2800"
_WIDE_BLANK: Final = "\u3000"
_SHOWN_CATEGORIES: Final = frozenset("LMNPS")


def shown(character: str) -> str:
    """How one character of foreign text looks in one line: itself, words, a blank or nothing."""
    if " " <= character <= "~":
        return character
    if character == "\n" or character in "\u2028\u2029":
        return NEWLINE_SIGN
    if character == "\t":
        return " "
    code = ord(character)
    if code < 0x20:
        return "^" + chr(code + 0x40)
    if code == 0x7F:
        return "^?"
    if code < 0xA0:
        return f"<{code:02X}>"
    if character in DIRECTION_NAMES:
        return DIRECTION_NAMES[character]
    if HIDDEN.match(character):
        return ""
    return _shown_by_category(character)


def escaped(character: str) -> str:
    """How one character looks in a log: itself if it is shown as itself, else an escape."""
    if character == "\n":
        return "\\n"
    if character == "\t":
        return "\\t"
    if shown(character) == character:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(character: str) -> int:
    """Columns of one character that is shown as itself: 0, 1 or 2."""
    return 1 if " " <= character <= "~" else max(0, _measure(character))


def is_mark(character: str) -> bool:
    """Whether this character is drawn in the cell of the one before it, or not at all."""
    if unicodedata.category(character)[0] == "M":
        return True
    return width(character) == 0 and shown(character) in {character, ""}


def is_right_to_left(character: str) -> bool:
    """Whether this character makes a terminal draw from the right (UAX #9: R, AL, AN)."""
    return unicodedata.bidirectional(character) in {"R", "AL", "AN"}


def _shown_by_category(character: str) -> str:
    if character == _WIDE_BLANK:
        return "  "
    category = unicodedata.category(character)
    if category == "Zs" or character == _BRAILLE_BLANK:
        return " "
    if category == "Cf":
        return f"<U+{ord(character):04X}>"
    if category[0] in _SHOWN_CATEGORIES and _measure(character) >= 0:
        return character
    return REPLACEMENT


def _measure(character: str) -> int:
    """As `wcwidth` says: -1 for what has no width."""
    # Late: its tables take longer to load than a screen of plain ASCII to draw.
    from wcwidth import wcwidth

    return wcwidth(character)


class _Table(dict[int, str]):
    """A `str.translate` table that learns; bounded, because strangers choose the characters."""

    def _keep(self, code: int, text: str) -> str:
        if len(self) < CACHED_CHARACTERS_MAX:
            self[code] = text
        return text


class _ShownTable(_Table):
    def __missing__(self, code: int) -> str:
        return self._keep(code, shown(chr(code)))


class _EscapedTable(_Table):
    def __missing__(self, code: int) -> str:
        return self._keep(code, escaped(chr(code)))


class _WidthTable(dict[str, int]):
    def __missing__(self, character: str) -> int:
        columns = width(character)
        if len(self) < CACHED_CHARACTERS_MAX:
            self[character] = columns
        return columns


class _MarkTable(dict[str, bool]):
    def __missing__(self, character: str) -> bool:
        mark = is_mark(character)
        if len(self) < CACHED_CHARACTERS_MAX:
            self[character] = mark
        return mark


# The same judgments, remembered.
SHOWN: Final = _ShownTable()
ESCAPED: Final = _EscapedTable()
WIDTHS: Final = _WidthTable()
MARKS: Final = _MarkTable()
