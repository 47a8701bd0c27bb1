"""The rules: who may do what, who gets what, in which order. Messages in; records and messages out.

The reactor calls, once a turn and in this order: `receive` for each frame, `end_turn`; then it
commits the store and sends what the sessions of `take_dirty` have in their outboxes, each
message once the batch that it rests on is durable.

Must never do I/O other than reading a mailbox through the store, look at a clock, or put out a
message that rests on a record under an LSN before that record's. Everything is deterministic.
Fails: a peer's mistake comes back as a message, or dooms its session; a damaged mailbox concerns
its user only; what the store raises besides (StoreFailure) ends the process.
"""

from msgd.events import EventLog
from msgd.limits import ExchangeLimits
from msgd.session import Session
from msgd.values import Now
from store.store import Store
from wire.connection import Unsupported
from wire.errors import RemoteProtocolError
from wire.messages import Message


class Exchange:
    """The rules. See the module's text for the order of calls."""

    def __init__(self, store: Store, limits: ExchangeLimits, events: EventLog) -> None:
        self.sessions: dict[int, Session] = {}
        """All open ones, by number."""
        self.online: dict[str, Session] = {}
        """Those that are logged in, by name."""
        self.dirty: list[Session] = []
        """What `take_dirty` will give: not empty means that another turn should follow at once."""

    def open_session(self, peer: str, now: Now) -> Session:
        """A connection was accepted. `peer` is safe to show."""
        raise NotImplementedError

    def receive(self, session: Session, message: Message | Unsupported, now: Now) -> None:
        """A frame came. Ignored when the session is closing."""
        raise NotImplementedError

    def break_session(self, session: Session, error: RemoteProtocolError, now: Now) -> None:
        """The peer broke the protocol: it is told why, and the session is closing."""
        raise NotImplementedError

    def close_session(self, session: Session, reason: str, now: Now) -> None:
        """The connection is gone: the reactor closed it, or the peer did. Again does nothing."""
        raise NotImplementedError

    def tick(self, now: Now) -> None:
        """Do what is due by the clock. Cheap when nothing is."""
        raise NotImplementedError

    def next_deadline_ms(self) -> int | None:
        """The monotonic time at which `tick` may next have something to do."""
        raise NotImplementedError

    def work(self, now: Now) -> bool:
        """One slice of what takes long (forced deletions); True while there is more."""
        raise NotImplementedError

    def end_turn(self, now: Now) -> None:
        """Push what this turn brought to those who are online. Just before the commit."""
        raise NotImplementedError

    def take_dirty(self) -> list[Session]:
        """The sessions with news in their outbox, or newly closing, since the last call."""
        raise NotImplementedError

    def kick(self, name: str, now: Now) -> bool:
        """The operator ends a user's session; False when there is none."""
        raise NotImplementedError

    def announce(self, text: str, now: Now) -> int:
        """The operator tells everybody who is logged in; gives how many that are."""
        raise NotImplementedError

    def shut_down(self, now: Now) -> None:
        """Tell everybody that the server stops; all sessions are closing."""
        raise NotImplementedError
