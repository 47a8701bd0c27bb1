"""`msgd backup`: a whole copy of a data folder that a server goes on using.

The server is not asked and does not notice. What makes the copy whole:

- MANIFEST is replaced as a whole, and what it vouches for (the accounts log and every mailbox up to
  the lengths that it and the accounts tell) never changes afterwards; compaction only takes settled
  entries off the front.
- Mailboxes are copied before the journal. What compaction took off was settled by a batch that was
  durable by then, so that batch is in the copy of the journal, or in the accounts log.
- A journal is copied batch by batch up to the first that is not there yet. Batch k+1 is written
  after the sync of batch k, so whoever has seen a later batch and then still does not find the
  one before it looks at damage, and not at a race.
- At the end MANIFEST must be the one of the beginning: then no segment was released meanwhile. If
  it is another one, only what changed since is copied, and the end is tried again.

So the copy holds every batch that was durable when the backup began, and ends after some batch. It
gets a store id of its own: a server on it gives out numbers that the other server gives out too.

Must never write to the source. Fails with StoreDamaged for damage in the source, StoreBusy when the
server changes it faster than it can be copied, StoreForbidden, StoreNoRoom and DiskError.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from store import account_codec, mailbox
from store.accounts_log import BODY, MAGIC, AccountsLog, accounts_path
from store.disk import Disk, DiskFull, DiskMissing
from store.errors import StoreBusy, StoreDamaged, StoreForbidden, StoreNoRoom
from store.framing import encode_header
from store.inspect import need_manifest
from store.journal_segment import (
    FIRST_BATCH,
    FoundBatch,
    decode_segment_header,
    encode_segment_header,
    find_batch,
    read_batch,
    segment_path,
)
from store.limits import BACKUP_ROUNDS_MAX, PAGE_BYTES
from store.mailbox import Mailbox, mailbox_folder, mailbox_path
from store.manifest import Manifest, replace_manifest
from store.recovery import FOLDERS
from store.registry import REGISTRY
from wire import tlv
from wire.errors import TlvError


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup holds."""

    store_id: bytes  # its own
    mailboxes: int
    last_lsn: int  # of the last batch in it
    rounds: int  # how often MANIFEST had to be looked at


def backup(source: Disk, target: Disk, entropy: Callable[[int], bytes]) -> Copied:
    """Copy a folder into an empty one. Raises StoreError, DiskError."""
    if target.list(""):
        raise StoreForbidden("the folder for the backup must be empty: name a new one")
    work = Backup(source, target, entropy(16))
    try:
        return work.run()
    except DiskFull as error:
        raise StoreNoRoom(f"there is no room for the backup: {error}") from error


