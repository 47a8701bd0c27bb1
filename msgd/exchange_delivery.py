"""Who is handed what, and when: pushing and checks. What comes back is `exchange_receipts`.

A session reads its user's queue through lanes, each a reader that never turns back, so that nothing
is handed out twice in one session. A LIVE session has two: what came after its login is pushed,
what waited before comes by CHECK_MESSAGES. Any other session has one, for checks alone. A check for
outcomes only has a lane of its own, because it passes over messages that a later check must bring.

Must never have more out without a receipt than the window, hand out an entry that is out already,
or read more of a mailbox in one turn than one window and a few slices.
Fails: a damaged mailbox ends the lane's work with ERROR(INTERNAL) for this user and an event that
names the place; the others go on.
"""

from collections.abc import Iterator
from enum import Enum, unique
from itertools import compress
from typing import Final

from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_receipts import KIND, MESSAGE, Receipts
from msgd.session import Check, Session
from msgd.values import Now
from store.entry import EntryKind
from store.entry_codec import Row
from store.errors import StoreDamaged
from store.limits import AWAITED_ENTRIES_MAX, SETTLED_RANGES_MAX
from store.reader import QueueReader
from store.rows import Rows
from wire import frames
from wire.codes import Code, NoticeKind
from wire.messages import (
    CheckComplete,
    CheckMessages,
    Error,
    MessageFailure,
    Notice,
)
from wire.runs import Deliveries, write_message, write_success

COUNT_MAX: Final = (1 << 32) - 1
"""A count on the wire is a u32; a larger one is told as this."""

SURE_PER_TURN: Final = 64
"""Entries that every session may be handed in a turn..."""
HANDED_PER_TURN_MAX: Final = 1_024
"""...and more, up to its window, while all together have not had so many: a few who fetch much are
done in few turns, and a crowd of them makes no turn longer than it needs."""

SLICES_PER_TURN_MAX: Final = 4
"""Reads that found nothing wanted, for one session in one turn, before the others have theirs."""

SUCCESS: Final = int(EntryKind.SUCCESS)


@unique
class Stop(Enum):
    """Why handing out from a lane stopped."""

    EMPTY = "nothing more is there"
    FULL = "the window is full, a receipt must come first"
    ENOUGH = "the check has what it asked for"
    LATER = "enough was read for this turn"


