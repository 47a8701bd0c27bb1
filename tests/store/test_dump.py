import pytest

from store import dump as dumping
from store.dump import dump, dump_user, escape, shorten
from store.fsck import fsck
from tests.sim.sim_disk import SimDisk
from tests.store.support import message_id, new_disk, open_store
from tests.store.workload import Day


def stopped_in_the_day(part: int) -> SimDisk:
    """A store killed after some part of the scripted day."""
    disk = new_disk()
    day = Day(open_store(disk), lambda _: None)
    for each in (day.morning, day.noon, day.afternoon, day.evening)[:part]:
        for _ in each():
            day.commit()
    disk.kill()
    return disk


@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_a_sound_store_has_no_damage_and_dumps_whole(part: int) -> None:
    disk = stopped_in_the_day(part)
    calls = disk.calls
    assert [each for each in fsck(disk) if not each.harmless] == []
    lines = list(dump(disk))
    assert disk.calls == calls, "the tools changed something"
    assert lines[0].startswith("manifest generation=")
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_dump_shows_every_kind_of_line() -> None:
    text = "\n".join(line for part in (1, 2, 3) for line in dump(stopped_in_the_day(part)))
    store = open_store(disk := new_disk())
    ann = store.create_account("ann", 1)
    store.checkpoint_now()
    store.accept_for_everyone(ann, message_id(1), b"\x1b[2Jx", 2)
    store.create_account("bob", 3)
    store.begin_deletion(ann, 4)
    store.delete_account(ann, 5)
    store.commit()
    text += "\n".join(dump(disk))
    for wanted in (
        "account 1 name='alice'",
        "entry everyone waiting",
        "entry 2 waiting",
        "SUCCESS id=",
        "MESSAGE_ACCEPTED",
        "to=everyone body='\\x1b[2Jx'",
        "ENTRIES_SETTLED",
        "ACCOUNT_CREATED",
        "ACCOUNT_TOUCHED",
        "DELETION_BEGUN",
        "ACCOUNT_DELETED",
        "+14800 bytes",
    ):
        assert wanted in text, wanted


def test_dump_of_one_user() -> None:
    disk = stopped_in_the_day(2)
    lines = list(dump_user(disk, "bob"))
    assert "name='bob'" in lines[0]
    assert any(" settled " in line for line in lines)
    assert list(dump_user(disk, "nobody")) == []
    assert dumping.BODY_SHOWN_MAX == 200
    assert shorten(b"x" * 201).endswith("'+1 bytes")
    assert escape(b"\xff\n\xc3\xa4") == r"'\\xff\n\xe4'"
