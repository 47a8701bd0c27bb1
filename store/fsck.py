"""`msgd fsck`: verify every byte that counts, change nothing.

Checks MANIFEST, the accounts log, every live segment of the journal, and every block and entry of
every mailbox; then whether the counters of each account agree with what its files hold. Names files
that nothing refers to. A finding is a line with file and offset.

Must never write, and never stop at the first finding when others can still be looked for.
"""

from dataclasses import dataclass

from store.account import Account
from store.accounts_log import SavedAccounts
from store.disk import Disk, DiskError
from store.entry import EntryKind
from store.errors import StoreDamaged, StoreError
from store.inspect import (
    entries_of,
    expected_mailboxes,
    load_saved,
    mailbox_files,
    need_manifest,
    records_of,
    replay_of,
)
from store.manifest import Manifest
from store.records import numbers_of


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


def fsck(disk: Disk) -> list[Finding]:
    """Everything there is to say about a data folder; nothing harmful: it is sound."""
    try:
        manifest = need_manifest(disk)
        saved = load_saved(disk, manifest)
    except (StoreError, DiskError) as error:
        return [found(error)]
    findings: list[Finding] = []
    check_mailboxes(disk, manifest, saved, findings)
    check_journal(disk, manifest, findings)
    return findings


def found(error: StoreError | DiskError) -> Finding:
    """An error as a finding."""
    if isinstance(error, StoreDamaged):
        return Finding(error.file, error.offset, error.reason, harmless=False)
    return Finding("the folder", 0, str(error), harmless=False)


def check_mailboxes(
    disk: Disk, manifest: Manifest, saved: SavedAccounts, findings: list[Finding]
) -> None:
    """Every mailbox file that is known, and those that are not."""
    expected = expected_mailboxes(saved)
    for path in mailbox_files(disk):
        if path not in expected:
            text = "no account of the last checkpoint has this file; a leftover, or a new account's"
            findings.append(Finding(path, 0, text, harmless=True))
    owners = {account.queue.number: account for account in saved.accounts.values()}
    for path, queue in expected.items():
        try:
            numbers: list[int] = []
            waiting = [0, 0, 0]
            account = owners.get(queue.number)
            for entry in entries_of(disk, manifest.store_id, queue):
                numbers.append(entry.number)
                if account is not None and not account.settled.covers(entry.number):
                    waiting[entry.kind is not EntryKind.MESSAGE] += 1
                    waiting[2] += len(entry.body)
            if numbers != sorted(set(numbers)):
                raise StoreDamaged(path, 0, "its entries are out of order")
            if account is not None:
                check_counters(path, account, waiting)
        except (StoreError, DiskError) as error:
            findings.append(found(error))


def check_counters(path: str, account: Account, waiting: list[int]) -> None:
    """What the accounts log counts must be what the mailbox holds. Raises StoreDamaged."""
    counted = [account.own_messages, account.own_outcomes, account.own_bytes]
    if counted != waiting:
        raise StoreDamaged(
            path,
            0,
            f"it holds {waiting[0]} messages, {waiting[1]} outcomes and {waiting[2]} bytes waiting "
            f"for {account.name}, but the accounts log counts {counted}",
        )


def check_journal(disk: Disk, manifest: Manifest, findings: list[Finding]) -> None:
    """Every batch and every record since the last checkpoint."""
    number = manifest.next_number
    try:
        replay = replay_of(disk, manifest)
        for batch in replay.batches():
            if batch.first_number != number:
                reason = f"number {batch.first_number} where {number} should be"
                raise StoreDamaged(f"journal batch {batch.lsn}", 0, reason)
            number += sum(numbers_of(fields) for _, _, fields in records_of(batch))
    except (StoreError, DiskError) as error:
        findings.append(found(error))
        return
    findings += [Finding("journal", 0, text, harmless=True) for text in replay.findings]
    if replay.torn is not None:
        segment, offset, size = replay.torn
        text = f"an unfinished batch of {size} bytes, never acknowledged"
        findings.append(Finding(f"journal segment {segment}", offset, text, harmless=True))
