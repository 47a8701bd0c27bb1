"""The only file of this package that calls the operating system: descriptors, and stopping.

Must never make a descriptor non-blocking: input and output of a terminal are usually one open file,
and a non-blocking output loses half of what is drawn. Fails with ConsoleClosed when the other side
is gone; any other OSError is passed on.
"""

import errno
import os
import select
import signal

from term.console import ConsoleClosed
from term.limits import READ_BYTES_MAX

_GONE = frozenset({errno.EIO, errno.EPIPE, errno.ENXIO, errno.EBADF})


def read_waiting(fd: int) -> bytes:
    """What waits there, without blocking; empty if nothing does."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(0):
        return b""
    try:
        data = os.read(fd, READ_BYTES_MAX)
    except OSError as error:
        if error.errno in _GONE:
            raise ConsoleClosed("the terminal is gone") from error
        raise
    if not data:
        raise ConsoleClosed("the input has ended")
    return data


def write_all(fd: int, data: bytes) -> None:
    """Write all of it; blocks while the other side is slow."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError as error:
        if error.errno in _GONE:
            raise ConsoleClosed("the output is gone") from error
        raise


def is_terminal(fd: int) -> bool:
    """Whether a person may sit there; False for a descriptor that is not open."""
    return os.isatty(fd)


def window_size(fd: int) -> tuple[int, int] | None:
    """Rows and columns of the terminal, or None if it does not tell."""
    try:
        size = os.get_terminal_size(fd)
    except OSError:
        return None
    return (size.lines, size.columns) if size.lines and size.columns else None


def stop_group() -> None:
    """Stop this process and its pipeline as C-z does; returns when it is continued."""
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, before if before is not None else signal.SIG_DFL)
