"""The commands that talk to the server: from the options to what does the work.

Must never do anything before all of the options make sense.
Fails with UsageError, CommandError and what the commands raise.
"""

import argparse
import shlex
from typing import Final

from msgc import commands, commands_accounts, commands_recall, commands_send, commands_watch, words
from msgc.command_end import CommandError, Exit
from msgc.command_options import UsageError
from msgc.commands_output import Output
from msgc.limits import STDIN_BYTES_MAX
from msgc.profile import Profile, ProfileHeldError, is_name
from msgc.surroundings import Surroundings, user_of

_NAME_SHOWN_MAX: Final = 40


def run(world: Surroundings, command: str, options: argparse.Namespace) -> int:
    """Do it. The exit code."""
    output = Output(world, as_json=options.json, quiet=options.quiet)
    if command == "create":
        return commands_accounts.create(world, output, options)
    if command == "send":
        return commands_send.send(world, output, _errand(world, options))
    if command == "recall":
        return commands_recall.recall(world, output, user_of(world), options.number)
    program = _program(options.exec) if command == "watch" else None
    profile = _open(world, command)
    try:
        match command:
            case "check":
                return commands.check(world, output, profile, options.limit)
            case "list":
                return commands.list_accounts(world, output, profile, options.pattern)
            case "delete":
                force, dry_run = options.force, options.dry_run
                return commands.delete(world, output, profile, force=force, dry_run=dry_run)
            case "block" | "unblock":
                names = tuple(name.lower() for name in options.names)
                return commands_accounts.block(world, output, profile, names, command=command)
            case "blocked":
                return commands_accounts.block(world, output, profile, (), command=command)
            case "passwd":
                return commands_accounts.passwd(world, output, profile, options)
            case _:
                return commands_watch.watch(world, output, profile, program)
    finally:
        profile.close()


def _open(world: Surroundings, command: str) -> Profile:
    """The profile of the user. Held by another process: say what to do for this command."""
    user = user_of(world)
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


def _errand(world: Surroundings, options: argparse.Namespace) -> commands_send.Errand:
    user = user_of(world)
    if bool(options.names) == options.all:
        raise UsageError("name the recipients, or say --all. See: msgc send --help")
    body = options.message if options.message is not None else _read_body(world)
    if not body:
        raise UsageError("the message is empty; give -m TEXT or write it to standard input")
    if len(body.encode("utf-8")) > STDIN_BYTES_MAX:
        raise UsageError(f"the message is longer than {STDIN_BYTES_MAX} bytes; send it in parts")
    names = tuple(name.lower() for name in options.names)
    for name in names:
        if not is_name(name):  # before anything is sent: it may go in parts
            raise UsageError(words.not_a_name(name[:_NAME_SHOWN_MAX]))
    return commands_send.Errand(user, names, options.all, body, options.wait)


def _read_body(world: Surroundings) -> str:
    """Standard input; the newline that ends its last line is not part of the message."""
    try:
        text = world.stdin.read(STDIN_BYTES_MAX + 2)
        text.encode("utf-8")
    except UnicodeError:
        raise UsageError("standard input is not valid UTF-8") from None
    return text.removesuffix("\n")
