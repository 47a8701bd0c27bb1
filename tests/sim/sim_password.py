"""Passwords in a simulated world: real verifiers and proofs, without the cost of PBKDF2.

One round is computed where 600,000 are named; both ends do the same, so all else is as it is.

Must never be used where a password guards anything.
"""

from collections.abc import Callable, Iterable

from msgc.credentials import Credentials
from store.credential import Credential
from store.store import Store
from wire.scram import Keys, derive_keys

SHARE_OF_SEEDS = 8
REMAINDER = 5


def has_passwords(seed: int) -> bool:
    """Whether the server of this world wants passwords."""
    return seed % SHARE_OF_SEEDS == REMAINDER


def cheap_keys(name: str, salt: bytes, iterations: int) -> Keys:
    """What becomes of this user's password."""
    keys = derive_keys(f"the password of {name}", salt, 1)
    return Keys(salt, iterations, keys.client_key, keys.server_key)


class SimCredentials(Credentials):
    """A client's."""

    def __init__(self, name: str, random_bytes: Callable[[int], bytes]) -> None:
        super().__init__(name, f"the password of {name}", random_bytes)

    def derive(self, salt: bytes, iterations: int) -> Keys:
        """At once."""
        self._keys = cheap_keys(self.name, salt, iterations)
        return self._keys


def see_to_passwords(store: Store, names: Iterable[str], at_ms: int) -> None:
    """What an operator does before anybody comes, and after a repair that has lost some."""
    for name in names:
        verifier = cheap_keys(name, name.encode().ljust(16), 600_000).verifier
        credential = Credential(
            verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key
        )
        account = store.state.by_name.get(name)
        if account is None:
            store.create_account(name, at_ms, credential)
        elif account.credential is None and not account.closing:
            store.set_credential(account, credential, at_ms)
    store.commit()
