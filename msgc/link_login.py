"""From the greeting to the login: by name, or by a password that is proven and never sent.

The part of `msgc.link.Link` that says who one is. A login with a password (SCRAM-SHA-256, see
`wire.scram`) is bound to the certificate of the connection wherever it has one, and holds only when
the server has shown that it knows the account, too. Must never fall back: who was asked for a
password once is not logged in by a name alone, and odd challenges are refused, not computed.
Fails like the link: what the person has to decide stops it with an event.
"""

from typing import Final

from msgc import limits, words
from msgc.credentials import Credentials
from msgc.link_asking import AskingLink
from msgc.link_events import (
    Connected,
    Deleted,
    Disconnected,
    Distrusted,
    LinkEvent,
    LoggedIn,
    NameRefused,
    PasswordWanted,
    ProvingPassword,
)
from msgc.link_requests import Asked, Kind
from msgc.link_settings import TRY_AGAIN
from msgc.net import Doubt
from msgc.states import LinkState
from wire import messages
from wire.codes import Authentication, Code
from wire.errors import RemoteProtocolError
from wire.limits import BODY_BYTES_MAX, RECIPIENTS_MAX, VERSION
from wire.scram import ClientLogin, ScramError

_PASSWORD_CODES: Final = (Code.WRONG_PASSWORD, Code.PASSWORD_NEEDED)


