"""What the client knows, as values: messages, their fates, drafts, and the events of the link.

The archive gives them out, the link reports with them, the screens and the commands show them.
Times are milliseconds since 1970 UTC (`_ms`), by the server's clock where the server said them.

Must never do anything: no I/O, no rule beyond counting what a value holds.
Fails never.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, unique
from typing import TypeAlias

from msgc.values_login import (
    Blocked,
    BlockRefused,
    Distrusted,
    PasswordChanged,
    PasswordRefused,
    PasswordWanted,
    ProvingPassword,
)

# ----- what the archive keeps -----------------------------------------------------------------


@unique
class SendState(IntEnum):
    """Where a message of one's own stands. Numbers are on the disk."""

    UNSENT = 1
    """Kept here; the server has not answered yet. It goes, or goes again, by itself."""
    PENDING = 2
    """Accepted: it is on the server's disk, in the queues of its recipients."""
    FAILED = 3
    """Refused, or given up for the reason in `code` and `text`. It does not go by itself."""


@unique
class FateState(IntEnum):
    """What became of a message at one recipient. Numbers are on the disk."""

    WAITING = 1
    DELIVERED = 2
    RECIPIENT_DELETED = 3
    UNKNOWN = 4
    """The sender's account was deleted before the answer came, so none will come."""
    RECALLED = 5
    """Taken back before any client of this recipient had it."""
    HANDED_OUT = 6
    """It was to be taken back, and a client has it or may have it: an answer is still to come."""


@dataclass(frozen=True, slots=True)
class Fate:
    """One recipient of a message of one's own."""

    recipient: str
    state: FateState
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """The wish to take a message back, and what the server answered.

    `is_open`: it is asked, and asked again, by itself. `code` says why it was not done; `rest` that
    a message to everyone was taken back from all but those whose fate is known.
    """

    is_open: bool
    asked_at_ms: int
    answered_at_ms: int | None = None
    code: int | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of one's own, from the outbox. `message_id` (16 bytes) is its identity.

    For a message to everyone `recipients` is empty and `fates` grows as answers come.
    """

    message_id: bytes
    recipients: tuple[str, ...]
    everyone: bool
    body: str
    composed_at_ms: int
    state: SendState
    attempts: int = 0
    code: int | None = None
    text: str | None = None
    refused_recipients: tuple[str, ...] = ()
    accepted_count: int | None = None
    accepted_at_ms: int | None = None
    fates: tuple[Fate, ...] = ()
    recall: Recall | None = None
    retry_at_ms: int | None = None
    """UNSENT because the server could not take it for now: when it goes again. Why is in `code`."""

    @property
    def total(self) -> int:
        """How many recipients it has, as far as is known here."""
        named = len(self.recipients) or len(self.fates)
        return max(self.accepted_count or 0, named)

    @property
    def delivered(self) -> int:
        """How many recipients hold it."""
        return sum(fate.state is FateState.DELIVERED for fate in self.fates)

    @property
    def lost(self) -> int:
        """How many will never have it, or will never tell."""
        ends = (FateState.RECIPIENT_DELETED, FateState.UNKNOWN)
        return sum(fate.state in ends for fate in self.fates)

    @property
    def recalled(self) -> int:
        """From how many it was taken back."""
        if self.recall is not None and self.recall.rest:
            pending = (FateState.WAITING, FateState.HANDED_OUT)
            handed_out = sum(fate.state in pending for fate in self.fates)
            return max(0, self.total - self.delivered - self.lost - handed_out)
        return sum(fate.state is FateState.RECALLED for fate in self.fates)

    @property
    def waiting(self) -> int:
        """How many copies are in the server's queues. 0 unless it was accepted."""
        if self.state is not SendState.PENDING:
            return 0
        return max(0, self.total - self.delivered - self.lost - self.recalled)

    @property
    def can_recall(self) -> bool:
        """Whether there may be somebody to take it back from."""
        if self.state is SendState.PENDING:
            return self.waiting > 0 or (self.everyone and self.accepted_count is None)
        return self.state is SendState.UNSENT

    @property
    def number(self) -> int:
        """A short number for people: what this installation has counted it as."""
        return int.from_bytes(self.message_id[8:], "big")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came from the server, not yet in the archive."""

    server_id: bytes
    delivery: int
    message_id: bytes
    sender: str
    received_at_ms: int
    audience: int
    audience_count: int
    body: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message from somebody, from the archive. `number` is its identity, in order of arrival.

    `audience` is a `wire.codes.Audience` (or a later server's number), `received_at_ms` the time
    when the server received it, `stored_at_ms` when it came to this archive.
    """

    number: int
    sender: str
    received_at_ms: int
    audience: int
    audience_count: int
    body: str
    unread: bool
    stored_at_ms: int
    delivery: int
    message_id: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A text begun. `purpose` is whatever the screens key it by, one draft each."""

    purpose: str
    recipients: tuple[str, ...]
    everyone: bool
    body: str
    saved_at_ms: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history: exactly one of the two is there."""

    at_ms: int
    received: Received | None
    sent: Sent | None


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """Messages of one's own, counted. `waiting` have at least one copy not yet delivered; of those
    that nobody waits for any more `delivered` have reached somebody.
    """

    unsent: int
    waiting: int
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """Messages from others, counted."""

    unread: int
    kept: int


