"""What the screens show of the link, the server and the person's own papers, as values.

Messages, fates and drafts themselves are those of `msgc.values`; here stand the few that only a
screen needs. Must never hold more than values and their words. Fails never.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING, Final

from msgc.view_text import duration
from term.safe import Safe
from wire.limits import BODY_BYTES_MAX, RECIPIENTS_MAX

if TYPE_CHECKING:
    from msgc.link_events import AccountLine


@unique
class Phase(Enum):
    """How the connection stands, as far as a person cares."""

    NO_NAME = "not connected"
    CONNECTING = "connecting"
    ONLINE = "online"
    CHECKING = "checking"
    WAITING = "offline, will try again"
    REFUSED = "disconnected"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Standing:
    """The connection: its phase, when it is tried again, and why it is not there.

    `reason` is a sentence, possibly the server's own: not yet safe.
    """

    phase: Phase
    reason: str = ""
    retry_at_ms: int | None = None
    lag_ms: int = 0

    @property
    def online(self) -> bool:
        """Whether the server can be asked something now."""
        return self.phase is Phase.ONLINE

    def words(self, now_ms: int) -> str:
        """One or a few words for the title and the status line."""
        if self.phase is Phase.WAITING and self.retry_at_ms is not None:
            return f"OFFLINE, try again in {countdown(self.retry_at_ms, now_ms)}"
        if self.phase is Phase.WAITING:
            return "OFFLINE"
        if self.phase is Phase.ONLINE and self.lag_ms > LAG_TOLD_MS:
            return f"online, lag {self.lag_ms}ms"
        return str(self.phase.value)


LAG_TOLD_MS: Final = 200
"""A lag below this is not worth a word."""


def countdown(at_ms: int, now_ms: int) -> str:
    """`4s`, never `0s`: what is due is due within the second."""
    return str(duration(max(1_000, at_ms - now_ms + 999)))


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers of the main menu and the status line."""

    name: str
    address: str
    standing: Standing
    created: bool = False
    arrived_since: int = 0
    delivered_since: int = 0
    waiting: int = 0
    unsent: int = 0
    failed: int = 0
    sent_waiting: int = 0
    sent_delivered: int = 0
    drafts: int = 0
    kept: int = 0
    accounts_total: int | None = None
    accounts_connected: int | None = None


@dataclass(frozen=True, slots=True)
class Distrust:
    """Why the server is not believed to be the right one: paragraphs.

    `pin` is that of its key if somebody may say that it is the right one; else empty.
    """

    words: tuple[Safe, ...]
    pin: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """The server wants a password of this user; `why` says what was wrong with the last one.

    `registration` is a wire.codes.Registration: who may make an account there.
    """

    name: str
    why: Safe
    registration: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server takes: as its greeting said, or our own while it has not."""

    body_bytes_max: int = BODY_BYTES_MAX
    recipients_max: int = RECIPIENTS_MAX


@dataclass(frozen=True, slots=True)
class Directory:
    """The server's log of usernames, as it was at `asked_at_ms`; None: it was never asked.

    `entries` are in the order of the names and grow while `complete` is false. `request` tells one
    answer from the next.
    """

    entries: "tuple[AccountLine, ...]" = ()
    total: int = 0
    connected: int = 0
    complete: bool = False
    asked_at_ms: int | None = None
    pattern: str = ""
    request: int = 0

    @property
    def whole(self) -> "Directory":
        """This, or nothing yet if it holds only the names that match a wildcard."""
        return Directory() if self.pattern else self


@dataclass(frozen=True, slots=True)
class Target:
    """To whom a message is to go. `everyone` is decided by the server when it accepts it."""

    recipients: tuple[str, ...] = ()
    everyone: bool = False

    @property
    def purpose(self) -> str:
        """Under which a draft to them is kept."""
        if self.everyone:
            return "everyone"
        return "to:" + ",".join(self.recipients)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of the history: what holds all these words, from or to this user; empty is everything.

    `thorough`: parts of words count too, however long that takes; else only what the index knows.
    """

    words: str = ""
    person: str = ""
    thorough: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the settings: what is chosen, of what, and what it does.

    No `choices`: any words that make sense are typed. `fixed_by`: what decides in this run.
    """

    name: str
    words: str
    value: str
    choices: tuple[str, ...]
    note: str = ""
    fixed_by: str = ""
