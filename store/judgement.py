"""Whether a record of the journal can be true: looked at before it is applied by a start.

A right checksum says that the bytes are those that somebody wrote, not that a server did. What
`State.apply` and the codecs take for granted of our own records is looked at here, so that bytes
which cannot be are damage with a file and an offset, and no failed assertion.

Must never refuse what a server may have written: it is compared with the record's own number, with
what is in force at that moment, and with bounds that nothing can pass. Fails with StoreDamaged.
"""

from typing import Final

from store.account import Account
from store.admitting_records import Invited, Registered, SecretMade
from store.blocking import Blocked
from store.entry import EntryKind
from store.errors import StoreDamaged
from store.inspect import records_of
from store.journal import Batch
from store.limits import (
    BLOCKED_MAX,
    BODY_BYTES_MAX,
    INVITES_MAX,
    NUMBER_MAX,
    PAGE_BYTES,
    RECALLED_KEPT_MAX,
    RECIPIENTS_MAX,
    SECRET_BYTES_MAX,
)
from store.records import (
    Accepted,
    Begun,
    Created,
    Ended,
    Fields,
    Recalled,
    RecalledFromAll,
    Settled,
)
from store.state import State
from store.window import WindowVerdict

KINDS: Final = frozenset(int(kind) for kind in EntryKind)


class ImpossibleError(Exception):
    """No server has written this."""


def apply_batch(state: State, batch: Batch) -> None:
    """All records of a batch, each of them judged. Raises StoreDamaged."""
    number = state.next_number
    if batch.first_number != number:
        reason = f"batch {batch.lsn}: number {batch.first_number} where {number} should be"
        raise StoreDamaged(batch.file, batch.offset, reason)
    try:
        for number, type_, fields in records_of(batch):
            assert number == state.next_number
            touched = judge(state, number, fields)
            state.apply(type_, fields, number)
            for account in touched:
                judge_counters(account)
    except ImpossibleError as error:
        reason = f"batch {batch.lsn}, record {number}: {error}"
        raise StoreDamaged(batch.file, batch.offset, reason) from error


def judge_end(state: State, file: str) -> None:
    """After the last batch: nothing that was saved is of a later record. Raises StoreDamaged.

    Whoever is ahead of the journal or of everyone's file would never get what comes next.
    """
    accounts = state.accounts
    if accounts.newest_stamp >= state.next_number:
        raise StoreDamaged(
            file,
            accounts.newest_at,
            f"it holds record {accounts.newest_stamp}, and the journal ends before "
            f"{state.next_number}",
        )
    end = state.everyone.queue.end_offset
    if accounts.furthest_hint > end:
        reason = f"somebody goes on at {accounts.furthest_hint} of everyone's queue, which ends at"
        raise StoreDamaged(file, PAGE_BYTES, f"{reason} {end}")


def refuse(is_impossible: bool, words: str) -> None:
    """Raises ImpossibleError with these words if it is."""
    if is_impossible:
        raise ImpossibleError(words)


def judge(state: State, number: int, fields: Fields) -> list[Account]:
    """The accounts that were looked at and whose counters may change: to be held until the record
    is applied, or those at rest would be decoded twice. Raises ImpossibleError.
    """
    judge_time(fields)
    touched: list[Account] = []
    if isinstance(fields, Accepted):
        judge_message(state, number, fields, touched)
    elif isinstance(fields, Settled):
        judge_settled(state, number, fields, touched)
    elif isinstance(fields, Recalled):
        judge_recalled(state, number, fields, touched)
    elif isinstance(fields, Created | Registered):
        judge_created(state, fields)
    elif isinstance(fields, RecalledFromAll):
        judge_account(number, fields.sender)
        refuse(not 0 < fields.number < number, f"entry {fields.number} is recalled")
        refuse(len(fields.kept) > RECALLED_KEPT_MAX, f"{len(fields.kept)} accounts keep it")
    elif isinstance(fields, Invited):
        judge_invited(state, fields)
    elif isinstance(fields, SecretMade):
        refuse(len(fields.secret) > SECRET_BYTES_MAX, f"a secret of {len(fields.secret)} bytes")
    else:
        judge_account(number, fields.account)
        if isinstance(fields, Blocked):
            refuse(len(fields.blocked) > BLOCKED_MAX, f"{len(fields.blocked)} are blocked")
        elif isinstance(fields, Begun):
            judge_totals(state, fields.everyone_total, fields.everyone_bytes)
        elif isinstance(fields, Ended):
            handed = max(fields.handed_from, fields.handed_to)
            refuse(handed > NUMBER_MAX, f"entry {handed} was handed out")
    return touched


