"""SCRAM-SHA-256 (RFC 5802, RFC 7677): how a password is proven without being sent. Both ends.

A client makes a `Verifier` of a password once, and proves it with a `ClientLogin`; a server keeps
the verifier and checks with a `ServerLogin`. Channel binding is tls-server-end-point (RFC 5929) or
none. Secrets are compared in constant time, and stand in no repr.

Must never do I/O or make randomness: salts and nonces are handed in. The server's half must never
compute PBKDF2, which is the client's to pay.
Fails with `ScramError`; what a peer wrote is never part of its text.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac, sha256
from typing import Final

from wire import limits
from wire.errors import WireError
from wire.password import prepare_password

NONCE_BYTES: Final = 24
"""Random bytes to make a nonce of."""
NONCE_CHARACTERS_MIN: Final = 16
NONCE_CHARACTERS_MAX: Final = 128
"""Of the client's half of the nonce."""

BINDING_HEADER: Final = b"p=tls-server-end-point,,"
PLAIN_HEADER: Final = b"n,,"


class ScramError(WireError):
    """A message of a login that is not one, or that does not fit the others."""


class BindingError(ScramError):
    """The login is not bound to this connection, or to another."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a server keeps of a password: good for checking, not for logging in."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a client may keep in the place of a password: it proves it, for this salt."""

    salt: bytes
    iterations: int
    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """What the server is to keep."""
        stored_key = sha256(self.client_key).digest()
        return Verifier(self.salt, self.iterations, stored_key, self.server_key)


