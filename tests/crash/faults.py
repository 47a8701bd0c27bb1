"""One call that fails: which, how, and the hooks through which disks and sockets hear of it.

Must never let a failed call do its work, except the part that a short count stands for.
"""

from collections import Counter
from errno import ECONNRESET, EDQUOT, EINTR, EIO, EMFILE, ENOSPC, errorcode
from typing import Final, NamedTuple

from store.disk import DiskError, DiskFailure
from store.os_disk import translate
from tests.crash.trace_disk import FAILED_SYNC, Node, Op, TraceDisk

SHORT: Final = -1  # a part of the work is done; on a disk there is no room for the rest
ERRORS: Final = (EIO, ENOSPC, EDQUOT, EMFILE, EINTR, ECONNRESET, SHORT)
SYNC_KINDS: Final = ("sync", "sync_together", "sync_data", "sync_folder")
SOCKET: Final = "socket."
"""What the kinds of calls on sockets begin with; the others are calls on the disk."""
COUNTED: Final = ("write", "socket.recv", "socket.send")
"""The kinds that may do a part of their work."""


def error_name(error: int) -> str:
    """As people write it."""
    return "SHORT" if error == SHORT else errorcode[error]


class Point(NamedTuple):
    """The `place`-th call of this kind fails."""

    day: str
    kind: str
    place: int
    error: int
    for_good: bool

    def __str__(self) -> str:
        how = "for good" if self.for_good else "once"
        error = error_name(self.error)
        return f"day={self.day} call={self.kind} n={self.place} error={error} {how}"

    @property
    def is_on_sockets(self) -> bool:
        return self.kind.startswith(SOCKET)


class Fault:
    """The hooks of one point; with None nothing fails. `calls` counts what it was told of."""

    def __init__(self, point: Point | None) -> None:
        self.point = point
        self.calls: Counter[str] = Counter()
        self.strikes = 0

    def heal(self) -> None:
        """Nothing fails any more."""
        self.point = None

    def hits(self, kind: str) -> bool:
        """Whether this call is to fail."""
        self.calls[kind] += 1
        point = self.point
        if point is None or kind != point.kind:
            return False
        count = self.calls[kind]
        hit = count == point.place or (point.for_good and count > point.place)
        self.strikes += hit
        return hit

    def on_socket(self, kind: str) -> bool:
        """Before a call on a socket: raises OSError, or says that it is to do a part only."""
        if not self.hits(SOCKET + kind):
            return False
        assert self.point is not None
        if self.point.error == SHORT:
            return True
        raise OSError(self.point.error, f"planted in {kind}")

    def on_disk(  # noqa: PLR0917  # a call as the disk tells of it
        self, disk: TraceDisk, what: str, path: str, node: Node | None, offset: int, data: bytes
    ) -> None:
        """Before a call on the disk: raises what the store's real disk would raise."""
        if self.hits(what):
            raise self.disk_error(disk, what, path, node, offset, data)

    def disk_error(  # noqa: PLR0917  # a call as the disk tells of it
        self, disk: TraceDisk, what: str, path: str, node: Node | None, offset: int, data: bytes
    ) -> DiskError:
        assert self.point is not None
        number = self.point.error
        if what in SYNC_KINDS:
            disk.ops.append(Op(FAILED_SYNC, path, node.number if node else 0, 0, b""))
            return DiskFailure(number, f"{path}: sync failed")
        if what == "close":
            return DiskFailure(number, f"{path}: close failed")
        if number == SHORT:
            assert node is not None
            disk.put(path, node, offset, data[: len(data) // 2])
            number = ENOSPC
        return translate(OSError(number, "planted"), path)
