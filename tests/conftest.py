"""What holds for every test: how hypothesis searches, when a test counts as hung, whose files.

On CI hypothesis takes its own profile: the same examples each time, so that a verdict can be
repeated. Elsewhere it goes on looking for new ones. Neither judges the speed of an example, which
says more about the machine's other work than about the code.
"""

import os

import pytest
from hypothesis import settings

if "CI" not in os.environ:
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")

# Files that a whole group may write are refused by both programs, and tests write such files.
os.umask(0o022)

SLOW_TIMEOUT_S = 900
"""For tests that take long by nature; others have the short one of pyproject.toml."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        takes_long = item.get_closest_marker("slow") or item.get_closest_marker("e2e")
        if takes_long and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_TIMEOUT_S))
