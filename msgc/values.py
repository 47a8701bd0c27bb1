"""What the archive keeps, as values: messages, their fates, drafts; and how many.

The archive gives them out, the link reports with them (`msgc.link_events`), the screens and the
commands show them. Times are milliseconds since 1970 UTC (`_ms`), by the server's clock where the
server said them.

Must never do anything: no I/O, no rule beyond counting what a value holds.
Fails never.
"""

from dataclasses import dataclass

from msgc.states import FateState, SendState


@dataclass(frozen=True, slots=True)
class Fate:
    """One recipient of a message of one's own."""

    recipient: str
    state: FateState
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """The wish to take a message back, and what the server answered.

    `is_open`: it is asked, and asked again, by itself. `code` says why it was not done; `rest` that
    a message to everyone was taken back from all but those whose fate is known.
    """

    is_open: bool
    asked_at_ms: int
    answered_at_ms: int | None = None
    code: int | None = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of one's own, from the outbox. `message_id` (16 bytes) is its identity.

    For a message to everyone `recipients` is empty and `fates` grows as answers come.
    """

    message_id: bytes
    recipients: tuple[str, ...]
    everyone: bool
    body: str
    composed_at_ms: int
    state: SendState
    attempts: int = 0
    code: int | None = None
    text: str | None = None
    refused_recipients: tuple[str, ...] = ()
    accepted_count: int | None = None
    accepted_at_ms: int | None = None
    fates: tuple[Fate, ...] = ()
    recall: Recall | None = None
    retry_at_ms: int | None = None
    """UNSENT because the server could not take it for now: when it goes again. Why is in `code`."""

    @property
    def total(self) -> int:
        """How many recipients it has, as far as is known here."""
        named = len(self.recipients) or len(self.fates)
        return max(self.accepted_count or 0, named)

    @property
    def delivered(self) -> int:
        """How many recipients hold it."""
        return sum(fate.state is FateState.DELIVERED for fate in self.fates)

    @property
    def lost(self) -> int:
        """How many will never have it, or will never tell."""
        ends = (FateState.RECIPIENT_DELETED, FateState.UNKNOWN)
        return sum(fate.state in ends for fate in self.fates)

    @property
    def recalled(self) -> int:
        """From how many it was taken back."""
        if self.recall is not None and self.recall.rest:
            pending = (FateState.WAITING, FateState.HANDED_OUT)
            handed_out = sum(fate.state in pending for fate in self.fates)
            return max(0, self.total - self.delivered - self.lost - handed_out)
        return sum(fate.state is FateState.RECALLED for fate in self.fates)

    @property
    def waiting(self) -> int:
        """How many copies are in the server's queues. 0 unless it was accepted."""
        if self.state is not SendState.PENDING:
            return 0
        return max(0, self.total - self.delivered - self.lost - self.recalled)

    @property
    def can_recall(self) -> bool:
        """Whether there may be somebody to take it back from."""
        if self.state is SendState.PENDING:
            return self.waiting > 0 or (self.everyone and self.accepted_count is None)
        return self.state is SendState.UNSENT

    @property
    def number(self) -> int:
        """A short number for people: what this installation has counted it as."""
        return int.from_bytes(self.message_id[8:], "big")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came from the server, not yet in the archive."""

    server_id: bytes
    delivery: int
    message_id: bytes
    sender: str
    received_at_ms: int
    audience: int
    audience_count: int
    body: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message from somebody, from the archive. `number` is its identity, in order of arrival.

    `audience` is a `wire.codes.Audience` (or a later server's number), `received_at_ms` the time
    when the server received it, `stored_at_ms` when it came to this archive.
    """

    number: int
    sender: str
    received_at_ms: int
    audience: int
    audience_count: int
    body: str
    unread: bool
    stored_at_ms: int
    delivery: int
    message_id: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A text begun. `purpose` is whatever the screens key it by, one draft each."""

    purpose: str
    recipients: tuple[str, ...]
    everyone: bool
    body: str
    saved_at_ms: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history: exactly one of the two is there."""

    at_ms: int
    received: Received | None
    sent: Sent | None


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """Messages of one's own, counted. `waiting` have at least one copy not yet delivered; of those
    that nobody waits for any more `delivered` have reached somebody.
    """

    unsent: int
    waiting: int
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """Messages from others, counted."""

    unread: int
    kept: int
