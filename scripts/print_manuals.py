"""Print the manual pages and the shells' completions of msgd and msgc, or write them.

    python scripts/print_manuals.py            list the files that would be written
    python scripts/print_manuals.py --write    write them into share/

They are made of the parsers: msgc's own, and for msgd one made of its table of options and of its
help. `pip install` puts them where man and the shells look (pyproject.toml, data-files); a test
compares the files with what this makes, so the two cannot drift apart.
Must never touch anything but share/. Fails with a traceback when a parser has an odd shape.
"""

import argparse
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import shtab
from argparse_manpage.manpage import Manpage

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from msgc import command_options  # noqa: E402  # the path above comes first
from msgd import VERSION, command_line  # noqa: E402  # as above
from msgd.options import Kind, Option  # noqa: E402  # as above
from msgd.panel.values import Sort  # noqa: E402  # as above
from msgd.settings import OPTIONS  # noqa: E402  # as above
from msgd.verbs import VERBS, options_of  # noqa: E402  # as above

NAMES_COMMAND: Final = "msgc names -q 2>/dev/null"
PLACES: Final = {
    "bash": "bash-completion/completions/{}",
    "zsh": "zsh/site-functions/_{}",
    "fish": "fish/vendor_completions.d/{}.fish",
}
_COMPLETED: Final[dict[str, Any]] = {
    "FILE": shtab.FILE,
    "DIR": shtab.DIRECTORY,
    "TO": shtab.DIRECTORY,
    "NAME": shtab.cmd(NAMES_COMMAND),
}
_WORDS: Final = {
    "WHEN": ("auto", "always", "never"),
    "ORDER": tuple(sort.value for sort in Sort),
}
_TEXTS: Final = {
    "msgc": (
        ("files", "$XDG_CONFIG_HOME/msgc/config.toml holds settings; " + command_options.FILES),
        ("environment", "MSGC_USER, MSGC_HOST, MSGC_PORT, MSGC_COLOR, MSGC_BELL, NO_COLOR"),
    ),
    "msgd": (
        ("files", "$XDG_STATE_HOME/msgd or ~/.local/state/msgd holds the messages"),
        ("environment", "each option as MSGD_NAME, for example MSGD_PORT; NO_COLOR"),
    ),
}
_CLIENT_SYNOPSIS: Final = (
    ".B msgc\n[NAME] [options]\n.br\n.B msgc\nCOMMAND [options]\n.PP\n"
    "Without a command it starts the screens, as the user NAME. With one it does that and ends. "
    "Each command takes the options below, and --json (one JSON object a line) and --quiet (no "
    "words but errors)."
).replace("--", "\\-\\-")
_SERVER_SYNOPSIS: Final = (
    ".B msgd\n[options]\n.br\n.B msgd\nCOMMAND DIR\n.br\n.B msgd\npanel [options]\n.br\n"
    ".B msgd\nkick NAME [options]\n.PP\n"
    "Without a command it serves, with a panel on this terminal. The command panel attaches one to "
    "a running server, kick, ban, unban and bans give it an order, the others look after a data "
    "folder; the options are for serving. "
    "--no-NAME takes a switch back."
).replace("--", "\\-\\-")
_ABOUT: Final = {
    "msgc": command_options.ABOUT,
    "msgd": "a server that keeps messages until they are delivered",
}
_OTHER: Final = {"msgc": "msgd", "msgd": "msgc"}


def files() -> dict[str, str]:
    """All of them: path under share/, and text."""
    client = command_options.whole_parser(repeats_common=False)
    made = {
        "man/man1/msgc.1": manual(client, _CLIENT_SYNOPSIS),
        "man/man1/msgd.1": manual(server_parser(), _SERVER_SYNOPSIS),
    }
    for parser in (command_options.whole_parser(repeats_common=True), server_parser()):
        for each in _all_parsers(parser):
            _mark(each)
        for shell, place in PLACES.items():
            text = shtab.complete(parser, shell=shell)
            made[place.format(parser.prog)] = "\n".join(map(str.rstrip, text.splitlines())) + "\n"
    return made


