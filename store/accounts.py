"""All accounts, by number and by name; those that nobody holds are at rest as a few hundred bytes.

An account is *awake* as long as somebody holds it: a session, a reader, `State.dirty` while it has
changes that are not saved, a checkpoint that is about to save it. Awake it is an `Account` (see
`store.awake`); at rest it is the value of its newest ACCOUNT in the accounts log, and nothing else
(measured: 540 bytes with one window, where the objects took 1,660). Weak references see to it that
there is never a second `Account` of one number. Start-up takes the bytes as they are.

Must never let an account rest whose changes are not saved: whoever changes one puts it into
`State.dirty`. Fails with ValueError for bytes that are no account, when they are taken over.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from weakref import WeakValueDictionary

from store.account import Account
from store.account_codec import ACCOUNT, decode_account, glance, identify, reach
from store.awake import AwakeAccount
from store.limits import HOT_ACCOUNTS_MAX
from wire import tlv


class Accounts:
    """See the module's text."""

    __slots__ = (
        "awake",
        "by_name",
        "by_number",
        "closing",
        "decoy",
        "furthest_hint",
        "hot",
        "is_loading",
        "marked",
        "names",
        "newest_at",
        "newest_stamp",
        "numbers",
        "saved",
        "saved_bytes",
    )

    def __init__(self) -> None:
        self.saved: dict[int, bytes] = {}  # the newest state; b"" while there is none
        self.saved_bytes = 0  # of all states, as they stand in the accounts log
        self.awake: WeakValueDictionary[int, Account] = WeakValueDictionary()
        # By name as it stands on the wire: who was written to since the last checkpoint, or is met
        # by a start, and is awake for that (measured: a look-up takes 0.06 us here, 0.9 through
        # the weak references).
        self.hot: dict[bytes, Account] = {}
        self.numbers: dict[str, int] = {}
        self.names: list[str] = []  # sorted
        self.closing: dict[int, None] = {}  # numbers of accounts whose deletion has begun
        self.marked: dict[int, None] = {}  # numbers of accounts with marks of sessions
        self.is_loading = False  # then `names` is not kept
        self.newest_stamp = 0  # of all that were loaded, everyone's queue too
        self.furthest_hint = 0  # of all accounts, in everyone's file
        self.newest_at = 0  # offset in the accounts log
        self.decoy = b""  # a state as good as any, for `get_evenly`
        self.by_number = ByNumber(self)
        self.by_name = ByName(self)

    def begin_loading(self) -> None:
        """Many accounts are to come: `names` is put in order once, by `end_loading`."""
        self.is_loading = True

    def end_loading(self) -> None:
        """All are there."""
        self.is_loading = False
        self.names = sorted(self.numbers)

    def load(self, value: bytes) -> None:
        """An account as it stands in the accounts log, at rest. Raises ValueError."""
        number, name, closing, marked = identify(value)
        owner = self.numbers.get(name)
        if number not in self.saved and owner is None:
            self.numbers[name] = number
        elif owner != number:
            raise ValueError(f"account {number} has the name of account {owner}")
        self.replace(number, value)
        stamp, hint = reach(value)
        self.newest_stamp = max(self.newest_stamp, stamp)
        self.furthest_hint = max(self.furthest_hint, hint)
        if closing:
            self.closing[number] = None
        if marked:
            self.marked[number] = None
        else:
            self.marked.pop(number, None)

    def unload(self, number: int) -> None:
        """An account whose tombstone stands in the accounts log."""
        value = self.saved.get(number)
        if value is not None:
            self.forget(number, identify(value)[1])

    def add(self, account: AwakeAccount) -> None:
        """A new account, never saved; the caller holds it until it is."""
        self.saved[account.number] = b""
        self.awake[account.number] = account
        self.numbers[account.name] = account.number
        if not self.is_loading:
            insort(self.names, account.name)

    def keep(self, account: Account, encoded: bytes) -> None:
        """What an account was saved as, a whole TLV: from now on it may rest."""
        self.replace(account.number, encoded[tlv.HEADER_BYTES :])

    def replace(self, number: int, value: bytes) -> None:
        """The newest state of an account."""
        before = self.saved.get(number)
        if before:
            self.saved_bytes -= len(before) + tlv.HEADER_BYTES
        self.saved_bytes += len(value) + tlv.HEADER_BYTES
        self.saved[number] = value
        self.decoy = value

    def remove(self, account: Account) -> None:
        """The account is gone, and its name is free."""
        del self.awake[account.number]
        self.hot.pop(account.name_bytes, None)
        self.forget(account.number, account.name)

    def forget(self, number: int, name: str) -> None:
        """Take an account out of all tables but `awake`."""
        value = self.saved.pop(number)
        if value:
            self.saved_bytes -= len(value) + tlv.HEADER_BYTES
        del self.numbers[name]
        self.closing.pop(number, None)
        self.marked.pop(number, None)
        if not self.is_loading:
            del self.names[bisect_left(self.names, name)]

    def get(self, number: int) -> Account | None:
        """The account of this number, awake."""
        account = self.awake.get(number)
        if account is None:
            value = self.saved.get(number)
            if value is not None:
                account = decode_account(value)
                self.awake[number] = account
                if self.is_loading:
                    self.hold(account)
        return account

    def hold(self, account: Account) -> None:
        """Keep it awake, until `cool` or until too many are: a start looks at the same accounts
        again and again (measured: a replay of 143,000 messages for 1,000 users woke 78,000).
        """
        if len(self.hot) >= HOT_ACCOUNTS_MAX:
            self.hot.clear()
        self.hot[account.name_bytes] = account

    def get_evenly(self, name: str) -> Account | None:
        """The account of this name, awake, in the same time whether there is one or not, awake or
        at rest: each time one state is decoded (measured: to wake one takes 6 us, or 50 of a cold
        processor, and a stranger has a clock).
        """
        number = self.numbers.get(name, 0)
        account = self.awake.get(number)
        value = self.saved.get(number) or self.decoy
        decoded = decode_account(value) if value else None
        if account is None and number:
            assert decoded is not None, name
            assert decoded.number == number, name
            account = self.awake[number] = decoded
        return account

    def warm(self, name: bytes) -> Account | None:
        """The account of this name, from now on in `hot`, until `cool`."""
        number = self.numbers.get(name.decode()) if name.isascii() else None
        account = None if number is None else self.get(number)
        if account is not None:
            self.hold(account)
        return account

    def cool(self) -> None:
        """From now on nobody is awake only for having been written to."""
        self.hot.clear()

    def glance(self, name: str) -> tuple[int, ...]:
        """created_at_ms, last_seen_ms, closing_number, own_messages and own_bytes of the account
        of this name, which is not woken for it.
        """
        number = self.numbers[name]
        account = self.awake.get(number)
        if account is None:
            return glance(self.saved[number])
        return (
            account.created_at_ms,
            account.last_seen_ms,
            account.closing_number,
            account.own_messages,
            account.own_bytes,
        )

    def encoded(self, number: int) -> bytes | None:
        """The newest saved state as a whole TLV; None when there is no such account."""
        value = self.saved.get(number)
        return None if value is None else tlv.encode(ACCOUNT, value)


