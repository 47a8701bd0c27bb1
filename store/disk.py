"""The disk as the store sees it: a protocol, and the errors of its calls.

Paths are relative to the data folder, with `/` between folders. Handles are small integers. The
real disk is `store.os_disk.OsDisk`; the tests' simulated one knows what was synced.

Must never be widened for convenience: each call here is one that can fail at a power cut, and the
simulation has to know what is left of it.
"""

from collections.abc import Sequence
from typing import Protocol


class DiskError(OSError):
    """A call on the disk failed."""


class DiskFull(DiskError):  # noqa: N818  # named by what is so
    """No room: ENOSPC, EDQUOT or EFBIG. Expected; never raised by a sync."""


class DiskFailure(DiskError):  # noqa: N818  # named by what is so
    """The disk, or we, did something wrong: EIO and everything not named elsewhere."""


class DiskMissing(DiskFailure):
    """No file of that name."""


class Disk(Protocol):
    """A folder on a disk."""

    def lock(self, path: str) -> None:
        """Hold `path` exclusively until the process ends or `unlock`. Raises StoreLocked."""

    def unlock(self) -> None:
        """Let go of the lock and of everything else that is open."""

    def make_folder(self, path: str) -> None:
        """Make a folder; it may exist already. Durable after sync_folder of its parent."""

    def list(self, path: str) -> tuple[str, ...]:
        """The names in a folder, sorted. Raises DiskMissing."""

    def create(self, path: str) -> int:
        """Make a new file, which must not exist, and open it for reading and writing."""

    def open(self, path: str, *, writable: bool) -> int:
        """Open a file that exists. Raises DiskMissing."""

    def close(self, handle: int) -> None:
        """Forget the handle. Says nothing about durability; never raises DiskFull."""

    def size(self, handle: int) -> int:
        """Bytes in the file."""

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end of the file."""

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        """Write all of `data`, or raise. After a raise any part of it may be there."""

    def preallocate(self, handle: int, size: int) -> None:
        """Write zeros from the end of the file to `size`: the room is ours, and later writes change
        no sizes.
        """

    def sync(self, handle: int) -> None:
        """Make data and size durable (fsync). Never raises DiskFull."""

    def can_sync_together(self) -> bool:
        """Whether `sync_together` of several files costs about one sync now, not one for each."""

    def sync_together(self, handles: Sequence[int]) -> None:
        """What `sync` does, for each of these; on an error any of them may be durable, or none."""

    def sync_data(self, handle: int) -> None:
        """Make data durable in a file whose size did not change (fdatasync)."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, replacing what had it. Durable after sync_folder."""

    def remove(self, path: str) -> None:
        """Unlink a file. Raises DiskMissing."""

    def sync_folder(self, path: str) -> None:
        """Make the names in a folder durable; "" is the data folder itself."""

    def free_bytes(self) -> int:
        """What an unprivileged process may still write."""
