"""The rules: who may do what, who gets what, in which order. Messages in; records and messages out.

The reactor calls, once a turn and in this order: `receive` for each frame, `end_turn`; then it
commits the store and sends what the sessions of `take_dirty` have in their outboxes, each
message once the batch that it rests on is durable.

Must never do I/O other than reading a mailbox through the store, look at a clock, or put out a
message that rests on a record under an LSN before that record's. Everything is deterministic.
Fails: a peer's mistake comes back as a message, or dooms its session; a damaged mailbox concerns
its user only; what the store raises besides (StoreFailure) ends the process.
"""

from msgd.bans import Bans
from msgd.events import EventKind, EventLog
from msgd.exchange_accounts import Accounts
from msgd.exchange_blocking import Blocking
from msgd.exchange_core import Core, Tally
from msgd.exchange_deletion import Deletion
from msgd.exchange_delivery import Delivery
from msgd.exchange_login import Login
from msgd.exchange_operator import Operator
from msgd.exchange_recall import Recall
from msgd.exchange_receipts import Receipts
from msgd.exchange_runs import Runs
from msgd.exchange_sending import Sending
from msgd.limits import ExchangeLimits
from msgd.penalties import Fault
from msgd.session import Session
from msgd.values import Now
from store.settings import Admission
from store.store import Store
from term.safe import safe_log
from wire.codes import Code, NoticeKind
from wire.connection import Unsupported
from wire.errors import RemoteProtocolError
from wire.limits import TEXT_BYTES_MAX
from wire.messages import (
    BlockSenders,
    ChangePassword,
    CheckMessages,
    CreateAccount,
    DeletionRequest,
    Error,
    Hello,
    ListAccounts,
    LoginProof,
    LoginRequest,
    Logout,
    Message,
    MessageReceipt,
    Notice,
    Ping,
    Pong,
    RecallMessage,
    SendMessage,
)
from wire.runs import SendToOne


