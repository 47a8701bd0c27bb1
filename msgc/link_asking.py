"""What the user asks of the link: the requests that any screen or command may make at any time.

The part of `msgc.link.Link` that puts requests on the wire; their answers are events. Must never
wait, nor put anything on the wire that the state does not allow. Fails never: what is not possible
now is told by None.
"""

from collections import deque
from collections.abc import Callable

from msgc.archive import Archive
from msgc.credentials import Credentials
from msgc.link_answers import Answers
from msgc.link_events import LinkEvent
from msgc.link_pulse import Backoff, Pulse
from msgc.link_requests import Asked, Kind, Requests
from msgc.link_settings import ANSWER_EXPECTED_MS, LinkSettings
from msgc.link_traffic import Traffic
from msgc.states import LinkState
from wire import messages
from wire.connection import Connection
from wire.limits import BODY_BYTES_MAX, RECIPIENTS_MAX
from wire.messages import Message
from wire.scram import ClientLogin, Verifier


class AskingLink:
    """See the module's text."""

    def __init__(
        self, archive: Archive, random: Callable[[], float], settings: LinkSettings
    ) -> None:
        self.state = LinkState.STOPPED
        self.name: str | None = None
        """The user, as the server writes the name once logged in."""
        self.retry_at_ms: int | None = None
        """When OFFLINE: the time of the next attempt."""
        self.body_bytes_max = BODY_BYTES_MAX
        self.recipients_max = RECIPIENTS_MAX
        self.registration: int | None = None
        """Who may make an account, as the server said (wire.codes.Registration)."""
        self._archive = archive
        self._settings = settings
        self._events: deque[LinkEvent] = deque()
        self._requests = Requests()
        self._answers = Answers(self._requests, self._events)
        self._traffic = Traffic(archive, self._requests, self._events, random)
        self._backoff = Backoff(random)
        self._pulse = Pulse(0)
        self._connection: Connection | None = None
        self._attached = False
        self._closing: str | None = None
        self._out: list[bytes] = []
        self._create_if_new = False
        self._live = False
        self._was_online = False
        self._deleting = False
        self._has_asked_blocked = False
        self._now_ms = 0
        self._since_ms = 0
        self._limit_ms: int | None = None
        """For how long this state waits for an answer."""
        self._poll_at_ms = 0
        self._expected_ms: int | None = None
        self._binding: bytes | None = None
        self._credentials: Credentials | None = None
        self._must_prove = False
        self._scram: ClientLogin | None = None
        self._challenge: messages.LoginChallenge | None = None
        self._prove_at_ms: int | None = None

    @property
    def lag_ms(self) -> int | None:
        """How long the server took for the last ping."""
        return self._pulse.lag_ms

    @property
    def state_since_ms(self) -> int:
        """When the state became what it is."""
        return self._since_ms

    @property
    def is_checking(self) -> bool:
        """Whether it is in doubt that the server is still there: the machine slept."""
        return self.state is LinkState.ONLINE and self._pulse.is_strict

    def send_outbox(self) -> None:
        """Send what is UNSENT and ask back what is to be taken back, oldest first."""
        if self._is_usable(LinkState.ONLINE):
            for message in self._traffic.next_sends(sum(map(len, self._out)), self._now_ms):
                self._put(message)
            for recall in self._traffic.next_recalls(self._now_ms):
                self._put(recall)

    def check(self, limit: int | None = None, *, outcomes_only: bool = False) -> int | None:
        """Fetch what waits. The request's number, or None when that is not possible now."""
        if not self._is_usable(LinkState.ONLINE):
            return None
        if not outcomes_only:
            self._ask_blocked()
        request = self._requests.add(Asked(Kind.CHECK, flag=outcomes_only))
        if request is not None:
            self._put(messages.CheckMessages(request, limit, outcomes_only))
        return request

    def list_accounts(self, pattern: str | None = None, limit: int | None = None) -> int | None:
        """Ask for the users, all pages; `limit` 0: for the totals. Gives the request, or None."""
        if not self._is_usable(LinkState.ONLINE):
            return None
        asked = Asked(Kind.LIST, name=pattern)
        request = self._requests.add(asked)
        if request is not None:
            asked.first = request
            self._put(messages.ListAccounts(request, pattern, limit=limit))
        return request

    def create_account(
        self, name: str, verifier: Verifier | None = None, invite: bytes | None = None
    ) -> int | None:
        """Make an account. The request's number; None when not possible now."""
        if not self._is_usable(LinkState.ONLINE, LinkState.READY):
            return None
        request = self._requests.add(Asked(Kind.CREATE, name=name.lower()))
        if request is not None:
            salt, iterations, stored, server = (None,) * 4 if verifier is None else _parts(verifier)
            self._put(
                messages.CreateAccount(
                    request, name.lower(), salt, iterations, stored, server, invite
                )
            )
        return request

    def change_password(self, verifier: Verifier) -> int | None:
        """From now on the password is this. The request's number; None when not possible now."""
        if self.state is not LinkState.ONLINE:
            return None
        request = self._requests.add(Asked(Kind.PASSWORD))
        if request is not None:
            self._put(messages.ChangePassword(request, *_parts(verifier)))
        return request

    def block_senders(
        self, blocked: tuple[str, ...] = (), unblocked: tuple[str, ...] = ()
    ) -> int | None:
        """Take no messages of these any more, and of those again; with neither, ask who is blocked.

        The request's number; None when not possible now.
        """
        if self.state is not LinkState.ONLINE:
            return None
        request = self._requests.add(Asked(Kind.BLOCK, name=(*blocked, *unblocked, "")[0]))
        if request is not None:
            self._put(messages.BlockSenders(request, blocked, unblocked))
        return request

    def _ask_blocked(self) -> None:
        """Before messages come, once a session: a message to everyone is nobody's to refuse."""
        if not self._has_asked_blocked:
            self._has_asked_blocked = True
            request = self._requests.add(Asked(Kind.BLOCK, flag=True))
            if request is not None:
                self._put(messages.BlockSenders(request))

    def delete_account(self, force: bool) -> int | None:
        """Delete one's own account. The request's number; None when not possible now."""
        if not self._is_usable(LinkState.ONLINE) or self.name is None:
            return None
        request = self._requests.add(Asked(Kind.DELETE))
        if request is not None:
            self._deleting = True
            self._put(messages.DeletionRequest(request, self.name, force))
        return request

    def next_event(self) -> LinkEvent | None:
        """What happened, in order; None when nothing more."""
        return self._events.popleft() if self._events else None

    def _enter(self, state: LinkState) -> None:
        self.state = state
        self._since_ms = self._now_ms
        self._limit_ms = ANSWER_EXPECTED_MS.get(state)

    def _is_usable(self, *states: LinkState) -> bool:
        """Whether something may be put on the wire in this state: not once the server has said that
        it hangs up, though the connection is still there.
        """
        return self._closing is None and self.state in states

    def _put(self, message: Message) -> None:
        assert self._connection is not None
        self._out.append(self._connection.send(message))

    def _ping(self, timeout_ms: int) -> None:
        request = self._requests.next_number()
        self._put(messages.Ping(request))
        self._pulse.sent(request, self._now_ms, timeout_ms)


def _parts(verifier: Verifier) -> tuple[bytes, int, bytes, bytes]:
    """In the order of the wire's messages."""
    return verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key
