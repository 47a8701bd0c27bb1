"""The account that can be referred to weakly, which is how `store.accounts` knows who holds one.

A class of its own, and never compiled: compiled classes have no weak references, their interpreted
subclasses do. All that an account is and does stands in `store.account`.

Must never get anything of its own. Fails never.
"""

from store.account import Account


class AwakeAccount(Account):
    """An account in memory."""

    __slots__ = ("__weakref__",)
