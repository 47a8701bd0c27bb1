"""What every screen is, what a key can come to, and the keys that all screens share.

Must never know a particular screen. Fails at import when two keys of one table collide.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING, ClassVar, Final

from msgc.outside_editor import Edited
from msgc.view import Room, View
from msgc.view_picture import picture_of
from term.keys import Binding, KeyEvent, KeyTable
from term.picture import Picture

if TYPE_CHECKING:  # there is no news at the first prompt
    from msgc.view_news import News

Size = tuple[int, int]
"""Rows and columns."""


@unique
class Done(Enum):
    """What a key came to."""

    HANDLED = "handled"
    IGNORED = "ignored: a key of the app, or of nobody"
    LEAVE = "one level up"


@dataclass(frozen=True, slots=True)
class Open:
    """Put this screen on top; with `instead`, in the place of the one that answers so."""

    screen: "Screen"
    instead: bool = False


@dataclass(frozen=True, slots=True)
class LeaveTo:
    """Up to the nearest screen of this name (a message is sent: back to where it began)."""

    name: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Give the terminal to the person's own editor with this text; `then` is told what came."""

    text: str
    then: Callable[[Edited], None]


Outcome = Done | Open | LeaveTo | Edit


class Screen(ABC):
    """One screen. It holds its own state and asks the desk for the rest."""

    is_step: ClassVar[bool] = False
    """Whether it only leads to another: when that one is done with, this one is, too."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The title of its help and of its part of docs/keys.md."""

    @property
    @abstractmethod
    def keys(self) -> KeyTable:
        """What its keys do at this moment."""

    @abstractmethod
    def handle(self, key: KeyEvent) -> Outcome:
        """A key, or a paste."""

    @abstractmethod
    def view(self, room: Room) -> View:
        """The whole screen as a value. Only scroll positions may change by it."""

    def picture(self, size: Size) -> Picture:
        """The curses face of it, for a window of this size."""
        return picture_of(self.view(Room.of(size)), size)

    def select(self, place: int) -> bool:  # noqa: ARG002 - most have no rows
        """Put the cursor on this row of the table, counted from 0. False: there is none such."""
        return False

    def show(self) -> None:
        """It is on top now: opened, or uncovered. The time to ask for what may have changed."""
        return

    def hear(self, news: "News") -> "Outcome | None":  # noqa: ARG002 - most read it from the desk
        """Something came from the server. What it comes to counts only for the screen on top."""
        return None

    def keep(self) -> None:
        """Put what is only here where it survives: called now and then, and before the end."""
        return


# Where letters are text, only keys that are no letters may be commands.
TYPING_KEYS: Final = KeyTable(
    [
        Binding(("F1", "C-g"), "help", "Show the keys of this screen", "help"),
        Binding(("C-l",), "redraw", "Draw the screen anew"),
        Binding(("C-r",), "connect", "Connect again at once, when the connection is gone"),
        Binding(("C-z",), "suspend", "Stop msgc; the shell's fg continues it"),
        Binding(("C-c", "F10"), "quit", "Disconnect and quit"),
    ]
)

COMMON_KEYS: Final = KeyTable(
    [
        Binding(("?",), "help", "Show the keys of this screen", "help"),
        Binding(("q", "Esc"), "leave", "Go one level up", "back"),
        Binding(("M",), "notices", "See what was said in the message line before"),
    ],
    inherits=TYPING_KEYS,
)

LIST_BINDINGS: Final = (
    Binding(("Down", "j"), "down", "Move down"),
    Binding(("Up", "k"), "up", "Move up"),
    Binding(("PageDown",), "page_down", "Move down by a page"),
    Binding(("PageUp",), "page_up", "Move up by a page"),
    Binding(("C-d",), "half_page_down", "Move down by half a page"),
    Binding(("C-u",), "half_page_up", "Move up by half a page"),
    Binding(("Home", "g"), "first", "Go to the first one"),
    Binding(("End", "G"), "last", "Go to the last one"),
)
LIST_KEYS: Final = KeyTable(LIST_BINDINGS, inherits=COMMON_KEYS)
