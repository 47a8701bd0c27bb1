"""For tests that put something in the place of a part: only interpreted code lets them.

A compiled build has constants and calls built in, and takes no stranger for one of its own classes.
What such a test shows of the rules, it shows on the sources; the same rules are compiled.
"""

import pytest

from msgd.build import BUILD, COMPILED


def need_sources() -> None:
    """Skip the test that runs, unless it runs on the sources."""
    if BUILD == COMPILED:
        pytest.skip("a part of compiled code cannot be replaced")


def replace_constant(patch: pytest.MonkeyPatch, name: str, value: object) -> None:
    """Another value for the constant of this name, for the test that runs."""
    need_sources()
    patch.setattr(name, value)
