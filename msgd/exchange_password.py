"""Passwords: the challenge of a login, the check of its proof, and which verifiers are taken.

A login with a password is SCRAM-SHA-256 (`wire.scram`). A name that does not exist, or has no
password, is challenged like any other: its salt comes from the store's secret and the name, so it
is the same each time, and its proof is wrong. Both ways do the same work.

Must never tell a name that exists from one that does not before a proof was right, nor see a
password: clients make the verifiers.
Fails with ScramError for a message that is none, which is the peer's fault; with BindingError for a
login that is bound to something else; with VerifierError for a verifier that is not taken.
"""

import hmac
from hashlib import sha256
from typing import Final

from msgd.exchange_core import Core
from msgd.proof import PendingLogin, Proven
from msgd.session import Session
from msgd.values import Now
from store.credential import Credential
from wire import scram
from wire.limits import ITERATIONS_MAX, ITERATIONS_MIN, SALT_BYTES_MIN
from wire.messages import ChangePassword, CreateAccount, LoginProof, LoginRequest
from wire.scram import ScramError, ServerLogin, Verifier

WRONG: Final = "no such user, or a wrong password"


class VerifierError(Exception):
    """A verifier that is not taken; the text says why."""


def credential_of(message: CreateAccount | ChangePassword) -> Credential | None:
    """What a client wants to be kept; None when it brings nothing. Raises VerifierError."""
    salt, iterations = message.salt, message.iterations
    stored_key, server_key = message.stored_key, message.server_key
    if salt is None and iterations is None and stored_key is None and server_key is None:
        return None
    if salt is None or iterations is None or stored_key is None or server_key is None:
        raise VerifierError("SALT, ITERATIONS, STORED_KEY and SERVER_KEY stand together")
    if not scram.iterations_allowed(iterations):
        raise VerifierError(
            f"{iterations} iterations; {ITERATIONS_MIN} to {ITERATIONS_MAX} are taken"
        )
    return Credential(salt, iterations, stored_key, server_key)


def invite_hash(invite: bytes) -> bytes:
    """What is kept of an invite. It is random enough to need no salt and no iterations."""
    return sha256(invite).digest()


class Passwords:
    """See the module's text."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    def challenge(
        self, session: Session, message: LoginRequest, name: str, now: Now
    ) -> PendingLogin:
        """Begin a login. Raises ScramError, BindingError."""
        assert message.scram is not None
        core = self._core
        first = scram.read_first(message.scram)
        scram.check_header(first, session.binding)
        core.store.need_secret(now.wall_ms)
        nonce = scram.make_nonce(core.store.entropy(scram.NONCE_BYTES))
        nobody = self._nobody(name)  # made for all, so that it takes equally long
        account = core.state.by_name.get_evenly(name)
        credential = None if account is None else account.credential
        number = 0 if account is None or credential is None else account.number
        known = credential or nobody
        verifier = Verifier(known.salt, known.iterations, known.stored_key, known.server_key)
        login = ServerLogin(verifier, first, nonce, session.binding)
        return PendingLogin(message, login, number, credential)

    def check(self, pending: PendingLogin, proof: LoginProof) -> Proven | None:
        """The proof, if it is right. Raises ScramError, BindingError."""
        if proof.request != pending.request.request:
            raise ScramError("a proof with the number of another request")
        final = pending.scram.check(proof.scram)
        if final is None or pending.credential is None:
            return None
        return Proven(pending.account, pending.credential, final)

    def still_holds(self, proven: Proven | None, name: str) -> bool:
        """Whether the account of this name is the one of the proof, with the same password."""
        if proven is None:
            return False
        account = self._core.state.by_name.get(name)
        if account is None or account.number != proven.account:
            return False
        return account.credential == proven.credential

    def _nobody(self, name: str) -> Verifier:
        """The verifier of a name that has none: nobody knows a password for it."""
        secret = self._core.state.registry.secret
        encoded = name.encode()
        salt = hmac.digest(secret, b"salt " + encoded, "sha256")[:SALT_BYTES_MIN]
        stored_key = hmac.digest(secret, b"stored key " + encoded, "sha256")
        server_key = hmac.digest(secret, b"server key " + encoded, "sha256")
        return Verifier(salt, ITERATIONS_MIN, stored_key, server_key)
