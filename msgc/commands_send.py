"""`msgc send`: a message from a script, alone or through the msgc that is running already.

The message is in the archive first. When another process of this user is connected it sends what
it finds there, and this command watches the archive for the answer
(docs/decisions/0011-outbox-handed-to-the-running-client.md).

To more recipients than a message can have it goes as several, each with its own id and its own
answer; they are composed in one commit, so none is kept without the others.

Must never leave in doubt whether a message is kept: the words say so in each case.
Fails with CommandError.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from msgc import words
from msgc.archive import Archive
from msgc.archive_outbox import Outbox
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.command_progress import Progress
from msgc.commands_output import Output
from msgc.commands_talk import Talk
from msgc.link_events import (
    Disconnected,
    LinkEvent,
    LoggedIn,
    OutcomeArrived,
    SendAnswered,
    SendPostponed,
)
from msgc.loop import Loop
from msgc.profile import Profile, ProfileHeldError
from msgc.states import SendState
from msgc.surroundings import Surroundings
from msgc.values import Sent
from wire.limits import RECIPIENTS_MAX

WATCH_MS: Final = 200
"""How often the archive is looked at while another process sends."""
TAKE_OVER_MS: Final = 1_000
"""How often it is tried whether that process has gone."""
HANDED_OVER_TIMEOUT_MS: Final = 30_000
"""How long the other process has to get an answer, when no --wait says otherwise."""

POSTPONED_PATIENCE_MS: Final = 10_000
"""How long to try again at a server that cannot take the message now, when no --wait says it."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What to send: to whom, what, and how long to wait for the recipients (None: not at all)."""

    user: str
    recipients: tuple[str, ...]
    everyone: bool
    body: str
    wait_ms: int | None


def send(world: Surroundings, output: Output, errand: Errand) -> int:
    """Send, and tell what became of it. The exit code."""
    until_ms = None if errand.wait_ms is None else world.clock.now_ms() + errand.wait_ms
    try:
        profile = world.profiles.open(errand.user)
    except ProfileHeldError as held:
        archive = world.profiles.visit(errand.user)
        if archive is None:
            raise CommandError(Exit.ERROR, str(held)) from None
        try:
            parts = _compose(archive, errand)
            return _HandOver(world, output, errand.user, archive, held.pid).run(parts, until_ms)
        finally:
            archive.close()
    try:
        return _send_here(world, output, profile, _compose(profile.archive, errand), until_ms)
    finally:
        profile.close()


class _Parts:
    """The messages of one errand, what became of them, and which are not over."""

    def __init__(self, outbox: Outbox, composed: Iterable[Sent], *, waits: bool) -> None:
        self.waits = waits
        self._outbox = outbox
        self._sent = {sent.message_id: sent for sent in composed}
        self._open = [key for key, sent in self._sent.items() if not _is_finished(sent, waits)]

    @property
    def all(self) -> tuple[Sent, ...]:
        """As they were when last looked at."""
        return tuple(self._sent.values())

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return not self._open

    @property
    def unsent(self) -> tuple[Sent, ...]:
        """Those that the server has not answered."""
        return tuple([sent for sent in self.all if sent.state is SendState.UNSENT])

    def get(self, message_id: bytes) -> Sent | None:
        """One of them; None for a message that is not of this errand."""
        return self._sent.get(message_id)

    def look(self, event: LinkEvent | None = None) -> None:
        """Read again what became of the one that this event is about; else of all not over."""
        if isinstance(event, SendAnswered | SendPostponed | OutcomeArrived):
            looked = [event.message_id] if event.message_id in self._open else []
        else:
            looked = list(self._open)
        for key in looked:
            self._sent[key] = self._outbox.get(key) or self._sent[key]
            if _is_finished(self._sent[key], self.waits):
                self._open.remove(key)


def _compose(archive: Archive, errand: Errand) -> tuple[Sent, ...]:
    names = tuple(dict.fromkeys(errand.recipients))
    shares = [names[at : at + RECIPIENTS_MAX] for at in range(0, len(names), RECIPIENTS_MAX)]
    with archive.change():
        return tuple(
            [
                archive.outbox.compose(share, errand.everyone, errand.body)
                for share in shares or [()]
            ]
        )


