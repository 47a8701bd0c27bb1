"""How much may wait for one user: the quota of a mailbox, and who is told when it is reached.

What counts is the user's own queue. A message to everyone is one shared entry that costs nothing
more for each user, so it counts against nobody and is refused because of nobody.

Must never tell anybody but the owner how much waits: others learn only that a message would be
refused, which sending one would tell them as well.
Fails never.
"""

from typing import Final

from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.limits import ExchangeLimits
from msgd.session import Session
from msgd.values import Now
from store.state import Account
from wire.codes import NoticeKind
from wire.messages import Notice

COUNT_MAX: Final = (1 << 32) - 1


def has_room(account: Account, body_bytes: int, limits: ExchangeLimits) -> bool:
    """Whether a message of this size may go into the queue."""
    return (
        account.own_messages < limits.mailbox_messages_max
        and account.own_bytes + body_bytes <= limits.mailbox_bytes_max
    )


def is_full(account: Account, limits: ExchangeLimits) -> bool:
    """Whether not even the shortest message may."""
    return is_full_with(account.own_messages, account.own_bytes, limits)


def is_full_with(own_messages: int, own_bytes: int, limits: ExchangeLimits) -> bool:
    """The same of an account that holds so much."""
    return own_messages >= limits.mailbox_messages_max or own_bytes >= limits.mailbox_bytes_max


def note_filled(core: Core, account: Account, now: Now) -> None:
    """For the operator: the message just taken was the last that this queue takes."""
    text = f"mailbox of {account.name} is full: {account.own_messages} messages wait"
    core.note(EventKind.WARN, text, now)


def tell_owner(core: Core, session: Session) -> None:
    """The owner learns that others are refused, and what to do."""
    account = session.account
    assert account is not None
    waiting = min(account.own_messages, COUNT_MAX)
    text = (
        f"your mailbox is full: {waiting} messages wait, and new ones to you are refused; "
        "check your messages to make room"
    )
    core.say(session, Notice(NoticeKind.QUEUE_FULL, text, waiting))
