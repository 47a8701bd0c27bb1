"""Making accounts and listing them.

Must never look at more names for one page than its limit, nor at a pattern with more than linear
work for each name.
Fails never; what is not possible is said in a failure frame.
"""

from bisect import bisect_left
from typing import Final

from msgd import names
from msgd.events import EventKind
from msgd.exchange_core import Core
from msgd.exchange_login import refusal_of_account, refusal_of_name
from msgd.exchange_password import VerifierError, credential_of, invite_hash
from msgd.exchange_quota import is_full_with
from msgd.session import Session
from msgd.values import Now
from msgd.wildcard import Wildcard
from store.credential import Credential
from wire.codes import Code, Presence, Registration
from wire.messages import (
    AccountEntry,
    AccountList,
    ChangePassword,
    CreateAccount,
    CreateFailure,
    CreateSuccess,
    ListAccounts,
    PasswordChanged,
    PasswordFailure,
)

OFF: Final = Presence.OFF


PAGE_US: Final = 50
ENTRY_US: Final = 2
CREATION_US: Final = 300
"""What these take, about, for the brakes: measured, in plain Python 3.11."""


class Accounts:
    """See the module's text."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, session: Session, message: CreateAccount, now: Now) -> None:
        """CREATE_ACCOUNT."""
        core = self._core
        name = names.fold(message.username)
        refusal = self._refusal(message, name, now)
        if refusal is not None:
            code, text = refusal
            core.say(session, CreateFailure(message.request, code, text))
            reason = code.name.lower().replace("_", " ")
            peer = session.peer
            core.note(EventKind.REJECT, f"{names.logged(name)} from {peer}: {reason}", now)
            return
        invited = core.limits.registration == Registration.INVITE and message.invite is not None
        core.store.create_account(
            name,
            now.wall_ms,
            credential_of(message),
            invite_hash(message.invite) if invited and message.invite is not None else b"",
        )
        session.cost_us += CREATION_US
        core.say(session, CreateSuccess(message.request, name))
        core.note(EventKind.CREATE, f"{name} from {session.peer}", now)

    def _refusal(self, message: CreateAccount, name: str, now: Now) -> tuple[Code, str] | None:
        """Why the account cannot be made. Without the right to make one nobody learns of names."""
        core = self._core
        registration = core.limits.registration
        if not names.is_valid(name):
            return Code.NAME_INVALID, names.RULE
        if registration == Registration.CLOSED:
            return Code.REGISTRATION_CLOSED, "accounts are made by the operator of this server"
        if registration == Registration.INVITE:
            invite = message.invite
            if invite is None:
                return Code.INVITE_INVALID, "an invite is needed; the operator gives them out"
            if not core.state.registry.is_invited(invite_hash(invite), now.wall_ms):
                return Code.INVITE_INVALID, "the invite is unknown, used, or too old"
        try:
            credential = credential_of(message)
        except VerifierError as error:
            return Code.PASSWORD_REFUSED, str(error)
        if credential is None and core.limits.password_needed:
            return Code.PASSWORD_NEEDED, "this server wants a password for each account"
        return refusal_of_name(core, name, now) or refusal_of_account(core)

    def change_password(self, session: Session, message: ChangePassword, now: Now) -> None:
        """CHANGE_PASSWORD."""
        core = self._core
        account = session.account
        assert account is not None
        refusal: tuple[Code, str] | None = None
        credential: Credential | None = None
        try:
            credential = credential_of(message)
        except VerifierError as error:
            refusal = Code.PASSWORD_REFUSED, str(error)
        if account.closing:
            refusal = Code.BEING_DELETED, "the account is about to vanish"
        if refusal is not None:
            core.say(session, PasswordFailure(message.request, *refusal))
            return
        core.store.set_credential(account, credential, now.wall_ms)
        core.say(session, PasswordChanged(message.request))
        core.note(EventKind.NOTICE, f"{session.label}: has another password", now)

    def show(self, session: Session, message: ListAccounts) -> None:
        """LIST_ACCOUNTS: one page, in the order of names. A LIMIT of 0 asks for the totals only."""
        state = self._core.state
        page_max = self._core.limits.accounts_per_page_max
        limit = page_max if message.limit is None else min(message.limit, page_max)
        online = self._core.online
        # Who is being deleted waits for the end of it, and is no account any more for others.
        leaving = sum(account.name in online for account in state.closing_accounts())
        entries, cursor = self._page(session, message.pattern or "*", message.cursor or "", limit)
        session.cost_us += PAGE_US + ENTRY_US * len(entries)
        self._core.say(
            session,
            AccountList(
                message.request,
                accounts_total=len(state.by_name) - state.closing_count,
                accounts_connected=len(online) - leaving,
                cursor=cursor,
                entries=tuple(entries),
            ),
        )

    def _page(
        self, session: Session, pattern: str, cursor: str, limit: int
    ) -> tuple[list[AccountEntry], str | None]:
        """The matching accounts after `cursor`, and the cursor of what is left, if anything is."""
        entries: list[AccountEntry] = []
        if not limit:
            return entries, None
        state = self._core.state
        sorted_names = state.names
        wildcard = Wildcard(pattern)
        prefix, is_prefix = wildcard.prefix, wildcard.is_prefix
        start = max(state.names_after(cursor), bisect_left(sorted_names, prefix))
        end = min(len(sorted_names), start + self._core.limits.names_scanned_max)
        if not is_prefix:
            session.cost_us += end - start
        for index in range(start, end):
            name = sorted_names[index]
            if not name.startswith(prefix):
                return entries, None
            if not is_prefix and not wildcard.matches(name):
                continue
            entry = self._entry(name)
            if entry is not None:
                entries.append(entry)
                if len(entries) == limit:
                    end = index + 1
                    break
        return entries, sorted_names[end - 1] if start < end < len(sorted_names) else None

    def _entry(self, name: str) -> AccountEntry | None:
        """One line of the list; None for an account that is on its way out."""
        # Nobody is woken only to be listed (measured: 0.7 us a name at rest, 9 to wake it).
        created_at_ms, last_seen_ms, closing_number, own_messages, own_bytes = (
            self._core.state.accounts.glance(name)
        )
        if closing_number:
            return None
        session = self._core.online.get(name)
        full = is_full_with(own_messages, own_bytes, self._core.limits)
        if session is None:
            seen_ms = last_seen_ms if last_seen_ms != created_at_ms else None
            return AccountEntry(name, OFF, seen_ms, created_at_ms, full)
        presence = Presence.SILENT if session.silent else Presence.ON
        return AccountEntry(name, presence, last_seen_ms, created_at_ms, full)
