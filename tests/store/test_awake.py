"""An account that is awake: an account, and to be referred to weakly."""

import weakref

from store.account import Account
from store.awake import AwakeAccount


def test_is_an_account_that_ends_with_its_last_holder() -> None:
    account: Account = AwakeAccount(7, "ann", 1)
    reference = weakref.ref(account)
    assert reference() is account
    assert (account.number, account.name) == (7, "ann")
    del account
    assert reference() is None
