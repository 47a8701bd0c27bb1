"""The command line: what was asked for, and the words of the help.

Must never act: it gives a value, `__main__` does what it says.
Fails with UsageError, whose text says what was not understood.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from msgd import VERSION, cert
from msgd.build import BUILD
from msgd.limits import ExchangeLimits
from msgd.options import Kind, Option, Value
from msgd.panel.once import Wanted
from msgd.panel.values import Sort
from msgd.reactor_limits import ReactorLimits
from msgd.settings import BY_NAME, OPTIONS, Layer, check, nearest
from msgd.verbs import BY_VERB, VERBS, Order, Verb, options_of, split
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
    PANEL = "panel"
    CERT = "cert"
    ORDER = "order"
    HELP = "help"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Command:
    """The command line, understood."""

    action: Action
    options: Layer
    arguments: tuple[str, ...] = ()
    once: Wanted | None = None
    """For the panel: look once, at this."""
    as_json: bool = False
    order: Order | None = None
    """What a running server is to do."""
    read_only: bool = False
    certificate: cert.Wanted | None = None
    """For a certificate: make this one. None: show the pin of the one that there is."""


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
    if arguments and arguments[0] == Action.PANEL.value:
        return _parse_panel(arguments[1:])
    if arguments and arguments[0] == Action.CERT.value:
        return _parse_cert(arguments[1:])
    if arguments and arguments[0] in BY_VERB:
        return _parse_order(BY_VERB[arguments[0]], arguments[1:])
    return Command(Action.SERVE, Layer(SOURCE, _read(arguments, _find)))


def _read(arguments: Sequence[str], find: "Finder") -> dict[str, Value]:
    """The values of all options, which `find` knows."""
    values: dict[str, Value] = {}
    rest = list(arguments)
    while rest:
        switch, equals, given = rest.pop(0).partition("=")
        option, wanted = find(switch)
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
    return values


Finder = Callable[[str], tuple[Option, bool]]

_OF_BOTH: Final = ("data", "config", "color", "ascii")
PANEL_OPTIONS: Final = (
    Option("read_only", Kind.FLAG, default=False, help="only look: no kick, no announcement"),
    Option("once", Kind.FLAG, default=False, help="print it once, as text"),
    Option("json", Kind.FLAG, default=False, help="with --once: as JSON"),
    Option("filter", Kind.TEXT, "", "with --once: only names with this text", "TEXT"),
    Option(
        "sort",
        Kind.TEXT,
        Sort.STATE.value,
        "name, waiting, bytes, seen or stuck",
        "ORDER",
    ),
    Option("user", Kind.TEXT, "", "with --once: also all about this user", "NAME"),
    *(BY_NAME[name] for name in _OF_BOTH),
)
_BY_PANEL_SWITCH: Final = {option.switch: option for option in PANEL_OPTIONS}


def _find_panel(switch: str) -> tuple[Option, bool]:
    option = _BY_PANEL_SWITCH.get(switch)
    if option is not None:
        return option, True
    known = (*_BY_PANEL_SWITCH, "--help", "--version")
    raise UsageError(f"msgd panel has no option {switch!r}{nearest(switch, known)}")


def _parse_panel(arguments: Sequence[str]) -> Command:
    values = _read(arguments, _find_panel)
    options = {name: value for name, value in values.items() if name in _OF_BOTH}
    given = {**{option.name: option.default for option in PANEL_OPTIONS}, **values}
    if not given["once"]:
        for name in ("json", "filter", "sort", "user"):
            if name in values:
                raise UsageError(f"--{name} is for msgd panel --once")
    orders = {sort.value: sort for sort in Sort}
    if given["sort"] not in orders:
        known = ", ".join(orders)
        raise UsageError(f"--sort takes {known}, not {given['sort']!r}")
    wanted = Wanted(orders[str(given["sort"])], str(given["filter"]), str(given["user"]) or None)
    return Command(
        Action.PANEL,
        Layer(SOURCE, options),
        once=wanted if given["once"] else None,
        as_json=bool(given["json"]),
        read_only=bool(given["read_only"]),
    )


def _parse_order(verb: Verb, words: Sequence[str]) -> Command:
    by_switch = {option.switch: option for option in options_of(verb)}

    def find(switch: str) -> tuple[Option, bool]:
        option = by_switch.get(switch)
        if option is not None:
            return option, True
        known = (*by_switch, "--help", "--version")
        raise UsageError(f"msgd {verb.name} has no option {switch!r}{nearest(switch, known)}")

    plain, switches = split(verb, words)
    values = _read(switches, find)
    if len(plain) != len(verb.arguments):
        raise UsageError(f"use: msgd {verb.use}")
    arguments: dict[str, Value] = dict(zip(verb.arguments, plain, strict=True))
    for option in verb.options:
        arguments[option.name] = check(option, values.get(option.name, option.default), SOURCE)
    options = {name: value for name, value in values.items() if name in _OF_BOTH}
    return Command(
        Action.ORDER,
        Layer(SOURCE, options),
        order=Order(verb.name, arguments),
        as_json=bool(values.get("json", False)),
    )


_OF_CERT_TOO: Final = ("tls_cert", "config")
CERT_OPTIONS: Final = (*cert.OPTIONS, *(BY_NAME[name] for name in _OF_CERT_TOO))
_BY_CERT_SWITCH: Final = {option.switch: option for option in CERT_OPTIONS}


def _find_cert(switch: str) -> tuple[Option, bool]:
    option = _BY_CERT_SWITCH.get(switch)
    if option is not None:
        return option, True
    known = (*_BY_CERT_SWITCH, "--help", "--version")
    raise UsageError(f"msgd cert has no option {switch!r}{nearest(switch, known)}")


def _parse_cert(arguments: Sequence[str]) -> Command:
    hosts: list[str] = []
    rest: list[str] = []
    for word in arguments:  # --host takes all words that follow it
        if rest and rest[-1] == "--host" and not word.startswith("-"):
            hosts.append(word)
        elif word.startswith("--host="):
            hosts.append(word.removeprefix("--host="))
        else:
            rest.append(word)
    values = _read([word for word in rest if word != "--host"], _find_cert)
    options = Layer(SOURCE, {name: values[name] for name in _OF_CERT_TOO if name in values})
    if values.get("show"):
        if hosts or values.keys() & {"out", "days", "renew"}:
            raise UsageError("msgd cert --show makes nothing; it takes --tls-cert and --config")
        return Command(Action.CERT, options)
    if options.values:
        raise UsageError("--tls-cert and --config are for msgd cert --show")
    checked = {
        option.name: check(option, values.get(option.name, option.default), SOURCE)
        for option in cert.OPTIONS
        if option.name != "host"
    }
    wanted = cert.Wanted(
        tuple(hosts), str(checked["out"]), int(checked["days"]), bool(checked["renew"])
    )
    return Command(Action.CERT, options, certificate=wanted)


def _find(switch: str) -> tuple[Option, bool]:
    """The option, and for a flag whether it is set or taken back."""
    option = _BY_SWITCH.get(switch)
    if option is not None:
        return option, True
    taken_back = BY_NAME.get(switch.removeprefix("--no-").replace("-", "_"))
    if switch.startswith("--no-") and taken_back is not None and taken_back.kind is Kind.FLAG:
        return taken_back, False
    if switch in BY_VERB:
        raise UsageError(f"{switch} must be the first word: msgd {BY_VERB[switch].use}")
    if switch in (*_TOOLS, *_WITH_OPTIONS):
        use = f"msgd {switch} DIR; the options are for serving"
        if switch in _WITH_OPTIONS:
            use = f"msgd {switch} [OPTIONS]"
        raise UsageError(f"{switch} must be the first word: {use}")
    if not switch.startswith("-"):
        raise UsageError(
            f"there is no command {switch!r}" + nearest(switch, (*_TOOLS, *_WITH_OPTIONS, *BY_VERB))
        )
    raise UsageError(f"there is no option {switch!r}{nearest(switch, _SWITCHES)}")


def _parse_tool(action: Action, arguments: tuple[str, ...]) -> Command:
    if action is Action.FSCK and "--repair" in arguments:
        action = Action.REPAIR
        arguments = tuple(each for each in arguments if each != "--repair")
    least, most, use = _TOOL_USE[action]
    if not least <= len(arguments) <= most or any(each.startswith("-") for each in arguments):
        raise UsageError(f"use: {use}")
    return Command(action, Layer(SOURCE, {}), arguments)


_WITH_OPTIONS: Final = (Action.PANEL.value, Action.CERT.value)
_TOOLS: Final = ("fsck", "dump", "backup")
_TOOL_USE: Final = {
    Action.FSCK: (1, 1, "msgd fsck DIR [--repair]"),
    Action.REPAIR: (1, 1, "msgd fsck DIR --repair"),
    Action.DUMP: (1, 2, "msgd dump DIR [USER]"),
    Action.BACKUP: (2, 2, "msgd backup DIR TO"),
}


def version() -> str:
    """The answer to --version."""
    return f"msgd {VERSION}, protocol MSGP/{wire_limits.VERSION}, {BUILD}"


def help_text() -> str:
    """Everything that --help says: options, limits, files, signals, exit codes."""
    of_panel = [_option_line(option) for option in PANEL_OPTIONS if option.name not in _OF_BOTH]
    parts = (_HEAD, *map(_option_line, OPTIONS), _OTHER_OPTIONS, _PANEL_HEAD, *of_panel)
    of_cert = [_option_line(option) for option in cert.OPTIONS]
    orders = (_CERT_HEAD, *of_cert, _ORDERS_HEAD, *map(_verb_lines, VERBS))
    return "\n".join((*parts, *orders, _limits(), _TAIL))


def _verb_lines(verb: Verb) -> str:
    left = f"  msgd {verb.use}"
    gap = "  " if len(left) < 30 else "\n" + " " * 31
    lines = [f"{left:<29}{gap}{verb.help}" if gap == "  " else f"{left}{gap}{verb.help}"]
    lines += ["    " + _option_line(option).strip() for option in verb.options]
    return "\n".join(lines)


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
  msgd panel [OPTIONS]         a panel for a running server (--once: as text)
  msgd fsck DIR                verify a data folder, change nothing
  msgd fsck DIR --repair       make a damaged folder whole, say what is lost
  msgd dump DIR [USER]         print what is in a data folder
  msgd backup DIR TO           copy a data folder, also of a running server
  msgd cert --host NAME        make a certificate for TLS and its key
  msgd cert --show             print the pin that clients show

Options, with what holds without them in [brackets]. Each can also stand in the
file given by --config (connections_max = 100) and in the environment
(MSGD_CONNECTIONS_MAX=100); the command line counts more than the environment,
and that more than the file. --no-NAME takes a switch back. Sizes may be written
with K, M or G. Names that end in -ms take milliseconds.
"""

