"""Every frame of MSGP/1 as a value: one dataclass per frame, named as the frame.

Which field carries which attribute stands in the table of `wire.frames`. Here stands what is rare,
frozen; what is made by the hundred thousand stands in `wire.hot_messages`.

Must never hold more than values: no codec, no I/O, no rule about what is legal when.
Fails never; what cannot be said in a frame is refused when it is encoded.
"""

from dataclasses import dataclass
from typing import TypeAlias

from wire.hot_messages import (
    DistributeMessage,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    ReceiptSettled,
    SendMessage,
)

__all__ = [
    "AccountEntry",
    "AccountList",
    "ChangePassword",
    "CheckComplete",
    "CheckMessages",
    "CreateAccount",
    "CreateFailure",
    "CreateSuccess",
    "DeletionFailure",
    "DeletionRequest",
    "DeletionSuccess",
    "DistributeMessage",
    "Error",
    "Hello",
    "ListAccounts",
    "LoggedOut",
    "LoginChallenge",
    "LoginFailure",
    "LoginProof",
    "LoginRequest",
    "LoginSuccess",
    "Logout",
    "Message",
    "MessageFailure",
    "MessagePending",
    "MessageRecalled",
    "MessageReceipt",
    "MessageSuccess",
    "Notice",
    "PasswordChanged",
    "PasswordFailure",
    "Ping",
    "Pong",
    "RecallFailure",
    "RecallMessage",
    "ReceiptSettled",
    "SendMessage",
    "Welcome",
]

# ----- greeting and keeping alive -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """The client's first frame: the versions that it speaks."""

    versions: tuple[int, ...]
    agent: str
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Welcome:
    """The server's answer: the version chosen, who it is, and the limits that hold."""

    version: int
    server_id: bytes
    agent: str
    authentication: int
    server_time_ms: int
    frame_bytes_max: int
    body_bytes_max: int
    recipients_max: int
    window_messages: int
    window_bytes: int
    ping_interval_ms: int
    capabilities: tuple[str, ...] = ()
    registration: int | None = None
    channel_binding: bool = False
    """A login with a password must be bound to the certificate of this connection."""


@dataclass(frozen=True, slots=True)
class Error:
    """Something is wrong with the connection or a frame. A fatal one is the last frame."""

    code: int
    text: str
    fatal: bool = False
    request: int | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? Answer with the same number, at once."""

    request: int


@dataclass(frozen=True, slots=True)
class Pong:
    """I am."""

    request: int


@dataclass(frozen=True, slots=True)
class Notice:
    """News that asks for no answer."""

    kind: int
    text: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Logout:
    """The client's last frame."""

    request: int


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The server's last frame: everything acknowledged before it is safe."""

    request: int | None = None


