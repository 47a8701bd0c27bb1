"""A disk in memory that writes down every call that changes something.

What it holds is what a running process sees. Nothing here decides what a power cut leaves: that is
`tests.crash.platter`, which reads the recorded operations.

Faults: `fail_sync_at` (the operation of that index, if it is a sync, fails and marks its pages
clean), `quota_bytes`, and `before`, a hook that sees every call and may raise.

Must never use a clock or randomness. Images are shared and never changed: a file is copied when it
is first written to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from errno import EIO, ENOSPC
from functools import cache
from typing import NamedTuple

from store.disk import DiskError, DiskFailure, DiskFull, DiskMissing
from store.errors import StoreLocked

WRITE = 1
SYNC = 2
SYNC_DATA = 3
CREATE = 4
RENAME = 5
REMOVE = 6
MAKE_FOLDER = 7
SYNC_FOLDER = 8
FAILED_SYNC = 9

NAMES = ("", "write", "sync", "sync_data", "create", "rename", "remove", "make_folder",
         "sync_folder", "failed_sync")  # fmt: skip
SYNCS = frozenset({SYNC, SYNC_DATA, SYNC_FOLDER})


@cache
def zeros(size: int) -> bytes:
    """One object for each size, so that recording a preallocation costs nothing."""
    return bytes(size)


@dataclass(frozen=True, slots=True)
class Image:
    """What a disk holds: contents by path, and folders."""

    files: dict[str, bytes]
    folders: frozenset[str]


EMPTY = Image({}, frozenset({""}))


class Node:
    """A file's contents."""

    __slots__ = ("data", "number")

    def __init__(self, number: int, data: bytes | bytearray) -> None:
        self.number = number
        self.data = data


class Op(NamedTuple):
    """One recorded operation; `path` is the new name in a RENAME, whose `data` is the old one."""

    kind: int
    path: str
    node: int  # number of the file, 0 when it is about a folder
    offset: int
    data: bytes

    def __str__(self) -> str:
        text = f"{NAMES[self.kind]} {self.path or '.'}"
        if self.kind == WRITE:
            return f"{text} {self.offset}+{len(self.data)}"
        return f"{text} from {self.data.decode()}" if self.kind == RENAME else text


Before = Callable[["TraceDisk", str, str, Node | None, int, bytes], None]


