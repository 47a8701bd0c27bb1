"""The fault points at a small size, and that they can fail."""

from errno import ECONNRESET, EINTR, EIO, EMFILE, ENOSPC

import pytest

from store.errors import StoreFailure
from tests.crash.fault_points import Found, all_points, calls_of, main, strike, strike_service
from tests.crash.faults import SHORT, Fault, Point
from tests.crash.faulty_net import FaultyNetwork
from tests.crash.run import Run
from tests.crash.service import Service
from tests.crash.trace_disk import TraceDisk


def test_there_are_enough_points() -> None:
    points = list(all_points(["mail"]))
    assert len(points) == len(set(points)) > 2_000
    assert {point.kind for point in points} == set(calls_of("mail"))


@pytest.mark.parametrize(
    "point",
    [
        Point("mail", "sync_data", 3, EIO, for_good=False),
        Point("mail", "write", 20, SHORT, for_good=False),
        Point("mail", "sync_together", 2, EIO, for_good=False),
        Point("slices", "sync_together", 3, ENOSPC, for_good=True),
        Point("full", "create", 9, ENOSPC, for_good=True),
        Point("compaction", "rename", 12, EIO, for_good=True),
        Point("restarts", "lock", 1, EIO, for_good=False),
        Point("service", "sync_data", 9, EIO, for_good=False),
        Point("service", "write", 40, ENOSPC, for_good=True),
        Point("service", "socket.accept", 2, EMFILE, for_good=True),
        Point("service", "socket.recv", 9, ECONNRESET, for_good=False),
        Point("service", "socket.send", 7, SHORT, for_good=True),
        Point("service", "socket.register", 3, ENOSPC, for_good=False),
        Point("service", "socket.select", 11, EINTR, for_good=True),
        Point("service", "socket.close", 1, EIO, for_good=True),
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


def test_sockets_are_met_too() -> None:
    kinds = {kind for kind in calls_of("service") if kind.startswith("socket.")}
    assert kinds == {
        *("socket.accept", "socket.recv", "socket.send", "socket.shutdown", "socket.close"),
        *("socket.register", "socket.modify", "socket.select", "socket.setsockopt"),
    }


class LyingDisk(TraceDisk):
    """Says that it synced the data, and did not."""

    def sync_data(self, handle: int) -> None:
        pass


class HastyService(Service):
    """A server whose answers are given before anything is safe."""

    def make_disk(self) -> TraceDisk:
        return LyingDisk(self.base)


class FragileNetwork(FaultyNetwork):
    """A network that takes a broken connection for its own end."""

    def accept(self) -> None:
        assert self._listeners
        self._listeners[0].accept()


class FragileService(Service):
    """A server that one bad connection ends."""

    def make_network(self) -> FaultyNetwork:
        return FragileNetwork(self.fault.on_socket)


def test_answers_that_come_too_early_are_noticed() -> None:
    """A test that cannot fail proves nothing."""
    point, found = Point("service", "sync", 15, EIO, for_good=False), Found()
    strike_service(point, Fault(point), found, HastyService)
    assert found.violations["lost"]


def test_a_server_that_a_socket_ends_is_noticed() -> None:
    point = Point("service", "socket.accept", 1, EIO, for_good=False)
    with pytest.raises(OSError, match="planted in accept"):
        strike_service(point, Fault(point), Found(), FragileService)


@pytest.mark.slow
def test_some_hundred_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--points", "1500"]) == 0
    assert "points=1500/" in capsys.readouterr().out.splitlines()[-1]
