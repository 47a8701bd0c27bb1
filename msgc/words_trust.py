"""What the client says about servers that it cannot trust, and about passwords.

Must never say a password or a part of one. Fails never.
"""

from typing import Final

from msgc.net import Doubt

TLS_WANTED: Final = "it speaks TLS only: say --server tls://host:port, or --tls"
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
