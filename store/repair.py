"""`msgd fsck --repair`: makes a damaged folder servable again, and says what that cost.

First everything is read (`store.salvage`). Then copies of all that will be changed or thrown away
go to `discarded-<n>/`, with `report.txt`. Only then, under the mark REPAIR, are mailboxes mended, a
new accounts log written, MANIFEST replaced and the journal, whose contents are in the mailboxes
now, let go. While the mark is there no server starts; a repair that was cut off is begun again.

Must never change anything before the copies and the report are synced, and never run beside a
server. Fails with StoreNoRoom, DiskError, and StoreDamaged when nothing says which store it is.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from store import mailbox
from store.account_codec import encode_account, encode_everyone, encode_tombstone
from store.accounts_log import AccountsLog, accounts_path
from store.disk import Disk, DiskFull, DiskMissing
from store.errors import StoreNoRoom
from store.fsck import Progress, examine
from store.journal_segment import segment_path
from store.limits import CHECKPOINT_SLICE_BYTES, PAGE_BYTES
from store.mailbox import Header, encode_blocks, mailbox_folder, mailbox_path
from store.manifest import MANIFEST, REPAIR, Manifest, replace_manifest
from store.patient_disk import PatientDisk
from store.queue import Queue
from store.recovery import FOLDERS
from store.registry import encode_registry
from store.repair_report import as_bytes
from store.salvage import JUMP, Salvage
from store.salvage_accounts import numbers_in
from store.salvage_mailbox import mend
from store.state import EVERYONE, State

COPY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did; `lines` are those of the report."""

    folder: str
    lines: tuple[str, ...]
    lost: int
    doubts: int


def repair(disk: Disk) -> Repaired | None:
    """Repair a folder that is locked by us; None when it is sound. Raises StoreError."""
    if is_sound(disk):
        return None
    patient = PatientDisk(disk)
    salvage = Salvage(patient)
    folder = next_folder(disk)
    try:
        keep(patient, salvage, folder)
    except DiskFull as error:
        raise StoreNoRoom(
            f"no room for copies of what is damaged ({error}); nothing was changed: make room, "
            f"remove {folder}, and repair again"
        ) from error
    try:
        write(patient, salvage, folder)
    except DiskFull as error:
        raise StoreNoRoom(
            f"no room to finish the repair ({error}); make room and repair again"
        ) from error
    report = salvage.report
    return Repaired(folder, tuple(report.lines), report.lost, report.doubts)


def is_sound(disk: Disk) -> bool:
    """Whether there is nothing to repair."""
    return all(isinstance(each, Progress) or each.harmless for each in examine(disk))


def next_folder(disk: Disk) -> str:
    """A name that is free."""
    names = disk.list("")
    number = 1
    while f"discarded-{number}" in names:
        number += 1
    return f"discarded-{number}"


# --- what is kept ---


def keep(disk: PatientDisk, salvage: Salvage, folder: str) -> None:
    """Whole copies of everything that will be changed, and the report. Raises DiskFull."""
    made: dict[str, None] = {}
    make_folders(disk, folder, made)
    for path in replaced_files(disk, salvage):
        with suppress(DiskMissing):
            make_folders(disk, f"{folder}/{path}".rpartition("/")[0], made)
            copy(disk, path, f"{folder}/{path}")
    for path, offset in disk.unreadable:
        salvage.report.damage(path, offset, "the disk cannot read it; zeros stand in the copy")
    handle = disk.create(f"{folder}/report.txt")
    try:
        disk.write_at(handle, 0, as_bytes(salvage.report.lines))
        disk.sync(handle)
    finally:
        disk.close(handle)
    for each in made:
        disk.sync_folder(each)
    disk.sync_folder("")


def replaced_files(disk: Disk, salvage: Salvage) -> Iterator[str]:
    """Every file that `write` changes or removes."""
    yield MANIFEST
    for number in numbers_in(disk, "accounts"):
        yield accounts_path(number)
    for number, _ in salvage.manifest.segments:
        yield segment_path(number)
    for number in salvage.damaged:
        yield mailbox_path(number)
    yield from salvage.nameless


def make_folders(disk: Disk, path: str, made: dict[str, None]) -> None:
    """A folder and those above it."""
    parent = path.rpartition("/")[0]
    if parent and parent not in made:
        make_folders(disk, parent, made)
    if path not in made:
        disk.make_folder(path)
        made[path] = None


def copy(disk: Disk, path: str, to: str) -> None:
    """A whole file, synced. Raises DiskMissing when there is none."""
    source = disk.open(path, writable=False)
    try:
        target = disk.create(to)
        try:
            for offset in range(0, disk.size(source), COPY_BYTES):
                disk.write_at(target, offset, disk.read_at(source, offset, COPY_BYTES))
            disk.sync(target)
        finally:
            disk.close(target)
    finally:
        disk.close(source)


# --- what is written ---


