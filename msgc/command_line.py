"""The command line: which words mean what, and from there to the commands or to the screens.

Must never guess: what is not understood is a usage error that names the right form.
Fails with UsageError; other failures become exit codes in `run`.
"""

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from msgc import commands, commands_send, commands_watch, words
from msgc.archive import Archive
from msgc.command_guess import nearest, question
from msgc.commands_output import Output
from msgc.commands_talk import CommandError, Exit
from msgc.limits import HISTORY_ROWS_MAX, STDIN_BYTES_MAX
from msgc.profile import Profile, ProfileHeldError, check_name
from msgc.settings import COLORS
from msgc.surroundings import Surroundings

COMMANDS: Final = ("send", "check", "list", "create", "delete", "watch", "history", "why")
_WITH_VALUE: Final = ("-u", "--user", "--host", "--port", "--config", "--color")
_WORD_LENGTH_MAX: Final = 32
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "": 1_000}

HELP: Final = """\
usage: msgc [NAME] [options]             the screens; NAME is the username to connect as
       msgc COMMAND [options]            for scripts

commands:
  send NAME... | --all                   send a message: -m TEXT, or from standard input
  check                                  fetch and print the messages that wait
  list [PATTERN]                         print the users; PATTERN has * ? [...]
  create NAME                            make an account
  delete                                 delete your own account
  watch                                  print messages as they arrive
  history [QUERY]                        print what is kept here, or what matches
  why NUMBER                             print what became of a message of yours

`msgc COMMAND --help` tells the options of a command.

options:
  -u, --user NAME      who to be                        (MSGC_USER, user = "...")
  --host HOST          the server, default 127.0.0.1    (MSGC_HOST, host = "...")
  --port PORT          its port, default 7070           (MSGC_PORT, port = ...)
  --config FILE        settings, default $XDG_CONFIG_HOME/msgc/config.toml
  --color WHEN         auto, always or never            (MSGC_COLOR, NO_COLOR, color = "...")
  --plain              lines instead of screens, for screen readers and simple terminals
  --version            print the version
  --help               print this

files: the archive of each user is $XDG_DATA_HOME/msgc/HOST_PORT/NAME.db
exit codes: 0 done, 1 error, 2 usage, 3 sent but not yet delivered when the wait ended,
            4 refused by the server, 5 cannot reach the server, 128+N ended by signal N
"""


class UsageError(Exception):
    """The words on the command line are not understood."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for. `command` is None for the screens.

    `meant`: the name for the screens looks like this command, typed wrong.
    """

    command: str | None
    options: argparse.Namespace
    meant: str | None = None


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is an exception of ours."""

    def error(self, message: str) -> NoReturn:
        """See argparse."""
        raise UsageError(f"{message}. See: {self.prog} --help")


def parse(words: Sequence[str]) -> Request:
    """Understand the arguments. Raises UsageError; SystemExit after --help of a command."""
    for word in words:
        try:
            word.encode("utf-8")
        except UnicodeEncodeError:
            raise UsageError("the arguments are not valid UTF-8") from None
    at = _first_plain(words)
    if at is not None and words[at] in COMMANDS:
        parser = _command_parser(words[at])
        return Request(words[at], parser.parse_args([*words[:at], *words[at + 1 :]]))
    parser = _Parser(prog="msgc", add_help=False, allow_abbrev=False)
    _add_common(parser)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--help", "-h", action="store_true")
    meant = None if at is None else nearest(words[at][:_WORD_LENGTH_MAX], COMMANDS)
    try:
        return Request(None, parser.parse_args(list(words)), meant)
    except UsageError:
        if at is None or meant is None:
            raise
        raise UsageError(question(words[at], meant)) from None


def run(world: Surroundings, request: Request) -> int:
    """Do what a command asks. The exit code. Raises CommandError, UsageError and others."""
    options = request.options
    output = Output(world, as_json=options.json)
    match request.command:
        case "create":
            return commands.create(world, output, options.name)
        case "history" | "why":
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
        return commands.delete(world, output, profile, force=options.force)
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
    archive: Archive | None = world.profiles.visit(user)
    if archive is None:
        raise CommandError(Exit.ERROR, f"There is no archive of {user} for this server here.")
    options = request.options
    try:
        if request.command == "why":
            return commands.why(output, archive, options.number)
        return commands.history(output, archive, options.query or "", options.limit)
    finally:
        archive.close()


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
            skip = word in _WITH_VALUE
        else:
            return at
    return None


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-u", "--user", metavar="NAME", help="who to be (MSGC_USER)")
    parser.add_argument("--host", help="the server (MSGC_HOST)")
    parser.add_argument("--port", help="its port (MSGC_PORT)")
    parser.add_argument("--config", metavar="FILE", help="the file of settings")
    parser.add_argument("--color", metavar="WHEN", help=", ".join(COLORS))


def _command_parser(command: str) -> _Parser:
    parser = _Parser(prog=f"msgc {command}", allow_abbrev=False)
    _add_common(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    match command:
        case "send":
            parser.add_argument("names", nargs="*", metavar="NAME", help="the recipients")
            parser.add_argument("--all", action="store_true", help="send to everyone")
            parser.add_argument("-m", "--message", metavar="TEXT", help="else standard input")
            parser.add_argument(
                "--wait",
                type=_duration_ms,
                metavar="TIME",
                help="wait so long (60s, 5m) until every recipient has it",
            )
        case "check":
            parser.add_argument("--limit", type=_count, metavar="N", help="at most N messages")
        case "list":
            parser.add_argument("pattern", nargs="?", help="a wildcard: * ? [...]")
        case "create":
            parser.add_argument("name", help="the new username")
        case "delete":
            parser.add_argument("--force", action="store_true", help="also when messages wait")
        case "watch":
            parser.add_argument(
                "--exec", metavar="CMD", help="run CMD for each, with its JSON on standard input"
            )
        case "history":
            parser.add_argument("query", nargs="?", help="words that must be there")
            parser.add_argument("--limit", type=_count, default=HISTORY_ROWS_MAX, metavar="N")
        case _:
            parser.add_argument("number", help="what `msgc send` printed, or the id")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) < 2**32):
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return int(text)


def _duration_ms(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|)", text)
    if match is None:
        raise argparse.ArgumentTypeError("must be a time such as 60s or 5m")
    return int(match[1]) * _UNITS_MS[match[2]]
