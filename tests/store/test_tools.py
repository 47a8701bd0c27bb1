"""fsck and dump; and bytes whose checksum is right and which are wrong all the same."""

from collections.abc import Callable
from zlib import crc32

import pytest

from store import dump as dumping
from store.dump import dump, dump_user, escape, shorten
from store.errors import StoreDamaged, StoreError
from store.framing import CRC, PREFIX
from store.fsck import Finding, fsck
from store.journal_segment import BATCH
from store.limits import PAGE_BYTES
from store.mailbox import mailbox_path
from store.manifest import MANIFEST
from tests.sim.sim_disk import SimDisk
from tests.store.support import message_id, new_disk, open_store, picture
from tests.store.test_damage import TINY, crashed_store, journal_in_use, last_batch
from tests.store.workload import Day

ACCOUNTS = "accounts/0000000000000001.accounts"
BOX = mailbox_path(2)


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


def test_fsck_names_a_torn_tail_a_leftover_and_a_stranger() -> None:
    disk = crashed_store()
    disk.damage(journal_in_use(disk), last_batch(disk).start + BATCH.size, 1)
    disk.close(disk.create("mailboxes/02/left.tmp"))
    disk.close(disk.create("mailboxes/notes.txt"))
    disk.close(disk.create("journal/notes.txt"))
    disk.close(disk.create("journal/00000000000000aa.journal.tmp"))
    findings = fsck(disk)
    assert all(each.harmless for each in findings)
    text = "\n".join(map(str, findings))
    for wanted in ("left.tmp", "notes.txt is not ours", "an unfinished batch of 4096 bytes"):
        assert wanted in text
    assert "journal/00000000000000aa.journal.tmp" in disk.files()


def test_a_second_name_of_a_segment_is_removed_but_not_by_fsck() -> None:
    """What a rename leaves that a power cut left half done."""
    disk = crashed_store()
    second = "journal/00000000000000aa.journal"
    disk.tree["journal"].cache[second[8:]] = disk.tree["journal"].cache[journal_in_use(disk)[8:]]
    fsck(disk)
    assert second in disk.files()
    open_store(disk, TINY)
    assert second not in disk.files()


def test_a_batch_longer_than_its_segment_is_none() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    start = last_batch(disk).start
    disk.contents(path)[start + 24 : start + 28] = b"\0\0\xff\xff"
    store = open_store(disk, TINY)
    assert "an unfinished batch of" in store.findings[0]


def test_fsck_of_no_store() -> None:
    (finding,) = fsck(new_disk())
    assert finding == Finding(MANIFEST, 0, "it is missing", harmless=False)
    disk = crashed_store()
    disk.unreadable.add(MANIFEST)
    assert not fsck(disk)[0].harmless


def reseal(disk: SimDisk, path: str, start: int, size: int) -> None:
    """Make the checksum of a header, block or batch right again."""
    data = disk.contents(path)
    data[start + 4 : start + 8] = CRC.pack(crc32(bytes(data[start + 8 : start + size])))


def change(disk: SimDisk, path: str, place: int, data: bytes, *, start: int, size: int) -> None:
    """Other bytes, under a right checksum."""
    disk.contents(path)[place : place + len(data)] = data
    reseal(disk, path, start, size)


def size_of(disk: SimDisk, path: str, start: int) -> int:
    """Bytes of a header or a block that its checksum covers."""
    data = bytes(disk.contents(path))
    if start == 0:
        return int(PREFIX.unpack_from(data)[2])
    payload_at, head = (24, BATCH.size) if path.startswith("journal") else (24, 48)
    return head + int.from_bytes(data[start + payload_at : start + payload_at + 4], "big")


def change_block(disk: SimDisk, path: str, at: int, data: bytes, start: int = PAGE_BYTES) -> None:
    change(disk, path, start + at, data, start=start, size=size_of(disk, path, start))


def change_manifest(disk: SimDisk, at: int, value: int) -> None:
    """Another u64 at this byte of MANIFEST's body."""
    size = size_of(disk, MANIFEST, 0)
    change(disk, MANIFEST, 20 + at, value.to_bytes(8, "big"), start=0, size=size)


