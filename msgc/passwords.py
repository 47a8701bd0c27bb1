"""Where a password comes from when nobody is asked for it, and new ones that nobody has to invent.

    --password-file FILE       the first line of a file that only its owner may read
    --password-command CMD     the first line that a program prints; no shell runs it
    --password-keyring         the keyring of the desktop: service "msgc SERVER", the username

Never an argument, and never the environment: other programs can read both.

Must never keep what it has read, but for what was read ahead, until it is asked for.
Fails with PasswordSourceError, a sentence without the password.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from msgc import limits
from wire import invite as invites

_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without i, l, o and u, which are taken for others."""
_GROUPS: Final = 5
_GROUP_CHARACTERS: Final = 4


class PasswordSourceError(Exception):
    """No password came from where it was to come from."""


class InviteError(Exception):
    """That is no invite code; the text says what is one."""


@dataclass(frozen=True, slots=True)
class PasswordChoice:
    """Where from; one of them at most. Empty and False where nothing was said."""

    file: str = ""
    command: str = ""
    keyring: bool = False


class SecretReaders(Protocol):
    """What the machine can do for it; see `msgc.os_secrets.OsSecrets`."""

    def of_file(self, path: str, bytes_max: int) -> str:
        """The text of a file that only its owner may read. PasswordSourceError."""

    def of_command(
        self, command: str, bytes_max: int, timeout_ms: int, *, may_ask: bool = True
    ) -> str:
        """What a program prints; `may_ask`: it has our terminal. PasswordSourceError."""

    def of_keyring(self, service: str, name: str) -> str | None:
        """What the keyring holds. PasswordSourceError."""


class PasswordSource:
    """See the module's text. `server` is the server's name."""

    def __init__(self, choice: PasswordChoice, readers: SecretReaders, server: str) -> None:
        self._choice = choice
        self.readers = readers
        self._server = server
        self._ahead: str | PasswordSourceError | None = None

    @property
    def is_chosen(self) -> bool:
        """Whether there is any; else a person has to be asked."""
        return self._choice != PasswordChoice()

    @property
    def waiting(self) -> str:
        """What to say before `read`, which may take long; empty if it does not."""
        if self._ahead is not None or self._choice.file:
            return ""
        if self._choice.command:
            seconds = limits.PASSWORD_COMMAND_TIMEOUT_MS // 1_000
            return f"Waiting for the password command, {seconds} seconds at most ..."
        return "Waiting for the keyring ..."

    @property
    def is_program(self) -> bool:
        """Whether it may ask the person something at the terminal."""
        return bool(self._choice.command)

    def read_ahead(self) -> None:
        """Run the program now, while it can have the terminal; the next `read` gives what came."""
        try:
            self._ahead = self.read("")
        except PasswordSourceError as error:
            self._ahead = error

    def read(self, name: str, *, may_ask: bool = True) -> str:
        """The password of this user. `may_ask`: a program has the terminal, to ask for something.

        Raises PasswordSourceError.
        """
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, PasswordSourceError):
            raise ahead
        if ahead is not None:
            return ahead
        choice = self._choice
        if choice.file:
            return _first_line(self.readers.of_file(choice.file, limits.SECRET_BYTES_MAX))
        if choice.command:
            timeout_ms = limits.PASSWORD_COMMAND_TIMEOUT_MS
            text = self.readers.of_command(
                choice.command, limits.SECRET_BYTES_MAX, timeout_ms, may_ask=may_ask
            )
            return _first_line(text)
        service = f"msgc {self._server}"
        found = self.readers.of_keyring(service, name)
        if not found:
            raise PasswordSourceError(
                f'The keyring has no password of {name} for "{service}". '
                f'Put it there: keyring set "{service}" {name}'
            )
        return found


def _first_line(text: str) -> str:
    line = text.split("\n", 1)[0].removesuffix("\r")
    if not line:
        raise PasswordSourceError("Its first line is empty: there is no password in it.")
    return line


def generate_password(random_bytes: Callable[[int], bytes]) -> str:
    """A new password of 100 random bits: five groups of four letters and digits (base32)."""
    number = int.from_bytes(random_bytes(13), "big")
    count = _GROUPS * _GROUP_CHARACTERS
    letters = "".join(_LETTERS[(number >> (5 * at)) & 31] for at in range(count))
    return "-".join(letters[at : at + _GROUP_CHARACTERS] for at in range(0, len(letters), 4))


def read_invite(text: str | None) -> bytes | None:
    """The bytes of a code as people pass it on. Raises InviteError."""
    if text is None:
        return None
    try:
        return invites.read_invite(text)
    except invites.InviteError as error:
        raise InviteError(str(error)) from None