_OTHER_OPTIONS: Final = """\
  --help, -h                   this text
  --version                    versions of program and protocol, and the build"""

_PANEL_HEAD: Final = """
Options of msgd panel, beside --data, --config, --color and --ascii:"""

_CERT_HEAD: Final = """
Options of msgd cert (with --show also --tls-cert and --config):"""

_ORDERS_HEAD: Final = """
Orders to the running server of a data folder (--data, --config; --json):"""

_TAIL: Final = """
Files:
  $XDG_STATE_HOME/msgd or ~/.local/state/msgd
      the data folder, unless --data names another; private, for one at a time

Signals:
  SIGTERM, SIGINT   tell the clients, write everything, end with 0; a second one
                    does not wait for the clients
  SIGHUP            open the log file again, after it was moved away; read the
                    certificate and its key again
  SIGWINCH          the terminal's size changed

Exit codes:
  0   ended as asked
  1   an error: the port is in use, the log or standard output cannot be
      written, this type of terminal cannot show the panel
  2   the command line, the environment or the configuration file is wrong
  70  writing to the disk failed, or it is too full to finish the recovery;
      nothing that was confirmed is lost, and starting again is safe
  78  refused: the data folder is damaged, in use, from a newer version, not
      private, or somebody else's, or msgd was started by root; a human must
      look, so do not start it again in a loop
  141 whoever reads the output of fsck or dump has seen enough
"""
