"""`msgd fsck`: verify every byte that counts, change nothing.

Checks MANIFEST, the accounts log, every live segment of the journal, and every block and entry of
every mailbox; then whether the counters of each account agree with what its files hold. Names files
that nothing refers to. A finding is a line with file and offset.

Goes through one mailbox after the other and keeps nothing of them: what it takes in memory is the
accounts (as a server does), and a few numbers for each message to everyone.

Must never write, and never stop at the first finding when others can still be looked for.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from re import compile as pattern
from typing import Final

from store.account import EVERYONE, Account
from store.accounts_log import accounts_path
from store.disk import Disk, DiskError, DiskMissing
from store.entry import Entry, EntryKind
from store.errors import StoreDamaged, StoreError
from store.fsck_everyone import EveryoneLedger
from store.inspect import (
    blocks_of,
    load_saved,
    mailbox_files,
    need_manifest,
    replay_of,
)
from store.journal_replay import JournalReplay
from store.judgement import apply_batch, judge_end
from store.limits import FSCK_PROGRESS_ENTRIES, FSCK_PROGRESS_MAILBOXES
from store.mailbox import mailbox_path
from store.manifest import Manifest
from store.patient_disk import PatientDisk
from store.queue import Queue
from store.salvage_mailbox import MailboxSalvage
from store.state import State

NEVER: Final = 1 << 64  # behind any file
MAILBOX: Final = pattern(r"mailboxes/[0-9a-f]{2}/([0-9a-f]{16})\.mailbox")

Trouble = StoreError | DiskError
"""Never yielded of inside `except`: compiled, the exception would be handled for ever after."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that fsck saw."""

    file: str
    offset: int
    text: str
    harmless: bool  # a leftover, or a batch that nobody was told of

    def __str__(self) -> str:
        kind = "note" if self.harmless else "DAMAGE"
        return f"{kind}: {self.file}, byte {self.offset}: {self.text}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, now and then."""

    accounts: int  # looked at
    accounts_total: int
    entries: int  # of mailboxes, so far

    def __str__(self) -> str:
        return (
            f"{self.accounts:,} of {self.accounts_total:,} accounts, {self.entries:,} entries "
            "looked at"
        )


def fsck(disk: Disk) -> list[Finding]:
    """Everything there is to say about a data folder; nothing harmful: it is sound."""
    return [each for each in examine(disk) if isinstance(each, Finding)]


def examine(disk: Disk) -> Generator[Finding | Progress, None, None]:
    """The same, one after the other, as it is found."""
    begun = load(disk)
    if isinstance(begun, Finding):
        yield begun
        return
    manifest, state = begun
    yield Progress(0, len(state.by_number), 0)
    journal = list(check_journal(disk, manifest, state))
    yield from journal
    can_count = all(each.harmless for each in journal)  # else who knows what was settled
    yield from look_for_strangers(disk, state)
    ledger = EveryoneLedger()
    everyone = list(check_everyone(disk, manifest, state.everyone.queue, ledger))
    yield from everyone
    ledger.close()
    yield from check_accounts(
        disk, manifest, state, None if everyone else ledger, can_count=can_count
    )


def load(disk: Disk) -> tuple[Manifest, State] | Finding:
    """What the last checkpoint left; or what is wrong with that."""
    try:
        manifest = need_manifest(disk)
        saved = load_saved(disk, manifest)
    except (StoreError, DiskError) as error:
        return found(error)
    state = State(0, 0)
    state.use(saved.table)
    state.everyone = saved.everyone
    state.registry = saved.registry
    return manifest, state


def found(error: Trouble) -> Finding:
    """An error as a finding."""
    if isinstance(error, StoreDamaged):
        return Finding(error.file, error.offset, error.reason, harmless=False)
    return Finding("the folder", 0, str(error), harmless=False)


def check_journal(disk: Disk, manifest: Manifest, state: State) -> Iterator[Finding]:
    """Every batch and every record since the last checkpoint. Afterwards the state is what a start
    would make of it: compaction may have taken off what only the journal says to be settled.
    """
    replay = replay_all(disk, manifest, state)
    if isinstance(replay, Finding):
        yield replay
        return
    for text in replay.findings:
        yield Finding("journal", 0, text, harmless=True)
    if replay.torn is not None:
        segment, offset, size = replay.torn
        text = f"an unfinished batch of {size} bytes, never acknowledged"
        yield Finding(f"journal segment {segment}", offset, text, harmless=True)


def replay_all(disk: Disk, manifest: Manifest, state: State) -> JournalReplay | Finding:
    """Apply what is in the journal; or what is wrong with it."""
    state.next_number = manifest.next_number
    try:
        replay = replay_of(disk, manifest)
        for batch in replay.batches():
            apply_batch(state, batch)
        judge_end(state, accounts_path(manifest.accounts_file))
    except (StoreError, DiskError) as error:
        return found(error)
    return replay


def look_for_strangers(disk: Disk, state: State) -> Iterator[Finding]:
    """Files among the mailboxes that no account has."""
    trouble: Finding | None = None
    try:
        for path in mailbox_files(disk):
            if not is_expected(path, state):
                text = "no account has this file; a leftover, or a new account's"
                yield Finding(path, 0, text, harmless=True)
    except DiskMissing:
        trouble = Finding("mailboxes", 0, "the folder is missing", harmless=False)
    except DiskError as error:
        trouble = found(error)
    if trouble is not None:
        yield trouble


