import gc

import pytest

from store.account_codec import encode_account
from store.accounts import Accounts
from store.awake import AwakeAccount
from tests.store.support import SMALL, filled, new_disk, open_store, picture
from wire import tlv


def value_of(account: AwakeAccount) -> bytes:
    return encode_account(account)[tlv.HEADER_BYTES :]


def test_an_account_is_awake_as_long_as_somebody_holds_it() -> None:
    accounts = Accounts()
    ann = AwakeAccount(1, "ann", 5)
    accounts.add(ann)
    ann.last_seen_ms = 7
    accounts.keep(ann, encode_account(ann))
    assert accounts.by_number[1] is ann
    assert accounts.by_name["ann"] is ann
    ann.last_seen_ms = 8  # changed and not saved: to be held by whoever did it
    del ann
    assert not accounts.awake
    assert accounts.by_number[1].last_seen_ms == 7
    again = accounts.by_name.get("ann")
    assert again is accounts.by_number.get(1)


def test_a_start_keeps_whom_it_meets_awake() -> None:
    accounts = Accounts()
    accounts.begin_loading()
    accounts.load(value_of(AwakeAccount(1, "ann", 5)))
    accounts.by_number[1].last_seen_ms = 7
    assert accounts.by_number[1].last_seen_ms == 7, "the same one"
    accounts.end_loading()
    assert accounts.awake
    accounts.cool()
    assert not accounts.awake


def test_to_get_one_evenly_is_to_get_it() -> None:
    accounts = Accounts()
    assert accounts.by_name.get_evenly("ann") is None
    ann, bob = AwakeAccount(1, "ann", 5), AwakeAccount(2, "bob", 6)
    accounts.add(ann)
    assert accounts.by_name.get_evenly("ann") is ann, "new, never saved"
    accounts.add(bob)
    for account in (ann, bob):
        accounts.keep(account, encode_account(account))
    assert accounts.by_name.get_evenly("ann") is ann, "awake"
    del ann, account
    found = accounts.by_name.get_evenly("ann")
    assert found is not None
    assert found is accounts.by_number[1], "it was at rest, and there is one only"
    assert accounts.by_name.get_evenly("cat") is None
    assert list(accounts.awake) == [2, 1]


@pytest.mark.parametrize("name", ["ann", "bob", "new", "nobody"])
def test_each_time_one_state_is_decoded(name: str) -> None:
    accounts = Accounts()
    ann, bob = AwakeAccount(1, "ann", 5), AwakeAccount(2, "bob", 6)
    for account in (ann, bob):
        accounts.add(account)
        accounts.keep(account, encode_account(account))
    accounts.add(new := AwakeAccount(3, "new", 7))
    del ann, account
    assert list(accounts.awake.values()) == [bob, new]
    # Only who decodes them can tell.
    accounts.saved[1] = accounts.saved[2] = accounts.decoy = b"no state"
    with pytest.raises(ValueError, match="requires a buffer"):
        accounts.by_name.get_evenly(name)


def test_the_tables_agree() -> None:
    accounts = Accounts()
    held = [AwakeAccount(number, name, 0) for number, name in enumerate(["bob", "ann", "cat"], 1)]
    for account in held:
        accounts.add(account)
    assert accounts.names == ["ann", "bob", "cat"]
    assert list(accounts.by_number) == [1, 2, 3]
    assert list(accounts.by_number.values()) == held
    assert list(accounts.by_name) == ["bob", "ann", "cat"]
    assert (len(accounts.by_number), len(accounts.by_name)) == (3, 3)
    accounts.closing[2] = None
    accounts.remove(held[1])
    assert accounts.names == ["bob", "cat"]
    assert 2 not in accounts.by_number
    assert "ann" not in accounts.by_name
    assert (accounts.by_number.get(2), accounts.by_name.get("ann")) == (None, None)
    assert not accounts.closing
    with pytest.raises(KeyError):
        accounts.by_number[2]


def test_the_bytes_of_all_states_are_counted() -> None:
    accounts = Accounts()
    ann, bob = AwakeAccount(1, "ann", 0), AwakeAccount(2, "bob", 0)
    for account in (ann, bob):
        accounts.add(account)
    assert accounts.saved_bytes == 0
    for account in (ann, bob, ann):
        accounts.keep(account, encode_account(account))
    assert accounts.saved_bytes == len(encode_account(ann)) + len(encode_account(bob))
    assert accounts.encoded(1) == encode_account(ann)
    accounts.remove(ann)
    assert accounts.saved_bytes == len(encode_account(bob))
    assert accounts.encoded(1) is None


def test_loading_takes_the_newest_state_and_sorts_once() -> None:
    accounts = Accounts()
    accounts.begin_loading()
    for number, name, seen_ms in [(1, "bob", 1), (2, "ann", 2), (1, "bob", 3), (3, "cat", 4)]:
        account = AwakeAccount(number, name, 0)
        account.last_seen_ms = seen_ms
        account.stamp = 9
        account.closing_number = 9 if name == "ann" else 0
        accounts.load(value_of(account))
    accounts.unload(3)
    accounts.unload(4)
    new = AwakeAccount(5, "abe", 0)
    accounts.add(new)
    accounts.end_loading()
    assert accounts.names == ["abe", "ann", "bob"]
    assert list(accounts.closing) == [2]
    assert accounts.by_name["bob"].last_seen_ms == 3


def test_rubbish_is_found_when_it_is_loaded() -> None:
    account = AwakeAccount(1, "ann", 0)
    account.settled.starts = [1]
    for value in (b"", bytes(146), value_of(account)):
        with pytest.raises(ValueError, match=r"."):
            Accounts().load(value)


@pytest.mark.parametrize(("number", "name"), [(2, "ann"), (1, "bob")])
def test_a_name_is_one_account_s(number: int, name: str) -> None:
    accounts = Accounts()
    accounts.load(value_of(AwakeAccount(1, "ann", 0)))
    accounts.load(value_of(AwakeAccount(1, "ann", 0)))
    with pytest.raises(ValueError, match=f"account {number} has the name of account"):
        accounts.load(value_of(AwakeAccount(number, name, 0)))


def test_after_a_checkpoint_all_accounts_rest_and_nothing_is_lost() -> None:
    disk, store = filled(3, 100)
    store.checkpoint_now()
    before = picture(store)
    gc.collect()
    assert not store.state.accounts.awake
    assert picture(store) == before
    disk.crash()
    again = open_store(disk)
    assert not again.state.accounts.awake
    assert picture(again) == before


def test_a_deletion_that_has_begun_is_found_after_a_restart() -> None:
    disk = new_disk()
    store = open_store(disk, SMALL)
    ann = store.create_account("ann", 1)
    store.begin_deletion(ann, 2)
    store.close()
    again = open_store(disk)
    assert [account.name for account in again.state.closing_accounts()] == ["ann"]
    assert again.state.closing_count == 1


def test_a_glance_shows_the_same_of_an_account_awake_and_at_rest() -> None:
    _, store = filled(3, 100)
    accounts = store.state.accounts
    bob = accounts.by_name["bob"]
    bob.last_seen_ms, bob.closing_number = 77, 9
    accounts.keep(bob, encode_account(bob))
    awake = accounts.glance("bob")
    assert awake == (bob.created_at_ms, 77, 9, 3, bob.own_bytes)
    del bob
    gc.collect()
    assert accounts.glance("bob") == awake
    assert accounts.awake.get(accounts.numbers["bob"]) is None
