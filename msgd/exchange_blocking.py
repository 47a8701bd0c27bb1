"""Blocking senders: whose messages a user does not take.

A message of a blocked sender to the user fails with BLOCKED, which names the user, like any message
that cannot be taken: what is said to be accepted is delivered, and nobody is told less than the
truth. A message to everyone is one entry for all, which no single user can stop.

Must never tell anybody but the owner who is blocked, save each blocked sender who tries.
Fails never; what is not possible is said in a BLOCK_FAILURE, and then nothing was changed.
"""

from typing import Final

from msgd import names
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.session import Session
from msgd.values import Now
from store.settings import Admission
from store.state import Account
from wire.codes import Code
from wire.limits import BLOCKED_MAX
from wire.messages import BlockFailure, BlockSenders, SendersBlocked

Refusal = tuple[Code, str]

CHANGE_US: Final = 200
"""What a change takes, about, with its record, for the brakes."""


class Blocking:
    """See the module's text."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    def change(self, session: Session, message: BlockSenders, now: Now) -> None:
        """BLOCK_SENDERS: all of what it asks for, or nothing."""
        core = self._core
        account = session.account
        assert account is not None
        by_number = core.state.by_number
        # Those who are gone make room by themselves: their numbers are never given out again.
        kept = [number for number in account.blocked if number in by_number]
        if message.blocked or message.unblocked:
            session.cost_us += CHANGE_US + len(message.blocked) + len(message.unblocked)
            changed = self._changed(account, kept, message)
            if not isinstance(changed, list):
                core.say(session, BlockFailure(message.request, *changed))
                return
            if changed != list(account.blocked):
                core.store.block(account, changed, now.wall_ms)
                core.note(EventKind.BLOCK, f"{account.name} blocks {len(changed)}", now)
            kept = changed
        listed = tuple(by_number[number].name for number in kept)
        core.say(session, SendersBlocked(message.request, listed))

    def _changed(
        self, account: Account, kept: list[int], message: BlockSenders
    ) -> list[int] | Refusal:
        """The list as it is to be, or why it cannot."""
        core = self._core
        if account.closing:
            return Code.BEING_DELETED, "your account is being deleted"
        if core.store.admission is Admission.FULL:
            return Code.STORAGE_FULL, "the server's disk is full; try again later"
        if core.store.admission is Admission.BUSY:
            return Code.BUSY, "the server is busy; try again in a moment"
        by_name = core.state.by_name
        wanted = dict.fromkeys(kept)
        for name in message.unblocked:
            freed = by_name.get(names.fold(name))
            if freed is not None:  # of whom there is none, nothing need be freed
                wanted.pop(freed.number, None)
        for name in message.blocked:
            blocked = by_name.get(names.fold(name))
            if blocked is None:
                return Code.UNKNOWN_USER, "there is no such user; nothing was changed"
            if blocked is account:
                return Code.NAME_INVALID, "nobody can block themselves; nothing was changed"
            wanted[blocked.number] = None
        if len(wanted) > BLOCKED_MAX:
            return (
                Code.TOO_MANY_BLOCKED,
                f"one can block {BLOCKED_MAX} users, and no more; nothing was changed",
            )
        return list(wanted)
