from store.journal_segment import BATCH, FIRST_BATCH
from store.limits import PAGE_BYTES
from store.settings import Settings
from tests.store.support import new_disk, open_store


def test_the_defaults_fit_together() -> None:
    settings = Settings()
    largest_batch = FIRST_BATCH + BATCH.size + settings.batch_bytes_max + PAGE_BYTES
    assert largest_batch <= settings.journal_segment_bytes
    assert settings.checkpoint_journal_bytes * 4 < settings.journal_bytes_max * 3
    assert settings.reserve_bytes >= settings.journal_segment_bytes
    assert settings.checkpoint_tail_entries < settings.tail_entries_max
    open_store(new_disk(), settings).close()
