"""What a panel shows, as one value: the scene. It is drawn, printed as text and as JSON.

A scene is made beside the server (`desk`), travels to the process that shows it (`codec`), and is
looked at there (`screen`, `layout`, `text`). The names of the fields are those of the JSON, which
docs/panel.md describes.

Must never hold anything that changes, text that is not safe to draw, or a word of a message's body.
Fails never.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from store.settings import StoreStatus
from term.safe import Safe

SCHEMA: Final = "msgd.panel/1"
"""Changes whenever a field is renamed, goes, or means something else; not when one is added."""
NOBODY: Final = Safe("")


@unique
class Presence(Enum):
    """Whether a user is there."""

    ON = "on"
    SILENT = "silent"
    OFF = "off"
    DELETING = "deleting"


@unique
class Sort(Enum):
    """Orders of the table."""

    STATE = "state"
    NAME = "name"
    WAITING = "waiting"
    BYTES = "bytes"
    SEEN = "seen"
    STUCK = "stuck"
    """Only who has mail waiting, oldest mail first."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this server is."""

    version: str
    address: str
    process_id: int
    connections_max: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all users, of a moment not long ago."""

    waiting: int = 0
    waiting_bytes: int = 0
    stuck: int = 0
    """Users with messages waiting."""
    oldest_ms: int | None = None
    """When the message came that waits longest."""
    oldest_name: Safe = NOBODY


@dataclass(frozen=True, slots=True)
class Flow:
    """What went through in each of the last seconds, oldest first."""

    in_per_second: float
    out_per_second: float
    in_by_second: tuple[int, ...]
    """Messages taken."""
    sync_us_by_second: tuple[int, ...]
    """The longest sync of each second; 0 where there was none."""


@dataclass(frozen=True, slots=True)
class Meters:
    """The three lines at the top."""

    known: int
    connected: int
    silent: int
    sessions: int
    logins: int
    totals: Totals
    flow: Flow
    store: StoreStatus


@dataclass(frozen=True, slots=True)
class UserRow:
    """One line of the table. Times are of the wall clock; null shows as a dash, or as `never`."""

    name: Safe
    presence: Presence
    peer: Safe | None
    since_ms: int | None
    waiting: int
    waiting_bytes: int
    oldest_ms: int | None
    last_seen_ms: int | None


@dataclass(frozen=True, slots=True)
class Users:
    """The table: which users, in which order, and those of them that are to be seen."""

    sort: Sort
    inverted: bool
    filter: Safe
    ready: bool
    """Whether this order and filter are made already; until then the table is the one before."""
    count: int
    """How many pass the filter."""
    first: int
    """The place of `rows[0]` among them."""
    selected: int | None
    """Which of `rows` the cursor is on."""
    rows: tuple[UserRow, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event."""

    at_ms: int
    kind: str
    text: Safe


@dataclass(frozen=True, slots=True)
class LogPart:
    """The events that are to be seen, oldest first."""

    count: int
    """How many are kept."""
    first: int
    following: bool
    paused: bool
    missed: int
    """How many came since it was paused."""
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One message that waits. Its text is nobody's business here."""

    received_at_ms: int
    sender: Safe
    body_bytes: int
    audience: int
    """How many it was sent to; 0 for everybody."""
    message_id: str
    """32 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class SenderCount:
    """How many of the messages that wait are from one sender."""

    name: Safe
    count: int


@dataclass(frozen=True, slots=True)
class UserDetails:
    """All about one user, and its queue in short."""

    row: UserRow
    created_at_ms: int
    unconfirmed: int
    """Handed to the client, which has not confirmed them."""
    outcomes: int
    """News about its own messages that wait beside the mail."""
    senders: tuple[SenderCount, ...]
    """The most frequent ones among the messages that were read."""
    read: int
    """How many of the waiting messages were read for this, oldest first."""
    reading: bool
    """Whether more are being read."""
    damaged: bool
    """Whether the queue could not be read to its end."""
    first: int
    """The place of `messages[0]` among those that were read."""
    messages: tuple[QueueRow, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the last order; `number` grows by one with each answer."""

    number: int = 0
    text: Safe = NOBODY


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that there is to see."""

    schema: str
    server: Identity
    up_ms: int
    wall_ms: int
    ending: bool
    """Whether the server is about to end, as it was asked to."""
    counted: bool
    """Whether all users have been counted once, so that the totals are all there is."""
    meters: Meters
    alarms: tuple[Safe, ...]
    """What needs a human, a sentence each."""
    users: Users
    log: LogPart
    user: UserDetails | None
    answer: Answer
