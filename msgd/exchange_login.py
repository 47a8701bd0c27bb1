"""Coming and going: greeting, login, challenges of silent holders, timers, every way to end.

One user has one session. A name that is held is never refused on a guess: its holder is asked, and
has two seconds for any sign of life.

Must never leave two sessions under one name, or a name held by a connection that is gone.
Fails never; what a client may not do is said in a failure frame.
"""

from collections import deque
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from msgd import VERSION as PROGRAM_VERSION
from msgd import names
from msgd.build import BUILD
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_delivery import COUNT_MAX, Delivery
from msgd.exchange_password import WRONG, Passwords
from msgd.exchange_quota import is_full, tell_owner
from msgd.limits import CHALLENGE_WAITERS_MAX
from msgd.penalties import Fault
from msgd.session import Session
from msgd.values import Now
from store.settings import Admission
from store.state import Account
from wire import limits as wire_limits
from wire.codes import Authentication, Code, Registration
from wire.messages import (
    Error,
    Hello,
    LoggedOut,
    LoginChallenge,
    LoginFailure,
    LoginProof,
    LoginRequest,
    LoginSuccess,
    Logout,
    Welcome,
)
from wire.scram import BindingError, ScramError

AGENT: Final = f"msgd {PROGRAM_VERSION} ({BUILD})"
TIMERS_SPARE_MAX: Final = 64


@dataclass(slots=True)
class Challenge:
    """The holder of a name was asked whether it is there; who waits for the answer, in order."""

    holder: Session
    deadline_ms: int
    waiters: deque[tuple[Session, LoginRequest]]


