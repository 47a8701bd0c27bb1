"""The commands that ask the server something: check, list, delete.

Must never print data anywhere but on stdout, nor words anywhere but on stderr.
Fails with CommandError, which carries the exit code.
"""

from typing import Final

from msgc import words
from msgc.archive import Archive
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.command_progress import Progress
from msgc.commands_output import Output
from msgc.commands_talk import Talk
from msgc.link_events import (
    AccountLine,
    Accounts,
    CheckDone,
    Deleted,
    DeleteRefused,
    LoggedIn,
    MessageArrived,
)
from msgc.profile import Profile
from msgc.surroundings import Surroundings
from wire.codes import Code

PAGE: Final = 64
"""Messages taken from the archive at once."""


def check(world: Surroundings, output: Output, profile: Profile, limit: int | None) -> int:
    """Fetch what waits and print it, and what an earlier run fetched but could not print."""
    printed = _print_unread(output, profile.archive, limit)
    if limit is not None and printed >= limit:
        output.say(f"{words.plural(printed, 'message')}, as many as asked for.")
        return Exit.DONE
    progress = Progress(world, quiet=output.is_quiet)
    talk = Talk(world, profile.archive)
    try:
        login = talk.log_in(profile.name, live=False)
        left = None if limit is None else limit - printed
        progress.total = login.waiting if left is None else min(login.waiting, left)
        done = _fetch(talk, left, progress)
        asked_at = world.clock.local_text(world.clock.wall_ms(), "%H:%M:%S")
        talk.log_out()
    except CommandError:
        # What came is in the archive, and belongs to who asked.
        talk.close()
        progress.clear()
        _print_unread(output, profile.archive, limit)
        raise
    except InterruptedTalkError:
        progress.clear()
        if progress.done:
            kept = words.plural(progress.done, "message")
            output.say(f"Interrupted: {kept} kept, still unread. The next check prints them.")
        raise
    finally:
        talk.close()
    progress.clear()
    printed += _print_unread(output, profile.archive, limit)
    if printed == 0 and done.remaining == 0:
        output.say(words.none_available(asked_at))
    else:
        output.say(f"{words.plural(printed, 'message')}, {done.remaining} still waiting.")
    return Exit.DONE


def _fetch(talk: Talk, limit: int | None, progress: Progress) -> CheckDone:
    """Ask for what waits; it is in the archive when this returns."""
    request = talk.link.check(limit)
    while True:
        event = talk.next_event(None)
        # The link asks for outcomes by itself: its answer is another one.
        if isinstance(event, CheckDone) and event.request == request:
            return event
        if isinstance(event, MessageArrived):
            progress.step()
        elif event is not None:
            talk.refuse_end(event)


def _print_unread(output: Output, archive: Archive, limit: int | None) -> int:
    printed = 0
    while limit is None or printed < limit:
        page = PAGE if limit is None else min(PAGE, limit - printed)
        messages = archive.inbox.unread(page)
        if not messages:
            break
        for message in messages:
            output.received(message)
        output.flush()
        archive.inbox.mark_read([message.number for message in messages])
        printed += len(messages)
    return printed


def list_accounts(
    world: Surroundings, output: Output, profile: Profile, pattern: str | None
) -> int:
    """Print the users, or those that match the wildcard."""
    talk = Talk(world, profile.archive)
    found: list[AccountLine] = []
    try:
        talk.log_in(profile.name, live=False)
        if talk.link.list_accounts(pattern) is None:
            raise CommandError(Exit.ERROR, "The server cannot be asked now. Try again.")
        page = talk.expect(Accounts)
        found.extend(page.entries)
        while not page.complete:
            page = talk.expect(Accounts)
            found.extend(page.entries)
        talk.log_out()
    finally:
        talk.close()
    for account in found:
        output.account(account)
    output.flush()
    if pattern is not None and not found:
        output.say(f'No user matches "{pattern}".')
    total = words.plural(page.accounts_total, "user")
    output.say(f"{len(found)} shown of {total}, {page.accounts_connected} connected.")
    return Exit.DONE


def delete(
    world: Surroundings, output: Output, profile: Profile, *, force: bool, dry_run: bool
) -> int:
    """Delete the user's own account; `dry_run`: only say what that would mean."""
    talk = Talk(world, profile.archive)
    try:
        login = talk.log_in(profile.name, live=False)
        if dry_run:
            talk.log_out()
            return _tell_deletion(output, profile, login, force=force)
        talk.link.delete_account(force)
        event = talk.either(Deleted, DeleteRefused)
        if isinstance(event, DeleteRefused):
            talk.log_out()
    finally:
        talk.close()
    if isinstance(event, DeleteRefused):
        text = words.refusal(event.code, event.text, profile.name)
        if event.code == Code.UNDELIVERED_MESSAGES and event.waiting is not None:
            text = words.undelivered(profile.name, event.waiting)
        raise CommandError(Exit.REFUSED, text)
    assert isinstance(event, Deleted)
    output.fact("deleted", name=event.name, discarded=event.discarded)
    lost = words.plural(event.discarded or 0, "message")
    verb = "was" if event.discarded == 1 else "were"
    output.say(f"The account {event.name} is deleted. {lost} {verb} never delivered.")
    return Exit.DONE


def _tell_deletion(output: Output, profile: Profile, login: LoggedIn, *, force: bool) -> int:
    """The numbers that a deletion would be about."""
    waiting = login.waiting
    elsewhere = profile.archive.outbox.counts().waiting
    would = "delete" if force or not waiting else "refuse"
    output.fact(
        "deletion",
        name=profile.name,
        would=would,
        waiting=waiting,
        unread=profile.archive.inbox.counts().unread,
        sent_waiting=elsewhere,
    )
    output.line(words.deletion(profile.name, waiting, elsewhere, force=force))
    output.flush()
    return Exit.DONE
