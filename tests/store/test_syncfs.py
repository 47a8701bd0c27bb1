"""Where one call may stand for an fsync of each file, and what is made of its errors."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from store.syncfs import (
    UNWRITTEN_BYTES_MAX,
    Syncfs,
    find_syncfs,
    is_allowed,
    little_is_unwritten,
)


class Kernel:
    """Answers with these error numbers, one after the other, and then with success."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)
        self.calls: list[int] = []
        self.last = 0

    def call(self, handle: int) -> int:
        self.calls.append(handle)
        self.last = self.errors.pop(0) if self.errors else 0
        return -1 if self.last else 0


def over(kernel: Kernel) -> Syncfs:
    return Syncfs(kernel.call, lambda: kernel.last)


def test_one_call_is_enough() -> None:
    kernel = Kernel()
    over(kernel)(7)
    assert kernel.calls == [7]


def test_an_interrupted_call_is_made_again_and_a_failed_one_is_not() -> None:
    kernel = Kernel(errno.EINTR, errno.EINTR, errno.EIO)
    with pytest.raises(OSError, match="syncfs failed: EIO") as raised:
        over(kernel)(7)
    assert raised.value.errno == errno.EIO
    assert kernel.calls == [7, 7, 7]


@pytest.mark.parametrize(
    ("platform", "release", "kind"),
    [
        ("darwin", "23.1.0", "apfs"),
        ("linux", "5.16.20-generic", "ext4"),
        ("linux", "4.19.0", "ext4"),
        ("linux", "who knows", "ext4"),
        ("linux", "6.1.0", "fuse.sshfs"),
        ("linux", "6.1.0", "overlay"),
        ("linux", "6.1.0", ""),
    ],
)
def test_elsewhere_there_is_none(platform: str, release: str, kind: str) -> None:
    assert find_syncfs(platform, release, kind) is None


def test_a_python_without_ctypes_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert find_syncfs("linux", "6.1.0", "ext4") is None


def test_a_call_that_a_filter_takes_away_is_not_used() -> None:
    assert is_allowed(over(Kernel(errno.EBADF)))
    for number in (errno.ENOSYS, errno.EPERM, 0):
        assert not is_allowed(over(Kernel(number)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
@pytest.mark.parametrize("release", ["5.17.0", "6.18.44-fc-v669", "10.2"])
def test_the_real_call(release: str, tmp_path: Path) -> None:
    syncfs = find_syncfs("linux", release, "ext4")
    assert syncfs is not None
    handle = os.open(tmp_path, os.O_RDONLY)
    syncfs(handle)
    os.close(handle)
    with pytest.raises(OSError, match="EBADF"):
        syncfs(handle)


def test_a_filter_in_the_way_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Syncfs) -> bool:
        return False

    refuse: Callable[[Syncfs], bool] = never
    monkeypatch.setattr("store.syncfs.is_allowed", refuse)
    assert find_syncfs("linux", "6.1.0", "ext4") is None


def meminfo(dirty: int, writeback: int) -> bytes:
    return (
        b"MemTotal:        8000000 kB\nDirty:           %9d kB\nWriteback:       %9d kB\n"
        b"WritebackTmp:          7 kB\n" % (dirty, writeback)
    )


def test_much_that_others_wrote_is_seen() -> None:
    most = UNWRITTEN_BYTES_MAX // 1024
    assert little_is_unwritten(meminfo(most, 0))
    assert little_is_unwritten(meminfo(most - 5, 5))
    assert not little_is_unwritten(meminfo(most, 1))
    assert not little_is_unwritten(b"MemTotal:        8000000 kB\n")
    assert not little_is_unwritten(b"")
