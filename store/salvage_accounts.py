"""What is left of MANIFEST and of the accounts log, when parts of them are damaged.

Without MANIFEST its contents are guessed from the other files: every accounts log, every journal
segment. Guessed is not known, so then no account is *sure*. An account is sure when its newest
state stands behind the last damage of a log that MANIFEST vouches for; of the others a newer
state may have been in what is damaged.

Must never write, nor drop a whole block because another one is bad. Fails with StoreDamaged only
when nothing says which store this is.
"""

from re import compile as pattern

from store import account_codec
from store.accounts_log import AccountsLog, accounts_path
from store.disk import Disk, DiskMissing
from store.errors import StoreDamaged
from store.framing import decode_header
from store.inspect import mailbox_files
from store.journal_segment import (
    BATCH_MAGIC,
    FIRST_BATCH,
    NONCE_AT,
    decode_segment_header,
    segment_path,
)
from store.limits import PAGE_BYTES
from store.mailbox import MAGIC as MAILBOX_MAGIC
from store.manifest import MANIFEST, Manifest, read_present_manifest
from store.registry import REGISTRY, Registry, decode_registry
from store.repair_report import Report
from store.state import EVERYONE, Everyone
from wire import tlv
from wire.errors import TlvError

NUMBERED = pattern(r"[0-9a-f]{16}\.(journal|accounts|mailbox)")
ACCOUNTS_MAGIC = b"MSGA"


def numbers_in(disk: Disk, folder: str) -> list[int]:
    """The numbers of our files in a folder, in order."""
    try:
        names = disk.list(folder)
    except DiskMissing:
        return []
    return [int(name[:16], 16) for name in names if NUMBERED.fullmatch(name)]


def mailboxes_of(disk: Disk) -> list[tuple[int, str]]:
    """(number, path) of our files under mailboxes/."""
    try:
        paths = list(mailbox_files(disk))
    except DiskMissing:
        return []
    names = [(path, path.rpartition("/")[2]) for path in paths]
    return [(int(name[:16], 16), path) for path, name in names if NUMBERED.fullmatch(name)]


def page_of(disk: Disk, path: str, offset: int) -> bytes:
    """A page of a file, shorter where the file ends."""
    handle = disk.open(path, writable=False)
    try:
        return disk.read_at(handle, offset, PAGE_BYTES)
    finally:
        disk.close(handle)


def salvage_manifest(disk: Disk, report: Report) -> tuple[Manifest, bool]:
    """(MANIFEST or a guess at it, whether it is MANIFEST)."""
    try:
        manifest = read_present_manifest(disk)
        if manifest is not None:
            return manifest, True
        report.damage(MANIFEST, 0, "it is missing")
    except StoreDamaged as error:
        report.damage(error.file, error.offset, error.reason)
    logs = numbers_in(disk, "accounts")
    return (
        Manifest(
            store_id=find_store_id(disk),
            generation=1,
            next_number=1,
            last_received_at_ms=0,
            replay_lsn=0,
            replay_crc=0,
            accounts_file=logs[-1] if logs else 1,
            accounts_bytes=0,
            accounts_blocks=0,
            segments=find_segments(disk),
        ),
        False,
    )


def find_store_id(disk: Disk) -> bytes:
    """Which store this is, from the header of any file. Raises StoreDamaged."""
    paths = [(accounts_path(number), ACCOUNTS_MAGIC) for number in numbers_in(disk, "accounts")]
    paths += [(segment_path(number), b"MSGJ") for number in numbers_in(disk, "journal")]
    paths += [(path, MAILBOX_MAGIC) for _, path in mailboxes_of(disk)]
    for path, magic in paths:
        try:
            return decode_header(path, magic, page_of(disk, path, 0))[:16]
        except StoreDamaged:
            continue
    raise StoreDamaged(MANIFEST, 0, "it cannot be read, and no other file says which store this is")


