"""syncfs(2): one call for all that was written on a file system. Python does not have it.

Where it promises what fsync(2) of each file does, as far as somebody has looked: on ext4, by Linux
5.17 and later. It waits for data, sizes and names, and has the drive empty its cache; an error of
any file of that file system comes back to each descriptor that was open when it happened (5.8), and
so does one of its journal or the drive (5.17). Elsewhere it may do less: on FUSE, nothing at all.

Must never be called twice after an error: the pages are clean then, and the second says that all is
well. Fails with OSError.
"""

from collections.abc import Callable
from dataclasses import dataclass
from errno import EBADF, EINTR, errorcode
from re import MULTILINE
from re import compile as pattern
from typing import Final

RELEASE_MIN: Final = (5, 17)
FILE_SYSTEMS: Final = frozenset(("ext4",))
UNWRITTEN_BYTES_MAX: Final = 64 << 20
"""With more than this waiting to be written the call could take long: it writes what other programs
left as well."""

RELEASE: Final = pattern(r"(\d+)\.(\d+)")
UNWRITTEN: Final = pattern(rb"^(?:Dirty|Writeback): +(\d+) kB$", MULTILINE)


@dataclass(frozen=True, slots=True)
class Syncfs:
    """The call, and where it leaves its error number."""

    call: Callable[[int], int]
    last_error: Callable[[], int]

    def __call__(self, handle: int) -> None:
        """Make durable everything on the file system of an open file. Raises OSError."""
        while self.call(handle):
            number = self.last_error()
            # EINTR says of nothing that it was written, and takes no error away.
            if number != EINTR:
                raise OSError(number, f"syncfs failed: {errorcode.get(number, number)}")


def find_syncfs(platform: str, release: str, kind: str) -> Syncfs | None:
    """The call, where it is as good as an fsync of each file: on this platform and release of its
    kernel, for this type of file system.
    """
    found = RELEASE.match(release)
    if platform != "linux" or kind not in FILE_SYSTEMS or found is None:
        return None
    if (int(found[1]), int(found[2])) < RELEASE_MIN:
        return None
    try:
        from ctypes import CDLL, get_errno  # 8 ms, and not every Python has it

        syncfs = Syncfs(CDLL(None, use_errno=True).syncfs, get_errno)
    except (ImportError, OSError, AttributeError):
        return None
    return syncfs if is_allowed(syncfs) else None


def is_allowed(syncfs: Syncfs) -> bool:
    """Whether the kernel takes the call, and no filter stands before it: it says what it should say
    of a descriptor that is none.
    """
    try:
        syncfs(-1)
    except OSError as error:
        return error.errno == EBADF
    return False


def little_is_unwritten(meminfo: bytes) -> bool:
    """Whether /proc/meminfo (proc(5)) says that little waits to be written, on all disks."""
    found = [int(each) * 1024 for each in UNWRITTEN.findall(meminfo)]
    return len(found) == 2 and sum(found) <= UNWRITTEN_BYTES_MAX
