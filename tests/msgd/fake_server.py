"""The rules on a real store, with clients that speak through the other end of the wire's machine.

No socket and no loop: `turn` does what a turn of the loop does, in its order. Both ends are judged
by `wire.connection`, so a frame that is not legal fails the test, whoever sent it.
"""

import random
from collections.abc import Callable
from typing import TypeVar

from msgd.events import Event, EventKind, EventLog
from msgd.exchange import Exchange
from msgd.limits import ExchangeLimits
from msgd.session import Session
from msgd.values import Now
from store.disk import Disk
from store.settings import Settings
from store.store import Store
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk
from wire import frames
from wire.connection import Connection, Unsupported
from wire.errors import RemoteProtocolError
from wire.messages import (
    CheckComplete,
    CheckMessages,
    CreateAccount,
    CreateSuccess,
    DistributeMessage,
    Hello,
    LoginFailure,
    LoginRequest,
    LoginSuccess,
    Message,
    MessageFailure,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    Ping,
    Pong,
    SendMessage,
)
from wire.states import Role, State

M = TypeVar("M")
FRAMES_MAX = 128

SMALL = Settings(
    journal_segment_bytes=512 * 1024,
    batch_bytes_max=256 * 1024,
    journal_bytes_max=8 << 20,
    reserve_bytes=64 * 1024,
    free_bytes_min=64 * 1024,
)


class Server:
    """A store, the rules, and the clients connected to it."""

    def __init__(
        self,
        disk: Disk | None = None,
        limits: ExchangeLimits | None = None,
        settings: Settings = SMALL,
        store: type[Store] = Store,
    ) -> None:
        self.clock = SimClock()
        self.disk: Disk = SimDisk(random.Random(1)) if disk is None else disk
        self.limits = ExchangeLimits() if limits is None else limits
        self.settings = settings
        self.store_class = store
        self.entropy = random.Random(2)
        self.clients: list[Client] = []
        self.in_a_row = True  # whether messages in a row may take the short way
        self.watch: Callable[[Session, int, Message], None] | None = None
        """Called with every message as it is released: its session and the LSN it waited for."""
        self.start()

    def start(self) -> None:
        """Open the store and begin, as a new process would."""
        self.store = self.store_class.open(
            self.disk, self.clock, self.entropy.randbytes, self.settings
        )
        self.events = EventLog(1_000)
        self.exchange = Exchange(self.store, self.limits, self.events)

    def stop(self) -> None:
        """An orderly end: every connection is gone, the store is closed."""
        for client in tuple(self.clients):
            client.drop()
        self.store.close()

    @property
    def now(self) -> Now:
        return Now(self.clock.monotonic_ms(), self.clock.wall_ms())

    def advance(self, by_ms: int) -> None:
        """Let time pass, stopping at every deadline on the way, and once a second as the loop."""
        until_ms = self.clock.now_ms + by_ms
        self.turn()
        while self.clock.now_ms < until_ms:
            next_ms = min(until_ms, self.clock.now_ms + 1_000)
            deadline_ms = self.exchange.next_deadline_ms()
            if deadline_ms is not None and deadline_ms < next_ms:
                next_ms = max(self.clock.now_ms, deadline_ms)
            self.clock.advance_to(next_ms)
            self.turn()

    def turn(self) -> None:
        """One turn, and those that must follow it at once."""
        for _ in range(10_000):
            self.answer()
            self.exchange.tick(self.now)
            more = self.exchange.work(self.now)
            quiet = not more and not self.exchange.dirty and not self.store.has_pending
            if quiet and not any(client.has_posted for client in self.clients):
                return
        raise AssertionError("the server never comes to rest")

    def answer(self) -> None:
        """A turn up to the release, once: nothing that takes long goes on meanwhile."""
        self.read()
        self.exchange.end_turn(self.now)
        self.store.commit()
        self.release()

    def read(self) -> None:
        """Hand what the clients have sent to the rules."""
        for client in tuple(self.clients):
            client.feed()

    def release(self) -> None:
        """Send what is durable, and close who is to be closed."""
        durable_lsn = self.store.durable_lsn
        for session in self.exchange.take_dirty():
            client = next((one for one in self.clients if one.session is session), None)
            if client is None:
                continue
            while session.outbox:
                lsn, message = session.outbox.popleft()
                assert lsn <= durable_lsn, "it would have to wait for a later commit"
                for each in client.take(message):
                    if self.watch is not None:
                        self.watch(session, lsn, each)
            if session.closing is not None:
                client.is_closed = True
                self.clients.remove(client)
                self.exchange.close_session(session, session.closing, self.now)

    def client(self, peer: str | None = None) -> "Client":
        """A new connection that has been greeted."""
        client = Client(self, peer or f"127.0.0.1:{40_000 + len(self.clients)}")
        client.say(Hello((1,), "test"))
        client.inbox.clear()
        return client

    def user(self, name: str, *, live: bool = True, installation: bytes | None = None) -> "Client":
        """A new connection that has logged in, under a name that may be new."""
        client = self.client()
        client.login(name, live=live, installation=installation)
        assert client.all(LoginSuccess), f"{name} was not admitted: {client.inbox}"
        return client

    def newcomer(self, name: str, installation: bytes) -> "Client":
        """Somebody who asks for a name and has no answer yet, perhaps."""
        client = self.client()
        client.name, client.installation = name, installation
        request = client.request()
        client.post(LoginRequest(request, name, installation, create_if_new=True, live=True))
        self.answer()
        return client

    def account(self, name: str) -> None:
        """Make an account that is not logged in."""
        client = self.client()
        client.say(CreateAccount(1, name))
        client.last(CreateSuccess)
        client.drop()

    def noted(self, kind: EventKind) -> list[str]:
        """The texts of the events of a kind, oldest first."""
        return [event.text for event in self.all_events() if event.kind is kind]

    def all_events(self) -> tuple[Event, ...]:
        return self.events.latest(1_000)


