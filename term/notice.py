"""A notification that the terminal shows: OSC 9 and one line of words.

iTerm2, kitty, WezTerm, foot, Ghostty, Windows Terminal, rxvt and others make a notification of the
desktop of it; terminals of the xterm family pass over it. tmux and screen hand it on when it is
wrapped (tmux only with `allow-passthrough on`). The Linux console and old terminals would print it,
so they get none.

Must never send words that are not `Safe`, nor more than a line of them in ASCII: nothing in them
can end the sequence. Fails never.

Sources: iTerm2 "Proprietary Escape Codes" (OSC 9); tmux(1) allow-passthrough; screen(1) "String
Escapes" (DCS). OSC 9 with a digit and a semicolon first means something else to ConEmu and Windows
Terminal, so the words must begin with a letter.
"""

from collections.abc import Mapping
from typing import Final

from term.limits import NOTICE_COLUMNS_MAX
from term.safe import Safe, safe_line

_OSC_9: Final = b"\x1b]9;"
_STRING_END: Final = b"\a"
_FAMILIES: Final = ("xterm", "rxvt", "screen", "tmux", "alacritty", "foot", "kitty", "st-", "vte")
_FAMILIES_TOO: Final = ("wezterm", "ghostty", "iterm", "konsole", "gnome", "contour", "mintty")


class Notice:
    """How it is said to the terminal that this environment tells of."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        terminal = environment.get("TERM", "")
        self._known = terminal.startswith(_FAMILIES + _FAMILIES_TOO)
        self._tmux = bool(environment.get("TMUX"))
        # Without its variable, it is a screen on the way: on another machine, before ssh.
        self._screen = not self._tmux and (
            bool(environment.get("STY")) or terminal.startswith(("screen", "tmux"))
        )

    @property
    def is_sure(self) -> bool:
        """Whether it goes straight to the terminal; a multiplexer may keep it for itself."""
        return self._known and not self._tmux and not self._screen

    def sequence(self, words: Safe) -> bytes:
        """The bytes to write; empty for a terminal that would print them."""
        line = safe_line(words, NOTICE_COLUMNS_MAX)
        if not self._known or not line[:1].isalpha():
            return b""
        plain = _OSC_9 + line.encode("ascii", "replace") + _STRING_END
        if self._tmux:
            return b"\x1bPtmux;" + plain.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"
        return b"\x1bP" + plain + b"\x1b\\" if self._screen else plain
