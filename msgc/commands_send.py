"""`msgc send`: a message from a script, alone or through the msgc that is running already.

The message is in the archive first. When another process of this user is connected it sends what
it finds there, and this command watches the archive for the answer
(docs/decisions/0011-outbox-handed-to-the-running-client.md).

Must never leave in doubt whether a message is kept: the words say so in each case.
Fails with CommandError.
"""

from dataclasses import dataclass
from typing import Final

from msgc import words
from msgc.archive import Archive
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.commands_output import Output
from msgc.commands_talk import Talk
from msgc.loop import Loop
from msgc.profile import Profile, ProfileHeldError
from msgc.surroundings import Surroundings
from msgc.values import Disconnected, LoggedIn, SendPostponed, SendState, Sent

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
        sent = archive.outbox.compose(errand.recipients, errand.everyone, errand.body)
        try:
            hand_over = _HandOver(world, output, errand.user, archive, held.pid)
            return hand_over.run(sent, until_ms)
        finally:
            archive.close()
    try:
        sent = profile.archive.outbox.compose(errand.recipients, errand.everyone, errand.body)
        return _send_here(world, output, profile, sent, until_ms)
    finally:
        profile.close()


def _send_here(
    world: Surroundings, output: Output, profile: Profile, sent: Sent, until_ms: int | None
) -> int:
    """Be the process that talks to the server. `until_ms`: how long to wait for recipients."""
    outbox = profile.archive.outbox
    message_id = sent.message_id
    waits = until_ms is not None
    talk = Talk(world, profile.archive, retry=waits)
    online = False
    try:
        # Only a live session hears at once what becomes of its messages.
        talk.begin(profile.name, live=waits)
        while not _is_finished(sent, waits=waits):
            event = talk.next_event(until_ms)
            if event is None:
                break
            if isinstance(event, Disconnected) and not online:
                raise talk.unreachable(event.reason)
            online = online or isinstance(event, LoggedIn)
            if isinstance(event, SendPostponed) and event.message_id == message_id:
                clock = world.clock.local_text(event.retry_at_ms, "%H:%M:%S")
                output.say(words.postponed(sent.number, event.code, clock))
                if until_ms is None:
                    until_ms = world.clock.now_ms() + POSTPONED_PATIENCE_MS
            talk.refuse_end(event)
            sent = outbox.get(message_id) or sent
        talk.log_out()
    except CommandError as error:
        sent = outbox.get(message_id) or sent
        if sent.state is SendState.UNSENT:
            _say_kept(output, sent)
            output.answered(sent)
            raise
        output.warn(str(error))
    except InterruptedTalkError:
        if (outbox.get(message_id) or sent).state is SendState.UNSENT:
            _say_kept(output, sent)
        raise
    finally:
        talk.close()
    return _report(output, outbox.get(message_id) or sent, waits=waits)


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

    def run(self, sent: Sent, until_ms: int | None) -> int:
        """Watch until it is answered, or become the sender when the other process has gone."""
        waits = until_ms is not None
        clock = self._world.clock
        now_ms = clock.now_ms()
        end_ms = now_ms + HANDED_OVER_TIMEOUT_MS if until_ms is None else until_ms
        take_over_ms = now_ms + TAKE_OVER_MS
        loop = Loop(self._world.network, clock)
        while not _is_finished(sent, waits=waits) and now_ms < end_ms:
            loop.turn(WATCH_MS)
            sent = self._archive.outbox.get(sent.message_id) or sent
            now_ms = clock.now_ms()
            profile = None
            if now_ms >= take_over_ms:
                take_over_ms = now_ms + TAKE_OVER_MS
                profile = self._take_over()
            if profile is not None:
                try:
                    return _send_here(self._world, self._output, profile, sent, until_ms)
                finally:
                    profile.close()
        if sent.state is SendState.UNSENT:
            self._output.warn(f"Process {self._pid} holds {self._user} and has no answer yet.")
            _say_kept(self._output, sent)
            self._output.answered(sent)
            return Exit.UNREACHABLE
        return _report(self._output, sent, waits=waits)

    def _take_over(self) -> Profile | None:
        try:
            return self._world.profiles.open(self._user)
        except ProfileHeldError as held:
            self._pid = held.pid
            return None


def _is_finished(sent: Sent, *, waits: bool) -> bool:
    if sent.state is SendState.UNSENT:
        return False
    return not waits or sent.state is SendState.FAILED or _is_settled(sent)


def _is_settled(sent: Sent) -> bool:
    known = not sent.everyone or sent.accepted_count is not None
    return sent.state is SendState.PENDING and known and sent.waiting == 0


def _say_kept(output: Output, sent: Sent) -> None:
    output.warn(
        f"Message {sent.number} is kept and goes with the next msgc of this user; "
        "do not send it again."
    )


def _report(output: Output, sent: Sent, *, waits: bool) -> int:
    output.answered(sent)
    if sent.state is SendState.FAILED or (waits and sent.lost):
        output.warn(words.sent_summary(sent))
        return Exit.REFUSED
    output.say(words.sent_summary(sent))
    if sent.state is SendState.UNSENT:
        _say_kept(output, sent)
        return Exit.UNREACHABLE
    return Exit.STILL_WAITING if waits and not _is_settled(sent) else Exit.DONE
