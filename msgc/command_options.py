"""The words of the command line, in tables: commands, options, and the parsers made of them.

One place for `--help`, for what is understood, for the manual page and for the shells' completions
(scripts/print_manuals.py), so they cannot disagree. A new command is one row of COMMANDS, and one
line in `msgc.command_line`.

Must never act, and never guess: what is not understood is a usage error that names the right form.
Fails with UsageError.
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from msgc.limits import HISTORY_ROWS_MAX
from msgc.settings import COLORS

PROGRAM: Final = "msgc"
ABOUT: Final = "persistent messages for people who live in terminals: the client"
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "": 1_000}
_LEFT_COLUMNS: Final = 21
_COMMAND_COLUMNS: Final = 38
_WIDTH: Final = 80


class UsageError(Exception):
    """The words on the command line are not understood."""


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is an exception of ours."""

    def error(self, message: str) -> NoReturn:
        """See argparse."""
        raise UsageError(f"{message}. See: {self.prog} --help")


@dataclass(frozen=True, slots=True)
class Option:
    """An option. `metavar` is None for a switch; `also` tells other ways to set it."""

    flags: tuple[str, ...]
    metavar: str | None
    help: str
    also: str = ""

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Let the parser know it."""
        text = f"{self.help} {self.also}".rstrip()
        if self.metavar is None:
            parser.add_argument(*self.flags, action="store_true", help=text)
        else:
            parser.add_argument(*self.flags, metavar=self.metavar, help=text)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: how it is written, what it does in a line, and in a few; `add` its own options."""

    name: str
    use: str
    help: str
    about: str
    add: Callable[[argparse.ArgumentParser], None]


COMMON: Final = (
    Option(("-u", "--user"), "NAME", "who to be", '(MSGC_USER, user = "...")'),
    Option(
        ("--server",),
        "SERVER",
        "the server: host:port, tls://host:port or unix:/path",
        '(MSGC_SERVER, server = "...")',
    ),
    Option(("--host",), "HOST", "its host, default 127.0.0.1", '(MSGC_HOST, host = "...")'),
    Option(("--port",), "PORT", "its port, default 7070", "(MSGC_PORT, port = ...)"),
    Option(("--tls",), None, "TLS also to this computer", "(MSGC_TLS, tls = true)"),
    Option(("--tls-ca",), "FILE", "who must have signed its certificate, default the system's"),
    Option(("--tls-pin",), "PIN", "its key, as `msgd cert --show` prints it: sha256//..."),
    Option(("--accept-new-pin",), None, "remember the key of a server met for the first time"),
    Option(("--unsafe-plaintext",), None, "no TLS to another computer either; everybody can read"),
    Option(("--password-file",), "FILE", "the password: its first line; mode 0600"),
    Option(("--password-command",), "CMD", "the password: the first line that CMD prints"),
    Option(("--password-keyring",), None, 'the password: the keyring\'s, for "msgc SERVER"'),
    Option(("--config",), "FILE", "settings, default $XDG_CONFIG_HOME/msgc/config.toml"),
    Option(("--color",), "WHEN", f"{', '.join(COLORS)}", '(MSGC_COLOR, NO_COLOR, color = "...")'),
)
"""Of the screens and of every command."""
SCREENS_ONLY: Final = (
    Option(("--plain",), None, "lines instead of screens, for screen readers and simple terminals"),
    Option(("--ascii",), None, "nothing but ASCII to the terminal", "(MSGC_ASCII, ascii = true)"),
    Option(("--version",), None, "print the version"),
    Option(("--help", "-h"), None, "print this"),
)
COMMANDS_ONLY: Final = (
    Option(("--json",), None, "one JSON object a line"),
    Option(("-q", "--quiet"), None, "no words but errors, no progress"),
)
WITH_VALUE: Final = tuple(
    flag for option in COMMON if option.metavar is not None for flag in option.flags
)


# ----- what the commands take -------------------------------------------------------------------


def _add_send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="the recipients, as many as you like"
    )
    parser.add_argument("--all", action="store_true", help="send to everyone")
    parser.add_argument("-m", "--message", metavar="TEXT", help="else standard input")
    parser.add_argument(
        "--wait",
        type=duration_ms,
        metavar="TIME",
        help="wait so long (60s, 5m) until every recipient has it",
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=count, metavar="N", help="at most N messages")


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", metavar="PATTERN", help="a wildcard: * ? [...]")


def _add_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the new username")
    parser.add_argument("--invite", metavar="CODE", help="where the server wants one")
    _add_generate(parser)


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--generate", action="store_true", help="make the password, and print it once"
    )