def find_segments(disk: Disk) -> tuple[tuple[int, int], ...]:
    """(number, nonce) of every segment there is; where the header is bad its first batch knows."""
    found: set[tuple[int, int]] = set()  # a file that was being renamed may have two names
    for number in numbers_in(disk, "journal"):
        path = segment_path(number)
        try:
            _, of_number, nonce = decode_segment_header(path, page_of(disk, path, 0))
            found.add((of_number, nonce))
        except StoreDamaged:
            head = page_of(disk, path, FIRST_BATCH)
            if head.startswith(BATCH_MAGIC):
                found.add((number, int.from_bytes(head[NONCE_AT : NONCE_AT + 8], "big")))
    return tuple(sorted(found))


class SalvagedAccounts:
    """The newest states that can still be read, and which of them are surely the newest."""

    def __init__(self) -> None:
        self.values: dict[int, bytes] = {}  # by number, as they stand in the log
        self.stamps: dict[int, int] = {}
        self.everyone = Everyone()
        self.registry = Registry()
        self.tombstones: dict[int, None] = {}
        self.sure: set[int] = set()  # EVERYONE among them
        self.damaged = False

    def take(self, payload: bytes) -> None:
        """The states of one whole block. Raises ValueError, TlvError."""
        found = [
            (type_, payload[start:end]) for type_, start, end in tlv.spans(payload, 0, len(payload))
        ]
        for type_, value in found:
            if type_ == account_codec.TOMBSTONE:
                number = account_codec.decode_tombstone(value)
                self.values.pop(number, None)
                self.tombstones[number] = None
            elif type_ == account_codec.EVERYONE:
                everyone = account_codec.decode_everyone(value)
                if everyone.stamp >= self.everyone.stamp:
                    self.everyone = everyone
                    self.sure.add(EVERYONE)
            elif type_ == REGISTRY:
                self.registry = decode_registry(value)
            else:
                self.take_account(value)

    def take_account(self, value: bytes) -> None:
        """One account, unless a newer state of it is known, or that it is gone."""
        account = account_codec.decode_account(value)
        number = account.number
        if number not in self.tombstones and self.stamps.get(number, 0) <= account.stamp:
            self.values[number] = value
            self.stamps[number] = account.stamp
            self.sure.add(number)

    def doubt_all(self) -> None:
        """What was read so far may be out of date."""
        self.damaged = True
        self.sure.clear()


def salvage_accounts(
    disk: Disk, manifest: Manifest, report: Report, *, known: bool
) -> SalvagedAccounts:
    """Every state that can be read."""
    found = SalvagedAccounts()
    numbers = [manifest.accounts_file] if known else numbers_in(disk, "accounts")
    for number in numbers:
        limit = manifest.accounts_bytes if known else 0
        salvage_log(disk, AccountsLog(disk, manifest.store_id, number, limit, 0), found, report)
    if not known:
        found.doubt_all()
    return found


def salvage_log(disk: Disk, log: AccountsLog, found: SalvagedAccounts, report: Report) -> None:
    """One file: up to what is trusted, or to its end when nobody says what is."""
    try:
        handle = disk.open(log.path, writable=False)
    except DiskMissing:
        report.damage(log.path, 0, "it is missing")
        found.doubt_all()
        return
    try:
        try:
            log.check_header(handle)
        except StoreDamaged as error:
            report.damage(error.file, error.offset, error.reason)
            found.damaged = True  # to be written anew; its blocks speak for themselves
        limit = log.length or disk.size(handle)
        offset = PAGE_BYTES
        bad = 0
        while offset < limit:
            try:
                size, payload = log.read_block(handle, offset)
                found.take(payload)
                offset += size
                bad = 0
            except (StoreDamaged, ValueError, TlvError) as error:
                if not bad and log.length:
                    report.damage(log.path, offset, reason_of(error))
                bad = offset
                found.doubt_all()
                offset += PAGE_BYTES
    finally:
        disk.close(handle)


def reason_of(error: Exception) -> str:
    """What is wrong, without the advice."""
    return error.reason if isinstance(error, StoreDamaged) else str(error)
