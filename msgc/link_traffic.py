"""Messages through the link: the outbox onto the wire, arrivals and fates into the archive.

Must never put a message on the wire before its attempt is on the disk, nor give out a receipt
before what it confirms is; the receipts are taken after the commit.
Fails with RemoteProtocolError for what the server did wrong, and lets ArchiveError through.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from msgc import limits
from msgc.archive import Archive
from msgc.archive_recalls import RecallAnswer
from msgc.link_events import (
    LinkEvent,
    MessageArrived,
    OutcomeArrived,
    RecallAnswered,
    SendAnswered,
    SendPostponed,
)
from msgc.link_pulse import Pause
from msgc.link_requests import Asked, Kind, Requests
from msgc.states import FateState
from msgc.states import SendState as Send
from msgc.values import Arrival, Received
from msgc.words import (
    CODE_ACCOUNT_GONE,
    CODE_ID_REUSED,
    CODE_NOT_SENDABLE,
    CODE_TAKEN_BACK,
)
from wire import frames, messages
from wire.codes import Audience, Code
from wire.connection import Unsupported
from wire.errors import LocalProtocolError, RemoteProtocolError
from wire.limits import DELIVERIES_MAX
from wire.messages import Message, MessageReceipt, RecallMessage, SendMessage

_TRY_AGAIN: Final = (Code.BUSY, Code.STORAGE_FULL)
"""Refusals that pass by themselves."""

_ASK_AGAIN: Final = (*_TRY_AGAIN, Code.INTERNAL)
"""For recalls: the server may have made one whose answer was lost, and be unable just now to read
so. To give up would leave a message that nobody will get waiting for ever."""
_NUMBER_MAX: Final = 2**63 - 1
"""What the archive can count; a wire number above it is none of an honest server's."""


