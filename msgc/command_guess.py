"""A word that looks like a command typed wrong: which command may be meant.

`msgc chekc` must not become the user chekc by the way. Must never decide: who reads the answer asks
the person, or refuses. Fails never.
"""

from collections.abc import Sequence
from typing import Final

_LONG: Final = 5
"""A command of so many letters may differ in two places; shorter ones look too much like names."""


def nearest(word: str, commands: Sequence[str]) -> str | None:
    """The command that is meant by a word that is none; None when none is near."""
    best = min(commands, key=lambda command: distance(word.lower(), command))
    near = 2 if len(best) >= _LONG else 1
    return best if 0 < distance(word.lower(), best) <= near or word.lower() == best else None


def question(word: str, command: str) -> str:
    """What to say about it."""
    return f'Did you mean "msgc {command}"? To be the user {word}: msgc -u {word}'


def distance(first: str, second: str) -> int:
    """How many letters must be added, dropped, changed or swapped with their neighbour.

    Optimal string alignment (Damerau 1964), quadratic in the lengths: both are short.
    """
    before: list[int] = []
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        here = [row]
        for column, other in enumerate(second, 1):
            cost = min(
                above[column] + 1, here[column - 1] + 1, above[column - 1] + (letter != other)
            )
            swapped = row > 1 and column > 1 and first[row - 2] == other
            if swapped and letter == second[column - 2]:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        before, above = above, here
    return above[-1]
