"""What the server asks of the machine: as a rule, and as a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from msgd.host import HostError, check_user
from tests import as_root
from tests.msgd.test_server_process import ROOT, Process, start

__all__ = ["start"]  # the fixture


def test_root_is_refused_unless_it_is_meant() -> None:
    check_user(1_000, allow_root=False)
    check_user(0, allow_root=True)
    with pytest.raises(HostError, match="--allow-root"):
        check_user(0, allow_root=False)


@pytest.mark.e2e
@pytest.mark.skipif(not as_root.IS_ROOT, reason="only root can try what root is told")
def test_a_server_of_root_ends_with_78_before_it_touches_anything(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "msgd", "--headless", "--port", "0", "--data", tmp_path / "data"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith("msgd: refuses to run as root")
    assert not (tmp_path / "data").exists()


@pytest.mark.e2e
def test_what_a_server_makes_is_private_and_it_leaves_no_core(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    log = tmp_path / "msgd.log"
    server = start("--headless", "--port", "0", "--log", str(log))
    server.port()
    system = Path(f"/proc/{server.running.pid}")
    limits = (system / "limits").read_text(encoding="utf-8").splitlines()
    (core,) = (line.split() for line in limits if line.startswith("Max core file size"))
    assert core[4:6] == ["0", "0"]
    assert "Umask:\t0077" in (system / "status").read_text(encoding="utf-8")
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*"), log]
    assert len(made) > 5
    for path in made:
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), path
    server.running.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0


@pytest.mark.e2e
def test_a_link_to_a_data_folder_is_refused(start: Callable[..., Process], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("link", "link/"):
        server = start("--headless", "--port", "0", "--data", f"{tmp_path}/{name}")
        code, words = server.end()
        assert code == 78
        assert "symbolic link" in words
    assert not list((tmp_path / "real").iterdir())
