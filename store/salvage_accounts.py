"""What is left of MANIFEST and of the accounts log, when parts of them are damaged.

Without MANIFEST its contents are guessed from the other files: every accounts log, every journal
segment. Guessed is not known, so then no account is *sure*. An account is sure when its newest
state stands behind the last damage of a log that MANIFEST vouches for; of the others a newer
state may have been in what is damaged.

Must never write, nor drop a whole block because another one is bad. Fails with StoreDamaged only
when nothing says which store this is.
"""

from contextlib import suppress
from dataclasses import replace
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
    read_batch,
    segment_path,
)
from store.limits import NUMBER_BELIEVED_MAX, PAGE_BYTES
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
        if manifest is None:
            report.damage(MANIFEST, 0, "it is missing")
        elif max(manifest.numbers) <= NUMBER_BELIEVED_MAX:
            return with_unnamed(disk, manifest, report), True
        else:
            report.damage(MANIFEST, 0, "it has numbers that cannot be")
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


def with_unnamed(disk: Disk, manifest: Manifest, report: Report) -> Manifest:
    """With the segments that MANIFEST should name: a batch that it has not seen begins them."""
    found: list[tuple[int, int]] = []
    for number, nonce in find_segments(disk):
        path = segment_path(number)
        with suppress(DiskMissing):
            handle = disk.open(path, writable=False)
            try:
                end = disk.size(handle)
                batch = read_batch(disk, handle, FIRST_BATCH, end=end, segment=number, nonce=nonce)
            finally:
                disk.close(handle)
            is_new = batch is not None and batch.lsn >= manifest.replay_lsn
            if is_new and (number, nonce) not in manifest.segments:
                report.damage(MANIFEST, 0, f"it does not name {path}")
                found.append((number, nonce))
    segments = tuple(dict(manifest.segments).items())  # each number once
    return replace(
        manifest,
        segments=tuple(sorted({**dict(segments), **dict(found)}.items())) if found else segments,
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
    found: dict[int, int] = {}  # a file that was being renamed may have two names
    for number in numbers_in(disk, "journal"):
        path = segment_path(number)
        try:
            _, of_number, nonce = decode_segment_header(path, page_of(disk, path, 0))
            if of_number == number or of_number not in found:
                found[of_number] = nonce
        except StoreDamaged:
            head = page_of(disk, path, FIRST_BATCH)
            if head.startswith(BATCH_MAGIC):
                found[number] = int.from_bytes(head[NONCE_AT : NONCE_AT + 8], "big")
    return tuple(sorted(found.items()))


class SalvagedAccounts:
    """The newest states that can still be read, and which of them are surely the newest."""

    def __init__(self, number_max: int = NUMBER_BELIEVED_MAX, *, one_log: bool = False) -> None:
        self.number_max = number_max  # nothing that was saved is of a later record
        self.one_log = one_log  # else what comes later may be older
        self.values: dict[int, bytes] = {}  # by number, as they stand in the log
        self.stamps: dict[int, int] = {}
        self.everyone = Everyone()
        self.registry = Registry()
        self.tombstones: dict[int, None] = {}
        self.named_twice: set[int] = set()  # by which states of two names go
        self.sure: set[int] = set()  # EVERYONE among them
        self.damaged = False

    def take(self, payload: bytes) -> list[str]:
        """The states of one whole block; what is wrong with those that cannot be. Raises TlvError.

        The checksum is right, so the others are what somebody wrote.
        """
        problems: list[str] = []
        for type_, start, end in tuple(tlv.spans(payload, 0, len(payload))):
            try:
                self.take_state(type_, payload[start:end])
            except ValueError as error:
                problems.append(str(error))
                self.doubt_all()
        return problems

    def take_state(self, type_: int, value: bytes) -> None:
        """One state. Raises ValueError."""
        if type_ == account_codec.ACCOUNT:
            self.take_account(value)
        elif type_ == account_codec.TOMBSTONE:
            number = account_codec.decode_tombstone(value)
            self.values.pop(number, None)
            self.tombstones[number] = None
        elif type_ == account_codec.EVERYONE:
            everyone = account_codec.decode_everyone(value)
            self.check_stamp("everyone's queue", everyone.stamp)
            if everyone.stamp >= self.everyone.stamp:
                self.everyone = everyone
                self.stamps[EVERYONE] = everyone.stamp
                self.sure.add(EVERYONE)
        elif type_ == REGISTRY:
            self.registry = decode_registry(value)
        else:
            raise ValueError(f"nothing has the code {type_}")

    def take_account(self, value: bytes) -> None:
        """One account, unless a newer state of it is known, or that it is gone. Raises ValueError.

        Where states of one number have two names nobody knows whose it is: its mailbox says that.
        """
        account = account_codec.decode_account(value)
        number = account.number
        self.check_stamp(f"account {number}", account.stamp)
        before = self.values.get(number)
        if before is not None and account_codec.identify(before)[1] != account.name:
            del self.values[number]
            self.named_twice.add(number)
        if number in self.named_twice:
            raise ValueError(f"account {number} has two names")
        is_back = self.one_log and number in self.tombstones
        if is_back:
            del self.tombstones[number]
        if number not in self.tombstones and self.stamps.get(number, 0) <= account.stamp:
            self.values[number] = value
            self.stamps[number] = account.stamp
            self.sure.add(number)
        if is_back:
            raise ValueError(f"account {number} is there and is gone")

    def check_stamp(self, whose: str, stamp: int) -> None:
        """No record that the state holds is later than all there are. Raises ValueError."""
        if stamp > self.number_max:
            raise ValueError(
                f"{whose} was changed by record {stamp}, and {self.number_max} is last"
            )

    def doubt_all(self) -> None:
        """What was read so far may be out of date."""
        self.damaged = True
        self.sure.clear()


def salvage_accounts(
    disk: Disk,
    manifest: Manifest,
    report: Report,
    *,
    known: bool,
    number_max: int = NUMBER_BELIEVED_MAX,
) -> SalvagedAccounts:
    """Every state that can be read, and that no record above `number_max` has made."""
    numbers = numbers_in(disk, "accounts")
    found = SalvagedAccounts(number_max, one_log=known and manifest.accounts_file in numbers)
    if known and manifest.accounts_file in numbers:
        numbers = [manifest.accounts_file]
    elif known:
        report.damage(accounts_path(manifest.accounts_file), 0, "it is missing")
        known = False
    for number in numbers:
        length, blocks = (manifest.accounts_bytes, manifest.accounts_blocks) if known else (0, 0)
        log = AccountsLog(disk, manifest.store_id, number, length, blocks)
        salvage_log(disk, log, found, report)
    if not known:
        found.doubt_all()
    return found


def salvage_log(disk: Disk, log: AccountsLog, found: SalvagedAccounts, report: Report) -> None:
    """One file: up to what is trusted, or to its end when nobody says what is."""
    handle = disk.open(log.path, writable=False)
    try:
        try:
            log.check_header(handle)
        except StoreDamaged as error:
            report.damage(error.file, error.offset, error.reason)
            found.damaged = True  # to be written anew; its blocks speak for themselves
        size = disk.size(handle)
        trusted = min(log.length, size)
        is_whole, blocks, offset = read_log(log, handle, (PAGE_BYTES, trusted), found, report)
        if log.length and is_whole and (blocks, offset) != (log.blocks, log.length):
            report.damage(log.path, offset, "it has other blocks than MANIFEST says")
            found.doubt_all()
            trusted = 0
        if not trusted:
            read_log(log, handle, (offset, size), found, None)
    finally:
        disk.close(handle)


def read_log(
    log: AccountsLog,
    handle: int,
    span: tuple[int, int],
    found: SalvagedAccounts,
    report: Report | None,
) -> tuple[bool, int, int]:
    """Whether all of these bytes can be read, how many blocks they are, where the last ends."""
    offset, limit = span
    is_whole, was_bad, blocks = True, False, 0
    while offset < limit:
        problems: list[str] = []
        try:
            size, payload = log.read_block(handle, offset)
            problems += found.take(payload)
            was_bad = False
            blocks += 1
        except (StoreDamaged, TlvError) as error:
            size = PAGE_BYTES
            problems += [] if was_bad else [reason_of(error)]
            was_bad = True
            is_whole = False
            found.doubt_all()
        if report is not None:
            for problem in problems:
                report.damage(log.path, offset, problem)
        offset += size
    return is_whole, blocks, offset


def reason_of(error: Exception) -> str:
    """What is wrong, without the advice."""
    return error.reason if isinstance(error, StoreDamaged) else str(error)
