"""Taking messages: every check that a SEND_MESSAGE has to pass, in a fixed order.

A send is all or nothing. Whether it was taken before is asked early, so that a retry gets the
answer of its first try even if the disk is full or a recipient has gone since.

Must never take a message twice, or half of it.
Fails never; a refusal is a MESSAGE_FAILURE with a code and a sentence that says what to do.
"""

from typing import Final

from msgd import names
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_quota import has_room, note_filled, tell_owner
from msgd.exchange_receipts import Receipts
from msgd.limits import EVENT_NAMES_MAX, FAULTY_RECIPIENTS_BYTES_MAX
from msgd.session import Session
from msgd.values import Now
from store.settings import Admission
from store.state import Account, WindowVerdict
from wire.codes import Code
from wire.limits import INSTALLATION_BYTES
from wire.messages import MessageFailure, MessagePending, SendMessage

Refusal = tuple[Code, str]

NEW: Final = WindowVerdict.NEW
OPEN: Final = Admission.OPEN


class Sending:
    """See the module's text."""

    __slots__ = ("_core", "_receipts", "_store")

    def __init__(self, core: Core, receipts: Receipts) -> None:
        self._core = core
        self._receipts = receipts
        self._store = core.store

    def send(self, session: Session, message: SendMessage, now: Now) -> None:
        """SEND_MESSAGE."""
        core = self._core
        store = self._store
        sender = session.account
        assert sender is not None
        refusal = self._refusal(sender, message)
        if refusal is not None:
            self._refuse(session, message, refusal, (), now)
            return
        message_id = message.message_id
        installation = message_id[:INSTALLATION_BYTES]
        counter = int.from_bytes(message_id[INSTALLATION_BYTES:], "big")
        verdict = store.check_window(sender, installation, counter)
        if verdict is not NEW:
            self._answer_verdict(session, message, verdict, now)
            return
        if installation != session.installation:
            text = "the first 8 bytes of MESSAGE_ID must be the INSTALLATION that logged in"
            self._refuse(session, message, (Code.WRONG_INSTALLATION, text), (), now)
            return
        if message.everyone:
            self._send_to_everyone(session, sender, message, now)
            return
        recipients, unknown = self._find(message.recipients)
        if unknown:
            self._refuse_unknown(session, message, unknown, now)
            return
        if store.admission is not OPEN:
            self._refuse_full(session, message, now)
            return
        body_bytes = len(message.body)
        for account in recipients:
            if account.blocked and sender.number in account.blocked:
                self._refuse_blocked(session, message, sender, recipients, now)
                return
            if not self._has_room(account, body_bytes, now):
                self._refuse_without_room(session, message, recipients, now)
                return
        entry = store.accept(sender, message_id, recipients, message.body, now.wall_ms)
        core.say(
            session,
            MessagePending(message.request, message_id, len(recipients), entry.received_at_ms),
        )
        online = core.online
        for account in recipients:
            told = online.get(account.name)
            if told is not None and not told.in_pump:
                core.mark(told)
            if not self._has_room(account, 1, now):
                note_filled(core, account, now)
        core.tally.accepted += 1
        core.tally.accepted_bytes += len(message.body)
        core.note(EventKind.SEND, f"{sender.name} to {names_text(recipients)}", now)

    def _send_to_everyone(
        self, session: Session, sender: Account, message: SendMessage, now: Now
    ) -> None:
        core = self._core
        # The sender is not closing (checked before), so it is one of those that are counted.
        if len(core.state.by_name) - core.state.closing_count <= 1:
            text = "there is nobody but you yet"
            self._refuse(session, message, (Code.NO_RECIPIENTS, text), (), now)
            return
        if self._store.admission is not OPEN:
            self._refuse_full(session, message, now)
            return
        entry = self._store.accept_for_everyone(
            sender, message.message_id, message.body, now.wall_ms
        )
        count = entry.audience_count
        core.say(
            session,
            MessagePending(message.request, message.message_id, count, entry.received_at_ms),
        )
        for told in core.online.values():
            if told is not session and not told.in_pump:
                core.mark(told)
        core.tally.accepted += 1
        core.tally.accepted_bytes += len(message.body)
        core.note(EventKind.SEND, f"{sender.name} to everyone ({count})", now)

    # ----- checks -----------------------------------------------------------------------------

    def _refusal(self, sender: Account, message: SendMessage) -> Refusal | None:
        """What can be seen on the message itself."""
        limits = self._core.limits
        if sender.closing:
            return Code.BEING_DELETED, "your account is being deleted"
        size = len(message.body)
        if not size:
            return Code.BODY_EMPTY, "the message is empty; write something"
        if size > limits.body_bytes_max:
            return (
                Code.BODY_TOO_LARGE,
                f"the message has {size} bytes, {limits.body_bytes_max} at most; shorten it",
            )
        count = len(message.recipients)
        if message.everyone:
            if count:
                return Code.TOO_MANY_RECIPIENTS, "name recipients or set EVERYONE, not both"
        elif not count:
            return Code.NO_RECIPIENTS, "the message has no recipients; name one at least"
        elif count > limits.recipients_max:
            return (
                Code.TOO_MANY_RECIPIENTS,
                f"{count} recipients, {limits.recipients_max} at most; send to everyone, or twice",
            )
        return None

    def _has_room(self, account: Account, body_bytes: int, now: Now) -> bool:
        """Whether its mailbox has room: at the latest when the receipts that wait are settled."""
        limits = self._core.limits
        if has_room(account, body_bytes, limits):
            return True
        self._receipts.settle_all(now)
        return has_room(account, body_bytes, limits)

    def _find(self, wanted: tuple[str, ...]) -> tuple[list[Account], list[str]]:
        """The accounts of these names, each once, and the names that have none."""
        by_name = self._core.state.by_name
        if len(wanted) == 1:
            # By far the most usual, and most clients write names as they are kept.
            only = by_name.get(wanted[0])
            if only is not None and not only.closing:
                return [only], []
        found: dict[int, Account] = {}
        unknown: dict[str, None] = {}
        for name in wanted:
            account = by_name.get(names.fold(name))
            if account is None or account.closing:
                unknown[name] = None
            else:
                found[account.number] = account
        return list(found.values()), list(unknown)

    # ----- refusals ---------------------------------------------------------------------------

    def _answer_verdict(
        self, session: Session, message: SendMessage, verdict: WindowVerdict, now: Now
    ) -> None:
        if verdict is WindowVerdict.DUPLICATE:
            answer = MessagePending(message.request, message.message_id, duplicate=True)
            self._core.say(session, answer)
        elif verdict is WindowVerdict.TOO_OLD:
            text = "the message's number lies too far back to know whether it was sent before"
            self._refuse(session, message, (Code.TOO_OLD, text), (), now)
        else:
            text = "too many installations have sent as this user within the last days"
            self._refuse(session, message, (Code.TOO_MANY_INSTALLATIONS, text), (), now)

    def _refuse_unknown(
        self, session: Session, message: SendMessage, unknown: list[str], now: Now
    ) -> None:
        # Names that could never be valid may be long: the answer must still fit into a frame.
        bytes_left = FAULTY_RECIPIENTS_BYTES_MAX
        named: list[str] = []
        for name in unknown:
            bytes_left -= len(name.encode())
            if bytes_left < 0:
                break
            named.append(name)
        text = (
            "this recipient has no account; nothing was sent"
            if len(unknown) == 1
            else f"{len(unknown)} recipients have no account; nothing was sent to anybody"
        )
        self._refuse(session, message, (Code.UNKNOWN_RECIPIENT, text), tuple(named), now)

    def _refuse_without_room(
        self, session: Session, message: SendMessage, recipients: list[Account], now: Now
    ) -> None:
        """Somebody's mailbox has no room for it: the sender learns whose, and so does its owner."""
        core = self._core
        full = [each for each in recipients if not has_room(each, len(message.body), core.limits)]
        for account in full:
            told = core.online.get(account.name)
            if told is not None and not told.told_full:
                told.told_full = True
                tell_owner(core, told)
        text = (
            "this recipient's mailbox is full; nothing was sent, try again later"
            if len(full) == 1
            else f"the mailboxes of {len(full)} recipients are full; nothing was sent to anybody"
        )
        named = tuple(account.name for account in full)
        aside = f" ({names_text(full)})"
        self._refuse(session, message, (Code.QUEUE_FULL, text), named, now, aside=aside)

    def _refuse_blocked(
        self,
        session: Session,
        message: SendMessage,
        sender: Account,
        recipients: list[Account],
        now: Now,
    ) -> None:
        """Somebody has blocked the sender: who is named, as the sender can leave them out."""
        closed = [account for account in recipients if sender.number in account.blocked]
        text = (
            "this recipient takes no messages from you; nothing was sent"
            if len(closed) == 1
            else f"{len(closed)} recipients take no messages from you; nothing was sent to anybody"
        )
        named = tuple(account.name for account in closed)
        aside = f" ({names_text(closed)})"
        self._refuse(session, message, (Code.BLOCKED, text), named, now, aside=aside)

    def _refuse_full(self, session: Session, message: SendMessage, now: Now) -> None:
        if self._store.admission is Admission.FULL:
            text = "the server's disk is full; keep the message and try again later"
            self._refuse(session, message, (Code.STORAGE_FULL, text), (), now)
        else:
            text = "the server is busy; keep the message and try again in a moment"
            self._refuse(session, message, (Code.BUSY, text), (), now)

    def _refuse(
        self,
        session: Session,
        message: SendMessage,
        refusal: Refusal,
        recipients: tuple[str, ...],
        now: Now,
        *,
        aside: str = "",
    ) -> None:
        """`aside` is for the event, and safe to show."""
        code, text = refusal
        self._core.say(
            session,
            MessageFailure(message.message_id, code, text, recipients, request=message.request),
        )
        self._core.tally.refused += 1
        reason = code.name.lower().replace("_", " ")
        self._core.note(EventKind.REFUSE, f"a message of {session.name}: {reason}{aside}", now)


def names_text(recipients: list[Account]) -> str:
    """For an event: to whom."""
    if len(recipients) == 1:
        return recipients[0].name
    named = ",".join(account.name for account in recipients[:EVENT_NAMES_MAX])
    more = len(recipients) - EVENT_NAMES_MAX
    return f"{named} and {more} more" if more > 0 else named
