"""A disk in memory that knows what was synced, and may lose power, fill up or fail at any call.

What is not synced is lost, kept, torn or reordered at `crash`: each 512-byte sector written since
the last sync of its file, and each name changed since the last sync of its folder, decides for
itself.

Faults: `quota_bytes` (DiskFull beyond it), `fail_at` (the n-th call raises), `cut_at` (the power
goes at the n-th call, before it or in the middle of it), `unreadable` (reads of a file raise),
`read_fail_at` (the n-th read raises), and what is done to an inode: rotten bytes, bad pages. A
sync that fails marks everything clean, as Linux does: what it covered never reaches the platter.
`counts` tells what happened of it.

Must never use a clock or randomness of its own. PowerCut is no DiskError: nothing may catch it.
"""

from collections import Counter
from collections.abc import Sequence
from errno import EIO, ENOSPC
from random import Random

from store.disk import DiskError, DiskFailure, DiskFull, DiskMissing
from store.errors import StoreLocked
from tests.sim.sim_inode import Folder, Inode

ROOT = ""


class PowerCut(BaseException):
    """The power went. What is left is what `crash` leaves."""


class SimDisk:
    """See `store.disk.Disk` for what each call promises."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.tree: dict[str, Folder] = {ROOT: Folder()}
        self.handles: dict[int, tuple[str, Inode, bool]] = {}
        self.last_handle = 2
        self.locked = False
        self.calls = 0  # of those that change anything
        self.trace: list[str] = []
        self.fail_at = -1
        self.fail_error: type[DiskError] = DiskFailure
        self.fail_only = ""  # only calls whose description begins so count for fail_at
        self.cut_at = -1
        self.quota_bytes = 1 << 40
        self.used_known: int | None = None  # what `used_bytes` says, while it is known
        self.used_by: dict[int, Inode] = {}  # and the files that are in it
        self.unreadable: set[str] = set()
        self.read_fail_at = -1
        self.failed_reads: set[str] = set()  # files of which a read raised
        self.counts: Counter[str] = Counter()
        self.can_together = True

    # --- faults ---

    def crash(self) -> None:
        """The power goes: decide what is left, and forget everything else."""
        inodes: dict[int, Inode] = {}
        for path in sorted(self.tree):
            folder = self.tree[path]
            for name in sorted({*folder.cache, *folder.platter}):
                new, old = folder.cache.get(name), folder.platter.get(name)
                kept = new if new is old or self.rng.random() < 0.5 else old
                self.counts["names lost"] += kept is not new
                if kept is None:
                    folder.platter.pop(name, None)
                else:
                    folder.platter[name] = kept
                    inodes[id(kept)] = kept
            folder.durable_folders = {
                name
                for name in sorted(folder.folders)
                if name in folder.durable_folders or self.rng.random() < 0.5
            }
        self.tear(list(inodes.values()))
        self.forget()

    def tear(self, inodes: list[Inode]) -> None:
        """Decide about what was written and not synced."""
        first_lost = last_kept = 0
        for inode in inodes:
            lost, kept, rubbish = inode.tear(self.rng)
            self.counts["writes torn"] += bool(lost and kept)
            self.counts["sectors trashed"] += rubbish
            first_lost = min(first_lost or lost, lost or first_lost)
            last_kept = max(last_kept, kept)
        self.counts["writes reordered"] += 0 < first_lost < last_kept

    def forget(self) -> None:
        """A machine that starts: only the platter counts."""
        self.used_known = None
        reachable = {ROOT}
        for path in sorted(self.tree):
            if path in reachable:
                prefix = path + "/" if path else ""
                reachable |= {prefix + name for name in self.tree[path].durable_folders}
        self.tree = {path: self.tree[path] for path in sorted(reachable) if path in self.tree}
        for path, folder in self.tree.items():
            folder.cache = dict(folder.platter)
            prefix = path + "/" if path else ""
            folder.folders = {name for name in folder.durable_folders if prefix + name in self.tree}
            for inode in folder.cache.values():
                inode.wake_up()
        self.kill()

    def kill(self) -> None:
        """The process ends, the machine does not: the page cache stays."""
        self.handles.clear()
        self.locked = False

    def step(self, what: str) -> None:
        """Count a call, and let it fail if it is its turn."""
        self.calls += 1
        self.trace.append(what)
        if self.calls == self.cut_at:
            raise PowerCut(what)
        if self.fail_at > 0 and what.startswith(self.fail_only):
            self.fail_at -= 1
            if self.fail_at == 0:
                self.counts["calls failed"] += 1
                number = ENOSPC if self.fail_error is DiskFull else EIO
                raise self.fail_error(number, what)

    def used_bytes(self) -> int:
        """What all files take."""
        if self.used_known is None:
            folders = self.tree.values()
            self.used_by = {id(each): each for folder in folders for each in folder.cache.values()}
            self.used_known = sum([len(inode.cache) for inode in self.used_by.values()])
        return self.used_known

    # --- the protocol ---

    def lock(self, path: str) -> None:
        if self.locked:
            raise StoreLocked("another msgd is running on this folder; stop it first")
        self.locked = True
        inode = self.tree[ROOT].cache.setdefault(path, Inode())
        self.used_by[id(inode)] = inode

    def unlock(self) -> None:
        self.kill()

    def split(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rpartition("/")
        if parent not in self.tree:
            raise DiskMissing(2, parent)
        return self.tree[parent], name

    def make_folder(self, path: str) -> None:
        folder, name = self.split(path)
        if name not in folder.folders:
            self.step(f"make_folder {path}")
            folder.folders.add(name)
            self.tree[path] = Folder()

    def list(self, path: str) -> tuple[str, ...]:
        if path not in self.tree:
            raise DiskMissing(2, path)
        folder = self.tree[path]
        return tuple(sorted({*folder.cache, *folder.folders}))

    def create(self, path: str) -> int:
        folder, name = self.split(path)
        assert name not in folder.cache, path
        self.step(f"create {path}")
        folder.cache[name] = inode = Inode()
        self.used_by[id(inode)] = inode
        return self.open(path, writable=True)

    def open(self, path: str, *, writable: bool) -> int:
        folder, name = self.split(path)
        if name not in folder.cache:
            raise DiskMissing(2, path)
        self.last_handle += 1
        self.handles[self.last_handle] = (path, folder.cache[name], writable)
        return self.last_handle

    def close(self, handle: int) -> None:
        del self.handles[handle]

    def size(self, handle: int) -> int:
        return len(self.handles[handle][1].cache)

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        path, inode, _ = self.handles[handle]
        self.read_fail_at -= 1
        if self.read_fail_at == 0 or path in self.unreadable:
            self.fail_read(path)
        if inode.bad_pages and not inode.is_readable(offset, size):
            self.fail_read(path)
        return bytes(memoryview(inode.cache)[offset : offset + size])

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        path, inode, writable = self.handles[handle]
        assert writable, path
        growth = max(0, offset + len(data) - len(inode.cache))
        room = self.quota_bytes - self.used_bytes() if growth else 0
        if growth > room:  # what fits is written, then there is no more room
            data = data[: max(0, len(data) - growth + max(0, room))]
            if data:  # else nothing is written, and the file does not grow up to there
                self.put(inode, offset, data)
            self.calls += 1
            self.counts["writes without room"] += 1
            raise DiskFull(ENOSPC, f"write {path}")
        try:
            self.step(f"write {path}")
        except PowerCut:
            self.put(inode, offset, data)  # in the middle of it: `crash` tears it
            raise
        self.put(inode, offset, data)

    def fail_read(self, path: str) -> None:
        self.counts["reads failed"] += 1
        self.failed_reads.add(path)
        raise DiskFailure(EIO, path)

    def put(self, inode: Inode, offset: int, data: bytes) -> None:
        growth = inode.put(offset, data, self.calls)
        if growth and self.used_known is not None and id(inode) in self.used_by:
            self.used_known += growth

    def preallocate(self, handle: int, size: int) -> None:
        end = self.size(handle)
        self.write_at(handle, end, bytes(size - end))

    def sync(self, handle: int) -> None:
        path, inode, _ = self.handles[handle]
        try:
            self.step(f"sync {path}")
        except DiskError:
            self.counts["syncs failed"] += 1
            inode.mark_clean()
            raise
        inode.reach_platter()

    def can_sync_together(self) -> bool:
        return self.can_together

    def sync_together(self, handles: Sequence[int]) -> None:
        """If it fails, each file is synced or never will be."""
        inodes = [self.handles[handle][1] for handle in handles]
        try:
            self.step("sync_together " + " ".join(self.handles[handle][0] for handle in handles))
        except DiskError:
            self.counts["syncs failed"] += 1
            for inode in inodes:
                if self.rng.random() < 0.5:
                    inode.mark_clean()
                else:
                    inode.reach_platter()
            raise
        for inode in inodes:
            inode.reach_platter()

    def sync_data(self, handle: int) -> None:
        path, inode, _ = self.handles[handle]
        assert not inode.resized, f"{path} grew: fdatasync is not enough"
        try:
            self.step(f"sync_data {path}")
        except DiskError:
            self.counts["syncs failed"] += 1
            inode.mark_clean()
            raise
        inode.reach_platter()

    def rename(self, old: str, new: str) -> None:
        old_folder, old_name = self.split(old)
        new_folder, new_name = self.split(new)
        if old_name not in old_folder.cache:
            raise DiskMissing(2, old)
        self.step(f"rename {old} {new}")
        self.used_known = None
        new_folder.cache[new_name] = old_folder.cache.pop(old_name)

    def remove(self, path: str) -> None:
        folder, name = self.split(path)
        if name not in folder.cache:
            raise DiskMissing(2, path)
        self.step(f"remove {path}")
        self.used_known = None
        del folder.cache[name]

    def sync_folder(self, path: str) -> None:
        folder = self.tree[path]
        self.step(f"sync_folder {path or '.'}")
        folder.platter = dict(folder.cache)
        folder.durable_folders = set(folder.folders)

    def free_bytes(self) -> int:
        return max(0, self.quota_bytes - self.used_bytes())

    # --- for tests ---

    def contents(self, path: str) -> bytearray:
        """A file's bytes, to look at or to damage (call `settle` afterwards)."""
        folder, name = self.split(path)
        return folder.cache[name].cache

    def damage(self, path: str, offset: int, mask: int) -> None:
        """Flip bits of one byte, on the platter too."""
        self.inode(path).rot(offset, mask)

    def inode(self, path: str) -> Inode:
        """A file's inode."""
        folder, name = self.split(path)
        return folder.cache[name]

    def damaged_files(self) -> tuple[str, ...]:
        """Those with rotten bytes or pages that cannot be read, wherever in them."""
        return tuple(path for path in self.files() if self.inode(path).is_damaged)

    def restore(self) -> None:
        """All damage is undone."""
        for path in self.damaged_files():
            self.inode(path).restore()

    def files(self) -> tuple[str, ...]:
        """Every path there is."""
        return tuple(
            (path + "/" if path else "") + name
            for path in sorted(self.tree)
            for name in sorted(self.tree[path].cache)
        )