WRONG: dict[str, Callable[[SimDisk], None]] = {
    "manifest too short": lambda disk: change(
        disk, MANIFEST, 8, (30).to_bytes(4, "big"), start=0, size=30
    ),
    "manifest with too many segments": lambda disk: change(
        disk, MANIFEST, 20 + 76, b"\0\0\0\x09", start=0, size=size_of(disk, MANIFEST, 0)
    ),
    "manifest with a longer accounts log": lambda disk: change(
        disk,
        MANIFEST,
        20 + 60,
        (1 << 20).to_bytes(8, "big"),
        start=0,
        size=size_of(disk, MANIFEST, 0),
    ),
    "manifest with more accounts blocks": lambda disk: change(
        disk,
        MANIFEST,
        20 + 68,
        bytes([0, 0, 0, 0, 0, 0, 0, 99]),
        start=0,
        size=size_of(disk, MANIFEST, 0),
    ),
    "manifest with another next number": lambda disk: change(
        disk,
        MANIFEST,
        20 + 24,
        bytes([0, 0, 0, 0, 0, 0, 0, 99]),
        start=0,
        size=size_of(disk, MANIFEST, 0),
    ),
    "accounts log missing": lambda disk: disk.remove(ACCOUNTS),
    "accounts log of another store": lambda disk: change(
        disk, ACCOUNTS, 25, b"other", start=0, size=size_of(disk, ACCOUNTS, 0)
    ),
    "account of an unknown code": lambda disk: change_block(disk, ACCOUNTS, 48, b"\0\x09"),
    "account cut short": lambda disk: change_block(disk, ACCOUNTS, 50, b"\0\0\xff\xff"),
    "accounts block elsewhere": lambda disk: change_block(disk, ACCOUNTS, 15, b"\x07"),
    "accounts block without a magic": lambda disk: change_block(disk, ACCOUNTS, 0, b"nope"),
    "batch with an unknown record": lambda disk: change_block(
        disk, journal_in_use(disk), BATCH.size, b"\0\x63", last_batch(disk).start
    ),
    "segment header of another size": lambda disk: change(
        disk, journal_in_use(disk), 8, (51).to_bytes(4, "big"), start=0, size=51
    ),
    "header length of nonsense": lambda disk: change(
        disk, MANIFEST, 8, b"\xff\xff\xff\xff", start=0, size=100
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_right_checksum_is_not_enough(what: str) -> None:
    disk = crashed_store()
    WRONG[what](disk)
    assert [each for each in fsck(disk) if not each.harmless]
    with pytest.raises(StoreError):
        open_store(disk, TINY)


WRONG_BOX: dict[str, Callable[[SimDisk], None]] = {
    "too few entries": lambda disk: change_block(disk, BOX, 31, b"\x09"),
    "entry of an unknown kind": lambda disk: change_block(disk, BOX, 48, b"\0\x63"),
    "entry with a long name": lambda disk: change_block(disk, BOX, 48 + 6 + 41, b"\xff"),
    "header too short": lambda disk: change(
        disk, BOX, 8, (30).to_bytes(4, "big"), start=0, size=30
    ),
    "settled elsewhere": lambda disk: change_block(disk, BOX, 48 + 6, bytes(7) + b"\x01"),
}


@pytest.mark.parametrize("what", WRONG_BOX)
def test_a_mailbox_with_a_right_checksum_is_not_enough(what: str) -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    store.accept(ann, message_id(1), [bob], b"x", 1)
    store.checkpoint_now()
    WRONG_BOX[what](disk)
    assert [each for each in fsck(disk) if not each.harmless]
    if what != "settled elsewhere":
        with pytest.raises(StoreDamaged):
            picture(store)


def test_fsck_sees_entries_out_of_order() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    ann = store.create_account("ann", 1)
    for number in range(2):
        store.accept(ann, message_id(number), [ann], b"x", 1)
        store.checkpoint_now()
    box = mailbox_path(1)
    change_block(disk, box, 48 + 6, bytes(7) + b"\x77")
    assert "out of order" in str(fsck(disk)[0])


def test_fsck_sees_an_unreadable_mailbox(capsys: pytest.CaptureFixture[str]) -> None:
    disk = crashed_store()
    disk.unreadable.add(BOX)
    disk.unreadable.add(journal_in_use(disk))
    print(*fsck(disk), sep="\n")
    shown = capsys.readouterr().out
    assert "cannot be read" in shown
    assert shown.count("DAMAGE") == 2
