"""One user's queue on the disk: a header page, then blocks of entries, oldest first.

The header page (see `store.framing`, magic MSGQ) has the body: store_id 16, number u64, base u64,
created_at_ms u64, name. Blocks (magic MSGB, owner = number) follow; the block at logical offset L
stands at byte 4096 + L - base, `first` and `last` are the numbers of its first and last entry, and
its payload is entries as `store.entry_codec` writes them. Compaction raises `base`; no offset that
anybody remembers changes its meaning.

Only what is below the queue's `end_offset` is trusted. What stands past it was left by a checkpoint
that did not finish and is written over.

Must never skip a bad block: it is a StoreDamaged that names file and offset.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from struct import Struct
from typing import Final, NamedTuple

from store.disk import Disk, DiskError, DiskMissing
from store.entry import Entry
from store.entry_codec import decode_entries, encode_entry
from store.errors import StoreDamaged
from store.framing import Block, block_bytes, decode_block, decode_header, encode_block
from store.framing import encode_header as encode_file_header
from store.limits import BLOCK_PAYLOAD_BYTES, NUMBER_MAX, PAGE_BYTES, READ_SLICE_BYTES

MAGIC: Final = b"MSGQ"
BLOCK_MAGIC: Final = b"MSGB"
BODY: Final = Struct(">16sQQQ")
MAILBOX_TEMPORARY: Final = "mailbox.tmp"
"""What is to take a mailbox's place is made here, one at a time; a start removes what was left."""


class Header(NamedTuple):
    """What the first page says."""

    store_id: bytes
    number: int
    base: int  # logical offset of the first block
    created_at_ms: int
    name: str


def mailbox_folder(number: int) -> str:
    """The folder of a mailbox file."""
    return f"mailboxes/{number & 0xFF:02x}"


def mailbox_path(number: int) -> str:
    """Where the mailbox of the account of this number is."""
    return f"{mailbox_folder(number)}/{number:016x}.mailbox"


def encode_header(header: Header) -> bytes:
    """The first page."""
    fixed = BODY.pack(header.store_id, header.number, header.base, header.created_at_ms)
    return encode_file_header(MAGIC, fixed + header.name.encode())


def read_header(disk: Disk, handle: int, path: str) -> Header:
    """The first page of an open file."""
    body = decode_header(path, MAGIC, read(disk, handle, path, 0, PAGE_BYTES))
    if len(body) < BODY.size:
        raise StoreDamaged(path, 0, "its header is too short")
    store_id, number, base, created_at_ms = BODY.unpack_from(body)
    if base > NUMBER_MAX // 2 or base % PAGE_BYTES:
        raise StoreDamaged(path, 0, f"its first block cannot be at {base}")
    try:
        name = body[BODY.size :].decode()
    except UnicodeDecodeError as error:
        raise StoreDamaged(path, 0, f"the name in its header is none ({error})") from error
    return Header(store_id, number, base, created_at_ms, name)


def read(disk: Disk, handle: int, path: str, offset: int, size: int) -> bytes:
    """Bytes of a file; a disk that cannot read them is damage like any other."""
    try:
        return disk.read_at(handle, offset, size)
    except DiskError as error:
        raise StoreDamaged(path, offset, f"it cannot be read ({error})") from error


def create(disk: Disk, path: str, header: Header) -> int:
    """A new file with a header, not synced yet; what was there was never trusted."""
    with suppress(DiskMissing):
        disk.remove(path)
    handle = disk.create(path)
    try:
        disk.write_at(handle, 0, encode_header(header))
    except BaseException:
        disk.close(handle)
        raise
    return handle


def encode_blocks(number: int, offset: int, entries: Iterable[Entry]) -> bytes:
    """Entries as blocks, the first of which stands at the logical `offset`."""
    found = list(entries)
    encoded = [encode_entry(entry) for entry in found]
    return join_blocks(number, offset, [entry.number for entry in found], encoded)


