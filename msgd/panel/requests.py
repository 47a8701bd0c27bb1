"""What a panel may ask of the server: how its scene is to be, and the few orders that act.

Must never carry more than the server could do in a moment. Fails never; what makes no sense is
refused where it is read (`codec`) or answered with words (`desk`).
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from msgd.panel.values import Sort

VERSION: Final = 1
ROWS_MAX: Final = 200
"""Rows of one part of one scene: what one turn of the server's loop can make in a few ms."""
FILTER_BYTES_MAX: Final = 64
ANNOUNCEMENT_BYTES_MAX: Final = 512


@unique
class Part(Enum):
    """What a Move moves in."""

    USERS = "users"
    LOG = "log"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Hello:
    """The first of all: which version is spoken, and whether acting is given up from the start."""

    version: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class Look:
    """How much of what is to be seen. Scenes come once this was said."""

    users: int
    log: int
    queue: int
    tail: bool
    """The latest events, wherever the log was scrolled to."""
    start: int | None = None
    """For programs: users from this place on, wherever the cursor is."""


@dataclass(frozen=True, slots=True)
class Arrange:
    """Order and filter of the table."""

    sort: Sort
    inverted: bool
    filter: str


@dataclass(frozen=True, slots=True)
class Move:
    """One of the words that lists obey: up, down, page_up, page_down, first, last…"""

    part: Part
    command: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold the log still, or let it go on."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Follow:
    """Let the log go on, at its end."""


@dataclass(frozen=True, slots=True)
class Inspect:
    """Tell all about this user from now on; about nobody, if null."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Kick:
    """Disconnect a user."""

    name: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell everybody who is connected."""

    text: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the server. Only the panel that was started with it may ask; twice: do not wait."""

    confirmed: bool
    """Whether the person knows that users are connected."""


Request = Hello | Look | Arrange | Move | Hold | Follow | Inspect | Kick | Announce | Stop
ACTING: Final = (Kick, Announce, Stop)
"""What a panel that only reads may not ask."""