class Client:
    """One connection's other end."""

    def __init__(self, server: Server, peer: str) -> None:
        self.server = server
        self.connection = Connection(Role.CLIENT)
        self.session = server.exchange.open_session(peer, server.now)
        self.inbox: list[Message] = []
        self.is_closed = False
        self.requests = 0
        self.counter = 0
        self.installation = bytes(8)
        self.name = ""
        self.answers_pings = True
        self._to_server: list[bytes] = []
        server.clients.append(self)

    # ----- saying -----------------------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Send a frame; the server reads it in its next turn."""
        self._to_server.append(self.connection.send(message))

    def say(self, message: Message) -> None:
        """Send a frame, and let the server have its turn."""
        self.post(message)
        self.server.turn()

    def say_bytes(self, data: bytes) -> None:
        """Send anything at all, and let the server have its turn."""
        self._to_server.append(data)
        self.server.turn()

    def request(self) -> int:
        self.requests += 1
        return self.requests

    def login(
        self,
        name: str,
        *,
        live: bool = True,
        create: bool = True,
        installation: bytes | None = None,
    ) -> None:
        """Ask to be a user. Without `installation` every name has one of its own."""
        self.name = name
        self.installation = installation or name.lower().encode()[:8].ljust(8, b"\0")
        message = LoginRequest(self.request(), name, self.installation, create, live)
        self.say(message)

    def message(self, *to: str, body: str | bytes = "hello", counter: int = 0) -> SendMessage:
        """A message with the next id (or the id given); to nobody named is to everyone."""
        if not counter:
            self.counter += 1
            counter = self.counter
        message_id = self.installation + counter.to_bytes(8, "big")
        data = body.encode() if isinstance(body, str) else body
        return SendMessage(self.request(), message_id, data, to, everyone=not to)

    def send(self, *to: str, body: str | bytes = "hello") -> SendMessage:
        """Send a message that must be accepted; gives it."""
        message = self.message(*to, body=body)
        self.say(message)
        pending = [one for one in self.all(MessagePending) if one.request == message.request]
        assert len(pending) == 1, self.inbox
        return message

    def send_many(self, count: int, *to: str, body: str = "") -> None:
        """Messages in one burst, that must be accepted; the texts are 0, 1, 2… or `body`."""
        before = len(self.all(MessagePending))
        for number in range(count):
            self.post(self.message(*to, body=body or str(number)))
        self.server.turn()
        assert len(self.all(MessagePending)) == before + count

    def refused(self, message: SendMessage) -> MessageFailure:
        """Send a message that must be refused; gives the refusal."""
        self.say(message)
        failure = self.last(MessageFailure)
        assert failure.request == message.request
        return failure

    def check(self, limit: int | None = None, *, outcomes_only: bool = False) -> int:
        """Post a check and let the server have its turn; gives its request."""
        request = self.request()
        self.say(CheckMessages(request, limit, outcomes_only))
        return request

    def confirm(self, *deliveries: int, answered: bool = False) -> None:
        """Send a receipt; without deliveries, for everything in the inbox."""
        numbers = deliveries or tuple(self.deliveries())
        self.say(MessageReceipt(numbers, self.request() if answered else None))

    def drop(self) -> None:
        """The connection breaks."""
        if not self.is_closed:
            self.is_closed = True
            self.server.clients.remove(self)
            self.server.exchange.close_session(
                self.session, "closed by the client", self.server.now
            )
            self.server.turn()

    # ----- hearing ----------------------------------------------------------------------------

    def all(self, kind: type[M]) -> list[M]:
        """What came of a kind."""
        return [message for message in self.inbox if isinstance(message, kind)]

    def last(self, kind: type[M]) -> M:
        """The last frame that came, which must be of this kind."""
        assert self.inbox, f"nothing came, {kind.__name__} was to come"
        message = self.inbox[-1]
        assert isinstance(message, kind), f"{message} is no {kind.__name__}"
        return message

    def bodies(self) -> list[str]:
        """The texts of the messages that came."""
        return [message.body.decode() for message in self.all(DistributeMessage)]

    def deliveries(self) -> list[int]:
        """The numbers of everything that came and wants a receipt."""
        return [
            message.delivery
            for message in self.inbox
            if isinstance(message, DistributeMessage | MessageSuccess | MessageFailure)
            and message.delivery is not None
        ]

    def complete(self) -> tuple[int, int]:
        """What the last frame, a CHECK_COMPLETE, tells: delivered and remaining."""
        message = self.last(CheckComplete)
        return message.delivered, message.remaining

    def is_refused(self, code: int) -> bool:
        """Whether the last frame refuses the login for this reason."""
        return self.last(LoginFailure).code == code

    # ----- the machine ------------------------------------------------------------------------

    @property
    def has_posted(self) -> bool:
        """Whether there is something that the server has not read."""
        return bool(self._to_server)

    def feed(self) -> None:
        """Let the rules have what was posted, as the loop does."""
        server, connection = self.server, self.session.connection
        if not self._to_server or self.is_closed:
            return
        connection.receive_data(b"".join(self._to_server))
        self._to_server.clear()
        in_a_row = server.in_a_row
        while self.session.closing is None:
            if in_a_row and (sends := connection.next_sends(FRAMES_MAX)):
                taken = server.exchange.receive_sends(self.session, sends, server.now)
                if taken:
                    connection.pass_sends(sends[taken - 1][0])
                in_a_row = taken == len(sends)
                continue
            try:
                message = connection.next_event()
            except RemoteProtocolError as error:
                server.exchange.break_session(self.session, error, server.now)
                return
            if message is None:
                return
            server.exchange.receive(self.session, message, server.now)

    def take(self, message: Message | bytes) -> list[Message]:
        """The server has sent frames: they go through both machines; gives them."""
        connection = self.session.connection
        if isinstance(message, bytes):
            self.connection.receive_data(message)
            taken = []
            while (each := self.connection.next_event()) is not None:
                assert not isinstance(each, Unsupported)
                taken.append(each)
            # The server's own machine was passed by: it must have been ready for these frames.
            assert b"".join(map(connection.send, taken)) == message
            self.inbox += taken
            return taken
        broken = connection.state is State.CLOSED
        self.connection.receive_data(frames.encode(message) if broken else connection.send(message))
        assert self.connection.next_event() == message
        if isinstance(message, Ping) and self.answers_pings:
            self.post(Pong(message.request))
        self.inbox.append(message)
        return [message]
