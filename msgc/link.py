"""The link to the server: connect, greet, log in, keep alive, send the outbox, store what comes.

A state machine without I/O over `wire`'s connection. The loop (or a test) is the transport: it
calls `connecting`, `connected`, `receive_data`, `disconnected` and `tick`, sends what
`data_to_send` gives, and closes when `should_close` says so. The user's side calls `log_in` and
the rest, and fetches what happened with `next_event`. All times are of one clock, in milliseconds,
that goes on while the machine sleeps.

Must never put a message on the wire that is not in the archive, nor a receipt for one that is not.
Fails: what the server does wrong ends the connection (and it is tried again); ArchiveError goes
through, for the process must not go on without its archive.
"""

from typing import Final

from msgc import limits, words, words_trust
from msgc.link_events import (
    Connecting,
    Disconnected,
    Kicked,
    LoggedOut,
    NoticeArrived,
    RequestFailed,
    TakenOver,
)
from msgc.link_login import LoginLink
from msgc.link_pulse import Pulse
from msgc.link_requests import Asked, Kind
from msgc.net import TrustError
from msgc.states import LinkState
from wire import messages
from wire.codes import Code
from wire.connection import Connection, Unsupported
from wire.errors import RemoteProtocolError
from wire.limits import VERSION
from wire.messages import Message
from wire.states import Role, State

_HOPELESS: Final = (Code.VERSION, Code.TLS_NEEDED)
"""Ends that come again however often one tries: only the person, or the operator, can change it."""
_TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")
"""How an alert or a handshake of TLS begins (RFC 8446 section 5.1)."""


