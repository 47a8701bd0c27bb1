"""What is left of the journal when parts of it are damaged: applied as far as it makes sense.

A whole batch behind a gap is applied all the same: its records name accounts and entries by number,
and counters are counted anew afterwards (see `store.repair`). What the gap held is named as far as
its bytes still say; a message whose confirmation was in it stays in the queue, and comes again.

Must never write. Never fails: what cannot be used is a line of the report.
"""

from collections.abc import Iterator

from store import window
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
from store.limits import BATCH_BYTES_SHOWN_MAX, PAGE_BYTES
from store.manifest import Manifest
from store.records import Accepted, Created, Fields, RecordError, decode
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
        self.last_lsn = manifest.replay_lsn - 1  # -1: not known
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
        if batch.lsn <= self.last_lsn:
            return
        first = self.last_lsn + 1
        if first and batch.lsn > first:
            self.gaps += 1
            self.report.lose(
                f"journal batches {first} to {batch.lsn - 1}, with what happened at the numbers "
                f"{self.state.next_number} to {batch.first_number - 1}",
                0,
            )
            self.name_suspects(certain=True)
        self.suspects.clear()
        self.missing.clear()
        self.last_lsn = batch.lsn
        self.apply(Batch(batch.lsn, batch.first_number, batch.payload, path, offset))

    def apply(self, batch: Batch) -> None:
        """The records of one batch."""
        try:
            for number, type_, fields in records_of(batch):
                if self.make_fit(number, fields):
                    self.state.apply(type_, fields, number)
        except StoreDamaged as error:
            self.report.damage(error.file, error.offset, error.reason)
            self.gaps += 1

    def make_fit(self, number: int, fields: Fields) -> bool:
        """Whether to apply the record; what contradicts it gives way, for the record is newer."""
        state = self.state
        if isinstance(fields, Created):
            if number in state.by_number or number in state.deleted:
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

    def name_suspects(self, *, certain: bool) -> None:
        """The records of damaged batches, as far as they can be made out."""
        for path, offset, payload in self.suspects:
            self.report.damage(path, offset, "a batch that is not whole")
            for type_, fields in readable(payload):
                self.report.doubt_record(self.state, type_, fields, certain=certain)


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
