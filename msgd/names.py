"""Which usernames there may be, and how they are written.

Must never look at anything but the name: whether it is taken is the exchange's affair.
Fails never; a name that cannot be is a False and a sentence.
"""

from typing import Final

from term.safe import safe_log
from wire.limits import NAME_CHARACTERS_MAX

LETTERS_AND_DIGITS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
CHARACTERS: Final = LETTERS_AND_DIGITS | frozenset("._-")

RESERVED: Final = frozenset(
    {
        "abuse",
        "admin",
        "administrator",
        "everybody",
        "everyone",
        "hostmaster",
        "moderator",
        "msgc",
        "msgd",
        "operator",
        "postmaster",
        "root",
        "security",
        "server",
        "support",
        "sysadmin",
        "system",
        "webmaster",
    }
)
"""What people take for the operator's word, or for all users (RFC 2142 has some of them). Where a
password tells people apart only the operator makes such an account."""

LOGGED_CHARACTERS_MAX: Final = 64

RULE: Final = (
    f"a name has 1 to {NAME_CHARACTERS_MAX} characters out of a-z, 0-9, '.', '_' and '-', "
    "and begins and ends with a letter or a digit"
)


def fold(name: str) -> str:
    """The name as it is kept: A-Z in lower case, all else as it is.

    Only ASCII is folded: Unicode would turn some letters that are not ours (the Kelvin sign) into
    some that are.
    """
    return name.lower() if name.isascii() else name


def logged(name: str) -> str:
    """What somebody gave for a name, as one word of a log: no other can be made up in it."""
    return safe_log(name, LOGGED_CHARACTERS_MAX).replace(" ", r"\x20") or "-"


def is_valid(name: str) -> bool:
    """Whether a folded name may be an account's."""
    return (
        0 < len(name) <= NAME_CHARACTERS_MAX
        and CHARACTERS.issuperset(name)
        and name[0] in LETTERS_AND_DIGITS
        and name[-1] in LETTERS_AND_DIGITS
    )
