"""What the records about who may be somebody here do to the state: a part of `State.apply`.

The live path and the replay of recovery both end here, as with all that changes durable state.

Must never read a disk or a clock. Fails by assertion for our own bugs; a record that names an
account that is gone is skipped for it.
"""

from typing import TYPE_CHECKING

from store.account import Account
from store.admitting_records import Admitting, CredentialSet, Invited, Registered, Retired
from store.records import Created

if TYPE_CHECKING:  # State is made of what stands here
    from store.state import State


def apply_admitting(state: "State", number: int, fields: Admitting) -> None:
    """One record about passwords, invites or reserved names."""
    if isinstance(fields, CredentialSet):
        apply_credential_set(state, number, fields)
    elif isinstance(fields, Registered):
        apply_registered(state, number, fields)
    elif isinstance(fields, Retired):
        state.apply_deleted(number, fields)
    else:
        state.next_number = number + 1
        if isinstance(fields, Invited):
            state.registry.invite(fields.hashes, fields.until_ms, fields.at_ms)
        else:
            state.registry.secret = fields.secret
            state.registry.is_dirty = True


def apply_credential_set(state: "State", number: int, fields: CredentialSet) -> None:
    """The account has another password, or none."""
    state.next_number = number + 1
    account = state.by_number.get(fields.account)
    if account is not None and number > account.stamp:
        account.credential = fields.credential
        account.stamp = number
        state.dirty[account.number] = account


def apply_registered(state: "State", number: int, fields: Registered) -> Account:
    """A new account with a password, for an invite that is used up by it."""
    state.registry.use(fields.invite)
    account = state.apply_created(number, Created(*fields[:5]))
    account.credential = fields.credential
    return account
