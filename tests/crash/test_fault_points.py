"""The fault points at a small size, and that they can fail."""

from errno import EIO, ENOSPC

import pytest

from store.errors import StoreFailure
from tests.crash.fault_points import SHORT, Found, Point, all_points, calls_of, main, strike
from tests.crash.workloads import Run


def test_there_are_enough_points() -> None:
    points = list(all_points(["mail"]))
    assert len(points) == len(set(points)) > 2_000
    assert {point.kind for point in points} == set(calls_of("mail"))


@pytest.mark.parametrize(
    "point",
    [
        Point("mail", "sync_data", 3, EIO, for_good=False),
        Point("mail", "write", 20, SHORT, for_good=False),
        Point("full", "create", 9, ENOSPC, for_good=True),
        Point("compaction", "rename", 12, EIO, for_good=True),
        Point("restarts", "lock", 1, EIO, for_good=False),
    ],
)
def test_one_point_breaks_nothing(point: Point) -> None:
    found = Found()
    strike(point, found)
    assert found.points == found.ended + found.went_on == 1
    assert found.sentences == []


class DeafRun(Run):
    """Takes a commit that failed for one that returned."""

    def commit(self) -> None:
        try:
            super().commit()
        except StoreFailure:
            last = len(self.history) - 1
            self.mark(last, last)
            raise


def test_a_lost_acknowledgement_is_noticed() -> None:
    """A test that cannot fail proves nothing."""
    found = Found()
    strike(Point("mail", "write", 12, EIO, for_good=False), found, DeafRun)
    assert found.violations["lost"] == 1


@pytest.mark.slow
def test_some_hundred_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--points", "600"]) == 0
    assert "points=600/" in capsys.readouterr().out.splitlines()[-1]
