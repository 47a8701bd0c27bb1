"""What screens may ask for: the one door between them and the link, the archive and the clock.

The app is the real desk; tests have one over plain tuples. Must stay small: a screen that wants
more says so here. Nothing here waits: what the server has to answer comes back as `News`, or is
seen in the next `overview`. Words given to `say` are already safe.
"""

from typing import TYPE_CHECKING, Protocol

from msgc.view_notices import Notice
from msgc.view_text import Times
from msgc.view_values import Directory, Distrust, Limits, Overview, Setting, Target, Wanted, Wish
from term.safe import Safe

if TYPE_CHECKING:  # nothing is kept at the first prompt
    from msgc.values import Draft, HistoryEntry, Received, Sent


class Desk(Protocol):
    """Everything a screen can know and do."""

    # ----- known -------------------------------------------------------------------------------

    @property
    def times(self) -> Times:
        """How moments are said."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, the same for a whole turn of the loop."""

    def overview(self) -> Overview:
        """Who, where, online or not, and how much of everything."""

    def directory(self) -> Directory:
        """The server's log of usernames, as far as it is here."""

    def limits(self) -> Limits:
        """How long a message may be, and to how many it may go."""

    def message(self) -> Safe:
        """The message line: the last thing said, until the next key."""

    def past_notices(self) -> tuple[Notice, ...]:
        """What was said before, the oldest first."""

    def refusal(self) -> Safe:
        """Why the last name was refused, or empty."""

    def distrust(self) -> Distrust | None:
        """Why the server is not believed to be the right one; None when all is well."""

    def wish(self) -> Wish | None:
        """The password that the server wants before it lets one in; None when it wants none."""

    # ----- the archive --------------------------------------------------------------------------

    def inbox(self, count_max: int) -> "tuple[Received, ...]":
        """What was not looked at yet, oldest first."""

    def look_at(self, received: "tuple[Received, ...]") -> None:
        """These have been seen by a person: they count as waiting no more."""

    def mark_unread(self, received: "tuple[Received, ...]") -> None:
        """These count as waiting again."""

    def history(self, wanted: Wanted, count_max: int) -> "tuple[HistoryEntry, ...]":
        """What was ever received or sent and is wanted, newest first."""

    def sent(self, count_max: int) -> "tuple[Sent, ...]":
        """What was sent or is to be sent, newest first."""

    def sent_one(self, message_id: bytes) -> "Sent | None":
        """One of them."""

    def unsent(self, count_max: int) -> "tuple[Sent, ...]":
        """What could not go yet, then what failed."""

    def drafts(self) -> "tuple[Draft, ...]":
        """What was begun and not sent, newest first."""

    def draft(self, target: Target) -> "Draft | None":
        """The one to these."""

    def keep_draft(self, target: Target, body: str) -> None:
        """Keep this; an empty body removes the draft."""

    def settings(self) -> tuple[Setting, ...]:
        """What can be chosen, and what is."""

    # ----- to be done ---------------------------------------------------------------------------

    def say(self, words: Safe) -> None:
        """Put this in the message line."""

    def log_in(self, name: str) -> None:
        """Connect under this name, and go on trying while the server cannot be reached."""

    def accept_server(self) -> None:
        """The person says that the server is the right one: remember its key, and connect."""

    def give_password(self, password: str) -> Safe:
        """Connect with this password. Why it cannot be one, or empty."""

    def register(self, password: str, invite: str) -> Safe:
        """Make an account of the name, and connect. Why that cannot be tried, or empty."""

    def change_password(self, old: str, new: str) -> Safe:
        """Change one's own; the message line tells. Why that cannot be tried, or empty."""

    def make_password(self) -> str:
        """A new one that nobody has."""

    def give_up_name(self) -> None:
        """Stop trying; another name will be given."""

    def retry_now(self) -> None:
        """Do not wait for the countdown."""

    def ask_accounts(self, pattern: str) -> None:
        """Ask for the usernames that match, or all; the directory changes as they come."""

    def count_accounts(self) -> None:
        """Ask only how many users there are, and how many of them are connected."""

    def seek_account(self, name: str) -> bool:
        """Ask for this one name. False: there is no connection. Ends in `AccountSought`."""

    def check(self) -> bool:
        """Ask for what waits. False: there is no connection. Ends in `CheckEnded`."""

    def send(self, target: Target, body: str) -> None:
        """Into the outbox, durably, and on to the server; the message line follows its fate."""

    def send_again(self, message_id: bytes) -> None:
        """Another try for one that failed."""

    def recall(self, message_id: bytes) -> None:
        """Ask for a message back from all whom it has not reached; the answer is said later."""

    def take_back(self, message_id: bytes) -> bool:
        """Forget one that failed, or never went out. False: it may be at the server already."""

    def create_account(self, name: str) -> None:
        """Make another account; the message line tells."""

    def delete_account(self, force: bool) -> None:
        """Delete one's own. Ends in `DeletionRefused`, or at the username screen."""

    def block(self, name: str, blocked: bool) -> None:
        """Take no messages of this user any more, or take them again; the message line tells."""

    def choose_setting(self, name: str, words: str) -> Safe:
        """This value from now on, kept in the file. Why not, or empty."""

    def quit(self) -> None:
        """Leave, after what is on its way."""
