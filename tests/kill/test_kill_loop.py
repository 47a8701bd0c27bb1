import sys

import pytest

from tests.kill.kill_loop import run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifty_kills_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(kills=50, seed=1, keep=False)
    said = capsys.readouterr().out
    assert code == 0, said
    assert "kills=50 " in said
    assert "lost=0 duplicated=0 misordered=0" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_batch_that_is_written_too_late_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    """A loop that cannot fail proves nothing."""
    command = (sys.executable, "-m", "tests.kill.forgetful_server")
    code = run(kills=20, seed=2, command=command, keep=False)
    said = capsys.readouterr().out
    assert code == 1, said
    assert "FAILED" in said
    assert "lost=0" not in said
