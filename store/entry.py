"""One thing in a user's queue: a message, or the outcome of one that this user sent.

Must never be changed once somebody else may hold it; slotted and not frozen only because making
a frozen one costs five times as much on the hottest path, and with its constructor written out
because a generated one stays interpreted in a compiled build. There, what holds only numbers and
bytes is also none of the collector's business (a quarter of a message's CPU otherwise).
"""

from dataclasses import dataclass
from enum import IntEnum

from store.native import mypyc_attr


class EntryKind(IntEnum):
    """What an entry is. The numbers stand on the disk."""

    MESSAGE = 1
    SUCCESS = 2
    FAILURE = 3


class Audience(IntEnum):
    """Whom a message was sent to. The numbers stand on the disk."""

    ONE = 1
    SEVERAL = 2
    EVERYONE = 3


@mypyc_attr(acyclic=True)
@dataclass(slots=True, init=False)
class Entry:
    """An entry of a queue.

    MESSAGE: `sender` is an account number, `received_at_ms` when the server took the message.
    SUCCESS, FAILURE: `sender` and `sender_name` are the *recipient's*, `received_at_ms` is when the
    message was settled or discarded, `code` says why it failed, `body` is empty.
    """

    number: int  # the place in the one order of everything; DELIVERY on the wire
    pred: int  # the entry before it in this queue when a reader handed it out; 0 until then
    kind: EntryKind
    message_id: bytes  # 16 bytes: installation, counter
    sender: int
    sender_name: str
    received_at_ms: int
    audience: Audience
    audience_count: int
    code: int
    body: bytes

    def __init__(  # noqa: PLR0917  # as the fields stand on the disk
        self,
        number: int,
        pred: int,
        kind: EntryKind,
        message_id: bytes,
        sender: int,
        sender_name: str,
        received_at_ms: int,
        audience: Audience,
        audience_count: int,
        code: int,
        body: bytes,
    ) -> None:
        self.number = number
        self.pred = pred
        self.kind = kind
        self.message_id = message_id
        self.sender = sender
        self.sender_name = sender_name
        self.received_at_ms = received_at_ms
        self.audience = audience
        self.audience_count = audience_count
        self.code = code
        self.body = body
