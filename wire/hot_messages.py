"""The frames of every message's life as values: what is made by the hundred thousand.

Slotted and not frozen, because a frozen dataclass costs five times as much to make; none is changed
once made. The constructors are written out: a generated one stays interpreted in a compiled build
(measured there: 0.03 us, 0.18 us).

Must never hold more than values, as `wire.messages`, which gives these out with all others.
Fails never; what cannot be said in a frame is refused when it is encoded.
"""

from dataclasses import dataclass


@dataclass(slots=True, init=False)
class SendMessage:
    """To the named recipients, or to everyone. `body` is UTF-8."""

    request: int
    message_id: bytes
    body: bytes
    recipients: tuple[str, ...] = ()
    everyone: bool = False

    def __init__(
        self,
        request: int,
        message_id: bytes,
        body: bytes,
        recipients: tuple[str, ...] = (),
        everyone: bool = False,
    ) -> None:
        self.request = request
        self.message_id = message_id
        self.body = body
        self.recipients = recipients
        self.everyone = everyone


@dataclass(slots=True, init=False)
class MessagePending:
    """It is on the disk, in the queues of `recipients_count` users."""

    request: int
    message_id: bytes
    recipients_count: int | None = None
    received_at_ms: int | None = None
    duplicate: bool = False

    def __init__(
        self,
        request: int,
        message_id: bytes,
        recipients_count: int | None = None,
        received_at_ms: int | None = None,
        duplicate: bool = False,
    ) -> None:
        self.request = request
        self.message_id = message_id
        self.recipients_count = recipients_count
        self.received_at_ms = received_at_ms
        self.duplicate = duplicate


@dataclass(slots=True, init=False)
class MessageSuccess:
    """The recipient's client has confirmed it. To be confirmed in turn, by its `delivery`."""

    delivery: int
    message_id: bytes
    recipient: str
    delivered_at_ms: int

    def __init__(
        self, delivery: int, message_id: bytes, recipient: str, delivered_at_ms: int
    ) -> None:
        self.delivery = delivery
        self.message_id = message_id
        self.recipient = recipient
        self.delivered_at_ms = delivered_at_ms


@dataclass(slots=True, init=False)
class DistributeMessage:
    """A message for you. `request` is that of the CHECK_MESSAGES that asked for it, if one did."""

    delivery: int
    message_id: bytes
    sender: str
    received_at_ms: int
    audience: int
    audience_count: int
    body: bytes
    request: int | None = None

    def __init__(  # noqa: PLR0917  # as the fields stand in the frame
        self,
        delivery: int,
        message_id: bytes,
        sender: str,
        received_at_ms: int,
        audience: int,
        audience_count: int,
        body: bytes,
        request: int | None = None,
    ) -> None:
        self.delivery = delivery
        self.message_id = message_id
        self.sender = sender
        self.received_at_ms = received_at_ms
        self.audience = audience
        self.audience_count = audience_count
        self.body = body
        self.request = request


@dataclass(slots=True, init=False)
class MessageReceipt:
    """I hold these safely: take them out of my queue. With `request` it is answered."""

    deliveries: tuple[int, ...]
    request: int | None = None

    def __init__(self, deliveries: tuple[int, ...], request: int | None = None) -> None:
        self.deliveries = deliveries
        self.request = request


@dataclass(slots=True, init=False)
class ReceiptSettled:
    """They are out of the queue, durably."""

    request: int
    count: int

    def __init__(self, request: int, count: int) -> None:
        self.request = request
        self.count = count