class ByNumber:
    """The accounts by number, in the order of their creation."""

    __slots__ = ("accounts",)

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def __len__(self) -> int:
        return len(self.accounts.saved)

    def __contains__(self, number: int) -> bool:
        return number in self.accounts.saved

    def __iter__(self) -> Iterator[int]:
        return iter(self.accounts.saved)

    def __getitem__(self, number: int) -> Account:
        account = self.accounts.get(number)
        if account is None:
            raise KeyError(number)
        return account

    def get(self, number: int) -> Account | None:
        """The account of this number, awake."""
        return self.accounts.get(number)

    def values(self) -> Iterator[Account]:
        """All accounts, each awake while it is looked at; there may be a million."""
        return (self[number] for number in tuple(self.accounts.saved))


class ByName:
    """The accounts by name."""

    __slots__ = ("accounts",)

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def __len__(self) -> int:
        return len(self.accounts.numbers)

    def __contains__(self, name: str) -> bool:
        return name in self.accounts.numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self.accounts.numbers)

    def __getitem__(self, name: str) -> Account:
        return self.accounts.by_number[self.accounts.numbers[name]]

    def get_evenly(self, name: str) -> Account | None:
        """The account of this name, awake; the time that it takes tells nothing."""
        return self.accounts.get_evenly(name)

    def get(self, name: str) -> Account | None:
        """The account of this name, awake."""
        number = self.accounts.numbers.get(name)
        return None if number is None else self.accounts.get(number)
