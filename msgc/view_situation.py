"""What the link has told so far, as the screens know it, and what is to be done about it.

`msgc.view_events` changes it with each event. Must never decide anything. Fails never.
"""

from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Final

from msgc.view_values import Directory, Distrust, Wish
from term.safe import Safe

NOTHING: Final = Safe("")


@unique
class Errand(Enum):
    """What an event of the link leaves to be done by the desk."""

    NOTHING = "nothing"
    NOTE_PROOF = "the server knows the account by a password: remember that it has one"
    SETTLE_PROOF = "the new password is on the server's disk"
    SEEK_PROOF = "a first password is wanted: it may come by itself"
    ASK_ACCOUNTS = "there is an account more"


@dataclass(slots=True)
class Situation:
    """What changes while the program runs. Requests are numbers of the link's, None when not open.

    `inside`: a name is logged in, or was and may be again. `ended`: the link has stopped for good
    and its profile is to be closed. `online`: so it was at the last event. `counting`: outcomes
    still belong to the time before the login. `fetching`: a password is about to come by itself.
    """

    name: str = ""
    inside: bool = False
    ended: bool = False
    online: bool = False
    stopping: bool = False
    created: bool = False
    counting: bool = False
    fetching: bool = False
    arrived_since: int = 0
    delivered_since: int = 0
    waiting_there: int = 0
    reason: str = ""
    refusal: Safe = NOTHING
    said: Safe = NOTHING
    bell_due: bool = False
    arrival: Safe = NOTHING
    logged_out: bool = False
    distrust: Distrust | None = None
    wanted: Wish | None = None
    followed: bytes | None = None
    directory: Directory = field(default_factory=Directory)
    list_request: int | None = None
    list_pattern: str = ""
    count_request: int | None = None
    seek_request: int | None = None
    sought: str = ""
    check_request: int | None = None
    account_request: int | None = None

    @property
    def asks(self) -> bool:
        """Whether any request is open, but for the counting that nobody waits for."""
        requests = (self.list_request, self.seek_request, self.check_request, self.account_request)
        return any(request is not None for request in requests)
