"""What the operator does about who may be somebody here: passwords, accounts, invites.

Must never show an invite to anything but the answer, nor ask for a password: whoever orders one
brings the verifier.
Fails never; what cannot be done is said in words.
"""

from msgd import names
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_login import refusal_of_account
from msgd.exchange_password import invite_hash
from msgd.values import Now
from store.credential import Credential
from store.limits import INVITES_AT_ONCE_MAX
from wire.codes import Registration
from wire.limits import INVITE_BYTES


class Operator:
    """See the module's text."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def wants_invites(self) -> bool:
        """Whether who makes an account is asked for an invite."""
        return self._core.limits.registration == Registration.INVITE

    def set_password(
        self, name: str, credential: Credential | None, now: Now, *, create: bool
    ) -> tuple[bool, str]:
        """Give a user another password, or none; whether that was done, and the words for it.

        With `create` an account that is not there is made, also under a name that is reserved.
        """
        core = self._core
        if not names.is_valid(name):
            return False, f"that is no name: {names.RULE}"
        account = core.state.by_name.get(name)
        if account is None:
            if not create:
                return False, f"there is no user {name}; --create makes the account"
            refusal = refusal_of_account(core)
            if refusal is not None:
                return False, refusal[1]
            core.store.create_account(name, now.wall_ms, credential)
            core.note(EventKind.CREATE, f"{name} by the operator", now)
            return True, f"{name} has an account now"
        if account.closing:
            return False, f"the account {name} is being deleted"
        core.store.set_credential(account, credential, now.wall_ms)
        if credential is None:
            return True, f"{name} has no password any more, and cannot log in where one is needed"
        return True, f"{name} has a new password"

    def make_invites(self, count: int, until_ms: int, now: Now) -> tuple[bytes, ...]:
        """So many invites that are good until then; none when there is no room for so many."""
        store = self._core.store
        if not store.can_invite(count, now.wall_ms):
            return ()
        invites = tuple(store.entropy(INVITE_BYTES) for _ in range(count))
        store.make_invites([invite_hash(invite) for invite in invites], until_ms, now.wall_ms)
        return invites

    def invites_out(self, now: Now) -> tuple[int, ...]:
        """Until when each invite is good that is not used; the next to end first."""
        invites = self._core.state.registry.invites.values()
        return tuple(sorted(until_ms for until_ms in invites if until_ms > now.wall_ms))

    def revoke_invites(self, invite: bytes | None, now: Now) -> int:
        """Take this one back, or with None all that are not used; how many these were."""
        core = self._core
        registry = core.state.registry
        wanted = list(registry.invites) if invite is None else [invite_hash(invite)]
        good = [each for each in wanted if registry.is_invited(each, now.wall_ms)]
        for start in range(0, len(good), INVITES_AT_ONCE_MAX):
            part = good[start : start + INVITES_AT_ONCE_MAX]
            core.store.revoke_invites(part, now.wall_ms)
        return len(good)
