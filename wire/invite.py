"""How an invite is written for people: 26 letters and digits in groups, as `msgd invite` prints it.

Base 32 with the digits and the letters but i, l, o and u, which look or sound like others (the
alphabet of Douglas Crockford). Whoever types one may use either case, spaces or no dashes, and o, i
and l for the digits that they look like.

Must never be mistaken for a check: whether an invite is good, the server knows.
Fails with InviteError, which does not repeat what was typed.
"""

from typing import Final

from wire.errors import WireError
from wire.limits import INVITE_BYTES

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
CHARACTERS: Final = 26
GROUP_ENDS: Final = (5, 10, 15, 20, 26)
_BITS_SPARE: Final = CHARACTERS * 5 - INVITE_BYTES * 8
_ALIKE: Final = str.maketrans("oil", "011", "- ")


class InviteError(WireError):
    """A text that is no invite."""


def invite_text(invite: bytes) -> str:
    """An invite as people read it."""
    assert len(invite) == INVITE_BYTES
    number = int.from_bytes(invite, "big") << _BITS_SPARE
    letters = "".join(ALPHABET[number >> 5 * at & 31] for at in reversed(range(CHARACTERS)))
    starts = (0, *GROUP_ENDS)
    return "-".join(letters[start:end] for start, end in zip(starts, GROUP_ENDS, strict=False))


def read_invite(text: str) -> bytes:
    """The 16 bytes of an invite that somebody typed. Raises InviteError."""
    letters = text.strip().lower().translate(_ALIKE)
    if len(letters) != CHARACTERS or any(letter not in ALPHABET for letter in letters):
        raise InviteError(f"an invite has {CHARACTERS} letters and digits, and maybe dashes")
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    if number & ((1 << _BITS_SPARE) - 1):
        raise InviteError("that is no invite: there is a mistake in it")
    return (number >> _BITS_SPARE).to_bytes(INVITE_BYTES, "big")
