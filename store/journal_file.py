"""The journal in files: segments that are written to once, in order, and then used again.

A batch is written with one call and synced before the next one is written; `journal_replay` rests
on that. A segment is made (or made new, under a new nonce) before it is needed, and is listed in
MANIFEST before the first batch goes into it: a segment that is missing later is noticed.

Must never write to a segment that an earlier process wrote to. Any error while writing or syncing
is a StoreFailure; what was appended is then neither safe nor known to be lost.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress

from store.disk import Disk, DiskError, DiskFull, DiskMissing
from store.errors import StoreFailure
from store.journal import Batch
from store.journal_replay import JournalReplay
from store.journal_segment import (
    BATCH,
    FIRST_BATCH,
    encode_batch,
    encode_segment_header,
    segment_path,
)
from store.limits import (
    PAGE_BYTES,
    PREALLOCATE_SLICE_BYTES,
    SEGMENTS_SPARE_MAX,
    SYNC_SAMPLES_MAX,
)
from store.settings import Settings, StoreClock


class Segment:
    """A live segment of this journal."""

    __slots__ = ("first_lsn", "nonce", "number", "used")

    def __init__(self, number: int, nonce: int) -> None:
        self.number = number
        self.nonce = nonce
        self.first_lsn = 0  # of its first batch, once it is written to
        self.used = 0  # bytes of batches


class FileJournal:
    """See `store.journal.Journal`."""

    def __init__(
        self,
        *,
        disk: Disk,
        clock: StoreClock,
        entropy: Callable[[int], bytes],
        settings: Settings,
        store_id: bytes,
        past: JournalReplay,
        publish: Callable[[], None],
        make_room: Callable[[], bool],
    ) -> None:
        """`publish` makes the list `live()` durable, or raises DiskFull; `make_room` gives up the
        reserve and says whether there was one.
        """
        self.disk = disk
        self.clock = clock
        self.entropy = entropy
        self.segment_bytes = settings.journal_segment_bytes
        self.batch_bytes_max = settings.batch_bytes_max
        assert FIRST_BATCH + PAGE_BYTES + self.batch_bytes_max <= self.segment_bytes
        self.store_id = store_id
        self.past = past
        self.publish = publish
        self.make_room = make_room
        self.segments: list[Segment] = []  # live, in order; the last is written to
        self.prepared: Segment | None = None  # the next one
        self.making: Generator[None, None, None] | None = None  # of the next one, under way
        self.past_live = past.live  # segments of an earlier process that are still needed
        self.spares = past.spares  # numbers of files that can be used again
        self.highest_number = 0
        self.bytes_used = 0  # of batches, in live segments
        self.handle = -1
        self.prev_crc = 0
        self.durable_lsn = 0
        self.open_lsn = 1
        self.next_number = 1
        self.first_number = 1  # of the open batch
        self.records: list[bytes] = []
        self.records_bytes = 0
        self.sealed = True  # damage to any batch that counts can be told from a torn one
        self.full: list[tuple[int, list[bytes]]] = []  # batches before the open one
        self.commits = 0
        self.sync_us: list[int] = []  # how long the last syncs took

    # --- beginning ---

    def replay(self) -> Iterator[Batch]:
        """What an earlier process left, to be run to its end before `start`."""
        return self.past.batches()

    def start(self, next_number: int) -> None:
        """Begin a segment of our own; MANIFEST must name it before a commit. Raises DiskFull."""
        assert self.handle < 0
        past = self.past
        self.next_number = next_number
        self.durable_lsn = past.last_lsn
        self.open_lsn = past.last_lsn + 1
        self.prev_crc = past.last_crc
        self.highest_number = max([past.highest_number, *past.spares])
        for _ in self.prepare():
            pass
        self.enter_prepared()

    # --- the open batch ---

    @property
    def batch_is_empty(self) -> bool:
        """Whether nothing waits for a commit."""
        return not self.records

    def append(self, record: bytes, numbers: int) -> None:
        """Put a record into the open batch, or into the next when it does not fit."""
        size = len(record)
        assert size <= self.batch_bytes_max, size
        if self.records_bytes + size > self.batch_bytes_max:
            self.full.append((self.first_number, self.records))
            self.records = []
            self.records_bytes = 0
            self.open_lsn += 1
        if not self.records:
            self.first_number = self.next_number
        self.records.append(record)
        self.records_bytes += size
        self.next_number += numbers

    def append_run(self, records: list[bytes]) -> None:
        """`append` for several records in a row, each of one number."""
        size = sum(map(len, records))
        if self.records_bytes + size > self.batch_bytes_max:
            for record in records:
                self.append(record, 1)
            return
        if not self.records:
            self.first_number = self.next_number
        self.records += records
        self.records_bytes += size
        self.next_number += len(records)

    def commit(self) -> int:
        """One write and one sync, or more when more than a batch's worth was appended."""
        assert self.records
        try:
            for first_number, records in self.full:
                self.write_batch(first_number, records)
            self.write_batch(self.first_number, self.records)
        except DiskError as error:
            raise StoreFailure(f"the journal cannot be written: {error}") from error
        self.full.clear()
        self.records = []
        self.records_bytes = 0
        self.open_lsn += 1
        assert self.open_lsn == self.durable_lsn + 1
        return self.durable_lsn

    def seal(self) -> bool:
        """A batch with nothing in it, so that damage to the one before it is no torn tail any more;
        not when there is none to protect, nor when it needs another segment.
        """
        assert self.batch_is_empty
        used = FIRST_BATCH + self.segments[-1].used
        if self.sealed or used + BATCH.size > self.segment_bytes:
            return False
        try:
            self.write_batch(self.next_number, [])
        except DiskError as error:
            raise StoreFailure(f"the journal cannot be written: {error}") from error
        self.open_lsn += 1
        self.sealed = True
        return True

    def write_batch(self, first_number: int, records: list[bytes]) -> None:
        """One batch, durable on return."""
        size = BATCH.size + sum(map(len, records))
        if FIRST_BATCH + self.segments[-1].used + size > self.segment_bytes:
            self.rotate()
        segment = self.segments[-1]
        data, crc = encode_batch(
            lsn=self.durable_lsn + 1,
            first_number=first_number,
            records=records,
            prev_crc=self.prev_crc,
            segment=segment.number,
            nonce=segment.nonce,
            wall_ms=self.clock.wall_ms(),
        )
        begun_us = self.clock.monotonic_us()
        self.disk.write_at(self.handle, FIRST_BATCH + segment.used, data)
        self.disk.sync_data(self.handle)
        self.note_sync(self.clock.monotonic_us() - begun_us)
        segment.used += len(data)
        self.bytes_used += len(data)
        self.prev_crc = crc
        self.sealed = False
        self.durable_lsn += 1
        self.commits += 1

    def note_sync(self, took_us: int) -> None:
        """Remember how long the last ones took."""
        if len(self.sync_us) >= SYNC_SAMPLES_MAX:
            del self.sync_us[: SYNC_SAMPLES_MAX // 2]
        self.sync_us.append(took_us)

    # --- segments ---

    def live(self) -> tuple[tuple[int, int], ...]:
        """(number, nonce) of every segment that MANIFEST must name."""
        both = [*self.segments, self.prepared] if self.prepared else self.segments
        return (*self.past_live, *[(segment.number, segment.nonce) for segment in both])

    def live_from(self, lsn: int) -> tuple[tuple[int, int], ...]:
        """`live`, without the segments that `release(lsn)` will let go."""
        gone = {number for number, _ in self.past_live}
        gone.update(segment.number for segment in self.segments[:-1] if segment.first_lsn < lsn)
        return tuple(each for each in self.live() if each[0] not in gone)

    def rotate(self) -> int:
        """Go on in the next segment; returns the LSN of the first batch in it."""
        if self.segments[-1].used:
            if self.prepared is None:
                try:
                    self.make_ready()
                except DiskFull:
                    if not self.make_room():
                        raise
                    self.make_ready()
            self.enter_prepared()
        return self.durable_lsn + 1

    def release(self, upto_lsn: int) -> None:
        """Let go of the segments before the one that begins with `upto_lsn`."""
        self.spares.extend(number for number, _ in self.past_live)
        self.past_live = ()
        while self.segments[0].first_lsn < upto_lsn and len(self.segments) > 1:
            segment = self.segments.pop(0)
            self.bytes_used -= segment.used
            self.spares.append(segment.number)
        self.sealed = self.sealed or not self.bytes_used

    def drop_spare(self) -> bool:
        """Remove one of the unused files that no rotation will need; False when there is none."""
        if len(self.spares) <= SEGMENTS_SPARE_MAX:
            return False
        self.disk.remove(segment_path(self.spares[0]))
        del self.spares[0]
        return True

    def enter_prepared(self) -> None:
        """Write to the prepared segment from now on."""
        assert self.prepared is not None
        handle = self.disk.open(segment_path(self.prepared.number), writable=True)
        if self.handle >= 0:
            self.disk.close(self.handle)
        self.handle = handle
        self.prepared.first_lsn = self.durable_lsn + 1
        self.segments.append(self.prepared)
        self.prepared = None

    def make_ready(self) -> None:
        """Prepare the next segment, and name it in MANIFEST, now. Raises DiskFull."""
        while not self.step_ready():
            pass

    def step_ready(self) -> bool:
        """A slice of that, one sync or so; True at the end. DiskFull: it begins again."""
        assert self.prepared is None
        if self.making is None:
            self.making = self.prepare_and_publish()
        try:
            next(self.making)
        except StopIteration:
            self.making = None
            return True
        except DiskFull:
            self.making = None
            raise
        return False

    def prepare_and_publish(self) -> Generator[None, None, None]:
        """The steps of `make_ready`."""
        yield from self.prepare()
        try:
            self.publish()
        except DiskFull:  # not named, so it must not be written to
            assert self.prepared is not None
            self.spares.append(self.prepared.number)
            self.prepared = None
            raise

    def prepare(self) -> Generator[None, None, None]:
        """Make the next segment, of a spare if there is one of the right size. Raises DiskFull."""
        number = self.highest_number + 1
        nonce = int.from_bytes(self.entropy(8), "big")
        header = encode_segment_header(self.store_id, number, nonce)
        path = segment_path(number)
        old = self.take_spare()
        if old is None:
            old = path + ".tmp"
            yield from self.make_file(old, header)
        else:
            handle = self.disk.open(old, writable=True)
            try:
                self.disk.write_at(handle, 0, header)
                self.disk.sync(handle)
            finally:
                self.disk.close(handle)
        yield
        self.disk.rename(old, path)
        self.disk.sync_folder("journal")
        self.highest_number = number
        yield
        self.prepared = Segment(number, nonce)

    def take_spare(self) -> str | None:
        """The path of a file to use again; those of another size are of no use."""
        while self.spares:
            path = segment_path(self.spares.pop())
            handle = self.disk.open(path, writable=False)
            size = self.disk.size(handle)
            self.disk.close(handle)
            if size == self.segment_bytes:
                return path
            self.disk.remove(path)
        return None

    def make_file(self, path: str, header: bytes) -> Generator[None, None, None]:
        """A file of zeros with a header. Raises DiskFull, and leaves nothing then."""
        with suppress(DiskMissing):
            self.disk.remove(path)
        handle = self.disk.create(path)
        try:
            for size in range(PREALLOCATE_SLICE_BYTES, self.segment_bytes, PREALLOCATE_SLICE_BYTES):
                self.disk.preallocate(handle, size)
                self.disk.sync(handle)  # each time: one sync of everything could take long
                yield
            self.disk.preallocate(handle, self.segment_bytes)
            self.disk.write_at(handle, 0, header)
            self.disk.sync(handle)
        except DiskFull:
            self.disk.remove(path)
            raise
        finally:
            self.disk.close(handle)

    def close(self) -> None:
        """Forget the files."""
        if self.making is not None:
            self.making.close()
            self.making = None
        self.disk.close(self.handle)
        self.handle = -1
