"""Whether the accounts' counts of what was sent to everyone agree with everyone's queue.

An account counts only how much of everyone's queue it is done with. What it is not done with must
be in the file, or in the journal.

Must never take more than a few numbers for each message to everyone, nor go through all of them for
each account. Fails by nothing: a disagreement is a sentence.
"""

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate

from store.account import Account
from store.entry import Entry
from store.state import State


class EveryoneLedger:
    """What everyone's queue holds, in order: first `add` all of it, then `close`."""

    def __init__(self) -> None:
        self.numbers = array("Q")
        self.sizes = array("Q")
        self.sums = array("Q", [0])  # sums[i]: bytes of the first i
        self.ends: dict[int, int] = {}  # how many entries stand before the block that begins here
        self.begin = -1  # of the first block
        self.senders: dict[int, array[int]] = {}  # by sender: where in `numbers` its own are

    def begin_block(self, offset: int) -> None:
        """A block of the file begins here, or the file ends."""
        if self.begin < 0:
            self.begin = offset
        self.ends[offset] = len(self.numbers)

    def add(self, entry: Entry) -> None:
        """One more."""
        self.senders.setdefault(entry.sender, array("Q")).append(len(self.numbers))
        self.numbers.append(entry.number)
        self.sizes.append(len(entry.body))

    def close(self) -> None:
        """All are there."""
        self.sums = array("Q", accumulate(self.sizes, initial=0))

    def disagreement(self, account: Account, state: State) -> str:
        """What an account's counts say and the entries do not; "" when they agree."""
        counted = (
            account.messages_waiting(state) - account.own_messages,
            account.bytes_waiting(state) - account.own_bytes,
        )
        there = self.waiting(account)
        for each in account.withdrawn(state.everyone):
            if self.has(each.number):  # recalled: it stands there, and does not wait
                there = there[0] - 1, there[1] - each.body_bytes
        if counted == there:
            return self.misplaced(account, state)
        return (
            f"it holds {there[0]} messages and {there[1]} bytes waiting for {account.name}, "
            f"but {counted[0]} and {counted[1]} are counted"
        )

    def misplaced(self, account: Account, state: State) -> str:
        """What is wrong with the place where the account goes on reading; "" when nothing is."""
        hint = account.everyone_hint
        if hint <= max(self.begin, 0):
            return ""
        if hint not in self.ends:
            return f"no block begins at {hint}, where {account.name} goes on reading"
        last = self.numbers[self.ends[hint] - 1] if self.ends[hint] else 0
        recalled = [each for each in account.withdrawn(state.everyone) if each.number <= last]
        if last > account.settled.floor and self.waiting(account, last)[0] > len(recalled):
            return f"messages wait before {hint}, where {account.name} goes on reading"
        return ""

    def waiting(self, account: Account, last: int = 1 << 63) -> tuple[int, int]:
        """(messages, bytes) that the account has not settled, did not send, and is in time for, up
        to the number `last`.
        """
        upto = min(account.closing_number or last, last)
        start, end = self.span(account.number, upto)
        count, size = end - start, self.sums[end] - self.sums[start]
        for above, until in account.settled.pairs():
            first, last = self.span(max(above, account.number), min(until, upto))
            count -= last - first
            size -= self.sums[last] - self.sums[first]
        own = self.senders.get(account.number, array("Q"))
        for place in own[bisect_left(own, start) : bisect_left(own, end)]:
            if not account.settled.covers(self.numbers[place]):
                count -= 1
                size -= self.sizes[place]
        return count, size

    def has(self, number: int) -> bool:
        """Whether there is an entry of this number."""
        start, end = self.span(number - 1, number)
        return start < end

    def span(self, above: int, upto: int) -> tuple[int, int]:
        """The places of the entries with above < number <= upto."""
        start = bisect_right(self.numbers, above)
        return start, max(start, bisect_right(self.numbers, upto))
