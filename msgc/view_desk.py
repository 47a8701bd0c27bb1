"""The real desk: what the link and the archive know, as the screens want it, and their wishes.

One name at a time is logged in. Must never draw or read a key: `msgc.app` and `msgc.plain_app` do,
each in its own way. Fails with ArchiveError when the archive cannot keep a promise; that ends the
program. What the server refuses is words in the message line.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgc import words
from msgc.loop import Loop
from msgc.settings import Settings, SettingsError
from msgc.states import LinkState, SendState
from msgc.surroundings import Surroundings
from msgc.view_choices import PASSWORD_SETTING, changed, settings_of, value_of
from msgc.view_entry import EntryDesk
from msgc.view_notices import Notice
from msgc.view_situation import Errand, Situation
from msgc.view_text import Times
from msgc.view_values import Directory, Limits, Overview, Phase, Setting, Standing, Target
from term.safe import Safe, safe_line

if TYPE_CHECKING:
    from msgc.link import Link
    from msgc.link_events import LinkEvent
    from msgc.values import Sent
    from msgc.view_news import News

FOLLOW_MS: Final = 10_000
"""How long the message line goes on telling of the last message sent, at least."""
LAG_SILENT_MS: Final = 60_000
"""So long after the login the lag is that of the login, and not worth a word."""
_PHASES: Final = {
    LinkState.OFFLINE: Phase.WAITING,
    LinkState.CONNECTING: Phase.CONNECTING,
    LinkState.GREETING: Phase.CONNECTING,
    LinkState.READY: Phase.CONNECTING,
    LinkState.LOGGING_IN: Phase.CONNECTING,
    LinkState.ONLINE: Phase.ONLINE,
    LinkState.LEAVING: Phase.LEAVING,
    LinkState.STOPPED: Phase.REFUSED,
}


class LiveDesk(EntryDesk):
    """See the module's text. `on_news` is told what the open screens should hear."""

    def __init__(
        self,
        surroundings: Surroundings,
        loop: Loop,
        times: Times,
        on_news: "Callable[[News], None]",
    ) -> None:
        super().__init__(surroundings, loop, on_news)
        self.wants_quit = False
        self._times = times
        self._followed_at_ms = 0
        self._noted = Safe("")

    # ----- for the program around it -----------------------------------------------------------

    @property
    def asks_before_quitting(self) -> bool:
        """Whether to ask: something cannot go now, or the person wants it."""
        if not self.inside or self._profile is None:
            return False
        overview = self.overview()
        unsendable = overview.unsent > 0 and not overview.standing.online
        return unsendable or self._settings.ask_before_quitting

    @property
    def _is_shut_out(self) -> bool:
        """Whether the server has ended it, and nothing is tried by itself."""
        stopped = self._link is not None and self._link.state is LinkState.STOPPED
        return stopped and self.inside and not self.situation.logged_out

    @property
    def chosen(self) -> Settings:
        """The settings as they are now."""
        return self._settings

    def take_arrival(self) -> Safe:
        """What has come that the person should notice, without its text; asked once a turn."""
        due, self.situation.bell_due = self.situation.bell_due, False
        return self.situation.arrival if due else Safe("")

    def hush(self) -> None:
        """A key was pressed: what was said has been read."""
        situation = self.situation
        situation.said = Safe("")
        if self.now_ms() - self._followed_at_ms > FOLLOW_MS:
            situation.followed = None

    def refresh(self) -> None:
        """Count again: once a second, for another process may have changed the archive."""
        self._counts = None

    # ----- known -------------------------------------------------------------------------------

    @property
    def times(self) -> Times:
        """See Desk."""
        return self._times

    def now_ms(self) -> int:
        """See Desk."""
        return self._loop.clock.wall_ms()

    def overview(self) -> Overview:
        """See Desk. The archive is counted once after each change, not at each picture."""
        situation = self.situation
        address = self._surroundings.door.name
        if self._profile is None or self._link is None:
            if self._link is None:
                return Overview("", address, Standing(Phase.NO_NAME))
            return Overview(situation.name, address, Standing(Phase.CONNECTING))
        if self._counts is None:
            self._counts = self._count()
        counts = self._counts
        directory = situation.directory
        return Overview(
            name=situation.name,
            address=address,
            standing=self._standing(self._link),
            created=situation.created,
            arrived_since=situation.arrived_since,
            delivered_since=situation.delivered_since,
            waiting=situation.waiting_there + counts.waiting,
            unsent=counts.unsent,
            failed=counts.failed,
            sent_waiting=counts.sent_waiting,
            sent_delivered=counts.sent_delivered,
            drafts=counts.drafts,
            kept=counts.kept,
            accounts_total=None if directory.asked_at_ms is None else directory.total,
            accounts_connected=directory.connected,
        )

    def directory(self) -> Directory:
        """See Desk."""
        return self.situation.directory

    def message(self) -> Safe:
        """See Desk. What was said last, else where the last message sent stands."""
        situation = self.situation
        if self._is_shut_out and not situation.said:
            return safe_line(f"{situation.reason} ^R connects again.".strip())
        if situation.said or situation.followed is None or self._profile is None:
            return situation.said
        sent = self._archive.outbox.get(situation.followed)
        return safe_line(words.sent_summary(sent)) if sent is not None else Safe("")

    def limits(self) -> Limits:
        """See Desk."""
        if self._link is None:
            return Limits()
        return Limits(self._link.body_bytes_max, self._link.recipients_max)

    def past_notices(self) -> tuple[Notice, ...]:
        """See Desk."""
        return self.notices.all()

    def refusal(self) -> Safe:
        """See Desk."""
        return self.situation.refusal

    # ----- settings -----------------------------------------------------------------------------

    def settings(self) -> tuple[Setting, ...]:
        """See Desk."""
        rows = settings_of(self._settings)
        return rows if self._credentials is None else (*rows, PASSWORD_SETTING)

    def choose_setting(self, name: str, words: str) -> Safe:
        """See Desk."""
        try:
            value = value_of(name, words)
            self._surroundings.keeper.keep(name, value)
        except SettingsError as error:
            return safe_line(str(error))
        self._settings = changed(self._settings, name, value)
        return Safe("")

    # ----- to be done ---------------------------------------------------------------------------

    def say(self, words: Safe) -> None:
        """See Desk. It also ends the story of the last message sent."""
        self.situation.said = words
        self.situation.followed = None
        self.notices.add(self.now_ms(), words)

    def send(self, target: Target, body: str) -> None:
        """See Desk."""
        outbox = self._archive.outbox
        sent = outbox.compose(target.recipients, target.everyone, body, target.purpose)
        self._follow(sent)

    def send_again(self, message_id: bytes) -> None:
        """See Desk."""
        sent = self._archive.outbox.send_again(message_id)
        if sent is not None:
            self._follow(sent)

    def recall(self, message_id: bytes) -> None:
        """See Desk."""
        sent = self._archive.recalls.ask(message_id, words.CODE_TAKEN_BACK)
        self._counts = None
        if sent is not None:
            self.say(safe_line(words.recall_summary(sent)))
        if self._link is not None:
            self._link.send_outbox()

    def quit(self) -> None:
        """See Desk. The program around decides whether to ask first."""
        self.wants_quit = True

    # ----- inside -------------------------------------------------------------------------------

    def _follow(self, sent: "Sent") -> None:
        self.situation.said = Safe("")
        self.situation.followed = sent.message_id
        self._followed_at_ms = self.now_ms()
        self._counts = None
        self._noted = Safe("")
        if not self._is_online:
            self._note_followed()
        if self._link is not None:
            self._link.send_outbox()

    def _on_event(self, event: "LinkEvent") -> None:
        situation, reader = self.situation, self._reader
        assert reader is not None
        was_inside, had = situation.inside, situation.name
        errand = reader.read(event)
        self._counts = None
        self._note_followed()
        self._keep_proof(errand)
        if situation.ended:
            # The words of the end are for the name prompt, which comes now.
            self.close()
            self.situation = Situation(
                name=had,
                refusal=situation.refusal,
                distrust=situation.distrust,
                wanted=situation.wanted,
            )
            if errand is Errand.SEEK_PROOF:
                self._try_source()
        elif errand is Errand.ASK_ACCOUNTS:
            self.ask_accounts(situation.list_pattern)
        elif situation.inside and situation.list_request is None:
            directory = situation.directory
            broken = was_inside and not directory.complete
            if directory.asked_at_ms is None or broken:
                self.ask_accounts(situation.list_pattern)

    @property
    def _is_online(self) -> bool:
        return self._link is not None and self._link.state is LinkState.ONLINE

    def _note_followed(self) -> None:
        """What became of the last message sent, among the notices."""
        if self.situation.followed is None or self._profile is None:
            return
        sent = self._archive.outbox.get(self.situation.followed)
        words_now = safe_line(words.sent_summary(sent)) if sent is not None else Safe("")
        unsent = sent is not None and sent.state is SendState.UNSENT and self._is_online
        if words_now != self._noted and not unsent:
            self._noted = words_now
            self.notices.add(self.now_ms(), words_now)

    def _standing(self, link: "Link") -> Standing:
        phase = _PHASES[link.state]
        retry_at_ms = None
        if phase is Phase.WAITING and link.retry_at_ms is not None:
            clock = self._loop.clock
            retry_at_ms = clock.wall_ms() + link.retry_at_ms - clock.now_ms()
        elif phase is Phase.WAITING:
            phase = Phase.CONNECTING
        elif link.is_checking:
            phase = Phase.CHECKING
        settled = self._loop.clock.now_ms() - link.state_since_ms >= LAG_SILENT_MS
        lag_ms = (link.lag_ms or 0) if settled else 0
        return Standing(phase, self.situation.reason, retry_at_ms, lag_ms)
