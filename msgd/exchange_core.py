"""What all rules share: who is connected, who is logged in, whom there is something to tell.

Must never decide anything: the rules are in the modules beside this one.
Fails never by itself.
"""

from dataclasses import dataclass, field

from msgd.bans import Bans
from msgd.events import EventKind, EventLog
from msgd.limits import ExchangeLimits
from msgd.session import Session
from msgd.values import Now
from store.state import State
from store.store import Store
from wire.codes import Code
from wire.messages import Message, Ping

REQUEST_MAX = (1 << 32) - 1


@dataclass(slots=True)
class Tally:
    """Counts since the start of the process, for people to look at."""

    logins: int = 0
    accepted: int = 0
    """Messages taken, however many recipients each had."""
    accepted_bytes: int = 0
    """Of their bodies."""
    refused: int = 0
    """Messages refused."""
    delivered: int = 0
    """Messages put out to a recipient, repeats after a lost connection included."""
    settled: int = 0
    """Entries that left a queue because they were confirmed."""
    logins_refused: dict[Code, int] = field(default_factory=dict)
    """By reason, only those that there were."""

    def refuse_login(self, code: Code) -> None:
        """Count one login that was not let in."""
        self.logins_refused[code] = self.logins_refused.get(code, 0) + 1


class Core:
    """See the module's text."""

    __slots__ = (
        "_pings",
        "bans",
        "dirty",
        "events",
        "limits",
        "online",
        "sessions",
        "state",
        "store",
        "tally",
        "to_pump",
    )

    def __init__(self, store: Store, limits: ExchangeLimits, events: EventLog) -> None:
        self.store: Store = store
        self.state: State = store.state
        self.limits = limits
        self.events = events
        self.sessions: dict[int, Session] = {}
        self.online: dict[str, Session] = {}
        self.dirty: list[Session] = []
        self.to_pump: list[Session] = []
        self.tally = Tally()
        self.bans = Bans()
        self._pings = 0

    def say(self, session: Session, message: Message) -> None:
        """Queue a message to a session: it leaves when all changes made so far are durable."""
        session.put(message, self.store.pending_lsn)
        if not session.in_dirty:
            session.in_dirty = True
            self.dirty.append(session)

    def say_bytes(self, session: Session, frames: bytes) -> None:
        """The same for whole frames that leave the connection's state as it is."""
        session.put(frames, self.store.pending_lsn)
        if not session.in_dirty:
            session.in_dirty = True
            self.dirty.append(session)

    def mark(self, session: Session) -> None:
        """There may be something in the session's queue to hand out, at the end of the turn."""
        if not session.in_pump:
            session.in_pump = True
            self.to_pump.append(session)

    def doom(self, session: Session, reason: str, *, at_once: bool = False) -> None:
        """Have the connection closed once its outbox is flushed. Nothing of it is read any more."""
        session.closing = reason
        session.at_once = at_once
        session.checks.clear()
        if not session.in_dirty:
            session.in_dirty = True
            self.dirty.append(session)

    def ping(self, session: Session, now: Now) -> None:
        """Ask a session whether it is there."""
        self._pings = self._pings % REQUEST_MAX + 1
        self.say(session, Ping(self._pings))
        if session.ping_ms is None:
            session.ping_ms = now.monotonic_ms

    def note(self, kind: EventKind, text: str, now: Now) -> None:
        """Add an event. The text is safe."""
        self.events.add(kind, text, now.wall_ms)