class Backup:
    """One backup."""

    def __init__(self, source: Disk, target: Disk, store_id: bytes) -> None:
        self.source = source
        self.target = target
        self.store_id = store_id
        self.log = AccountsLog(source, b"", 0, 0, 0)  # how far the accounts log is copied
        self.wanted: dict[int, int] = {}  # mailboxes to be copied, up to this logical offset
        self.copied: dict[int, tuple[int, int]] = {}  # mailboxes: base, end
        self.listed: set[int] = set()  # accounts, and everyone, in the log so far
        self.last_lsn = 0
        self.segments: list[int] = []  # of the copy

    def run(self) -> Copied:
        """Round after round until nothing changed during one."""
        for folder in FOLDERS:
            self.target.make_folder(folder)
        for rounds in range(1, BACKUP_ROUNDS_MAX + 1):
            manifest = need_manifest(self.source)
            try:
                self.copy_accounts(manifest)
                self.copy_mailboxes(manifest)
                self.copy_journal(manifest)
            except (StoreDamaged, DiskMissing):
                if need_manifest(self.source) == manifest:
                    raise
                continue  # a file was let go under our hands
            if need_manifest(self.source) == manifest:
                self.finish(manifest)
                return Copied(self.store_id, len(self.copied), self.last_lsn, rounds)
        raise StoreBusy(
            f"the server changed the folder during each of {BACKUP_ROUNDS_MAX} attempts; "
            "try again when less goes on"
        )

    def finish(self, manifest: Manifest) -> None:
        """With MANIFEST the copy is a store; until then a server refuses it."""
        for folder in FOLDERS:
            self.target.sync_folder(folder)
        self.target.sync_folder("")
        replace_manifest(self.target, replace(manifest, store_id=self.store_id))

    # --- accounts ---

    def copy_accounts(self, manifest: Manifest) -> None:
        """What was appended to the accounts log, or a whole new one."""
        log = self.log
        if log.number != manifest.accounts_file:
            with suppress(DiskMissing):
                self.target.remove(accounts_path(log.number))
            log = AccountsLog(self.source, manifest.store_id, manifest.accounts_file, 0, 0)
        source = self.source.open(log.path, writable=False)
        try:
            if not log.length:
                log.check_header(source)
                header = encode_header(MAGIC, BODY.pack(self.store_id, log.number))
                with self.writing(log.path) as target:
                    self.target.write_at(target, 0, header)
                log.length = PAGE_BYTES
                self.log = log
                self.listed.clear()
                self.wanted.clear()
            with self.writing(log.path) as target:
                while log.length < manifest.accounts_bytes:
                    size, payload = log.read_block(source, log.length)
                    self.want(log, payload)
                    data = self.source.read_at(source, log.length, size)
                    self.target.write_at(target, log.length, data)
                    log.length += size
        finally:
            self.source.close(source)
        for number in self.copied.keys() - self.listed:  # gone since, and not in a new log
            del self.copied[number]
            self.target.remove(mailbox_path(number))

    def want(self, log: AccountsLog, payload: bytes) -> None:
        """Which mailboxes the states of one block speak of."""
        try:
            for type_, start, end in tlv.spans(payload, 0, len(payload)):
                value = payload[start:end]
                if type_ == account_codec.TOMBSTONE:
                    number = account_codec.decode_tombstone(value)
                    self.wanted.pop(number, None)
                    self.listed.discard(number)
                    continue
                if type_ == REGISTRY:
                    continue
                if type_ == account_codec.ACCOUNT:
                    queue = account_codec.decode_account(value).queue
                else:
                    queue = account_codec.decode_everyone(value).queue
                self.listed.add(queue.number)
                if queue.has_file:
                    self.wanted[queue.number] = queue.end_offset
        except (ValueError, TlvError) as error:
            raise StoreDamaged(log.path, log.length, str(error)) from error

    # --- mailboxes ---

    def copy_mailboxes(self, manifest: Manifest) -> None:
        """All that are wanted; each is then wanted no more, until a checkpoint adds to it."""
        for number, end in tuple(self.wanted.items()):
            box = Mailbox(self.source, manifest.store_id, number)
            try:
                self.copy_mailbox(box, end)
            finally:
                box.close()
            del self.wanted[number]

    def copy_mailbox(self, box: Mailbox, end: int) -> None:
        """What the copy has not yet, or everything when the file has left that behind."""
        base, done = self.copied.get(box.number, (-1, -1))
        if done < box.header.base or base < 0:
            base = done = box.header.base
            self.begin_mailbox(box)
        with self.writing(box.path) as target:
            while done < end:
                for _, block, raw in box.blocks(done, end):
                    self.target.write_at(target, PAGE_BYTES + done - base, raw)
                    done += block.total_bytes
        self.copied[box.number] = (base, done)

    def begin_mailbox(self, box: Mailbox) -> None:
        """A new file with the header of the source, but of the other store."""
        folder = mailbox_folder(box.number)
        self.target.make_folder(folder)
        with suppress(DiskMissing):
            self.target.remove(box.path)
        header = box.header._replace(store_id=self.store_id)
        with self.writing(box.path) as target:
            self.target.write_at(target, 0, mailbox.encode_header(header))
        self.target.sync_folder(folder)

    @contextmanager
    def writing(self, path: str) -> Iterator[int]:
        """A file of the copy, made when it is not there; synced at the end."""
        try:
            handle = self.target.open(path, writable=True)
        except DiskMissing:
            handle = self.target.create(path)
        try:
            yield handle
            self.target.sync(handle)
        finally:
            self.target.close(handle)

    # --- journal ---

    def copy_journal(self, manifest: Manifest) -> None:
        """Every batch from MANIFEST's on, up to the first that is not there yet."""
        for number in self.segments:
            self.target.remove(segment_path(number))  # of an attempt before this one
        self.segments = [number for number, _ in manifest.segments]
        for number, nonce in manifest.segments:
            with self.writing(segment_path(number)) as target:
                header = encode_segment_header(self.store_id, number, nonce)
                self.target.write_at(target, 0, header)
        walk = JournalWalk(self.source, manifest)
        try:
            for number, batches in groupby(walk.batches(), key=itemgetter(0)):
                with self.writing(segment_path(number)) as target:
                    for _, offset, data in batches:
                        self.target.write_at(target, offset, data)
        finally:
            walk.close()
        self.last_lsn = walk.last_lsn


