"""Messages through the link: the outbox onto the wire, arrivals and fates into the archive.

Must never put a message on the wire before its attempt is on the disk, nor give out a receipt
before what it confirms is; the receipts are taken after the commit.
Fails with RemoteProtocolError for what the server did wrong, and lets ArchiveError through.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from msgc import limits
from msgc.archive import Archive
from msgc.link_requests import Asked, Kind, Requests
from msgc.values import Arrival, FateState, LinkEvent, MessageArrived, OutcomeArrived, SendAnswered
from msgc.values import SendState as Send
from msgc.words import CODE_ACCOUNT_GONE, CODE_ID_REUSED, CODE_NOT_SENDABLE
from wire import frames, messages
from wire.codes import Code
from wire.connection import Unsupported
from wire.errors import LocalProtocolError, RemoteProtocolError
from wire.limits import DELIVERIES_MAX
from wire.messages import Message, MessageReceipt, SendMessage

_NUMBER_MAX: Final = 2**63 - 1
"""What the archive can count; a wire number above it is none of an honest server's."""


class Traffic:
    """See the module's text. One for each link; `clear` when its connection is gone."""

    def __init__(self, archive: Archive, requests: Requests, events: deque[LinkEvent]) -> None:
        self._archive = archive
        self._requests = requests
        self._events = events
        self._in_flight: set[bytes] = set()
        self._receipts: list[int] = []
        self.server_id = b""
        self.may_have_more = True
        """Whether something UNSENT may not be under way: False after a look that began it all."""

    def clear(self) -> None:
        """The connection is gone: what was under way is in doubt, and will be sent again."""
        self._in_flight.clear()
        self._receipts.clear()

    def begin_session(self, created: bool) -> None:
        """Logged in. Messages in doubt that nobody will answer for are given up, and told."""
        self.may_have_more = True
        lost = self._archive.begin_session(self.server_id, created, CODE_ACCOUNT_GONE)
        for message_id in lost:
            self._tell_failed(message_id, CODE_ACCOUNT_GONE, "")

    def end_account(self) -> None:
        """The account is deleted."""
        for message_id in self._archive.end_account(CODE_ACCOUNT_GONE):
            self._tell_failed(message_id, CODE_ACCOUNT_GONE, "")

    # ----- out ----------------------------------------------------------------------------

    def next_sends(self, buffered_bytes: int) -> list[SendMessage]:
        """The next messages to put on the wire; their attempts are on the disk already."""
        self.may_have_more = True
        free = limits.SENDS_IN_FLIGHT_MAX - len(self._in_flight)
        if free <= 0 or buffered_bytes >= limits.SEND_BUFFER_BYTES_MAX:
            return []
        outbox = self._archive.outbox
        chosen: list[tuple[SendMessage, bool]] = []
        count_max = limits.SENDS_IN_FLIGHT_MAX + len(self._in_flight)
        unsent = outbox.unsent_ids(count_max)
        for message_id in unsent:
            if len(chosen) >= free or buffered_bytes >= limits.SEND_BUFFER_BYTES_MAX:
                break
            sent = None if message_id in self._in_flight else outbox.get(message_id)
            if sent is None:
                continue
            message = SendMessage(
                1, message_id, sent.body.encode("utf-8"), sent.recipients, sent.everyone
            )
            try:
                buffered_bytes += len(frames.encode(message))
            except LocalProtocolError as error:
                outbox.record_refused(message_id, CODE_NOT_SENDABLE, str(error))
                self._tell_failed(message_id, CODE_NOT_SENDABLE, str(error))
                continue
            chosen.append((message, sent.attempts == 0))
        else:
            self.may_have_more = len(unsent) == count_max
        return self._begin(chosen)

    def _begin(self, chosen: list[tuple[SendMessage, bool]]) -> list[SendMessage]:
        begun: list[SendMessage] = []
        if not chosen:
            return begun
        self._archive.outbox.mark_attempts([message.message_id for message, _ in chosen])
        for message, first in chosen:
            asked = Asked(Kind.SEND, message_id=message.message_id, flag=first)
            request = self._requests.add(asked)
            if request is None:
                self.may_have_more = True
                break
            message.request = request
            self._in_flight.add(message.message_id)
            begun.append(message)
        return begun

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
                for recipient in message.recipients:
                    self._on_outcome(message.message_id, recipient, state, message.settled_at_ms)
                self._confirm(message.delivery)
            case messages.MessageFailure() if message.request is not None:
                asked = self._requests.take(message.request, Kind.SEND)
                _check_id(asked, message.message_id)
                self.refuse(asked, message.code, message.text, message.recipients)
            case messages.MessageSuccess():
                at_ms = message.delivered_at_ms
                self._on_outcome(message.message_id, message.recipient, FateState.DELIVERED, at_ms)
                self._confirm(message.delivery)
            case _:
                pass

    def refuse(self, asked: Asked, code: int, text: str, recipients: tuple[str, ...]) -> None:
        """The server will not have this message."""
        self._in_flight.discard(asked.message_id)
        if self._archive.outbox.record_refused(asked.message_id, code, text, recipients):
            self._tell_failed(asked.message_id, code, text)

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
        if received is not None:
            self._events.append(MessageArrived(received, message.request))

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
        at_ms = message.received_at_ms
        at_ms = None if at_ms is None else min(at_ms, _NUMBER_MAX)
        outbox.record_accepted(message.message_id, message.recipients_count, at_ms)
        self._events.append(SendAnswered(message.message_id, Send.PENDING, None, None))

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
