"""The papers of the desk: what the archive keeps, as the screens want it.

Must never talk to the server. Fails with ArchiveError when the archive cannot keep a promise.
"""

from typing import TYPE_CHECKING, Final

from msgc.profile import Profile
from msgc.screens.desk import Desk
from msgc.states import SendState
from msgc.view_values import Overview, Phase, Standing, Target, Wanted

if TYPE_CHECKING:
    from msgc.archive import Archive
    from msgc.values import Draft, HistoryEntry, Received, Sent

_DRAFTS_MAX: Final = 1_000


class PaperDesk(Desk):
    """The half of a desk that reads and writes the archive of who is logged in."""

    def __init__(self) -> None:
        self._profile: Profile | None = None
        self._counts: Overview | None = None
        """What was counted in the archive, until something changes there."""

    def inbox(self, count_max: int) -> "tuple[Received, ...]":
        """See Desk."""
        return self._archive.inbox.unread(count_max)

    def look_at(self, received: "tuple[Received, ...]") -> None:
        """See Desk."""
        self._archive.inbox.mark_read(one.number for one in received)
        self._counts = None

    def mark_unread(self, received: "tuple[Received, ...]") -> None:
        """See Desk."""
        self._archive.inbox.mark_unread(one.number for one in received)
        self._counts = None

    def history(self, wanted: Wanted, count_max: int) -> "tuple[HistoryEntry, ...]":
        """See Desk."""
        return self._archive.glance(
            wanted.words, wanted.person, count_max, thorough=wanted.thorough
        )

    def sent(self, count_max: int) -> "tuple[Sent, ...]":
        """See Desk."""
        return self._archive.outbox.recent(count_max)

    def sent_one(self, message_id: bytes) -> "Sent | None":
        """See Desk."""
        return self._archive.outbox.get(message_id)

    def unsent(self, count_max: int) -> "tuple[Sent, ...]":
        """See Desk."""
        outbox = self._archive.outbox
        unsent = outbox.in_state(SendState.UNSENT, count_max)
        return (*unsent, *outbox.in_state(SendState.FAILED, count_max))

    def drafts(self) -> "tuple[Draft, ...]":
        """See Desk."""
        return self._archive.drafts.all(_DRAFTS_MAX)

    def draft(self, target: Target) -> "Draft | None":
        """See Desk."""
        return self._archive.drafts.get(target.purpose)

    def keep_draft(self, target: Target, body: str) -> None:
        """See Desk."""
        drafts = self._archive.drafts
        if body.strip():
            drafts.save(target.purpose, target.recipients, target.everyone, body)
        else:
            drafts.drop(target.purpose)
        self._counts = None

    def take_back(self, message_id: bytes) -> bool:
        """See Desk."""
        self._counts = None
        return self._archive.outbox.remove(message_id)

    # ----- inside -------------------------------------------------------------------------------

    @property
    def _archive(self) -> "Archive":
        assert self._profile is not None, "a screen of the inside while nobody is logged in"
        return self._profile.archive

    def _count(self) -> Overview:
        outbox, inbox = self._archive.outbox.counts(), self._archive.inbox.counts()
        return Overview(
            "",
            "",
            Standing(Phase.NO_NAME),
            waiting=inbox.unread,
            kept=inbox.kept,
            unsent=outbox.unsent,
            failed=outbox.failed,
            sent_waiting=outbox.waiting,
            sent_delivered=outbox.delivered,
            drafts=self._archive.drafts.count(),
        )
