"""MESSAGE_RECEIPT: what a client has confirmed leaves its queue, and its sender learns of it.

Messages go before receipts. While messages come in turn after turn, receipts for a few entries wait
for each other, some milliseconds: what one user confirms meanwhile is settled by one
record, and each sender is told of it by one push (W3, window 1: 148 us a message, 107 with it).
No client can tell that from a receipt that was longer on its way, because whatever else one asks is
answered after all that wait were settled.

Must never let a receipt wait that asks for an answer, or that a full window waits for.
Fails never: a number that is not out is passed over.
"""

from collections.abc import Sequence
from typing import Final

from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.session import Session
from msgd.values import Now
from store.entry import EntryKind
from store.records import SettledEntry
from wire.messages import MessageReceipt, ReceiptSettled

WAIT_MS: Final = 4
"""As long as a few turns with a sync each; too short for a person to see. They are settled at the
end of the first turn that begins so much later."""
TOGETHER_MIN: Final = 32
"""Confirmed entries of one session that are worth a record of their own: they wait no longer."""
MESSAGE: Final = int(EntryKind.MESSAGE)
NUMBER: Final = 1  # in a SettledEntry
KIND: Final = 2


class Receipts:
    """See the module's text."""

    __slots__ = ("_accepted", "_core", "_due_ms", "_store", "_waiting")

    def __init__(self, core: Core) -> None:
        self._core = core
        self._store = core.store
        self._waiting: dict[int, Session] = {}  # whose receipts wait, by the session's number
        self._due_ms = 0  # when they have waited long enough
        self._accepted = 0  # messages, up to the end of the turn before

    def receive(self, session: Session, message: MessageReceipt, now: Now) -> None:
        """MESSAGE_RECEIPT: what is out in this session leaves the queue; the rest is ignored."""
        deliveries = message.deliveries
        if message.request is None and len(deliveries) < TOGETHER_MIN and not session.is_stopped:
            outstanding = session.outstanding
            # What is not out now is passed over, also if it is handed out while the others wait.
            out = [number for number in deliveries if number in outstanding]
            if not out:
                return
            if not self._waiting:
                self._due_ms = now.monotonic_ms + WAIT_MS
            self._waiting[session.number] = session
            session.confirmed += out
            if len(session.confirmed) >= TOGETHER_MIN:
                self.settle(session, now)
            return
        self.settle(session, now)
        count = self._settle(session, deliveries, now)
        if message.request is not None:
            self._core.say(session, ReceiptSettled(message.request, count))

    def end_turn(self, now: Now) -> None:
        """Settle what waits, when no message came in this turn, or it has waited long enough."""
        accepted, self._accepted = self._accepted, self._core.tally.accepted
        if self._waiting and (accepted == self._accepted or now.monotonic_ms >= self._due_ms):
            self.settle_all(now)

    def deadline_ms(self) -> int | None:
        """When what waits has waited long enough, by the monotonic clock."""
        return self._due_ms if self._waiting else None

    def settle_all(self, now: Now) -> None:
        """Settle what waits: before anything is looked at that could show that it does."""
        while self._waiting:
            self.settle(next(iter(self._waiting.values())), now)

    def settle(self, session: Session, now: Now) -> None:
        """The same for one session only."""
        if self._waiting.pop(session.number, None) is not None:
            confirmed, session.confirmed = session.confirmed, []
            self._settle(session, confirmed, now)

    def _settle(self, session: Session, deliveries: Sequence[int], now: Now) -> int:
        """Gives how many of them were out."""
        account = session.account
        assert account is not None
        core = self._core
        take = session.outstanding.pop
        found = [take(number, None) for number in deliveries]
        settled = [settlement for settlement in found if settlement is not None]
        if not settled:
            return 0
        online = core.online
        for sender in self._store.settle_rows(account, settled, now.wall_ms):
            told = online.get(sender.name)
            if told is not None and not told.in_pump:
                core.mark(told)
        core.tally.settled += len(settled)
        # The messages among them; outcomes are the protocol's own affair.
        read = [settlement for settlement in settled if settlement[KIND] == MESSAGE]
        if read:
            session.outstanding_messages -= len(read)
            session.outstanding_bytes -= sum([size for _, _, _, _, size, _, _ in read])
            core.note(EventKind.RECEIPT, f"{account.name} has {self._numbers(read)}", now)
        if session.is_stopped and not session.in_pump:
            core.mark(session)
        return len(settled)

    def _numbers(self, read: list[SettledEntry]) -> str:
        """For an event: which messages, by their numbers."""
        _, first, _, _, _, sender_number, _ = read[0]
        if len(read) == 1:
            sender = self._core.state.by_number.get(sender_number)
            return f"{first} of {'a deleted account' if sender is None else sender.name}"
        numbers = [settlement[NUMBER] for settlement in read]
        return f"{len(read)} messages, {min(numbers)} to {max(numbers)}"
