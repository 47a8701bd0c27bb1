"""What the records of admission do, applied live and replayed."""

from tests.store.support import message_id, new_disk, open_store, waiting
from tests.store.test_registry import CREDENTIAL, is_saving
from tests.store.workload import pass_time


def test_records_for_accounts_that_are_gone_are_skipped() -> None:
    store = open_store(new_disk())
    ann = store.create_account("ann", 1, CREDENTIAL)
    store.delete_account(ann, 2)
    number = store.state.next_number
    store.set_credential(ann, None, 3)
    assert store.state.next_number == number + 1
    assert "ann" not in store.state.by_name


def test_a_password_that_is_set_while_a_checkpoint_runs_is_replayed_past() -> None:
    """An account that was saved with later records is not given them again."""
    disk = new_disk()
    store = open_store(disk)
    ann, bob = (store.create_account(name, 1) for name in ("ann", "bob"))
    store.commit()
    pass_time(store)
    store.work(0)
    assert is_saving(store)
    store.set_credential(bob, CREDENTIAL, 2)
    store.accept(ann, message_id(1), [bob], b"while it runs", 3)
    store.commit()
    while is_saving(store):
        store.keeper.step_checkpoint()
    disk.kill()
    again = open_store(disk)
    assert [body for _, _, body, _ in waiting(again, "bob")] == [b"while it runs"]
    assert again.state.by_name["bob"].own_messages == 1
    assert again.state.by_name["bob"].credential == CREDENTIAL