def is_expected(path: str, state: State) -> bool:
    """Whether a checkpoint knows of this file."""
    match = MAILBOX.fullmatch(path)
    if match is None:
        return False
    number = int(match[1], 16)
    owner = state.everyone if number == EVERYONE else state.by_number.get(number)
    return owner is not None and owner.queue.has_file and path == mailbox_path(number)


def check_everyone(
    disk: Disk, manifest: Manifest, queue: Queue, ledger: EveryoneLedger
) -> Iterator[Finding]:
    """Everyone's queue."""
    before = 0
    trouble: Trouble | None = None
    try:
        for offset, entries in queue_blocks(disk, manifest.store_id, queue):
            if offset < NEVER:
                ledger.begin_block(offset)
            for entry in entries:
                check_order(queue, before, entry.number, offset)
                before = entry.number
                ledger.add(entry)
    except (StoreError, DiskError) as error:
        trouble = error
    if trouble is not None:
        yield found(trouble)
        yield from more_damage(disk, manifest.store_id, queue, trouble)


def check_accounts(
    disk: Disk, manifest: Manifest, state: State, ledger: EveryoneLedger | None, *, can_count: bool
) -> Iterator[Finding | Progress]:
    """Every mailbox, and the counts of its account."""
    entries = 0
    total = len(state.by_number)
    for done, account in enumerate(state.by_number.values()):
        if done % FSCK_PROGRESS_MAILBOXES == 0:
            yield Progress(done, total, entries)
        trouble: Trouble | None = None
        try:
            counts = Counts()
            for offset, found_here in queue_blocks(disk, manifest.store_id, account.queue):
                counts.begin_block(account, offset)
                for entry in found_here:
                    counts.take(account, entry, offset)
                    entries += 1
                    if entries % FSCK_PROGRESS_ENTRIES == 0:
                        yield Progress(done, total, entries)
            if can_count:
                counts.check(account)
        except (StoreError, DiskError) as error:
            trouble = error
        if trouble is not None:
            yield found(trouble)
            yield from more_damage(disk, manifest.store_id, account.queue, trouble)
        words = ledger.disagreement(account, state) if ledger and can_count else ""
        if words:
            yield Finding(mailbox_path(EVERYONE), 0, words, harmless=False)


def queue_blocks(disk: Disk, store_id: bytes, queue: Queue) -> Iterator[tuple[int, list[Entry]]]:
    """(offset, entries) of each block of a queue's file, then NEVER and those of the journal."""
    if queue.has_file:
        yield from blocks_of(disk, store_id, queue)
    yield NEVER, queue.all_in_tail()


def check_order(queue: Queue, before: int, number: int, offset: int) -> None:
    """Numbers rise, in the file up to the one that is remembered. Raises StoreDamaged."""
    if number <= before:
        raise StoreDamaged(mailbox_path(queue.number), 0, "its entries are out of order")
    if number > queue.file_last and offset < NEVER:
        reason = f"entry {number} stands behind {queue.file_last}, which should be the last"
        raise StoreDamaged(mailbox_path(queue.number), 0, reason)


class Counts:
    """What one account's queue holds, and whether its readers begin where they may."""

    def __init__(self) -> None:
        self.before = 0
        self.first_offset = -1
        self.hint_is_met = False
        self.waiting = [0, 0, 0]  # messages, outcomes, bytes

    def begin_block(self, account: Account, offset: int) -> None:
        """A block of the file begins here, or the file ends. Raises StoreDamaged."""
        hint = account.queue.hint
        if self.first_offset < 0:
            self.first_offset = offset
        self.hint_is_met = self.hint_is_met or hint <= self.first_offset or hint == offset
        if offset == NEVER and account.queue.has_file and not self.hint_is_met:
            reason = f"no block begins at {hint}, where {account.name} goes on reading"
            raise StoreDamaged(mailbox_path(account.number), 0, reason)

    def take(self, account: Account, entry: Entry, offset: int) -> None:
        """One entry. Raises StoreDamaged."""
        check_order(account.queue, self.before, entry.number, offset)
        self.before = entry.number
        if not account.settled.covers(entry.number):
            self.waiting[entry.kind is not EntryKind.MESSAGE] += 1
            self.waiting[2] += len(entry.body)
            if offset < account.queue.hint:
                reason = f"entry {entry.number} waits before {account.queue.hint}, where "
                reason += f"{account.name} goes on reading"
                raise StoreDamaged(mailbox_path(account.number), 0, reason)

    def check(self, account: Account) -> None:
        """What is counted must be what is there. Raises StoreDamaged."""
        waiting = self.waiting
        counted = [account.own_messages, account.own_outcomes, account.own_bytes]
        if counted != waiting:
            raise StoreDamaged(
                mailbox_path(account.number),
                0,
                f"it holds {waiting[0]} messages, {waiting[1]} outcomes and {waiting[2]} bytes "
                f"waiting for {account.name}, but {counted[0]}, {counted[1]} and {counted[2]} are "
                "counted",
            )


def more_damage(disk: Disk, store_id: bytes, queue: Queue, first: Trouble) -> Iterator[Finding]:
    """What else is damaged in this mailbox, behind the first."""
    if not isinstance(first, StoreDamaged) or not first.offset:
        return
    salvage = MailboxSalvage(PatientDisk(disk), store_id, queue.number, queue.end_offset)
    try:
        for _ in salvage.pieces():
            pass
        for offset, size in salvage.holes:
            place = salvage.place(offset)
            text = f"no whole block begins in the {size} bytes from here on"
            yield Finding(salvage.path, place, text, harmless=place <= first.offset)  # told before
    finally:
        salvage.close()
