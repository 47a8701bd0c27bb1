"""The tail of a queue: entries as bytes, in parts, or both, are the same to whoever asks."""

from hypothesis import given
from hypothesis import strategies as st

from store.entry import Audience, Entry, EntryKind
from store.entry_codec import START, RunHead, encode_entry, outcome_parts, parts_of
from store.queue import Queue

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.booleans()),
        st.tuples(st.just("take_out"), st.lists(st.integers(0, 40), unique=True, max_size=6)),
        st.tuples(st.just("take_first"), st.integers(1, 6)),
        st.tuples(st.just("take_one_out"), st.integers(0, 40)),
        st.tuples(st.just("save"), st.integers(1, 4)),
    ),
    max_size=25,
)


def entry_of(number: int, body: bytes = b"hello", kind: EntryKind = EntryKind.MESSAGE) -> Entry:
    message_id = b"ann-home" + (number % 3).to_bytes(8, "big")
    return Entry(number, 0, kind, message_id, 1, "ann", 5, Audience.ONE, 1, 0, body)


def filled(*numbers: int, is_awaited: bool = False, body: bytes = b"hello") -> Queue:
    queue = Queue(2)
    queue.is_awaited = is_awaited
    for number in numbers:
        queue.append(entry_of(number, body))
    return queue


def check(queue: Queue, model: dict[int, Entry]) -> None:
    """A queue holds what the model holds, whichever way it is asked."""
    entries = list(model.values())
    assert queue.all_in_tail() == entries
    assert queue.tail_count == len(model)
    assert bool(queue.tail) == bool(queue.tail_numbers) == bool(model)
    assert [number for number in range(45) if queue.holds(number)] == list(model)
    for position in (0, 7, 20):
        after = [entry for entry in entries if entry.number > position]
        assert queue.first_after(position) == (after[0] if after else None)
    wanted = entry_of(1).message_id
    assert queue.all_with_id(wanted) == [each for each in entries if each.message_id == wanted]


@given(OPERATIONS)
def test_both_forms_are_the_same(operations: list[tuple[str, int | list[int]]]) -> None:
    queue, model, last = Queue(2), dict[int, Entry](), 0
    for what, value in operations:
        if what == "append":
            queue.is_awaited = bool(value)
            last += 2
            model[last] = entry_of(last)
            queue.append(entry_of(last))
        elif what == "save":
            assert isinstance(value, int)
            numbers, piece = queue.first_piece(value, 1_000)
            assert numbers == list(model)[:value]
            assert piece == [encode_entry(model.pop(number)) for number in numbers]
            if numbers:
                queue.forget_first(len(numbers))
                assert queue.file_last == numbers[-1]
        elif what == "take_one_out":
            assert isinstance(value, int)
            assert queue.take_one_out(value) == (value in model)
            model.pop(value, None)
        else:
            gone = list(model)[:value] if isinstance(value, int) else value
            assert queue.take_out(gone) == sum(number in model for number in gone)
            for number in gone:
                model.pop(number, None)
        check(queue, model)


def test_what_is_next_to_each_other_leaves_together() -> None:
    queue = filled(3, 5, 6, 9)
    assert queue.take_out([5, 6, 7, 9, 5]) == 3
    assert len(queue.tail) == 4  # nothing moves up
    assert queue.take_out([3]) == 1
    assert queue.tail == []
    assert queue.take_out([3]) == 0


def test_a_stretch_of_the_tail_leaves_at_once_even_if_some_had_left_before() -> None:
    queue = filled(3, 5, 6, 9, 12)
    assert queue.take_out([]) == 0
    assert queue.take_out([6]) == 1
    assert queue.take_out([5, 6, 9]) == 2
    check(queue, {number: entry_of(number) for number in (3, 12)})
    assert queue.take_out([9, 12]) == 1
    assert queue.take_out([9, 12, 15]) == 0
    check(queue, {3: entry_of(3)})
    assert queue.take_out([3, 5]) == 1
    assert (queue.tail, queue.tail_gone) == ([], 0)


def test_one_leaves_as_several_do() -> None:
    numbers = (3, 5, 6)
    alone, together = filled(*numbers), filled(*numbers)
    for number in (4, 5, 5, 9, 3, 6, 6):
        assert alone.take_one_out(number) == together.take_out([number])
        assert (alone.tail, alone.tail_gone) == (together.tail, together.tail_gone)
        assert alone.tail_numbers == together.tail_numbers
    assert alone.tail == []


def test_all_at_once_leave_an_empty_tail_even_if_some_had_left_before() -> None:
    queue = filled(3, 5, 6)
    queue.take_out([5])
    assert queue.take_out([3, 5, 6]) == 2
    assert (queue.tail, queue.tail_gone) == ([], 0)


def test_what_is_awaited_is_kept_in_its_parts() -> None:
    assert filled(3, is_awaited=True).tail == [parts_of(entry_of(3))]
    assert filled(3).tail == [encode_entry(entry_of(3))]


def test_a_tail_of_both_forms_with_a_gap_in_each() -> None:
    queue = filled(1, 2, 3)
    queue.is_awaited = True
    for number in (4, 5, 6):
        queue.append(entry_of(number))
    assert queue.take_out([2, 5]) == 2
    check(queue, {number: entry_of(number) for number in (1, 3, 4, 6)})
    assert queue.first_after(1) == entry_of(3)
    numbers, piece = queue.first_piece(3, 1_000)
    assert numbers == [1, 3, 4]
    assert piece == [encode_entry(entry_of(number)) for number in numbers]


def test_a_piece_has_one_entry_at_least_and_ends_past_its_size() -> None:
    queue = filled(1, 2, 3, body=b"x" * 1_000)
    assert queue.first_piece(10, 1)[0] == [1]
    assert queue.first_piece(10, 2_000)[0] == [1, 2]
    assert queue.first_piece(10, 10_000)[0] == [1, 2, 3]
    assert Queue(2).first_piece(10, 10_000) == ([], [])


def test_entries_made_in_a_row_are_those_made_one_by_one() -> None:
    head = RunHead(1, b"ann", 5)
    for number, body in ((3, b"hello"), (5, b""), (7, b"hello")):
        entry = entry_of(number, body)
        begin = head.of_sizes.get(len(body)) or head.of_size(len(body))
        encoded = START.pack(begin, number, head.sent_at, entry.message_id) + head.rest + body
        assert encoded == encode_entry(entry)


def test_an_outcome_is_encoded_as_its_entry_is() -> None:
    for kind, code in ((EntryKind.SUCCESS, 0), (EntryKind.FAILURE, 11)):
        entry = entry_of(3, b"", kind)
        entry.code = code
        first, second, third = outcome_parts(kind, 1, b"ann", 5, code)
        assert START.pack(first, 3, second, entry.message_id) + third == encode_entry(entry)