class Link(LoginLink):
    """See the module's text. Begins STOPPED."""

    # ----- the user's side ----------------------------------------------------------------

    def retry_now(self) -> None:
        """Do not wait for the next attempt."""
        if self.state is LinkState.OFFLINE:
            self.retry_at_ms = self._now_ms

    def log_out(self) -> None:
        """Say goodbye; `LoggedOut` follows. What the server has acknowledged is safe by then."""
        if self._connection is not None and self._connection.state in (
            State.READY,
            State.LOGGING_IN,
            State.CHALLENGED,
            State.PROVING,
            State.ONLINE,
        ):
            request = self._requests.add(Asked(Kind.LOGOUT))
            if request is None:
                self._leave(confirmed=False)
                return
            self._put(messages.Logout(request))
            self._enter(LinkState.LEAVING)
        elif self.state is not LinkState.STOPPED:
            self._leave(confirmed=False)

    # ----- the transport's side -----------------------------------------------------------

    def wants_connection(self, now_ms: int) -> bool:
        """Whether to connect now. Then call `connecting`."""
        if self.state is not LinkState.OFFLINE or self._attached:
            return False
        return self.retry_at_ms is None or now_ms >= self.retry_at_ms

    def connecting(self, now_ms: int) -> None:
        """The transport begins; `connected` or `disconnected` follows."""
        self._now_ms = now_ms
        self._attached = True
        self._enter(LinkState.CONNECTING)
        self._events.append(Connecting(self._backoff.attempts + 1))
        self._expect()

    def connected(self, now_ms: int, binding: bytes | None = None) -> None:
        """There is a connection, to who it should be: greet. `binding`: see net.Channel."""
        self._now_ms = now_ms
        self._binding = binding
        self._pulse = Pulse(now_ms)
        self._connection = Connection(Role.CLIENT)
        if self._closing is None:
            self._enter(LinkState.GREETING)
            self._put(messages.Hello((VERSION,), self._settings.agent))
        self._expect()

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Bytes came. All that they change is in the archive when this returns."""
        connection = self._connection
        if connection is None or self._closing is not None:
            return
        self._wake(now_ms)
        self._pulse.hear(now_ms)
        connection.receive_data(data)
        with self._archive.change():
            try:
                message = connection.next_event()
                while message is not None and self._closing is None:
                    self._handle(message)
                    message = connection.next_event()
            except RemoteProtocolError as error:
                is_plain = self._binding is None and self.state is LinkState.GREETING
                if is_plain and data.startswith(_TLS_RECORDS):
                    self._stop(Disconnected(words_trust.TLS_WANTED, None))
                else:
                    self._fail(f"the server broke the protocol: {error.text}")
        # Only now, for a receipt lets the server forget.
        for receipt in self._traffic.take_receipts():
            if connection.state is State.ONLINE:
                self._put(receipt)
        if self._traffic.may_have_more:
            self.send_outbox()
        self._expect()

    def disconnected(self, reason: str, now_ms: int) -> None:
        """The connection is gone, or did not come about."""
        self._now_ms = now_ms
        reason = self._closing or reason
        online = self.state is LinkState.ONLINE
        self._attached = False
        self._prove_at_ms = None
        self._connection = None
        self._closing = None
        self._out.clear()
        self._requests.clear()
        self._traffic.clear()
        if self.state is LinkState.LEAVING:
            self._leave(confirmed=False)
        elif self.state is LinkState.STOPPED:
            pass  # the event that says why is out already
        elif self.state is LinkState.OFFLINE:
            pass  # a login began while the old connection was being closed
        elif not self._settings.retry:
            self._enter(LinkState.STOPPED)
            self._events.append(Disconnected(reason, None))
        else:
            if online and now_ms - self._since_ms >= limits.STABLE_MS:
                self._backoff.reset()
            self.retry_at_ms = now_ms + self._backoff.next_ms(soon=self._pulse.is_strict)
            self._pulse = Pulse(now_ms)
            self._enter(LinkState.OFFLINE)
            self._events.append(Disconnected(reason, self.retry_at_ms))
        self._expect()

    def distrust(self, error: TrustError) -> None:
        """The other end is not who it should be: the user decides. Then call `disconnected`."""
        self._distrust(error.doubt, error.pin, error.expected, error.reason)

    def data_to_send(self) -> bytes:
        """What to send; from now on it is the transport's."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def should_close(self) -> bool:
        """Whether to close the connection now; then call `disconnected`."""
        return self._closing is not None and self._attached

    def tick(self, now_ms: int) -> None:
        """Time has passed: at `next_deadline_ms`, or earlier."""
        self._wake(now_ms)
        if self._closing is None and self._attached:
            limit_ms = self._limit_ms
            if limit_ms is not None and now_ms >= self._since_ms + limit_ms:
                self._fail("no answer")
            elif self.state in (LinkState.ONLINE, LinkState.READY):
                self._keep_alive(now_ms)
            if self._prove_at_ms is not None and now_ms >= self._prove_at_ms:
                self._prove()
        resume_ms = self._traffic.resume_ms
        if self._settings.poll_outbox and now_ms >= self._poll_at_ms:
            self._poll_at_ms = now_ms + limits.OUTBOX_POLL_MS
            self.send_outbox()
        elif resume_ms is not None and now_ms >= resume_ms:
            self.send_outbox()
        self._expect()

    def awake(self, now_ms: int) -> None:
        """The machine slept: ask at once whether the server is still there, or connect at once."""
        self._now_ms = now_ms
        if self.state is LinkState.OFFLINE:
            self.retry_at_ms = now_ms
        elif self.state in (LinkState.ONLINE, LinkState.READY) and self._closing is None:
            self._ping(limits.AWAKE_TIMEOUT_MS)
            self._expect()

    def next_deadline_ms(self) -> int | None:
        """When to call `tick` at the latest; None when only the user can change something."""
        if self.state is LinkState.OFFLINE:
            return self.retry_at_ms
        if not self._attached:
            return None
        limit_ms = self._limit_ms
        if limit_ms is not None:
            deadline_ms = self._since_ms + limit_ms
            due_ms = self._prove_at_ms
            return deadline_ms if due_ms is None else min(deadline_ms, due_ms)
        next_ms = self._pulse.next_ms(self._requests.waiting)
        if self.state is LinkState.ONLINE:
            resume_ms = self._traffic.resume_ms
            if resume_ms is not None:
                next_ms = min(next_ms, resume_ms)
            if self._settings.poll_outbox:
                next_ms = min(next_ms, self._poll_at_ms)
        return next_ms

    # ----- inside -------------------------------------------------------------------------

    def _leave(self, *, confirmed: bool) -> None:
        self._stop(LoggedOut(confirmed))
        if not self._attached:
            self._closing = None

    def _expect(self) -> None:
        self._expected_ms = self.next_deadline_ms()

    def _wake(self, now_ms: int) -> None:
        """Notice that we did not run: the clock has gone on without a tick when one was due."""
        expected_ms = self._expected_ms
        self._now_ms = now_ms
        if expected_ms is not None and now_ms - expected_ms >= limits.SLEEP_JUMP_MS:
            self.awake(now_ms)

    def _keep_alive(self, now_ms: int) -> None:
        deadline_ms = self._pulse.deadline_ms()
        due_ms = self._pulse.ping_due_ms(self._requests.waiting)
        if deadline_ms is not None and now_ms >= deadline_ms:
            self._fail("the server does not answer")
        elif due_ms is not None and now_ms >= due_ms:
            self._ping(limits.DEAD_MS)

    # ----- what the server says -----------------------------------------------------------

    def _handle(self, message: Message | Unsupported) -> None:
        match message:
            case messages.Ping():
                self._put(messages.Pong(message.request))
            case messages.Pong():
                self._pulse.answered(message.request, self._now_ms)
            case messages.Welcome():
                self._on_welcome(message)
            case messages.LoginChallenge():
                self._on_challenge(message)
            case messages.LoginSuccess():
                self._on_login(message)
            case messages.LoginFailure():
                self._on_login_refused(message.code, message.text)
            case messages.AccountList():
                more = self._answers.page(message)
                if more is not None and self.state is LinkState.ONLINE:
                    self._put(more)
            case messages.DeletionSuccess():
                self._requests.take(message.request, Kind.DELETE)
                self._end_account(message.discarded)
            case messages.Error():
                self._on_error(message)
            case messages.LoggedOut():
                if self.state is LinkState.LEAVING:
                    self._leave(confirmed=True)
                else:
                    self._fail("the server said goodbye")
            case messages.SendersBlocked():
                self._answers.handle(message)
                self._traffic.blocked = frozenset(message.blocked)
            case messages.DeletionFailure():
                self._deleting = False
                self._answers.handle(message)
            case _:
                # What this version does not know is passed over by both.
                self._answers.handle(message)
                self._traffic.handle(message)

    def _on_error(self, message: messages.Error) -> None:
        if message.fatal:
            self._on_fatal_error(message.code, message.text)
            return
        asked = None if message.request is None else self._requests.drop(message.request)
        if asked is None:
            self._events.append(NoticeArrived(0, words.refusal(message.code, message.text), None))
        elif asked.kind is Kind.SEND:
            self._traffic.refuse(asked, message.code, message.text, ())
        elif asked.kind is Kind.RECALL:
            self._traffic.refuse_recall(asked, message.code)
        elif asked.kind is Kind.LOGIN:
            self._on_login_refused(message.code, message.text)
        elif asked.kind is Kind.BLOCK and asked.flag:
            pass  # then nobody is known to be blocked
        else:
            number = asked.first or message.request or 0
            self._events.append(RequestFailed(number, message.code, message.text))

    def _on_fatal_error(self, code: int, text: str) -> None:
        if code == Code.TAKEN_OVER:
            self._stop(TakenOver(text))
        elif code == Code.KICKED:
            self._stop(Kicked(text))
        elif code in _HOPELESS:
            self._stop(Disconnected(words.refusal(code, text), None))
        else:
            self._fail(words.refusal(code, text))