def _send_here(
    world: Surroundings,
    output: Output,
    profile: Profile,
    composed: tuple[Sent, ...],
    until_ms: int | None,
) -> int:
    """Be the process that talks to the server. `until_ms`: how long to wait for recipients."""
    waits = until_ms is not None
    parts = _Parts(profile.archive.outbox, composed, waits=waits)
    progress = Progress(world, quiet=output.is_quiet or len(composed) == 1)
    progress.total = len(composed)
    talk = Talk(world, profile.archive, retry=waits)
    online = False
    try:
        # Only a live session hears at once what becomes of its messages.
        talk.begin(profile.name, live=waits)
        while not parts.is_over:
            event = talk.next_event(until_ms)
            if event is None:
                break
            if isinstance(event, Disconnected) and not online:
                raise talk.unreachable(event.reason)
            online = online or isinstance(event, LoggedIn)
            if isinstance(event, SendAnswered) and parts.get(event.message_id):
                progress.step()
            if isinstance(event, SendPostponed) and (sent := parts.get(event.message_id)):
                progress.clear()
                clock = world.clock.local_text(event.retry_at_ms, "%H:%M:%S")
                output.say(words.postponed(sent.number, event.code, clock))
                if until_ms is None:
                    until_ms = world.clock.now_ms() + POSTPONED_PATIENCE_MS
            talk.refuse_end(event)
            parts.look(event)
        talk.log_out()
    except CommandError as error:
        parts.look()
        progress.clear()
        if parts.unsent:
            _say_kept(output, parts.unsent)
            _answer(output, parts)
            raise
        output.warn(str(error))
    except InterruptedTalkError:
        parts.look()
        progress.clear()
        _say_kept(output, parts.unsent)
        raise
    finally:
        talk.close()
    parts.look()
    progress.clear()
    return _report(output, parts)


class _HandOver:
    """The message is in the archive; another process holds the profile and will send it."""

    def __init__(
        self, world: Surroundings, output: Output, user: str, archive: Archive, pid: int | None
    ) -> None:
        self._world = world
        self._output = output
        self._user = user
        self._archive = archive
        self._pid = pid

    def run(self, composed: tuple[Sent, ...], until_ms: int | None) -> int:
        """Watch until it is answered, or become the sender when the other process has gone."""
        parts = _Parts(self._archive.outbox, composed, waits=until_ms is not None)
        clock = self._world.clock
        now_ms = clock.now_ms()
        end_ms = now_ms + HANDED_OVER_TIMEOUT_MS if until_ms is None else until_ms
        take_over_ms = now_ms + TAKE_OVER_MS
        loop = Loop(self._world.network, clock)
        while not parts.is_over and now_ms < end_ms:
            loop.turn(WATCH_MS)
            parts.look()
            now_ms = clock.now_ms()
            profile = None
            if now_ms >= take_over_ms:
                take_over_ms = now_ms + TAKE_OVER_MS
                profile = self._take_over()
            if profile is not None:
                try:
                    return _send_here(self._world, self._output, profile, parts.all, until_ms)
                finally:
                    profile.close()
        if parts.unsent:
            self._output.warn(f"Process {self._pid} holds {self._user} and has no answer yet.")
            _say_kept(self._output, parts.unsent)
            _answer(self._output, parts)
            return Exit.UNREACHABLE
        return _report(self._output, parts)

    def _take_over(self) -> Profile | None:
        try:
            return self._world.profiles.open(self._user)
        except ProfileHeldError as held:
            self._pid = held.pid
            return None


def _is_finished(sent: Sent, waits: bool) -> bool:
    if sent.state is SendState.UNSENT:
        return False
    return not waits or sent.state is SendState.FAILED or _is_settled(sent)


def _is_settled(sent: Sent) -> bool:
    known = not sent.everyone or sent.accepted_count is not None
    return sent.state is SendState.PENDING and known and sent.waiting == 0


def _say_kept(output: Output, unsent: tuple[Sent, ...]) -> None:
    for sent in unsent:
        output.warn(
            f"Message {sent.number} is kept and goes with the next msgc of this user; "
            "do not send it again."
        )


def _answer(output: Output, parts: _Parts) -> None:
    for sent in parts.all:
        output.answered(sent)


def _report(output: Output, parts: _Parts) -> int:
    _answer(output, parts)
    sent = parts.all
    failed = [one for one in sent if one.state is SendState.FAILED]
    if failed or (parts.waits and any(one.lost for one in sent)):
        output.warn(words.errand_summary(sent))
        for one in failed if len(sent) > 1 else ():
            output.warn(f"Message {one.number}: {words.sent_summary(one)}")
        _say_kept(output, parts.unsent)
        return Exit.REFUSED
    output.say(words.errand_summary(sent))
    if parts.unsent:
        _say_kept(output, parts.unsent)
        return Exit.UNREACHABLE
    settled = all(_is_settled(one) for one in sent)
    return Exit.STILL_WAITING if parts.waits and not settled else Exit.DONE
