import pytest

from store.errors import StoreDamaged
from store.journal_segment import BATCH, encode_segment_header
from store.limits import PAGE_BYTES
from tests.store.support import TINY, crashed_store, journal_in_use, last_batch, open_store, waiting


def test_a_batch_longer_than_its_segment_is_none() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    start = last_batch(disk).start
    disk.contents(path)[start + 24 : start + 28] = b"\0\0\xff\xff"
    store = open_store(disk, TINY)
    assert "an unfinished batch of" in store.findings[0]


def test_a_segment_of_another_store_is_refused() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.contents(path)[:PAGE_BYTES] = encode_segment_header(bytes(16), 1, 2)
    with pytest.raises(StoreDamaged, match="not the segment that MANIFEST names"):
        open_store(disk, TINY)


def test_a_message_that_imitates_a_batch_is_not_one() -> None:
    """Sector-aligned bytes that look like a later batch; only the nonce tells."""
    disk = crashed_store()
    path = journal_in_use(disk)
    start = last_batch(disk).start
    genuine = bytearray(disk.contents(path)[start : start + PAGE_BYTES])
    genuine[48:56] = bytes(8)
    disk.contents(path)[start + PAGE_BYTES : start + 2 * PAGE_BYTES] = genuine
    disk.damage(path, start + BATCH.size, 1)
    assert len(waiting(open_store(disk, TINY), "bob")) == 3