# ----- accounts -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """Make an account, without logging in. The four of the verifier stand together or not at all.

    They are made from the password by the client (`wire.scram`): no server ever sees a password.
    """

    request: int
    username: str
    salt: bytes | None = None
    iterations: int | None = None
    stored_key: bytes | None = None
    server_key: bytes | None = None
    invite: bytes | None = None


@dataclass(frozen=True, slots=True)
class CreateSuccess:
    """It is made, and on the disk."""

    request: int
    username: str


@dataclass(frozen=True, slots=True)
class CreateFailure:
    """NAME_TAKEN, NAME_INVALID, STORAGE_FULL or BUSY.

    With passwords also PASSWORD_NEEDED, PASSWORD_REFUSED, REGISTRATION_CLOSED or INVITE_INVALID.
    """

    request: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """Be this user from now on. `scram` is the client-first-message of RFC 5802."""

    request: int
    username: str
    installation: bytes
    create_if_new: bool = False
    live: bool = False
    scram: bytes | None = None


@dataclass(frozen=True, slots=True)
class LoginChallenge:
    """Prove that you know the password. `scram` is the server-first-message."""

    request: int
    scram: bytes


@dataclass(frozen=True, slots=True)
class LoginProof:
    """The proof, with the request of the LOGIN_REQUEST. `scram` is the client-final-message."""

    request: int
    scram: bytes


@dataclass(frozen=True, slots=True)
class LoginSuccess:
    """You are: under the name as the server writes it, with this much waiting.

    `account` is the account's own number: another account of the same name has another.
    `scram` is the server-final-message, by which the server proves that it knows the verifier.
    """

    request: int
    username: str
    messages_waiting: int
    outcomes_waiting: int
    last_seen_ms: int | None = None
    created: bool = False
    account: int | None = None
    scram: bytes | None = None


@dataclass(frozen=True, slots=True)
class LoginFailure:
    """IN_USE, UNKNOWN_USER, NAME_INVALID, BEING_DELETED, STORAGE_FULL or BUSY.

    With passwords also PASSWORD_NEEDED, WRONG_PASSWORD (of an unknown user too) or CHANNEL_BINDING.
    """

    request: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """From now on this verifier is the one of the account that is logged in."""

    request: int
    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """It is, and on the disk."""

    request: int


@dataclass(frozen=True, slots=True)
class PasswordFailure:
    """PASSWORD_REFUSED, BEING_DELETED, STORAGE_FULL or BUSY. The old password is still good."""

    request: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """Who is there? `cursor` is that of the page before."""

    request: int
    pattern: str | None = None
    cursor: str | None = None
    limit: int | None = None


@dataclass(slots=True)
class AccountEntry:
    """One line of an ACCOUNT_LIST. With `queue_full` a message to this user would be refused."""

    username: str
    presence: int
    last_seen_ms: int | None = None
    created_at_ms: int | None = None
    queue_full: bool = False


@dataclass(frozen=True, slots=True)
class AccountList:
    """One page, in the order of the names. With `cursor` there is more to ask for."""

    request: int
    accounts_total: int
    accounts_connected: int
    cursor: str | None = None
    entries: tuple[AccountEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletionRequest:
    """Delete my account; with `force` also when messages wait in it."""

    request: int
    username: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class DeletionSuccess:
    """It is gone, with this many messages that were never delivered. LOGGED_OUT follows."""

    request: int
    username: str
    discarded: int


@dataclass(frozen=True, slots=True)
class DeletionFailure:
    """NOT_OWNER, UNKNOWN_USER, UNDELIVERED_MESSAGES (and how many) or BEING_DELETED."""

    request: int
    code: int
    text: str
    messages_waiting: int | None = None


# ----- messages -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MessageFailure:
    """It was not accepted (an answer, with `request`), or came to nothing later.

    The latter waits in the sender's queue like a message: it has a `delivery`, to be confirmed by
    MESSAGE_RECEIPT, the one recipient that it is about, and `settled_at_ms`.
    """

    message_id: bytes
    code: int
    text: str
    recipients: tuple[str, ...] = ()
    request: int | None = None
    delivery: int | None = None
    settled_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class CheckMessages:
    """Send what waits, at most `limit` of it; with `outcomes_only` only the fates of my own."""

    request: int
    limit: int | None = None
    outcomes_only: bool = False


@dataclass(frozen=True, slots=True)
class CheckComplete:
    """That was all: so many were sent, so many messages still wait. 0 and 0: none available."""

    request: int
    delivered: int
    remaining: int


@dataclass(frozen=True, slots=True)
class RecallMessage:
    """Take my message back from whoever has not been handed it: from these, or from everyone."""

    request: int
    message_id: bytes
    recipients: tuple[str, ...] = ()
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class MessageRecalled:
    """What the recall did, durably: each recipient that was asked for stands in one of the lists.

    With `everyone` it was a message to everyone: it is recalled from all to whom it had not been
    handed, without a list of them; `handed_out` are those who keep it.
    """

    request: int
    message_id: bytes
    everyone: bool = False
    recalled: tuple[str, ...] = ()
    handed_out: tuple[str, ...] = ()
    """A client has it or may have it: its fate is still to come."""
    ended: tuple[str, ...] = ()
    """It does not wait there any more: its fate is told by a frame of its own."""
    gone: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    """It could not be recalled now; ask again."""


@dataclass(frozen=True, slots=True)
class RecallFailure:
    """UNKNOWN_MESSAGE, NO_RECIPIENTS, TOO_MANY_RECIPIENTS, BEING_DELETED or BUSY."""

    request: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class BlockSenders:
    """Take no messages of these users any more, and of those again; with neither, only list."""

    request: int
    blocked: tuple[str, ...] = ()
    unblocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendersBlocked:
    """Durable; all whose messages are not taken, in the order of their blocking."""

    request: int
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockFailure:
    """UNKNOWN_USER, NAME_INVALID, TOO_MANY_BLOCKED, STORAGE_FULL, BUSY or BEING_DELETED."""

    request: int
    code: int
    text: str


Message: TypeAlias = (
    Hello
    | Welcome
    | Error
    | Ping
    | Pong
    | Notice
    | Logout
    | LoggedOut
    | CreateAccount
    | CreateSuccess
    | CreateFailure
    | LoginRequest
    | LoginSuccess
    | LoginFailure
    | LoginChallenge
    | LoginProof
    | ChangePassword
    | PasswordChanged
    | PasswordFailure
    | ListAccounts
    | AccountList
    | DeletionRequest
    | DeletionSuccess
    | DeletionFailure
    | SendMessage
    | MessagePending
    | MessageFailure
    | MessageSuccess
    | DistributeMessage
    | MessageReceipt
    | ReceiptSettled
    | CheckMessages
    | CheckComplete
    | RecallMessage
    | MessageRecalled
    | RecallFailure
    | BlockSenders
    | SendersBlocked
    | BlockFailure
)
