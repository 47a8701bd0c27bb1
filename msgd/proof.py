"""What a session carries of a login with a password, from the challenge to the end of the login.

Must never hold a password: the server sees none.
"""

from dataclasses import dataclass

from store.credential import Credential
from wire.messages import LoginRequest
from wire.scram import ServerLogin


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that was challenged, until its proof comes."""

    request: LoginRequest
    scram: ServerLogin
    account: int
    """0 where there is none that this login could be for."""
    credential: Credential | None


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that was right: whose, by which password, and what the server answers to it."""

    account: int
    credential: Credential
    final: bytes
