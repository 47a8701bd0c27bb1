"""The real disk: the only file of this package that touches the operating system's files.

Folders are 0700 and files 0600; nothing follows a symbolic link; every path is opened relative to
the descriptor of its folder, and the folders stay open so that no error of theirs is missed.

Must never retry a failed sync, and never use O_APPEND (Linux ignores the offset of pwrite then).
Fails with DiskFull, DiskFailure, DiskMissing, StoreLocked and StoreForbidden.
"""

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from store.disk import DiskError, DiskFailure, DiskFull, DiskMissing
from store.errors import StoreForbidden, StoreLocked
from store.file_systems import find_type, judge
from store.syncfs import Syncfs, find_syncfs, little_is_unwritten

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC
LINKED = frozenset({errno.ELOOP, errno.ENOTDIR})  # what open says of a link
ZEROS = bytes(1 << 18)
FULL_SYNC = 51  # F_FULLFSYNC of darwin
NO_FOLDER_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP})
READ_BYTES = 1 << 16
TOGETHER_MIN = 3  # with fewer files an fsync of each is quicker


def translate(error: OSError, path: str) -> DiskError:
    """The store's word for an error of the system."""
    kind: type[DiskError] = DiskFailure
    if error.errno in FULL:
        kind = DiskFull
    elif error.errno == errno.ENOENT:
        kind = DiskMissing
    return kind(error.errno, f"{path}: {error.strerror}")


def full_sync(handle: int) -> None:
    """darwin: its fsync leaves the data in the drive's own cache."""
    fcntl.fcntl(handle, FULL_SYNC)


def flushers(platform: str) -> tuple[Callable[[int], object], Callable[[int], object]]:
    """What makes data and size durable on this platform, and what makes data durable."""
    if platform == "darwin":
        return full_sync, full_sync
    return os.fsync, os.fdatasync


def file_system_of(handle: int) -> str:
    """The type of file system that an open folder is on; "" where the system does not tell."""
    try:
        path = os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115  # files only here
        mounts = os.open("/proc/self/mountinfo", os.O_RDONLY | FILE_FLAGS)
    except OSError:
        return ""
    parts: list[bytes] = []
    try:
        while part := os.read(mounts, READ_BYTES):
            parts.append(part)
    finally:
        os.close(mounts)
    return find_type(b"".join(parts), os.fsencode(path))


