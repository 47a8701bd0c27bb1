"""What the desk asks the server: names, what waits, accounts made and deleted.

Each kind of request is open once at most; its answer comes as an event of the link. Must never
answer by itself. Fails never: without a connection nothing is asked, and it is said.
"""

from typing import TYPE_CHECKING, Final

from msgc.states import LinkState, SendState
from msgc.view_papers import PaperDesk
from msgc.view_situation import Situation
from term.safe import Safe

if TYPE_CHECKING:
    from msgc.link import Link

_NOT_CONNECTED: Final = Safe("Not connected: this needs the server. msgc goes on trying.")

_BETWEEN: Final = frozenset(
    (LinkState.OFFLINE, LinkState.CONNECTING, LinkState.GREETING, LinkState.LOGGING_IN)
)


class AskingDesk(PaperDesk):
    """The part of a desk that asks the server."""

    def __init__(self) -> None:
        super().__init__()
        self.situation = Situation()
        self._link: Link | None = None

    @property
    def waits(self) -> bool:
        """Whether an answer of the server is on its way: to a request, a login, a message."""
        link, situation = self._link, self.situation
        if link is None:
            return situation.fetching
        if link.state in _BETWEEN:
            return link.retry_at_ms is None
        return link.state is LinkState.ONLINE and (situation.asks or self._is_unanswered)

    @property
    def _is_unanswered(self) -> bool:
        followed = self.situation.followed
        if followed is None or self._profile is None:
            return False
        sent = self._archive.outbox.get(followed)
        return sent is not None and sent.state is SendState.UNSENT

    def ask_accounts(self, pattern: str) -> None:
        """See Desk. The list that is coming is not asked for twice."""
        situation = self.situation
        if situation.list_request is not None and situation.list_pattern == pattern:
            return
        situation.list_pattern = pattern
        request = self._link.list_accounts(pattern or None) if self._link is not None else None
        situation.list_request = request

    def count_accounts(self) -> None:
        """See Desk."""
        if self._link is not None and self.situation.count_request is None:
            self.situation.count_request = self._link.list_accounts(limit=0)

    def seek_account(self, name: str) -> bool:
        """See Desk. One name at a time."""
        situation = self.situation
        if self._link is None or situation.seek_request is not None:
            return False
        situation.sought = name
        situation.seek_request = self._link.list_accounts(name)
        return situation.seek_request is not None

    def check(self) -> bool:
        """See Desk."""
        situation = self.situation
        if self._link is None:
            return False
        if situation.check_request is None:
            situation.check_request = self._link.check()
        return situation.check_request is not None

    def create_account(self, name: str) -> None:
        """See Desk."""
        request = self._link.create_account(name) if self._link is not None else None
        self.situation.account_request = request
        if request is None:
            self.say(_NOT_CONNECTED)

    def delete_account(self, force: bool) -> None:
        """See Desk."""
        request = self._link.delete_account(force) if self._link is not None else None
        self.situation.account_request = request
        if request is None:
            self.say(_NOT_CONNECTED)

    def block(self, name: str, blocked: bool) -> None:
        """See Desk."""
        link = self._link
        names = (name,)
        request = None
        if link is not None:
            request = link.block_senders(names) if blocked else link.block_senders((), names)
        if request is None:
            self.say(_NOT_CONNECTED)