# ----- the link -------------------------------------------------------------------------------


@unique
class LinkState(Enum):
    """Where the link to the server stands."""

    OFFLINE = "offline"
    """No connection; there will be one by itself, at `Link.retry_at_ms`."""
    CONNECTING = "connecting"
    GREETING = "greeting"
    READY = "ready"
    """Greeted, and not logging in: for making accounts only."""
    LOGGING_IN = "logging in"
    ONLINE = "online"
    LEAVING = "leaving"
    STOPPED = "stopped"
    """No connection, and none by itself: `log_in` starts again."""


@dataclass(frozen=True, slots=True)
class Connecting:
    """The link begins to connect; `attempt` counts from 1 since it was last online."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has greeted. Its name for itself and its limits.

    `password`: a login needs one. `registration` is a wire.codes.Registration, where it is said.
    """

    agent: str
    body_bytes_max: int
    recipients_max: int
    password: bool = False
    registration: int | None = None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """You are `name`. Comes again after each reconnection, with `again` set.

    `proven`: by a password, and the server has proven in turn that it knows the account.
    """

    name: str
    created: bool
    waiting: int
    outcomes: int
    last_seen_ms: int | None
    again: bool
    proven: bool = False


@dataclass(frozen=True, slots=True)
class NameRefused:
    """The login was refused; the link has stopped. See `words.refusal`."""

    name: str
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone. All requests that were not answered are void.

    `retry_at_ms` is on the link's clock; None when it does not try again by itself.
    """

    reason: str
    retry_at_ms: int | None


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The goodbye is said, or could not be; the link has stopped."""

    confirmed: bool


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A message, now in the archive and unread. `check` is the request that asked for it."""

    received: Received
    check: int | None


@dataclass(frozen=True, slots=True)
class OutcomeArrived:
    """What became of a message of one's own at one recipient; it is in the archive."""

    message_id: bytes
    recipient: str
    state: FateState
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class SendAnswered:
    """A message of one's own has left UNSENT. The archive holds the details."""

    message_id: bytes
    state: SendState
    code: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class SendPostponed:
    """The server cannot take a message for now: it is kept, and goes again by itself.

    `retry_at_ms` is by the wall clock.
    """

    message_id: bytes
    code: int
    text: str
    retry_at_ms: int


@dataclass(frozen=True, slots=True)
class RecallAnswered:
    """The server has answered a recall; the archive holds what. `code`: why it was not done."""

    message_id: bytes
    code: int | None


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One user of the list. `presence` is a `wire.codes.Presence`.

    With `queue_full` the server would refuse a message to this user now. `created_at_ms` is since
    when there is this account; None from a server that does not tell.
    """

    name: str
    presence: int
    last_seen_ms: int | None
    created_at_ms: int | None = None
    queue_full: bool = False


@dataclass(frozen=True, slots=True)
class Accounts:
    """One page of users. The link asks for the next by itself; `complete` marks the last."""

    request: int
    entries: tuple[AccountLine, ...]
    accounts_total: int
    accounts_connected: int
    complete: bool


@dataclass(frozen=True, slots=True)
class CheckDone:
    """The server has sent what it had: `delivered` messages, and `remaining` still wait."""

    request: int
    delivered: int
    remaining: int
    outcomes_only: bool


@dataclass(frozen=True, slots=True)
class Created:
    """The account is made."""

    request: int
    name: str


@dataclass(frozen=True, slots=True)
class CreateRefused:
    """It is not."""

    request: int
    name: str
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """One's own account is gone; the link has stopped.

    `discarded` is None when the answer was lost and the next login found no account.
    """

    name: str
    discarded: int | None


@dataclass(frozen=True, slots=True)
class DeleteRefused:
    """It is not; `waiting` messages are in the way when the code is UNDELIVERED_MESSAGES."""

    code: int
    text: str
    waiting: int | None


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """The server could not do what was asked (ERROR with this request's number)."""

    request: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class NoticeArrived:
    """News from the server. `kind` is a `wire.codes.NoticeKind`, or a later server's number."""

    kind: int
    text: str
    count: int | None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Another connection of this installation has taken the session; the link has stopped."""

    text: str


@dataclass(frozen=True, slots=True)
class Kicked:
    """The server's operator has ended the session; the link has stopped."""

    text: str


@dataclass(frozen=True, slots=True)
class ServerStopping:
    """The server is being shut down; the link will look for it again."""

    text: str


LinkEvent: TypeAlias = (
    Connecting
    | Connected
    | LoggedIn
    | PasswordWanted
    | ProvingPassword
    | PasswordChanged
    | PasswordRefused
    | NameRefused
    | Disconnected
    | Distrusted
    | LoggedOut
    | MessageArrived
    | OutcomeArrived
    | SendAnswered
    | SendPostponed
    | RecallAnswered
    | Accounts
    | CheckDone
    | Created
    | CreateRefused
    | Blocked
    | BlockRefused
    | Deleted
    | DeleteRefused
    | RequestFailed
    | NoticeArrived
    | TakenOver
    | Kicked
    | ServerStopping
)
