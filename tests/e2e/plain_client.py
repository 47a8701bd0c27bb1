"""A client by the plain protocol: small, synchronous, written from docs/protocol.md.

It keeps nothing on a disk, so it is no model of a correct client; it is for asking the server and
for looking at its answers. Must never hide what the server says: what was not asked for is kept in
`heard`, in order.
Fails with AssertionError when an answer does not come in time, ClosedError when the server closes.
"""

import socket
from itertools import count
from typing import Final, TypeVar

from tests.e2e.machine import wait_for_fd, wait_s_max
from wire.connection import Connection, Unsupported
from wire.messages import (
    AccountEntry,
    AccountList,
    CheckComplete,
    CheckMessages,
    CreateAccount,
    CreateFailure,
    CreateSuccess,
    DeletionFailure,
    DeletionRequest,
    DeletionSuccess,
    DistributeMessage,
    Error,
    Hello,
    ListAccounts,
    LoggedOut,
    LoginFailure,
    LoginRequest,
    LoginSuccess,
    Logout,
    Message,
    MessageFailure,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    Ping,
    Pong,
    ReceiptSettled,
    SendMessage,
    Welcome,
)
from wire.states import Role

_READ_BYTES_MAX: Final = 65_536
_COUNTERS: Final = count(1)
Kind = TypeVar("Kind", bound=Message)
Other = TypeVar("Other", bound=Message)


class ClosedError(Exception):
    """The server has closed the connection; `error` is its last word, if it was one."""

    def __init__(self, error: Error | None) -> None:
        super().__init__(f"the server closed the connection: {error}")
        self.error = error


