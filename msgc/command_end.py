"""How a command ends: the exit codes, and the failures that carry one.

Apart from the rest, so that a command which needs no server starts without the code for one.

Must never decide anything; docs/command-line.md explains the codes.
Fails never.
"""

from enum import IntEnum, unique
from typing import Final, TextIO

from msgc.net import Signal

_SIGNAL_EXITS: Final = {Signal.INTERRUPT: 130, Signal.TERMINATE: 143, Signal.HANG_UP: 129}
ENDING_SIGNALS: Final = tuple(_SIGNAL_EXITS)


@unique
class Exit(IntEnum):
    """How a command ends. docs/command-line.md explains them."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    STILL_WAITING = 3
    REFUSED = 4
    UNREACHABLE = 5
    DISTRUSTED = 6


class CommandError(Exception):
    """The command ends with this exit code and these words; `more` are lines that follow."""

    def __init__(self, code: Exit, text: str, *more: str) -> None:
        super().__init__(text)
        self.code = code
        self.more = more


class InterruptedTalkError(Exception):
    """A signal asks for the end. `exit_code` is the shell's: 128 and the signal's number."""

    def __init__(self, signal: Signal) -> None:
        super().__init__(f"signal {signal.value}")
        self.exit_code = _SIGNAL_EXITS[signal]


class OutputError(Exception):
    """Standard output cannot be written."""


def flush(stream: TextIO) -> None:
    """Hand on what was printed. Raises BrokenPipeError, OutputError."""
    try:
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from None


def write(stream: TextIO, text: str) -> None:
    """Print this. Raises BrokenPipeError, OutputError."""
    try:
        stream.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> OutputError:
    reason = (error.strerror or "input/output error").lower()
    return OutputError(
        f"The output cannot be written: {reason}. What was not printed stays unread."
    )
