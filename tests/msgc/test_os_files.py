"""Files as the system has them: whole or not at all, for this user only, and reasons in words."""

import os
import threading
from pathlib import Path

import pytest

from msgc.os_files import FilesError, OsFiles


def test_what_replaces_a_file_stays_away_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("before")

    def write_half() -> None:
        with OsFiles().replace(str(path)) as write:
            write("half of it")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_this_folder_is_replaced_by_its_bare_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with OsFiles().replace("bare") as write:
        write("all of it")
    assert (tmp_path / "bare").read_text() == "all of it"
    assert (tmp_path / "bare").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("path", ["/", "/tmp", "."])
def test_a_folder_is_not_replaced(path: str) -> None:
    with pytest.raises(FilesError, match="it is a folder"), OsFiles().replace(path) as write:
        write("anything")


def test_what_a_pipe_gives_in_parts_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    text = "x" * 200_000  # three times what a pipe holds
    giver = threading.Thread(target=path.write_text, args=(text,))
    giver.start()
    assert OsFiles().read_text(str(path), 300_000) == text
    giver.join()
