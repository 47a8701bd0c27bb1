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
from store.syncfs import Syncfs
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


class Syncs(OsDisk):
    """Counts the files that were synced one by one."""

    alone = 0

    def sync(self, handle: int) -> None:
        self.alone += 1
        super().sync(handle)


def some_files(folder: str) -> tuple[Syncs, list[int]]:
    disk = Syncs(folder, create=True)
    return disk, [disk.create(name) for name in "abc"]


def test_many_files_are_synced_by_one_call(folder: str) -> None:
    disk, handles = some_files(folder)
    calls: list[int] = []

    def count(handle: int) -> int:
        calls.append(handle)
        return 0

    disk.syncfs = Syncfs(count, lambda: 0)
    disk.sync_together(handles)
    assert (calls, disk.alone) == ([disk.folders[""]], 0)
    disk.sync_together(handles[:2])
    assert (len(calls), disk.alone) == (1, 2), "for so few it is not worth it"
    disk.device += 1
    disk.sync_together(handles)
    assert (len(calls), disk.alone) == (1, 5), "on another file system it would do nothing"
    disk.device -= 1
    disk.syncfs = None
    disk.sync_together(handles)
    assert (len(calls), disk.alone) == (1, 8)
    disk.unlock()


def test_a_sync_of_many_that_failed_is_not_tried_again(folder: str) -> None:
    disk, handles = some_files(folder)
    calls: list[int] = []

    def fail(handle: int) -> int:
        calls.append(handle)
        return -1

    for number in (errno.EIO, errno.ENOSPC):
        disk.syncfs = Syncfs(fail, lambda: number)  # noqa: B023  # used in this round only
        with pytest.raises(DiskFailure, match="a and 2 others: sync failed"):
            disk.sync_together(handles)
    assert (len(calls), disk.alone) == (2, 0)
    disk.unlock()


def test_whether_files_are_synced_together(folder: str, tmp_path: Path) -> None:
    disk, _ = some_files(folder)
    disk.syncfs = None
    assert not disk.can_sync_together()
    disk.syncfs = Syncfs(lambda _: 0, lambda: 0)
    told = tmp_path / "meminfo"
    told.write_bytes(b"\nDirty: 1 kB\nWriteback: 2 kB\n")
    os.close(disk.meminfo)
    disk.meminfo = os.open(told, os.O_RDONLY)
    assert disk.can_sync_together()
    told.write_bytes(b"\nDirty: 999999 kB\nWriteback: 2 kB\n")
    assert not disk.can_sync_together()
    os.close(disk.meminfo)
    assert not disk.can_sync_together(), "nobody tells how much it would be"
    disk.meminfo = -1
    disk.unlock()
    assert disk.syncfs is None


def test_where_nothing_tells_how_much_it_would_be(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = OsDisk(folder, create=True)
    os.close(disk.meminfo)
    disk.meminfo = -1

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("os.open", refuse)
    disk.find_syncfs("ext4")
    monkeypatch.undo()
    assert not disk.can_sync_together()
    disk.unlock()


def test_only_who_serves_syncs_many_files_at_once(disk: OsDisk, folder: str) -> None:
    disk.unlock()
    reader = OsDisk(folder, create=False)
    assert not reader.can_sync_together()
    reader.unlock()


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
