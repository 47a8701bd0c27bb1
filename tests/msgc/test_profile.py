"""Profiles: one holder at a time, private files, names that cannot leave their folder."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgc.os_files import FilesError, OsFiles
from msgc.profile import (
    BadNameError,
    ProfileError,
    ProfileHeldError,
    Profiles,
    check_name,
    config_path,
    data_folder,
    server_folder,
)
from msgc.server import Server
from tests.msgc.line import Ticker


def profiles(folder: Path) -> Profiles:
    ticker = Ticker()
    return Profiles(OsFiles(), str(folder / "msgc" / "here_1"), ticker.wall_ms, ticker.random_bytes)


def test_one_holder_at_a_time_who_is_named(tmp_path: Path) -> None:
    first = profiles(tmp_path).open("alice")
    with pytest.raises(ProfileHeldError) as raised:
        profiles(tmp_path).open("ALICE")
    assert raised.value.pid is not None
    assert str(raised.value.pid) in str(raised.value)
    profiles(tmp_path).open("bob").close()
    first.close()
    profiles(tmp_path).open("alice").close()


def test_files_are_private(tmp_path: Path) -> None:
    profiles(tmp_path).open("alice").close()
    folder = tmp_path / "msgc" / "here_1"
    assert {path.name for path in folder.iterdir()} == {"alice.db", "alice.lock"}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_visiting_reads_beside_the_holder(tmp_path: Path) -> None:
    assert profiles(tmp_path).visit("alice") is None
    holder = profiles(tmp_path).open("alice")
    holder.archive.outbox.compose(("bob",), everyone=False, body="x")
    visited = profiles(tmp_path).visit("alice")
    assert visited is not None
    assert visited.outbox.counts().unsent == 1
    assert visited.installation == holder.archive.installation
    visited.close()
    holder.close()


def test_a_stranger_is_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    some = profiles(tmp_path)
    holder = some.open("alice")
    stranger = some.stranger()
    assert stranger.installation != holder.archive.installation
    stranger.close()
    holder.close()


def test_a_damaged_archive_lets_the_lock_go(tmp_path: Path) -> None:
    profiles(tmp_path).open("alice").close()
    (tmp_path / "msgc" / "here_1" / "alice.db").write_bytes(b"x" * 4_096)
    for _ in range(2):
        with pytest.raises(Exception, match="damaged"):
            profiles(tmp_path).open("alice")


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "msgc").write_text("in the way")
    with pytest.raises(ProfileError, match="Cannot make the folder"):
        profiles(tmp_path).open("alice")


@given(st.text(max_size=40))
def test_no_name_leaves_its_folder(name: str) -> None:
    try:
        folded = check_name(name)
    except BadNameError:
        return
    assert "/" not in folded
    assert folded not in {".", ".."}
    assert 1 <= len(folded) <= 32
    assert folded.isascii()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_host_leaves_its_folder(host: str) -> None:
    folder = server_folder("/data", Server(host, 7070))
    assert folder.startswith("/data/msgc/")
    assert "/" not in folder.removeprefix("/data/msgc/")
    assert folder.endswith("_7070")


def test_addresses_of_ipv6_are_written_safely() -> None:
    assert server_folder("/d", Server("::1", 1)) == "/d/msgc/%3A%3A1_1"


def test_places_follow_the_environment() -> None:
    assert data_folder({"HOME": "/home/a"}) == "/home/a/.local/share"
    assert data_folder({"HOME": "/home/a", "XDG_DATA_HOME": "/data"}) == "/data"
    assert data_folder({"HOME": "/home/a", "XDG_DATA_HOME": "data"}) == "/home/a/.local/share"
    assert config_path({"XDG_CONFIG_HOME": "/c"}) == "/c/msgc/config.toml"


def test_files_that_are_too_long_or_not_text_are_refused(tmp_path: Path) -> None:
    files = OsFiles()
    path = tmp_path / "config.toml"
    assert files.read_text(str(path), 10) is None
    path.write_bytes(b"x" * 11)
    with pytest.raises(FilesError, match="longer than 10 bytes"):
        files.read_text(str(path), 10)
    path.write_bytes(b"\xff")
    with pytest.raises(FilesError, match="not UTF-8"):
        files.read_text(str(path), 10)
    with pytest.raises(FilesError, match="Cannot read"):
        files.read_text(str(tmp_path), 10)
    with pytest.raises(FilesError, match="Cannot use the file"):
        files.lock(str(tmp_path))
    with pytest.raises(FilesError, match="Cannot use the file"):
        files.make_private(str(tmp_path))


def test_what_others_could_have_written_is_not_believed(tmp_path: Path) -> None:
    files = OsFiles()
    path = tmp_path / "config.toml"
    path.write_text("x")
    path.chmod(0o644)
    assert files.read_text(str(path), 10) == "x"
    for mode in (0o664, 0o646, 0o602):
        path.chmod(mode)
        with pytest.raises(FilesError, match=f"First: chmod go-w {path}$"):
            files.read_text(str(path), 10)
    assert files.read_text("/dev/null", 10) == ""
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, 1_001, -1)
        with pytest.raises(FilesError, match="belongs to somebody else"):
            files.read_text(str(path), 10)
