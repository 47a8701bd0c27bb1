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

from bisect import bisect_left, insort
from collections.abc import Sequence

from store import window
from store.entry import Audience, Entry, EntryKind
from store.ranges import Ranges
from store.records import (
    Accepted,
    Begun,
    Created,
    Fields,
    RecordCode,
    Settled,
    Settlement,
    Touched,
)
from store.window import Window, WindowVerdict

__all__ = ["EVERYONE", "Account", "Everyone", "Queue", "State", "Window", "WindowVerdict"]

EVERYONE = 0  # the pseudo account whose queue holds what was sent to everyone

MESSAGE = EntryKind.MESSAGE
SUCCESS = EntryKind.SUCCESS
FAILURE = EntryKind.FAILURE
ONE = Audience.ONE
SEVERAL = Audience.SEVERAL


class Queue:
    """Where the entries of one queue are: the file up to `end_offset`, then the tail in memory."""

    __slots__ = (
        "base",
        "end_offset",
        "file_last",
        "has_file",
        "hint",
        "number",
        "tail",
        "tail_numbers",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.tail: dict[int, Entry] = {}  # by number, in order
        self.tail_numbers: list[int] = []  # of the tail, in order; settled ones may linger
        self.has_file = False
        self.base = -1  # logical offset of the file's first block; -1: not looked at yet
        self.end_offset = 0  # logical offset just past the file's last block
        self.hint = 0  # every unsettled entry in the file is at or past this logical offset
        self.file_last = 0  # number of the last entry in the file

    def append(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self.tail[entry.number] = entry
        self.tail_numbers.append(entry.number)


class Everyone:
    """The one shared queue of what was sent to everyone, and how much that ever was."""

    __slots__ = ("queue", "stamp", "total", "total_bytes", "trusted_end")

    def __init__(self) -> None:
        self.queue = Queue(EVERYONE)
        self.stamp = 0
        self.total = 0
        self.total_bytes = 0
        self.trusted_end = 0  # end_offset as of the last complete checkpoint


class Account:
    """A user's account: durable, except for what is marked as cache."""

    __slots__ = (
        "closing_bytes",
        "closing_number",
        "closing_total",
        "created_at_ms",
        "everyone_hint",
        "everyone_seen",
        "everyone_seen_bytes",
        "last_seen_ms",
        "name",
        "name_bytes",
        "number",
        "number_bytes",
        "oldest_at_ms",
        "oldest_number",
        "own_bytes",
        "own_messages",
        "own_outcomes",
        "queue",
        "saved_bytes",
        "settled",
        "stamp",
        "windows",
    )

    def __init__(self, number: int, name: str, created_at_ms: int) -> None:
        self.number = number
        self.number_bytes = number.to_bytes(8, "big")
        self.name = name
        self.name_bytes = name.encode()
        self.created_at_ms = created_at_ms
        self.last_seen_ms = created_at_ms
        self.stamp = number
        self.closing_number = 0  # the record that began the deletion; 0: not closing
        self.closing_total = 0  # everyone's totals at that record
        self.closing_bytes = 0
        self.own_messages = 0  # waiting in the own queue
        self.own_bytes = 0
        self.own_outcomes = 0
        self.everyone_seen = 0  # of everyone's messages: settled, sent by us, or before our time
        self.everyone_seen_bytes = 0
        self.everyone_hint = 0  # as Queue.hint, in everyone's file
        self.settled = Ranges(number)
        self.windows: dict[bytes, Window] = {}
        self.queue = Queue(number)
        self.saved_bytes = 0  # cache: size of the newest state in the accounts log
        self.oldest_number = 0  # cache: the oldest waiting message that was found
        self.oldest_at_ms = 0

    @property
    def closing(self) -> bool:
        """Whether the deletion has begun: the account takes no more mail."""
        return self.closing_number != 0

    @property
    def outcomes_waiting(self) -> int:
        """Outcomes in the queue."""
        return self.own_outcomes

    def messages_waiting(self, state: "State") -> int:
        """Messages in the queue, everyone's included."""
        total = self.closing_total if self.closing_number else state.everyone.total
        return self.own_messages + total - self.everyone_seen

    def bytes_waiting(self, state: "State") -> int:
        """Bytes of the bodies of the messages in the queue."""
        total = self.closing_bytes if self.closing_number else state.everyone.total_bytes
        return self.own_bytes + total - self.everyone_seen_bytes


class State:
    """Everything that is durable, and the way to change it."""

    __slots__ = (
        "by_name",
        "by_number",
        "closing_count",
        "deleted",
        "dirty",
        "everyone",
        "failure_code",
        "last_received_at_ms",
        "names",
        "next_number",
        "tail_entries",
    )

    def __init__(self, failure_code: int) -> None:
        self.failure_code = failure_code  # of the FAILURE that a discarded message leaves
        self.by_name: dict[str, Account] = {}
        self.by_number: dict[int, Account] = {}
        self.names: list[str] = []  # sorted
        self.closing_count = 0
        self.everyone = Everyone()
        self.next_number = 1
        self.last_received_at_ms = 0
        self.tail_entries = 0
        self.dirty: dict[int, None] = {}  # accounts that changed since they were last saved
        self.deleted: dict[int, None] = {}  # accounts whose tombstone is not saved yet

    def names_after(self, name: str) -> int:
        """Where in `names` the first name above this one stands (for paging)."""
        index = bisect_left(self.names, name)
        return index + (index < len(self.names) and self.names[index] == name)

    def add_account(self, account: Account) -> None:
        """Put an account into the tables."""
        self.by_name[account.name] = account
        self.by_number[account.number] = account
        insort(self.names, account.name)
        self.closing_count += account.closing

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
        elif type_ == RecordCode.ACCOUNT_TOUCHED:
            self.apply_touched(number, fields)
        else:
            self.apply_deleted(number, fields)

    def apply_created(self, number: int, fields: Created) -> Account:
        """A new account. A checkpoint saves only accounts that were there when it began, so no
        account is there before its own record.
        """
        self.next_number = number + 1
        self.see_time(fields.at_ms)
        account = Account(number, fields.name, fields.at_ms)
        account.everyone_seen = fields.everyone_total
        account.everyone_seen_bytes = fields.everyone_bytes
        account.everyone_hint = fields.everyone_hint
        self.add_account(account)
        self.dirty[number] = None
        return account

    def apply_touched(self, number: int, fields: Touched) -> None:
        """Somebody was seen."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            account.last_seen_ms = max(account.last_seen_ms, fields.at_ms)
            account.stamp = number
            self.dirty[account.number] = None

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
            dirty[sender_number] = None
        for account in recipients:
            if number > account.stamp:
                queue = account.queue
                queue.tail[number] = entry
                queue.tail_numbers.append(number)
                account.own_messages += 1
                account.own_bytes += len(body)
                account.stamp = number
                dirty[account.number] = None
                self.tail_entries += 1
        if sender is not None and number > sender.stamp:
            sender.stamp = number
        return entry

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
            everyone.queue.append(entry)
            everyone.total += 1
            everyone.total_bytes += len(body)
            everyone.stamp = number
            self.dirty[EVERYONE] = None
            self.tail_entries += 1
        if sender is not None and number > sender.stamp:
            window.take(sender.windows, message_id, at_ms)
            sender.everyone_seen += 1
            sender.everyone_seen_bytes += len(body)
            sender.stamp = number
            self.dirty[sender_number] = None
        return entry

    def apply_settled(
        self, number: int, fields: Settled, account: Account | None
    ) -> list[tuple[Account, Entry]]:
        """Entries leave a queue; messages among them leave an outcome in their senders' queues."""
        at_ms, account_number, discarded, name, settlements = fields
        self.next_number = number + max(1, len(settlements))
        self.see_time(at_ms)
        fresh = account is not None and number > account.stamp
        kind = FAILURE if discarded else SUCCESS
        code = self.failure_code if discarded else 0
        outcomes: list[tuple[Account, Entry]] = []
        place = number
        for settlement in settlements:
            _, _, settled_kind, _, _, sender_number, message_id = settlement
            if fresh and account is not None:
                self.take_out(account, settlement)
            if settled_kind == 1:  # MESSAGE
                sender = self.by_number.get(sender_number)
                if sender is not None and place > sender.stamp:
                    entry = Entry(
                        place, 0, kind, message_id, account_number, name, at_ms, ONE, 1, code, b""
                    )
                    sender.queue.append(entry)
                    sender.own_outcomes += 1
                    sender.stamp = place
                    self.dirty[sender_number] = None
                    self.tail_entries += 1
                    outcomes.append((sender, entry))
            place += 1
        if fresh and account is not None:
            account.stamp = max(account.stamp, number)
            self.dirty[account_number] = None
        return outcomes

    def take_out(self, account: Account, settlement: Settlement) -> None:
        """One entry leaves an account's queue."""
        pred, number, kind, everyone, body_bytes, _, _ = settlement
        account.settled.add(pred, number)
        if everyone:
            account.everyone_seen += 1
            account.everyone_seen_bytes += body_bytes
            return
        if kind == 1:  # MESSAGE
            account.own_messages -= 1
            account.own_bytes -= body_bytes
        else:
            account.own_outcomes -= 1
        queue = account.queue
        if queue.tail.pop(number, None) is not None:
            self.tail_entries -= 1
            if not queue.tail:
                queue.tail_numbers.clear()

    def apply_begun(self, number: int, fields: Begun) -> None:
        """The deletion of an account begins."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        if account is not None and number > account.stamp:
            self.closing_count += not account.closing
            account.closing_number = number
            account.closing_total = fields.everyone_total
            account.closing_bytes = fields.everyone_bytes
            account.stamp = number
            self.dirty[account.number] = None

    def apply_deleted(self, number: int, fields: Touched) -> None:
        """An account is gone, and its name is free."""
        self.next_number = number + 1
        account = self.by_number.get(fields.account)
        self.deleted[fields.account] = None
        if account is None:
            return
        del self.by_number[account.number]
        del self.by_name[account.name]
        del self.names[bisect_left(self.names, account.name)]
        self.closing_count -= account.closing
        self.tail_entries -= len(account.queue.tail)
        account.queue.tail.clear()
        account.queue.tail_numbers.clear()
        self.dirty.pop(account.number, None)

    def see_time(self, at_ms: int) -> None:
        """RECEIVED_AT never goes back."""
        self.last_received_at_ms = max(self.last_received_at_ms, at_ms)