def write(disk: Disk, salvage: Salvage, folder: str) -> None:
    """Make the folder say what was salvaged. Raises DiskFull; may be begun again at any point."""
    if REPAIR not in disk.list(""):
        disk.close(disk.create(REPAIR))
    for name in FOLDERS:
        disk.make_folder(name)
    disk.sync_folder("")
    for number, header in salvage.damaged.items():
        mend_one(salvage, number, header)
    for path in salvage.nameless:
        set_aside(disk, path, folder)
    state = salvage.state
    if state.everyone.queue.tail:
        save_tail(disk, salvage, state.everyone.queue, Header(b"", EVERYONE, 0, 0, ""))
    for account in salvage.unsaved.values():
        header = Header(b"", account.number, 0, account.created_at_ms, account.name)
        save_tail(disk, salvage, account.queue, header)
        state.accounts.keep(account, encode_account(account))
    log = write_accounts(disk, salvage)
    replace_manifest(
        disk,
        Manifest(
            store_id=salvage.manifest.store_id,
            generation=salvage.manifest.generation + 1,
            next_number=state.next_number,
            last_received_at_ms=state.last_received_at_ms,
            replay_lsn=max(salvage.journal.last_lsn, salvage.manifest.replay_lsn) + 1 + JUMP,
            replay_crc=0,
            accounts_file=log.number,
            accounts_bytes=log.length,
            accounts_blocks=log.blocks,
            segments=(),
        ),
    )
    clean_up(disk, salvage, log)


def mend_one(salvage: Salvage, number: int, header: Header) -> None:
    """A mailbox without holes, at the offsets that everybody remembers."""
    account = salvage.state.by_number.get(number)
    box = salvage.mailbox_of(salvage.state.everyone.queue if account is None else account.queue)
    try:
        mend(box, header)
    finally:
        box.close()


def set_aside(disk: Disk, path: str, folder: str) -> None:
    """The file itself takes the place of its copy: pages that cannot be read now may be one day.

    It must not stay where it is. A later repair that can read it would give a lost account back to
    whoever took the name since.
    """
    with suppress(DiskMissing):
        disk.rename(path, f"{folder}/{path}")
        for each in (f"{folder}/{path}", path):
            disk.sync_folder(each.rpartition("/")[0])


def save_tail(disk: Disk, salvage: Salvage, queue: Queue, header: Header) -> None:
    """What only the journal held goes to the mailbox file; everybody has one afterwards."""
    folder = mailbox_folder(queue.number)
    path = mailbox_path(queue.number)
    if queue.has_file:
        handle = disk.open(path, writable=True)
    else:
        disk.make_folder(folder)
        disk.sync_folder("mailboxes")
        header = header._replace(store_id=salvage.manifest.store_id)
        handle = mailbox.create(disk, path, header)
        queue.end_offset = 0
    try:
        base = mailbox.read_header(disk, handle, path).base
        queue.end_offset = max(queue.end_offset, base)
        tail = queue.all_in_tail()
        data = encode_blocks(queue.number, queue.end_offset, tail)
        disk.write_at(handle, PAGE_BYTES + queue.end_offset - base, data)
        disk.sync(handle)
    finally:
        disk.close(handle)
    disk.sync_folder(folder)
    queue.has_file = True
    queue.end_offset += len(data)
    queue.file_last = max([queue.file_last, *[entry.number for entry in tail]])


def write_accounts(disk: Disk, salvage: Salvage) -> AccountsLog:
    """A new accounts log with everybody in it."""
    state = salvage.state
    highest = max([salvage.manifest.accounts_file, *numbers_in(disk, "accounts")])
    log = AccountsLog.create(disk, salvage.manifest.store_id, highest + 1)
    states: list[bytes] = []
    size = 0
    for each in encoded_states(state):
        states.append(each)
        size += len(each)
        if size > CHECKPOINT_SLICE_BYTES:
            log.append(states)
            states, size = [], 0
    log.append(states)  # an empty block at worst
    return log


def encoded_states(state: State) -> Iterator[bytes]:
    """What the new log holds, as whole TLVs; tombstones first, for names that were born again."""
    for gone in state.deleted:
        yield encode_tombstone(gone)
    for number in state.by_number:
        yield state.accounts.encoded(number) or b""
    yield encode_everyone(state.everyone)
    yield encode_registry(state.registry)


def clean_up(disk: Disk, salvage: Salvage, log: AccountsLog) -> None:
    """What the new MANIFEST does not name is in `discarded-<n>/`; the mark goes last."""
    for number in numbers_in(disk, "accounts"):
        if number != log.number:
            disk.remove(accounts_path(number))
    for number, _ in salvage.manifest.segments:
        with suppress(DiskMissing):
            disk.remove(segment_path(number))
    disk.sync_folder("accounts")
    disk.sync_folder("journal")
    disk.remove(REPAIR)
    disk.sync_folder("")
