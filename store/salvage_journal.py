"""What is left of the journal when parts of it are damaged: applied as far as it makes sense.

A whole batch behind a gap is applied all the same: its records name accounts and entries by number,
and counters are counted anew afterwards (see `store.repair`). What the gap held is named as far as
its bytes still say; a message whose confirmation was in it stays in the queue, and comes again.

Must never write. Never fails: what cannot be used is a line of the report.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from store import window
from store.admitting_records import Registered
from store.disk import Disk, DiskMissing
from store.errors import StoreDamaged
from store.inspect import records_of
from store.journal import Batch
from store.journal_segment import (
    BATCH,
    FIRST_BATCH,
    FoundBatch,
    decode_segment_header,
    read_batch,
    segment_path,
    torn_bytes,
)
from store.judgement import ImpossibleError, judge, judge_account, judge_time
from store.limits import BATCH_BYTES_SHOWN_MAX, NUMBER_BELIEVED_MAX, PAGE_BYTES
from store.manifest import Manifest
from store.records import Accepted, Begun, Created, Fields, RecordError, decode, numbers_of
from store.repair_report import Report
from store.state import Account, State
from store.window import WindowVerdict
from wire import tlv
from wire.errors import TlvError


class JournalSalvage:
    """Goes through all live segments and applies every whole batch once, in order."""

    def __init__(self, disk: Disk, manifest: Manifest, state: State, report: Report) -> None:
        self.disk = disk
        self.manifest = manifest
        self.state = state
        self.report = report
        lsn, self.next_number = where_it_begins(disk, manifest)
        self.last_lsn = lsn - 1  # -1: not known
        self.last_crc = -1  # of the batch that was read last; -1: the next need not follow it
        if lsn and lsn == manifest.replay_lsn:
            self.last_crc = manifest.replay_crc
        self.suspects: list[tuple[str, int, bytes]] = []  # where a damaged batch of ours begins
        self.missing: list[str] = []  # segments behind the last batch that was found
        self.gaps = 0

    def run(self) -> None:
        """All of it."""
        for number, nonce in self.manifest.segments:
            path = segment_path(number)
            try:
                handle = self.disk.open(path, writable=False)
            except DiskMissing:
                self.report.damage(path, 0, "it is missing")
                self.missing.append(path)
                continue
            try:
                self.check_header(handle, number, nonce)
                for offset, batch in self.walk(handle, number, nonce):
                    self.take(batch, path, offset)
            finally:
                self.disk.close(handle)
        for path in self.missing:
            self.gaps += 1
            self.report.doubt(f"what stood in {path}, if anything: no batch comes after it")
        self.name_suspects(certain=False)  # nothing whole behind them: torn, or the very last

    def check_header(self, handle: int, number: int, nonce: int) -> None:
        """A bad header is only told: MANIFEST knows the nonce, and batches carry it."""
        path = segment_path(number)
        try:
            found = decode_segment_header(path, self.disk.read_at(handle, 0, PAGE_BYTES))
            if found != (self.manifest.store_id, number, nonce):
                self.report.damage(path, 0, "it is not the segment that MANIFEST names")
        except StoreDamaged as error:
            self.report.damage(error.file, error.offset, error.reason)

    def walk(self, handle: int, number: int, nonce: int) -> Iterator[tuple[int, FoundBatch]]:
        """The whole batches of a segment, and where others may have been."""
        path = segment_path(number)
        end = self.disk.size(handle)
        offset = FIRST_BATCH
        was_whole = True
        while offset < end:
            batch = read_batch(self.disk, handle, offset, end=end, segment=number, nonce=nonce)
            if batch is None:
                if was_whole and torn_bytes(
                    self.disk, handle, offset, end=end, segment=number, nonce=nonce
                ):
                    payload = self.disk.read_at(handle, offset + BATCH.size, BATCH_BYTES_SHOWN_MAX)
                    self.suspects.append((path, offset, payload))
                was_whole = False
                offset += PAGE_BYTES
                continue
            was_whole = True
            yield offset, batch
            offset += batch.total_bytes

    def take(self, batch: FoundBatch, path: str, offset: int) -> None:
        """One batch; if it does not follow the one before, something between them is lost."""
        state, lsn, number = self.state, batch.lsn, batch.first_number
        first = self.last_lsn + 1
        if first and batch.prev_crc == self.last_crc:  # it follows, whatever it says
            if (lsn, number) != (first, self.next_number):
                reason = f"batch {lsn}, number {number} where {self.next_number} should be"
                self.report.damage(path, offset, reason)
            lsn, number = first, self.next_number
        if max(lsn, number) > NUMBER_BELIEVED_MAX:
            self.report.damage(path, offset, f"batch {lsn}, number {number}")
            self.report.lose("what stands in that batch", 0)
            self.gaps += 1
            return
        if lsn <= self.last_lsn:
            return
        if first and lsn > first:
            self.gaps += 1
            self.report.lose(
                f"journal batches {first} to {lsn - 1}, with what happened at the numbers "
                f"{state.next_number} to {number - 1}",
                0,
            )
            self.name_suspects(certain=True)
        self.suspects.clear()
        self.missing.clear()
        self.last_lsn, self.last_crc = lsn, batch.crc
        self.apply(Batch(lsn, number, batch.payload, path, offset))

    def apply(self, batch: Batch) -> None:
        """The records of one batch."""
        self.next_number = batch.first_number
        try:
            for number, type_, fields in records_of(batch):
                self.next_number = number + numbers_of(fields)
                if self.make_fit(number, fields) and self.is_possible(batch, number, fields):
                    self.state.apply(type_, fields, number)
        except StoreDamaged as error:
            self.report.damage(error.file, error.offset, error.reason)
            self.gaps += 1
            self.last_crc = -1  # nobody knows where the next batch begins

    def make_fit(self, number: int, fields: Fields) -> bool:
        """Whether to apply the record; what contradicts it gives way, for the record is newer."""
        state = self.state
        if isinstance(fields, Created | Registered):
            if isinstance(fields, Registered):
                state.registry.use(fields.invite)
            known = state.by_number.get(number)
            if known is not None and known.stamp == number and isinstance(fields, Registered):
                known.credential = fields.credential  # only its mailbox was left
                state.dirty[number] = known
            if known is not None or number in state.deleted:
                return False
            old = state.by_name.get(fields.name)
            if old is not None:
                self.report.doubt_account(old, "it was deleted: the name was taken again")
                forget_account(state, old)
        elif isinstance(fields, Accepted):
            sender = state.by_number.get(fields.sender)
            if sender is not None and number > sender.stamp:
                take_if_new(sender.windows, fields.message_id)
                state.dirty[sender.number] = sender
        return True

    def is_possible(self, batch: Batch, number: int, fields: Fields) -> bool:
        """Whether the record can be true; what is counted anew later on may say what it likes."""
        try:
            if isinstance(fields, Created | Registered):
                judge_time(fields)
            elif isinstance(fields, Begun):
                judge_time(fields)
                judge_account(number, fields.account)
            else:
                judge(self.state, number, fields)
        except ImpossibleError as error:
            reason = f"batch {batch.lsn}, record {number}: {error}"
            self.report.damage(batch.file, batch.offset, reason)
            self.gaps += 1
            return False
        return True

    def name_suspects(self, *, certain: bool) -> None:
        """The records of damaged batches, as far as they can be made out."""
        for path, offset, payload in self.suspects:
            self.report.damage(path, offset, "a batch that is not whole")
            for type_, fields in readable(payload):
                self.report.doubt_record(self.state, type_, fields, certain=certain)


def where_it_begins(disk: Disk, manifest: Manifest) -> tuple[int, int]:
    """LSN and number of the first batch; where MANIFEST and the batches disagree, what most say."""
    lsn, begins = manifest.replay_lsn, Counter([manifest.next_number])
    crc, numbers = -1, 0
    for number, nonce in manifest.segments:
        for offset, batch in batches_of(disk, number, nonce):
            if crc < 0:
                lsn = min(lsn, batch.lsn)
            elif batch.prev_crc != crc:
                break
            crc = batch.crc
            begins[batch.first_number - numbers] += 1
            whole = Batch(batch.lsn, 0, batch.payload, segment_path(number), offset)
            with suppress(StoreDamaged):
                numbers += sum(numbers_of(fields) for _, _, fields in records_of(whole))
    return lsn, begins.most_common(1)[0][0]


def last_number(disk: Disk, manifest: Manifest) -> int:
    """The last number that any record has, as far as the journal can be read."""
    last = manifest.next_number - 1
    for number, nonce in manifest.segments:
        for offset, batch in batches_of(disk, number, nonce):
            path = segment_path(number)
            with suppress(StoreDamaged):
                whole = Batch(batch.lsn, batch.first_number, batch.payload, path, offset)
                for first, _, fields in records_of(whole):
                    last = max(last, first + numbers_of(fields) - 1)
    return min(last, NUMBER_BELIEVED_MAX)


def batches_of(disk: Disk, number: int, nonce: int) -> Iterator[tuple[int, FoundBatch]]:
    """(offset, batch) of each that is whole; none when the segment is missing."""
    try:
        handle = disk.open(segment_path(number), writable=False)
    except DiskMissing:
        return
    try:
        offset, end = FIRST_BATCH, disk.size(handle)
        while offset < end:
            batch = read_batch(disk, handle, offset, end=end, segment=number, nonce=nonce)
            if batch is not None:
                yield offset, batch
            offset += PAGE_BYTES if batch is None else batch.total_bytes
    finally:
        disk.close(handle)


def readable(payload: bytes) -> Iterator[tuple[int, Fields]]:
    """The records at the beginning of damaged bytes that can still be made out."""
    try:
        for type_, start, end in tlv.spans(payload, 0, len(payload)):
            try:
                yield type_, decode(type_, payload[start:end])
            except RecordError:
                continue
    except TlvError:
        return


def forget_account(state: State, account: Account) -> None:
    """An account that must be gone, though its deletion is not on record."""
    state.accounts.remove(account)
    state.dirty.pop(account.number, None)
    state.deleted[account.number] = None


def take_if_new(windows: dict[bytes, window.Window], message_id: bytes) -> None:
    """Make `State.apply` able to take this id: a window that says otherwise begins anew."""
    known = windows.get(message_id[:8])
    if known is not None:
        counter = int.from_bytes(message_id[8:], "big")
        if known.verdict(counter) is not WindowVerdict.NEW:
            del windows[message_id[:8]]
