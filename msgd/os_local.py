"""Local sockets in the file system: put one at a path, and learn from the kernel who calls.

Must never take away a file that is no socket, or a socket that somebody listens on.
Fails with ListenError; who a caller is may be an OSError, when it has gone already.
"""

import errno
import socket
from struct import Struct
from typing import Final

from msgd import os_files
from msgd.net import ListenError

_CREDENTIALS: Final = Struct("3i")  # struct ucred of unix(7): process, user, group


def read_credentials(connected: socket.socket) -> tuple[int, int]:
    """The other end's process and user, as the kernel noted them at connect. Raises OSError."""
    said = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process_id, user_id, _ = _CREDENTIALS.unpack(said)
    return process_id, user_id


def listen(listener: socket.socket, path: str, mode: int, backlog_max: int) -> None:
    """Listen at this path, in place of a socket that nobody listens on any more.

    Raises ListenError.
    """
    try:
        listener.settimeout(0)
        _make_place(path)
        with os_files.shortened(path) as way:
            listener.bind(way)
        os_files.set_mode(path, mode)
        listener.listen(backlog_max)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise ListenError(f"{path}: {reason}; see --unix-socket") from None


def _make_place(path: str) -> None:
    if not os_files.exists(path):
        return
    if not os_files.is_socket(path):
        raise ListenError(f"{path} is there and is no socket; give --unix-socket a path of its own")
    if _answers(path):
        raise ListenError(
            f"{path} is in use by another program; stop that one, or give --unix-socket another "
            "path"
        )
    os_files.remove(path)


def _answers(path: str) -> bool:
    """Whether somebody listens there. When it cannot be known, somebody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        try:
            with os_files.shortened(path) as way:
                probe.connect(way)
        except OSError as error:
            return error.errno != errno.ECONNREFUSED
    return True
