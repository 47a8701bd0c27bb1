from dataclasses import replace
from errno import EIO
from random import Random

import pytest

from store.disk import DiskFailure
from store.fsck import Finding, Progress, examine, fsck
from store.journal_segment import BATCH
from store.limits import PAGE_BYTES
from store.mailbox import mailbox_path
from store.manifest import MANIFEST, read_manifest, replace_manifest
from tests.sim.sim_disk import SimDisk
from tests.sources_only import replace_constant
from tests.store.forgery import change_block
from tests.store.support import (
    BOX,
    SMALL,
    TINY,
    crashed_store,
    filled,
    journal_in_use,
    last_batch,
    message_id,
    new_disk,
    open_store,
    read_all,
)


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


def test_fsck_of_no_store() -> None:
    (finding,) = fsck(new_disk())
    assert finding == Finding(MANIFEST, 0, "it is missing", harmless=False)
    disk = crashed_store()
    disk.unreadable.add(MANIFEST)
    assert not fsck(disk)[0].harmless


def test_fsck_sees_entries_out_of_order() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    ann = store.create_account("ann", 1)
    for number in range(2):
        store.accept(ann, message_id(number), [ann], b"x", 1)
        store.checkpoint_now()
    box = mailbox_path(1)
    for at in (32, 40, 48 + 6):  # first and last of the block, and the entry's own
        change_block(disk, box, at, bytes(7) + b"\x03")
    assert "out of order" in str(fsck(disk)[0])
    for at in (32, 40, 48 + 6):
        change_block(disk, box, at, bytes(7) + b"\x77")
    assert "entry 119 stands behind 3, which should be the last" in str(fsck(disk)[0])


def test_fsck_sees_an_unreadable_mailbox(capsys: pytest.CaptureFixture[str]) -> None:
    disk = crashed_store()
    disk.unreadable.add(BOX)
    disk.unreadable.add(journal_in_use(disk))
    print(*fsck(disk), sep="\n")
    shown = capsys.readouterr().out
    assert "cannot be read" in shown
    assert shown.count("DAMAGE") == 2


def test_fsck_sees_that_a_folder_is_missing() -> None:
    disk = crashed_store()
    del disk.tree["mailboxes"]
    assert Finding("mailboxes", 0, "the folder is missing", harmless=False) in fsck(disk)
    other = crashed_store()
    del other.tree["journal"]
    assert [each.file for each in fsck(other) if not each.harmless] == ["the folder"]


def test_fsck_names_every_damaged_block_of_a_mailbox() -> None:
    disk, store = filled(40)
    box = mailbox_path(store.state.by_name["bob"].number)
    size = len(disk.contents(box))
    for place in (PAGE_BYTES + 100, size // 2, size - PAGE_BYTES):
        disk.damage(box, place, 1)
    damage = [each for each in fsck(disk) if not each.harmless]
    assert len(damage) == 3
    assert {each.file for each in damage} == {box}
    assert [each.offset for each in damage] == sorted({each.offset for each in damage})


def test_fsck_believes_the_journal_about_what_compaction_took_off() -> None:
    disk, store = filled(400)
    bob = store.state.by_name["bob"]
    store.core.settings = replace(
        SMALL, checkpoint_idle_ms=1 << 40, checkpoint_journal_bytes=1 << 40
    )
    for _ in range(13):
        store.settle(bob, read_all(store, "bob", 30), 5)
    reader = store.reader(bob, bob.settled.floor, None)
    reader.read(4, 1 << 20)
    reader.read(4, 1 << 20)
    store.commit()
    store.keeper.candidates.append(bob.number)
    while store.work(0):
        pass
    assert store.status().compactions == 1
    disk.kill()
    assert [each for each in fsck(disk) if not each.harmless] == []


def test_fsck_does_not_count_where_the_journal_is_damaged() -> None:
    disk = crashed_store()
    disk.damage(journal_in_use(disk), 2 * PAGE_BYTES - PAGE_BYTES + BATCH.size, 1)
    damage = [each for each in fsck(disk) if not each.harmless]
    assert [each.file.partition("/")[0] for each in damage] == ["journal"]


def test_fsck_tells_how_far_it_is() -> None:
    disk, _ = filled(2)
    progress = [each for each in examine(disk) if isinstance(each, Progress)]
    assert str(progress[0]) == "0 of 2 accounts, 0 entries looked at"


def test_fsck_tells_how_far_it_is_inside_a_large_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, _ = filled(40)
    replace_constant(monkeypatch, "store.fsck.FSCK_PROGRESS_ENTRIES", 10)
    entries = [each.entries for each in examine(disk) if isinstance(each, Progress)]
    assert entries == [0, 0, 10, 20, 30, 40]


class UnlistableDisk(SimDisk):
    """Its folder of mailboxes cannot be read."""

    def list(self, path: str) -> tuple[str, ...]:
        if path.startswith("mailboxes"):
            raise DiskFailure(EIO, path)
        return super().list(path)


def test_fsck_goes_on_where_a_folder_cannot_be_read() -> None:
    disk = UnlistableDisk(Random(1))
    store = open_store(disk, TINY)
    store.create_account("ann", 1)
    store.close()
    (finding,) = fsck(disk)
    assert not finding.harmless


def test_fsck_sees_damage_to_everyones_queue_and_counts_nothing_there() -> None:
    disk = crashed_store()
    disk.damage(mailbox_path(0), PAGE_BYTES + 60, 1)
    (finding,) = [each for each in fsck(disk) if not each.harmless]
    assert (finding.file, finding.offset) == (mailbox_path(0), PAGE_BYTES)


def test_fsck_sees_a_journal_that_skips_numbers() -> None:
    disk = crashed_store()
    manifest = read_manifest(disk)
    assert manifest is not None
    replace_manifest(disk, replace(manifest, next_number=manifest.next_number + 1))
    (finding,) = [each for each in fsck(disk) if not each.harmless]
    assert "where" in finding.text