class JournalWalk:
    """Goes along a journal that somebody else is writing."""

    def __init__(self, disk: Disk, manifest: Manifest) -> None:
        self.disk = disk
        self.manifest = manifest
        self.last_lsn = manifest.replay_lsn - 1
        self.last_crc = manifest.replay_crc
        self.handles: list[int] = []

    def close(self) -> None:
        """Forget the files."""
        for handle in self.handles:
            self.disk.close(handle)

    def batches(self) -> Iterator[tuple[int, int, bytes]]:
        """(segment, offset, bytes) of each batch."""
        for number, nonce in self.manifest.segments:
            path = segment_path(number)
            handle = self.disk.open(path, writable=False)
            self.handles.append(handle)
            found = decode_segment_header(path, self.disk.read_at(handle, 0, PAGE_BYTES))
            if found != (self.manifest.store_id, number, nonce):
                raise StoreDamaged(path, 0, "it is not the segment that MANIFEST names")
        index, offset = 0, FIRST_BATCH
        seen = -1  # a segment in which a later batch was seen, before `offset` was read again
        while self.handles:
            batch = self.read(index, offset)
            number = self.manifest.segments[index][0]
            if batch is not None:
                self.follow(batch, number, offset)
                data = self.disk.read_at(self.handles[index], offset, batch.total_bytes)
                yield number, offset, data
                offset += batch.total_bytes
                seen = -1
            elif seen == index:
                reason = f"batch {self.last_lsn + 1} is damaged, and a later one stands behind it"
                raise StoreDamaged(segment_path(number), offset, reason)
            elif seen > index:
                index, offset, seen = index + 1, FIRST_BATCH, -1
            else:
                seen = self.look_ahead(index, offset)
                if seen < 0:
                    return

    def read(self, index: int, offset: int) -> FoundBatch | None:
        """The batch that stands there by now."""
        number, nonce = self.manifest.segments[index]
        handle = self.handles[index]
        end = self.disk.size(handle)
        return read_batch(self.disk, handle, offset, end=end, segment=number, nonce=nonce)

    def follow(self, batch: FoundBatch, number: int, offset: int) -> None:
        """It must be the next one."""
        if batch.lsn != self.last_lsn + 1 or batch.prev_crc != self.last_crc:
            reason = f"batch {batch.lsn} where {self.last_lsn + 1} should be"
            raise StoreDamaged(segment_path(number), offset, reason)
        self.last_lsn = batch.lsn
        self.last_crc = batch.crc

    def look_ahead(self, index: int, offset: int) -> int:
        """The segment in which a batch stands further on; -1 when none does."""
        number, nonce = self.manifest.segments[index]
        handle = self.handles[index]
        end = self.disk.size(handle)
        if find_batch(self.disk, handle, offset, end=end, segment=number, nonce=nonce):
            return index
        for later in range(index + 1, len(self.handles)):
            if self.read(later, FIRST_BATCH) is not None:
                return later
        return -1
