from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.ranges import Ranges

PAIRS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), max_size=30)


@given(floor=st.integers(0, 10), pairs=PAIRS)
def test_ranges_are_a_set_of_numbers(floor: int, pairs: list[tuple[int, int]]) -> None:
    ranges = Ranges(floor)
    numbers = set(range(1, floor + 1))
    for start, size in pairs:
        ranges.add(start, start + size)
        numbers |= set(range(start + 1, start + size + 1))
    assert {n for n in range(1, 80) if ranges.covers(n)} == numbers
    found = ranges.pairs()
    assert all(one[1] < two[0] for one, two in pairwise(found))
    assert len(ranges) == len(found)
    assert Ranges.of(found).pairs() == found
    assert ranges.floor == found[0][1]


@pytest.mark.parametrize(
    "pairs", [[], [(1, 2)], [(0, 5), (4, 6)], [(0, 5), (7, 6)], [(0, 5), (5, 6)]]
)
def test_ranges_that_cannot_have_been_saved(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="settled ranges"):
        Ranges.of(pairs)
