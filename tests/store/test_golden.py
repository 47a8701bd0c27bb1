"""Folders written by each version of the format, read by this one. They stay for ever.

`python -m tests.store.test_golden` writes the folder of the present format anew; that is right only
until the format has been released.
"""

import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from store.dump import dump
from store.fsck import fsck
from store.os_disk import OsDisk
from store.records import RecordCode
from store.store import Store
from tests.store.support import SMALL, TickClock, picture
from tests.store.workload import Day, everything_else

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = replace(SMALL, reserve_bytes=4096)


def open_folder(folder: str) -> Store:
    return Store.open(OsDisk(folder, create=True), TickClock(), Random(1).randbytes, SETTINGS)


def unpack(version: int, to: Path) -> str:
    with tarfile.open(GOLDEN / f"format{version}.tar.xz") as archive:
        for member in archive:
            path = to / member.name
            if member.isdir():
                path.mkdir(mode=0o700)
            else:
                data = archive.extractfile(member)
                assert data is not None
                path.write_bytes(data.read())
    return str(to / "data")


@pytest.mark.parametrize("version", [1])
def test_every_format_is_still_read(version: int, tmp_path: Path) -> None:
    folder = unpack(version, tmp_path)
    disk = OsDisk(folder, create=False)
    assert [each for each in fsck(disk) if not each.harmless] == []
    lines = "\n".join(dump(disk)) + "\n"
    assert lines == (GOLDEN / f"format{version}.dump").read_text(encoding="ascii")
    disk.unlock()
    store = open_folder(folder)
    assert repr(picture(store)) + "\n" == (GOLDEN / f"format{version}.picture").read_text()
    store.close()


def write(version: int, folder: Path) -> None:
    """A folder killed in the middle of the day: mailboxes, and a journal to replay."""
    day = Day(open_folder(str(folder / "data")), lambda _: None)
    for part in (day.morning, day.noon, day.afternoon):
        for _ in part():
            day.commit()
    everything_else(day, "before")  # it stands in the accounts log
    day.store.checkpoint_now()
    everything_else(day, "after")  # and this in the journal
    day.send("alice", ["bob", "dave"], b"only in the journal")
    day.send_everyone("bob", b"only in the journal too")
    day.drain("dave", 1)
    day.commit()
    day.store.core.disk.unlock()
    with tarfile.open(GOLDEN / f"format{version}.tar.xz", "w:xz") as archive:
        archive.add(folder / "data", "data", filter=anonymous)
    disk = OsDisk(str(folder / "data"), create=False)
    (GOLDEN / f"format{version}.dump").write_text("\n".join(dump(disk)) + "\n", encoding="ascii")
    disk.unlock()
    text = repr(picture(open_folder(str(folder / "data")))) + "\n"
    (GOLDEN / f"format{version}.picture").write_text(text)


def test_the_golden_folder_has_every_kind_of_record() -> None:
    text = (GOLDEN / "format1.dump").read_text(encoding="ascii")
    assert [code.name for code in RecordCode if f" {code.name} " not in text] == []


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    place = Path(f"/tmp/golden-{os.getpid()}")
    place.mkdir()
    write(1, place)
    shutil.rmtree(place)
