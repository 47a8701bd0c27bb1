"""The accounts log: the newest state of every account, appended by each checkpoint.

A file has a header page (see `store.framing`, magic MSGA: store_id 16, number u64) and blocks
(magic MSGC, owner = the file's number, offset = the byte at which it stands, `first` = index of the
block), each with account states as TLVs (`store.account_codec`). The latest state of an account
counts. MANIFEST says how far the log is trusted; what stands past that is written over.

Start-up reads this one file from front to back, and no mailbox. When too much of it is out of date,
a checkpoint writes all accounts into a new file instead.

Must never be written to below its trusted length. Fails with StoreDamaged.
"""

from contextlib import suppress
from re import compile as pattern
from struct import Struct
from typing import Final

from store import account_codec
from store.account import Everyone
from store.accounts import Accounts, ByNumber
from store.disk import Disk, DiskError, DiskMissing
from store.errors import StoreDamaged
from store.framing import block_bytes, decode_block, decode_header, encode_block, encode_header
from store.limits import PAGE_BYTES, READ_SLICE_BYTES
from store.registry import REGISTRY, Registry, decode_registry
from wire import tlv
from wire.errors import TlvError

MAGIC: Final = b"MSGA"
BLOCK_MAGIC: Final = b"MSGC"
BODY: Final = Struct(">16sQ")
NAME: Final = pattern(r"[0-9a-f]{16}\.accounts")


def accounts_path(number: int) -> str:
    """Where the log of this number is."""
    return f"accounts/{number:016x}.accounts"


def find_leftovers(disk: Disk, store_id: bytes, number: int) -> tuple[list[str], list[str]]:
    """(logs of this store beside the one in force, sentences about what is not ours)."""
    paths: list[str] = []
    findings: list[str] = []
    for name in disk.list("accounts"):
        path = f"accounts/{name}"
        if path == accounts_path(number):
            continue
        if NAME.fullmatch(name) and is_log_of(disk, path, store_id, int(name[:16], 16)):
            paths.append(path)
        else:
            findings.append(f"{path} is not ours; left alone")
    return paths, findings


def is_log_of(disk: Disk, path: str, store_id: bytes, number: int) -> bool:
    """Whether a file's header says that it is this log of this store."""
    handle = disk.open(path, writable=False)
    try:
        return decode_header(path, MAGIC, disk.read_at(handle, 0, PAGE_BYTES)) == BODY.pack(
            store_id, number
        )
    except (StoreDamaged, DiskError):
        # Half made when the power went, or unreadable by now: nothing in it counts, and the next
        # log of its number takes its place.
        return False
    finally:
        disk.close(handle)


class SavedAccounts:
    """What an accounts log says."""

    def __init__(self) -> None:
        self.table = Accounts()
        self.table.begin_loading()
        self.everyone = Everyone()
        self.registry = Registry()
        self.tombstones: dict[int, None] = {}

    @property
    def accounts(self) -> ByNumber:
        """The accounts, by number."""
        return self.table.by_number

    def take(self, payload: bytes) -> None:
        """The states of one block. Raises ValueError, TlvError."""
        for type_, start, end in tlv.spans(payload, 0, len(payload)):
            value = payload[start:end]
            if type_ == account_codec.ACCOUNT:
                self.table.load(value)
            elif type_ == account_codec.EVERYONE:
                self.everyone = account_codec.decode_everyone(value)
                self.table.newest_stamp = max(self.table.newest_stamp, self.everyone.stamp)
            elif type_ == REGISTRY:
                self.registry = decode_registry(value)
            elif type_ == account_codec.TOMBSTONE:
                number = account_codec.decode_tombstone(value)
                self.table.unload(number)
                self.tombstones[number] = None
            else:
                raise ValueError(f"nothing has the code {type_}")


class AccountsLog:
    """One file of the accounts log, open for appending."""

    def __init__(self, disk: Disk, store_id: bytes, number: int, length: int, blocks: int) -> None:
        """`length` and `blocks` are what MANIFEST trusts."""
        self.disk = disk
        self.store_id = store_id
        self.number = number
        self.path = accounts_path(number)
        self.length = length
        self.blocks = blocks

    @classmethod
    def create(cls, disk: Disk, store_id: bytes, number: int) -> "AccountsLog":
        """A new, empty log, durable on return. Raises DiskFull."""
        path = accounts_path(number)
        with suppress(DiskMissing):
            disk.remove(path)
        handle = disk.create(path)
        try:
            disk.write_at(handle, 0, encode_header(MAGIC, BODY.pack(store_id, number)))
            disk.sync(handle)
        finally:
            disk.close(handle)
        disk.sync_folder("accounts")
        return cls(disk, store_id, number, PAGE_BYTES, 0)

    def append(self, states: list[bytes]) -> None:
        """One block, durable on return. May be tried again after DiskFull."""
        data = encode_block(
            BLOCK_MAGIC,
            owner=self.number,
            offset=self.length,
            payload=b"".join(states),
            count=len(states),
            first=self.blocks,
            last=self.blocks,
        )
        handle = self.disk.open(self.path, writable=True)
        try:
            self.disk.write_at(handle, self.length, data)
            self.disk.sync(handle)
        finally:
            self.disk.close(handle)
        self.length += len(data)
        self.blocks += 1

    def load(self) -> SavedAccounts:
        """Everything in the trusted part."""
        saved = SavedAccounts()
        try:
            handle = self.disk.open(self.path, writable=False)
        except DiskMissing as error:
            raise StoreDamaged(self.path, 0, "it is missing") from error
        try:
            self.check_header(handle)
            offset, blocks = PAGE_BYTES, 0
            while offset < self.length:
                size, payload = self.read_block(handle, offset)
                stamp = saved.table.newest_stamp
                try:
                    saved.take(payload)
                except (ValueError, TlvError) as error:
                    raise StoreDamaged(self.path, offset, str(error)) from error
                if saved.table.newest_stamp > stamp:
                    saved.table.newest_at = offset
                offset += size
                blocks += 1
        finally:
            self.disk.close(handle)
        if (offset, blocks) != (self.length, self.blocks):
            raise StoreDamaged(self.path, offset, "it has other blocks than MANIFEST says")
        for number in saved.tombstones:
            if number in saved.accounts:
                raise StoreDamaged(self.path, PAGE_BYTES, f"account {number} is there and is gone")
        return saved

    def check_header(self, handle: int) -> None:
        """The file must be the one that MANIFEST means."""
        body = decode_header(self.path, MAGIC, self.disk.read_at(handle, 0, PAGE_BYTES))
        if body != BODY.pack(self.store_id, self.number):
            raise StoreDamaged(self.path, 0, "it is not the log that MANIFEST names")

    def read_block(self, handle: int, offset: int) -> tuple[int, bytes]:
        """(bytes on the disk, payload) of the block at `offset`."""
        data = self.disk.read_at(handle, offset, READ_SLICE_BYTES)
        size = block_bytes(self.path, offset, BLOCK_MAGIC, data, 0)
        if size > len(data):
            data = self.disk.read_at(handle, offset, size)
        block = decode_block(
            self.path, offset, owner=self.number, offset=offset, data=data, start=0
        )
        return size, block.payload
