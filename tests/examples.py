"""How far a test goes that proves by volume: all the way, or in the fast lane a part of it.

The fast lane asks whether the code still works, the full one whether it still always works. What
says `examples(N)` or `some(values)` takes all of them everywhere but in `scripts/test.sh --fast`.
A test without a number of its own takes those of the profile, see tests/conftest.py. Fails never.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from hypothesis import settings

FAST: Final = "fast"
"""The profile of `scripts/test.sh --fast`."""

FAST_FRACTION: Final = 5
FAST_MIN: Final = 2

Value = TypeVar("Value")


def examples(count: int) -> int:
    """So many, or in the fast lane a part of them."""
    return fewer(count) if _is_fast() else count


def some(values: Sequence[Value], each: int = FAST_FRACTION) -> Sequence[Value]:
    """All of them in their order, or in the fast lane one of `each`, beginning with the first."""
    return values[::each] if _is_fast() else values


def fewer(count: int) -> int:
    """What the fast lane takes of so many examples."""
    return min(count, max(count // FAST_FRACTION, FAST_MIN))


def _is_fast() -> bool:
    return settings.get_current_profile_name() == FAST
