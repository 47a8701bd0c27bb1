"""The keys of the panel, as tables: they dispatch, and they print the footer and the help.

Must never act. Fails at import when a key is bound twice.
"""

from typing import Final

from term.keys import Binding, KeyTable

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

MAIN: Final = KeyTable(
    (
        Binding(("?", "F1"), "help", "show these keys", "help"),
        Binding(("q", "F10", "C-c"), "quit", "end the server (asks if users are there)", "quit"),
        Binding(("/", "F4", "l"), "filter", "show only names that contain a text", "filter"),
        Binding(("o", "F6"), "sort", "sort by state, name, waiting, bytes, last seen", "sort"),
        Binding(("K", "F9"), "kick", "disconnect the selected user (asks first)", "kick"),
        Binding(("L", "F5"), "log", "show the log on the whole screen", "log"),
        Binding(("a",), "announce", "tell everybody who is connected something", "announce"),
        Binding(("Enter", "i", "F7"), "inform", "tell all about the selected user", "info"),
        Binding(("I",), "invert", "turn the order round"),
        Binding(("Z",), "pause", "hold the log still, or let it go on"),
        Binding(("F",), "follow", "follow the log: show events as they happen"),
        Binding(("Esc",), "clear", "take the filter back"),
        *_MOVING,
    )
)

LOG: Final = KeyTable(
    (
        Binding(("q", "Esc", "F5", "L"), "back", "back to the users", "back"),
        Binding(("?", "F1"), "help", "show these keys", "help"),
        Binding(("F",), "follow", "follow: show events as they happen", "follow"),
        Binding(("Z",), "pause", "hold the log still, or let it go on", "pause"),
        Binding(("F10", "C-c"), "quit", "end the server (asks if users are there)", "quit"),
        *_MOVING,
    )
)

HELP: Final = KeyTable(
    (
        Binding(("q", "Esc", "?", "F1", "Enter"), "back", "back to where you were", "back"),
        Binding(("F10", "C-c"), "quit", "end the server (asks if users are there)"),
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