class Traffic:
    """See the module's text. One for each link; `clear` when its connection is gone."""

    def __init__(
        self,
        archive: Archive,
        requests: Requests,
        events: deque[LinkEvent],
        random: Callable[[], float],
    ) -> None:
        self._archive = archive
        self._requests = requests
        self._events = events
        self._in_flight: set[bytes] = set()
        self._recalling: set[bytes] = set()
        self._receipts: list[int] = []
        self._pause = Pause(random)
        self._recall_pause = Pause(random)
        self.server_id = b""
        self.blocked: frozenset[str] = frozenset()
        """Whose messages to everyone are not told of, as the server said last."""
        self.may_have_more = True
        """Whether something UNSENT may not be under way: False after a look that began it all."""

    def clear(self) -> None:
        """The connection is gone: what was under way is in doubt, and will be sent again."""
        self._in_flight.clear()
        self._recalling.clear()
        self._receipts.clear()

    def begin_session(self, account: int | None, *, created: bool) -> None:
        """Logged in. Messages in doubt that nobody will answer for are given up, and told."""
        self.may_have_more = True
        self._pause.end()
        self._recall_pause.end()
        lost = self._archive.begin_session(
            self.server_id, account, created=created, code=CODE_ACCOUNT_GONE
        )
        for message_id in lost:
            self._tell_failed(message_id, CODE_ACCOUNT_GONE, "")

    def end_account(self) -> None:
        """The account is deleted."""
        for message_id in self._archive.end_account(CODE_ACCOUNT_GONE):
            self._tell_failed(message_id, CODE_ACCOUNT_GONE, "")

    # ----- out ----------------------------------------------------------------------------

    def next_sends(self, buffered_bytes: int, now_ms: int) -> list[SendMessage]:
        """The next messages to put on the wire; their attempts are on the disk already."""
        self.may_have_more = True
        free = limits.SENDS_IN_FLIGHT_MAX - len(self._in_flight)
        if free <= 0 or buffered_bytes >= limits.SEND_BUFFER_BYTES_MAX:
            return []
        if self._pause.holds(now_ms):
            return []
        outbox = self._archive.outbox
        chosen: list[tuple[SendMessage, bool]] = []
        count_max = limits.SENDS_IN_FLIGHT_MAX + len(self._in_flight)
        unsent = outbox.unsent_ids(count_max)
        for message_id in unsent:
            if len(chosen) >= free or buffered_bytes >= limits.SEND_BUFFER_BYTES_MAX:
                break
            content = None if message_id in self._in_flight else outbox.content(message_id)
            if content is None:
                continue
            body = content.body.encode("utf-8")
            message = SendMessage(1, message_id, body, content.recipients, content.everyone)
            try:
                buffered_bytes += len(frames.encode(message))
            except LocalProtocolError as error:
                outbox.record_refused(message_id, CODE_NOT_SENDABLE, str(error))
                self._tell_failed(message_id, CODE_NOT_SENDABLE, str(error))
                continue
            chosen.append((message, content.attempts == 0))
        else:
            self.may_have_more = len(unsent) == count_max
        return self._begin(chosen)

    def _begin(self, chosen: list[tuple[SendMessage, bool]]) -> list[SendMessage]:
        begun: list[SendMessage] = []
        if not chosen:
            return begun
        ids = [message.message_id for message, _ in chosen]
        still_wanted = self._archive.outbox.mark_attempts(ids)
        for message, first in chosen:
            if message.message_id not in still_wanted:
                continue
            asked = Asked(Kind.SEND, message_id=message.message_id, flag=first)
            request = self._requests.add(asked)
            if request is None:
                self.may_have_more = True
                break
            message.request = request
            self._in_flight.add(message.message_id)
            begun.append(message)
        return begun

    @property
    def resume_ms(self) -> int | None:
        """When a pause ends, and there may be something to put on the wire again."""
        end_ms, recall_end_ms = self._pause.until_ms, self._recall_pause.until_ms
        if end_ms is None or recall_end_ms is None:
            return recall_end_ms if end_ms is None else end_ms
        return min(end_ms, recall_end_ms)

    def next_recalls(self, now_ms: int) -> list[RecallMessage]:
        """What to ask back. A message that is under way is first let arrive."""
        recalls: list[RecallMessage] = []
        if self._recall_pause.holds(now_ms):
            return recalls
        free = limits.RECALLS_IN_FLIGHT_MAX - len(self._recalling)
        wanted = self._archive.recalls.open_ids(limits.RECALLS_IN_FLIGHT_MAX)
        if len(wanted) == limits.RECALLS_IN_FLIGHT_MAX:
            self.may_have_more = True  # their turn comes when these are answered
        for message_id in wanted:
            busy = message_id in self._recalling or message_id in self._in_flight
            skipped = busy or free <= len(recalls)
            content = None if skipped else self._archive.outbox.content(message_id)
            if content is None:
                self.may_have_more = True
                continue
            request = self._requests.add(Asked(Kind.RECALL, message_id=message_id))
            if request is None:
                break
            self._recalling.add(message_id)
            recalls.append(RecallMessage(request, message_id, content.recipients, content.everyone))
        return recalls

    # ----- in -----------------------------------------------------------------------------

    def handle(self, message: Message | Unsupported) -> None:
        """A message about messages, inside the archive's transaction. Others are passed over."""
        match message:
            case messages.DistributeMessage():
                self._on_arrival(message)
            case messages.MessagePending():
                self._on_pending(message)
            case messages.MessageFailure() if message.delivery is not None:
                state = FateState.UNKNOWN
                if message.code == Code.RECIPIENT_DELETED:
                    state = FateState.RECIPIENT_DELETED
                elif message.code == Code.RECALLED:
                    state = FateState.RECALLED
                for recipient in message.recipients:
                    self._on_outcome(message.message_id, recipient, state, message.settled_at_ms)
                self._confirm(message.delivery)
            case messages.MessageFailure() if message.request is not None:
                asked = self._requests.take(message.request, Kind.SEND)
                _check_id(asked, message.message_id)
                self.refuse(asked, message.code, message.text, message.recipients)
            case messages.MessageRecalled():
                self._on_recalled(message)
            case messages.RecallFailure():
                asked = self._requests.take(message.request, Kind.RECALL)
                self.refuse_recall(asked, message.code)
            case messages.MessageSuccess():
                at_ms = message.delivered_at_ms
                self._on_outcome(message.message_id, message.recipient, FateState.DELIVERED, at_ms)
                self._confirm(message.delivery)
            case _:
                pass

    def refuse(self, asked: Asked, code: int, text: str, recipients: tuple[str, ...]) -> None:
        """The server will not have this message, or not now."""
        self._in_flight.discard(asked.message_id)
        if code in _TRY_AGAIN:
            self._postpone(asked.message_id, code, text)
            return
        if self._archive.outbox.record_refused(asked.message_id, code, text, recipients):
            self._tell_failed(asked.message_id, code, text)

    def refuse_recall(self, asked: Asked, code: int) -> None:
        """The server will not take this message back, or not now."""
        message_id = asked.message_id
        self._recalling.discard(message_id)
        recalls = self._archive.recalls
        if code in _ASK_AGAIN:
            self._recall_pause.begin()
            self.may_have_more = True
        elif code == Code.UNKNOWN_MESSAGE:
            if recalls.record_unknown(message_id, CODE_TAKEN_BACK):
                self._tell_failed(message_id, CODE_TAKEN_BACK, "")
        else:
            recalls.record_refused(message_id, code)
        self._events.append(RecallAnswered(message_id, code))

    def take_receipts(self) -> Iterator[MessageReceipt]:
        """What to confirm, once it is committed."""
        receipts, self._receipts = self._receipts, []
        for start in range(0, len(receipts), DELIVERIES_MAX):
            yield MessageReceipt(tuple(receipts[start : start + DELIVERIES_MAX]))

    def _on_arrival(self, message: messages.DistributeMessage) -> None:
        self._confirm(message.delivery)
        arrival = Arrival(
            server_id=self.server_id,
            delivery=message.delivery,
            message_id=message.message_id,
            sender=message.sender,
            received_at_ms=min(message.received_at_ms, _NUMBER_MAX),
            audience=message.audience,
            audience_count=message.audience_count,
            body=message.body.decode("utf-8"),
        )
        (received,) = self._archive.inbox.store((arrival,))
        if arrival.audience == Audience.EVERYONE and arrival.sender in self.blocked:
            self._put_away(received, message.request)
        elif received is not None:
            self._events.append(MessageArrived(received, message.request))

    def _put_away(self, received: Received | None, check: int | None) -> None:
        """To everyone, from somebody who is blocked: it is in the history, and nobody is told."""
        if received is not None:
            self._archive.inbox.mark_read((received.number,))
        asked = None if check is None else self._requests.find(check)
        if asked is not None and asked.kind is Kind.CHECK:
            asked.count += 1

    def _on_pending(self, message: messages.MessagePending) -> None:
        asked = self._requests.take(message.request, Kind.SEND)
        _check_id(asked, message.message_id)
        outbox = self._archive.outbox
        if message.duplicate and asked.flag:
            # Never sent before and yet known there: another copy of this archive used the id.
            outbox.leap()
            self.refuse(asked, CODE_ID_REUSED, "", ())
            return
        self._in_flight.discard(message.message_id)
        self._pause.reset()
        at_ms = message.received_at_ms
        at_ms = None if at_ms is None else min(at_ms, _NUMBER_MAX)
        outbox.record_accepted(message.message_id, message.recipients_count, at_ms)
        self._events.append(SendAnswered(message.message_id, Send.PENDING, None, None))

    def _on_recalled(self, message: messages.MessageRecalled) -> None:
        asked = self._requests.take(message.request, Kind.RECALL)
        _check_id(asked, message.message_id)
        self._recalling.discard(message.message_id)
        if message.later:
            self._recall_pause.begin()
            self.may_have_more = True
        else:
            self._recall_pause.reset()
        self._archive.recalls.record_answer(
            message.message_id,
            RecallAnswer(message.everyone, message.recalled, message.handed_out, not message.later),
        )
        self._events.append(RecallAnswered(message.message_id, None))

    def _postpone(self, message_id: bytes, code: int, text: str) -> None:
        delay_ms = self._pause.begin()
        self.may_have_more = True
        at_ms = self._archive.outbox.record_postponed(message_id, code, text, delay_ms)
        self._events.append(SendPostponed(message_id, code, text, at_ms))

    def _on_outcome(
        self, message_id: bytes, recipient: str, state: FateState, at_ms: int | None
    ) -> None:
        at_ms = None if at_ms is None else min(at_ms, _NUMBER_MAX)
        if self._archive.outbox.record_outcome(message_id, recipient, state, at_ms):
            self._events.append(OutcomeArrived(message_id, recipient, state, at_ms))

    def _confirm(self, delivery: int) -> None:
        if delivery > _NUMBER_MAX:
            raise RemoteProtocolError(Code.MALFORMED, "its delivery has an impossible number")
        self._receipts.append(delivery)

    def _tell_failed(self, message_id: bytes, code: int, text: str) -> None:
        self._events.append(SendAnswered(message_id, Send.FAILED, code, text))


def _check_id(asked: Asked, message_id: bytes) -> None:
    if asked.message_id != message_id:
        raise RemoteProtocolError(Code.MALFORMED, "it answered about another message")
