"""A disk that reads around what cannot be read: zeros stand for a page that gives an error.

For the tools that save what is left. Zeros are no header, no block and no batch, so what could not
be read is taken for damage, and what stands around it is not lost with it.

Must never be used by a server: for it, a page that cannot be read is an error and not a guess.
Everything but `read_at` fails as the disk below it.
"""

from collections.abc import Sequence

from store.disk import Disk, DiskFailure
from store.limits import PAGE_BYTES


class PatientDisk:
    """See `store.disk.Disk` for what each call promises."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.paths: dict[int, str] = {}
        self.unreadable: dict[tuple[str, int], None] = {}  # (path, offset) of pages

    def lock(self, path: str) -> None:
        """As below."""
        self.disk.lock(path)

    def unlock(self) -> None:
        """As below."""
        self.disk.unlock()

    def make_folder(self, path: str) -> None:
        """As below."""
        self.disk.make_folder(path)

    def list(self, path: str) -> tuple[str, ...]:
        """As below."""
        return self.disk.list(path)

    def create(self, path: str) -> int:
        """As below."""
        return self.disk.create(path)

    def open(self, path: str, *, writable: bool) -> int:
        """As below."""
        handle = self.disk.open(path, writable=writable)
        self.paths[handle] = path
        return handle

    def close(self, handle: int) -> None:
        """As below."""
        self.disk.close(handle)

    def size(self, handle: int) -> int:
        """As below."""
        return self.disk.size(handle)

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        """What can be read, page by page where the whole cannot, and zeros for the rest."""
        try:
            return self.disk.read_at(handle, offset, size)
        except DiskFailure:
            end = min(offset + size, self.disk.size(handle))
        parts: list[bytes] = []
        while offset < end:
            piece = min(end, offset - offset % PAGE_BYTES + PAGE_BYTES) - offset
            try:
                parts.append(self.disk.read_at(handle, offset, piece))
            except DiskFailure:
                parts.append(bytes(piece))
                self.unreadable[self.paths[handle], offset - offset % PAGE_BYTES] = None
            offset += piece
        return b"".join(parts)

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        """As below."""
        self.disk.write_at(handle, offset, data)

    def preallocate(self, handle: int, size: int) -> None:
        """As below."""
        self.disk.preallocate(handle, size)

    def sync(self, handle: int) -> None:
        """As below."""
        self.disk.sync(handle)

    def can_sync_together(self) -> bool:
        """As below."""
        return self.disk.can_sync_together()

    def sync_together(self, handles: Sequence[int]) -> None:
        """As below."""
        self.disk.sync_together(handles)

    def sync_data(self, handle: int) -> None:
        """As below."""
        self.disk.sync_data(handle)

    def rename(self, old: str, new: str) -> None:
        """As below."""
        self.disk.rename(old, new)

    def remove(self, path: str) -> None:
        """As below."""
        self.disk.remove(path)

    def sync_folder(self, path: str) -> None:
        """As below."""
        self.disk.sync_folder(path)

    def free_bytes(self) -> int:
        """As below."""
        return self.disk.free_bytes()