def judge_access(status: os.stat_result, user_id: int, folder: str) -> str:
    """Why the folder is not private to this user, and what to do; "" if it is."""
    if status.st_uid != user_id:
        return (
            "must belong to the user who runs msgd, and be open to nobody else (it belongs to user "
            f"{status.st_uid}, and msgd runs as user {user_id}); run msgd as that user, or: chown "
            f"-R {user_id} {folder}"
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        return (
            "must belong to the user who runs msgd, and be open to nobody else (it has mode "
            f"{mode:04o}; use: chmod 700 {folder})"
        )
    return ""


class OsDisk:
    """One folder on a real disk. See `store.disk.Disk` for what each call promises."""

    def __init__(self, folder: str, *, create: bool) -> None:
        """Open the data folder; `create` makes it when it is missing. Raises StoreForbidden."""
        self.folder = folder = folder.rstrip("/") or "/"  # "link/" would be the folder behind it
        self.remark = ""  # what whoever serves this folder should know
        try:
            if create:
                os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103  # files only here
            root = os.open(folder, FOLDER_FLAGS)
        except OSError as error:
            text = f"{folder}: cannot be opened as the data folder: {error.strerror}"
            if error.errno in LINKED:
                text += "; it may be a symbolic link, and must be the folder itself: name that one"
            raise StoreForbidden(text) from error
        self.folders: dict[str, int] = {"": root}
        self.paths: dict[int, str] = {}
        self.lock_handle = -1
        self.syncfs: Syncfs | None = None
        self.meminfo = -1
        self.flush, self.flush_data = flushers(sys.platform)
        status = os.fstat(root)
        self.device = status.st_dev
        complaint = judge_access(status, os.geteuid(), folder)
        if complaint:
            self.unlock()
            raise StoreForbidden(f"{folder}: {complaint}")
        if create:
            kind = file_system_of(root)
            try:
                self.remark = judge(folder, kind)
            except StoreForbidden:
                self.unlock()
                raise
            self.find_syncfs(kind)

    def find_syncfs(self, kind: str) -> None:
        """Whether several files can be synced by one call, and where it is told how much that
        would write. The call is made on the data folder, open all the time: it misses no error.
        """
        syncfs = find_syncfs(sys.platform, os.uname().release, kind)
        with suppress(OSError):
            self.meminfo = os.open("/proc/meminfo", os.O_RDONLY | FILE_FLAGS)
            self.syncfs = syncfs

    def lock(self, path: str) -> None:
        """Hold `path` exclusively."""
        try:
            handle = os.open(
                path, os.O_RDWR | os.O_CREAT | FILE_FLAGS, 0o600, dir_fd=self.folders[""]
            )
        except OSError as error:
            raise translate(error, path) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            text = f"{self.folder}: another msgd is running on this folder; stop it first"
            raise StoreLocked(text) from error
        self.lock_handle = handle

    def unlock(self) -> None:
        """Close everything; the lock goes with it."""
        for handle in [*self.paths, *self.folders.values()]:
            os.close(handle)
        self.paths.clear()
        self.folders.clear()
        for handle in (self.lock_handle, self.meminfo):
            if handle >= 0:
                os.close(handle)
        self.lock_handle = self.meminfo = -1
        self.syncfs = None

    def folder_handle(self, path: str) -> int:
        """The descriptor of a folder, opened through its parent's."""
        handle = self.folders.get(path)
        if handle is None:
            parent, _, name = path.rpartition("/")
            try:
                handle = os.open(name, FOLDER_FLAGS, dir_fd=self.folder_handle(parent))
            except OSError as error:
                raise translate(error, path) from error
            self.folders[path] = handle
        return handle

    def make_folder(self, path: str) -> None:
        """Make a folder unless it is there."""
        parent, _, name = path.rpartition("/")
        try:
            os.mkdir(name, 0o700, dir_fd=self.folder_handle(parent))  # dir_fd
        except FileExistsError:
            return
        except OSError as error:
            raise translate(error, path) from error

    def list(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted."""
        try:
            return tuple(sorted(os.listdir(self.folder_handle(path))))  # noqa: PTH208  # by fd
        except DiskError:
            raise
        except OSError as error:
            raise translate(error, path) from error

    def open_file(self, path: str, flags: int) -> int:
        """Open a file in its folder."""
        parent, _, name = path.rpartition("/")
        folder = self.folder_handle(parent)
        try:
            handle = os.open(name, flags | FILE_FLAGS, 0o600, dir_fd=folder)
        except OSError as error:
            raise translate(error, path) from error
        self.paths[handle] = path
        return handle

    def create(self, path: str) -> int:
        """Make a new file."""
        return self.open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def open(self, path: str, *, writable: bool) -> int:
        """Open a file that exists."""
        return self.open_file(path, os.O_RDWR if writable else os.O_RDONLY)

    def close(self, handle: int) -> None:
        """Forget the handle; it is free even if this fails."""
        path = self.paths.pop(handle)
        try:
            os.close(handle)
        except OSError as error:
            raise DiskFailure(error.errno, f"{path}: close failed") from error

    def size(self, handle: int) -> int:
        """Bytes in the file."""
        try:
            return os.fstat(handle).st_size
        except OSError as error:
            raise translate(error, self.paths[handle]) from error

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        """Up to `size` bytes."""
        parts: list[bytes] = []
        try:
            while size > 0:
                part = os.pread(handle, size, offset)
                if not part:
                    break
                parts.append(part)
                offset += len(part)
                size -= len(part)
        except OSError as error:
            raise translate(error, self.paths[handle]) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        """Write all of `data`."""
        try:
            done = self.pwrite(handle, data, offset)
            while done < len(data):  # a short write says nothing of why; the next one will
                done += self.pwrite(handle, data[done:], offset + done)
        except OSError as error:
            raise translate(error, self.paths[handle]) from error

    def pwrite(self, handle: int, data: bytes, offset: int) -> int:
        """One call of the system, which may write less than all."""
        return os.pwrite(handle, data, offset)

    def preallocate(self, handle: int, size: int) -> None:
        """Zeros up to `size`."""
        for offset in range(self.size(handle), size, len(ZEROS)):
            self.write_at(handle, offset, ZEROS[: size - offset])

    def sync(self, handle: int) -> None:
        """fsync, and on darwin what fsync should be."""
        try:
            self.flush(handle)
        except OSError as error:
            raise DiskFailure(error.errno, f"{self.paths[handle]}: sync failed") from error

    def can_sync_together(self) -> bool:
        """Whether there is syncfs, and little for it to write."""
        if self.syncfs is None:
            return False
        try:
            return little_is_unwritten(os.pread(self.meminfo, READ_BYTES, 0))
        except OSError:
            return False

    def sync_together(self, handles: Sequence[int]) -> None:
        """One syncfs; where it is not to be had, an fsync of each."""
        if self.syncfs is None or len(handles) < TOGETHER_MIN or not self.are_here(handles):
            for handle in handles:
                self.sync(handle)
            return
        try:
            self.syncfs(self.folders[""])
        except OSError as error:
            names = f"{self.paths[handles[0]]} and {len(handles) - 1} others"
            raise DiskFailure(error.errno, f"{names}: sync failed") from error

    def are_here(self, handles: Sequence[int]) -> bool:
        """Whether these are on the file system of the data folder, and none was put in between."""
        return all(os.fstat(handle).st_dev == self.device for handle in handles)

    def sync_data(self, handle: int) -> None:
        """fdatasync."""
        try:
            self.flush_data(handle)
        except OSError as error:
            raise DiskFailure(error.errno, f"{self.paths[handle]}: sync failed") from error

    def rename(self, old: str, new: str) -> None:
        """Rename, replacing."""
        old_parent, _, old_name = old.rpartition("/")
        new_parent, _, new_name = new.rpartition("/")
        source, target = self.folder_handle(old_parent), self.folder_handle(new_parent)
        try:
            os.replace(old_name, new_name, src_dir_fd=source, dst_dir_fd=target)  # dir_fd
        except OSError as error:
            raise translate(error, old) from error

    def remove(self, path: str) -> None:
        """Unlink."""
        parent, _, name = path.rpartition("/")
        folder = self.folder_handle(parent)
        try:
            os.unlink(name, dir_fd=folder)  # dir_fd
        except OSError as error:
            raise translate(error, path) from error

    def sync_folder(self, path: str) -> None:
        """fsync of a folder."""
        handle = self.folder_handle(path)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno in NO_FOLDER_SYNC:
                raise StoreForbidden(
                    f"{self.folder}: its file system cannot make the names of files durable "
                    f"({error.strerror}); keep the data folder on a local disk"
                ) from error
            raise DiskFailure(error.errno, f"folder {path or '.'}: sync failed") from error

    def free_bytes(self) -> int:
        """Room for an unprivileged process."""
        try:
            status = os.fstatvfs(self.folders[""])
        except OSError as error:
            raise translate(error, ".") from error
        return status.f_bavail * status.f_frsize
