"""What can be a password, and what is good enough for a new one (RFC 8265). Both ends.

Apart from `wire.scram`, so that who only asks for a password need not load what proves one.

Must never keep a password, nor put a part of it into the text of an error.
Fails with `PasswordError`.
"""

import unicodedata
from typing import Final

from wire.errors import WireError

PASSWORD_CHARACTERS_MIN: Final = 15
"""For whoever chooses a new one; an old one is taken as it is."""
PASSWORD_BYTES_MAX: Final = 1_024


class PasswordError(WireError):
    """A password that cannot be one; the text says why."""


def prepare_password(text: str) -> bytes:
    """OpaqueString of RFC 8265: spaces to U+0020, then NFC, in UTF-8. Raises PasswordError.

    Everything of the Unicode categories C (controls, format characters, surrogates, private use,
    not assigned) is refused: the same key must give the same bytes on every machine.
    """
    mapped = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    mapped = unicodedata.normalize("NFC", mapped)
    if not mapped:
        raise PasswordError("a password cannot be empty")
    if any(unicodedata.category(c).startswith("C") for c in mapped):
        raise PasswordError("a password has no control characters, nor others that are not seen")
    data = mapped.encode("utf-8")
    if len(data) > PASSWORD_BYTES_MAX:
        raise PasswordError(f"a password has at most {PASSWORD_BYTES_MAX} bytes")
    return data


def check_new_password(text: str) -> None:
    """Whether it is good enough for a new one: by its length, as nothing else helps much."""
    characters = len(prepare_password(text).decode("utf-8"))
    if characters < PASSWORD_CHARACTERS_MIN:
        raise PasswordError(
            f"{characters} characters are too few: {PASSWORD_CHARACTERS_MIN} at least; "
            "a few words that nobody would guess together are easy to keep"
        )
