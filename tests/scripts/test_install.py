"""`pip install .` as a packager or a cautious user runs it: into an empty environment, from a copy.

Needs a package index, as every install of the project does.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("wire", "store", "term", "msgd", "msgc")

DATA: Final = "persistent_messaging-0.1.0.data/data"

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy so that nothing is left in the work tree."""
    folder = tmp_path_factory.mktemp("install")
    copy = folder / "project"
    copy.mkdir()
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "tests", "scripts", "share"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(folder), str(copy))
    (built,) = folder.glob("*.whl")
    return built


def run(*command: str) -> str:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    data = {
        f"{DATA}/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "share").rglob("*")
        if path.is_file()
    }
    assert len(data) == 10, "a manual page and three completions for each program, two units"
    assert held == modules | data


def test_the_commands_work_once_installed(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=True)
    run(str(tmp_path / "bin/python"), "-m", "pip", "install", "-q", str(wheel))
    for command in ("msgd", "msgc"):
        said = run(str(tmp_path / "bin" / command), "--help")
        assert "usage:" in said.lower()
        assert f"{command} [" in said
        assert (tmp_path / f"share/man/man1/{command}.1").is_file()
        assert (tmp_path / f"share/bash-completion/completions/{command}").is_file()
        assert (tmp_path / f"share/zsh/site-functions/_{command}").is_file()
        assert (tmp_path / f"share/fish/vendor_completions.d/{command}.fish").is_file()
