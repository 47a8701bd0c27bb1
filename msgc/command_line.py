"""The command line: which words mean what, and from there to the commands or to the screens.

Must never guess: what is not understood is a usage error that names the right form.
Fails with UsageError; other failures become exit codes in `run`.
"""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgc import commands, commands_archive, commands_send, commands_watch, words
from msgc.archive import Archive, Narrowing
from msgc.command_guess import nearest, question
from msgc.command_options import NAMES, WITH_VALUE, UsageError, command_parser, screens_parser
from msgc.command_times import point_ms
from msgc.commands_output import Output
from msgc.commands_talk import CommandError, Exit
from msgc.limits import STDIN_BYTES_MAX
from msgc.profile import Profile, ProfileHeldError, check_name
from msgc.surroundings import Surroundings

_WORD_LENGTH_MAX: Final = 32
_FINDING: Final = ("history", "export")


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. `command` is None for the screens.

    `meant`: the name for the screens looks like this command, typed wrong.
    """

    command: str | None
    options: argparse.Namespace
    meant: str | None = None


def parse(words: Sequence[str]) -> Request:
    """Understand the arguments. Raises UsageError; SystemExit after --help of a command."""
    for word in words:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            raise UsageError("the arguments are not valid UTF-8") from None
    at = _first_plain(words)
    if at is not None and words[at] in NAMES:
        parser = command_parser(words[at])
        return Request(words[at], parser.parse_args([*words[:at], *words[at + 1 :]]))
    parser = screens_parser()
    meant = None if at is None else nearest(words[at][:_WORD_LENGTH_MAX], NAMES)
    try:
        return Request(None, parser.parse_args(list(words)), meant)
    except UsageError:
        if at is None or meant is None:
            raise
        raise UsageError(question(words[at], meant)) from None


def run(world: Surroundings, request: Request) -> int:
    """Do what a command asks. The exit code. Raises CommandError, UsageError and others."""
    options = request.options
    output = Output(world, as_json=options.json, quiet=options.quiet)
    match request.command:
        case "create":
            return commands.create(world, output, options.name)
        case "history" | "export" | "names" | "why":
            return _read_archive(world, output, request)
        case "send":
            return commands_send.send(world, output, _errand(world, options))
        case _:
            profile = _open(world, request.command or "")
            try:
                return _with_profile(world, output, request, profile)
            finally:
                profile.close()


def _with_profile(world: Surroundings, output: Output, request: Request, profile: Profile) -> int:
    options = request.options
    if request.command == "check":
        return commands.check(world, output, profile, options.limit)
    if request.command == "list":
        return commands.list_accounts(world, output, profile, options.pattern)
    if request.command == "delete":
        return commands.delete(world, output, profile, force=options.force, dry_run=options.dry_run)
    return commands_watch.watch(world, output, profile, _program(options.exec))


def _open(world: Surroundings, command: str) -> Profile:
    """The profile of the user. Held by another process: say what to do for this command."""
    user = _user(world)
    try:
        return world.profiles.open(user)
    except ProfileHeldError as held:
        text = words.held_for(command, user, held.pid)
        raise CommandError(Exit.ERROR, text) from None


def _program(text: str | None) -> tuple[str, ...] | None:
    """The words of --exec, as a shell would split them."""
    if text is None:
        return None
    try:
        program = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--exec: {str(error).lower()} in {text}") from None
    if not program:
        raise UsageError("--exec needs a command")
    return program


def _read_archive(world: Surroundings, output: Output, request: Request) -> int:
    user = _user(world)
    options = request.options
    wish = _wish(world, options, user) if request.command in _FINDING else None
    archive: Archive | None = world.profiles.visit(user)
    if archive is None:
        raise CommandError(Exit.ERROR, f"There is no archive of {user} for this server here.")
    try:
        if request.command == "names":
            return commands_archive.names(output, archive)
        if wish is None:
            return commands_archive.why(output, archive, options.number)
        if request.command == "export":
            return commands_archive.export(world, output, archive, wish, options.output)
        return commands_archive.history(output, archive, wish, options.limit)
    finally:
        archive.close()


def _wish(world: Surroundings, options: argparse.Namespace, user: str) -> commands_archive.Wish:
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
    return commands_archive.Wish(user, options.query or "", narrowing)


def _point_ms(option: str, text: str | None, now_ms: int) -> int | None:
    return None if text is None else point_ms(option, text, now_ms)


def _errand(world: Surroundings, options: argparse.Namespace) -> commands_send.Errand:
    user = _user(world)
    if bool(options.names) == options.all:
        raise UsageError("name the recipients, or say --all. See: msgc send --help")
    body = options.message if options.message is not None else _read_body(world)
    if not body:
        raise UsageError("the message is empty; give -m TEXT or write it to standard input")
    if len(body.encode("utf-8")) > STDIN_BYTES_MAX:
        raise UsageError(f"the message is longer than {STDIN_BYTES_MAX} bytes; send it in parts")
    names = tuple(name.lower() for name in options.names)
    return commands_send.Errand(user, names, options.all, body, options.wait)


def _read_body(world: Surroundings) -> str:
    """Standard input; the newline that ends its last line is not part of the message."""
    try:
        text = world.stdin.read(STDIN_BYTES_MAX + 2)
        text.encode("utf-8")
    except UnicodeError:
        raise UsageError("standard input is not valid UTF-8") from None
    return text.removesuffix("\n")


def _user(world: Surroundings) -> str:
    if world.settings.user is None:
        raise UsageError("who are you? Say -u NAME, or set MSGC_USER")
    return check_name(world.settings.user)


def _first_plain(words: Sequence[str]) -> int | None:
    """Where the first word is that is neither an option nor the value of one."""
    skip = False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif word == "--":
            return None
        elif word.startswith("-") and word != "-":
            skip = word in WITH_VALUE
        else:
            return at
    return None
