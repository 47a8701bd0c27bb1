"""What a settlement does to the queues: entries leave one, outcomes come into their senders'.

Parts of `store.state.State.apply_settled` and `apply_recalled`, which alone call them: so the live
path and the replay of recovery both end here. A receipt for many is taken as columns, not one by
one (measured, 64 in a row: 0.5 us an entry, 1.1 one by one).

Must never look at anything but record and state. Fails never.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.account import Account
from store.entry import EntryKind
from store.entry_codec import START, outcome_parts
from store.records import SettledEntry

if TYPE_CHECKING:  # which is made of what stands here
    from store.state import State

MESSAGE = int(EntryKind.MESSAGE)
SUCCESS = int(EntryKind.SUCCESS)
FAILURE = int(EntryKind.FAILURE)
FEW = 4  # of less columns are not worth it


def take_all_out(
    state: "State", account: Account, settlements: Sequence[SettledEntry], at_number: int
) -> None:
    """`take_out` for each. What stands next to each other goes as one range."""
    if state.everyone.recalled or len(settlements) < FEW:
        for settlement in settlements:
            take_out(state, account, settlement, at_number)
        return
    preds, numbers, kinds, everyones, sizes, _, _ = zip(*settlements, strict=True)
    if preds[1:] == numbers[:-1]:
        account.settled.add(preds[0], numbers[-1])
    else:
        add_ranges(account, settlements)
    if any(everyones):
        shared = [size for size, everyone in zip(sizes, everyones, strict=True) if everyone]
        account.everyone_seen += len(shared)
        account.everyone_seen_bytes += sum(shared)
        own = [settlement for settlement in settlements if not settlement[3]]
        numbers = tuple([number for _, number, *_ in own])
        kinds = tuple([kind for _, _, kind, *_ in own])
        sizes = tuple([size for _, _, _, _, size, *_ in own])
    messages = kinds.count(MESSAGE)
    if messages < len(kinds):
        pairs = zip(sizes, kinds, strict=True)
        sizes = tuple([size for size, kind in pairs if kind == MESSAGE])
    account.own_messages -= messages
    account.own_bytes -= sum(sizes)
    account.own_outcomes -= len(numbers) - messages
    state.tail_entries -= account.queue.take_out(list(numbers))


def add_ranges(account: Account, settlements: Sequence[SettledEntry]) -> None:
    """Settle what is not all in one stretch."""
    start = end = settlements[0][0]
    for pred, number, *_ in settlements:
        if pred != end:
            account.settled.add(start, end)
            start = pred
        end = number
    account.settled.add(start, end)


def take_out(state: "State", account: Account, settlement: SettledEntry, at_number: int) -> None:
    """One entry leaves an account's queue, by the record of number `at_number`."""
    pred, number, kind, everyone, body_bytes, _, _ = settlement
    if state.everyone.recalled:
        # The range is about to cover what was passed over because it was recalled before.
        for each in account.withdrawn(state.everyone):
            if pred < each.number <= number and each.at_number < at_number:
                account.everyone_seen += 1
                account.everyone_seen_bytes += each.body_bytes
    account.settled.add(pred, number)
    if everyone:
        account.everyone_seen += 1
        account.everyone_seen_bytes += body_bytes
        return
    if kind == MESSAGE:
        account.own_messages -= 1
        account.own_bytes -= body_bytes
    else:
        account.own_outcomes -= 1
    state.tail_entries -= account.queue.take_one_out(number)


def leave_outcomes(  # noqa: PLR0917  # once per receipt: keywords cost
    state: "State",
    number: int,
    at_ms: int,
    whose: int,
    name: str,
    settlements: Sequence[SettledEntry],
    discarded: bool,
) -> list[Account]:
    """The messages among them leave an outcome in their senders' queues, the first of number
    `number`; gives those whose queues got some, each once.
    """
    for settlement in settlements:
        if settlement[2] == MESSAGE:
            break
    else:
        return []  # a receipt for outcomes
    kind = FAILURE if discarded else SUCCESS
    code = state.failure_code if discarded else 0
    encoded = name.encode()
    start = sent_at = rest = b""  # of an entry's bytes, where such are wanted
    pack = START.pack
    senders: dict[int, tuple[Account | None, int]] = {}  # and their stamps as they were
    found: list[tuple[Account, int]] = []  # and how much was in their tails
    sender: Account | None = None  # of the message before, and mostly of the next one, too
    at_hand = -1
    stamp = 0
    for place, (_, _, settled, _, _, sender_number, message_id) in enumerate(settlements, number):
        if settled != MESSAGE:
            continue
        if sender_number != at_hand:
            at_hand = sender_number
            if sender_number in senders:
                sender, stamp = senders[sender_number]
            else:
                sender = state.by_number.get(sender_number)
                if sender is not None:
                    stamp = sender.stamp
                    found.append((sender, len(sender.queue.tail)))
                senders[sender_number] = sender, stamp
        if sender is not None and place > stamp:
            queue = sender.queue
            if queue.is_awaited:
                row = (place, message_id, encoded, at_ms, 1, 1, code, b"")  # Audience.ONE
                queue.tail.append((kind, whose, row))
            else:
                if not start:
                    start, sent_at, rest = outcome_parts(kind, whose, encoded, at_ms, code)
                queue.tail.append(pack(start, place, sent_at, message_id) + rest)
            queue.tail_numbers.append(place)
    told: list[Account] = []
    for sender, before in found:
        queue = sender.queue
        count = len(queue.tail) - before
        if count:
            sender.own_outcomes += count
            sender.stamp = queue.tail_numbers[-1]
            state.dirty[sender.number] = sender
            state.tail_entries += count
            told.append(sender)
    return told
