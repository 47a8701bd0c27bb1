"""What the client says about servers that it cannot trust, and about passwords.

Must never say a password or a part of one. Fails never.
"""

from typing import Final

from msgc.net import Doubt

TLS_WANTED: Final = (
    "It speaks TLS only: say --server tls://host:port, or --tls; in config.toml, tls = true."
)
_QUICK_ITERATIONS: Final = 2_000_000
"""Half a second on a machine of today."""
_CHECK: Final = (
    'Ask the operator, by another way than this one, what "msgd cert --show" prints there'
)


def distrust(server: str, doubt: Doubt, pin: str, expected: str, reason: str) -> tuple[str, ...]:
    """Why nothing was said to this server, and what to do: paragraphs."""
    match doubt:
        case Doubt.UNKNOWN:
            return (
                f"The server {server} is met for the first time, and nobody vouches for it.",
                f"The pin of its key is {pin}",
                f"{_CHECK}. If it is the same, the server is the right one.",
            )
        case Doubt.CHANGED:
            return (
                f"!!! THE KEY OF THE SERVER {server} HAS CHANGED !!!",
                (
                    "Somebody may stand between you and it; or its operator has made a new key. "
                    "Nothing was said to it."
                ),
                f"known: {expected}",
                f"now:   {pin}",
                f"{_CHECK}. Only if it is the second: msgc pin forget {server}, and connect again.",
            )
        case Doubt.PLAINTEXT:
            return (
                f"!!! THE SERVER {server} WAS MET WITH TLS !!!",
                (
                    "msgc does not talk to it without: leave out --unsafe-plaintext. If its "
                    f"operator has turned TLS off: msgc pin forget {server}, and connect again."
                ),
            )
        case Doubt.NO_PASSWORD:
            return (
                f"!!! THE SERVER {server} DOES NOT ASK FOR A PASSWORD ANY MORE !!!",
                (
                    "It did before. It may be another one in its place; you were not logged in. If "
                    f"its operator has really changed that: msgc pin forget {server}, and connect "
                    "again."
                ),
            )
        case Doubt.IMPOSTOR:
            return (
                f"!!! THE SERVER {server} IS NOT BELIEVED !!!",
                (
                    f"It may be another one in its place, or it is broken: {reason}. Your password "
                    "was not sent to it, and never is. Ask its operator."
                ),
            )
        case Doubt.BETWEEN:
            return (
                f"!!! SOMEBODY STANDS BETWEEN YOU AND THE SERVER {server} !!!",
                (
                    "Your login arrived there over another connection than the one it was made "
                    "for, and was refused. Do not try again over this network; ask the operator."
                ),
            )
        case Doubt.REJECTED:
            return (
                f"The certificate of the server {server} does not stand the check: {reason}.",
                (
                    "Nothing was said to it. Who signs it now? If its operator has made a new one: "
                    f"msgc pin forget {server}, and connect again."
                ),
            )


def how_to_accept(pin: str) -> str:
    """What a script has to say, for a server that is met for the first time."""
    return f"Then say --tls-pin {pin}, or --accept-new-pin."


def password_prompt(name: str, server: str) -> str:
    """What stands before the field."""
    return f"Password of {name} at {server}: "


def password_needed(server: str) -> str:
    """Where nobody can be asked."""
    return (
        f"The server {server} wants a password, and nobody can be asked here. "
        "Say --password-file, --password-command or --password-keyring."
    )


def proving(iterations: int) -> str:
    """What the person reads while the key is made; `iterations` are those of PBKDF2."""
    if iterations <= _QUICK_ITERATIONS:
        return "Making the key of your password ..."
    return "Making the key of your password, which takes seconds as this server wants it ..."
