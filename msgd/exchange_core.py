"""What all rules share: who is connected, who is logged in, whom there is something to tell.

Must never decide anything: the rules are in the modules beside this one.
Fails never by itself.
"""

from dataclasses import dataclass, field
from typing import Final

from msgd.backoff import Backoff, BackoffLimits
from msgd.bans import Bans
from msgd.events import EventKind, EventLog
from msgd.limits import ExchangeLimits
from msgd.refusals import Refusal
from msgd.session import Session
from msgd.sources import Source, source_of
from msgd.values import Now
from store.state import Account, State
from store.store import Store
from wire.codes import Code
from wire.messages import Message, Ping

REQUEST_MAX = (1 << 32) - 1
SPENDERS_MAX: Final = 65_536
"""Accounts without a session of which it is remembered how fast they sent: for some seconds."""


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
    connections_refused: dict[Refusal, int] = field(default_factory=dict)
    """Before a byte of them was read, by reason, only those that there were."""
    logins_refused: dict[Code, int] = field(default_factory=dict)
    """By reason, only those that there were."""

    def refuse_login(self, code: Code) -> None:
        """Count one login that was not let in."""
        self.logins_refused[code] = self.logins_refused.get(code, 0) + 1


class Core:
    """See the module's text."""

    __slots__ = (
        "_pings",
        "_spent_us",
        "backoff",
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
        self.backoff = Backoff(BackoffLimits())
        self._spent_us: dict[int, int] = {}
        self._pings = 0

    # ----- logins with a password -------------------------------------------------------------

    def login_wait_ms(self, session: Session, name: str, now: Now) -> int:
        """How long this peer must wait before it may try this name again; 0: it may now."""
        return self.backoff.wait_ms(name, _source(session), now.monotonic_ms)

    def login_failed(self, session: Session, name: str, now: Now) -> int:
        """Not the right password, or no such user; gives how long to wait before the next try."""
        session.wrong_logins += 1
        return self.backoff.failed(name, _source(session), now.monotonic_ms)

    def login_succeeded(self, session: Session, name: str) -> None:
        """The right password."""
        session.wrong_logins = 0
        self.backoff.succeeded(name, _source(session))

    # ----- what was sent, from one session of an account to the next ---------------------------

    def begin_spending(self, session: Session, account: Account) -> None:
        """Go on where the account's last session was: to come anew is no way to send more."""
        session.spent_us = self._spent_us.pop(account.number, 0)

    def end_spending(self, session: Session, account: Account, now: Now) -> None:
        """Remember how much the account is ahead of its due."""
        now_us = now.monotonic_ms * 1_000
        if session.spent_us <= now_us:
            return
        if len(self._spent_us) >= SPENDERS_MAX:
            left = {number: at for number, at in self._spent_us.items() if at > now_us}
            self._spent_us = left if len(left) < SPENDERS_MAX else {}
        self._spent_us[account.number] = session.spent_us

    # ----- what goes out ----------------------------------------------------------------------

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


def _source(session: Session) -> Source | None:
    return None if session.address is None else source_of(session.address)