def _add_passwd(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--new-password-file", metavar="FILE", help="the new one: its first line; mode 0600"
    )
    _add_generate(parser)


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help="who")


def _add_delete(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="also when messages wait")
    parser.add_argument("--dry-run", action="store_true", help="say the numbers, change nothing")


def _add_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--exec", metavar="CMD", help="run CMD for each, with its JSON on standard input"
    )


def _add_history(parser: argparse.ArgumentParser) -> None:
    _add_filters(parser)
    parser.add_argument(
        "--limit",
        type=count,
        default=HISTORY_ROWS_MAX,
        metavar="N",
        help=f"the newest N, at most {HISTORY_ROWS_MAX}",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_filters(parser)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="into FILE, which is replaced when all is written"
    )


def _add_nothing(_parser: argparse.ArgumentParser) -> None:
    pass


def _add_why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", metavar="NUMBER", help="what `msgc send` printed, or the id")


def _add_pin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "forget"), help="what to do")
    parser.add_argument("place", nargs="?", metavar="HOST", help="which: host or host:port")


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="?", metavar="QUERY", help="words that must be there")
    parser.add_argument("--from", dest="sender", metavar="NAME", help="only what NAME has sent")
    parser.add_argument("--to", dest="recipient", metavar="NAME", help="only what NAME was sent")
    parser.add_argument(
        "--since", metavar="TIME", help="not before: 2026-01-31, 2026-01-31T14:30, or 3d ago"
    )
    parser.add_argument("--until", metavar="TIME", help="before that time")


COMMANDS: Final = (
    Command(
        "send",
        "NAME... | --all",
        "send a message: -m TEXT, or from standard input",
        "Send a message to those named, or to everyone, and print its number. It is accepted by "
        "the server and on its disk when the command ends with 0; with --wait, every recipient "
        "has it.",
        _add_send,
    ),
    Command(
        "check",
        "",
        "fetch and print the messages that wait",
        "Fetch and print the messages that wait at the server.",
        _add_check,
    ),
    Command(
        "list",
        "[PATTERN]",
        "print the users; PATTERN has * ? [...]",
        "Print the users of the server, or those that match a wildcard.",
        _add_list,
    ),
    Command(
        "create",
        "NAME",
        "make an account",
        "Make an account. Where the server wants a password it is asked for, twice; it never "
        "leaves this computer.",
        _add_create,
    ),
    Command(
        "passwd",
        "",
        "change your own password",
        "Change your own password: the old one is asked for, then the new one, twice.",
        _add_passwd,
    ),
    Command(
        "block",
        "NAME...",
        "take no messages of these users any more",
        "Have the server take no message of these users for you. They are told so when they write. "
        "What waits already is delivered, and messages to everyone still come.",
        _add_names,
    ),
    Command(
        "unblock",
        "NAME...",
        "take their messages again",
        "Take the messages of these users again.",
        _add_names,
    ),
    Command(
        "blocked",
        "",
        "print whom you block",
        "Print the users whose messages the server does not take for you.",
        _add_nothing,
    ),
    Command(
        "delete",
        "",
        "delete your own account",
        "Delete your own account. While messages wait it refuses and tells how many.",
        _add_delete,
    ),
    Command(
        "watch",
        "",
        "print messages as they arrive",
        "Print what waits, then each message as it arrives, until a signal ends it.",
        _add_watch,
    ),
    Command(
        "history",
        "[QUERY]",
        "print what is kept here, or what matches",
        "Print what the archive on this computer keeps, the oldest first. No server is asked.",
        _add_history,
    ),
    Command(
        "export",
        "[QUERY]",
        "write what is kept here as a mailbox (mbox)",
        "Write what the archive on this computer keeps as a mailbox that mail programs read "
        "(mbox), or with --json as one JSON object a line. No server is asked.",
        _add_export,
    ),
    Command(
        "names",
        "",
        "print the usernames that the archive knows",
        "Print the usernames that the archive on this computer knows: those who wrote, and those "
        "who were written to. No server is asked. The shells complete usernames with it.",
        _add_nothing,
    ),
    Command(
        "recall",
        "NUMBER",
        "take back a message of yours, where it is not too late",
        "Take back a message of your own from every recipient whom it has not reached, and print "
        "what became of it for each. What was handed to a recipient's client cannot be taken back.",
        _add_why,
    ),
    Command(
        "why",
        "NUMBER",
        "print what became of a message of yours",
        "Print the life of a message of your own: composed, accepted, delivered to whom and when.",
        _add_why,
    ),
    Command(
        "pin",
        "list | forget HOST",
        "the servers met before, and how each is known",
        "Print the servers that were met before and how each is known again: by the pin of its "
        "key, or by who signed its certificate. `forget` makes one a stranger again, after its "
        "operator has changed the key.",
        _add_pin,
    ),
)
NAMES: Final = tuple(command.name for command in COMMANDS)
BY_NAME: Final = {command.name: command for command in COMMANDS}

