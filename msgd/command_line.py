"""The command line: what was asked for, and the words of the help.

Must never act: it gives a value, `__main__` does what it says.
Fails with UsageError, whose text says what was not understood.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from msgd import VERSION
from msgd.limits import ExchangeLimits
from msgd.reactor_limits import ReactorLimits
from msgd.settings import BY_NAME, OPTIONS, Kind, Layer, Option, Value, nearest
from wire import limits as wire_limits


class UsageError(Exception):
    """The command line makes no sense; the text says where."""


@unique
class Action(Enum):
    """What the program is to do."""

    SERVE = "serve"
    FSCK = "fsck"
    REPAIR = "fsck --repair"
    DUMP = "dump"
    BACKUP = "backup"
    HELP = "help"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Command:
    """The command line, understood."""

    action: Action
    options: Layer
    arguments: tuple[str, ...] = ()


SOURCE: Final = "command line"
_BY_SWITCH: Final = {option.switch: option for option in OPTIONS}
_SWITCHES: Final = (*_BY_SWITCH, "--help", "--version")


def parse(arguments: Sequence[str]) -> Command:
    """Understand the arguments, the program's name not among them. Raises UsageError."""
    if "--help" in arguments or "-h" in arguments:
        return Command(Action.HELP, Layer(SOURCE, {}))
    if "--version" in arguments:
        return Command(Action.VERSION, Layer(SOURCE, {}))
    if arguments and arguments[0] in _TOOLS:
        return _parse_tool(Action(arguments[0]), tuple(arguments[1:]))
    values: dict[str, Value] = {}
    rest = list(arguments)
    while rest:
        switch, equals, given = rest.pop(0).partition("=")
        option, wanted = _find(switch)
        if option.kind is Kind.FLAG:
            if equals:
                raise UsageError(f"{switch} takes no value")
            values[option.name] = wanted
            continue
        if not equals:
            if not rest:
                raise UsageError(f"{switch} needs a value: {switch} {option.metavar}")
            given = rest.pop(0)
        values[option.name] = given
    return Command(Action.SERVE, Layer(SOURCE, values))


def _find(switch: str) -> tuple[Option, bool]:
    """The option, and for a flag whether it is set or taken back."""
    option = _BY_SWITCH.get(switch)
    if option is not None:
        return option, True
    taken_back = BY_NAME.get(switch.removeprefix("--no-").replace("-", "_"))
    if switch.startswith("--no-") and taken_back is not None and taken_back.kind is Kind.FLAG:
        return taken_back, False
    if switch in _TOOLS:
        raise UsageError(
            f"{switch} must be the first word: msgd {switch} DIR; the options are for serving"
        )
    if not switch.startswith("-"):
        raise UsageError(f"there is no command {switch!r}{nearest(switch, _TOOLS)}")
    raise UsageError(f"there is no option {switch!r}{nearest(switch, _SWITCHES)}")


def _parse_tool(action: Action, arguments: tuple[str, ...]) -> Command:
    if action is Action.FSCK and "--repair" in arguments:
        action = Action.REPAIR
        arguments = tuple(each for each in arguments if each != "--repair")
    least, most, use = _TOOL_USE[action]
    if not least <= len(arguments) <= most or any(each.startswith("-") for each in arguments):
        raise UsageError(f"use: {use}")
    return Command(action, Layer(SOURCE, {}), arguments)


_TOOLS: Final = ("fsck", "dump", "backup")
_TOOL_USE: Final = {
    Action.FSCK: (1, 1, "msgd fsck DIR [--repair]"),
    Action.REPAIR: (1, 1, "msgd fsck DIR --repair"),
    Action.DUMP: (1, 2, "msgd dump DIR [USER]"),
    Action.BACKUP: (2, 2, "msgd backup DIR TO"),
}


def version() -> str:
    """The answer to --version."""
    return f"msgd {VERSION}, protocol MSGP/{wire_limits.VERSION}"


def help_text() -> str:
    """Everything that --help says: options, limits, files, signals, exit codes."""
    return "\n".join((_HEAD, *map(_option_line, OPTIONS), _OTHER_OPTIONS, _limits(), _TAIL))


def _option_line(option: Option) -> str:
    left = f"  {option.switch} {option.metavar}".rstrip()
    words = option.help
    if option.kind is not Kind.FLAG and option.default != "":
        words += f" [{with_unit(option)}]"
    gap = "" if len(left) < 31 else "\n" + " " * 31
    return f"{left:<31}{words}" if not gap else f"{left}{gap}{words}"


def with_unit(option: Option) -> str:
    """The default as one would write it: `8M`."""
    if option.kind is Kind.BYTES and isinstance(option.default, int):
        for unit, factor in (("M", 1 << 20), ("K", 1 << 10)):
            if option.default and option.default % factor == 0:
                return f"{option.default // factor}{unit}"
    return str(option.default)


def _limits() -> str:
    rules, loop = ExchangeLimits(), ReactorLimits()
    a_turn = f"{loop.read_bytes_per_turn_max} bytes, {loop.frames_per_turn_max} frames"
    return f"""
Limits that are fixed:
  frame before login           {wire_limits.FRAME_BYTES_MAX_BEFORE_LOGIN} bytes
  frame after login            {wire_limits.FRAME_BYTES_MAX} bytes
  proof of life (name in use)  {rules.challenge_ms} ms
  checks waiting per client    {rules.checks_max}
  read per client and turn     {a_turn}
  unsent per client            {loop.output_bytes_pause} bytes, then it is not heard
  client that takes nothing    closed after {loop.write_stall_ms} ms"""


_HEAD: Final = f"""\
msgd {VERSION}: a server that keeps messages until they are delivered.

Usage:
  msgd [OPTIONS]               serve, with a panel on this terminal
  msgd --headless [OPTIONS]    serve, with a log on standard error
  msgd fsck DIR                verify a data folder, change nothing
  msgd fsck DIR --repair       make a damaged folder whole, say what is lost
  msgd dump DIR [USER]         print what is in a data folder
  msgd backup DIR TO           copy a data folder, also of a running server

Options, with what holds without them in [brackets]. Each can also stand in the
file given by --config (connections_max = 100) and in the environment
(MSGD_CONNECTIONS_MAX=100); the command line counts more than the environment,
and that more than the file. --no-NAME takes a switch back. Sizes may be written
with K, M or G. Names that end in -ms take milliseconds.
"""

_OTHER_OPTIONS: Final = """\
  --help, -h                   this text
  --version                    the version of the program and of its protocol"""

_TAIL: Final = """
Files:
  $XDG_STATE_HOME/msgd or ~/.local/state/msgd
      the data folder, unless --data names another; private, for one at a time

Signals:
  SIGTERM, SIGINT   tell the clients, write everything, end with 0; a second one
                    does not wait for the clients
  SIGHUP            open the log file again, after it was moved away
  SIGWINCH          the terminal's size changed

Exit codes:
  0   ended as asked
  1   an error: the port is in use, the log or standard output cannot be
      written, this type of terminal cannot show the panel
  2   the command line, the environment or the configuration file is wrong
  70  writing to the disk failed, or it is too full to finish the recovery;
      nothing that was confirmed is lost, and starting again is safe
  78  refused: the data folder is damaged, in use, from a newer version, not
      private, or somebody else's; a human must look, so do not start it again
      in a loop
  141 whoever reads the output of fsck or dump has seen enough
"""
