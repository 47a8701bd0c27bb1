"""The operating system's files and randomness: the only file with os file calls, fcntl.

The archive itself is opened by SQLite (`msgc.archive_database`). No pathlib: with it come URLs and
patterns, 4 ms of each start.

Must never make a file or folder that others may read.
Fails with FilesError, whose text says what to do, and with HeldError for a lock that is taken.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

_PID_BYTES_MAX: Final = 32
_JITTER_BYTES: Final = 6


class FilesError(Exception):
    """A file or folder cannot be used."""


class HeldError(Exception):
    """Another process holds the lock; `pid` where it has said so."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid


class Lock:
    """A held lock. It is let go by `close`, or when the process ends in whatever way."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def close(self) -> None:
        """Let go. The file stays: removing it would let two processes lock two files."""
        os.close(self._fd)


class OsFiles:
    """What the client does with files, besides SQLite's."""

    def make_folder(self, path: str) -> None:
        """Make the folder, and its parents, where missing; it is for this user only. FilesError."""
        try:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o700)
        except OSError as error:
            raise FilesError(f"Cannot make the folder {path}: {_reason(error)}.") from None

    def make_private(self, path: str) -> None:
        """Make the file where missing, for this user only. FilesError."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            os.chmod(path, 0o600)
        except OSError as error:
            raise FilesError(f"Cannot use the file {path}: {_reason(error)}.") from None

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return os.path.exists(path)

    def lock(self, path: str) -> Lock:
        """Take the lock (flock(2)) and write this process's number into it.

        Raises HeldError at once when another process has it, FilesError when it cannot be used.
        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FilesError(f"Cannot use the file {path}: {_reason(error)}.") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode("ascii"), 0)
        except BlockingIOError:
            said = os.pread(fd, _PID_BYTES_MAX, 0)
            os.close(fd)
            raise HeldError(int(said) if said.isdigit() else None) from None
        except OSError as error:
            os.close(fd)
            raise FilesError(f"Cannot lock the file {path}: {_reason(error)}.") from None
        return Lock(fd)

    @contextmanager
    def alone(self, path: str) -> Iterator[None]:
        """One process at a time is in here with this file (flock(2)); the others wait. FilesError.

        For a moment's work: whoever is stopped in it keeps the others waiting.
        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise FilesError(f"Cannot use the file {path}: {_reason(error)}.") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise FilesError(f"Cannot lock the file {path}: {_reason(error)}.") from None
        finally:
            os.close(fd)

    def read_text(self, path: str, bytes_max: int) -> str | None:
        """The text of a small file that says what msgc does, or None when there is none.

        FilesError, also for one that others could have written.
        """
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                _check_writers(path, os.fstat(fd))
                data = _read(fd, bytes_max + 1)
            finally:
                os.close(fd)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FilesError(f"Cannot read {path}: {_reason(error)}.") from None
        if len(data) > bytes_max:
            raise FilesError(f"{path} is longer than {bytes_max} bytes.")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise FilesError(f"{path} is not UTF-8 text.") from None

    def read_secret(self, path: str, bytes_max: int) -> str:
        """The text of a small file that is its owner's alone: ours, no link, nobody else's to read.

        Raises FilesError, whose text tells how to make it so.
        """
        try:
            # A pipe in its place must not be waited for; what it is, is looked at when it is open.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            fd = os.open(path, flags)
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise FilesError(f"There is no file {path}.") from None
            link = error.errno == errno.ELOOP
            reason = "it is a link; name the file itself" if link else _reason(error)
            raise FilesError(f"Cannot read {path}: {reason}.") from None
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise FilesError(f"Cannot read {path}: it is a folder, a pipe or a device.")
            if status.st_uid != os.geteuid():
                raise FilesError(f"{path} belongs to somebody else, who could read or change it.")
            if status.st_mode & 0o077:
                raise FilesError(f"Others may use {path}. First: chmod 600 {path}")
            data = os.read(fd, bytes_max + 1)
        except OSError as error:
            raise FilesError(f"Cannot read {path}: {_reason(error)}.") from None
        finally:
            os.close(fd)
        if len(data) > bytes_max:
            raise FilesError(f"{path} is longer than {bytes_max} bytes.")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise FilesError(f"{path} is not UTF-8 text.") from None

    @contextmanager
    def replace(self, path: str, mode: int = 0o600) -> Iterator[Callable[[str], object]]:
        """Gives a function that writes text; at the end it is the file `path`, whole and durable.

        What was there before stays until then, and stays when the block is left by an exception.
        FilesError when it cannot be written.
        """
        folder, name = os.path.split(path)
        part = os.path.join(folder, f".{name}.{os.getpid()}")
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                raise FilesError(f"Cannot write {path}: it is a folder, a pipe or a device.")
            fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(fd, mode)
                with os.fdopen(fd, "w", encoding="utf-8") as file:
                    yield file.write
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(part)
                raise
        except OSError as error:
            raise FilesError(f"Cannot write {path}: {_reason(error)}.") from None

    def write_text(self, path: str, text: str) -> None:
        """Put this text in the place of a file, whole or not at all, through links. FilesError.

        A file that is made is for this user only; one that was there keeps its mode.
        """
        target = os.path.realpath(path)  # a folder of dot files is often a folder of links
        try:
            self.make_folder_if_missing(os.path.dirname(target))
            mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o600
        except OSError as error:
            raise FilesError(f"Cannot write {path}: {_reason(error)}.") from None
        with self.replace(target, mode) as write:
            write(text)

    def make_folder_if_missing(self, path: str) -> None:
        """Make the folder for this user only; one that is there is left as it is. FilesError."""
        if not os.path.isdir(path):
            self.make_folder(path)


def _read(fd: int, bytes_max: int) -> bytes:
    """To the end: a pipe gives it in parts."""
    data = b""
    while len(data) < bytes_max and (part := os.read(fd, bytes_max - len(data))):
        data += part
    return data


def _check_writers(path: str, status: os.stat_result) -> None:
    """Raises FilesError if somebody but us and root may write there."""
    if stat.S_ISCHR(status.st_mode):
        return  # /dev/null: what is written there is not read
    if status.st_uid not in {os.geteuid(), 0}:
        raise FilesError(
            f"{path} belongs to somebody else, who could change what msgc does. "
            "Make a copy of your own in its place."
        )
    if status.st_mode & 0o022:
        raise FilesError(
            f"Others may change {path}, and with it what msgc does. First: chmod go-w {path}"
        )


def silence(fd: int) -> None:
    """Send what is still written to `fd` nowhere: its reader is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, fd)
    os.close(nowhere)


def open_nowhere() -> TextIO:
    """What stands in for a standard stream that was closed: empty to read, and nowhere to write."""
    return os.fdopen(os.open(os.devnull, os.O_RDWR), "r+", encoding="utf-8", buffering=1)


def random_bytes(count: int) -> bytes:
    """So many bytes that nobody else has."""
    return os.urandom(count)


def jitter() -> float:
    """A number from 0 to 1, so that clients do not all come back in one instant."""
    return int.from_bytes(os.urandom(_JITTER_BYTES), "big") / 256**_JITTER_BYTES


def _reason(error: OSError) -> str:
    return (error.strerror or "input/output error").lower()
