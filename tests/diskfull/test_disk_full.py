import sys
from pathlib import Path

import pytest

from tests.diskfull.disk_full import EXIT_SKIPPED, run
from tests.diskfull.squeeze import Squeezes
from tests.diskfull.volume import CannotMount, Volume
from tests.real.server import ServerError


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_full_disk_loses_nothing_and_heals(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(("tmpfs",), squeezes=4, seed=1, keep=False)
    said = capsys.readouterr().out
    if code == EXIT_SKIPPED:
        pytest.skip(said.strip())
    assert code == 0, said
    assert "filesystems=1 squeezes=4 " in said
    assert "lost=0 duplicated=0 misordered=0" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_server_that_does_not_look_at_its_writes_is_caught(tmp_path: Path) -> None:
    """A proof that cannot fail proves nothing."""
    command = (sys.executable, "-m", "tests.diskfull.careless_server")
    try:
        with Volume("tmpfs", tmp_path) as volume:
            squeezes = Squeezes(volume, tmp_path / "work", tmp_path / "archives", 1, command)
            try:
                caught = squeezes.run(10).sentences
            except ServerError as error:
                caught = [str(error)]
            finally:
                squeezes.crowd.close()
    except CannotMount as error:
        pytest.skip(str(error))
    assert caught


def test_where_nothing_can_be_mounted_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert run(("ext4",), squeezes=1, seed=1) == EXIT_SKIPPED
    assert "skipped ext4: it cannot be mounted here: " in capsys.readouterr().out
