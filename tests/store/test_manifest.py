import pytest

from store.errors import StoreDamaged
from store.manifest import MANIFEST
from tests.store.support import TINY, crashed_store, journal_in_use, new_disk, open_store


def test_a_missing_segment_is_noticed() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.remove(path)
    with pytest.raises(StoreDamaged, match="it is missing") as error:
        open_store(disk, TINY)
    assert error.value.file == path


def test_a_manifest_older_than_the_journal_is_refused() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    old = bytes(disk.contents(MANIFEST))
    account = store.create_account("alice", 1)
    for at_ms in range(2, 5):
        store.checkpoint_now()
        store.touch(account, at_ms)
        store.commit()
    disk.kill()
    disk.contents(MANIFEST)[:] = old
    with pytest.raises(StoreDamaged, match="MANIFEST"):
        open_store(disk, TINY)