class Exchange:
    """The rules. See the module's text for the order of calls."""

    def __init__(self, store: Store, limits: ExchangeLimits, events: EventLog) -> None:
        self._core = Core(store, limits, events)
        self._receipts = Receipts(self._core)
        self._delivery = Delivery(self._core, self._receipts)
        self._login = Login(self._core, self._delivery)
        self._accounts = Accounts(self._core)
        self._sending = Sending(self._core, self._receipts)
        self._runs = Runs(self._core)
        self._deletion = Deletion(self._core, self._delivery, self._login)
        self._recall = Recall(self._core)
        self._blocking = Blocking(self._core)
        self.operator = Operator(self._core)
        self._admission = Admission.OPEN
        self._numbers = 0
        self.sessions: dict[int, Session] = self._core.sessions
        """All open ones, by number."""
        self.online: dict[str, Session] = self._core.online
        """Those that are logged in, by name."""
        self.tally: Tally = self._core.tally
        self.bans: Bans = self._core.bans
        """Whom the operator has shut out."""

    # ----- what the loop calls ----------------------------------------------------------------

    def open_session(self, peer: str, now: Now) -> Session:
        """A connection was accepted. `peer` is safe to show."""
        self._numbers += 1
        session = Session(self._numbers, peer, now.monotonic_ms, now.wall_ms)
        self.sessions[session.number] = session
        self._login.watch(session)
        return session

    def receive(self, session: Session, message: Message | Unsupported, now: Now) -> None:
        """A frame came. Ignored when the session is closing."""
        if session.closing is not None:
            return
        session.heard_ms = now.monotonic_ms
        if session.ping_ms is not None:
            self._login.answered(session, message, now)
        # The two that come by the hundred thousand are asked for first.
        if type(message) is SendMessage:
            self._sending.send(session, message, now)
        elif type(message) is MessageReceipt:
            self._receipts.receive(session, message, now)
        else:
            self._receive_rare(session, message, now)

    def receive_sends(self, session: Session, sends: list[SendToOne], now: Now) -> int:
        """SEND_MESSAGEs in a row, at least one: how many were taken; the next is for `receive`."""
        if session.ping_ms is not None:
            return 0
        session.heard_ms = now.monotonic_ms
        return self._runs.send(session, sends, now)

    def _receive_rare(self, session: Session, message: Message | Unsupported, now: Now) -> None:
        self._receipts.settle_all(now)  # what is asked for now may show what waits
        match message:
            case Ping():
                self._core.say(session, Pong(message.request))
            case Pong():
                pass  # that a frame came was all there was to know
            case CheckMessages():
                self._delivery.check(session, message)
            case ListAccounts():
                self._accounts.show(session, message)
            case Hello():
                self._login.hello(session, message, now)
            case LoginRequest():
                self._login.login(session, message, now)
            case LoginProof():
                self._login.prove(session, message, now)
            case CreateAccount():
                self._accounts.create(session, message, now)
            case RecallMessage():
                self._recall.request(session, message, now)
            case BlockSenders():
                self._blocking.change(session, message, now)
            case DeletionRequest():
                self._deletion.request(session, message, now)
            case ChangePassword():
                self._accounts.change_password(session, message, now)
            case Logout():
                self._login.logout(session, message, now)
            case Unsupported():
                self._answer_unsupported(session, message, now)
            case _:
                raise AssertionError(f"{type(message).__name__} is not a client's frame")

    def _answer_unsupported(self, session: Session, message: Unsupported, now: Now) -> None:
        what = f"frame type {message.frame_type}"
        if message.field is not None:
            what += f" with field {message.field:#06x}"
        text = f"this server does not know {what}"
        if session.greeted:
            self._core.say(session, Error(Code.UNSUPPORTED, text, request=message.request))
        else:
            # A HELLO that asks for what is not known: there is nothing to go on with.
            self._login.dismiss(session, Code.UNSUPPORTED, text, text, now)

    def break_session(self, session: Session, error: RemoteProtocolError, now: Now) -> None:
        """The peer broke the protocol: it is told why, and the session is closing."""
        if session.closing is None:
            reason = f"broke the protocol: {safe_log(error.text)}"
            session.fault = Fault.PROTOCOL
            self._login.dismiss(session, error.code, error.text, reason, now)

    def end_slow_session(self, session: Session, text: str, now: Now) -> None:
        """The peer takes too long for what it has begun."""
        if session.closing is None:
            session.fault = Fault.TOO_SLOW
            self._login.dismiss(session, Code.TOO_SLOW, text, text, now)

    def close_session(self, session: Session, reason: str, now: Now) -> None:
        """The connection is gone: the reactor closed it, or the peer did. Again does nothing."""
        if self.sessions.pop(session.number, None) is None:
            return
        self._login.leave(session, now)
        if session.closing is None:
            session.closing = reason
        session.outbox.clear()
        text = f"{session.label}: {safe_log(session.closing)}"
        self._core.note(EventKind.DISCONNECT, text, now)

    def tick(self, now: Now) -> None:
        """Do what is due by the clock. Cheap when nothing is."""
        self._login.expire(now)
        admission = self._core.store.admission
        if admission is not self._admission:
            self._tell_admission(admission, now)

    def next_deadline_ms(self) -> int | None:
        """The monotonic time at which `tick` or `end_turn` may next have something to do."""
        at_ms = self._login.next_deadline_ms()
        receipts_ms = self._receipts.deadline_ms()
        if at_ms is None or (receipts_ms is not None and receipts_ms < at_ms):
            return receipts_ms
        return at_ms

    def work(self, now: Now) -> bool:
        """A slice of what takes long (forced deletions, recalls); True while there is more."""
        more = self._deletion.work(now)
        return self._recall.work(now) or more or bool(self._core.to_pump)

    def end_turn(self, now: Now) -> None:
        """Push what this turn brought to those who are online. Just before the commit."""
        self._receipts.end_turn(now)
        self._delivery.pump(now)

    @property
    def dirty(self) -> list[Session]:
        """What `take_dirty` will give: not empty means that another turn should follow at once."""
        return self._core.dirty

    def take_dirty(self) -> list[Session]:
        """The sessions with news in their outbox, or newly closing, since the last call."""
        taken = self._core.dirty
        if taken:
            self._core.dirty = []
            for session in taken:
                session.in_dirty = False
        return taken

    # ----- what the operator asks -------------------------------------------------------------

    def kick(self, name: str, now: Now, reason: str = "") -> bool:
        """The operator ends a user's session; False when there is none."""
        session = self.online.get(name)
        if session is None:
            return False
        return self.end_session(session, "kicked by the operator", reason, now)

    def end_session(self, session: Session, what: str, reason: str, now: Now) -> bool:
        """The operator ends a session; False when it is ending already. `what` is for the log."""
        if session.closing is not None:
            return False
        text = "the server's operator has ended this session"
        if reason:
            text, what = f"{text}: {reason}", f"{what}: {safe_log(reason)}"
        self._login.dismiss(session, Code.KICKED, text, what, now)
        return True

    def knows(self, name: str) -> bool:
        """Whether there is an account of this name."""
        return name in self._core.state.by_name

    def announce(self, text: str, now: Now) -> int:
        """The operator tells everybody who is logged in; gives how many that are.

        A text that is too long for a frame is cut.
        """
        text = text.encode()[:TEXT_BYTES_MAX].decode(errors="ignore")
        self._tell_all(NoticeKind.ANNOUNCEMENT, text)
        self._core.note(EventKind.NOTICE, f"to everybody connected: {safe_log(text)}", now)
        return len(self.online)

    def shut_down(self, now: Now) -> None:
        """Tell everybody that the server stops; all sessions are closing."""
        told = len(self.online)
        users = "1 connected user is" if told == 1 else f"{told} connected users are"
        self._core.note(EventKind.NOTICE, f"the server was asked to end; {users} told", now)
        text = "the server is stopping; what you were told is safe, connect again later"
        for session in tuple(self.sessions.values()):
            session.is_excused = True
            if session.closing is None:
                if session.greeted:
                    self._core.say(session, Notice(NoticeKind.SHUTTING_DOWN, text))
                self._core.doom(session, "server stopped")
        # Only now, when all are closing: nobody who waits for a name gets it from another.
        for session in tuple(self.sessions.values()):
            self._login.leave(session, now)

    def _tell_admission(self, admission: Admission, now: Now) -> None:
        """The disk became full, or has room again."""
        before, self._admission = self._admission, admission
        if admission is Admission.FULL:
            text = "the server's disk is full: new messages are refused, what waits is safe"
            self._tell_all(NoticeKind.STORAGE_FULL, text)
            self._core.note(EventKind.WARN, "disk full, new messages are refused", now)
        elif before is Admission.FULL:
            self._core.note(EventKind.NOTICE, "the disk has room again", now)

    def _tell_all(self, kind: NoticeKind, text: str) -> None:
        for session in self.online.values():
            self._core.say(session, Notice(kind, text))
