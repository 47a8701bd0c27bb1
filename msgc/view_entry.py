"""How one gets in: a name, a server that is believed, a password; and how one gets out.

The part of the real desk (`msgc.view_desk`) that makes the link and lets go of it. Must never
decide that a name is free or a password right: only the server can; nor keep a password:
`Credentials` do, and no longer than needed. Fails with ArchiveError; what is refused is
words on the first screen.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgc import limits, words
from msgc.loop import Loop
from msgc.passwords import InviteError, PasswordSourceError, generate_password, read_invite
from msgc.profile import Profile, ProfileError, ProfileHeldError, is_name
from msgc.settings import Settings
from msgc.states import LinkState
from msgc.surroundings import Surroundings
from msgc.view_notices import NoticeLog
from msgc.view_requests import AskingDesk
from msgc.view_situation import Errand, Situation
from msgc.view_values import Distrust, Wish
from term.safe import Safe, safe_line
from wire.password import PasswordError

if TYPE_CHECKING:
    from msgc.archive import Archive
    from msgc.credentials import Credentials
    from msgc.link import Link
    from msgc.link_events import LinkEvent
    from msgc.view_events import EventReader
    from msgc.view_news import News

_BAD_NAME_COLUMNS_MAX: Final = 40


class EntryDesk(AskingDesk):
    """See the module's text. `on_news` is told what the open screens should hear."""

    def __init__(
        self, surroundings: Surroundings, loop: Loop, on_news: "Callable[[News], None]"
    ) -> None:
        super().__init__()
        self.notices = NoticeLog()
        self._surroundings = surroundings
        self._settings: Settings = surroundings.settings  # as changed since, but server and user
        self._loop = loop
        self._on_news = on_news
        self._reader: EventReader | None = None
        self._credentials: Credentials | None = None
        self._next_credentials: Credentials | None = None

    @abstractmethod
    def now_ms(self) -> int:
        """See Desk."""

    @abstractmethod
    def _on_event(self, event: "LinkEvent") -> None:
        """What the link of the one who is in has to tell."""

    @property
    def inside(self) -> bool:
        """Whether a name is logged in, or was and may be again: the menu, else the name prompt."""
        return self.situation.inside

    @property
    def left(self) -> bool:
        """Whether the goodbye is over, or none is needed."""
        return self._link is None or self._link.state is LinkState.STOPPED

    def close(self) -> None:
        """Let go of the connection and the papers."""
        self._loop.detach()
        self._link = self._reader = None
        if self._profile is not None:
            self._profile.close()
            self._profile = None

    def log_out(self) -> None:
        """Say goodbye to the server."""
        if self._link is not None:
            self._link.log_out()

    # ----- a name -------------------------------------------------------------------------------

    def log_in(self, name: str) -> None:
        """See Desk."""
        self._credentials = None
        self._enter(name)

    def _enter(self, name: str) -> None:
        self.close()
        folded = name.strip().lower()
        if not is_name(folded):
            shown = safe_line(name.strip(), _BAD_NAME_COLUMNS_MAX)
            self.situation = Situation(refusal=safe_line(words.not_a_name(shown)))
            return
        self.situation = Situation(name=folded)
        try:
            self._profile = self._surroundings.profiles.open(folded)
        except ProfileHeldError as held:
            self._ask_about(folded, held)
        except ProfileError as error:
            self.situation.refusal = safe_line(str(error))
        else:
            self._connect(self._profile)

    def give_up_name(self) -> None:
        """See Desk."""
        self.close()
        self.situation = Situation()

    def retry_now(self) -> None:
        """See Desk. After a refusal it is a new login."""
        if self.situation.distrust is not None:
            self._enter(self.situation.name)
        elif self._link is None:
            return
        elif self.situation.wanted is not None and self.left:
            had = self.situation
            self.close()
            self.situation = Situation(name=had.name, wanted=had.wanted)
        elif self._link.state is LinkState.STOPPED:
            self._start(self._link)
        else:
            self._link.retry_now()

    # ----- the server, and the password ---------------------------------------------------------

    def distrust(self) -> Distrust | None:
        """See Desk."""
        return self.situation.distrust

    def accept_server(self) -> None:
        """See Desk."""
        situation = self.situation
        if situation.distrust is not None and situation.distrust.pin:
            self._surroundings.door.accept(situation.distrust.pin)
            self._enter(situation.name)

    def wish(self) -> Wish | None:
        """See Desk."""
        return None if self.inside else self.situation.wanted

    def make_password(self) -> str:
        """See Desk."""
        return generate_password(self._surroundings.random_bytes)

    def give_password(self, password: str) -> Safe:
        """See Desk."""
        try:
            self._credentials = self._make_credentials(password)
        except PasswordError as error:
            return safe_line(f"Not this one: {error}.")
        self._enter(self.situation.name)
        return Safe("")

    def register(self, password: str, invite: str) -> Safe:
        """See Desk. The account is made by a stranger, who then comes in as its owner."""
        name, surroundings = self.situation.name, self._surroundings
        had = self.situation.wanted
        try:
            code = read_invite(invite or None)
            credentials = self._make_credentials(password)
        except (InviteError, PasswordError) as error:
            return safe_line(f"Not this one: {error}.")
        verifier = credentials.new_keys().verifier
        stranger = surroundings.profiles.stranger()
        link = self._make_link(stranger, stays=False)
        from msgc.view_strangers import asks_for_account  # late, like the link

        def end(why: str) -> None:
            self.close()
            stranger.close()
            if why:
                wish = Wish(name, safe_line(why), had.registration if had else None)
                self.situation = Situation(name=name, wanted=wish)
            else:
                self._credentials = credentials
                self._enter(name)

        self.close()
        self.situation = Situation(name=name)
        self._link = link
        judge = asks_for_account(link, name, verifier, code, end)
        self._loop.attach(link, surroundings.door, judge)
        link.connect(must_prove=surroundings.door.had_password)
        return Safe("")

    def change_password(self, old: str, new: str) -> Safe:
        """See Desk."""
        try:
            if self._credentials is None or not self._credentials.is_password(old):
                return Safe("The old password is not that.")
            self._next_credentials = self._make_credentials(new)
        except PasswordError as error:
            return safe_line(f"Not this one: {error}.")
        verifier = self._next_credentials.new_keys().verifier
        request = self._link.change_password(verifier) if self._link is not None else None
        self.situation.account_request = request
        return Safe("") if request is not None else Safe("Not connected: try again later.")

    # ----- inside -------------------------------------------------------------------------------

    def _connect(self, profile: Profile) -> None:
        # Late, like the link: there are some thirty kinds of events to read.
        from msgc.view_events import EventReader

        self._counts = None
        door = self._surroundings.door
        archive = profile.archive
        self._reader = EventReader(
            self.situation,
            archive,
            door.name,
            self.now_ms,
            self._on_news,
            notices=self.notices,
        )
        link = self._make_link(archive, stays=True)
        self._link = link
        self._loop.attach(link, door, self._on_event)
        self._start(link)

    def _make_link(self, archive: "Archive", *, stays: bool) -> "Link":
        """A link; one that does not stay asks a single question."""
        # Late: the first screen is there before the network is needed.
        from msgc.link import Link
        from msgc.link_settings import LinkSettings

        agent = self._surroundings.agent
        settings = LinkSettings(agent, retry=stays, ask_outcomes=stays, poll_outbox=stays)
        return Link(archive, self._surroundings.jitter, settings)

    def _ask_about(self, name: str, held: ProfileHeldError) -> None:
        """Another process has the profile: let the server judge whether the name is in use.

        It is asked as a stranger, for as the same installation we would push the other one out.
        """
        surroundings = self._surroundings
        stranger = surroundings.profiles.stranger()
        link = self._make_link(stranger, stays=False)

        from msgc.view_strangers import asks_about_name  # late, like the link

        def end(in_use: bool) -> None:
            why = words.in_use(name) if in_use else str(held)
            self.close()
            stranger.close()
            self.situation = Situation(name=name, refusal=safe_line(why))

        self._link = link
        self._loop.attach(link, surroundings.door, asks_about_name(link, end))
        link.log_in(name, create_if_new=False, live=False)

    def _start(self, link: "Link") -> None:
        link.log_in(
            self.situation.name,
            create_if_new=not self.inside,
            live=self._settings.live,
            credentials=self._credentials,
            must_prove=self._surroundings.door.had_password,
        )

    def _make_credentials(self, password: str) -> "Credentials":
        # Late: few are asked for a password, and what proves one takes its time to load.
        from msgc.credentials import Credentials

        return Credentials(self.situation.name, password, self._surroundings.random_bytes)

    def _keep_proof(self, errand: Errand) -> None:
        """What is remembered of a login with a password, and of a password that was changed."""
        if errand is Errand.NOTE_PROOF:
            self._surroundings.door.note_password()
        elif errand is Errand.SETTLE_PROOF and self._next_credentials is not None:
            self._credentials, self._next_credentials = self._next_credentials, None
            self._credentials.settle()
            if self._link is not None:
                self._link.take_credentials(self._credentials)

    def _try_source(self) -> None:
        """A password that need not be asked for. What may take long is said before it begins."""
        source, wanted = self._surroundings.passwords, self.situation.wanted
        if not source.is_chosen or wanted is None:
            return
        waiting = source.waiting
        if not waiting:
            self._read_source(wanted)
            return
        self.situation.fetching = True
        self.situation.said = safe_line(waiting)
        self.notices.add(self.now_ms(), self.situation.said)
        later_ms = self._loop.clock.now_ms() + limits.PROOF_DELAY_MS
        self._loop.call_at(later_ms, lambda: self._read_source(wanted))

    def _read_source(self, wanted: Wish) -> None:
        if self.situation.wanted is not wanted:
            return  # the person has gone on meanwhile
        self.situation.fetching = False
        self.situation.said = Safe("")
        try:
            source = self._surroundings.passwords
            why = self.give_password(source.read(wanted.name, may_ask=False))
        except PasswordSourceError as error:
            why = safe_line(str(error))
        if why:
            self.situation.wanted = Wish(wanted.name, why, wanted.registration)
