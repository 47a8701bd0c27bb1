"""What the link tells, as values: the answers of the server, and what becomes of the connection.

Apart from `msgc.values`, for making a frozen class takes Python half a millisecond and here are
thirty: the first prompt is there before anything is told, and does without them.

Must never do anything, nor hold a password. Fails never.
"""

from dataclasses import dataclass
from typing import TypeAlias

from msgc.net import Doubt
from msgc.states import FateState, SendState
from msgc.values import Received


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


# ----- servers that are not believed, passwords, and who is blocked -----------------------------


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
