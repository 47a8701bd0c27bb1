"""What is on the platter, and what may or may not be, after each recorded operation.

The model, from the strictest reading of POSIX and from what file systems were seen to do:

- a page (4 KiB) written since the last sync of its file is there, is not, or is there in part: each
  512-byte sector old, new or rubbish; pages do not wait for each other;
- a file that grew has the new size or the old one, whichever of its pages are there;
- a name changed since the last sync of its folder is as it was or as it is (or as it was in
  between), and names do not wait for each other, nor for the data of their files;
- a folder that was made is there only for certain once its parent was synced;
- a sync that failed leaves the pages clean: nothing writes them any more, but the cache has them.

Must never lean on what the store does. Pages of a state are shared, never changed.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from random import Random

from tests.crash.trace_disk import (
    CREATE,
    FAILED_SYNC,
    MAKE_FOLDER,
    REMOVE,
    RENAME,
    SYNC,
    SYNC_DATA,
    SYNC_FOLDER,
    WRITE,
    Image,
    Op,
)

PAGE = 4096
SECTOR = 512
NOBODY = 0  # the number of no file: the name is free
VERSIONS_MAX = 3

PageKey = tuple[int, int]


@lru_cache(maxsize=100_000)
def name_hash(path: str, content: bytes) -> int:
    return int.from_bytes(blake2b(path.encode() + b"\0" + content, digest_size=8).digest(), "big")


def content_hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=12).digest()


class FileState:
    """One file: what everybody sees, what is on the platter, and what is in between."""

    __slots__ = ("cache", "digest", "durable", "pages", "sizes", "synced")

    def __init__(self, data: bytes) -> None:
        self.cache = bytearray(data)
        self.durable = data
        self.digest = content_hash(data)
        self.pages: dict[int, list[bytes]] = {}  # what each unsynced page has been since
        self.sizes: list[int] = []
        self.synced = False  # its data was synced since it was made

    def write(self, offset: int, data: bytes) -> None:
        cache = self.cache
        end = offset + len(data)
        if end > len(cache):
            cache.extend(bytes(end - len(cache)))
            self.sizes = [*self.sizes[-VERSIONS_MAX:], end]
        cache[offset:end] = data
        for page in range(offset // PAGE, -(-end // PAGE)):
            new = bytes(cache[page * PAGE : (page + 1) * PAGE])
            if page * PAGE >= len(self.durable) and not any(new):
                self.pages.pop(page, None)  # zeros where zeros would be anyway
            else:
                self.pages[page] = [*self.pages.get(page, [])[1 - VERSIONS_MAX :], new]

    def settle(self) -> None:
        """What was written since the last sync is on the platter, and so is the size. What a failed
        sync left clean is not.
        """
        latest = {page: versions[-1] for page, versions in self.pages.items()}
        self.durable = self.with_choice(latest, len(self.cache))
        self.digest = content_hash(self.durable)
        self.pages, self.sizes = {}, []
        self.synced = True

    def settle_data(self) -> None:
        """The data is on the platter, as far as the old size reaches; the size is not."""
        size = len(self.durable)
        latest = {page: versions[-1] for page, versions in self.pages.items()}
        self.durable = self.with_choice(latest, None)
        self.digest = content_hash(self.durable)
        self.pages = {page: some for page, some in self.pages.items() if page * PAGE >= size}

    def give_up(self, rng: Random | None) -> None:
        """The sync failed. With `rng`, some pages had made it to the platter before."""
        durable = bytearray(self.durable)
        if rng is not None and self.pages and len(durable) == len(self.cache):
            for page, versions in self.pages.items():
                if rng.random() < 0.5:
                    durable[page * PAGE : page * PAGE + len(versions[-1])] = versions[-1]
        self.durable = bytes(durable)
        self.digest = content_hash(self.durable)
        self.pages, self.sizes = {}, []

    def with_choice(self, pages: dict[int, bytes], size: int | None) -> bytes:
        """The contents with these pages and this size instead of the old ones."""
        length = len(self.durable) if size is None else size
        data = bytearray(self.durable[:length].ljust(length, b"\0"))
        for page, new in pages.items():
            start = page * PAGE
            if start < length:
                data[start : start + len(new)] = new[: length - start]
        return bytes(data)


@dataclass(slots=True)
class Choice:
    """Which of what is in between made it; what is not named is as it was at the last sync."""

    pages: dict[PageKey, bytes] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    lost_folders: frozenset[str] = frozenset()


class Platter:
    """Walks through recorded operations; between two of them says what may be left."""

    def __init__(self, image: Image, rng: Random | None = None) -> None:
        self.files = {
            number: FileState(data) for number, data in enumerate(image.files.values(), 1)
        }
        self.names = {path: number for number, path in enumerate(image.files, 1)}
        self.durable_names = dict(self.names)
        self.pending: dict[str, list[int]] = {}  # name -> what it has been since, last is now
        self.since: dict[str, int] = {}  # name -> the operation that changed it first
        self.folders = set(image.folders)
        self.pending_folders: dict[str, None] = {}
        self.last_data_sync = -1
        self.step = 0
        self.rng = rng

    def apply(self, op: Op) -> None:
        """One more operation was done."""
        kind = op.kind
        if kind == WRITE:
            self.files[op.node].write(op.offset, op.data)
        elif kind == SYNC:
            self.files[op.node].settle()
            self.last_data_sync = self.step
        elif kind == SYNC_DATA:
            self.files[op.node].settle_data()
            self.last_data_sync = self.step
        elif kind == CREATE:
            self.files[op.node] = FileState(b"")
            self.set_name(op.path, op.node)
        elif kind == RENAME:
            self.set_name(op.path, op.node)
            self.set_name(op.data.decode(), NOBODY)
        elif kind == REMOVE:
            self.set_name(op.path, NOBODY)
        elif kind == MAKE_FOLDER:
            self.folders.add(op.path)
            self.pending_folders[op.path] = None
        elif kind == SYNC_FOLDER:
            self.settle_folder(op.path)
        elif kind == FAILED_SYNC and op.node:  # a folder's changes stay pending
            self.files[op.node].give_up(self.rng)
        self.step += 1

    def set_name(self, path: str, node: int) -> None:
        if node == NOBODY:
            self.names.pop(path, None)
        else:
            self.names[path] = node
        versions = self.pending.setdefault(path, [])
        versions.append(node)
        del versions[:-VERSIONS_MAX]
        self.since.setdefault(path, self.step)

    def settle_folder(self, path: str) -> None:
        for name in [each for each in self.pending if each.rpartition("/")[0] == path]:
            node = self.pending.pop(name)[-1]
            del self.since[name]
            if node == NOBODY:
                self.durable_names.pop(name, None)
            else:
                self.durable_names[name] = node
        for folder in [each for each in self.pending_folders if each.rpartition("/")[0] == path]:
            del self.pending_folders[folder]

    def with_children(self, lost: frozenset[str]) -> frozenset[str]:
        """A folder takes with it what is in it."""
        if not lost:
            return lost
        return frozenset(
            folder
            for folder in self.folders
            if any(folder == each or folder.startswith(each + "/") for each in lost)
        )

    # --- what may be left ---

    def page_atoms(self) -> dict[PageKey, list[bytes]]:
        """Every page that may be old or new, of files that have or may have a name."""
        alive = {*self.durable_names.values(), *(n for some in self.pending.values() for n in some)}
        return {
            (number, page): versions
            for number in sorted(alive - {NOBODY})
            for page, versions in self.files[number].pages.items()
        }

    def size_atoms(self) -> dict[int, list[int]]:
        alive = {*self.durable_names.values(), *(n for some in self.pending.values() for n in some)}
        return {
            number: self.files[number].sizes
            for number in sorted(alive - {NOBODY})
            if self.files[number].sizes
        }

    def everything(self) -> Choice:
        """All of it made it."""
        return Choice(
            {key: versions[-1] for key, versions in self.page_atoms().items()},
            {number: sizes[-1] for number, sizes in self.size_atoms().items()},
            {path: versions[-1] for path, versions in self.pending.items()},
        )

    def nothing(self) -> Choice:
        """None of it made it."""
        return Choice(lost_folders=frozenset(self.pending_folders))

    def compose(self, choice: Choice) -> tuple[int, Image]:
        """(hash of the contents, the image)."""
        names = self.durable_names
        if choice.names:
            names = {**names, **choice.names}
        changed: dict[int, dict[int, bytes]] = {number: {} for number in choice.sizes}
        for (number, page), data in choice.pages.items():
            changed.setdefault(number, {})[page] = data
        contents: dict[int, tuple[bytes, bytes]] = {}
        for number, pages in changed.items():
            data = self.files[number].with_choice(pages, choice.sizes.get(number))
            contents[number] = (data, content_hash(data))
        files: dict[str, bytes] = {}
        digest = 0
        lost = self.with_children(choice.lost_folders)
        for path, number in names.items():
            if number == NOBODY or (lost and path.rpartition("/")[0] in lost):
                continue
            if number in contents:
                data, mark = contents[number]
            else:
                state = self.files[number]
                data, mark = state.durable, state.digest
            files[path] = data
            digest ^= name_hash(path, mark)
        for path in lost:
            digest ^= name_hash(path, b"lost")
        return digest, Image(files, frozenset(self.folders - lost))
