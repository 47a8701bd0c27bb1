"""The commands that read the archive and ask no server: history, export, names, why.

They run beside a msgc that is connected, and see what it has kept.

Must never change the archive.
Fails with CommandError, and with OutputError when the output cannot be written.
"""

import argparse
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Final

from msgc import words
from msgc.archive import Archive, Narrowing
from msgc.command_end import CommandError, Exit
from msgc.command_options import UsageError
from msgc.command_progress import Progress
from msgc.command_times import point_ms
from msgc.commands_output import Output, json_line, received_object, sent_object
from msgc.limits import HISTORY_ROWS_MAX
from msgc.os_files import FilesError
from msgc.profile import check_name, is_name
from msgc.surroundings import Surroundings, user_of
from msgc.values import Received, Sent

_FINDING: Final = ("history", "export")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which messages. `user` is whose archive it is."""

    user: str
    query: str
    narrowing: Narrowing


def run(world: Surroundings, command: str, options: argparse.Namespace) -> int:
    """Do one of them. The exit code."""
    output = Output(world, as_json=options.json, quiet=options.quiet)
    user = user_of(world)
    wish = _wish(world, options, user) if command in _FINDING else None
    archive: Archive | None = world.profiles.visit(user)
    if archive is None:
        raise CommandError(Exit.ERROR, f"There is no archive of {user} for this server here.")
    try:
        if command == "names":
            return names(output, archive)
        if wish is None:
            return why(output, archive, options.number)
        if command == "export":
            return export(world, output, archive, wish, options.output)
        return history(output, archive, wish, options.limit)
    finally:
        archive.close()


def history(output: Output, archive: Archive, wish: Wish, limit: int) -> int:
    """Print what is in the archive, the oldest first; no server is asked."""
    rows = min(limit, HISTORY_ROWS_MAX)
    entries = archive.history(wish.query, rows, narrowing=wish.narrowing)
    for entry in reversed(entries):
        if entry.received is not None:
            output.received(entry.received)
        if entry.sent is not None:
            output.sent(entry.sent)
    output.flush()
    if not entries:
        output.say(_nothing(wish))
    return Exit.DONE


def export(
    world: Surroundings, output: Output, archive: Archive, wish: Wish, path: str | None
) -> int:
    """Write all of it as a mailbox or as JSON lines, to standard output or as a file."""
    progress = Progress(world, quiet=output.is_quiet, prints=path is None)
    progress.total = archive.count(wish.query, wish.narrowing)
    host = world.settings.host or "localhost"
    form = _json_form if output.is_json else _mailbox_form
    place = nullcontext(output.data) if path is None else world.files.replace(path)
    try:
        # Closed in any case, and before the archive is.
        with closing(archive.every(wish.query, wish.narrowing)) as messages, place as write:
            for message in messages:
                write(form(message, wish.user, host))
                progress.step()
            output.flush()
    except FilesError as error:
        raise CommandError(Exit.ERROR, str(error)) from None
    finally:
        progress.clear()
    output.say(
        f"{words.plural(progress.done, 'message')} exported." if progress.done else _nothing(wish)
    )
    return Exit.DONE


def names(output: Output, archive: Archive) -> int:
    """Print the usernames that the archive knows.

    Shells expand what they are given to complete: what is no username (a server can say anything)
    must not reach them.
    """
    for name in filter(is_name, archive.names()):
        output.line(name)
        output.fact("name", name=name)
    output.flush()
    return Exit.DONE


def why(output: Output, archive: Archive, label: str) -> int:
    """Print the life of a message of one's own."""
    sent = archive.outbox.find(label)
    if sent is None:
        raise CommandError(
            Exit.ERROR, f"No message {label} in the archive. `msgc history` shows the numbers."
        )
    output.why(sent)
    output.flush()
    return Exit.DONE


def _wish(world: Surroundings, options: argparse.Namespace, user: str) -> Wish:
    """Which messages of the archive; one's own name stands for what one sent, or was sent."""
    now_ms = world.clock.wall_ms()
    sender = None if options.sender is None else check_name(options.sender)
    recipient = None if options.recipient is None else check_name(options.recipient)
    if sender is not None and recipient is not None and user not in {sender, recipient}:
        raise UsageError(f"one of --from and --to must be {user}: the archive holds nothing else")
    own = None if user not in {sender, recipient} else recipient != user
    narrowing = Narrowing(
        own=own,
        sender=None if sender == user != recipient else sender,
        recipient=None if recipient == user else recipient,
        since_ms=_point_ms("--since", options.since, now_ms),
        until_ms=_point_ms("--until", options.until, now_ms),
    )
    return Wish(user, options.query or "", narrowing)


def _point_ms(option: str, text: str | None, now_ms: int) -> int | None:
    return None if text is None else point_ms(option, text, now_ms)


def _mailbox_form(message: Received | Sent, user: str, host: str) -> str:
    # Here, because the other commands are quicker without it.
    from msgc import mailbox_text

    if isinstance(message, Sent):
        return mailbox_text.of_sent(message, user, host)
    return mailbox_text.of_received(message, user, host)


def _json_form(message: Received | Sent, _user: str, _host: str) -> str:
    value = sent_object(message) if isinstance(message, Sent) else received_object(message)
    return f"{json_line(value)}\n"


def _nothing(wish: Wish) -> str:
    looked_for = wish.query or wish.narrowing != Narrowing()
    return "Nothing found." if looked_for else "Nothing is kept yet."