FILES: Final = "the archive of each user is $XDG_DATA_HOME/msgc/HOST_PORT/NAME.db"
EXIT_CODES: Final = (
    ("0", "done; with send --wait: every recipient has it"),
    ("1", "an error here: the archive or the output cannot be used"),
    ("2", "the command line or a setting is not understood; nothing was done"),
    ("3", "send --wait: sent but not yet delivered when the wait ended; recall: only from some"),
    ("4", "refused by the server; recall: too late everywhere"),
    ("5", "cannot reach the server, or it cannot take it now"),
    ("6", "the server is not known or not the one that is known; nothing was said to it"),
    ("128+N", "ended by signal N"),
)


# ----- the parsers ------------------------------------------------------------------------------


def screens_parser() -> Parser:
    """For `msgc [NAME]`. Its help is `help_text`."""
    parser = Parser(
        prog=PROGRAM, add_help=False, allow_abbrev=False, formatter_class=_of_fixed_width
    )
    parser.add_argument("name", nargs="?")
    for option in (*COMMON, *SCREENS_ONLY):
        option.add_to(parser)
    return parser


def _of_fixed_width(prog: str) -> argparse.HelpFormatter:
    # Asked for with each option; without a width it loads shutil, to ask how wide the terminal is.
    return argparse.HelpFormatter(prog, width=_WIDTH)


def command_parser(name: str) -> Parser:
    """For one command."""
    command = BY_NAME[name]
    parser = Parser(prog=f"{PROGRAM} {name}", allow_abbrev=False, description=command.about)
    command.add(parser)
    for option in (*COMMANDS_ONLY, *COMMON):
        option.add_to(parser)
    return parser


def whole_parser(*, repeats_common: bool) -> Parser:
    """Everything in one, for the manual page and the completions; nothing is parsed with it.

    `repeats_common`: each command has the options that all have among its own.
    """
    parser = Parser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    for option in (*COMMON, *SCREENS_ONLY):
        option.add_to(parser)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command in COMMANDS:
        own = commands.add_parser(
            command.name,
            help=command.help,
            description=command.about,
            allow_abbrev=False,
            usage=f"{PROGRAM} {command.name} {command.use}".rstrip() + " [options]",
        )
        command.add(own)
        for option in (*COMMANDS_ONLY, *COMMON) if repeats_common else ():
            option.add_to(own)
    return parser


def help_text() -> str:
    """Everything that `msgc --help` says."""
    lines = [
        "usage: msgc [NAME] [options]             the screens; NAME is the username to connect as",
        "       msgc COMMAND [options]            for scripts",
        "",
        "commands:",
        *(_command_line(command) for command in COMMANDS),
        "",
        "`msgc COMMAND --help` tells the options of a command; each has --json and --quiet.",
        "",
        "options:",
        *(_option_line(option) for option in (*COMMON, *SCREENS_ONLY)),
        "",
        f"files: {FILES}",
        "exit codes:",
        *(f"  {code:<7}{text}" for code, text in EXIT_CODES),
    ]
    return "\n".join(lines) + "\n"


def _command_line(command: Command) -> str:
    left = f"  {command.name} {command.use}"
    return f"{left:<{_COMMAND_COLUMNS}} {command.help}"


def _option_line(option: Option) -> str:
    flags = ", ".join(option.flags)
    left = f"  {flags} {option.metavar or ''}".rstrip()
    if not option.also:
        return f"{left:<{_LEFT_COLUMNS}}  {option.help}"
    return f"{left:<{_LEFT_COLUMNS}}  {option.help:<30} {option.also}"


# ----- values -----------------------------------------------------------------------------------


def count(text: str) -> int:
    """A number from 1 on."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) < 2**32):
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return int(text)


def duration_ms(text: str) -> int:
    """A length of time: `60s`, `5m`, `1h`, `200ms`; a bare number is seconds."""
    match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|)", text)
    if match is None:
        raise argparse.ArgumentTypeError("must be a time such as 60s or 5m")
    return int(match[1]) * _UNITS_MS[match[2]]
