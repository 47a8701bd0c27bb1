"""A server in memory for tests of the client: real frames, few rules, nothing on a disk.

It keeps what the real one keeps (queues, duplicate windows, outcomes), so a test can cut the line
at any byte and still ask at the end what was accepted and what was delivered.
"""

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from tests.msgc.cheap_keys import cheap_keys
from wire import messages
from wire.codes import Audience, Authentication, Code, Presence, Registration
from wire.connection import Connection, Unsupported
from wire.messages import DistributeMessage, Message, MessageFailure, MessageSuccess
from wire.scram import ServerLogin, Verifier, check_header, make_verifier, read_first
from wire.states import Role, State

SERVER_ID = b"server-of-tests!"

Entry = DistributeMessage | MessageSuccess | MessageFailure


@dataclass
class FakeAccount:
    name: str
    queue: dict[int, Entry] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)
    blocked: list[str] = field(default_factory=list)
    session: "FakeSession | None" = None

    @property
    def waiting(self) -> int:
        return sum(isinstance(entry, DistributeMessage) for entry in self.queue.values())


class FakeServer:
    def __init__(self, *names: str) -> None:
        self.server_id = SERVER_ID
        self.accounts = {name: FakeAccount(name) for name in names}
        self.accepted: list[messages.SendMessage] = []
        self.now_ms = 1_000_000
        self.page = 256
        self.refuse_sends: int | None = None
        self.refuse_login: int | None = None
        self.refuse_login_text = "refused"
        self.end_login: messages.Error | None = None
        self.refuse_recalls: int | None = None
        self.later: tuple[str, ...] = ()
        self.passwords: dict[str, Verifier] | None = None
        """None: a name is enough."""
        self.registration = Registration.OPEN
        self.invites: set[bytes] = set()
        self.binding: bytes | None = None
        self.challenge: bytes | None = None
        """What a server that is no friend says, after the nonce of the client."""
        self.lets_in = False
        self.signature: bytes | None = None
        self._number = 0

    def give_password(self, name: str, password: str) -> None:
        self.passwords = self.passwords or {}
        self.passwords[name] = cheap_keys(password, name.encode().ljust(16, b"-"), 600_000).verifier

    def open(self) -> "FakeSession":
        return FakeSession(self)

    def next_number(self) -> int:
        self._number += 1
        self.now_ms += 1
        return self._number

    def queue(
        self,
        name: str,
        sender: str,
        body: str,
        message_id: bytes = b"",
        audience: Audience = Audience.ONE,
    ) -> None:
        """Put a message from somebody into a queue."""
        number = self.next_number()
        entry = DistributeMessage(
            number,
            message_id or b"elsewher" + number.to_bytes(8, "big"),
            sender,
            self.now_ms,
            audience,
            1,
            body.encode(),
        )
        self._enqueue(self.accounts[name], number, entry)

    def accept(self, sender: FakeAccount, send: messages.SendMessage) -> int:
        names = [name for name in self.accounts if name != sender.name]
        recipients = names if send.everyone else list(send.recipients)
        sender.seen.add(send.message_id)
        self.accepted.append(send)
        for name in recipients:
            self.queue(name, sender.name, send.body.decode(), send.message_id)
        return len(recipients)

    def settle(self, account: FakeAccount, number: int) -> None:
        entry = account.queue.pop(number, None)
        if not isinstance(entry, DistributeMessage) or entry.sender not in self.accounts:
            return
        outcome = self.next_number()
        success = MessageSuccess(outcome, entry.message_id, account.name, self.now_ms)
        self._enqueue(self.accounts[entry.sender], outcome, success)

    def _enqueue(self, account: FakeAccount, number: int, entry: Entry) -> None:
        account.queue[number] = entry
        if account.session is not None and account.session.live:
            account.session.hand_out(number)


