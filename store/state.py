"""Durable state in memory: accounts, counters, windows, and the not yet checkpointed tails.

`State.apply` and the `apply_*` methods below it are the only code that changes durable state. The
live path and the replay of recovery both end there, so what is replayed is what was done. Apply
reads no disk and no clock.

A checkpoint saves accounts at different moments. What makes that right is the *stamp*: each
account carries the number of the last record applied to it, and a record is skipped for every
account whose stamp is not below it (as pages carry LSNs in ARIES, Mohan et al., 1992).

Must never iterate over anything unordered, nor depend on more than record and state. Fails by
assertion for our own bugs; a record that names an account that is gone is skipped for it, because
the account was deleted later and its tombstone is already in the checkpoint.
"""

from bisect import bisect_right
from collections.abc import Sequence

from store import window
from store.account import EVERYONE, Account, Everyone, Withdrawn
from store.accounts import Accounts
from store.admission import apply_admitting
from store.admitting_records import Retired
from store.awake import AwakeAccount
from store.blocking import Blocked
from store.entry import Audience, Entry, EntryKind
from store.entry_codec import START, RunHead, encode_parts, parts_of
from store.limits import AWAITED_ENTRIES_MAX
from store.queue import Queue
from store.records import (
    Accepted,
    Begun,
    Created,
    Ended,
    Fields,
    Recalled,
    RecalledFromAll,
    RecordCode,
    Settled,
    SettledEntry,
    Settlement,
    Touched,
)
from store.registry import Registry
from store.settling import leave_outcomes, take_all_out, take_out
from store.window import Window, WindowVerdict

__all__ = ["EVERYONE", "Account", "Everyone", "Queue", "State", "Window", "WindowVerdict"]

MESSAGE = EntryKind.MESSAGE
SUCCESS = EntryKind.SUCCESS
FAILURE = EntryKind.FAILURE
ONE = Audience.ONE
SEVERAL = Audience.SEVERAL


Sent = tuple[bytes, Account, bytes]
"""A message to one recipient: its id, the recipient, the body."""


