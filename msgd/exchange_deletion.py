"""Deleting an account: at once when nothing waits in it, in slices when it is forced.

A forced deletion first closes the account to new mail, durably; so one that a crash interrupts is
taken up again at the next start. Each slice discards some of the queue, and each sender of a
discarded message is told.

Must never delete an account with messages in it that nobody was told of.
Fails: a damaged mailbox stops the deletion of that account until the next start, with an event.
"""

from dataclasses import dataclass

from msgd import names
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_delivery import COUNT_MAX, Delivery
from msgd.exchange_login import Login
from msgd.exchange_receipts import MESSAGE
from msgd.session import Session
from msgd.values import Now
from store.errors import StoreDamaged
from store.reader import QueueReader
from store.state import Account
from wire.codes import Code
from wire.messages import (
    DeletionFailure,
    DeletionRequest,
    DeletionSuccess,
    Error,
    LoggedOut,
)


@dataclass(slots=True)
class Draining:
    """A forced deletion at work. `session` asked for it; None when it began before a restart."""

    account: Account
    reader: QueueReader
    session: Session | None
    request: int
    discarded: int = 0


class Deletion:
    """See the module's text."""

    __slots__ = ("_core", "_delivery", "_draining", "_login")

    def __init__(self, core: Core, delivery: Delivery, login: Login) -> None:
        self._core = core
        self._delivery = delivery
        self._login = login
        self._draining: dict[int, Draining] = {}
        for account in core.state.closing_accounts():
            self._drain(account, None, 0)

    def request(self, session: Session, message: DeletionRequest, now: Now) -> None:
        """DELETION_REQUEST."""
        core = self._core
        account = session.account
        assert account is not None
        name = names.fold(message.username)
        if name != account.name:
            if name in core.state.by_name:
                text = f"you are {account.name}; only the owner can delete {name}"
                self._refuse(session, message, Code.NOT_OWNER, text)
            else:
                self._refuse(session, message, Code.UNKNOWN_USER, "there is no such account")
            return
        if account.closing:
            self._refuse(session, message, Code.BEING_DELETED, "it is being deleted already")
            return
        waiting = account.messages_waiting(core.state)
        if not waiting:
            self._finish(account, session, message.request, 0, now)
        elif not message.force:
            text = f"{waiting} undelivered messages wait; check them, or set FORCE to discard them"
            self._refuse(session, message, Code.UNDELIVERED_MESSAGES, text, waiting)
        else:
            core.store.begin_deletion(account, now.wall_ms)
            # What is out in this session is discarded too: a receipt that comes now is too late.
            self._delivery.end(session)
            self._drain(account, session, message.request)
            core.note(EventKind.DELETE, f"{name} has begun, {waiting} messages discarded", now)

    def work(self, now: Now) -> bool:
        """One slice of one deletion; True while there is more to do."""
        if not self._draining:
            return False
        number, draining = next(iter(self._draining.items()))
        del self._draining[number]
        try:
            is_done = self._discard(draining, now)
        except StoreDamaged as error:
            name = draining.account.name
            self._core.note(EventKind.ERROR, f"mailbox of {name}: {error}", now)
            session = draining.session
            if session is not None and session.account is draining.account:
                text = "part of your mailbox cannot be read; the account stays closed until then"
                self._core.say(session, Error(Code.INTERNAL, text, request=draining.request))
        else:
            if is_done:
                self._finish(
                    draining.account, draining.session, draining.request, draining.discarded, now
                )
            else:
                self._draining[number] = draining  # at the end: all get their turn
        return bool(self._draining)

    def _drain(self, account: Account, session: Session | None, request: int) -> None:
        # Only outcomes come after the deletion began, and those go with the account.
        reader = self._core.store.reader(account, 0, account.closing_number)
        self._draining[account.number] = Draining(account, reader, session, request)

    def _discard(self, draining: Draining, now: Now) -> bool:
        """Take one slice out of the queue; True when nothing is left."""
        core = self._core
        limits = core.limits
        entries = draining.reader.read(limits.discarded_per_slice_max, limits.window_bytes_max)
        if entries:
            senders = core.store.settle(draining.account, entries, now.wall_ms, discarded=True)
            for sender in dict.fromkeys(senders):
                told = core.online.get(sender.name)
                if told is not None:
                    core.mark(told)
            draining.discarded += sum(1 for entry in entries if entry.kind == MESSAGE)
        return draining.reader.exhausted

    def _finish(
        self, account: Account, session: Session | None, request: int, discarded: int, now: Now
    ) -> None:
        core = self._core
        reserved_ms = core.limits.name_reserved_ms
        until_ms = now.wall_ms + reserved_ms if reserved_ms else 0
        core.store.delete_account(account, now.wall_ms, until_ms)
        core.note(EventKind.DELETE, f"{account.name}, {discarded} messages discarded", now)
        if session is None or session.account is not account:
            return  # its owner did not wait for the end
        count = min(discarded, COUNT_MAX)
        core.say(session, DeletionSuccess(request, account.name, count))
        core.say(session, LoggedOut())
        core.doom(session, "account deleted")
        self._login.leave(session, now)

    def _refuse(
        self,
        session: Session,
        message: DeletionRequest,
        code: Code,
        text: str,
        waiting: int | None = None,
    ) -> None:
        count = None if waiting is None else min(waiting, COUNT_MAX)
        self._core.say(session, DeletionFailure(message.request, code, text, count))
