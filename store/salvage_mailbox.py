"""What is left of one mailbox file: its whole blocks, and the holes between them.

A hole is a stretch of pages in which no whole block begins. In the mended file each page of a hole
is a block of its own with nothing in it, so no offset that anybody remembers changes its meaning.
Mending a mended file changes nothing.

Must never change the file that it reads; `mend` writes another one and then takes its name.
Raises nothing of its own; a file that is missing has one hole, from end to end.
"""

from collections.abc import Iterator
from struct import error as StructError  # noqa: N812  # it is a class
from typing import NamedTuple

from store import mailbox
from store.disk import Disk, DiskMissing
from store.entry import Entry
from store.entry_codec import ENTRY, decode_entries
from store.errors import StoreDamaged
from store.framing import BLOCK, block_bytes, decode_block
from store.limits import LOST_END_BYTES_MAX, NUMBER_BELIEVED_MAX, NUMBER_MAX, PAGE_BYTES
from store.mailbox import (
    BLOCK_MAGIC,
    MAILBOX_TEMPORARY,
    Header,
    mailbox_folder,
    mailbox_path,
)
from wire import tlv
from wire.errors import TlvError


class Piece(NamedTuple):
    """A whole block, or a hole."""

    offset: int  # logical
    size: int
    raw: bytes  # of a block, as it should stand on the disk; b"" for a hole
    entries: list[Entry]
    last: int  # number of the last entry up to here
    is_mended: bool = False  # the block's own words for what it holds were wrong; `raw` is right


class DamagedEntry(NamedTuple):
    """What the bytes of a damaged block still say of an entry."""

    number: int
    kind: int
    message_id: bytes
    sender: int


