"""What the operators' tools share: going through every file of a data folder without changing it.

Works on a folder that a server is using: nothing is written, and nothing is locked. What changes
meanwhile may then look like damage; the tools say so.

Must never write. Fails with StoreError and DiskError, which the tools turn into lines.
"""

from collections.abc import Iterator

from store.accounts_log import AccountsLog, SavedAccounts
from store.disk import Disk, DiskMissing
from store.entry import Entry
from store.errors import StoreDamaged
from store.journal import Batch
from store.journal_replay import JournalReplay
from store.mailbox import Mailbox
from store.manifest import MANIFEST, Manifest, read_manifest
from store.queue import Queue
from store.records import Fields, RecordError, decode, numbers_of
from wire import tlv
from wire.errors import TlvError


def need_manifest(disk: Disk) -> Manifest:
    """The manifest. Raises StoreError."""
    manifest = read_manifest(disk)
    if manifest is None:
        raise StoreDamaged(MANIFEST, 0, "it is missing")
    return manifest


def load_saved(disk: Disk, manifest: Manifest) -> SavedAccounts:
    """The accounts as of the last checkpoint. Raises StoreError."""
    return AccountsLog(
        disk,
        manifest.store_id,
        manifest.accounts_file,
        manifest.accounts_bytes,
        manifest.accounts_blocks,
    ).load()


def replay_of(disk: Disk, manifest: Manifest) -> JournalReplay:
    """The journal, to be read. Raises StoreError."""
    return JournalReplay(
        disk,
        manifest.store_id,
        manifest.segments,
        manifest.replay_lsn,
        manifest.replay_crc,
        read_only=True,
    )


def records_of(batch: Batch) -> Iterator[tuple[int, int, Fields]]:
    """(number, code, fields) of each record. Raises StoreDamaged."""
    number = batch.first_number
    payload = batch.payload
    try:
        for type_, start, end in tlv.spans(payload, 0, len(payload)):
            fields = decode(type_, payload[start:end])
            yield number, type_, fields
            number += numbers_of(fields)
    except (TlvError, RecordError) as error:
        reason = f"batch {batch.lsn}, record {number}: {error}"
        raise StoreDamaged(batch.file, batch.offset, reason) from error


def entries_of(disk: Disk, store_id: bytes, queue: Queue) -> Iterator[Entry]:
    """Every entry in the trusted part of a mailbox file, settled or not. Raises StoreError."""
    for _, entries in blocks_of(disk, store_id, queue):
        yield from entries


def blocks_of(disk: Disk, store_id: bytes, queue: Queue) -> Iterator[tuple[int, list[Entry]]]:
    """(logical offset, entries) of each block in the trusted part of a mailbox file, and at last
    where they end, with none. Raises StoreError.
    """
    box = Mailbox(disk, store_id, queue.number)
    try:
        offset = box.header.base
        while offset < queue.end_offset:
            for at, block, _ in box.blocks(offset, queue.end_offset):
                yield at, box.entries(at, block)
                offset = at + block.total_bytes
        yield offset, []
    finally:
        box.close()


def mailbox_files(disk: Disk) -> Iterator[str]:
    """The paths of all files under mailboxes/."""
    for folder in disk.list("mailboxes"):
        try:
            names = disk.list(f"mailboxes/{folder}")
        except DiskMissing:
            continue
        for name in names:
            yield f"mailboxes/{folder}/{name}"