def join_blocks(
    number: int, offset: int, numbers: Sequence[int], encoded: Sequence[bytes]
) -> bytes:
    """`encode_blocks` for entries that are encoded already; `numbers` are theirs."""
    if encoded and sum(map(len, encoded)) <= BLOCK_PAYLOAD_BYTES:
        return close_block(number, offset, encoded, numbers[0], numbers[-1])
    blocks: list[bytes] = []
    start = size = 0
    for end, part in enumerate(encoded):
        size += len(part)
        if start < end and size > BLOCK_PAYLOAD_BYTES:
            parts = encoded[start:end]
            blocks.append(close_block(number, offset, parts, numbers[start], numbers[end - 1]))
            offset += len(blocks[-1])
            start, size = end, len(part)
    if encoded:
        blocks.append(close_block(number, offset, encoded[start:], numbers[start], numbers[-1]))
    return b"".join(blocks)


def close_block(number: int, offset: int, parts: Sequence[bytes], first: int, last: int) -> bytes:
    """One block."""
    return encode_block(
        BLOCK_MAGIC,
        owner=number,
        offset=offset,
        payload=b"".join(parts),
        count=len(parts),
        first=first,
        last=last,
    )


class Mailbox:
    """A mailbox file, read block by block; open it for one slice of work, then close it."""

    def __init__(self, disk: Disk, store_id: bytes, number: int, *, writable: bool = False) -> None:
        self.disk = disk
        self.number = number
        self.path = mailbox_path(number)
        try:
            self.handle = disk.open(self.path, writable=writable)
        except DiskMissing as error:
            raise StoreDamaged(self.path, 0, "it is missing") from error
        except DiskError as error:
            raise StoreDamaged(self.path, 0, f"it cannot be opened ({error})") from error
        try:
            self.header = read_header(disk, self.handle, self.path)
            self.check_owner(store_id)
        except BaseException:
            disk.close(self.handle)
            raise

    def check_owner(self, store_id: bytes) -> None:
        """A file under another's name is not believed."""
        if (self.header.store_id, self.header.number) != (store_id, self.number):
            raise StoreDamaged(self.path, 0, "it belongs to another account or store")

    def close(self) -> None:
        """Forget the file. Raises StoreDamaged, as reading it does."""
        try:
            self.disk.close(self.handle)
        except DiskError as error:
            raise StoreDamaged(self.path, 0, f"it cannot be closed ({error})") from error

    def place(self, offset: int) -> int:
        """Where in the file a logical offset is."""
        return PAGE_BYTES + offset - self.header.base

    def blocks(self, offset: int, end: int) -> list[tuple[int, Block, bytes]]:
        """(logical offset, block, its bytes on the disk) of at least one block from `offset` on,
        and as many as one slice holds, up to the logical `end`.
        """
        assert self.header.base <= offset < end
        begin = offset
        path, place = self.path, self.place(begin)
        data = read(self.disk, self.handle, path, place, min(READ_SLICE_BYTES, end - begin))
        found: list[tuple[int, Block, bytes]] = []
        while offset < end:
            start = offset - begin
            if found and len(data) - start < PAGE_BYTES:
                break
            size = block_bytes(path, place + start, BLOCK_MAGIC, data, start)
            if start + size > len(data):
                if found:
                    break
                data = read(self.disk, self.handle, path, place, size)
            raw = data[start : start + size]
            block = decode_block(
                path, place + start, owner=self.number, offset=offset, data=raw, start=0
            )
            found.append((offset, block, raw))
            offset += size
        return found

    def entries(self, offset: int, block: Block) -> list[Entry]:
        """The entries of a block."""
        try:
            found = decode_entries(block.payload)
        except ValueError as error:
            raise StoreDamaged(self.path, self.place(offset), str(error)) from error
        if len(found) != block.items:
            raise StoreDamaged(self.path, self.place(offset), "entries are missing in a block")
        if found and (found[0].number, found[-1].number) != (block.first, block.last):
            raise StoreDamaged(self.path, self.place(offset), "a block of other entries")
        return found
