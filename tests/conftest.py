"""What holds for every test: how hypothesis searches, what is covered, what hangs, whose files.

`scripts/test.sh` names a profile: `fast` with few examples, or hypothesis's own `ci` with all of
them, both the same each time, so that a verdict can be repeated. Else, and not on CI, hypothesis
goes on looking for new ones. No profile judges the speed of an example, which says more about the
machine's other work than about the code.

What was loaded for the tests stays, and Python's collector of cycles is told so, or it looks
through all of it again and again.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from tests.examples import FAST, fewer

settings.register_profile(
    FAST,
    settings.get_profile("ci"),
    max_examples=fewer(settings.get_profile("ci").max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
if "CI" not in os.environ:
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")

# Files that a whole group may write are refused by both programs, and tests write such files.
os.umask(0o022)

SLOW_TIMEOUT_S = 900
"""For tests that take long by nature; others have the short one of pyproject.toml."""


def pytest_collection() -> None:
    gc.disable()


@pytest.hookimpl(trylast=True)  # when hypothesis has marked what is its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        takes_long = item.get_closest_marker("slow") or item.get_closest_marker("e2e")
        if takes_long and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))
        if item.get_closest_marker("hypothesis"):
            # A branch that only a search comes by is not tested; and a search is slow when traced.
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()