class Delivery:
    """See the module's text."""

    __slots__ = ("_core", "_left", "_receipts", "_store")

    def __init__(self, core: Core, receipts: Receipts) -> None:
        self._core = core
        self._receipts = receipts
        self._store = core.store
        self._left = 0  # of HANDED_PER_TURN_MAX

    def begin(self, session: Session) -> None:
        """A user has logged in: all that was accepted up to now is backlog."""
        session.boundary = self._core.state.next_number - 1

    def leave(self, session: Session, now: Now) -> tuple[int, ...]:
        """The user goes; gives what is out and not confirmed."""
        self._receipts.settle(session, now)
        out = tuple(session.outstanding)
        self.end(session)
        return out

    def end(self, session: Session) -> None:
        """The session has no user any more; what it has not confirmed waits for the next one."""
        if session.account is not None:
            session.account.queue.is_awaited = False
        session.push = session.backlog = session.outcomes = None
        session.outstanding.clear()
        session.outstanding_bytes = session.outstanding_messages = 0
        session.checks.clear()

    def remaining(self, session: Session) -> int:
        """Messages that wait and are not out in this session."""
        account = session.account
        assert account is not None
        waiting = account.messages_waiting(self._core.state) - session.outstanding_messages
        return min(waiting, COUNT_MAX)

    # ----- what clients ask -------------------------------------------------------------------

    def check(self, session: Session, message: CheckMessages) -> None:
        """CHECK_MESSAGES: begun at the end of the turn, one after the other."""
        account = session.account
        assert account is not None
        if account.closing:
            text = "your account is being deleted; its messages are discarded"
            self._core.say(session, Error(Code.BEING_DELETED, text, request=message.request))
            return
        if len(session.checks) >= self._core.limits.checks_max:
            text = "too many checks at once; wait for one to be complete"
            self._core.say(session, Error(Code.BUSY, text, request=message.request))
            return
        left = COUNT_MAX if message.limit is None else message.limit
        session.checks.append(Check(message.request, left, message.outcomes_only))
        self._core.mark(session)

    # ----- the end of the turn ----------------------------------------------------------------

    def pump(self, now: Now) -> None:
        """Hand out what this turn brought, or made room for, to those who are marked."""
        marked = self._core.to_pump
        if not marked:
            return
        self._core.to_pump = []
        self._left = HANDED_PER_TURN_MAX
        for session in marked:
            session.in_pump = False
            if session.account is not None and not session.account.closing:
                self._pump(session, now)

    def _pump(self, session: Session, now: Now) -> None:
        session.is_stopped = False
        account = session.account
        assert account is not None
        # What comes next for this session is kept as it will be handed out; past so many entries
        # as little as can be (see store.queue).
        entries = self._core.state.tail_entries
        account.queue.is_awaited = session.live and entries < AWAITED_ENTRIES_MAX
        while session.checks:
            stop = self._go_on(session, session.checks[0], now)
            if stop is Stop.FULL or stop is Stop.LATER:
                self._stopped(session, stop)
                return
            session.checks.popleft()
        if session.live:
            if not session.is_damaged:
                self._push(session, now)
        else:
            self._tell_waiting(session)

    def _stopped(self, session: Session, stop: Stop) -> None:
        if stop is Stop.FULL:
            session.is_stopped = True
        elif stop is Stop.LATER:
            self._core.mark(session)

    def _push(self, session: Session, now: Now) -> None:
        """What came since the login, as far as the window goes."""
        try:
            stop = self._hand_out(session, self._push_lane(session), None, now)
        except StoreDamaged as error:
            # Once: every further message would find the same place.
            session.is_damaged = True
            self._report(session, error, None, now)
            return
        self._stopped(session, stop)

    def _tell_waiting(self, session: Session) -> None:
        waiting = self.remaining(session)
        if waiting and waiting != session.told_waiting:
            text = "there is 1 message for you" if waiting == 1 else "there are messages for you"
            self._core.say(session, Notice(NoticeKind.MAIL_WAITING, text, waiting))
        session.told_waiting = waiting

    def _go_on(self, session: Session, check: Check, now: Now) -> Stop:
        """Hand out what a check asked for, as far as the window goes; tell when it is complete."""
        try:
            if check.outcomes_only:
                stop = self._hand_out(session, self._outcomes_lane(session), check, now)
            else:
                stop = self._hand_out(session, self._backlog_lane(session), check, now)
                if stop is Stop.EMPTY and session.live:
                    # Also what is news and not out yet, so that the check brings all there is.
                    stop = self._hand_out(session, self._push_lane(session), check, now)
        except StoreDamaged as error:
            self._report(session, error, check.request, now)
            return Stop.EMPTY
        if stop is Stop.EMPTY or stop is Stop.ENOUGH:
            remaining = session.told_waiting = self.remaining(session)
            complete = CheckComplete(check.request, min(check.delivered, COUNT_MAX), remaining)
            self._core.say(session, complete)
        return stop

    def _report(self, session: Session, error: StoreDamaged, request: int | None, now: Now) -> None:
        self._core.note(EventKind.ERROR, f"mailbox of {session.name}: {error}", now)
        text = (
            "your queue on the server is damaged; its operator has been told; "
            "other users are not affected"
        )
        self._core.say(session, Error(Code.INTERNAL, text, request=request))

    # ----- lanes ------------------------------------------------------------------------------

    def _push_lane(self, session: Session) -> QueueReader:
        if session.push is None:
            session.push = self._lane(session, session.boundary, None)
        return session.push

    def _backlog_lane(self, session: Session) -> QueueReader:
        if session.backlog is None:
            session.backlog = self._lane(session, 0, session.boundary if session.live else None)
        return session.backlog

    def _outcomes_lane(self, session: Session) -> QueueReader:
        if session.outcomes is None:
            session.outcomes = self._lane(session, 0, session.boundary if session.live else None)
        return session.outcomes

    def _lane(self, session: Session, after: int, until: int | None) -> QueueReader:
        assert session.account is not None
        return self._store.reader(session.account, after, until)

    def _hand_out(self, session: Session, lane: QueueReader, check: Check | None, now: Now) -> Stop:
        """Put out entries of a lane until the window, the check or the lane is at its end."""
        core = self._core
        limits = core.limits
        outcomes_only = check is not None and check.outcomes_only
        outstanding = session.outstanding
        account = session.account
        assert account is not None
        slices_left = SLICES_PER_TURN_MAX
        handed = 0
        while True:
            if check is not None and not check.left:
                return Stop.ENOUGH
            count = limits.window_messages_max - len(outstanding)
            room_bytes = limits.window_bytes_max - session.outstanding_bytes
            # With less room than the largest message there is no telling whether the next one fits.
            if count <= 0 or room_bytes < limits.body_bytes_max:
                if self._is_all_out(session, outcomes_only):
                    return Stop.EMPTY
                if not session.confirmed:
                    return Stop.FULL
                self._receipts.settle(session, now)  # it makes room, and waits no longer
                continue
            share = max(self._left, SURE_PER_TURN - handed)
            if share <= 0:
                return Stop.LATER
            count = min(count, share)
            if check is not None and check.left < count:
                count = check.left
            found = lane.read_rows(count, room_bytes, outcomes_only=outcomes_only)
            handed += len(found.rows)
            self._left -= len(found.rows)
            if found.rows:
                # Encoded at once, and held back as any message is until what it rests on is
                # durable (measured with a check's or a push's 64: 0.6 us a message, 3.4 as values).
                if check is None and len(found.rows) == 1:
                    frames_out = self._handed_one(session, found)
                else:
                    frames_out = self._handed(session, found, check)
                if frames_out:
                    core.say_bytes(session, frames_out)
            if lane.exhausted:
                return Stop.EMPTY
            if not found.rows:
                if len(account.settled) >= SETTLED_RANGES_MAX:
                    if not session.confirmed:
                        return Stop.FULL  # a receipt must close a gap first
                    self._receipts.settle(session, now)
                    continue
                slices_left -= 1
                if not slices_left:
                    return Stop.LATER

    def _is_all_out(self, session: Session, outcomes_only: bool) -> bool:
        """Whether everything in the queue is out already: told without looking into it."""
        account = session.account
        assert account is not None
        outcomes_out = len(session.outstanding) - session.outstanding_messages
        if account.outcomes_waiting != outcomes_out:
            return False
        return outcomes_only or not self.remaining(session)

    def _handed_one(self, session: Session, found: Rows) -> bytes:
        """`_handed` for one entry that is pushed, without what only pays for rows."""
        row, settlement = found.rows[0], found.settlements[0]
        number, kind = row[0], settlement[KIND]
        outstanding = session.outstanding
        if number in outstanding:
            return b""
        outstanding[number] = settlement
        if kind == MESSAGE:
            session.outstanding_messages += 1
            session.outstanding_bytes += found.body_bytes
            self._core.tally.delivered += 1
            return write_message(row)
        return write_success(row) if kind == SUCCESS else frames.encode(_failure(row))

    def _handed(self, session: Session, found: Rows, check: Check | None) -> bytes:
        """Count entries as out, and give the frames that carry them."""
        outstanding = session.outstanding
        settlements, rows = found.settlements, found.rows
        numbers = [row[0] for row in rows]
        if not outstanding.keys().isdisjoint(numbers):  # another lane of this session has some out
            is_new = [number not in outstanding for number in numbers]
            settlements, rows = list(compress(settlements, is_new)), list(compress(rows, is_new))
            numbers = list(compress(numbers, is_new))
        outstanding.update(zip(numbers, settlements, strict=True))
        frames_out = Deliveries(None if check is None else check.request)
        messages = body_bytes = outcomes = 0
        for kind, some in _alike([settlement[KIND] for settlement in settlements], rows):
            if kind == MESSAGE:
                messages += len(some)
                body_bytes += sum([len(body) for _, _, _, _, _, _, _, body in some])
                frames_out.add_messages(some)
                continue
            outcomes += len(some)
            if kind == SUCCESS:
                frames_out.add_successes(some)
            else:
                for row in some:
                    frames_out.add_frame(frames.encode(_failure(row)))
        session.outstanding_messages += messages
        session.outstanding_bytes += body_bytes
        self._core.tally.delivered += messages
        if check is not None:
            check.delivered += messages
            check.left -= outcomes if check.outcomes_only else messages
        return frames_out.written()


def _alike(kinds: list[int], rows: list[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Rows of one kind that stand next to each other, together."""
    start, last = 0, len(kinds)
    for end in range(1, last + 1):
        if end == last or kinds[end] != kinds[start]:
            yield kinds[start], rows[start:end]
            start = end


def _failure(row: Row) -> MessageFailure:
    """What tells of a message that came to nothing."""
    number, message_id, encoded, at_ms, _, _, code, _ = row
    recipient = encoded.decode()
    text = f"{recipient} deleted the account before reading the message"
    if code == Code.RECALLED:
        text = f"the message was taken back before {recipient} was handed it"
    return MessageFailure(
        message_id, code, text, (recipient,), delivery=number, settled_at_ms=at_ms
    )
