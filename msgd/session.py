"""One connection as the rules see it: who it is, what is on its way, what is not confirmed.

Must never hold a socket, or be changed by anything but the exchange; the transport takes messages
from the left of `outbox` and does nothing else. Slots, because there is one for each connection and
the hot path lives on them.
Fails by assertion when a message is put that would overtake the durability of one before it.
"""

from collections import deque
from dataclasses import dataclass

from msgd.penalties import Fault
from msgd.proof import PendingLogin, Proven
from msgd.sources import Address, address_of
from store.reader import QueueReader
from store.records import SettledEntry
from store.state import Account
from wire.connection import Connection
from wire.messages import Message
from wire.states import Role


@dataclass(slots=True)
class Check:
    """A CHECK_MESSAGES at work: what was asked, and how much of it went out."""

    request: int
    left: int
    """How many may still go out: messages, or outcomes when only those were asked for."""
    outcomes_only: bool
    delivered: int = 0
    """Messages that went out; outcomes are not counted."""


class Session:
    """One connection. All times `_ms` are monotonic, except `since_ms`, which is for people."""

    __slots__ = (
        "account",
        "address",
        "at_once",
        "backlog",
        "binding",
        "boundary",
        "challenged",
        "checks",
        "closing",
        "confirmed",
        "connection",
        "cost_us",
        "fault",
        "greeted",
        "heard_ms",
        "in_dirty",
        "in_pump",
        "installation",
        "is_damaged",
        "is_excused",
        "is_stopped",
        "live",
        "name",
        "number",
        "opened_ms",
        "outbox",
        "outbox_lsn",
        "outcomes",
        "outstanding",
        "outstanding_bytes",
        "outstanding_messages",
        "peer",
        "pending",
        "ping_ms",
        "proven",
        "push",
        "silent",
        "since_ms",
        "spent_us",
        "told_full",
        "told_waiting",
        "waiting_for",
        "wrong_logins",
    )

    def __init__(self, number: int, peer: str, opened_ms: int, since_ms: int) -> None:
        self.number = number
        """Unique in this process, in the order of arrival."""
        self.peer = peer
        """The other end's address as text, safe to show."""
        self.binding: bytes | None = None  # to the certificate; None where nothing is encrypted
        self.address: Address | None = address_of(peer)
        """The same as a number; None for a peer of this machine that has none."""
        self.pending: PendingLogin | None = None
        """A login that was challenged to prove that it knows the password."""
        self.proven: Proven | None = None  # the right proof, until the login is through
        self.connection = Connection(Role.SERVER)
        self.greeted = False
        """Whether WELCOME was put: from then on NOTICE and PING are legal."""

        self.account: Account | None = None
        self.name: str | None = None
        """The user's name while logged in."""
        self.live = False
        """Whether messages are pushed, rather than waiting for a check."""
        self.installation: bytes | None = None
        self.since_ms = since_ms
        """Wall clock: since when it is connected, or logged in once it is."""

        self.outbox: deque[tuple[int, Message | bytes]] = deque()
        """What is to be sent: (the LSN that must be durable first, the message)."""
        self.outbox_lsn = 0
        self.closing: str | None = None
        """Why to close the connection as soon as the outbox is flushed; None while it goes on."""
        self.at_once = False
        """With `closing`: the peer is not expected to read; try to send once, then close."""

        self.fault: Fault | None = None
        """What the peer is to be blamed for, of a connection that is being closed."""
        self.is_excused = False  # it may end without a login, and nobody is blamed
        self.wrong_logins = 0  # for want of the right password
        self.cost_us = 0  # of requests that take long, to be accounted for by the loop
        self.spent_us = 0  # up to which moment what it has sent was its due: kept by the loop

        self.opened_ms = opened_ms
        self.heard_ms = opened_ms
        """When the last frame came."""
        self.ping_ms: int | None = None
        """When a ping was sent that no frame has followed."""
        self.silent = False
        """Whether such a ping has been waiting for long."""
        self.challenged = False
        """Whether somebody waits for this session to prove that it is alive."""
        self.waiting_for: str | None = None
        """The name whose holder is being challenged for this session's login."""

        self.boundary = 0
        """The last number given out before the login: what is above it is news."""
        self.push: QueueReader | None = None
        self.backlog: QueueReader | None = None
        self.outcomes: QueueReader | None = None
        self.outstanding: dict[int, SettledEntry] = {}
        """What was sent and not confirmed, by number: as the record of its receipt will say it."""
        self.confirmed: list[int] = []  # of these, by receipts that wait for each other
        self.outstanding_bytes = self.outstanding_messages = 0
        self.is_stopped = False
        """Whether the window, and nothing else, keeps more from going out."""
        self.is_damaged = False
        """Whether pushing has come upon a damaged place in the mailbox."""
        self.checks: deque[Check] = deque()
        self.told_waiting = 0
        """The count of waiting messages that this session was told last."""
        self.told_full = False  # whether it was told that its mailbox is full

        self.in_dirty = self.in_pump = False

    def put(self, message: Message | bytes, lsn: int) -> None:
        """Queue a message that rests on everything up to `lsn`.

        Bytes are whole frames that leave a connection ONLINE as it is, and are put only while it
        is: they stay legal until its last frame.
        """
        assert lsn >= self.outbox_lsn, (lsn, self.outbox_lsn)
        self.outbox_lsn = lsn
        self.outbox.append((lsn, message))

    @property
    def label(self) -> str:
        """For events: the user if there is one, and the address."""
        return self.peer if self.name is None else f"{self.name} from {self.peer}"
