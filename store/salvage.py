"""The best state that a damaged folder still gives, and what is lost; everything is only read.

MANIFEST or a guess at it, then the accounts, then the journal, then every mailbox. What the files
hold decides: all counters are counted anew from the entries that are really there. When in doubt a
message stays in the queue, for a client recognises what it has and nobody can recognise what is
missing.

Must never write. Fails with StoreDamaged when nothing says which store this is.
"""

from typing import Final

from store import window
from store.account_codec import encode_account, identify
from store.disk import Disk
from store.entry import Entry, EntryKind
from store.limits import NAME_BYTES_MAX, NUMBER_BELIEVED_MAX
from store.mailbox import Header, mailbox_path
from store.queue import Queue
from store.repair_report import Report, name_of
from store.salvage_accounts import (
    mailboxes_of,
    salvage_accounts,
    salvage_manifest,
)
from store.salvage_journal import JournalSalvage, forget_account, last_number
from store.salvage_mailbox import MailboxSalvage
from store.settings import Settings
from store.state import EVERYONE, Account, State
from store.window import WindowVerdict
from wire import tlv

NEVER: Final = 1 << 64
JUMP: Final = 1 << 32
"""How far numbers and LSNs jump: over all that may have been given out and is lost. No journal
holds so many."""


class Salvage:
    """Made by reading everything once; `state` is then what a repaired folder should say."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.report = Report()
        self.manifest, self.manifest_known = salvage_manifest(disk, self.report)
        self.accounts = salvage_accounts(
            disk,
            self.manifest,
            self.report,
            known=self.manifest_known,
            number_max=last_number(disk, self.manifest)
            if self.manifest_known
            else NUMBER_BELIEVED_MAX,
        )
        self.state = State(Settings().recipient_deleted_code, Settings().recalled_code)
        self.damaged: dict[int, Header] = {}  # mailboxes to be mended, with their right headers
        self.nameless: list[str] = []  # mailboxes of whom nobody knows; their accounts are lost
        self.remembered: dict[int, Account] = {}  # those whose windows grew
        self.unsaved: dict[int, Account] = {}  # those whose mailbox has to be written to
        self.short: set[int] = set()  # whose mailboxes end further back than is remembered
        self.highest = 0  # number of anything that was seen
        self.shared: list[tuple[int, int, int]] = []  # everyone's: number, sender, bytes
        self.shared_ends: dict[int, int] = {}  # where its blocks end, and the last number before
        self.shared_named = 0  # messages to everyone that are lost and were named
        self.missing_shared = 0
        self.load_accounts()
        self.journal = JournalSalvage(disk, self.manifest, self.state, self.report)
        self.journal.run()
        self.tell_doubts()
        everyone = self.state.everyone
        self.survey(everyone.queue, None)
        self.correct_recalled()
        self.shared_total = (
            max(everyone.total, len(self.shared)),
            max(everyone.total_bytes, sum(size for _, _, size in self.shared)),
        )
        for account in self.state.by_number.values():
            self.survey(account.queue, account)
            self.count_shared(account)
            self.finish(account)
        for account in self.remembered.values():
            self.state.accounts.keep(account, encode_account(account))
        self.finish_everyone()
        self.state.next_number = max(self.state.next_number, self.highest + 1) + JUMP

    # --- accounts ---

    def load_accounts(self) -> None:
        """The saved ones; where some are missing, also those of whom there is a mailbox."""
        state, saved = self.state, self.accounts
        state.everyone = saved.everyone
        state.registry = saved.registry
        state.deleted = dict(saved.tombstones)
        state.next_number = self.manifest.next_number
        state.last_received_at_ms = self.manifest.last_received_at_ms
        accounts = state.accounts
        accounts.begin_loading()
        if self.accounts.damaged:
            for number, path in mailboxes_of(self.disk):
                self.take_mailbox(number, path)
        for number in sorted(saved.values):
            older = state.by_name.get(identify(saved.values[number])[1])
            if older is not None:
                self.report.doubt_account(older, "it was deleted: the name was taken again")
                forget_account(state, older)
            accounts.load(saved.values[number])
        accounts.end_loading()

    def take_mailbox(self, number: int, path: str) -> None:
        """A mailbox whose account is not in the log any more."""
        if number == EVERYONE:
            self.state.everyone.queue.has_file = True
            return
        values = self.accounts.values
        if number in values or number in self.state.deleted:
            return
        box = MailboxSalvage(self.disk, self.manifest.store_id, number, None)
        box.close()
        name = box.header.name.encode() if box.header else b""
        if box.header is None or not 0 < len(name) <= NAME_BYTES_MAX:
            self.nameless.append(path)
            self.report.lose(
                f"account of number {number}: neither {path} nor the accounts log gives its name"
            )
            return
        account = Account(number, box.header.name, box.header.created_at_ms)
        account.queue.has_file = True
        values[number] = encode_account(account)[tlv.HEADER_BYTES :]
        self.report.doubt_account(
            account,
            "only its mailbox is left; it may have been deleted; all in it will be delivered, "
            "perhaps again",
        )

    def tell_doubts(self) -> None:
        """Which accounts may be older than they were."""
        if self.journal.gaps:
            self.report.doubt("every account: what a lost journal batch did to it is not known")
        if not self.accounts.damaged:
            return
        for account in self.state.by_number.values():
            if account.number in self.accounts.stamps and not self.is_sure(account.number):
                self.report.doubt_account(
                    account,
                    "a newer state may be lost; messages may be delivered again, and it may have "
                    "been deleted",
                )

    def is_sure(self, number: int) -> bool:
        """Whether the saved state of this account is the newest one that was saved."""
        return not self.accounts.damaged or number in self.accounts.sure

    # --- mailboxes ---

    def survey(self, queue: Queue, account: Account | None) -> None:
        """Go through one mailbox file: count, and find what is lost."""
        sure = self.is_sure(queue.number)
        seen = Seen()
        if queue.has_file:
            box = self.mailbox_of(queue)
            try:
                for piece in box.pieces():
                    before = seen.messages + seen.outcomes
                    for entry in piece.entries:
                        self.see(entry, account, queue, seen)
                    if seen.first < 0 and seen.messages + seen.outcomes > before:
                        seen.first = piece.offset
                    if account is None:
                        self.shared_ends[piece.offset + piece.size] = seen.last
                if box.is_short(queue.file_last, seen.last):
                    self.survey_whole(queue, account)
                    return
                self.note_damage(box, account, seen)
                if account is None and not sure:
                    self.doubt_everyones(box)
            finally:
                box.close()
            if box.trusted_end is None:
                self.correct_queue(queue, box.end, seen)
            queue.file_last = seen.last
            queue.hint = (
                0 if account is None else queue.end_offset if seen.first < 0 else seen.first
            )
        for entry in queue.all_in_tail():
            self.see(entry, account, queue, seen)
        if account is not None:
            if sure and not self.journal.gaps:
                self.count_missing(account, seen)
            account.own_messages, account.own_outcomes, account.own_bytes = (
                seen.messages,
                seen.outcomes,
                seen.bytes,
            )
            last = self.shared_ends.get(account.everyone_hint, NEVER)
            if not self.is_sure(EVERYONE) or last > account.settled.floor:
                account.everyone_hint = 0

    def survey_whole(self, queue: Queue, account: Account | None) -> None:
        """Once more, to the end of the file: where it ends is remembered wrongly."""
        self.short.add(queue.number)
        self.report.damage(mailbox_path(queue.number), 0, f"it goes on behind {queue.end_offset}")
        if account is None:
            self.shared.clear()
            self.shared_ends.clear()
        self.survey(queue, account)

    def mailbox_of(self, queue: Queue) -> MailboxSalvage:
        """A mailbox up to where its owner's newest state says that it ends, if that is known."""
        number = queue.number
        sure = self.is_sure(number)
        return MailboxSalvage(
            self.disk,
            self.manifest.store_id,
            number,
            queue.end_offset if sure and number not in self.short else None,
            # What was saved before MANIFEST is below its number, or not above the owner's stamp.
            max(self.accounts.stamps.get(number, 0), self.manifest.next_number - 1)
            if sure
            else NUMBER_BELIEVED_MAX,
        )

    def see(self, entry: Entry, account: Account | None, queue: Queue, seen: "Seen") -> None:
        """One entry that is there."""
        state = self.state
        self.highest = max(self.highest, entry.number)
        if entry.received_at_ms <= NUMBER_BELIEVED_MAX:
            state.last_received_at_ms = max(state.last_received_at_ms, entry.received_at_ms)
        seen.last = entry.number
        if queue.holds(entry.number):
            seen.in_tail.add(entry.number)
        if entry.kind is EntryKind.MESSAGE:
            self.remember(entry.sender, entry)
        else:
            self.remember(queue.number, entry)
        if account is None:
            self.shared.append((entry.number, entry.sender, len(entry.body)))
        elif not account.settled.covers(entry.number):
            if entry.kind is EntryKind.MESSAGE:
                seen.messages += 1
            else:
                seen.outcomes += 1
            seen.bytes += len(entry.body)

    def remember(self, number: int, entry: Entry) -> None:
        """An account of which a newer state may be lost has sent this message."""
        account = self.state.by_number.get(number)
        if account is None or self.is_sure(number):
            return
        known = account.windows.get(entry.message_id[:8])
        counter = int.from_bytes(entry.message_id[8:], "big")
        if known is None or known.verdict(counter) is WindowVerdict.NEW:
            window.take(account.windows, entry.message_id, entry.received_at_ms)
            self.remembered[number] = account

    def note_damage(self, box: MailboxSalvage, account: Account | None, seen: "Seen") -> None:
        """What is wrong with the file, and which entries are lost by it."""
        if not box.problem and not box.holes:
            return
        header = box.header or Header(self.manifest.store_id, box.number, box.base, 0, "")
        if box.header is None and account is not None:
            header = header._replace(name=account.name, created_at_ms=account.created_at_ms)
        self.damaged[box.number] = header
        if box.problem:
            self.report.damage(box.path, 0, box.problem)
        for offset, size in box.holes:
            place = box.place(offset)
            self.report.damage(box.path, place, f"{size} bytes in which no whole block begins")
            for entry in box.damaged_entries(offset, size):
                if self.is_waiting(entry.number, account):
                    self.report.lose_entry(self.state, box.number, entry)
                    seen.named += 1
        for offset in box.doubtful:
            self.report.doubt(
                f"what stands in {box.path} at byte {box.place(offset)}: a damaged block says "
                "that it goes on there, so this may be a part of what somebody sent"
            )
        if account is None:
            self.shared_named += seen.named

    def doubt_everyones(self, box: MailboxSalvage) -> None:
        """Where a newer state of everyone's queue may be lost, nothing counts what is not there."""
        if box.problem or box.holes or box.end < box.limit:
            self.report.doubt(
                f"every account: messages to everyone may have stood where {box.path} cannot be "
                "read; nothing says how many"
            )

    def is_waiting(self, number: int, account: Account | None) -> bool:
        """Whether anybody waits for an entry of this number."""
        if account is not None:
            return not account.settled.covers(number)
        people = self.state.by_number.values()
        return any(not person.settled.covers(number) for person in people)

    def correct_queue(self, queue: Queue, end: int, seen: "Seen") -> None:
        """What the file says counts more than a state that may be old."""
        queue.end_offset = end
        queue.hint = 0
        queue.file_last = seen.last
        for entry in queue.all_in_tail():
            number = entry.number
            if number > seen.last:
                break
            queue.take_out([number])
            if number not in seen.in_tail:
                owner = name_of(self.state.by_number.get(queue.number), queue.number)
                self.report.lose(f"message {entry.message_id.hex()} to {owner}, number {number}")

    def count_missing(self, account: Account, seen: "Seen") -> None:
        """What the accounts log counts and the file does not hold."""
        missing = account.own_messages + account.own_outcomes - seen.messages - seen.outcomes
        if missing > seen.named:
            self.report.lose(
                f"{missing - seen.named} messages or outcomes to {name_of(account)}, whose ids "
                "cannot be read",
                missing - seen.named,
            )

    # --- everyone's queue, and the end ---

    def correct_recalled(self) -> None:
        """What is lost anyway counts for nobody; the others are as large as they are."""
        recalled = self.state.everyone.recalled
        there = {number: (sender, size) for number, sender, size in self.shared}
        for number, each in tuple(recalled.items()):
            if number in there:
                sender, size = there[number]
                recalled[number] = each._replace(sender=sender, body_bytes=size)
            else:
                del recalled[number]

    def count_shared(self, account: Account) -> None:
        """How much of everyone's queue waits for this account."""
        before = account.messages_waiting(self.state) - account.own_messages
        last = account.closing_number or NEVER
        waiting = [
            size
            for number, sender, size in self.shared
            if account.number < number < last
            and sender != account.number
            and not account.settled.covers(number)
        ]
        total, total_bytes = self.shared_total
        recalled = len(account.withdrawn(self.state.everyone))  # it waits, and is not counted
        self.missing_shared = max(self.missing_shared, before - (len(waiting) - recalled))
        account.everyone_seen = total - len(waiting)
        account.everyone_seen_bytes = total_bytes - sum(waiting)
        if account.closing:
            account.closing_total, account.closing_bytes = total, total_bytes

    def finish(self, account: Account) -> None:
        """The account is as it shall be; it may rest unless its mailbox is still to be written."""
        account.stamp = max(account.stamp, account.queue.file_last, account.settled.ends[-1])
        self.highest = max(self.highest, account.stamp)
        self.state.accounts.keep(account, encode_account(account))
        if account.queue.tail or not account.queue.has_file:
            self.unsaved[account.number] = account

    def finish_everyone(self) -> None:
        """The totals that all accounts were counted against."""
        everyone = self.state.everyone
        everyone.total, everyone.total_bytes = self.shared_total
        everyone.stamp = max(everyone.stamp, everyone.queue.file_last)
        self.highest = max(self.highest, everyone.stamp)
        missing = self.missing_shared - self.shared_named
        if missing > 0 and self.is_sure(EVERYONE) and not self.journal.gaps:
            self.report.lose(f"{missing} messages to everyone, whose ids cannot be read", missing)


class Seen:
    """What was found of one queue."""

    def __init__(self) -> None:
        self.messages = 0
        self.outcomes = 0
        self.bytes = 0
        self.last = 0
        self.named = 0
        self.first = -1  # offset of the first block with an entry that waits; -1: there is none
        self.in_tail: set[int] = set()
