"""What a simulated disk holds: files and folders, as everybody sees them and as they are kept.

A file also knows which of its bytes have rotted (are not what was written) and which of its pages
the disk cannot read. Both end where something else is written over them.

Must never let a byte reach the platter other than by a sync or a power cut.
"""

from collections.abc import Set as AbstractSet
from random import Random

from tests.sim.draw import draw_below

SECTOR = 512
PAGE = 4_096


class Inode:
    """A file's contents: as everybody sees them, and as they are on the platter."""

    def __init__(self) -> None:
        self.cache = bytearray()
        self.platter = bytearray()
        self.dirty: list[tuple[int, int, int]] = []
        """Written since the last sync: from which sector, to before which, and when."""
        self.resized = False
        self.cache_rot: dict[int, int] = {}  # rotten bytes by offset, and what they should be
        self.platter_rot: dict[int, int] = {}
        self.bad_pages: set[int] = set()  # that cannot be read

    def put(self, offset: int, data: bytes, when: int) -> int:
        """Write into the cache. Gives by how many bytes the file grew."""
        end = offset + len(data)
        growth = max(0, end - len(self.cache))
        if growth:
            self.cache.extend(bytes(growth))
            self.resized = True
        self.cache[offset:end] = data
        self.dirty.append((offset // SECTOR, -(-end // SECTOR), when))
        if self.cache_rot:
            self.cache_rot = {
                at: byte for at, byte in self.cache_rot.items() if not offset <= at < end
            }
        if self.bad_pages:
            self.bad_pages.difference_update(range(offset // PAGE, -(-end // PAGE)))
        return growth

    def reach_platter(self) -> None:
        """A sync that works."""
        self.platter.extend(bytes(len(self.cache) - len(self.platter)))
        for first, end, _ in self.dirty:
            place = slice(first * SECTOR, end * SECTOR)
            self.platter[place] = self.cache[place]
        if self.cache_rot or self.platter_rot:
            self.rot_reaches_platter(self.dirty_sectors().keys())
        self.mark_clean()

    def dirty_sectors(self) -> dict[int, int]:
        """Each sector written since the last sync, and when that was last."""
        sectors: dict[int, int] = {}
        for first, end, when in self.dirty:
            sectors.update(dict.fromkeys(range(first, end), when))
        return sectors

    def rot_reaches_platter(self, sectors: AbstractSet[int]) -> None:
        """These sectors of the platter are now what the cache has."""
        if self.cache_rot or self.platter_rot:
            kept = {
                at: byte for at, byte in self.platter_rot.items() if at // SECTOR not in sectors
            }
            new = {at: byte for at, byte in self.cache_rot.items() if at // SECTOR in sectors}
            self.platter_rot = kept | new

    def mark_clean(self) -> None:
        """As after a sync, failed or not."""
        self.dirty.clear()
        self.resized = False

    def tear(self, rng: Random) -> tuple[int, int, int]:
        """The power goes: each unsynced sector is the old one, the new one, or rubbish.

        Gives the place in the order of writing of the first sector that stayed old, and of the last
        one that became new (0 for none), and how many became rubbish.
        """
        size = rng.choice([len(self.platter), len(self.cache)]) if self.resized else None
        mode = rng.randrange(4)  # everything, nothing, or each sector for itself
        if not self.dirty and size is None:
            self.wake_up()
            return 0, 0, 0
        size = len(self.platter) if size is None else size
        platter = self.platter[:size].ljust(size, b"\0")
        first_lost = last_kept = rubbish = 0
        written: set[int] = set()
        dirty = self.dirty_sectors()
        for sector in sorted(dirty):
            start = sector * SECTOR
            new = self.cache[start : start + SECTOR]
            dice = (0, 1, draw_below(rng, 2), draw_below(rng, 3))[mode]
            place = (dirty[sector] << 32) + sector + 1
            if dice == 0:
                first_lost = min(first_lost or place, place)
                continue
            if dice == 2:
                new = bytearray(rng.randbytes(len(new)))
                rubbish += 1
            last_kept = max(last_kept, place)
            written.add(sector)
            if start < size:
                platter[start : start + SECTOR] = new[: size - start]
        self.platter = platter
        self.rot_reaches_platter(written)
        self.wake_up()
        return first_lost, last_kept, rubbish

    def wake_up(self) -> None:
        """After the machine's start: the cache is what the platter has."""
        if self.cache != self.platter:
            self.cache = bytearray(self.platter)
        if self.platter_rot or self.cache_rot:
            self.platter_rot = {
                at: byte for at, byte in self.platter_rot.items() if at < len(self.platter)
            }
            self.cache_rot = dict(self.platter_rot)
        self.mark_clean()

    # --- damage ---

    @property
    def is_damaged(self) -> bool:
        return bool(self.cache_rot or self.platter_rot or self.bad_pages)

    def rot(self, offset: int, mask: int) -> None:
        """Some bits of one byte flip, on the platter too."""
        self.cache_rot.setdefault(offset, self.cache[offset])
        self.cache[offset] ^= mask
        if offset < len(self.platter):
            self.platter_rot.setdefault(offset, self.platter[offset])
            self.platter[offset] ^= mask

    def restore(self) -> None:
        """Every damaged byte is what it was: somebody had a copy."""
        for at, byte in self.cache_rot.items():
            self.cache[at] = byte
        for at, byte in self.platter_rot.items():
            self.platter[at] = byte
        self.cache_rot, self.platter_rot = {}, {}
        self.bad_pages.clear()

    def is_readable(self, offset: int, size: int) -> bool:
        return self.bad_pages.isdisjoint(range(offset // PAGE, -(-(offset + size) // PAGE)))


class Folder:
    """Names of files: as everybody sees them, and as they are on the platter."""

    def __init__(self) -> None:
        self.cache: dict[str, Inode] = {}
        self.platter: dict[str, Inode] = {}
        self.folders: set[str] = set()
        self.durable_folders: set[str] = set()