def judge_time(fields: Fields) -> None:
    """When it was."""
    refuse(fields.at_ms > NUMBER_MAX, f"the time {fields.at_ms}")


def judge_account(number: int, account: int) -> None:
    """An account that was made before this record; everyone's is none."""
    refuse(not 0 < account < number, f"it names the account {account}")


def judge_totals(state: State, total: int, total_bytes: int) -> None:
    """What was sent to everyone until then; what is in force may be of a later moment."""
    everyone = state.everyone
    refuse(
        total > everyone.total or total_bytes > everyone.total_bytes,
        f"{total} messages of {total_bytes} bytes were sent to everyone",
    )


def judge_message(state: State, number: int, fields: Accepted, touched: list[Account]) -> None:
    """MESSAGE_ACCEPTED, MESSAGE_FOR_EVERYONE."""
    judge_account(number, fields.sender)
    recipients = fields.recipients
    refuse(len(recipients) > RECIPIENTS_MAX, f"{len(recipients)} recipients")
    for account in recipients:
        judge_account(number, account)
    refuse(len(fields.body) > BODY_BYTES_MAX, f"a body of {len(fields.body)} bytes")
    sender = state.by_number.get(fields.sender)
    if sender is not None:
        touched.append(sender)
    if sender is not None and number > sender.stamp:
        window = sender.windows.get(fields.message_id[:8])
        if window is not None:
            verdict = window.verdict(int.from_bytes(fields.message_id[8:], "big"))
            refuse(verdict is not WindowVerdict.NEW, f"a message that is {verdict.value}")


def judge_settled(state: State, number: int, fields: Settled, touched: list[Account]) -> None:
    """ENTRIES_SETTLED."""
    judge_account(number, fields.account)
    for pred, entry, kind, everyone, _, _, _ in fields.settlements:
        refuse(not pred < entry < number, f"the entry {entry} after {pred}")
        refuse(kind not in KINDS or everyone > 1, f"an entry of the kind {kind}, {everyone}")
    account = state.by_number.get(fields.account)
    if account is not None:
        touched.append(account)


def judge_recalled(state: State, number: int, fields: Recalled, touched: list[Account]) -> None:
    """COPIES_RECALLED."""
    judge_account(number, fields.sender)
    for copy in fields.copies:
        judge_account(number, copy.account)
        refuse(not 0 < copy.number < number, f"the entry {copy.number} is recalled")
        account = state.by_number.get(copy.account)
        if account is not None:
            touched.append(account)


def judge_created(state: State, fields: Created | Registered) -> None:
    """ACCOUNT_CREATED, ACCOUNT_REGISTERED: who had the name before is gone by then."""
    judge_totals(state, fields.everyone_total, fields.everyone_bytes)
    hint, end = fields.everyone_hint, state.everyone.queue.end_offset
    refuse(hint > end or hint % PAGE_BYTES > 0, f"the place {hint}")
    refuse(fields.name in state.by_name, "there is an account of this name")


def judge_invited(state: State, fields: Invited) -> None:
    """INVITES_MADE."""
    refuse(fields.until_ms > NUMBER_MAX, f"the time {fields.until_ms}")
    invites = state.registry.invites
    good = {each for each, until_ms in invites.items() if until_ms > fields.at_ms}
    count = len(good.union(fields.hashes))
    refuse(count > INVITES_MAX, f"{count} invites")


def judge_counters(account: Account) -> None:
    """Nobody settles more than there is."""
    lowest = min(account.own_messages, account.own_bytes, account.own_outcomes)
    refuse(lowest < 0, f"{account.name} would have less than nothing waiting")