def manual(parser: argparse.ArgumentParser, synopsis: str) -> str:
    """The page of one program, in the language of man(7)."""
    name = parser.prog
    page = Manpage(parser, {"date": "-", "version": VERSION, "manual_title": "User Commands"})
    page.description = _ABOUT[name]
    page.add_section("synopsis", "=", synopsis)
    for heading, text in _TEXTS[name]:
        page.add_section(heading, ">", _plain(text))
    page.add_section("exit status", ">", _exit_codes(name))
    page.add_section("see also", ">", f".BR {_OTHER[name]} (1)")
    # A date would make the page new each day, for nothing.
    return re.sub(r'^(\.TH \S+ "1") "\S+"', r'\1 ""', str(page), count=1)


def server_parser() -> argparse.ArgumentParser:
    """What msgd understands, as argparse would have it: from its options and its help."""
    parser = argparse.ArgumentParser(prog="msgd", add_help=False)
    _add_options(parser, OPTIONS)
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--help", "-h", action="store_true", help="print this")
    tools = parser.add_subparsers(metavar="COMMAND", title="commands")
    made: dict[str, argparse.ArgumentParser] = {}
    for name, words, text in _tools():
        tool = made.get(name)
        if tool is None:
            use = " ".join(["msgd", name, *words])
            tool = made[name] = tools.add_parser(
                name, help=text, description=text, usage=use, add_help=False
            )
        if name == command_line.Action.PANEL.value:
            _add_options(tool, command_line.PANEL_OPTIONS)
            continue
        if name == command_line.Action.CERT.value:
            if made and "--host" not in tool.format_help():
                _add_options(tool, command_line.CERT_OPTIONS)
            continue
        for word in words:
            _add_word(tool, word, text)
    for verb in VERBS:
        usage = f"msgd {verb.use} [options]"
        tool = tools.add_parser(
            verb.name, help=verb.help, description=verb.help, usage=usage, add_help=False
        )
        for argument in verb.arguments:
            tool.add_argument(argument.upper(), metavar=argument.upper())
        _add_options(tool, options_of(verb))
    return parser


def _add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    for option in options:
        if option.kind is Kind.FLAG:
            parser.add_argument(option.switch, action="store_true", help=option.help)
        else:
            parser.add_argument(
                option.switch, metavar=option.metavar or "N", help=option.help.replace("%", "%%")
            )


def _tools() -> list[tuple[str, list[str], str]]:
    """`msgd dump DIR [USER]    print what is in a data folder`, from the usage in the help."""
    usage = command_line.help_text().partition("Usage:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^  msgd ([a-z]+) *((?:\S+ )*\S*?)  +(\S.*)$", usage, re.MULTILINE)
    return [(name, words.split(), text) for name, words, text in found]


def _add_word(tool: argparse.ArgumentParser, word: str, text: str) -> None:
    name = word.strip("[]")
    known = {flag for action in _actions(tool) for flag in (*action.option_strings, action.dest)}
    if name in known:
        return
    if name.startswith("-"):
        tool.add_argument(name, action="store_true", help=text)
    else:
        optional = "?" if word.startswith("[") else None
        tool.add_argument(name, metavar=name, nargs=optional, help=None)


def _mark(parser: argparse.ArgumentParser) -> None:
    """Say what completes each value: its placeholder tells."""
    for action in _actions(parser):
        placeholder = action.metavar if isinstance(action.metavar, str) else ""
        if placeholder in _WORDS:
            action.choices = _WORDS[placeholder]
        elif placeholder in _COMPLETED and action.dest != "name":
            action.complete = _COMPLETED[placeholder]  # type: ignore[attr-defined]  # this is how shtab is told


def _all_parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    found = [parser]
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  argparse has no other way
            found += action.choices.values()
    return found


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001  argparse has no other way to look inside


def _exit_codes(program: str) -> str:
    if program == "msgc":
        rows = list(command_options.EXIT_CODES)
    else:
        tail = command_line.help_text().partition("Exit codes:\n")[2]
        tail = re.sub(r"\n {6}", " ", tail)
        rows = re.findall(r"^  (\d+) +(.*)$", tail, re.MULTILINE)
    return "\n".join(f".TP\n.B {code}\n{_plain(text)}" for code, text in rows)


def _plain(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write them")
    write = parser.parse_args().write
    for name, text in files().items():
        path = ROOT / "share" / name
        print(path.relative_to(ROOT))
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
