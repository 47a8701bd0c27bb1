import errno
import random

import pytest

from msgd.inspection import copy, mend, show, verify
from store.disk import Disk, DiskFailure
from store.errors import StoreForbidden
from store.store import Store
from tests.msgd.fake_machine import SMALL
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk


class Words:
    """What was said, and what was complained of."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.complained: list[str] = []
        self.shown: list[str] = []

    def show(self, text: str) -> None:
        self.shown.append(text)


@pytest.fixture
def words() -> Words:
    return Words()


@pytest.fixture
def disk() -> SimDisk:
    """A folder with alice, bob, and a message that waits."""
    disk = SimDisk(random.Random(1))
    store = Store.open(disk, SimClock(), random.Random(2).randbytes, SMALL)
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    store.accept(alice, bytes(16), [bob], b"hello \x1b[2J", 3)
    store.close()
    return disk


def test_a_sound_folder_is_called_sound(disk: SimDisk, words: Words) -> None:
    assert verify("/d", lambda _: disk, words.said.append, words.complained.append, words.show) == 0
    assert words.said[-1] == "/d is sound"
    assert words.complained == []
    assert words.shown[0] == "0 of 2 accounts, 0 entries looked at"
    assert words.shown[-1] == ""


def test_damage_is_named_and_ends_with_78(disk: SimDisk, words: Words) -> None:
    handle = disk.open("MANIFEST", writable=True)
    disk.write_at(handle, 20, b"\xff\xff\xff\xff")
    disk.close(handle)
    assert (
        verify("/d", lambda _: disk, words.said.append, words.complained.append, words.show) == 78
    )
    assert words.said[0].startswith("DAMAGE: MANIFEST")
    assert words.complained == [
        (
            "msgd: /d is damaged in 1 place; do not serve it: restore a backup, or save what "
            "can be saved with `msgd fsck /d --repair`"
        )
    ]


def test_a_repair_says_what_it_cost(disk: SimDisk, words: Words) -> None:
    assert mend("/d", lambda _: disk, words.said.append, words.complained.append) == 0
    assert words.said == ["/d is sound; there is nothing to repair"]
    disk.damage("mailboxes/02/0000000000000002.mailbox", 0, 1)
    assert mend("/d", lambda _: disk, words.said.append, words.complained.append) == 0
    assert words.said[-1].startswith("/d is repaired")
    assert words.complained == []
    disk.damage("mailboxes/02/0000000000000002.mailbox", 4096 + 60, 1)
    assert mend("/d", lambda _: disk, words.said.append, words.complained.append) == 1
    assert words.complained == ["msgd: 1 lost, 0 in doubt: read /d/discarded-2/report.txt"]
    assert any(f"lost: message {bytes(16).hex()}" in line for line in words.said)
    assert verify("/d", lambda _: disk, words.said.append, words.complained.append, words.show) == 0


def test_a_backup_is_a_store_of_its_own(disk: SimDisk, words: Words) -> None:
    target = SimDisk(random.Random(3))
    taken: list[tuple[str, str]] = []

    def copy_bans(folder: str, to: str) -> None:
        if len(taken) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken.append((folder, to))

    def copy_to(to: SimDisk) -> int:
        entropy = random.Random(4).randbytes
        return copy(
            "/d",
            "/e",
            lambda _: disk,
            lambda _: to,
            entropy=entropy,
            copy_bans=copy_bans,
            say=words.said.append,
            complain=words.complained.append,
            show=words.show,
        )

    assert copy_to(target) == 0
    assert words.said[0].startswith("/e is a backup of /d: 2 mailboxes, everything up to")
    assert (
        verify("/e", lambda _: target, words.said.append, words.complained.append, words.show) == 0
    )
    assert copy_to(target) == 78
    assert words.complained == ["msgd: the folder for the backup must be empty: name a new one"]
    assert copy_to(Forgetful(random.Random(3))) == 70
    assert words.complained[1].startswith("msgd: of the copy: DAMAGE: mailboxes/")
    assert words.complained[-1].startswith("msgd: the copy in /e is bad")
    assert words.shown[-1] == ""
    assert taken == [("/d", "/e")] * 2
    assert copy_to(SimDisk(random.Random(3))) == 70
    assert words.complained[-1] == (
        "msgd: the bans cannot be copied: No space left on device; remove the copy in /e"
    )


class Forgetful(SimDisk):
    """A disk that does not keep what is written to mailboxes."""

    def write_at(self, handle: int, offset: int, data: bytes) -> None:
        lost = offset and self.handles[handle][0].startswith("mailboxes")
        super().write_at(handle, offset, bytes(len(data)) if lost else data)


def test_a_folder_in_use_is_not_repaired(disk: SimDisk, words: Words) -> None:
    disk.lock("LOCK")
    assert mend("/d", lambda _: disk, words.said.append, words.complained.append) == 78
    assert "another msgd is running" in words.complained[0]


def test_a_dump_shows_everybody_and_nothing_that_a_terminal_obeys(
    disk: SimDisk, words: Words
) -> None:
    assert show("/d", None, lambda _: disk, words.said.append, words.complained.append) == 0
    text = "\n".join(words.said)
    assert "alice" in text
    assert "hello" in text
    assert "\x1b" not in text


def test_a_dump_of_one_user(disk: SimDisk, words: Words) -> None:
    assert show("/d", "bob", lambda _: disk, words.said.append, words.complained.append) == 0
    assert any("hello" in line for line in words.said)
    assert show("/d", "eve\x1b", lambda _: disk, words.said.append, words.complained.append) == 1
    assert words.complained == [
        r"msgd: eve\x1b is no user as of the last checkpoint; `msgd dump /d` shows all"
    ]


def test_a_name_is_folded(disk: SimDisk, words: Words) -> None:
    assert show("/d", "BOB", lambda _: disk, words.said.append, words.complained.append) == 0
    assert any("hello" in line for line in words.said)


def test_a_dump_that_nobody_reads_to_its_end_closes_its_files(disk: SimDisk) -> None:
    def refuse(_: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        show("/d", "bob", lambda _: disk, refuse, refuse)


def test_a_folder_in_use_is_looked_at_all_the_same(disk: SimDisk, words: Words) -> None:
    disk.lock("LOCK")
    assert verify("/d", lambda _: disk, words.said.append, words.complained.append, words.show) == 0
    assert words.complained[0].startswith("msgd: a server runs on this folder")


def test_what_is_refused_and_what_fails_are_told_apart(words: Words) -> None:
    def refuse(_: str) -> Disk:
        raise StoreForbidden("/d: cannot be opened as the data folder")

    assert verify("/d", refuse, words.said.append, words.complained.append, words.show) == 78

    def fail(_: str) -> Disk:
        raise DiskFailure(5, "Input/output error")

    assert verify("/d", fail, words.said.append, words.complained.append, words.show) == 70
    assert words.complained == [
        "msgd: /d: cannot be opened as the data folder",
        "msgd: /d: Input/output error",
    ]


def test_an_empty_folder_is_not_a_store(words: Words) -> None:
    empty = SimDisk(random.Random(1))
    assert (
        verify("/d", lambda _: empty, words.said.append, words.complained.append, words.show) == 78
    )
