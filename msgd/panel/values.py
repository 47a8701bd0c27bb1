"""What the panel shows, as values: made by `model` and `users`, drawn by `layout`.

Must never hold anything that changes, nor text that is not safe to draw.
Fails never.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from store.settings import StoreStatus
from term.picture import Line
from term.safe import Safe

NOBODY: Final = Safe("")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this server is."""

    version: str
    address: str
    process_id: int
    started_ms: int
    """By the monotonic clock."""
    connections_max: int


@unique
class Presence(Enum):
    """Whether a user is there; the value is the word in the table."""

    ON = "* ON"
    SILENT = "? ON"
    OFF = "  off"
    DELETING = "  del"


@dataclass(frozen=True, slots=True)
class UserRow:
    """One line of the table. Times are of the wall clock; None shows as a dash, or as `never`."""

    name: Safe
    presence: Presence
    peer: Safe | None
    since_ms: int | None
    waiting: int
    waiting_bytes: int
    oldest_ms: int | None
    last_seen_ms: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all users, of a moment not long ago."""

    waiting: int = 0
    waiting_bytes: int = 0
    most_waiting: int = 0
    most_waiting_name: Safe = NOBODY


@dataclass(frozen=True, slots=True)
class Meters:
    """The three lines at the top."""

    known: int
    connected: int
    silent: int
    sessions: int
    sessions_max: int
    logins: int
    totals: Totals
    in_per_second: float
    out_per_second: float
    in_by_second: tuple[int, ...]
    """Messages taken in each of the last seconds, oldest first."""
    store: StoreStatus


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event."""

    at_ms: int
    kind: str
    text: Safe


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the main screen."""

    identity: Identity
    up_ms: int
    wall_ms: int
    meters: Meters
    rows: tuple[UserRow, ...]
    """Only those that are to be seen."""
    selected: int | None
    """Which of `rows`."""
    position: Safe
    """`[1-8 of 12]`."""
    sort: Safe
    filter: Safe
    log: tuple[LogLine, ...]
    log_state: Safe
    details: tuple[Safe, ...]
    """About one user, in place of the latest events; empty when nobody asked."""
    message: Line
    prompt_cursor: int | None
    """The column of the cursor in `message` while something is being typed."""
    keys: Line
    ascii_only: bool
