"""A receipt for many is what it is one by one."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from store.account import Account
from store.awake import AwakeAccount
from store.entry import Audience, Entry, EntryKind
from store.records import SettledEntry
from store.settling import leave_outcomes, take_all_out, take_out
from store.state import State

NAMES = ("ann", "bob", "cat")


@dataclass
class Scene:
    """Three accounts; the first has a queue."""

    state: State = field(default_factory=lambda: State(11, 30))
    accounts: list[Account] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, name in enumerate(NAMES, 1):
            account = AwakeAccount(number, name, 1)
            self.state.accounts.add(account)
            self.accounts.append(account)

    def wait(self, number: int, kind: int) -> None:
        """An entry of the own queue, in memory."""
        entry = Entry(
            *(number, 0, EntryKind(kind), bytes(16), 2, "bob", 5, Audience.ONE, 1, 0, b"")
        )
        self.accounts[0].queue.append(entry)
        self.state.tail_entries += 1

    def picture(self) -> object:
        ann = self.accounts[0]
        return (
            *(ann.settled.pairs(), ann.own_messages, ann.own_bytes, ann.own_outcomes),
            *(ann.everyone_seen, ann.everyone_seen_bytes, self.state.tail_entries),
            [entry.number for entry in ann.queue.all_in_tail()],
        )


# (gap before it, kind, in everyone's queue, size, in memory)
SETTLED = st.lists(
    st.tuples(st.booleans(), st.integers(1, 3), st.booleans(), st.integers(0, 50), st.booleans()),
    max_size=12,
)


@given(SETTLED, st.randoms(use_true_random=False))
def test_what_leaves_a_queue_together_leaves_as_one_by_one(
    drawn: list[tuple[bool, int, bool, int, bool]], random: "object"
) -> None:
    together, one_by_one = Scene(), Scene()
    settlements: list[SettledEntry] = []
    number = 10
    for gap, kind, everyone, size, in_memory in drawn:
        pred = number + 3 if gap else number
        number = pred + 2
        settlements.append((pred, number, kind, int(everyone), size, 2, bytes(16)))
        if in_memory and not everyone:
            together.wait(number, kind)
            one_by_one.wait(number, kind)
    assert hasattr(random, "shuffle")
    random.shuffle(settlements)
    take_all_out(together.state, together.accounts[0], settlements, 1_000)
    for settlement in settlements:
        take_out(one_by_one.state, one_by_one.accounts[0], settlement, 1_000)
    assert together.picture() == one_by_one.picture()


def test_many_with_gaps_between_them_leave_as_one_by_one() -> None:
    together, one_by_one = Scene(), Scene()
    settlements: list[SettledEntry] = [
        (pred, pred + 1, 1, everyone, 7, 2, bytes(16))
        for pred, everyone in ((3, 0), (4, 1), (8, 0), (9, 0), (15, 1))
    ]
    for scene in (together, one_by_one):
        scene.wait(4, 1)
        scene.wait(10, 1)
    take_all_out(together.state, together.accounts[0], settlements, 1_000)
    for settlement in settlements:
        take_out(one_by_one.state, one_by_one.accounts[0], settlement, 1_000)
    assert together.picture() == one_by_one.picture()
    assert together.accounts[0].settled.pairs() == [(0, 1), (3, 5), (8, 10), (15, 16)]


def test_a_record_that_a_sender_has_seen_in_part_leaves_it_the_rest() -> None:
    scene = Scene()
    bob = scene.accounts[1]
    bob.stamp = 21
    settlements = [(at, at + 1, 1, 0, 5, 2, bytes(16)) for at in (5, 6, 7)]
    settlements += [(8, 9, 2, 0, 0, 3, bytes(16)), (9, 10, 1, 0, 5, 99, bytes(16))]
    told = leave_outcomes(scene.state, 20, 7, 1, "ann", settlements, discarded=False)
    assert told == [bob]
    (outcome,) = bob.queue.all_in_tail()
    assert (outcome.number, outcome.kind, outcome.sender_name) == (22, EntryKind.SUCCESS, "ann")
    assert (bob.stamp, bob.own_outcomes, scene.state.tail_entries) == (22, 1, 1)
    assert list(scene.state.dirty) == [2]


def test_a_record_that_a_sender_has_seen_leaves_it_nothing() -> None:
    scene = Scene()
    bob, cat = scene.accounts[1:]
    bob.stamp = 30
    cat.queue.is_awaited = True
    settlements = [(5, 6, 1, 0, 5, 2, bytes(16)), (6, 7, 1, 0, 5, 3, bytes(16))]
    told = leave_outcomes(scene.state, 20, 7, 1, "ann", settlements, discarded=True)
    assert told == [cat]
    (failure,) = cat.queue.all_in_tail()
    assert (failure.number, failure.kind, failure.code) == (21, EntryKind.FAILURE, 11)
    assert bob.own_outcomes == 0
    assert list(scene.state.dirty) == [3]


def test_a_receipt_for_outcomes_leaves_nothing() -> None:
    scene = Scene()
    settlements = [(at, at + 1, 2, 0, 0, 2, bytes(16)) for at in (5, 6)]
    assert leave_outcomes(scene.state, 20, 7, 1, "ann", [], discarded=False) == []
    assert leave_outcomes(scene.state, 20, 7, 1, "ann", settlements, discarded=False) == []
    assert not scene.state.dirty


def test_an_outcome_that_is_awaited_is_the_same_as_one_that_is_not() -> None:
    scene = Scene()
    bob, cat = scene.accounts[1:]
    cat.queue.is_awaited = True
    settlements = [(at, at + 1, 1, 0, 5, 2 + at % 2, bytes(16)) for at in (4, 5, 6, 7)]
    assert leave_outcomes(scene.state, 20, 7, 1, "ann", settlements, discarded=False) == [bob, cat]
    left = bob.queue.all_in_tail() + cat.queue.all_in_tail()
    assert [entry.number for entry in left] == [20, 22, 21, 23]
    for entry in left:
        entry.number = 0
    assert left == [left[0]] * 4


def test_senders_who_take_turns_are_each_left_their_own_outcomes() -> None:
    scene = Scene()
    bob, cat = scene.accounts[1:]
    bob.stamp = 23  # it has seen the record up to there
    senders = (99, 2, 3, 2, 99, 2, 3, 3, 2)  # 99 is gone
    settlements = [(at, at + 1, 1, 0, 5, whose, bytes(16)) for at, whose in enumerate(senders)]
    assert leave_outcomes(scene.state, 20, 7, 1, "ann", settlements, discarded=False) == [bob, cat]
    assert bob.queue.tail_numbers.tolist() == [25, 28]
    assert cat.queue.tail_numbers.tolist() == [22, 26, 27]
    assert (bob.own_outcomes, bob.stamp, cat.own_outcomes, cat.stamp) == (2, 28, 3, 27)
