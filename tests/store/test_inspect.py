import pytest

from store.errors import StoreDamaged
from store.inspect import entries_of, load_saved, mailbox_files, need_manifest, records_of
from store.journal import Batch
from store.records import encode_touched
from tests.store.support import crashed_store, new_disk


def test_everything_can_be_reached_from_the_manifest() -> None:
    disk = crashed_store()
    manifest = need_manifest(disk)
    saved = load_saved(disk, manifest)
    assert [account.name for account in saved.accounts.values()] == ["alice", "bob"]
    (entry,) = entries_of(disk, manifest.store_id, saved.accounts[2].queue)
    assert entry.body == b"in the mailbox"
    assert len(list(mailbox_files(disk))) == 3
    with pytest.raises(StoreDamaged, match="MANIFEST"):
        need_manifest(new_disk())


def test_records_have_consecutive_numbers() -> None:
    payload = encode_touched(1, 2) + encode_touched(3, 4)
    assert [number for number, _, _ in records_of(Batch(9, 100, payload, "journal", 4096))] == [
        100,
        101,
    ]
    with pytest.raises(StoreDamaged, match="journal is damaged at byte 4096: batch 9, record 101"):
        list(records_of(Batch(9, 100, payload[:-1], "journal", 4096)))
