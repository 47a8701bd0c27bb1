"""The keys of the panel, as tables: they dispatch, and they print the footer, the help, the page.

    python -m msgd.panel.keys       # the section of docs/keys.md

Must never act. Fails at import when a key is bound twice.
"""

import sys
from typing import Final

from term.keys import Binding, KeyTable, key_label

_MOVING: Final = (
    Binding(("Up", "k"), "up", "one line up"),
    Binding(("Down", "j"), "down", "one line down"),
    Binding(("PageUp",), "page_up", "one page up"),
    Binding(("PageDown", "Space"), "page_down", "one page down"),
    Binding(("C-u",), "half_page_up", "half a page up"),
    Binding(("C-d",), "half_page_down", "half a page down"),
    Binding(("Home", "g"), "first", "to the first line"),
    Binding(("End", "G"), "last", "to the last line"),
    Binding(("C-l",), "redraw", "draw everything again"),
)
_QUIT_KEYS: Final = ("q", "F10", "C-c")
_END_HELP: Final = "end the server (asks if users are there)"
_LEAVE_HELP: Final = "leave: the server goes on"
_SUSPEND: Final = Binding(("C-z",), "suspend", "stop the panel; the shell's fg continues it")
_KICK: Final = Binding(("K", "F9"), "kick", "disconnect the selected user (asks first)", "kick")
_ANNOUNCE: Final = Binding(
    ("a",), "announce", "tell everybody who is connected something (asks first)", "announce"
)
_LOOKING: Final = (
    Binding(("Enter", "i", "F7", "F8"), "inspect", "all about a user, and its queue", "user"),
    Binding(("m",), "stuck", "only who has mail waiting, oldest mail first", "stuck"),
    Binding(("L", "F5"), "log", "show the log on the whole screen", "log"),
)
_ARRANGING: Final = (
    Binding(("I",), "invert", "turn the order round"),
    Binding(("Z",), "pause", "hold the log still, or let it go on"),
    Binding(("F",), "follow", "follow the log: show events as they happen"),
    Binding(("Esc",), "clear", "take the filter back, then the order"),
    *_MOVING,
)


def _main(quit_help: str, *acting: Binding) -> tuple[Binding, ...]:
    word = "quit" if quit_help == _END_HELP else "leave"
    return (
        Binding(("?", "F1"), "help", "show these keys", "help"),
        Binding(_QUIT_KEYS, "quit", quit_help, word),
        Binding(("/", "F4", "l"), "filter", "show only names that contain a text", "filter"),
        Binding(
            ("o", "F6"),
            "sort",
            "sort by state, name, waiting, bytes, last seen, oldest mail",
            "sort",
        ),
        *_LOOKING,
        *acting,
        *_ARRANGING,
    )


MAIN: Final = KeyTable(_main(_END_HELP, _KICK, _ANNOUNCE))
ATTACHED: Final = KeyTable(_main(_LEAVE_HELP, _KICK, _ANNOUNCE, _SUSPEND))
READ_ONLY: Final = KeyTable(_main(_LEAVE_HELP, _SUSPEND))

LOG: Final = KeyTable(
    (
        Binding(("q", "Esc", "F5", "L"), "back", "back to the users", "back"),
        Binding(("?", "F1"), "help", "show these keys", "help"),
        Binding(("F",), "follow", "follow: show events as they happen", "follow"),
        Binding(("Z",), "pause", "hold the log still, or let it go on", "pause"),
        Binding(("F10", "C-c"), "quit", "end the server, or leave it, as in the list of users"),
        *_MOVING,
    )
)

USER: Final = KeyTable(
    (
        Binding(("q", "Esc", "Enter", "i", "F7", "F8"), "back", "back to the users", "back"),
        Binding(("?", "F1"), "help", "show these keys", "help"),
        Binding(("K", "F9"), "kick", "disconnect this user (asks first)", "kick"),
        Binding(("F10", "C-c"), "quit", "end the server, or leave it, as in the list of users"),
        *_MOVING,
    )
)

HELP: Final = KeyTable(
    (
        Binding(("q", "Esc", "?", "F1", "Enter"), "back", "back to where you were", "back"),
        Binding(("F10", "C-c"), "quit", "end the server, or leave it, as in the list of users"),
        *_MOVING,
    )
)

QUESTION: Final = KeyTable(
    (
        Binding(("y", "Y"), "yes", "do it", "yes"),
        Binding(("n", "N", "Esc", "q", "Enter", "C-c"), "no", "do not", "no"),
    )
)

TYPING: Final = KeyTable(
    (
        Binding(("Enter",), "accept", "take the text", "take it"),
        Binding(("Esc", "C-c"), "cancel", "leave everything as it was", "cancel"),
    )
)

TABLES: Final = (
    ("The panel of a server started without `--headless`", MAIN),
    ("The panel attached by `msgd panel`", ATTACHED),
    ("The panel attached by `msgd panel --read-only`", READ_ONLY),
    ("The panel's log", LOG),
    ("The panel's page of one user", USER),
    ("The panel's help", HELP),
    ("A question of the panel", QUESTION),
    ("A field in the panel's message line", TYPING),
)
_INTRODUCTION: Final = """\
# Keys of the panel

Printed from the tables that the panel obeys (`python -m msgd.panel.keys`); do not edit.
"""


def document() -> str:
    """The panel's section of docs/keys.md."""
    parts = [_INTRODUCTION]
    for title, table in TABLES:
        rows = [f"| {_keys(binding.keys)} | {binding.help} |" for binding in table.bindings()]
        head = [f"## {title}\n", "| Keys | What they do |", "|---|---|"]
        parts.append("\n".join([*head, *rows, ""]))
    return "\n".join(parts)


def _keys(keys: tuple[str, ...]) -> str:
    return " ".join(f"`{key_label(key)}`".replace("|", "\\|") for key in keys)


if __name__ == "__main__":
    sys.stdout.write(document())
