"""Taking messages back: RECALL_MESSAGE, answered for each recipient.

A copy that waits and that no client can have is taken out of its queue, durably, and will never be
handed to anybody. One that was handed out stays: whether its client stored it cannot be known
before the receipt. Searching a queue takes slices; what a slice finds is judged and recorded in the
same slice, so nothing is handed out in between.

Must never take back what any client may hold, nor a message of somebody else's.
Fails: a damaged mailbox is answered LATER for its user, with an event that names the place.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from msgd import names
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.limits import (
    EVENT_NAMES_MAX,
    RECALL_NAMES_PER_SLICE_MAX,
    RECALL_STEPS_PER_SLICE_MAX,
    RECALLS_MAX,
)
from msgd.session import Session
from msgd.values import Now
from store.entry import Entry
from store.errors import StoreDamaged
from store.records import Copy
from store.search import CopySearch
from store.state import Account, WindowVerdict
from wire.codes import Code
from wire.limits import INSTALLATION_BYTES, RECIPIENTS_MAX
from wire.messages import MessageRecalled, RecallFailure, RecallMessage

NEW: Final = WindowVerdict.NEW


@dataclass(slots=True)
class Recalling:
    """A recall at work: whose queues are still to be looked through, and what was found."""

    session: Session
    sender: Account
    request: int
    message_id: bytes
    everyone: bool
    left: deque[Account]
    search: CopySearch | None = None
    found: bool = False
    recalled: list[str] = field(default_factory=list)
    handed_out: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


class Recall:
    """See the module's text."""

    __slots__ = ("_core", "_first_number", "_store", "_work")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._store = core.store
        self._first_number = core.state.next_number  # what is above came in this process
        self._work: deque[Recalling] = deque()

    def request(self, session: Session, message: RecallMessage, now: Now) -> None:
        """RECALL_MESSAGE: done at once if what has to be looked through is short."""
        sender = session.account
        assert sender is not None
        refusal = self._refusal(session, sender, message)
        if refusal is not None:
            self._core.say(session, RecallFailure(message.request, *refusal))
            return
        task = Recalling(
            session, sender, message.request, message.message_id, message.everyone, deque()
        )
        self._find_accounts(task, message.recipients)
        if not self._slice(task, now):
            self._work.append(task)

    def work(self, now: Now) -> bool:
        """One slice of one recall; True while there is more to do."""
        if self._work:
            task = self._work.popleft()
            # Who is gone asks again; what was done so far stands.
            if task.session.account is task.sender and not self._slice(task, now):
                self._work.append(task)
        return bool(self._work)

    # ----- before -----------------------------------------------------------------------------

    def _refusal(
        self, session: Session, sender: Account, message: RecallMessage
    ) -> tuple[Code, str] | None:
        count = len(message.recipients)
        if sender.closing:
            return Code.BEING_DELETED, "your account is being deleted"
        if message.everyone:
            if count:
                return Code.TOO_MANY_RECIPIENTS, "name recipients or set EVERYONE, not both"
        elif not count:
            return Code.NO_RECIPIENTS, "name the recipients that the message was sent to"
        elif count > self._core.limits.recipients_max:
            return Code.TOO_MANY_RECIPIENTS, f"{self._core.limits.recipients_max} names at most"
        elif not all(names.is_valid(names.fold(name)) for name in message.recipients):
            return Code.NAME_INVALID, names.RULE  # and too long, perhaps, to be repeated
        if sum(task.session is session for task in self._work) >= RECALLS_MAX:
            return Code.BUSY, "too many recalls at once; wait for one to be answered"
        return None

    def _find_accounts(self, task: Recalling, wanted: tuple[str, ...]) -> None:
        """Whose queues to look through, each once; who is not there, or on the way out, is gone."""
        found: dict[int, Account] = {}
        for name in dict.fromkeys(names.fold(each) for each in wanted):
            account = self._core.state.by_name.get(name)
            if account is None or account.closing:
                task.gone.append(name)
            else:
                found[account.number] = account
        task.left.extend(found.values())

    # ----- one slice --------------------------------------------------------------------------

    def _slice(self, task: Recalling, now: Now) -> bool:
        """Some of the work; True when it is done and answered."""
        if task.everyone:
            return self._slice_everyone(task, now)
        copies: list[Copy] = []
        steps = RECALL_STEPS_PER_SLICE_MAX
        names_left = RECALL_NAMES_PER_SLICE_MAX
        while task.left and steps and names_left:
            account = task.left[0]
            if account.own_messages == 0:
                self._judge(task, account, None, copies)
                names_left -= 1
                task.left.popleft()
                task.search = None
                continue
            if task.search is None:
                task.search = self._store.search(account, task.sender, task.message_id)
            try:
                entry = task.search.step()
            except StoreDamaged as error:
                self._damaged(account.name, error, now)
                task.later.append(account.name)
            else:
                if not task.search.done:
                    steps -= 1
                    continue
                self._judge(task, account, entry, copies)
            names_left -= 1
            task.left.popleft()
            task.search = None
        if copies:
            self._store.recall(task.sender, task.message_id, copies, now.wall_ms)
            self._tell(task, copies, now)
        if task.left:
            return False
        self._answer(task)
        return True

    def _judge(
        self, task: Recalling, account: Account, entry: Entry | None, copies: list[Copy]
    ) -> None:
        """What is to become of one recipient's copy."""
        name = account.name
        if entry is not None:
            task.found = True
        if account.closing:
            task.gone.append(name)
        elif entry is None or account.settled.covers(entry.number):
            task.ended.append(name)
        elif self._may_be_out(account, entry.number):
            task.handed_out.append(name)
        elif not self._store.can_recall(account, entry.number):
            task.later.append(name)
        else:
            copies.append(Copy(account.number, entry.number, len(entry.body), name))
            task.recalled.append(name)

    def _may_be_out(self, account: Account, number: int) -> bool:
        """Whether any client may hold this entry, confirmed or not."""
        session = self._core.online.get(account.name)
        if session is None:
            # A session that began and never ended was cut off with the server before this one.
            cut_off = account.session_number != 0 and number < self._first_number
            return cut_off or account.may_have_been_handed(number)
        return number in session.outstanding or account.may_have_been_handed(number)

    # ----- a message to everyone --------------------------------------------------------------

    def _slice_everyone(self, task: Recalling, now: Now) -> bool:
        if task.search is None:
            task.search = self._store.search_everyone(task.sender, task.message_id)
        entry = None
        for _ in range(RECALL_STEPS_PER_SLICE_MAX):
            try:
                entry = task.search.step()
            except StoreDamaged as error:
                self._damaged("everyone", error, now)
                text = "the queue that the message is in is damaged; its operator has been told"
                self._core.say(task.session, RecallFailure(task.request, Code.INTERNAL, text))
                return True
            if task.search.done:
                break
        else:
            return False
        if entry is None:
            self._answer(task)
        else:
            self._take_from_all(task, entry, now)
        return True

    def _take_from_all(self, task: Recalling, entry: Entry, now: Now) -> None:
        core = self._core
        task.found = True
        everyone = core.state.everyone
        known = everyone.recalled.get(entry.number)
        if known is not None:
            kept = list(known.kept)
        else:
            kept = self._keepers(entry.number, entry.sender)
            if len(kept) > RECIPIENTS_MAX or not self._store.can_recall_from_all(len(kept)):
                text = "too many messages to everyone were recalled, or are on their way just now"
                core.say(task.session, RecallFailure(task.request, Code.BUSY, text))
                return
            self._store.recall_from_all(entry, kept, now.wall_ms)
            core.note(EventKind.RECALL, f"{task.sender.name} from everyone", now)
            for told in core.online.values():
                if not told.live:
                    core.mark(told)
        for number in kept:
            account = core.state.by_number.get(number)
            if account is not None and not account.settled.covers(entry.number):
                task.handed_out.append(account.name)
        self._answer(task)

    def _keepers(self, number: int, sender: int) -> list[int]:
        """The accounts that a client may hold everyone's entry of, or that are on their way out."""
        core = self._core
        state = core.state
        found: dict[int, None] = {}
        for session in core.online.values():
            if session.account is not None and number in session.outstanding:
                found[session.account.number] = None
        for each in (*state.accounts.marked, *state.accounts.closing):
            account = state.by_number[each]
            if number <= each or each == sender or account.settled.covers(number):
                continue
            if 0 < account.closing_number < number:
                continue  # it was never to have this message
            if account.closing or self._may_be_out(account, number):
                found[each] = None
        return sorted(found)

    # ----- the end ----------------------------------------------------------------------------

    def _tell(self, task: Recalling, copies: list[Copy], now: Now) -> None:
        """Whoever has something new to hear: the sender its outcomes, a user without LIVE less."""
        core = self._core
        core.mark(task.session)
        for copy in copies:
            told = core.online.get(copy.name)
            if told is not None and not told.live:
                core.mark(told)
        named = ",".join(copy.name for copy in copies[:EVENT_NAMES_MAX])
        more = len(copies) - EVENT_NAMES_MAX
        named += f" and {more} more" if more > 0 else ""
        core.note(EventKind.RECALL, f"{task.sender.name} from {named}", now)

    def _answer(self, task: Recalling) -> None:
        message_id = task.message_id
        if not task.found:
            counter = int.from_bytes(message_id[INSTALLATION_BYTES:], "big")
            installation = message_id[:INSTALLATION_BYTES]
            if self._store.check_window(task.sender, installation, counter) is NEW:
                text = "no message of yours with this id was ever accepted"
                failure = RecallFailure(task.request, Code.UNKNOWN_MESSAGE, text)
                self._core.say(task.session, failure)
                return
        self._core.say(
            task.session,
            MessageRecalled(
                task.request,
                message_id,
                task.everyone and task.found,
                tuple(task.recalled),
                tuple(task.handed_out),
                tuple(task.ended),
                tuple(task.gone),
                tuple(task.later),
            ),
        )

    def _damaged(self, name: str, error: StoreDamaged, now: Now) -> None:
        self._core.note(EventKind.ERROR, f"mailbox of {name}: {error}", now)