def derive_keys(password: str, salt: bytes, iterations: int) -> Keys:
    """PBKDF2: takes a good part of a second, and that is the point. Raises PasswordError."""
    salted = pbkdf2_hmac("sha256", prepare_password(password), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return Keys(salt, iterations, client_key, server_key)


def make_verifier(password: str, salt: bytes, iterations: int) -> Verifier:
    """What the server is to keep, see `derive_keys`. Raises PasswordError."""
    return derive_keys(password, salt, iterations).verifier


def make_nonce(random: bytes) -> str:
    """A nonce of `NONCE_BYTES` random bytes."""
    assert len(random) == NONCE_BYTES
    return b64encode(random).decode("ascii")


def iterations_allowed(iterations: int) -> bool:
    """Whether a count of PBKDF2 is in the window that both ends hold."""
    return limits.ITERATIONS_MIN <= iterations <= limits.ITERATIONS_MAX


class ClientLogin:
    """One login, the client's half: `first`, then `answer`, then `check`. Used once."""

    __slots__ = ("_bare", "_binding", "_header", "_nonce", "_signature", "first")

    def __init__(self, name: str, nonce: str, binding: bytes | None) -> None:
        """`binding` is the hash of the server's certificate; None on a plain connection."""
        escaped = name.replace("=", "=3D").replace(",", "=2C")
        self._header = PLAIN_HEADER if binding is None else BINDING_HEADER
        self._binding = binding or b""
        self._nonce = nonce
        self._bare = f"n={escaped},r={nonce}".encode()
        self._signature: bytes | None = None
        self.first: bytes = self._header + self._bare
        """The client-first-message."""

    def answer(self, challenge: bytes, password: str) -> bytes:
        """The client-final-message for a server-first-message. Raises ScramError, PasswordError.

        Computes PBKDF2: a good part of a second.
        """
        salt, iterations = self.judge(challenge)
        return self.prove(challenge, derive_keys(password, salt, iterations))

    def judge(self, challenge: bytes) -> tuple[bytes, int]:
        """Salt and iterations of a server-first-message that asks for nothing odd. ScramError."""
        nonce, salt, iterations = read_challenge(challenge)
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ScramError("the server's challenge is not an answer to this login")
        if not iterations_allowed(iterations):
            raise ScramError(
                f"the server wants {iterations} iterations; {limits.ITERATIONS_MIN} to "
                f"{limits.ITERATIONS_MAX} are allowed"
            )
        if not limits.SALT_BYTES_MIN <= len(salt) <= limits.SALT_BYTES_MAX:
            raise ScramError(f"the server's salt has {len(salt)} bytes")
        return salt, iterations

    def prove(self, challenge: bytes, keys: Keys) -> bytes:
        """The client-final-message for a challenge that `judge` was content with."""
        nonce = read_challenge(challenge)[0]
        client_key = keys.client_key
        bound = b64encode(self._header + self._binding)
        without_proof = b"c=" + bound + b",r=" + nonce.encode("ascii")
        signed = b",".join((self._bare, challenge, without_proof))
        proof = _xor(client_key, hmac.digest(sha256(client_key).digest(), signed, "sha256"))
        self._signature = hmac.digest(keys.server_key, signed, "sha256")
        return without_proof + b",p=" + b64encode(proof)

    def check(self, final: bytes) -> None:
        """Raises ScramError unless the server-final-message shows that it knows the verifier."""
        assert self._signature is not None, "answer comes first"
        if not hmac.compare_digest(final, b"v=" + b64encode(self._signature)):
            raise ScramError("the server could not show that it knows this account")


def read_challenge(challenge: bytes) -> tuple[str, bytes, int]:
    """Nonce, salt and iterations of a server-first-message. Raises ScramError."""
    parts = challenge.split(b",")
    if len(parts) < 3 or [part[:2] for part in parts[:3]] != [b"r=", b"s=", b"i="]:
        raise ScramError("the server's challenge cannot be read")
    number = parts[2][2:]
    if not number.isdigit() or len(number) > 10:
        raise ScramError("the server's challenge has no number of iterations")
    return _nonce_text(parts[0][2:]), _unbase(parts[1][2:]), int(number)


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """A client-first-message, read: its header, the rest of it, and the client's nonce."""

    header: bytes
    bare: bytes
    nonce: str


def read_first(data: bytes) -> FirstMessage:
    """Read a client-first-message. Raises ScramError for one that breaks RFC 5802."""
    try:
        flag, identity, rest = data.split(b",", 2)
        name, nonce = rest.split(b",")[:2]
    except ValueError:
        raise ScramError("a first message without its parts") from None
    if flag not in (b"n", b"y") and not flag.startswith(b"p="):
        raise ScramError("a first message without a header")
    if identity:
        raise ScramError("a first message for another identity: there are none here")
    if not name.startswith(b"n=") or not nonce.startswith(b"r="):
        raise ScramError("a first message without a name or a nonce")
    text = _nonce_text(nonce[2:])
    if not NONCE_CHARACTERS_MIN <= len(text) <= NONCE_CHARACTERS_MAX:
        raise ScramError("a first message with too short or too long a nonce")
    return FirstMessage(flag + b",,", rest, text)


def check_header(first: FirstMessage, binding: bytes | None) -> None:
    """Raises BindingError unless the client binds as this connection is to be bound.

    `binding` is the hash of our own certificate; None where there is none. On a bound connection
    also `y` is refused: somebody has told the client that we cannot bind.
    """
    if binding is None:
        if first.header.startswith(b"p"):
            raise BindingError("this connection cannot be bound")
    elif first.header != BINDING_HEADER:
        raise BindingError("the login must be bound to this connection by tls-server-end-point")


class ServerLogin:
    """One login, the server's half: `challenge`, then `check`. Used once."""

    __slots__ = ("_first", "_header_and_binding", "_nonce", "_verifier", "challenge")

    def __init__(
        self, verifier: Verifier, first: FirstMessage, nonce: str, binding: bytes | None
    ) -> None:
        """`nonce` is the server's half, never used twice. `check_header` was satisfied."""
        self._verifier = verifier
        self._first = first
        self._header_and_binding = first.header + (binding or b"")
        self._nonce = first.nonce + nonce
        salt = b64encode(verifier.salt).decode("ascii")
        self.challenge: bytes = f"r={self._nonce},s={salt},i={verifier.iterations}".encode("ascii")
        """The server-first-message."""

    def check(self, final: bytes) -> bytes | None:
        """The server-final-message for a client-final-message; None for a wrong password.

        Raises ScramError, and BindingError when it is bound to another connection.
        """
        without_proof, mark, proof_text = final.rpartition(b",p=")
        parts = without_proof.split(b",")
        if not mark or len(parts) < 2 or parts[0][:2] != b"c=" or parts[1][:2] != b"r=":
            raise ScramError("a final message without its parts")
        proof = _unbase(proof_text)
        if len(proof) != limits.KEY_BYTES:
            raise ScramError("a final message without a proof")
        if not hmac.compare_digest(parts[1][2:], self._nonce.encode("ascii")):
            raise ScramError("a final message for another login")
        if not hmac.compare_digest(_unbase(parts[0][2:]), self._header_and_binding):
            raise BindingError("the login is bound to another connection than this one")
        verifier = self._verifier
        signed = b",".join((self._first.bare, self.challenge, without_proof))
        client_key = _xor(proof, hmac.digest(verifier.stored_key, signed, "sha256"))
        if not hmac.compare_digest(sha256(client_key).digest(), verifier.stored_key):
            return None
        return b"v=" + b64encode(hmac.digest(verifier.server_key, signed, "sha256"))


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _unbase(data: bytes) -> bytes:
    try:
        decoded = b64decode(data, validate=True)
    except binascii.Error:
        raise ScramError("what should be base64 is not") from None
    if b64encode(decoded) != data:  # bits that say nothing: the same value in another dress
        raise ScramError("what should be base64 is not")
    return decoded


def _nonce_text(data: bytes) -> str:
    if not all(0x21 <= byte <= 0x7E for byte in data):
        raise ScramError("a nonce has printable ASCII only")
    return data.decode("ascii")
