"""What the link tells, as changes of what the screens know.

Each event of the link changes the `Situation`, and becomes words in the message line or news for
the open screens. Must never talk back to the link: `LiveDesk` does. Fails never.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgc import words, words_trust
from msgc.link_events import (
    Accounts,
    Blocked,
    BlockRefused,
    CheckDone,
    Connected,
    Connecting,
    Created,
    CreateRefused,
    Deleted,
    DeleteRefused,
    Disconnected,
    Distrusted,
    Kicked,
    LinkEvent,
    LoggedIn,
    LoggedOut,
    MessageArrived,
    NameRefused,
    NoticeArrived,
    OutcomeArrived,
    PasswordChanged,
    PasswordRefused,
    PasswordWanted,
    ProvingPassword,
    RecallAnswered,
    RequestFailed,
    SendAnswered,
    SendPostponed,
    ServerStopping,
    TakenOver,
)
from msgc.net import Doubt
from msgc.states import FateState, SendState
from msgc.view_messages import one_line
from msgc.view_news import (
    AccountSought,
    CheckBroken,
    CheckEnded,
    ConnectedAgain,
    DeletionRefused,
    DirectoryChanged,
    FateChanged,
    MailArrived,
    News,
)
from msgc.view_notices import NoticeLog
from msgc.view_situation import Errand, Situation
from msgc.view_text import plural
from msgc.view_values import Directory, Distrust, Wish
from term.safe import Safe, safe_line
from term.width import clip
from wire.codes import Code, NoticeKind

if TYPE_CHECKING:
    from msgc.archive import Archive

_TEXT_COLUMNS_MAX: Final = 30


class EventReader:
    """Takes the events of one link. `server` is its name; `wall_ms` says what time it is."""

    def __init__(
        self,
        situation: Situation,
        archive: "Archive",
        server: str,
        wall_ms: Callable[[], int],
        on_news: Callable[[News], None],
        *,
        notices: NoticeLog,
    ) -> None:
        self._situation = situation
        self._notices = notices
        self._archive = archive
        self._server = server
        self._wall_ms = wall_ms
        self._on_news = on_news

    def read(self, event: LinkEvent) -> Errand:
        """One event, and what is left to be done for it."""
        self._take(event)
        match event:
            case LoggedIn(proven=True):
                return Errand.NOTE_PROOF
            case PasswordChanged():
                return Errand.SETTLE_PROOF
            case PasswordWanted(code=None):
                return Errand.SEEK_PROOF
            case Created():
                return Errand.ASK_ACCOUNTS
            case _:
                return Errand.NOTHING

    def _take(self, event: LinkEvent) -> None:
        match event:
            case MessageArrived():
                self._on_message(event)
            case OutcomeArrived():
                self._on_outcome(event)
            case SendPostponed():
                self._on_postponed(event)
            case RecallAnswered():
                self._on_recall(event)
            case SendAnswered():
                self._on_answer(event)
            case Accounts():
                self._on_accounts(event)
            case CheckDone():
                self._on_check_done(event)
            case LoggedIn():
                self._on_logged_in(event)
            case NameRefused() | Deleted() | TakenOver() | Kicked() | LoggedOut():
                self._on_end(event)
            case Distrusted():
                self._on_distrusted(event)
            case PasswordWanted():
                self._on_password_wanted(event)
            case ProvingPassword():
                self._say(words_trust.proving(event.iterations))
            case Blocked():
                self._say(words.blocked(event.name, event.names))
            case BlockRefused():
                self._say(words.refusal(event.code, event.text, event.name))
            case PasswordChanged() | PasswordRefused():
                self._on_password(event)
            case Disconnected() | ServerStopping():
                self._on_disconnected(event)
            case Created() | CreateRefused() | DeleteRefused() | RequestFailed():
                self._on_request(event)
            case NoticeArrived():
                self._on_notice(event)
            case Connecting() | Connected():
                pass  # the link's state tells

    def _say(self, text: str) -> None:
        self._situation.said = safe_line(text)
        self._notices.add(self._wall_ms(), self._situation.said)

    def _on_logged_in(self, event: LoggedIn) -> None:
        situation = self._situation
        situation.name = event.name
        situation.online = True
        situation.stopping = False
        situation.reason = ""
        situation.refusal = Safe("")
        situation.waiting_there = event.waiting
        if event.again:
            # What becomes of the message that was just sent is more worth knowing; but what was
            # said of the lost connection must not stand there any longer.
            if situation.followed is None:
                self._say("Connected again.")
            else:
                situation.said = Safe("")
            self._on_news(ConnectedAgain())
            return
        if event.proven:
            situation.said = Safe("")  # that a key is made of the password
        situation.inside = True
        situation.created = event.created
        situation.arrived_since = event.waiting + self._archive.inbox.counts().unread
        situation.delivered_since = 0
        situation.counting = event.outcomes > 0

    def _on_end(self, event: NameRefused | Deleted | TakenOver | Kicked | LoggedOut) -> None:
        situation = self._situation
        match event:
            case NameRefused():
                situation.reason = words.refusal(event.code, event.text, event.name)
                if not situation.inside:
                    situation.refusal = safe_line(situation.reason)
                    situation.ended = True
            case Deleted():
                lost = event.discarded
                tail = f" {plural(lost, 'unread message')} went with it." if lost else ""
                situation.refusal = safe_line(f"The account {event.name} is deleted.{tail}")
                situation.ended = True
            case TakenOver() | Kicked():
                taken = isinstance(event, TakenOver)
                code = Code.TAKEN_OVER if taken else Code.KICKED
                situation.reason = words.refusal(code, event.text)
                if not situation.inside:  # a ban is told at the login
                    situation.refusal = safe_line(situation.reason)
                    situation.ended = True
            case LoggedOut():
                situation.logged_out = True
        if situation.inside and situation.reason:
            self._say(f"{situation.reason} ^R connects again.")
        self._void_requests()

    def _on_disconnected(self, event: Disconnected | ServerStopping) -> None:
        situation = self._situation
        if isinstance(event, ServerStopping):
            situation.stopping = True
            self._say(words.notice(NoticeKind.SHUTTING_DOWN, event.text, None))
            return
        situation.reason = words.unreachable(self._server, event.reason)
        if event.retry_at_ms is None and not situation.inside:
            situation.refusal = safe_line(situation.reason)
            situation.ended = True
        elif situation.online and not situation.stopping:
            reason = event.reason.removesuffix(".")
            self._say(f"The connection is gone ({reason}). msgc goes on trying.")
        situation.online = False
        self._void_requests()

    def _on_distrusted(self, event: Distrusted) -> None:
        """Before the login the screen shows all of it; afterwards the list of notices does."""
        situation = self._situation
        lines = words_trust.distrust(
            self._server, event.doubt, event.pin, event.expected, event.reason
        )
        if situation.inside:
            for line in lines[1:]:
                self._say(line)
            situation.reason = lines[0]
            self._say(f"{lines[0]} M tells more; ^R tries again.")
        else:
            pin = event.pin if event.doubt is Doubt.UNKNOWN else ""
            situation.distrust = Distrust(tuple(safe_line(line) for line in lines), pin)
            situation.ended = True
        situation.online = False
        self._void_requests()

    def _on_password_wanted(self, event: PasswordWanted) -> None:
        """Before the login the first screen asks for it; afterwards ^R leads there."""
        situation = self._situation
        why = "" if event.code is None else words.refusal(event.code, event.text, event.name)
        situation.wanted = Wish(event.name, safe_line(why), event.registration)
        situation.online = False
        situation.reason = why
        if situation.inside:
            self._say(f"{why} ^R asks for it.")
        else:
            situation.ended = True
        self._void_requests()

    def _on_password(self, event: PasswordChanged | PasswordRefused) -> None:
        self._situation.account_request = None
        if isinstance(event, PasswordChanged):
            self._say("Your password is changed. Other computers have to give it anew.")
        else:
            self._say(words.refusal(event.code, event.text, self._situation.name))

    def _void_requests(self) -> None:
        situation = self._situation
        situation.list_request = situation.count_request = situation.account_request = None
        self._end_seeking(found=None)
        if situation.check_request is not None:
            situation.check_request = None
            self._on_news(CheckBroken())

    def _end_seeking(self, *, found: bool | None) -> None:
        situation = self._situation
        if situation.seek_request is not None:
            situation.seek_request = None
            self._on_news(AccountSought(situation.sought, found))

    def _on_message(self, event: MessageArrived) -> None:
        situation = self._situation
        if event.check is None:
            self._say(f"New message from {event.received.sender}.")
            situation.bell_due = True
            situation.arrival = situation.said
        else:
            situation.waiting_there = max(0, situation.waiting_there - 1)
        self._on_news(MailArrived(event.received))

    def _on_outcome(self, event: OutcomeArrived) -> None:
        situation = self._situation
        if situation.counting:
            situation.delivered_since += event.state is FateState.DELIVERED
        elif event.message_id != situation.followed:
            self._tell_outcome(event)
        self._on_news(FateChanged(event.message_id))

    def _tell_outcome(self, event: OutcomeArrived) -> None:
        sent = self._archive.outbox.get(event.message_id)
        if sent is None:
            return
        if event.state is FateState.RECALLED:
            return  # the answer to the recall tells it, for all recipients at once
        begun = clip(one_line(sent.body), _TEXT_COLUMNS_MAX)
        if event.state is FateState.DELIVERED:
            self._say(f'{event.recipient} has your message "{begun}".')
        else:
            fate = words.fate(event.state)
            self._say(f'Your message "{begun}" did not reach {event.recipient}: {fate}.')

    def _on_answer(self, event: SendAnswered) -> None:
        if event.state is SendState.FAILED and event.message_id != self._situation.followed:
            sent = self._archive.outbox.get(event.message_id)
            if sent is not None:
                self._say(words.sent_summary(sent))
        self._on_news(FateChanged(event.message_id))

    def _on_postponed(self, event: SendPostponed) -> None:
        sent = self._archive.outbox.get(event.message_id)
        if sent is not None:
            self._say(words.sent_summary(sent))
        self._on_news(FateChanged(event.message_id))

    def _on_recall(self, event: RecallAnswered) -> None:
        sent = self._archive.outbox.get(event.message_id)
        if sent is not None:
            self._say(words.recall_summary(sent))
        self._on_news(FateChanged(event.message_id))

    def _on_accounts(self, event: Accounts) -> None:
        situation = self._situation
        if event.request == situation.count_request:
            situation.count_request = None
            self._take_totals(event)
        if event.request == situation.seek_request:
            self._on_sought(event)
        if event.request != situation.list_request:
            return
        before = situation.directory
        first = before.request != event.request
        situation.directory = Directory(
            entries=event.entries if first else (*before.entries, *event.entries),
            total=event.accounts_total,
            connected=event.accounts_connected,
            complete=event.complete,
            asked_at_ms=self._wall_ms(),
            pattern=situation.list_pattern,
            request=event.request,
        )
        if event.complete:
            situation.list_request = None
        self._on_news(DirectoryChanged())

    def _take_totals(self, event: Accounts) -> None:
        situation = self._situation
        if situation.directory.asked_at_ms is not None:
            situation.directory = replace(
                situation.directory,
                total=event.accounts_total,
                connected=event.accounts_connected,
            )

    def _on_sought(self, event: Accounts) -> None:
        """The answer about one name; who is new takes a place in the list."""
        situation = self._situation
        self._take_totals(event)
        directory = situation.directory
        known = {entry.name: entry for entry in directory.entries}
        found = [entry for entry in event.entries if entry.name == situation.sought]
        if found and directory.complete and not directory.pattern:
            known[situation.sought] = found[0]
            entries = tuple(known[name] for name in sorted(known))
            situation.directory = replace(directory, entries=entries)
        self._end_seeking(found=bool(found))

    def _on_check_done(self, event: CheckDone) -> None:
        situation = self._situation
        situation.counting = False
        if event.outcomes_only:
            return
        situation.waiting_there = event.remaining
        if event.request == situation.check_request:
            situation.check_request = None
        self._on_news(CheckEnded(event.delivered, event.remaining, self._wall_ms()))

    def _on_request(self, event: Created | CreateRefused | DeleteRefused | RequestFailed) -> None:
        situation = self._situation
        if not isinstance(event, RequestFailed) or event.request == situation.account_request:
            situation.account_request = None
        match event:
            case Created():
                self._say(f"The account {event.name} is made. It belongs to who connects as it.")
            case CreateRefused():
                self._say(words.create_refusal(event.code, event.text, event.name))
            case DeleteRefused():
                reason = words.refusal(event.code, event.text, situation.name)
                self._on_news(DeletionRefused(reason, event.waiting))
            case RequestFailed():
                self._say(words.refusal(event.code, event.text))
                if event.request == situation.check_request:
                    situation.check_request = None
                    self._on_news(CheckBroken())
                elif event.request == situation.count_request:
                    situation.count_request = None
                elif event.request == situation.seek_request:
                    self._end_seeking(found=None)
                elif event.request == situation.list_request:
                    situation.list_request = None
                    situation.directory = replace(situation.directory, complete=True)
                    self._on_news(DirectoryChanged())

    def _on_notice(self, event: NoticeArrived) -> None:
        situation = self._situation
        if event.kind == NoticeKind.MAIL_WAITING:
            situation.bell_due = (event.count or 0) > situation.waiting_there
            situation.waiting_there = event.count or 0
            situation.arrival = safe_line(words.notice(event.kind, event.text, event.count))
        self._say(words.notice(event.kind, event.text, event.count))