class LoginLink(AskingLink):
    """See the module's text."""

    def log_in(
        self,
        name: str,
        create_if_new: bool,
        live: bool,
        credentials: Credentials | None = None,
        *,
        must_prove: bool = False,
    ) -> None:
        """Be this user: connects, and connects again, until `log_out` or a refusal.

        `must_prove`: the server has asked for a password before, so it must again.
        """
        assert self.state is LinkState.STOPPED, "log_in on a running link"
        self.name = name.lower()
        self._create_if_new = create_if_new
        self._live = live
        self._was_online = False
        self._traffic.blocked = frozenset()
        self._credentials = credentials
        self._must_prove = must_prove
        self._start()

    def connect(self, *, must_prove: bool = False) -> None:
        """Connect without being anybody: READY allows `create_account` and no more."""
        assert self.state is LinkState.STOPPED, "connect on a running link"
        self.name = None
        self._must_prove = must_prove
        self._start()

    def take_credentials(self, credentials: Credentials) -> None:
        """Prove oneself with these from now on: the password was changed."""
        self._credentials = credentials

    # ----- inside -------------------------------------------------------------------------

    def _start(self) -> None:
        self._backoff.reset()
        self.retry_at_ms = None
        self._enter(LinkState.OFFLINE)

    def _fail(self, reason: str) -> None:
        """Give this connection up; `disconnected` decides about the next."""
        if self._closing is None:
            self._closing = reason

    def _stop(self, event: LinkEvent) -> None:
        """End for good: the user decides what next."""
        self._events.append(event)
        self._fail("stopped")
        self._enter(LinkState.STOPPED)

    def _distrust(self, doubt: Doubt, pin: str = "", expected: str = "", reason: str = "") -> None:
        self._stop(Distrusted(doubt, pin, expected, reason))

    def _on_welcome(self, message: messages.Welcome) -> None:
        if message.version != VERSION:
            raise RemoteProtocolError(Code.VERSION, "it chose a version that was not offered")
        by_name = message.authentication == Authentication.NAME_ONLY
        if not by_name and message.authentication != Authentication.SCRAM_SHA_256:
            reason = "the server wants a kind of login that this msgc does not know"
            self._stop(Disconnected(reason, None))
            return
        if by_name and self._must_prove:
            self._distrust(Doubt.NO_PASSWORD)
            return
        self._traffic.server_id = message.server_id
        self.body_bytes_max = min(BODY_BYTES_MAX, message.body_bytes_max)
        self.recipients_max = min(RECIPIENTS_MAX, message.recipients_max)
        self.registration = message.registration
        self._events.append(
            Connected(
                message.agent,
                self.body_bytes_max,
                self.recipients_max,
                password=not by_name,
                registration=message.registration,
            )
        )
        if self.name is None:
            self._enter(LinkState.READY)
        elif by_name:
            self._ask_login(None, create_if_new=self._create_if_new and not self._was_online)
        elif self._credentials is None:
            self._stop(PasswordWanted(self.name, message.registration, None))
        else:
            # Where there is a certificate the login is bound to it, whatever the server says.
            self._ask_login(self._credentials.begin(self._binding), create_if_new=False)

    def _ask_login(self, scram: ClientLogin | None, *, create_if_new: bool) -> None:
        assert self.name is not None
        request = self._requests.add(Asked(Kind.LOGIN))
        assert request is not None
        self._scram = scram
        self._put(
            messages.LoginRequest(
                request,
                self.name,
                self._archive.installation,
                create_if_new,
                self._live,
                None if scram is None else scram.first,
            )
        )
        self._enter(LinkState.LOGGING_IN)

    def _on_challenge(self, message: messages.LoginChallenge) -> None:
        self._requests.check(message.request, Kind.LOGIN)
        if self.state is LinkState.LEAVING:
            return
        credentials, scram = self._credentials, self._scram
        if credentials is None or scram is None:
            raise RemoteProtocolError(Code.ILLEGAL_NOW, "it challenged a login without a password")
        try:
            salt, iterations = scram.judge(message.scram)
        except ScramError as error:
            self._distrust(Doubt.IMPOSTOR, reason=str(error))
            return
        self._challenge = message
        if credentials.known_keys(salt, iterations) is not None:
            self._prove()
        elif credentials.can_derive:
            # A moment later, so that what is about to take a while can be said first.
            self._prove_at_ms = self._now_ms + limits.PROOF_DELAY_MS
            self._events.append(ProvingPassword(iterations))
        else:
            self._want_password(words.CODE_PASSWORD_CHANGED)

    def _prove(self) -> None:
        """Answer the challenge. Takes a good part of a second where keys have to be made."""
        self._prove_at_ms = None
        credentials, scram, challenge = self._credentials, self._scram, self._challenge
        assert credentials is not None
        assert scram is not None
        assert challenge is not None
        salt, iterations = scram.judge(challenge.scram)
        keys = credentials.known_keys(salt, iterations) or credentials.derive(salt, iterations)
        self._put(messages.LoginProof(challenge.request, scram.prove(challenge.scram, keys)))

    def _on_login(self, message: messages.LoginSuccess) -> None:
        self._requests.take(message.request, Kind.LOGIN)
        if self.state is LinkState.LEAVING:
            return
        proven = self._scram is not None
        if self._scram is not None and not self._is_honest(self._scram, message.scram):
            return
        again = self._was_online
        self.name = message.username
        self._was_online = True
        self._must_prove = self._must_prove or proven
        self._deleting = self._has_asked_blocked = False
        self._poll_at_ms = self._now_ms + limits.OUTBOX_POLL_MS
        self._enter(LinkState.ONLINE)
        self._traffic.begin_session(message.account, created=message.created)
        self._events.append(
            LoggedIn(
                name=message.username,
                created=message.created,
                waiting=message.messages_waiting,
                outcomes=message.outcomes_waiting,
                last_seen_ms=message.last_seen_ms,
                again=again,
                proven=proven,
            )
        )
        self._ping(limits.DEAD_MS)
        if self._live:
            self._ask_blocked()
        if message.outcomes_waiting and self._settings.ask_outcomes:
            self.check(outcomes_only=True)

    def _is_honest(self, scram: ClientLogin, final: bytes | None) -> bool:
        """Whether the server has shown that it knows the account; else it is over."""
        challenge, self._challenge = self._challenge, None
        if challenge is None or final is None:
            reason = "the server let us in without proving that it knows the account"
            self._distrust(Doubt.IMPOSTOR, reason=reason)
            return False
        try:
            scram.check(final)
        except ScramError as error:
            self._distrust(Doubt.IMPOSTOR, reason=str(error))
            return False
        assert self._credentials is not None
        self._credentials.settle()
        return True

    def _on_login_refused(self, code: int, text: str) -> None:
        self._challenge = None
        if self.state is LinkState.LEAVING:
            return
        kept = self._credentials is not None and not self._credentials.can_derive
        if code == Code.BUSY and self._credentials is not None and not kept:
            # Too many wrong tries of late. Trying on by itself would be counted against us, too.
            self._want_password(code, text)
        elif code in TRY_AGAIN and self._settings.retry:
            self._fail(words.refusal(code, text, self.name or ""))
        elif code in _PASSWORD_CODES:
            self._want_password(words.CODE_PASSWORD_CHANGED if kept else code)
        elif code == Code.CHANNEL_BINDING:
            self._distrust(Doubt.BETWEEN)
        elif code == Code.UNKNOWN_USER and self._deleting:
            # The answer to the deletion was lost on the way; this is it.
            self._end_account(None)
        else:
            self._stop(NameRefused(self.name or "", code, text))

    def _want_password(self, code: int, text: str = "") -> None:
        self._stop(PasswordWanted(self.name or "", self.registration, code, text))

    def _end_account(self, discarded: int | None) -> None:
        self._deleting = False
        self._traffic.end_account()
        self._stop(Deleted(self.name or "", discarded))
