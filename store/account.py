"""One account and everyone's queue, as they are in memory while somebody needs them.

Must never hold what is neither durable nor marked as a cache: an account that nobody holds is put
to rest as the bytes of its last saved state (see `store.accounts`), and comes back from these.
"""

from typing import TYPE_CHECKING, NamedTuple

from store.credential import Credential
from store.native import mypyc_attr
from store.queue import Queue
from store.ranges import Ranges
from store.window import Window

if TYPE_CHECKING:  # State is made of what stands here
    from store.state import State

EVERYONE = 0  # the pseudo account whose queue holds what was sent to everyone


class Withdrawn(NamedTuple):
    """An entry of everyone's queue that its sender has recalled."""

    number: int
    body_bytes: int
    sender: int
    at_number: int  # of the record that recalled it
    kept: tuple[int, ...]  # the accounts that a client may have it of, and that it still waits for


class Everyone:
    """The one shared queue of what was sent to everyone, and how much that ever was."""

    __slots__ = ("queue", "recalled", "stamp", "total", "total_bytes", "trusted_end")

    def __init__(self) -> None:
        self.queue = Queue(EVERYONE)
        self.stamp = 0
        self.total = 0
        self.total_bytes = 0
        self.trusted_end = 0  # end_offset as of the last complete checkpoint
        # By number: what was recalled, while there is somebody in whose queue it still stands.
        self.recalled: dict[int, Withdrawn] = {}


@mypyc_attr(allow_interpreted_subclasses=True)
class Account:
    """A user's account: durable, except for what is marked as cache.

    What is in memory is its subclass `store.awake.AwakeAccount`.
    """

    __slots__ = (
        "blocked",
        "closing_bytes",
        "closing_number",
        "closing_total",
        "created_at_ms",
        "credential",
        "everyone_hint",
        "everyone_seen",
        "everyone_seen_bytes",
        "handed_from",
        "handed_to",
        "last_seen_ms",
        "name",
        "name_bytes",
        "number",
        "number_bytes",
        "oldest_at_ms",
        "oldest_number",
        "own_bytes",
        "own_messages",
        "own_outcomes",
        "queue",
        "session_number",
        "settled",
        "stamp",
        "windows",
    )

    def __init__(self, number: int, name: str, created_at_ms: int) -> None:
        self.number = number
        self.number_bytes = number.to_bytes(8, "big")
        self.name = name
        self.name_bytes = name.encode()
        self.created_at_ms = created_at_ms
        self.last_seen_ms = created_at_ms
        self.stamp = number
        self.closing_number = 0  # the record that began the deletion; 0: not closing
        self.closing_total = 0  # everyone's totals at that record
        self.closing_bytes = 0
        self.own_messages = 0  # waiting in the own queue
        self.own_bytes = 0
        self.own_outcomes = 0
        self.everyone_seen = 0  # of everyone's messages: settled, sent by us, or before our time
        self.everyone_seen_bytes = 0
        self.everyone_hint = 0  # as Queue.hint, in everyone's file
        self.session_number = 0  # the record that began the session at work; 0: there is none
        self.handed_from = 0  # what earlier sessions were handed and did not confirm lies between
        self.handed_to = 0
        self.settled = Ranges(number)
        self.windows: dict[bytes, Window] = {}
        self.queue = Queue(number)
        self.blocked: tuple[int, ...] = ()  # accounts whose messages it does not take
        self.credential: Credential | None = None  # of the password, if there is one
        self.oldest_number = 0  # cache: the oldest waiting message that was found
        self.oldest_at_ms = 0

    @property
    def closing(self) -> bool:
        """Whether the deletion has begun: the account takes no more mail."""
        return self.closing_number != 0

    @property
    def outcomes_waiting(self) -> int:
        """Outcomes in the queue."""
        return self.own_outcomes

    def messages_waiting(self, state: "State") -> int:
        """Messages in the queue, everyone's included."""
        everyone = state.everyone
        total = self.closing_total if self.closing_number else everyone.total
        shared = total - self.everyone_seen
        if shared and everyone.recalled:
            shared -= len(self.withdrawn(everyone))
        return self.own_messages + shared

    def bytes_waiting(self, state: "State") -> int:
        """Bytes of the bodies of the messages in the queue."""
        everyone = state.everyone
        total = self.closing_bytes if self.closing_number else everyone.total_bytes
        shared = total - self.everyone_seen_bytes
        if shared and everyone.recalled:
            shared -= sum(each.body_bytes for each in self.withdrawn(everyone))
        return self.own_bytes + shared

    # --- recall ---

    def withdrawn(self, everyone: Everyone) -> list[Withdrawn]:
        """What was recalled from everyone, would be in this queue, and is not settled yet."""
        return [each for each in everyone.recalled.values() if self.lost(each)]

    def lost(self, each: Withdrawn) -> bool:
        """Whether this recall concerns this account: it was to have the message, and will not."""
        number = self.number
        return (
            number < each.number
            and number != each.sender
            and number not in each.kept
            and not (0 < self.closing_number < each.number)
            and not self.settled.covers(each.number)
        )

    def may_have_been_handed(self, number: int) -> bool:
        """Whether an earlier session may have been handed the entry of this number."""
        return self.handed_from <= number <= self.handed_to

    @property
    def marked(self) -> bool:
        """Whether a session is at work (or was, when the server was killed), or left marks."""
        return self.session_number != 0 or self.handed_to != 0
