"""What is asked as a stranger: for an account, and whether a name is in use.

Each is one question over a link that nobody is logged in with; what comes back makes the answer.
Must never make the link, nor let go of it: the desk does, when it has the answer. Fails never.
"""

from collections.abc import Callable
from typing import Final

from msgc import words
from msgc.link import Link
from msgc.link_events import (
    Connected,
    Created,
    CreateRefused,
    Disconnected,
    Distrusted,
    LinkEvent,
    LoggedIn,
    LoggedOut,
    NameRefused,
    PasswordWanted,
)
from wire.codes import Code
from wire.scram import Verifier

_ENDS: Final = (NameRefused, Disconnected, Distrusted, PasswordWanted, LoggedOut)
"""Events after which a question has had its answer."""


def asks_for_account(
    link: Link, name: str, verifier: Verifier, code: bytes | None, on_answer: Callable[[str], None]
) -> Callable[[LinkEvent], None]:
    """What takes the events of a link that asks for an account. The answer: why not, or empty."""
    told: list[str] = []

    def judge(event: LinkEvent) -> None:
        if isinstance(event, Connected):
            link.create_account(name, verifier, code)
        elif isinstance(event, (Created, CreateRefused)):
            if isinstance(event, CreateRefused):
                told.append(words.create_refusal(event.code, event.text, name))
            link.log_out()
        elif isinstance(event, _ENDS):
            made = isinstance(event, LoggedOut) and not told
            unasked = "The server could not be asked. Try again."
            on_answer("" if made else told[0] if told else unasked)

    return judge


def asks_about_name(link: Link, on_answer: Callable[[bool], None]) -> Callable[[LinkEvent], None]:
    """What takes the events of a link that logs in with a name. The answer: whether it is in use.

    No is said also when the server could not be asked.
    """

    def judge(event: LinkEvent) -> None:
        if isinstance(event, LoggedIn):
            link.log_out()
        elif isinstance(event, _ENDS):
            on_answer(isinstance(event, NameRefused) and event.code == Code.IN_USE)

    return judge