class TraceDisk:
    """See `store.disk.Disk` for what each call promises."""

    def __init__(self, image: Image) -> None:
        self.names = {
            path: Node(number, data) for number, (path, data) in enumerate(image.files.items(), 1)
        }
        self.folders = set(image.folders)
        self.last_node = len(self.names)
        self.handles: dict[int, tuple[str, Node]] = {}
        self.last_handle = 2
        self.locked = False
        self.ops: list[Op] = []
        self.fail_sync_at = -1
        self.quota_bytes = 1 << 40
        self.before: Before | None = None

    def kill(self) -> None:
        """The process ends; the machine goes on."""
        self.handles.clear()
        self.locked = False

    def image(self) -> Image:
        """What everybody sees now."""
        files = {path: bytes(node.data) for path, node in self.names.items()}
        return Image(files, frozenset(self.folders))

    def meet(
        self, what: str, path: str, node: Node | None = None, offset: int = 0, data: bytes = b""
    ) -> None:
        """Let the hook see a call."""
        if self.before is not None:
            self.before(self, what, path, node, offset, data)

    def used_bytes(self) -> int:
        return sum(len(node.data) for node in self.names.values())

    # --- the protocol ---

    def lock(self, path: str) -> None:
        self.meet("lock", path)
        if self.locked:
            raise StoreLocked("another msgd is running on this folder; stop it first")
        self.locked = True
        if path not in self.names:
            self.make_node(path)

    def unlock(self) -> None:
        self.kill()

    def make_folder(self, path: str) -> None:
        if path not in self.folders:
            self.meet("make_folder", path)
            self.folders.add(path)
            self.ops.append(Op(MAKE_FOLDER, path, 0, 0, b""))

    def list(self, path: str) -> tuple[str, ...]:
        self.meet("list", path)
        if path not in self.folders:
            raise DiskMissing(2, path)
        prefix = path + "/" if path else ""
        start = len(prefix)
        found = [
            each[start:]
            for each in (*self.names, *self.folders)
            if each.startswith(prefix) and each.find("/", start) < 0 and len(each) > start
        ]
        return tuple(sorted(found))

    def make_node(self, path: str) -> Node:
        if path.rpartition("/")[0] not in self.folders:
            raise DiskMissing(2, path)
        self.last_node += 1
        node = Node(self.last_node, bytearray())
        self.names[path] = node
        self.ops.append(Op(CREATE, path, node.number, 0, b""))
        return node

    def create(self, path: str) -> int:
        assert path not in self.names, path
        self.meet("create", path)
        return self.hand_out(path, self.make_node(path))

    def open(self, path: str, *, writable: bool) -> int:
        self.meet("open", path)
        node = self.names.get(path)
        if node is None:
            raise DiskMissing(2, path)
        return self.hand_out(path, node)

    def hand_out(self, path: str, node: Node) -> int:
        self.last_handle += 1
        self.handles[self.last_handle] = (path, node)
        return self.last_handle

    def close(self, handle: int) -> None:
        path, _ = self.handles.pop(handle)
        self.meet("close", path)

    def size(self, handle: int) -> int:
        path, node = self.handles[handle]
        self.meet("size", path)
        return len(node.data)

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        path, node = self.handles[handle]
        if self.before is not None:
            self.meet("read", path)
        return bytes(node.data[offset : offset + size])

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        path, node = self.handles[handle]
        self.meet("write", path, node, offset, data)
        room = self.quota_bytes
        if room < 1 << 40:
            growth = max(0, offset + len(data) - len(node.data))
            short = growth - (room - self.used_bytes())
            if growth and short > 0:  # what fits is written, then there is no more room
                self.put(path, node, offset, data[: max(0, len(data) - short)])
                raise DiskFull(ENOSPC, f"write {path}")
        self.put(path, node, offset, data)

    def put(self, path: str, node: Node, offset: int, data: bytes) -> None:
        if not data:
            return
        target = node.data
        if isinstance(target, bytes):
            target = node.data = bytearray(target)
        if offset > len(target):
            target.extend(bytes(offset - len(target)))
        target[offset : offset + len(data)] = data
        self.ops.append(Op(WRITE, path, node.number, offset, data))

    def preallocate(self, handle: int, size: int) -> None:
        end = self.size(handle)
        self.write_at(handle, end, zeros(size - end))

    def sync(self, handle: int) -> None:
        self.sync_node(SYNC, handle)

    def can_sync_together(self) -> bool:
        return True

    def sync_together(self, handles: Sequence[int]) -> None:
        """One after the other: before each of them a power cut finds these synced and those not.
        Where one fails, none of the rest is synced any more.
        """
        for place, handle in enumerate(handles):
            path, node = self.handles[handle]
            try:
                self.meet("sync_together", path, node)
                self.sync_anything(SYNC, path, node.number)
            except DiskError:
                for rest in handles[place + 1 :]:
                    path, node = self.handles[rest]
                    self.ops.append(Op(FAILED_SYNC, path, node.number, 0, b""))
                raise

    def sync_data(self, handle: int) -> None:
        self.sync_node(SYNC_DATA, handle)

    def sync_node(self, kind: int, handle: int) -> None:
        path, node = self.handles[handle]
        self.meet(NAMES[kind], path, node)
        self.sync_anything(kind, path, node.number)

    def sync_anything(self, kind: int, path: str, node: int) -> None:
        if len(self.ops) == self.fail_sync_at:
            self.ops.append(Op(FAILED_SYNC, path, node, 0, b""))
            raise DiskFailure(EIO, f"{path}: sync failed")
        self.ops.append(Op(kind, path, node, 0, b""))

    def rename(self, old: str, new: str) -> None:
        self.meet("rename", old)
        if old not in self.names:
            raise DiskMissing(2, old)
        node = self.names[new] = self.names.pop(old)
        self.ops.append(Op(RENAME, new, node.number, 0, old.encode()))

    def remove(self, path: str) -> None:
        if path not in self.names:
            raise DiskMissing(2, path)
        self.meet("remove", path)
        del self.names[path]
        self.ops.append(Op(REMOVE, path, 0, 0, b""))

    def sync_folder(self, path: str) -> None:
        self.meet("sync_folder", path)
        if path not in self.folders:
            raise DiskMissing(2, path)
        self.sync_anything(SYNC_FOLDER, path, 0)

    def free_bytes(self) -> int:
        self.meet("free_bytes", "")
        return max(0, self.quota_bytes - self.used_bytes())
