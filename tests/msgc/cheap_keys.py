"""Keys that say they are of so many rounds of PBKDF2, and are of one: a test guards no password.

Must never be used where the rounds themselves are what is tried (tests/wire/test_scram.py, and the
end-to-end tests with real programs). Fails as wire.scram.derive_keys does.
"""

from dataclasses import replace

from wire.scram import Keys, derive_keys


def cheap_keys(password: str, salt: bytes, iterations: int) -> Keys:
    """In the place of `derive_keys`, on both sides of a conversation."""
    return replace(derive_keys(password, salt, 1), iterations=iterations)
