"""Fields for passwords: what is typed is kept, and nobody sees more than how much it is.

A `SecretForm` asks for one secret after another (and for an invite code, which is none) and gives
all of them at the end. Must never put a secret into a view, nor into what was cut or undone: its
fields know no more than adding and taking off at the end. Never fails.
"""

from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final

from msgc.screens.screen import TYPING_KEYS
from msgc.view import Field
from term.keys import Binding, KeyEvent, KeyTable, Paste
from term.safe import Safe, safe_line
from wire.password import PASSWORD_BYTES_MAX, PasswordError, check_new_password

_SHOWN_COLUMNS_MAX: Final = 24
_DOT: Final = "*"


@unique
class Asks(Enum):
    """What a field of the form is for."""

    PASSWORD = "Password:"  # noqa: S105  these are words
    OLD = "Old password:"
    INVITE = "Invite code:"
    NEW = "New password:"
    AGAIN = "The same once more:"


@unique
class Went(Enum):
    """What a key came to."""

    ON = "goes on"
    DONE = "all is there"
    LEFT = "left"
    REGISTER = "a new account is wanted"
    IGNORED = "ignored"


FORM_KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "accept", "Take what is written", "go on"),
        Binding(("Esc",), "cancel", "Leave it", "back"),
        Binding(("C-p", "F3"), "generate", "Where a new one is asked for: make it", "make one"),
        Binding(("C-c", "F10"), "quit", "Disconnect and quit", "quit"),
    ],
    inherits=TYPING_KEYS,
)
LOGIN_KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "accept", "Connect with this password", "connect"),
        Binding(("Esc",), "cancel", "Give another name", "other name"),
        Binding(("C-n", "F2"), "register", "Make a new account of this name", "new account"),
        Binding(("C-c", "F10"), "quit", "Quit", "quit"),
    ],
    inherits=TYPING_KEYS,
)


@dataclass(slots=True)
class SecretField:
    """One line of text that can be added to and taken off at its end."""

    text: str = field(default="", repr=False)

    def handle(self, key: KeyEvent) -> bool:
        """A key or a paste; whether it was for the field."""
        if isinstance(key, Paste):
            self._add(key.text.split("\n", 1)[0])
        elif key == "Backspace":
            self.text = self.text[:-1]
        elif key == "C-u":
            self.text = ""
        elif key == "Space" or len(key) == 1:
            self._add(" " if key == "Space" else key)
        else:
            return key == "End"
        return True

    def _add(self, text: str) -> None:
        if len((self.text + text).encode("utf-8", "replace")) <= PASSWORD_BYTES_MAX:
            self.text += text


class SecretForm:
    """See the module's text. `asks` are the fields, one after another."""

    def __init__(self, *asks: Asks) -> None:
        self.answers: dict[Asks, str] = {}
        self.problem = Safe("")
        """What was wrong with the last answer."""
        self.made = Safe("")
        """A password that was made here: shown until the form is done with."""
        self._asks = asks
        self._field = SecretField()

    @property
    def asks(self) -> Asks:
        """What is being asked for."""
        return self._asks[min(len(self.answers), len(self._asks) - 1)]

    @property
    def keys(self) -> KeyTable:
        """Those that count now."""
        return LOGIN_KEYS if self._asks == (Asks.PASSWORD,) else FORM_KEYS

    def field(self) -> Field:
        """To be shown. Of a secret there are dots, at most as many as fit everywhere."""
        is_secret = self.asks is not Asks.INVITE
        text = "" if is_secret else self._field.text
        shown = (
            safe_line(text) if text else Safe(_DOT * min(len(self._field.text), _SHOWN_COLUMNS_MAX))
        )
        return Field(Safe(self.asks.value), (shown,), (0, len(shown)), text, is_secret=is_secret)

    def handle(self, key: KeyEvent) -> Went:
        """A key or a paste."""
        command = self.keys.command(key)
        if command == "accept":
            return self._accept(self._field.text)
        if command == "cancel":
            return Went.LEFT
        if command == "register":
            return Went.REGISTER
        if command == "generate":
            return Went.ON
        if command is not None:
            return Went.IGNORED
        return Went.ON if self._field.handle(key) else Went.IGNORED

    def take_made(self, password: str) -> None:
        """A password that was made for the person, who has to see it and say that it is kept."""
        if self.asks in (Asks.NEW, Asks.AGAIN):
            self.answers[Asks.NEW] = password
            self.made = Safe(password)
            self.problem = Safe("")
            self._field = SecretField(password)

    def _accept(self, text: str) -> Went:
        asks = self.asks
        self.problem = self._judge(asks, text)
        self._field = SecretField()
        if self.problem:
            if asks is Asks.AGAIN:
                del self.answers[Asks.NEW]
            return Went.ON
        self.answers[asks] = text
        return Went.DONE if len(self.answers) == len(self._asks) else Went.ON

    def _judge(self, asks: Asks, text: str) -> Safe:
        """What is wrong with this answer, or nothing."""
        if asks is Asks.AGAIN and text != self.answers[Asks.NEW]:
            return Safe("These were two different ones.")
        if not text:
            return Safe("Type it, then Enter.")
        if asks is Asks.NEW:
            try:
                check_new_password(text)
            except PasswordError as error:
                return Safe(f"Not this one: {error}.")
        return Safe("")