class Login:
    """See the module's text."""

    __slots__ = ("_challenges", "_core", "_delivery", "_passwords", "_ticked_ms", "_timers")

    def __init__(self, core: Core, delivery: Delivery) -> None:
        self._core = core
        self._delivery = delivery
        self._passwords = Passwords(core)
        # All challenges last equally long, so the first one ends first.
        self._challenges: dict[str, Challenge] = {}
        # For each session one (deadline, number). When it comes up, the real deadline is looked
        # at: so a frame that arrives costs no change here.
        self._timers: list[tuple[int, int]] = []
        self._ticked_ms: int | None = None

    def watch(self, session: Session) -> None:
        """A session was opened: begin to watch its time."""
        sessions = self._core.sessions
        if len(self._timers) > 2 * len(sessions) + TIMERS_SPARE_MAX:
            # Connections that came and went at once: do not keep their timers until they end.
            self._timers = [timer for timer in self._timers if timer[1] in sessions]
            heapify(self._timers)
        limits = self._core.limits
        # Whichever comes first: it may have logged in by then.
        deadline_ms = session.opened_ms + min(limits.login_timeout_ms, limits.ping_idle_ms)
        heappush(self._timers, (deadline_ms, session.number))

    def hello(self, session: Session, message: Hello, now: Now) -> None:
        """HELLO: choose the version, tell the limits."""
        core = self._core
        if wire_limits.VERSION not in message.versions:
            text = f"this server speaks MSGP version {wire_limits.VERSION} only"
            self.dismiss(session, Code.VERSION, text, "no version in common", now)
            return
        session.greeted = True
        needed, registration = core.limits.password_needed, core.limits.registration
        core.say(
            session,
            Welcome(
                version=wire_limits.VERSION,
                server_id=core.store.store_id,
                agent=AGENT,
                authentication=(
                    Authentication.SCRAM_SHA_256 if needed else Authentication.NAME_ONLY
                ),
                server_time_ms=now.wall_ms,
                frame_bytes_max=wire_limits.FRAME_BYTES_MAX,
                body_bytes_max=core.limits.body_bytes_max,
                recipients_max=core.limits.recipients_max,
                window_messages=core.limits.window_messages_max,
                window_bytes=core.limits.window_bytes_max,
                ping_interval_ms=core.limits.ping_idle_ms,
                registration=registration if needed or registration != Registration.OPEN else None,
                channel_binding=needed and session.binding is not None,
            ),
        )

    # ----- login ------------------------------------------------------------------------------

    def login(self, session: Session, message: LoginRequest, now: Now) -> None:
        """LOGIN_REQUEST."""
        name = names.fold(message.username)
        if not names.is_valid(name):
            self._refuse(session, message, Code.NAME_INVALID, names.RULE, now)
        elif not self._core.limits.password_needed:
            self._enter(session, message, name, now)
        elif message.scram is None:
            text = "this server wants a password"
            self._refuse(session, message, Code.PASSWORD_NEEDED, text, now)
        elif not self._must_wait(session, message, name, now):
            try:
                session.pending = self._passwords.challenge(session, message, name, now)
            except ScramError as error:
                self._refuse_proof(session, message, error, now)
            else:
                challenge = session.pending.scram.challenge
                self._core.say(session, LoginChallenge(message.request, challenge))

    def prove(self, session: Session, message: LoginProof, now: Now) -> None:
        """LOGIN_PROOF. Whoever holds the name hears nothing of it before this was right."""
        pending, session.pending = session.pending, None
        assert pending is not None
        request = pending.request
        # Who has asked on many connections before the first of them was wrong waits like others.
        if self._must_wait(session, request, names.fold(request.username), now):
            return
        try:
            session.proven = self._passwords.check(pending, message)
        except ScramError as error:
            self._refuse_proof(session, request, error, now)
        else:
            self._enter(session, request, names.fold(request.username), now)

    def _must_wait(self, session: Session, message: LoginRequest, name: str, now: Now) -> bool:
        """Whether the peer was wrong too lately, and was told so: also of no user's name."""
        wait_ms = self._core.login_wait_ms(session, name, now)
        if wait_ms:
            seconds = -(-wait_ms // 1_000)
            plural = "" if seconds == 1 else "s"
            text = f"too many wrong tries; again in {seconds} second{plural}"
            self._refuse(session, message, Code.BUSY, text, now)
        return wait_ms > 0

    def _refuse_proof(
        self, session: Session, message: LoginRequest, error: ScramError, now: Now
    ) -> None:
        """A login that is bound to something else is refused; what is none ends the connection."""
        if isinstance(error, BindingError):
            self._refuse_wrong(session, message, Code.CHANNEL_BINDING, str(error), now)
        else:
            self.dismiss(session, Code.MALFORMED, str(error), f"broke the protocol: {error}", now)

    def _refuse_wrong(
        self, session: Session, message: LoginRequest, code: Code, text: str, now: Now
    ) -> None:
        self._refuse(session, message, code, text, now)
        self._core.login_failed(session, names.fold(message.username), now)
        if session.wrong_logins >= self._core.limits.logins_failed_max:
            text = f"{session.wrong_logins} logins have failed on this connection"
            self.dismiss(session, Code.TOO_MANY_ATTEMPTS, text, text, now)

    def _enter(
        self, session: Session, message: LoginRequest, name: str, now: Now, aside: str = ""
    ) -> None:
        """All that is to be proven is. `aside` is for the event: what made the login possible."""
        core = self._core
        needed = core.limits.password_needed
        if needed and not self._passwords.still_holds(session.proven, name):
            self._refuse_wrong(session, message, Code.WRONG_PASSWORD, WRONG, now)
            return
        if needed:
            core.login_succeeded(session, name)
        ban = core.bans.of_user(name, now.wall_ms)
        if ban is not None:
            text = "the server's operator has banned this user"
            text += f": {ban.reason}" if ban.reason else ""
            self.dismiss(session, Code.KICKED, text, f"{name} is banned", now)
            return
        account = core.state.by_name.get(name)
        if account is not None and account.closing:
            text = f"the account {name} is being deleted; try again in a moment"
            self._refuse(session, message, Code.BEING_DELETED, text, now)
            return
        holder = core.online.get(name)
        if holder is not None:
            if holder.installation != message.installation:
                self._challenge(session, message, holder, name, now)
                return
            text = "the same installation has logged in on another connection"
            aside = "took over its own session"
            # Not `dismiss`: nobody who waits for the name comes before its own installation.
            self._expel(holder, Code.TAKEN_OVER, text, "taken over", now)
        is_new = account is None
        if account is None:
            account = self._new_account(session, message, name, now)
            if account is None:
                return
        self._admit(session, message, account, now, is_new=is_new, aside=aside)
        if holder is not None:
            self._release_name(holder, now)

    def _new_account(
        self, session: Session, message: LoginRequest, name: str, now: Now
    ) -> Account | None:
        """The account of a name not seen before, if the client wants one and there is room."""
        core = self._core
        if not message.create_if_new or core.limits.registration != Registration.OPEN:
            text = f"there is no account {name}; create it first"
            self._refuse(session, message, Code.UNKNOWN_USER, text, now)
            return None
        refusal = refusal_of_name(core, name, now) or refusal_of_account(core)
        if refusal is not None:
            self._refuse(session, message, refusal[0], refusal[1], now)
            return None
        account = core.store.create_account(name, now.wall_ms)
        core.note(EventKind.CREATE, f"{name} from {session.peer}", now)
        return account

    def _admit(
        self,
        session: Session,
        message: LoginRequest,
        account: Account,
        now: Now,
        *,
        is_new: bool,
        aside: str,
    ) -> None:
        core = self._core
        last_seen_ms = last_seen(account)
        core.store.begin_session(account, now.wall_ms)
        session.account = account
        session.name = account.name
        session.live = message.live
        session.installation = message.installation
        session.since_ms = now.wall_ms
        core.online[account.name] = session
        core.begin_spending(session, account)
        core.tally.logins += 1
        self._delivery.begin(session)
        waiting = session.told_waiting = self._delivery.remaining(session)
        outcomes = min(account.outcomes_waiting, COUNT_MAX)
        core.say(
            session,
            LoginSuccess(
                message.request,
                account.name,
                waiting,
                outcomes,
                last_seen_ms,
                created=is_new,
                account=account.number,
                scram=None if session.proven is None else session.proven.final,
            ),
        )
        session.proven = None
        session.told_full = is_full(account, core.limits)
        if session.told_full:
            tell_owner(core, session)
        core.note(EventKind.CONNECT, session.label + (f" ({aside})" if aside else ""), now)

    def _refuse(
        self, session: Session, message: LoginRequest, code: Code, text: str, now: Now
    ) -> None:
        session.proven = None
        self._core.say(session, LoginFailure(message.request, code, text))
        self._core.tally.refuse_login(code)
        reason = "username in use" if code is Code.IN_USE else code.name.lower().replace("_", " ")
        name = names.logged(names.fold(message.username))
        self._core.note(EventKind.REJECT, f"{name} from {session.peer}: {reason}", now)

    # ----- the challenge ----------------------------------------------------------------------

    def _challenge(
        self, session: Session, message: LoginRequest, holder: Session, name: str, now: Now
    ) -> None:
        """Somebody wants a name that is held: ask the holder, and let the newcomer wait."""
        challenge = self._challenges.get(name)
        if challenge is None:
            deadline_ms = now.monotonic_ms + self._core.limits.challenge_ms
            challenge = Challenge(holder, deadline_ms, deque())
            self._challenges[name] = challenge
            holder.challenged = True
            self._core.ping(holder, now)
        elif len(challenge.waiters) >= CHALLENGE_WAITERS_MAX:
            self._refuse_in_use(session, message, name, now)
            return
        challenge.waiters.append((session, message))
        session.waiting_for = name

    def _refuse_in_use(self, session: Session, message: LoginRequest, name: str, now: Now) -> None:
        text = f"{name} is logged in elsewhere; choose another name"
        self._refuse(session, message, Code.IN_USE, text, now)

    def answered(self, session: Session, message: object, now: Now) -> None:
        """A frame came from a session that had been sent a ping: it is alive."""
        session.ping_ms = None
        session.silent = False
        # Who answers by leaving makes room; that is no reason to refuse anybody.
        if session.challenged and type(message) is not Logout:
            assert session.name is not None
            session.challenged = False
            for newcomer, request in self._challenges.pop(session.name).waiters:
                newcomer.waiting_for = None
                self._refuse_in_use(newcomer, request, session.name, now)

    def _release_name(self, holder: Session, now: Now, aside: str = "") -> None:
        """The holder is gone: those who waited for its name try again, in their order."""
        if holder.challenged:
            assert holder.name is not None
            holder.challenged = False
            for newcomer, request in self._challenges.pop(holder.name).waiters:
                newcomer.waiting_for = None
                if newcomer.closing is None:
                    self._enter(newcomer, request, names.fold(request.username), now, aside)

    def _stop_waiting(self, session: Session) -> None:
        """A newcomer has gone while it waited."""
        if session.waiting_for is None:
            return
        challenge = self._challenges[session.waiting_for]
        session.waiting_for = None
        challenge.waiters = deque(pair for pair in challenge.waiters if pair[0] is not session)
        if not challenge.waiters:
            assert challenge.holder.name is not None
            challenge.holder.challenged = False
            del self._challenges[challenge.holder.name]

    # ----- every way to end -------------------------------------------------------------------

    def logout(self, session: Session, message: Logout, now: Now) -> None:
        """LOGOUT: what was promised is kept first, as the answer rests on all of it."""
        session.is_excused = True
        self.leave(session, now)
        self._core.say(session, LoggedOut(message.request))
        self._core.doom(session, "logged out")

    def dismiss(
        self, session: Session, code: int, text: str, reason: str, now: Now, *, aside: str = ""
    ) -> None:
        """End a session from our side: it is told why, and its name is free."""
        self._expel(session, code, text, reason, now)
        self._release_name(session, now, aside)

    def _expel(self, session: Session, code: int, text: str, reason: str, now: Now) -> None:
        self._core.say(session, Error(code, text, fatal=True))
        # Who has not answered for long is not waited for when it does not read either.
        self._core.doom(session, reason, at_once=code == Code.TOO_SLOW)
        self._let_go(session, now)

    def leave(self, session: Session, now: Now) -> None:
        """The session has no user any more; who waits for the name is next. Again does nothing."""
        self._let_go(session, now)
        self._release_name(session, now)

    def _let_go(self, session: Session, now: Now) -> None:
        self._stop_waiting(session)
        account = session.account
        if account is None:
            return
        core = self._core
        del core.online[account.name]
        core.end_spending(session, account, now)
        handed = self._delivery.leave(session, now)
        session.account = None
        if core.state.by_number.get(account.number) is account and not account.closing:
            core.store.end_session(account, handed, now.wall_ms)

    # ----- time -------------------------------------------------------------------------------

    def next_deadline_ms(self) -> int | None:
        """When `expire` may have something to do."""
        deadline_ms = self._timers[0][0] if self._timers else None
        for challenge in self._challenges.values():
            if deadline_ms is None or challenge.deadline_ms < deadline_ms:
                return challenge.deadline_ms
            break
        return deadline_ms

    def expire(self, now: Now) -> None:
        """End the challenges and the waits whose time is up."""
        now_ms = now.monotonic_ms
        if self._ticked_ms is not None and now_ms - self._ticked_ms > self._core.limits.stall_ms:
            self._forgive(now_ms - self._ticked_ms, now)
        self._ticked_ms = now_ms
        while self._challenges:
            challenge = next(iter(self._challenges.values()))
            if challenge.deadline_ms > now_ms:
                break
            seconds = self._core.limits.challenge_ms / 1_000
            text = f"no answer for {seconds:g} seconds, while somebody else wanted the name"
            aside = "silent session did not answer, closed"
            self.dismiss(challenge.holder, Code.TOO_SLOW, text, "did not answer", now, aside=aside)
        timers = self._timers
        while timers and timers[0][0] <= now_ms:
            _, number = heappop(timers)
            session = self._core.sessions.get(number)
            if session is not None and session.closing is None:
                deadline_ms = self._attend(session, now)
                if deadline_ms is not None:
                    heappush(timers, (deadline_ms, number))

    def _forgive(self, pause_ms: int, now: Now) -> None:
        """The process stood still (a slow disk, a stopped machine): the pause counts for nobody.

        Otherwise it would close everybody who was quiet, for answers that it had not asked for
        or not read.
        """
        now_ms = now.monotonic_ms
        for session in self._core.sessions.values():
            session.opened_ms = min(session.opened_ms + pause_ms, now_ms)
            session.heard_ms = min(session.heard_ms + pause_ms, now_ms)
            if session.ping_ms is not None:
                session.ping_ms = min(session.ping_ms + pause_ms, now_ms)
        latest_ms = now_ms + self._core.limits.challenge_ms
        for challenge in self._challenges.values():
            challenge.deadline_ms = min(challenge.deadline_ms + pause_ms, latest_ms)
        if self._core.sessions:
            text = f"the server stood still for {pause_ms} ms"
            self._core.note(EventKind.WARN, text, now)

    def _attend(self, session: Session, now: Now) -> int | None:
        """Look after one session; gives when to look again, or None when it is being closed."""
        limits = self._core.limits
        now_ms = now.monotonic_ms
        if session.account is None:
            if session.waiting_for is not None:
                return now_ms + limits.challenge_ms
            if now_ms < session.opened_ms + limits.login_timeout_ms:
                return session.opened_ms + limits.login_timeout_ms
            text = f"no login within {limits.login_timeout_ms // 1_000} seconds"
            session.fault = Fault.TOO_SLOW
            self.dismiss(session, Code.TOO_SLOW, text, text, now)
            return None
        if now_ms >= session.heard_ms + limits.dead_after_ms:
            text = f"silent for {limits.dead_after_ms // 1_000} seconds"
            self.dismiss(session, Code.TOO_SLOW, text, text, now)
            return None
        if session.ping_ms is None:
            if now_ms < session.heard_ms + limits.ping_idle_ms:
                return session.heard_ms + limits.ping_idle_ms
            self._core.ping(session, now)
            return now_ms + limits.silent_after_ms
        if not session.silent:
            if now_ms < session.ping_ms + limits.silent_after_ms:
                return session.ping_ms + limits.silent_after_ms
            session.silent = True
            seconds = (now_ms - session.heard_ms) // 1_000
            text = f"{session.name} silent for {seconds} s, mail stays in the queue"
            self._core.note(EventKind.WARN, text, now)
        return min(session.heard_ms + limits.dead_after_ms, now_ms + limits.ping_idle_ms)


def refusal_of_account(core: Core) -> tuple[Code, str] | None:
    """Why no account can be made now: code and sentence. None when one can."""
    admission = core.store.admission
    if admission is Admission.FULL:
        return Code.STORAGE_FULL, "the server's disk is full; try again later"
    if admission is Admission.BUSY:
        return Code.BUSY, "the server is busy; try again in a moment"
    if len(core.state.by_name) >= core.limits.accounts_max:
        return Code.STORAGE_FULL, f"the server has {core.limits.accounts_max} accounts, its most"
    return None


def refusal_of_name(core: Core, name: str, now: Now) -> tuple[Code, str] | None:
    """Why no account of this name can be made, but by the operator. None when one can."""
    if core.limits.password_needed and name in names.RESERVED:
        # Said whether there is one or not.
        return Code.NAME_TAKEN, f"the name {name} is the operator's to give; choose another name"
    reserved = core.limits.name_reserved_ms and core.state.registry.is_reserved(name, now.wall_ms)
    if reserved or name in core.state.by_name:
        return Code.NAME_TAKEN, f"the name {name} is taken; choose another name"
    return None


def last_seen(account: Account) -> int | None:
    """When a user was last seen; None for one who never logged in."""
    return account.last_seen_ms if account.last_seen_ms != account.created_at_ms else None
