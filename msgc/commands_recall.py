"""`msgc recall`: take a message back from whoever does not have it.

The wish is in the archive first. When another process of this user is connected it asks the server
for what it finds there, and this command watches the archive for the answer, as `msgc send` does.

Must never say that nobody has a message unless the server said so, or no byte of it was ever sent.
Fails with CommandError.
"""

from msgc import words
from msgc.archive import Archive
from msgc.command_end import CommandError, Exit
from msgc.commands_output import Output
from msgc.commands_send import HANDED_OVER_TIMEOUT_MS, WATCH_MS
from msgc.commands_talk import Talk
from msgc.link_events import CheckDone, RecallAnswered
from msgc.loop import Loop
from msgc.profile import Profile, ProfileHeldError
from msgc.states import SendState
from msgc.surroundings import Surroundings
from msgc.values import Sent
from wire.codes import Code


def recall(world: Surroundings, output: Output, user: str, label: str) -> int:
    """Ask, and tell what became of it for each recipient. The exit code."""
    try:
        profile = world.profiles.open(user)
    except ProfileHeldError as held:
        archive = world.profiles.visit(user)
        if archive is None:
            raise CommandError(Exit.ERROR, str(held)) from None
        try:
            sent = _ask(archive, label)
            return _report(output, _watch(world, archive, sent))
        finally:
            archive.close()
    try:
        sent = _ask(profile.archive, label)
        if _is_open(sent):
            sent = _recall_here(world, output, profile, sent)
        return _report(output, sent)
    finally:
        profile.close()


def _ask(archive: Archive, label: str) -> Sent:
    sent = archive.outbox.find(label)
    if sent is None:
        raise CommandError(
            Exit.ERROR, f"No message {label} in the archive. `msgc history` shows the numbers."
        )
    return archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK) or sent


def _is_open(sent: Sent) -> bool:
    return sent.recall is not None and sent.recall.is_open


def _recall_here(world: Surroundings, output: Output, profile: Profile, sent: Sent) -> Sent:
    """Be the process that talks to the server. The link asks for what the archive wants back."""
    outbox = profile.archive.outbox
    talk = Talk(world, profile.archive)
    try:
        talk.log_in(profile.name, live=False)
        while True:
            answered = talk.expect(RecallAnswered)
            if answered.message_id == sent.message_id:
                break
        # What had ended before may have its fate waiting at the server.
        if answered.code is None and talk.link.check(outcomes_only=True) is not None:
            talk.expect(CheckDone)
        talk.log_out()
    except CommandError:
        sent = outbox.get(sent.message_id) or sent
        if _is_open(sent):
            output.warn(f"The wish is kept: the next msgc of this user asks for {sent.number}.")
            output.answered(sent)
            raise
    finally:
        talk.close()
    return outbox.get(sent.message_id) or sent


def _watch(world: Surroundings, archive: Archive, sent: Sent) -> Sent:
    """Another process holds the profile, and asks; it has so long for the answer."""
    clock = world.clock
    end_ms = clock.now_ms() + HANDED_OVER_TIMEOUT_MS
    loop = Loop(world.network, clock)
    while _is_open(sent) and clock.now_ms() < end_ms:
        loop.turn(WATCH_MS)
        sent = archive.outbox.get(sent.message_id) or sent
    return sent


def _report(output: Output, sent: Sent) -> int:
    output.recalled(sent)
    output.flush()
    code = exit_code(sent)
    (output.say if code == Exit.DONE else output.warn)(words.recall_summary(sent))
    return code


def exit_code(sent: Sent) -> Exit:
    """0: nobody has it and nobody will. 3: taken back from some. 4: from none. 5: no answer yet."""
    if sent.state is SendState.FAILED:
        return Exit.DONE if sent.code == words.CODE_TAKEN_BACK else Exit.REFUSED
    if _is_open(sent):
        return Exit.UNREACHABLE
    if sent.recall is not None and sent.recall.code not in (None, Code.UNKNOWN_MESSAGE):
        return Exit.REFUSED
    if not sent.recalled:
        return Exit.REFUSED
    return Exit.DONE if sent.recalled == sent.total else Exit.STILL_WAITING
