"""Reading a journal back: which batches were durable, and where an unfinished one begins.

Batch k+1 is written only after the sync of batch k returned. So a whole batch after a damaged one
proves corruption, and recovery refuses. Damage with nothing whole behind it is a torn tail that
nobody was ever told of: it is copied aside and said so. Anything else is a clean end.

Must never write to a segment. Fails with StoreDamaged and StoreFromTheFuture.
"""

from collections.abc import Generator, Iterator
from contextlib import suppress
from re import compile as pattern
from typing import Final

from store.disk import Disk, DiskError, DiskFull, DiskMissing
from store.errors import StoreDamaged
from store.journal import Batch
from store.journal_segment import (
    FIRST_BATCH,
    decode_segment_header,
    find_batch,
    read_batch,
    segment_path,
    torn_bytes,
)
from store.limits import PAGE_BYTES, TORN_BYTES_MAX, TORN_FILES_MAX

NAME: Final = pattern(r"[0-9a-f]{16}\.journal")
TEMPORARY: Final = pattern(r"[0-9a-f]{16}\.journal\.tmp")


class JournalReplay:
    """The journal as an earlier process left it.

    After `batches` ran to its end: `last_lsn` and `last_crc` are those of the last durable batch,
    `used` says how many bytes of batches each live segment has.
    """

    def __init__(
        self,
        disk: Disk,
        store_id: bytes,
        live: tuple[tuple[int, int], ...],
        replay_lsn: int,
        replay_crc: int,
        *,
        read_only: bool,
    ) -> None:
        self.disk = disk
        self.store_id = store_id
        self.live = live  # (number, nonce), in order, as MANIFEST lists them
        self.last_lsn = replay_lsn - 1
        self.last_crc = replay_crc
        self.used: list[int] = []
        self.torn: tuple[int, int, int] | None = None  # segment, offset, size
        self.findings: list[str] = []
        self.spares: list[int] = []  # numbers of files that can be used again
        self.highest_number = max((number for number, _ in live), default=0)
        self.read_only = read_only
        self.inspect_folder()

    def inspect_folder(self) -> None:
        """Look at what is there beside the live segments; leftovers become spares."""
        listed = {number for number, _ in self.live}
        for name in self.disk.list("journal"):
            if TEMPORARY.fullmatch(name):
                self.remove(f"journal/{name}")
            elif not NAME.fullmatch(name):
                self.findings.append(f"journal/{name} is not ours; left alone")
            elif int(name[:16], 16) not in listed:
                self.inspect_unlisted(int(name[:16], 16))

    def inspect_unlisted(self, number: int) -> None:
        """A segment that MANIFEST does not name: left from before, or MANIFEST is out of date."""
        path = segment_path(number)
        try:
            self.judge_unlisted(path, number)
        except DiskError as error:
            # Whatever was in it is in the mailboxes; and if it is not, the disk cannot give it.
            self.highest_number = max(self.highest_number, number)
            self.findings.append(f"{path} cannot be read ({error}); it is not needed; left alone")

    def judge_unlisted(self, path: str, number: int) -> None:
        """A spare, a second name, half a segment, or not ours. Raises StoreDamaged, DiskError."""
        handle = self.disk.open(path, writable=False)
        try:
            end = self.disk.size(handle)
            try:
                header = decode_segment_header(path, self.disk.read_at(handle, 0, PAGE_BYTES))
            except StoreDamaged:
                # Half written when the power went; nothing was in it yet. Not to be used again: it
                # may have a second name, and then two segments would be one file.
                self.highest_number = max(self.highest_number, number)
                self.remove(path)
                return
            store_id, found, nonce = header
            if store_id != self.store_id:
                self.findings.append(f"{path} belongs to another store; left alone")
                self.highest_number = max(self.highest_number, number)
                return
            batch = read_batch(self.disk, handle, FIRST_BATCH, end=end, segment=found, nonce=nonce)
            if batch is not None and batch.lsn > self.last_lsn and found == number:
                raise StoreDamaged(path, FIRST_BATCH, "MANIFEST is older than this segment")
        finally:
            self.disk.close(handle)
        if found == number:
            self.spares.append(number)
        else:
            self.remove(path)  # a second name of a file that was being renamed to `found`

    def remove(self, path: str) -> None:
        """Remove a leftover of ours, unless we only look."""
        if not self.read_only:
            self.disk.remove(path)

    def batches(self) -> Iterator[Batch]:
        """Every durable batch, in order; to be run to its end."""
        torn: tuple[int, int, int] | None = None
        for number, nonce in self.live:
            path = segment_path(number)
            try:
                handle = self.disk.open(path, writable=False)
            except DiskMissing as error:
                raise StoreDamaged(path, 0, "it is missing") from error
            try:
                found = decode_segment_header(path, self.disk.read_at(handle, 0, PAGE_BYTES))
                if found != (self.store_id, number, nonce):
                    raise StoreDamaged(path, 0, "it is not the segment that MANIFEST names")
                end = self.disk.size(handle)
                offset = yield from self.walk(handle, end=end, number=number, nonce=nonce)
                self.used.append(offset - FIRST_BATCH)
                size = torn_bytes(self.disk, handle, offset, end=end, segment=number, nonce=nonce)
                if size:
                    torn = (number, offset, size)
            finally:
                self.disk.close(handle)
        if torn is not None:
            self.torn = torn

    def walk(
        self, handle: int, *, end: int, number: int, nonce: int
    ) -> Generator[Batch, None, int]:
        """The batches of one segment; returns where they end."""
        path = segment_path(number)
        offset = FIRST_BATCH
        while True:
            batch = read_batch(self.disk, handle, offset, end=end, segment=number, nonce=nonce)
            if batch is None:
                break
            if batch.lsn != self.last_lsn + 1 or batch.prev_crc != self.last_crc:
                reason = f"batch {batch.lsn} where {self.last_lsn + 1} should be"
                raise StoreDamaged(path, offset, reason)
            yield Batch(batch.lsn, batch.first_number, batch.payload, path, offset)
            self.last_lsn = batch.lsn
            self.last_crc = batch.crc
            offset += batch.total_bytes
        later = find_batch(self.disk, handle, offset, end=end, segment=number, nonce=nonce)
        if later is not None:
            reason = f"batch {self.last_lsn + 1} is damaged, and {later.lsn} stands behind it"
            raise StoreDamaged(path, offset, reason)
        return offset

    def keep_torn(self) -> None:
        """Copy an unfinished batch aside; nobody was told of it, and somebody may want to look."""
        if self.torn is None:
            return
        number, offset, size = self.torn
        path = segment_path(number)
        copy = f"torn/{number:016x}-{offset:08x}.torn"
        text = f"{path}: an unfinished batch of {size} bytes at byte {offset}, never acknowledged"
        name = copy.removeprefix("torn/")
        if size > TORN_BYTES_MAX or len({name, *self.disk.list("torn")}) > TORN_FILES_MAX:
            self.findings.append(f"{text}; torn/ is full, so no copy was kept")
            return
        source = self.disk.open(path, writable=False)
        data = self.disk.read_at(source, offset, size)
        self.disk.close(source)
        with suppress(DiskMissing):
            self.disk.remove(copy)
        target = self.disk.create(copy)
        try:
            self.disk.write_at(target, 0, data)
            self.disk.sync(target)
            self.disk.sync_folder("torn")
            self.findings.append(f"{text}; copied to {copy}")
        except DiskFull:
            self.findings.append(f"{text}; the disk is full, so no copy was kept")
        finally:
            self.disk.close(target)
