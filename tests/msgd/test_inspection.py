import random

import pytest

from msgd.inspection import show, verify
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
    assert verify("/d", lambda _: disk, words.said.append, words.complained.append) == 0
    assert words.said[-1] == "/d is sound"
    assert words.complained == []


def test_damage_is_named_and_ends_with_78(disk: SimDisk, words: Words) -> None:
    handle = disk.open("MANIFEST", writable=True)
    disk.write_at(handle, 20, b"\xff\xff\xff\xff")
    disk.close(handle)
    assert verify("/d", lambda _: disk, words.said.append, words.complained.append) == 78
    assert words.said[0].startswith("DAMAGE: MANIFEST")
    assert words.complained == [
        "msgd: /d is damaged in 1 place; do not serve it, restore it from a backup"
    ]


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
    assert verify("/d", lambda _: disk, words.said.append, words.complained.append) == 0
    assert words.complained[0].startswith("msgd: a server runs on this folder")


def test_what_is_refused_and_what_fails_are_told_apart(words: Words) -> None:
    def refuse(_: str) -> Disk:
        raise StoreForbidden("/d: cannot be opened as the data folder")

    assert verify("/d", refuse, words.said.append, words.complained.append) == 78

    def fail(_: str) -> Disk:
        raise DiskFailure(5, "Input/output error")

    assert verify("/d", fail, words.said.append, words.complained.append) == 70
    assert words.complained == [
        "msgd: /d: cannot be opened as the data folder",
        "msgd: /d: Input/output error",
    ]


def test_an_empty_folder_is_not_a_store(words: Words) -> None:
    empty = SimDisk(random.Random(1))
    assert verify("/d", lambda _: empty, words.said.append, words.complained.append) == 78