class PlainClient:
    """One connection. Pings are answered whenever something is read."""

    def __init__(self, port: int, installation: bytes = b"plainone") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=wait_s_max)
        self._connection = Connection(Role.CLIENT)
        self._heard: list[Message] = []
        self._request = 0
        self._pings = 0
        self._error: Error | None = None
        self.installation = installation
        self.say(Hello((1,), "plain/1"))
        self.welcome = self.expect(Welcome)

    @property
    def fd(self) -> int:
        """The socket's, to wait for."""
        return self._socket.fileno()

    # ----- topic by topic -----------------------------------------------------------------------

    def log_in(self, name: str, *, create: bool = True, live: bool = False) -> LoginSuccess:
        """Be this user; it must succeed."""
        answer = self.try_login(name, create=create, live=live)
        assert isinstance(answer, LoginSuccess), answer
        return answer

    def try_login(
        self, name: str, *, create: bool = True, live: bool = False
    ) -> LoginSuccess | LoginFailure:
        """Try to be this user."""
        request = self.next_request()
        self.say(LoginRequest(request, name, self.installation, create, live))
        return self.expect_either(LoginSuccess, LoginFailure)

    def create(self, name: str) -> CreateSuccess | CreateFailure:
        """CREATE_ACCOUNT."""
        self.say(CreateAccount(self.next_request(), name))
        return self.expect_either(CreateSuccess, CreateFailure)

    def list_accounts(self, pattern: str | None = None) -> list[AccountEntry]:
        """All pages."""
        self.say(ListAccounts(self.next_request(), pattern))
        page = self.expect(AccountList)
        entries = list(page.entries)
        while page.cursor is not None:
            self.say(ListAccounts(self.next_request(), pattern, page.cursor))
            page = self.expect(AccountList)
            entries += page.entries
        return entries

    def send(
        self, recipients: tuple[str, ...], body: bytes | str, *, everyone: bool = False
    ) -> MessagePending | MessageFailure:
        """Send and wait for the answer."""
        data = body.encode("utf-8") if isinstance(body, str) else body
        request = self.next_request()
        self.say(SendMessage(request, self.next_message_id(), data, recipients, everyone))
        answer = self.expect_either(MessagePending, MessageFailure)
        assert answer.request == request, answer
        return answer

    def check(self, *, confirm: bool = True) -> list[DistributeMessage]:
        """Fetch what waits; confirmed while reading, and the removal is durable at the end."""
        self.say(CheckMessages(self.next_request()))
        got: list[DistributeMessage] = []
        while True:
            match self._take(DistributeMessage, CheckComplete, MessageSuccess, MessageFailure):
                case CheckComplete():
                    break
                case DistributeMessage() as message:
                    got.append(message)
                    deliveries: tuple[int | None, ...] = (message.delivery,)
                case MessageSuccess(delivery=number) | MessageFailure(delivery=number):
                    deliveries = (number,)
                case other:
                    raise AssertionError(other)
            if confirm:
                self.confirm(*(number for number in deliveries if number is not None))
        return got

    def confirm(self, *deliveries: int) -> int:
        """MESSAGE_RECEIPT; how many it took out of the queue, durably."""
        self.say(MessageReceipt(deliveries, self.next_request()))
        return self.expect(ReceiptSettled).count

    def delete(self, name: str, *, force: bool = False) -> DeletionSuccess | DeletionFailure:
        """DELETION_REQUEST."""
        self.say(DeletionRequest(self.next_request(), name, force))
        return self.expect_either(DeletionSuccess, DeletionFailure)

    def log_out(self) -> None:
        """LOGOUT, and the end of the connection."""
        self.say(Logout(self.next_request()))
        self.expect(LoggedOut)
        self.close()

    def close(self) -> None:
        """Cut the connection."""
        self._socket.close()

    # ----- frames -------------------------------------------------------------------------------

    def next_request(self) -> int:
        """A REQUEST that is not in use."""
        self._request += 1
        return self._request

    def next_message_id(self) -> bytes:
        """A MESSAGE_ID never used before, by no connection of the same installation either."""
        return self.installation + next(_COUNTERS).to_bytes(8, "big")

    def say(self, message: Message) -> None:
        """Send one frame."""
        self.say_bytes(self._connection.send(message))

    def say_bytes(self, data: bytes) -> None:
        """Send bytes that may be no frame at all."""
        rest = memoryview(data)
        while rest:
            wait_for_fd(self.fd, "the server takes bytes", to_write=True)
            rest = rest[self._socket.send(rest) :]

    def expect(self, kind: type[Kind]) -> Kind:
        """The next message of this kind; what comes before it is left in `heard`."""
        message = self._take(kind)
        assert isinstance(message, kind)
        return message

    def expect_either(self, kind: type[Kind], other: type[Other]) -> Kind | Other:
        """The next message of one of these kinds."""
        message = self._take(kind, other)
        assert isinstance(message, (kind, other))
        return message

    @property
    def heard(self) -> tuple[Message, ...]:
        """What came without being waited for, oldest first."""
        return tuple(self._heard)

    def answer_ping(self) -> None:
        """Wait until the server asks whether anybody is there, and say yes."""
        seen = self._pings
        while self._pings == seen:
            event = self._connection.next_event()
            if event is None:
                self._read()
            elif isinstance(event, Ping):
                self._pong(event)
            else:
                assert not isinstance(event, Unsupported), event
                self._heard.append(event)

    def expect_end(self) -> Error | None:
        """Wait until the server closes; its fatal ERROR, if it said one."""
        try:
            while True:
                self._heard.append(self._next())
        except ClosedError as closed:
            return closed.error

    def _take(self, *kinds: type[object]) -> Message:
        for place, message in enumerate(self._heard):
            if isinstance(message, kinds):
                del self._heard[place]
                return message
        while not isinstance(message := self._next(), kinds):
            self._heard.append(message)
        return message

    def _next(self) -> Message:
        while True:
            event = self._connection.next_event()
            if isinstance(event, Ping):
                self._pong(event)
            elif isinstance(event, Error) and event.fatal:
                self._error = event
            elif event is not None:
                assert not isinstance(event, Unsupported), event
                return event
            else:
                self._read()

    def _pong(self, ping: Ping) -> None:
        self._pings += 1
        self.say(Pong(ping.request))

    def _read(self) -> None:
        wait_for_fd(self.fd, "the server says something")
        try:
            data = self._socket.recv(_READ_BYTES_MAX)
        except ConnectionResetError:
            data = b""
        if not data:
            raise ClosedError(self._error)
        self._connection.receive_data(data)
