"""The world of each end-to-end test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Nothing runs yet; whatever the test starts is ended."""
    stage = Stage(tmp_path)
    try:
        yield stage
    finally:
        stage.close()