class FakeSession:
    """One connection. `receive` bytes, `take` the answer."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.connection = Connection(Role.SERVER)
        self.account: FakeAccount | None = None
        self.live = False
        self.silent = False
        self.heard: list[Message] = []
        self.outstanding: set[int] = set()
        self.login: tuple[messages.LoginRequest, ServerLogin] | None = None
        self._out: list[bytes] = []

    @property
    def is_closed(self) -> bool:
        return self.connection.state is State.CLOSED

    def put(self, message: Message) -> None:
        self._out.append(self.connection.send(message))

    def put_bytes(self, data: bytes) -> None:
        self._out.append(data)

    def take(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        return data

    def close(self) -> None:
        if self.account is not None and self.account.session is self:
            self.account.session = None

    def receive(self, data: bytes) -> None:
        if self.is_closed:
            return
        self.connection.receive_data(data)
        while (message := self.connection.next_event()) is not None:
            assert not isinstance(message, Unsupported)
            self.heard.append(message)
            if not self.silent:
                self.handle(message)
            if self.connection.state is State.CLOSED:
                return

    def hand_out(self, number: int) -> None:
        assert self.account is not None
        if number not in self.outstanding and self.connection.state is State.ONLINE:
            self.outstanding.add(number)
            self.put(self.account.queue[number])

    def handle(self, message: Message) -> None:
        match message:
            case messages.Hello():
                self.put(self._welcome())
            case messages.LoginProof():
                self._judge(message)
            case messages.Ping(request=request):
                self.put(messages.Pong(request))
            case messages.LoginRequest():
                self._log_in(message)
            case messages.CreateAccount(request=request, username=name):
                code = self._refusal(message)
                if code is not None:
                    self.put(messages.CreateFailure(request, code, "refused"))
                else:
                    self.server.accounts[name] = FakeAccount(name)
                    self.put(messages.CreateSuccess(request, name))
            case messages.Logout(request=request):
                self.put(messages.LoggedOut(request))
                self.close()
            case messages.MessageReceipt():
                assert self.account is not None
                for number in message.deliveries:
                    self.server.settle(self.account, number)
            case _:
                self._handle_requests(message)

    def _welcome(self) -> messages.Welcome:
        server = self.server
        if server.passwords is None:
            return welcome(server.server_id)
        return replace(
            welcome(server.server_id),
            authentication=Authentication.SCRAM_SHA_256,
            registration=server.registration,
            channel_binding=server.binding is not None,
        )

    def _refusal(self, message: messages.CreateAccount) -> Code | None:
        server = self.server
        if message.username in server.accounts:
            return Code.NAME_TAKEN
        if server.passwords is None:
            return None
        if server.registration is Registration.CLOSED:
            return Code.REGISTRATION_CLOSED
        if server.registration is Registration.INVITE and message.invite not in server.invites:
            return Code.INVITE_INVALID
        if message.salt is None or message.iterations is None:
            return Code.PASSWORD_NEEDED
        assert message.stored_key is not None
        assert message.server_key is not None
        server.passwords[message.username] = Verifier(
            message.salt, message.iterations, message.stored_key, message.server_key
        )
        return None

    def _challenge(self, message: messages.LoginRequest) -> None:
        server = self.server
        assert server.passwords is not None
        if message.scram is None:
            self.put(messages.LoginFailure(message.request, Code.PASSWORD_NEEDED, "password"))
            return
        first = read_first(message.scram)
        check_header(first, server.binding)
        unknown = make_verifier("nobody", b"-" * 16, 1)
        verifier = server.passwords.get(message.username, replace(unknown, iterations=600_000))
        login = ServerLogin(verifier, first, "s" * 32, server.binding)
        self.login = message, login
        said = login.challenge
        if server.challenge is not None:
            said = b"r=" + first.nonce.encode() + server.challenge
        self.put(messages.LoginChallenge(message.request, said))

    def _judge(self, message: messages.LoginProof) -> None:
        assert self.login is not None
        request, login = self.login
        final = login.check(message.scram)
        if final is None:
            self.put(messages.LoginFailure(message.request, Code.WRONG_PASSWORD, "wrong"))
        else:
            self._let_in(request, self.server.signature or final)

    def _handle_requests(self, message: Message) -> None:
        assert self.account is not None
        match message:
            case messages.BlockSenders():
                self._block(self.account, message)
            case messages.ChangePassword():
                assert self.server.passwords is not None
                self.server.passwords[self.account.name] = Verifier(
                    message.salt, message.iterations, message.stored_key, message.server_key
                )
                self.put(messages.PasswordChanged(message.request))
            case messages.SendMessage():
                self._send(self.account, message)
            case messages.RecallMessage():
                self._recall(self.account, message)
            case messages.CheckMessages():
                self._check(self.account, message)
            case messages.ListAccounts():
                self._list(message)
            case messages.DeletionRequest(request=request):
                if self.account.waiting and not message.force:
                    code = Code.UNDELIVERED_MESSAGES
                    self.put(messages.DeletionFailure(request, code, "wait", self.account.waiting))
                    return
                del self.server.accounts[self.account.name]
                self.put(messages.DeletionSuccess(request, self.account.name, self.account.waiting))
                self.put(messages.LoggedOut())
            case _:
                pass

    def _block(self, account: FakeAccount, message: messages.BlockSenders) -> None:
        if not set(message.blocked) <= set(self.server.accounts):
            self.put(messages.BlockFailure(message.request, Code.UNKNOWN_USER, "who"))
            return
        account.blocked += [name for name in message.blocked if name not in account.blocked]
        account.blocked = [name for name in account.blocked if name not in message.unblocked]
        self.put(messages.SendersBlocked(message.request, tuple(account.blocked)))

    def _log_in(self, message: messages.LoginRequest) -> None:
        accounts = self.server.accounts
        if self.server.refuse_login is not None:
            code = self.server.refuse_login
            text = self.server.refuse_login_text
            self.put(messages.LoginFailure(message.request, code, text))
            return
        if self.server.end_login is not None:
            self.put(self.server.end_login)
            return
        if self.server.passwords is not None and not self.server.lets_in:
            self._challenge(message)
            return
        created = message.username not in accounts
        if created and not message.create_if_new:
            self.put(messages.LoginFailure(message.request, Code.UNKNOWN_USER, "unknown"))
            return
        accounts.setdefault(message.username, FakeAccount(message.username))
        self._let_in(message, None, created=created)

    def _let_in(
        self, message: messages.LoginRequest, scram: bytes | None, *, created: bool = False
    ) -> None:
        account = self.server.accounts[message.username]
        if account.session is not None and account.session is not self:
            account.session.close()  # the same installation takes over
        account.session, self.account, self.live = self, account, message.live
        outcomes = len(account.queue) - account.waiting
        self.put(
            messages.LoginSuccess(
                message.request,
                account.name,
                account.waiting,
                outcomes,
                created=created,
                scram=scram,
            )
        )

    def _send(self, account: FakeAccount, send: messages.SendMessage) -> None:
        unknown = tuple(name for name in send.recipients if name not in self.server.accounts)
        if send.message_id in account.seen:
            self.put(messages.MessagePending(send.request, send.message_id, duplicate=True))
        elif self.server.refuse_sends is not None:
            code = self.server.refuse_sends
            self.put(MessageFailure(send.message_id, code, "no", request=send.request))
        elif unknown:
            code = Code.UNKNOWN_RECIPIENT
            self.put(MessageFailure(send.message_id, code, "who", unknown, send.request))
        else:
            # The answer is put before what follows from it, as the real server does.
            count = len(self.server.accounts) - 1 if send.everyone else len(send.recipients)
            self.put(
                messages.MessagePending(send.request, send.message_id, count, self.server.now_ms)
            )
            self.server.accept(account, send)

    def _recall(self, account: FakeAccount, recall: messages.RecallMessage) -> None:
        """As the real server; a message to everyone has no outcomes."""
        code = self.server.refuse_recalls
        if code is None and recall.message_id not in account.seen:
            code = Code.UNKNOWN_MESSAGE
        if code is not None:
            self.put(messages.RecallFailure(recall.request, code, "no"))
            return
        found: dict[str, list[str]] = {"recalled": [], "handed_out": [], "ended": [], "gone": []}
        for name in self.server.accounts if recall.everyone else recall.recipients:
            kind = self._take_back(account, recall, name)
            if kind:
                found[kind].append(name)
        lists = {kind: tuple(names) for kind, names in found.items()}
        if recall.everyone:
            lists = {"handed_out": lists["handed_out"]}
        self.put(
            messages.MessageRecalled(
                recall.request,
                recall.message_id,
                everyone=recall.everyone,
                later=self.server.later,
                **lists,
            )
        )

    def _take_back(
        self, account: FakeAccount, recall: messages.RecallMessage, name: str
    ) -> str | None:
        if name in self.server.later:
            return None
        theirs = self.server.accounts.get(name)
        if theirs is None:
            return "gone"
        for number, entry in theirs.queue.items():
            if isinstance(entry, DistributeMessage) and entry.message_id == recall.message_id:
                if theirs.session is not None and number in theirs.session.outstanding:
                    return "handed_out"
                del theirs.queue[number]
                if not recall.everyone:
                    outcome = self.server.next_number()
                    failure = MessageFailure(
                        recall.message_id, Code.RECALLED, "", (name,), None, outcome, 1
                    )
                    self.server._enqueue(account, outcome, failure)
                return "recalled"
        return "ended"

    def _check(self, account: FakeAccount, check: messages.CheckMessages) -> None:
        delivered = 0
        for number in sorted(account.queue):
            entry = account.queue[number]
            is_message = isinstance(entry, DistributeMessage)
            if number in self.outstanding or (is_message and check.outcomes_only):
                continue
            if is_message and check.limit is not None and delivered >= check.limit:
                continue
            self.hand_out(number)
            delivered += is_message
        handed = sum(
            isinstance(entry, DistributeMessage) and number in self.outstanding
            for number, entry in account.queue.items()
        )
        self.put(messages.CheckComplete(check.request, delivered, account.waiting - handed))

    def _list(self, message: messages.ListAccounts) -> None:
        names = sorted(
            name
            for name in self.server.accounts
            if name > (message.cursor or "") and fnmatchcase(name, message.pattern or "*")
        )
        page = names[: self.server.page]
        if message.limit == 0:
            names = page = []
        connected = sum(account.session is not None for account in self.server.accounts.values())
        entries = tuple(messages.AccountEntry(name, Presence.OFF) for name in page)
        cursor = page[-1] if len(page) < len(names) else None
        total = len(self.server.accounts)
        self.put(messages.AccountList(message.request, total, connected, cursor, entries))


def welcome(
    server_id: bytes = SERVER_ID, authentication: int = Authentication.NAME_ONLY
) -> messages.Welcome:
    return messages.Welcome(
        version=1,
        server_id=server_id,
        agent="fake",
        authentication=authentication,
        server_time_ms=0,
        frame_bytes_max=262_144,
        body_bytes_max=65_536,
        recipients_max=1_024,
        window_messages=64,
        window_bytes=262_144,
        ping_interval_ms=30_000,
    )
