"""What the link tells about servers that are not believed, passwords, and who is blocked.

The rest of what it tells is in `msgc.values`, which names all of it. Must never hold a password.
Fails never.
"""

from dataclasses import dataclass

from msgc.net import Doubt


@dataclass(frozen=True, slots=True)
class Distrusted:
    """The server is not believed to be the right one; nothing was said to it, the link has stopped.

    `pin` is that of its key where it was looked at, `expected` the one that it should have had.
    """

    doubt: Doubt
    pin: str
    expected: str
    reason: str


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """The server wants a password that is not here, or another one; the link has stopped.

    `code` says what was wrong: None for nothing yet, WRONG_PASSWORD, words.CODE_PASSWORD_CHANGED,
    BUSY for too many wrong ones of late, of which `text` tells in the server's words.
    `registration` is a wire.codes.Registration, where the server says it.
    """

    name: str
    registration: int | None
    code: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ProvingPassword:
    """Keys are about to be made of the password: nothing else happens for a moment."""

    iterations: int


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The server has the new one on its disk."""

    request: int


@dataclass(frozen=True, slots=True)
class PasswordRefused:
    """It is not changed."""

    request: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Whose messages are not taken now; `name` is the first that the request was about."""

    request: int
    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockRefused:
    """Nothing is changed."""

    request: int
    name: str
    code: int
    text: str