class MailboxSalvage:
    """Reads one file from its base to the trusted end, or to its own when nobody knows another."""

    def __init__(
        self,
        disk: Disk,
        store_id: bytes,
        number: int,
        trusted_end: int | None,
        number_max: int = NUMBER_MAX,
    ) -> None:
        """No entry has a number above `number_max`: a block that says otherwise is not believed."""
        self.disk = disk
        self.number = number
        self.number_max = number_max
        self.path = mailbox_path(number)
        self.header: Header | None = None
        self.problem = ""  # what is wrong with the file as such
        if trusted_end is not None and trusted_end > NUMBER_BELIEVED_MAX:
            self.problem = f"it cannot go on to {trusted_end}"
            trusted_end = None
        self.base = trusted_end or 0
        self.size = 0
        self.limit = self.base
        self.end = self.base  # logical end of the last whole block
        self.holes: list[tuple[int, int]] = []  # (offset, size)
        self.doubtful: list[int] = []  # blocks that may be a part of a damaged one: see `pieces`
        self.trusted_end = trusted_end  # None: not known, or not believed
        try:
            self.handle = disk.open(self.path, writable=False)
        except DiskMissing:
            self.handle = -1
            self.problem = "it is missing"
            return
        self.size = disk.size(self.handle)
        self.read_header(store_id)
        self.limit = self.base + max(0, self.size - PAGE_BYTES)
        if trusted_end is not None:
            if trusted_end - self.limit > LOST_END_BYTES_MAX:
                self.trusted_end = None
                self.problem = self.problem or f"it ends {trusted_end - self.limit} bytes too early"
            else:
                self.limit = max(self.base, trusted_end)
        self.end = self.base

    def read_header(self, store_id: bytes) -> None:
        """Whose file it is, and where it begins: what the first block says counts more."""
        try:
            header = mailbox.read_header(self.disk, self.handle, self.path)
            if (header.store_id, header.number) == (store_id, self.number):
                self.header, self.base = header, header.base
            else:
                self.problem = "it belongs to another account or store"
        except StoreDamaged as error:
            self.problem = error.reason
        if self.header is None:
            self.base = self.find_base()
            return
        base = self.base_of_block(PAGE_BYTES)
        if base not in {-1, self.base} and not self.has_block():
            self.problem = f"its first block is that of {base}, not of {self.base}"
            self.header, self.base = self.header._replace(base=base), base

    def base_of_block(self, place: int) -> int:
        """Where the file begins by what the whole block at this byte says; -1: there is none."""
        head = self.disk.read_at(self.handle, place, BLOCK.size)
        if len(head) == BLOCK.size:
            offset = int(BLOCK.unpack(head)[3])
            base = offset - (place - PAGE_BYTES)
            end = NUMBER_MAX // 2 if self.trusted_end is None else self.trusted_end
            is_possible = base >= 0 and offset < end and offset % PAGE_BYTES == 0
            if is_possible and self.block_at(place, offset, 0) is not None:
                return base
        return -1

    def has_block(self) -> bool:
        """Whether any block stands where the header says that it does."""
        places = range(PAGE_BYTES, self.size, PAGE_BYTES)
        return any(
            self.block_at(place, self.base + place - PAGE_BYTES, 0) is not None for place in places
        )

    def close(self) -> None:
        """Forget the file."""
        if self.handle >= 0:
            self.disk.close(self.handle)

    def find_base(self) -> int:
        """Without a header the first whole block tells where it stands, and so where all do."""
        for place in range(PAGE_BYTES, self.size, PAGE_BYTES):
            base = self.base_of_block(place)
            if base >= 0:
                return base
        return self.trusted_end or 0

    def block_at(self, place: int, offset: int, above: int) -> Piece | None:
        """The whole block at this byte of the file, if its entries are all above a number."""
        disk, handle, path = self.disk, self.handle, self.path
        data = disk.read_at(handle, place, PAGE_BYTES)
        try:
            size = block_bytes(path, place, BLOCK_MAGIC, data, 0)
            if size > len(data):
                data = disk.read_at(handle, place, size)
            block = decode_block(path, place, owner=self.number, offset=offset, data=data, start=0)
            entries = decode_entries(block.payload)
        except (StoreDamaged, ValueError):
            return None
        numbers = [entry.number for entry in entries]
        if len(numbers) != block.items or sorted(set(numbers)) != numbers:
            return None
        if numbers and (numbers[0] <= above or numbers[-1] > self.number_max):
            return None
        raw, is_mended = data[:size], False
        if numbers and (numbers[0], numbers[-1]) != (block.first, block.last):
            raw, is_mended = mailbox.encode_blocks(self.number, offset, entries), True
            if len(raw) != size:
                return None
        return Piece(offset, size, raw, entries, numbers[-1] if numbers else above, is_mended)

    def pieces(self) -> Iterator[Piece]:
        """Every block and hole in order; `holes` and `end` are right when it has run to its end.

        Somebody's message may contain what looks like a block, and would be taken for one if the
        block around it is damaged. So one that stands where a damaged block says that it still goes
        on is `doubtful`: it is kept, and told.
        """
        self.holes, self.doubtful = [], []
        self.end = offset = hole = self.base
        last = 0
        # An end that cannot be, under a right checksum, may be any number of pages away.
        while offset < self.limit and self.place(offset) < self.size:
            piece = self.block_at(self.place(offset), offset, last)
            if piece is None:
                offset += PAGE_BYTES
                continue
            if hole < offset:
                if offset < self.claimed_end(hole):
                    self.doubtful.append(offset)
                self.holes.append((hole, offset - hole))
                yield Piece(hole, offset - hole, b"", [], last)
            if piece.is_mended and not self.problem:
                self.problem = f"the block at byte {self.place(offset)} says that it has others"
            yield piece
            last = piece.last
            self.end = offset = hole = offset + piece.size
        if self.trusted_end is not None and hole < self.limit:
            self.holes.append((hole, self.limit - hole))
            yield Piece(hole, self.limit - hole, b"", [], last)
            self.end = self.limit

    def is_short(self, file_last: int, last: int) -> bool:
        """Whether the trusted end is not where it should be: what `pieces` gave, without a hole, up
        to the number `last`, does not reach the one that is remembered. (Compaction may have taken
        off everything: then the file begins where it ends.)
        """
        is_read = self.end > self.base or not self.base
        return self.trusted_end is not None and is_read and not self.holes and last < file_last

    def claimed_end(self, offset: int) -> int:
        """Where the damaged block that begins here says that it ends; 0 when it says nothing."""
        head = self.disk.read_at(self.handle, self.place(offset), BLOCK.size)
        try:
            return offset + block_bytes(self.path, 0, BLOCK_MAGIC, head, 0)
        except StoreDamaged:
            return 0

    def place(self, offset: int) -> int:
        """Where in the file a logical offset is."""
        return PAGE_BYTES + offset - self.base

    def damaged_entries(self, offset: int, hole: int) -> Iterator[DamagedEntry]:
        """What can still be made out of the damaged blocks in this hole."""
        for at in range(offset, offset + hole, PAGE_BYTES):
            head = self.disk.read_at(self.handle, self.place(at), BLOCK.size)
            try:
                block_bytes(self.path, 0, BLOCK_MAGIC, head, 0)
                size = BLOCK.unpack(head)[4]
                payload = self.disk.read_at(self.handle, self.place(at) + BLOCK.size, size)
                for kind, start, _ in tlv.spans(payload, 0, len(payload)):
                    number, sender, _, message_id, _, _, _, _ = ENTRY.unpack_from(payload, start)
                    if 1 <= kind <= 3:
                        yield DamagedEntry(number, kind, message_id, sender)
            except (StoreDamaged, StructError, TlvError):
                continue


def mend(salvage: MailboxSalvage, header: Header) -> None:
    """Put a whole file in the place of the damaged one, durably. Raises DiskFull."""
    disk, path = salvage.disk, salvage.path
    folder = mailbox_folder(salvage.number)
    disk.make_folder(folder)
    disk.sync_folder("mailboxes")
    handle = mailbox.create(disk, MAILBOX_TEMPORARY, header)
    try:
        place = PAGE_BYTES
        for piece in salvage.pieces():
            data = piece.raw or empty_blocks(salvage.number, piece)
            disk.write_at(handle, place, data)
            place += len(data)
        disk.sync(handle)
    finally:
        disk.close(handle)
    disk.rename(MAILBOX_TEMPORARY, path)
    disk.sync_folder(folder)


def empty_blocks(number: int, hole: Piece) -> bytes:
    """Blocks of a page each, with nothing in them."""
    offsets = range(hole.offset, hole.offset + hole.size, PAGE_BYTES)
    last = hole.last
    return b"".join(mailbox.close_block(number, offset, [], last, last) for offset in offsets)
