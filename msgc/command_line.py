"""The command line: which words mean what, and from there to the commands or to the screens.

Must never guess: what is not understood is a usage error that names the right form.
Fails with UsageError; other failures become exit codes in `run`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgc.command_guess import nearest, question
from msgc.command_options import NAMES, WITH_VALUE, UsageError, command_parser, screens_parser
from msgc.surroundings import Surroundings

_WORD_LENGTH_MAX: Final = 32
_OFFLINE: Final = ("history", "export", "names", "why")


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
        options = parser.parse_args(list(words))
    except UsageError:
        if at is None or meant is None:
            raise
        raise UsageError(question(words[at], meant)) from None
    if options.name is not None and options.user not in (None, options.name):
        # With a username given, the other word was to be a command: it must not make an account.
        if meant is not None:
            raise UsageError(question(options.name, meant))
        raise UsageError(
            f"there is no command {options.name!r}, and the username is {options.user!r} already"
        )
    return Request(None, options, meant)


def run(world: Surroundings, request: Request) -> int:
    """Do what a command asks. The exit code. Raises CommandError, UsageError and others."""
    assert request.command is not None, "the screens are no command"
    # Late: the screens start without the commands, and what asks no server without the network.
    if request.command in _OFFLINE:
        from msgc import commands_archive

        return commands_archive.run(world, request.command, request.options)
    if request.command == "pin":
        from msgc import commands_pin

        return commands_pin.run(world, request.options)
    from msgc import commands_online

    return commands_online.run(world, request.command, request.options)


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
