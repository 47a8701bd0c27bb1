"""The shell's side of `msgd passwd`: a password is asked for or made, and becomes a verifier.

Must never put the password itself into an order, a log or a file: the server never sees it.
Fails with PasswordError for one that cannot be taken.
"""

from collections.abc import Callable
from typing import Final

from msgd.verbs import Order
from wire.limits import ITERATIONS_MIN, SALT_BYTES_MIN
from wire.password import PasswordError, check_new_password
from wire.scram import make_verifier

LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""None that look alike, as in invites."""
GROUPS: Final = 5
GROUP_LETTERS: Final = 5


def make_passphrase(entropy: Callable[[int], bytes]) -> str:
    """125 random bits that can be read out and typed."""
    letters = [LETTERS[byte & 31] for byte in entropy(GROUPS * GROUP_LETTERS)]
    starts = range(0, len(letters), GROUP_LETTERS)
    return "-".join("".join(letters[start : start + GROUP_LETTERS]) for start in starts)


def ask_password(ask: Callable[[str], str], name: str, *, twice: bool) -> str:
    """What was typed. Raises PasswordError."""
    password = ask(f"New password for {name}: ")
    check_new_password(password)
    if twice and ask("The same again: ") != password:
        raise PasswordError("these were two different passwords; nothing was changed")
    return password


def prepare(
    order: Order, ask: Callable[[str], str], entropy: Callable[[int], bytes], *, twice: bool
) -> tuple[Order, str]:
    """The order as the server takes it, and the passphrase that was made, if one was.

    Raises PasswordError. Takes its time: PBKDF2 is computed here.
    """
    arguments = dict(order.arguments)
    if arguments.get("remove"):
        return order, ""
    made = make_passphrase(entropy) if arguments.pop("generate", False) else ""
    password = made or ask_password(ask, str(arguments["name"]), twice=twice)
    verifier = make_verifier(password, entropy(SALT_BYTES_MIN), ITERATIONS_MIN)
    arguments |= {
        "salt": verifier.salt.hex(),
        "iterations": verifier.iterations,
        "stored_key": verifier.stored_key.hex(),
        "server_key": verifier.server_key.hex(),
    }
    return Order(order.verb, arguments), made
