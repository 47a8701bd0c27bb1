"""What a screen hears while it is open, as values.

Must never hold more than values. Fails never.
"""

from dataclasses import dataclass
from typing import TypeAlias

from msgc.values import Received


@dataclass(frozen=True, slots=True)
class MailArrived:
    """A message is in the archive that was not there before."""

    received: Received


@dataclass(frozen=True, slots=True)
class CheckEnded:
    """The server has handed out `delivered` messages; `remaining` still wait there."""

    delivered: int
    remaining: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class CheckBroken:
    """The check will not be answered: the connection is gone, or the server could not."""


@dataclass(frozen=True, slots=True)
class FateChanged:
    """A message of one's own has come further: accepted, refused, delivered, or come to nothing."""

    message_id: bytes


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """There is more of, or other, in `Desk.directory`."""


@dataclass(frozen=True, slots=True)
class AccountSought:
    """The server was asked for this one name. `found` None: no answer came."""

    name: str
    found: bool | None


@dataclass(frozen=True, slots=True)
class ConnectedAgain:
    """The connection is back after a break: what was told before it may be old."""


@dataclass(frozen=True, slots=True)
class DeletionRefused:
    """The account is still there. `messages_waiting` not None: forcing it would discard them."""

    reason: str
    messages_waiting: int | None


News: TypeAlias = (
    MailArrived
    | CheckEnded
    | CheckBroken
    | FateChanged
    | DirectoryChanged
    | AccountSought
    | ConnectedAgain
    | DeletionRefused
)
