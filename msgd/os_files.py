"""Files of the server that are not the store's: log, standard error, configuration, local socket.

The only file of this package that imports `os` (but for `__main__`).
Must never block on an output: a pipe or terminal that takes nothing is asked first.
Fails with LogError when the log, and OSError when the configuration cannot be opened.
"""

import contextlib
import errno
import os
import select
import stat
from collections.abc import Iterator
from typing import Final

from msgd.log import LogError

STANDARD_ERROR_FD: Final = 2
CONFIG_BYTES_MAX: Final = 1 << 20
PRIVATE_BYTES_MAX: Final = 4 << 20
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
LOCAL_PATH_BYTES_MAX: Final = 107
"""What the kernel takes as the name of a local socket (unix(7)), without the zero at its end."""


class StandardErrorOutput:
    """Lines to standard error."""

    def write(self, data: bytes) -> bool:
        """Write a line, unless nobody takes it."""
        return _write_if_ready(STANDARD_ERROR_FD, data)

    def reopen(self) -> None:
        """Standard error belongs to whoever started us."""

    def close(self) -> None:
        """Leave it open, for the last words of a failure."""


class FileOutput:
    """Lines to the end of a file, which may be moved away and reopened."""

    def __init__(self, path: str) -> None:
        """Open or make the file, readable by its owner only. Raises LogError."""
        self._path = path
        self._fd = self._open()
        self._never_waits = _is_plain(self._fd)

    def write(self, data: bytes) -> bool:
        """Write a line; False when the disk is full."""
        return _write(self._fd, data) if self._never_waits else _write_if_ready(self._fd, data)

    def reopen(self) -> str | None:
        """Open the path again; the old file is kept if that fails, so that nothing is lost."""
        try:
            fd = self._open()
        except LogError as error:
            return f"{error}; going on with the old file"
        os.close(self._fd)
        self._fd = fd
        self._never_waits = _is_plain(fd)
        return None

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            return os.open(self._path, flags, 0o600)
        except OSError as error:
            raise LogError(
                f"the log {self._path} cannot be opened: {error.strerror}; see --log"
            ) from None


def _write_if_ready(fd: int, data: bytes) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    try:
        ready = poll.poll(0)
        if not ready or ready[0][1] & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            return bool(ready)  # not now; or, with an error, never again: then forget the line
    except OSError:
        return False
    return _write(fd, data)


def _write(fd: int, data: bytes) -> bool:
    try:
        os.write(fd, data)
    except OSError:
        return False
    return True


def _is_plain(fd: int) -> bool:
    """Whether it is a file on a disk: that takes what comes, or fails, and need not be asked."""
    return stat.S_ISREG(os.fstat(fd).st_mode)


class UnsafeFileError(Exception):
    """A file cannot be used, or should not be. The text says why and what to do."""


def read_config(path: str, user_id: int) -> bytes:
    """The whole configuration file, which nobody may change but its owner: `user_id`, or root.

    Raises OSError, as whoever reads it knows what it is for, and UnsafeFileError.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        is_device = stat.S_ISCHR(status.st_mode)  # /dev/null: anybody may write, and nothing stays
        if not is_device and status.st_uid not in {user_id, 0}:
            raise UnsafeFileError(
                f"{path} belongs to another user, who may change what msgd does; chown it to the "
                "user who runs msgd, or to root"
            )
        if not is_device and status.st_mode & 0o022:
            raise UnsafeFileError(
                f"{path} may be changed by others (mode {stat.S_IMODE(status.st_mode):04o}), and "
                f"with it what msgd does; chmod go-w {path}"
            )
        return os.read(fd, CONFIG_BYTES_MAX)
    finally:
        os.close(fd)


def read_text_file(path: str) -> bytes:
    """A file of text, such as a certificate, whoever may write it. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, CONFIG_BYTES_MAX)
    finally:
        os.close(fd)


@contextlib.contextmanager
def opened(path: str) -> Iterator[str]:
    """A way to a file that stays the same one, whatever its name is given to meanwhile.

    Raises UnsafeFileError.
    """
    with _opened(path, 0) as fd:
        yield f"/proc/self/fd/{fd}"


@contextlib.contextmanager
def opened_secret(path: str, user_id: int) -> Iterator[str]:
    """As `opened`, for a file that nobody but its owner may read, who is `user_id` or root.

    Raises UnsafeFileError.
    """
    with _opened(path, os.O_NOFOLLOW) as fd:
        status = os.fstat(fd)
        if status.st_uid not in {user_id, 0}:
            raise UnsafeFileError(
                f"{path} belongs to another user, who may change it; chown it to the user who "
                "runs msgd"
            )
        if status.st_mode & 0o077:
            raise UnsafeFileError(
                f"{path} may be read by others (mode {stat.S_IMODE(status.st_mode):04o}), so its "
                f"secret may be known; chmod 600 it, or better make a new one (msgd cert)"
            )
        yield f"/proc/self/fd/{fd}"


@contextlib.contextmanager
def _opened(path: str, flags: int) -> Iterator[int]:
    try:
        # A pipe would not open before somebody writes to it.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            words = f"{path} is a symbolic link, which could be turned; give the file itself"
        elif error.errno == errno.ENOENT:
            words = f"{path} is not there; msgd cert makes a certificate and its key"
        else:
            words = f"{path} cannot be read: {(error.strerror or 'unknown error').lower()}"
        raise UnsafeFileError(words) from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise UnsafeFileError(f"{path} is not a file")
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def shortened(path: str) -> Iterator[str]:
    """A way to the path that is short enough for a local socket. Raises OSError."""
    if len(os.fsencode(path)) <= LOCAL_PATH_BYTES_MAX:
        yield path
        return
    folder, _, name = path.rpartition("/")
    fd = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{name}"
    finally:
        os.close(fd)


def read_private(path: str) -> bytes:
    """A small file of our own, whole; b"" if there is none. Raises OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    try:
        return os.read(fd, PRIVATE_BYTES_MAX)
    finally:
        os.close(fd)


def write_private(path: str, data: bytes) -> None:
    """Put a small file in place of the one that may be there: after a crash one of the two is
    there, whole. Raises OSError.
    """
    beside = path + ".new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(beside, flags, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(beside, path)  # noqa: PTH104  this file is where os is used
    folder = os.open(path.rpartition("/")[0] or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def made_folder(path: str) -> str:
    """The folder by its whole name; made if it is not there, private. Raises OSError."""
    whole = os.path.abspath(path)  # noqa: PTH100  this file is where os is used
    os.makedirs(whole, mode=0o700, exist_ok=True)  # noqa: PTH103  as above
    return whole


def write_new(path: str, data: bytes) -> None:
    """A file that only its owner may read, where nothing was. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def resident_bytes() -> int:
    """How much memory this process has in use (proc(5), statm); 0 where nobody tells."""
    try:
        fd = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(fd, 256).split()[1]) * PAGE_BYTES
    finally:
        os.close(fd)


def remove(path: str) -> None:
    """Remove a file, if it is there and may be removed."""
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108  this file is where os is used


def exists(path: str) -> bool:
    """Whether anything is there, be it a link that leads nowhere."""
    return os.path.lexists(path)


def is_socket(path: str) -> bool:
    """Whether it is a local socket itself. Raises OSError."""
    return stat.S_ISSOCK(os.lstat(path).st_mode)


def set_mode(path: str, mode: int) -> None:
    """Who may read and write it. Raises OSError."""
    os.chmod(path, mode)  # noqa: PTH101  this file is where os is used


def make_private(path: str) -> None:
    """Nobody but its owner may read or write it. Raises OSError."""
    set_mode(path, 0o600)
