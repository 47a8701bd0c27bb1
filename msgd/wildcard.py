"""Shell wildcards over usernames, in time that no pattern can blow up.

`*` is any run of characters, `?` any one, `[abc]`, `[a-z]`, `[!abc]` one out of a set (or not out
of it). A `]` that comes first in a set belongs to it; a `[` without its `]` stands for itself;
there is no escape character, as no name needs one.

The pattern is run as a nondeterministic automaton whose states are the bits of one integer (the
shift-and method: Baeza-Yates and Gonnet, "A new approach to text searching", 1992): one shift and
two masks for each character of the name, whatever the pattern.

Must never use a regular expression or recursion on what a peer sent. Fails never: every text is a
pattern, though many match nothing.
"""

from collections.abc import Iterator
from typing import Final

from msgd.names import CHARACTERS, fold
from wire.limits import NAME_CHARACTERS_MAX

NEGATIONS: Final = ("!", "^")


class Wildcard:
    """A pattern, ready to be tried on valid names."""

    __slots__ = ("_accepts", "_final", "_loops", "is_prefix", "prefix")

    def __init__(self, pattern: str) -> None:
        self.prefix = ""
        """What every name that matches begins with."""
        accepts = dict.fromkeys(CHARACTERS, 0)
        bit = 1
        loops = 0
        tokens = 0
        literal = True
        for wanted in _tokens(fold(pattern)):
            if wanted is None:
                loops |= bit
                literal = False
                continue
            tokens += 1
            if tokens > NAME_CHARACTERS_MAX:
                break
            literal = literal and len(wanted) == 1
            if literal:
                self.prefix += next(iter(wanted))
            for character in wanted:
                accepts[character] |= bit
            bit <<= 1
        # State i: the first i tokens are matched. `_accepts[c]` has the states that c leads on
        # from, `_loops` those in which a star swallows it.
        self._accepts = accepts
        self._loops = loops
        self._final = bit if tokens <= NAME_CHARACTERS_MAX else 0
        self.is_prefix = bool(self._final) and loops == bit and len(self.prefix) == tokens
        """Whether every name with this prefix matches: nothing but the prefix need be looked at."""

    def matches(self, name: str) -> bool:
        """Whether a name, valid and folded, matches as a whole."""
        accepts = self._accepts
        loops = self._loops
        states = 1
        for character in name:
            states = (states & accepts[character]) << 1 | states & loops
            if not states:
                return False
        return states & self._final != 0


def _tokens(pattern: str) -> Iterator[frozenset[str] | None]:
    """None for a star; for anything else the characters of names that it stands for."""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            yield None
        elif character == "?":
            yield CHARACTERS
        elif character == "[" and (end := _end_of_set(pattern, position)) is not None:
            yield _set(pattern[position:end])
            position = end + 1
        else:
            yield CHARACTERS & {character}


def _end_of_set(pattern: str, start: int) -> int | None:
    """Where the `]` is that closes the set whose inside begins at `start`."""
    first = start + 1 if pattern.startswith(NEGATIONS, start) else start
    end = pattern.find("]", first + 1)
    return None if end < 0 else end


def _set(inside: str) -> frozenset[str]:
    negated = inside.startswith(NEGATIONS)
    members = inside[1:] if negated else inside
    found: set[str] = set()
    position = 0
    while position < len(members):
        if position + 2 < len(members) and members[position + 1] == "-":
            low, high = members[position], members[position + 2]
            found.update(character for character in CHARACTERS if low <= character <= high)
            position += 3
        else:
            found.add(members[position])
            position += 1
    return CHARACTERS - found if negated else CHARACTERS & found