class State:
    """Everything that is durable, and the way to change it."""

    __slots__ = (
        "accounts",
        "by_name",
        "by_number",
        "deleted",
        "dirty",
        "everyone",
        "failure_code",
        "last_received_at_ms",
        "next_number",
        "recalled_code",
        "registry",
        "tail_entries",
    )

    def __init__(self, failure_code: int, recalled_code: int) -> None:
        self.failure_code = failure_code  # of the FAILURE that a discarded message leaves
        self.recalled_code = recalled_code  # and of the one that a recalled message leaves
        self.everyone = Everyone()
        self.registry = Registry()
        self.next_number = 1
        self.last_received_at_ms = 0
        self.tail_entries = 0
        # What changed since it was last saved; to be held, or it would rest with its changes lost.
        self.dirty: dict[int, Account | Everyone] = {}
        self.deleted: dict[int, None] = {}  # accounts whose tombstone is not saved yet
        self.use(Accounts())

    def use(self, accounts: Accounts) -> None:
        """These are all accounts from now on."""
        self.accounts = accounts
        self.by_number = accounts.by_number
        self.by_name = accounts.by_name

    @property
    def names(self) -> list[str]:
        """All names, sorted; not to be changed."""
        return self.accounts.names

    @property
    def closing_count(self) -> int:
        """Accounts whose deletion has begun."""
        return len(self.accounts.closing)

    def names_after(self, name: str) -> int:
        """Where in `names` the first name above this one stands (for paging)."""
        return bisect_right(self.names, name)

    def closing_accounts(self) -> list[Account]:
        """The accounts whose deletion has begun."""
        return [self.by_number[number] for number in self.accounts.closing]

    def apply(self, type_: int, fields: Fields, number: int) -> None:
        """Apply a decoded record; `number` is its first."""
        if isinstance(fields, Accepted):
            sender = self.by_number.get(fields.sender)
            if type_ == RecordCode.MESSAGE_FOR_EVERYONE:
                self.apply_for_everyone(number, fields, sender)
            else:
                found = [self.by_number.get(recipient) for recipient in fields.recipients]
                recipients = [account for account in found if account is not None]
                self.apply_message(number, fields, sender, recipients)
        elif isinstance(fields, Settled):
            self.apply_settled(number, fields, self.by_number.get(fields.account))
        elif isinstance(fields, Created):
            self.apply_created(number, fields)
        elif isinstance(fields, Begun):
            self.apply_begun(number, fields)
        elif isinstance(fields, Ended):
            self.apply_session_ended(number, fields)
        elif isinstance(fields, Recalled):
            self.apply_recalled(number, fields, self.by_number.get(fields.sender))
        elif isinstance(fields, RecalledFromAll):
            self.apply_recalled_from_all(number, fields)
        elif isinstance(fields, Blocked):
            self.apply_blocked(number, fields)
        elif not isinstance(fields, Touched):
            apply_admitting(self, number, fields)
        elif type_ == RecordCode.ACCOUNT_TOUCHED:
            self.apply_touched(number, fields)
        elif type_ == RecordCode.SESSION_BEGUN:
            self.apply_session_begun(number, fields)
        else:
            self.apply_deleted(number, fields)

    def apply_created(self, number: int, fields: Created) -> Account:
        """A new account. A checkpoint saves only accounts that were there when it began, so no
        account is there before its own record.
        """
        self.next_number = number + 1
        self.see_time(fields.at_ms)
        account = AwakeAccount(number, fields.name, fields.at_ms)
        account.everyone_seen = fields.everyone_total
        account.everyone_seen_bytes = fields.everyone_bytes
        account.everyone_hint = fields.everyone_hint
        self.accounts.add(account)
        self.dirty[number] = account
        self.registry.release(fields.name)
        return account

    def apply_touched(self, number: int, fields: Touched) -> None:
        """Somebody was seen."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            account.last_seen_ms = max(account.last_seen_ms, fields.at_ms)
            account.stamp = number
            self.dirty[account.number] = account

    def apply_blocked(self, number: int, fields: Blocked) -> None:
        """Whose messages an account does not take from now on."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            account.blocked = fields.blocked
            account.stamp = number
            self.dirty[account.number] = account

    def apply_message(
        self, number: int, fields: Accepted, sender: Account | None, recipients: Sequence[Account]
    ) -> Entry:
        """A message for one or several; the sender may be among them."""
        self.next_number = number + 1
        at_ms, sender_number, message_id, name, count, _, body = fields
        if at_ms > self.last_received_at_ms:  # noqa: PLR1730  # max() is a call, once per message
            self.last_received_at_ms = at_ms
        audience = ONE if count == 1 else SEVERAL
        entry = Entry(
            number, 0, MESSAGE, message_id, sender_number, name, at_ms, audience, count, 0, body
        )
        dirty = self.dirty
        if sender is not None and number > sender.stamp:
            window.take(sender.windows, message_id, at_ms)
            dirty[sender_number] = sender
        parts, encoded = parts_of(entry), b""  # once for all of them
        for account in recipients:
            if number > account.stamp:
                queue = account.queue
                if queue.is_awaited:
                    queue.tail.append(parts)
                else:
                    encoded = encoded or encode_parts(parts)
                    queue.tail.append(encoded)
                queue.tail_numbers.append(number)
                account.own_messages += 1
                account.own_bytes += len(body)
                account.stamp = number
                dirty[account.number] = account
                self.tail_entries += 1
        if sender is not None and number > sender.stamp:
            sender.stamp = number
        return entry

    def apply_messages(
        self, number: int, at_ms: int, sender: Account, sent: Window, run: Sequence[Sent]
    ) -> None:
        """`apply_message` for several new ones of one sender in a row, to one recipient each.

        `sent` is the sender's window of their installation, and the counters follow its highest.
        """
        assert number > sender.stamp
        assert at_ms >= self.last_received_at_ms
        self.last_received_at_ms = at_ms
        sender_number, name = sender.number, sender.name_bytes
        dirty = self.dirty
        pack, sent_at, rest = START.pack, b"", b""  # for bytes, where such are wanted
        head: RunHead | None = None
        heads: dict[int, bytes] = {}
        for message_id, account, body in run:
            queue = account.queue
            if queue.is_awaited:
                row = (number, message_id, name, at_ms, 1, 1, 0, body)  # Audience.ONE
                queue.tail.append((1, sender_number, row))  # MESSAGE
            else:
                if head is None:
                    head = RunHead(sender_number, name, at_ms)
                    sent_at, rest, heads = head.sent_at, head.rest, head.of_sizes
                start = heads.get(len(body)) or head.of_size(len(body))
                queue.tail.append(pack(start, number, sent_at, message_id) + rest + body)
            queue.tail_numbers.append(number)
            account.own_messages += 1
            account.own_bytes += len(body)
            account.stamp = number
            dirty[account.number] = account
            number += 1
        self.next_number = number
        self.tail_entries += len(run)
        sent.advance(len(run), at_ms)
        sender.stamp = number - 1
        dirty[sender_number] = sender

    def apply_for_everyone(self, number: int, fields: Accepted, sender: Account | None) -> Entry:
        """A message for everyone: one entry in the shared queue, however many users."""
        self.next_number = number + 1
        at_ms, sender_number, message_id, name, count, _, body = fields
        self.see_time(at_ms)
        audience = Audience.EVERYONE
        entry = Entry(
            number, 0, MESSAGE, message_id, sender_number, name, at_ms, audience, count, 0, body
        )
        everyone = self.everyone
        if number > everyone.stamp:
            queue = everyone.queue
            queue.is_awaited = self.tail_entries < AWAITED_ENTRIES_MAX  # one object for all readers
            queue.append(entry)
            everyone.total += 1
            everyone.total_bytes += len(body)
            everyone.stamp = number
            self.dirty[EVERYONE] = everyone
            self.tail_entries += 1
        if sender is not None and number > sender.stamp:
            window.take(sender.windows, message_id, at_ms)
            sender.everyone_seen += 1
            sender.everyone_seen_bytes += len(body)
            sender.stamp = number
            self.dirty[sender_number] = sender
        return entry

    def apply_settled(self, number: int, fields: Settled, account: Account | None) -> None:
        """Entries leave a queue; messages among them leave an outcome in their senders' queues."""
        at_ms, account_number, discarded, name, settlements = fields
        self.apply_settlements(number, at_ms, account_number, name, settlements, discarded, account)

    def apply_settlements(  # noqa: PLR0917  # once per receipt: keywords cost
        self,
        number: int,
        at_ms: int,
        account_number: int,
        name: str,
        settlements: Sequence[SettledEntry],
        discarded: bool,
        account: Account | None,
    ) -> list[Account]:
        """`apply_settled`, its record in parts; says whose queues got outcomes, each once."""
        self.next_number = number + max(1, len(settlements))
        self.see_time(at_ms)
        # The account's own stamp moves on last: it may be the sender of what it settles.
        if account is not None and number > account.stamp:
            take_all_out(self, account, settlements, number)
            fresh = True
        else:
            fresh = False
        told = leave_outcomes(self, number, at_ms, account_number, name, settlements, discarded)
        if fresh and account is not None:
            account.stamp = max(account.stamp, number)
            self.dirty[account_number] = account
        return told

    def apply_begun(self, number: int, fields: Begun) -> None:
        """The deletion of an account begins."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            account.closing_number = number
            self.accounts.closing[account.number] = None
            account.closing_total = fields.everyone_total
            account.closing_bytes = fields.everyone_bytes
            account.stamp = number
            self.dirty[account.number] = account

    def apply_deleted(self, number: int, fields: Touched | Retired) -> None:
        """An account is gone; its name is free, unless it is to stay reserved for a while."""
        self.next_number = number + 1
        if isinstance(fields, Retired):
            self.registry.reserve(fields.name, fields.until_ms, fields.at_ms)
        account = self.by_number.get(fields.account)
        self.deleted[fields.account] = None
        if account is None:
            return
        self.accounts.remove(account)
        self.tail_entries -= account.queue.tail_count
        account.queue.clear()
        self.dirty.pop(account.number, None)

    # --- sessions, and what is taken back ---

    def apply_session_begun(self, number: int, fields: Touched) -> None:
        """A user has logged in. A session before that never ended was cut off with the server:
        then nobody knows what it was handed.
        """
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            account.last_seen_ms = max(account.last_seen_ms, fields.at_ms)
            if account.session_number:
                account.handed_from, account.handed_to = 1, number
            account.session_number = number
            self.mark(account, number)

    def apply_session_ended(self, number: int, fields: Ended) -> None:
        """The user has gone, and may have been handed what lies between these numbers."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            account.last_seen_ms = max(account.last_seen_ms, fields.at_ms)
            account.session_number = 0
            if account.handed_to <= account.settled.floor:
                account.handed_from = account.handed_to = 0
            if fields.handed_to:
                before = account.handed_from or fields.handed_from
                account.handed_from = min(before, fields.handed_from)
                account.handed_to = max(account.handed_to, fields.handed_to)
            self.mark(account, number)

    def mark(self, account: Account, number: int) -> None:
        """The account's marks have changed."""
        account.stamp = number
        self.dirty[account.number] = account
        if account.marked:
            self.accounts.marked[account.number] = None
        else:
            self.accounts.marked.pop(account.number, None)

    def apply_recalled(self, number: int, fields: Recalled, sender: Account | None) -> None:
        """Copies of a message leave the queues that they are in; each leaves an outcome."""
        at_ms, sender_number, message_id, copies = fields
        self.next_number = number + max(1, len(copies))
        self.see_time(at_ms)
        place, code = number, self.recalled_code
        for copy in copies:
            account = self.by_number.get(copy.account)
            tell = sender is not None and place > sender.stamp  # it may be its own recipient
            if account is not None and place > account.stamp:
                settlement = Settlement(
                    copy.number - 1, copy.number, 1, 0, copy.body_bytes, sender_number, message_id
                )
                take_out(self, account, settlement, number)
                account.stamp = place
                self.dirty[account.number] = account
            if sender is not None and tell:
                whose, name = copy.account, copy.name
                sender.queue.append(
                    Entry(place, 0, FAILURE, message_id, whose, name, at_ms, ONE, 1, code, b"")
                )
                sender.own_outcomes += 1
                sender.stamp = place
                self.dirty[sender_number] = sender
                self.tail_entries += 1
            place += 1

    def apply_recalled_from_all(self, number: int, fields: RecalledFromAll) -> None:
        """A message to everyone is in nobody's queue any more, but for those who keep it."""
        self.next_number = number + 1
        self.see_time(fields.at_ms)
        everyone = self.everyone
        if number > everyone.stamp:
            everyone.recalled[fields.number] = Withdrawn(
                fields.number, fields.body_bytes, fields.sender, number, fields.kept
            )
            everyone.stamp = number
            self.dirty[EVERYONE] = everyone

    def see_time(self, at_ms: int) -> None:
        """RECEIVED_AT never goes back."""
        self.last_received_at_ms = max(self.last_received_at_ms, at_ms)
