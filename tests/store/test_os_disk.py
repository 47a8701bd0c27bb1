"""The real disk: permissions, links, the lock, errors; and a whole store on it."""

import errno
import os
from pathlib import Path

import pytest

from store import os_disk
from store.disk import DiskFailure, DiskFull, DiskMissing
from store.errors import StoreForbidden, StoreLocked
from store.os_disk import OsDisk, file_system_of, judge_access
from store.store import Store
from tests.store.support import SMALL, TickClock, picture
from tests.store.workload import Day


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "data")


@pytest.fixture
def disk(folder: str) -> OsDisk:
    return OsDisk(folder, create=True)


def test_files_and_folders_are_ours_alone(disk: OsDisk, folder: str) -> None:
    disk.make_folder("journal")
    disk.make_folder("journal")
    handle = disk.create("journal/x")
    disk.preallocate(handle, 300_000)
    disk.write_at(handle, 299_999, b"end")
    assert disk.size(handle) == 300_002
    assert disk.read_at(handle, 299_998, 100) == b"\0end"
    assert disk.read_at(handle, 400_000, 100) == b""
    disk.sync(handle)
    disk.sync_data(handle)
    disk.close(handle)
    disk.sync_folder("journal")
    disk.sync_folder("")
    disk.rename("journal/x", "journal/y")
    assert disk.list("journal") == ("y",)
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    assert Path(folder, "journal").stat().st_mode & 0o777 == 0o700
    assert Path(folder, "journal/y").stat().st_mode & 0o777 == 0o600
    disk.remove("journal/y")
    assert disk.list("journal") == ()
    assert disk.free_bytes() > 0
    disk.unlock()


def test_a_folder_open_to_others_is_refused(folder: str) -> None:
    Path(folder).mkdir(mode=0o755)
    with pytest.raises(StoreForbidden, match="chmod 700"):
        OsDisk(folder, create=False)


def test_a_folder_of_somebody_else_is_refused(folder: str) -> None:
    Path(folder).mkdir(mode=0o700)
    status = Path(folder).stat()
    assert judge_access(status, status.st_uid, folder) == ""
    assert "chown -R 12345" in judge_access(status, 12_345, folder)


def test_a_link_or_nothing_is_no_folder(folder: str, tmp_path: Path) -> None:
    with pytest.raises(StoreForbidden, match="cannot be opened"):
        OsDisk(folder, create=False)
    (tmp_path / "real").mkdir(mode=0o700)
    Path(folder).symlink_to(tmp_path / "real")
    for name in (folder, folder + "/"):
        with pytest.raises(StoreForbidden, match="symbolic link"):
            OsDisk(name, create=True)


def test_a_link_in_the_folder_is_not_followed(disk: OsDisk, folder: str) -> None:
    Path(folder, "evil").symlink_to("/etc/passwd")
    with pytest.raises(DiskFailure):
        disk.open("evil", writable=False)
    with pytest.raises(DiskFailure):
        disk.lock("evil")


def test_what_is_missing_is_said_to_be(disk: OsDisk) -> None:
    with pytest.raises(DiskMissing):
        disk.open("nothing", writable=True)
    with pytest.raises(DiskMissing):
        disk.remove("nothing")
    with pytest.raises(DiskMissing):
        disk.list("nothing")
    with pytest.raises(DiskMissing):
        disk.sync_folder("nothing")
    with pytest.raises(DiskMissing):
        disk.rename("nothing", "something")
    with pytest.raises(DiskMissing):
        disk.make_folder("nothing/deeper")


def test_one_server_at_a_time(folder: str) -> None:
    first, second = OsDisk(folder, create=True), OsDisk(folder, create=True)
    first.lock("LOCK")
    with pytest.raises(StoreLocked, match="another msgd"):
        second.lock("LOCK")
    first.unlock()
    second.lock("LOCK")
    second.unlock()


def test_no_room_is_not_a_failure() -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        assert isinstance(os_disk.translate(OSError(number, "x"), "f"), DiskFull)
    assert type(os_disk.translate(OSError(errno.EIO, "x"), "f")) is DiskFailure


def test_calls_on_a_handle_that_is_gone_fail(disk: OsDisk) -> None:
    """The same as any error of the system that nobody expects."""
    handle = disk.create("x")
    os.close(handle)
    for call in (
        lambda: disk.read_at(handle, 0, 1),
        lambda: disk.write_at(handle, 0, b"x"),
        lambda: disk.sync(handle),
        lambda: disk.sync_data(handle),
        lambda: disk.size(handle),
        lambda: disk.close(handle),
    ):
        with pytest.raises(DiskFailure):
            call()
    disk.folders["gone"] = handle
    with pytest.raises(DiskFailure):
        disk.sync_folder("gone")
    with pytest.raises(DiskFailure):
        disk.list("gone")
    del disk.folders["gone"]
    root, disk.folders[""] = disk.folders[""], handle
    with pytest.raises(DiskFailure):
        disk.free_bytes()
    disk.folders[""] = root
    disk.unlock()


class HalfWriter(OsDisk):
    """A disk whose system writes three bytes at a time."""

    def pwrite(self, handle: int, data: bytes, offset: int) -> int:
        return super().pwrite(handle, data[:3], offset)


def test_short_writes_are_continued(folder: str) -> None:
    disk = HalfWriter(folder, create=True)
    handle = disk.create("x")
    disk.write_at(handle, 5, b"0123456789")
    assert disk.read_at(handle, 0, 100) == b"\0\0\0\0\x000123456789"


def test_darwin_needs_more_than_fsync(disk: OsDisk) -> None:
    assert os_disk.flushers("darwin") == (os_disk.full_sync, os_disk.full_sync)
    assert os_disk.flushers("linux") == (os.fsync, os.fdatasync)
    handle = disk.create("x")
    disk.flush = os_disk.full_sync
    with pytest.raises(DiskFailure):  # no such call here
        disk.sync(handle)


def test_a_whole_day_on_a_real_disk(folder: str) -> None:
    def opened() -> Store:
        return Store.open(OsDisk(folder, create=True), TickClock(), os.urandom, SMALL)

    store = opened()
    pictures: list[object] = []

    def note(what: str) -> None:
        if what == "begin":
            pictures.append(picture(store))

    Day(store, note).run()
    store = opened()
    assert picture(store) == pictures[-1]
    store.touch(store.state.by_name["bob"], 10**12)
    store.commit()
    expected = picture(store)
    store.core.disk.unlock()  # killed
    store = opened()
    assert picture(store) == expected
    store.close()


def test_a_network_file_system_is_refused_for_serving_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr("store.os_disk.find_type", lambda *_: "nfs4")
    with pytest.raises(StoreForbidden, match="network"):
        OsDisk(str(tmp_path), create=True)
    OsDisk(str(tmp_path), create=False).unlock()
    monkeypatch.setattr("store.os_disk.find_type", lambda *_: "tmpfs")
    disk = OsDisk(str(tmp_path), create=True)
    assert "in memory" in disk.remark
    disk.unlock()


def test_a_system_that_tells_no_mounts() -> None:
    assert file_system_of(-1) == ""


def test_a_folder_that_cannot_be_synced_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    disk = OsDisk(str(tmp_path), create=False)

    def refuse(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(StoreForbidden, match="cannot make the names"):
        disk.sync_folder("")
    monkeypatch.undo()
    disk.unlock()
