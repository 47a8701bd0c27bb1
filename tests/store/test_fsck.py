import pytest

from store.fsck import Finding, fsck
from store.journal_segment import BATCH
from store.mailbox import mailbox_path
from store.manifest import MANIFEST
from tests.store.forgery import change_block
from tests.store.support import (
    BOX,
    TINY,
    crashed_store,
    journal_in_use,
    last_batch,
    message_id,
    new_disk,
    open_store,
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
