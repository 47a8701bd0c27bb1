"""What proves to a server that somebody is who they say: a password, and soon only keys made of it.

For one name at one server, in memory, for as long as msgc runs: after the first login the password
is let go of, and what is kept proves the same without costing a good part of a second again.

Must never be shown, logged, or written anywhere; nothing of it stands in a repr.
Fails with wire.password.PasswordError for a password that cannot be one.
"""

import hmac
from collections.abc import Callable
from typing import Final

from wire.limits import SALT_BYTES_MIN
from wire.password import prepare_password
from wire.scram import NONCE_BYTES, ClientLogin, Keys, derive_keys, make_nonce

ITERATIONS: Final = 600_000
"""Of a new password's PBKDF2 (OWASP's figure for HMAC-SHA-256)."""


class Credentials:
    """See the module's text."""

    __slots__ = ("_keys", "_password", "_random_bytes", "name")

    def __init__(self, name: str, password: str, random_bytes: Callable[[int], bytes]) -> None:
        """Raises PasswordError."""
        prepare_password(password)
        self.name = name
        self._password: str | None = password
        self._keys: Keys | None = None
        self._random_bytes = random_bytes

    def begin(self, binding: bytes | None) -> ClientLogin:
        """A login with them; `binding` is the hash of the server's certificate."""
        return ClientLogin(self.name, make_nonce(self._random_bytes(NONCE_BYTES)), binding)

    def known_keys(self, salt: bytes, iterations: int) -> Keys | None:
        """Keys that were made before for this salt."""
        keys = self._keys
        return (
            keys
            if keys is not None and (keys.salt, keys.iterations) == (salt, iterations)
            else None
        )

    def is_password(self, password: str) -> bool:
        """Whether it is the one that they were made of. Takes as long as `derive`."""
        keys = self._keys
        if keys is None:
            return False
        found = derive_keys(password, keys.salt, keys.iterations)
        return hmac.compare_digest(found.client_key, keys.client_key)

    @property
    def can_derive(self) -> bool:
        """Whether the password is still here."""
        return self._password is not None

    def derive(self, salt: bytes, iterations: int) -> Keys:
        """Make the keys for this salt: a good part of a second."""
        assert self._password is not None, "the password was let go of"
        self._keys = derive_keys(self._password, salt, iterations)
        return self._keys

    def new_keys(self) -> Keys:
        """Keys for a password that the server is to take from now on; as long as `derive`."""
        return self.derive(self._random_bytes(SALT_BYTES_MIN), ITERATIONS)

    def settle(self) -> None:
        """The server has taken them: the password is not needed any more."""
        if self._keys is not None:
            self._password = None
