"""A server that wants passwords, and clients that know theirs. Nothing here costs any PBKDF2."""

from msgd.limits import ExchangeLimits
from store.credential import Credential
from tests.msgd.fake_server import Client, Server
from wire import limits as wire_limits
from wire.codes import Code
from wire.messages import (
    CreateAccount,
    LoginChallenge,
    LoginFailure,
    LoginProof,
    LoginRequest,
    Message,
)
from wire.scram import ClientLogin, derive_keys, make_verifier, read_challenge

CLOSED_TO_STRANGERS = ExchangeLimits(password_needed=True)
DAY_MS = 86_400_000
INVITE = bytes(range(16))


def verifier_of(password: str, salt: bytes = bytes(16)) -> Credential:
    """Says 600,000 iterations, and is of one: a test has no password to guard."""
    made = make_verifier(password, salt, 1)
    return Credential(salt, wire_limits.ITERATIONS_MIN, made.stored_key, made.server_key)


class Guest:
    """A client that knows how to log in with a password."""

    def __init__(self, server: Server, binding: bytes | None = None) -> None:
        self.client = server.client()
        self.client.session.binding = binding
        self.binding = binding
        self.nonces = 0
        self.scram: ClientLogin

    def ask(self, name: str, *, create: bool = False, installation: bytes = b"phone...") -> int:
        """The first half of a login; gives its request."""
        client = self.client
        self.nonces += 1
        self.scram = ClientLogin(name, f"{self.nonces:032}", self.binding)
        request = client.request()
        client.name, client.installation = name, installation
        message = LoginRequest(
            request, name, installation, create, live=True, scram=self.scram.first
        )
        client.say(message)
        while isinstance(client.inbox[-1], LoginFailure) and client.is_refused(Code.BUSY):
            client.inbox.pop()  # after a wrong password one waits
            client.server.advance(1_000)
            client.say(message)
        return request

    def answer(self, password: str) -> LoginProof:
        """The second half, not sent yet."""
        challenge = self.client.all(LoginChallenge)[-1]
        _, salt, _ = read_challenge(challenge.scram)
        proof = self.scram.prove(challenge.scram, derive_keys(password, salt, 1))
        return LoginProof(challenge.request, proof)

    def log_in(self, name: str, password: str, *, installation: bytes = b"phone...") -> Message:
        """A whole login; what came last."""
        self.ask(name, installation=installation)
        self.client.say(self.answer(password))
        return self.client.inbox[-1]


def server_with(limits: ExchangeLimits = CLOSED_TO_STRANGERS) -> Server:
    """bob has a password, carol has none yet."""
    server = Server(limits=limits)
    now_ms = server.now.wall_ms
    server.store.create_account("bob", now_ms, verifier_of("bob's password"))
    server.store.create_account("carol", now_ms)
    server.store.commit()
    return server


def create(client: Client, name: str, *, invite: bytes | None = None, with_it: bool = True) -> None:
    made = verifier_of("a new password")
    keys = (made.salt, made.iterations, made.stored_key, made.server_key)
    if with_it:
        client.say(CreateAccount(client.request(), name, *keys, invite))
    else:
        client.say(CreateAccount(client.request(), name, invite=invite))
