"""Progress: for a person at a terminal only, seldom, and taken away again."""

import io
from pathlib import Path

from msgc.command_progress import FIRST_MS, PAUSE_MS, Progress
from tests.msgc.fake_world import FakeWorld


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Gone(Screen):
    def write(self, text: str) -> int:
        raise OSError("gone")


def make(tmp_path: Path, *, stderr: io.StringIO, stdout: io.StringIO) -> FakeWorld:
    world = FakeWorld(tmp_path, None)
    world.stderr, world.stdout = stderr, stdout
    object.__setattr__(world.surroundings, "stderr", stderr)
    object.__setattr__(world.surroundings, "stdout", stdout)
    return world


def work(world: FakeWorld, total: int | None, *, quiet: bool = False) -> None:
    progress = Progress(world.surroundings, quiet=quiet)
    progress.total = total
    for _ in range(1_000):
        world.clock.steady_ms += 1
        progress.step()
    progress.clear()


def test_a_terminal_is_told_seldom_and_left_clean(tmp_path: Path) -> None:
    world = make(tmp_path, stderr=Screen(), stdout=io.StringIO())
    work(world, 1_000)
    shown = world.said.split("\r")
    assert shown[1] == "500 of 1,000 messages (50 %)"
    assert len(shown) - 3 == (1_000 - FIRST_MS) // PAUSE_MS + 1
    assert shown[-2].strip() == shown[-1] == ""
    assert len(shown[-2]) >= max(map(len, shown))


def test_a_terminal_to_which_nothing_is_printed_is_told(tmp_path: Path) -> None:
    world = make(tmp_path, stderr=Screen(), stdout=Screen())
    progress = Progress(world.surroundings, quiet=False, prints=False)
    world.clock.steady_ms += FIRST_MS
    progress.step()
    assert "1 messages" in world.said


def test_an_unknown_or_wrong_total_is_not_shown(tmp_path: Path) -> None:
    for total in (None, 7):
        world = make(tmp_path, stderr=Screen(), stdout=io.StringIO())
        work(world, total)
        assert "\r500 messages\r" in world.said


def test_nobody_else_is_told(tmp_path: Path) -> None:
    for stderr, stdout, quiet in (
        (io.StringIO(), io.StringIO(), False),
        (Screen(), Screen(), False),
        (Screen(), io.StringIO(), True),
    ):
        world = make(tmp_path, stderr=stderr, stdout=stdout)
        work(world, 1_000, quiet=quiet)
        assert world.said == ""


def test_a_terminal_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    world = make(tmp_path, stderr=Gone(), stdout=io.StringIO())
    work(world, 1_000)
