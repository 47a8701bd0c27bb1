"""Signals, as bytes that wake the loop: the only file of this package that installs handlers.

A handler does nothing. The interpreter writes the signal's number to the wake-up descriptor, and
the loop reads it in its own time, so no code of ours ever runs in the middle of other code of ours.

Must never do anything else in a handler.
Fails with ValueError outside the main thread, which is a bug of the caller's.
"""

import signal
from types import FrameType
from typing import Final

from msgd.net import Wish

WISHES: Final = {
    int(signal.SIGTERM): Wish.STOP,
    int(signal.SIGINT): Wish.STOP,
    int(signal.SIGHUP): Wish.REOPEN,
    int(signal.SIGWINCH): Wish.RESIZE,
    int(signal.SIGCONT): Wish.RESIZE,
}

PANEL_WISHES: Final = {**WISHES, int(signal.SIGHUP): Wish.STOP}
"""For a panel: its terminal was closed, and it has no log to open again."""


def install(wakeup_fd: int) -> None:
    """From now on the signals in WISHES arrive as bytes on `wakeup_fd`."""
    # A full buffer loses nothing that matters: the loop wakes, and the first wish is still in it.
    signal.set_wakeup_fd(wakeup_fd, warn_on_full_buffer=False)
    for number in WISHES:
        signal.signal(number, _do_nothing)
    # A peer that closed its end shows up as an error of send, not as the end of the process.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def ignore() -> None:
    """From now on none of WISHES has any effect: the process is ending, with an exit code that is
    no signal's, also not of one that comes a moment too late. (The interpreter takes handlers away
    when it ends, but lets be what is ignored.)
    """
    signal.set_wakeup_fd(-1)
    for number in WISHES:
        signal.signal(number, signal.SIG_IGN)


def uninstall() -> None:
    """Give the signals their usual effect again."""
    signal.set_wakeup_fd(-1)
    for number in WISHES:
        signal.signal(number, signal.SIG_DFL)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Being called is enough: the wake-up descriptor has the number."""
