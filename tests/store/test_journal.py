from store.journal import Journal
from tests.store.support import new_disk, open_store


def test_an_lsn_is_durable_only_after_its_commit() -> None:
    store = open_store(new_disk())
    journal: Journal = store.journal
    account = store.create_account("ann", 1)
    covering = journal.open_lsn
    assert journal.durable_lsn < covering
    assert journal.commit() == journal.durable_lsn == covering
    store.touch(account, 2)
    assert journal.open_lsn == covering + 1
    assert journal.durable_lsn == covering
