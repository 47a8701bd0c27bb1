"""The durable store: what `commit` returned for is safe, whatever happens next.

`Store.open` recovers; the change methods each build one record, apply it to memory and append it
to the open batch, with no I/O; `commit` makes the batch durable with one write and one sync.
Whoever tells somebody of a change must first have seen `durable_lsn` reach the `open_lsn` that
stood when the change was made.

Must never be used again after it raised StoreFailure: the process ends. Reading may raise
StoreDamaged for one queue; the others go on.
"""

from collections.abc import Callable, Sequence

from store.disk import Disk
from store.entry import Entry
from store.reader import QueueReader
from store.settings import Admission, Settings, StoreClock, StoreStatus
from store.state import Account, State, WindowVerdict


class Store:
    """Accounts and queues on a disk."""

    state: State
    store_id: bytes
    findings: tuple[str, ...]

    @classmethod
    def open(
        cls, disk: Disk, clock: StoreClock, entropy: Callable[[int], bytes], settings: Settings
    ) -> "Store":
        """Lock the folder, recover, and be ready. Raises the StoreError family."""
        raise NotImplementedError

    @property
    def open_lsn(self) -> int:
        """The LSN that changes made now will have."""
        raise NotImplementedError

    @property
    def durable_lsn(self) -> int:
        """The last LSN that is safe."""
        raise NotImplementedError

    @property
    def has_pending(self) -> bool:
        """Whether the open batch holds anything that a commit would make durable."""
        raise NotImplementedError

    @property
    def pending_lsn(self) -> int:
        """The LSN that covers all changes made so far: the open one, or the one before it."""
        raise NotImplementedError

    @property
    def admission(self) -> Admission:
        """Whether new messages and accounts may be taken."""
        raise NotImplementedError

    def create_account(self, name: str, at_ms: int) -> Account:
        """A new account; the name must be free."""
        raise NotImplementedError

    def touch(self, account: Account, at_ms: int) -> None:
        """The account's owner was seen."""
        raise NotImplementedError

    def check_window(self, account: Account, installation: bytes, counter: int) -> WindowVerdict:
        """Whether a message of this id was accepted before. Reads only."""
        raise NotImplementedError

    def accept(
        self,
        sender: Account,
        message_id: bytes,
        recipients: Sequence[Account],
        body: bytes,
        at_ms: int,
    ) -> Entry:
        """A message for one or several; its window verdict was NEW."""
        raise NotImplementedError

    def accept_for_everyone(
        self, sender: Account, message_id: bytes, body: bytes, at_ms: int
    ) -> Entry:
        """A message for every account there is now, except the sender's and closing ones."""
        raise NotImplementedError

    def settle(
        self, account: Account, entries: Sequence[Entry], at_ms: int, *, discarded: bool = False
    ) -> list[tuple[Account, Entry]]:
        """Take entries that a reader gave out of the queue; returns the outcomes that this made."""
        raise NotImplementedError

    def begin_deletion(self, account: Account, at_ms: int) -> None:
        """From now on the account takes no more mail."""
        raise NotImplementedError

    def delete_account(self, account: Account, at_ms: int) -> None:
        """The account goes; no message waits in its queue. Waiting outcomes go with it."""
        raise NotImplementedError

    def reader(self, account: Account, after: int, until: int | None) -> QueueReader:
        """Reads the unsettled entries with after < number <= until, in order."""
        raise NotImplementedError

    def oldest_waiting_at_ms(self, account: Account) -> int | None:
        """When the oldest waiting message came; None when none waits or nobody knows yet."""
        raise NotImplementedError

    def commit(self) -> None:
        """Make the open batch durable. Raises StoreFailure, and then the process must end."""
        raise NotImplementedError

    def work(self, budget_ms: int) -> bool:
        """A slice of checkpoint, compaction or space check; True while more is waiting."""
        raise NotImplementedError

    def checkpoint_now(self) -> None:
        """A whole checkpoint (clean shutdown, tests)."""
        raise NotImplementedError

    def status(self) -> StoreStatus:
        """For the panel."""
        raise NotImplementedError

    def close(self) -> None:
        """Commit, checkpoint, let go of the folder."""
        raise NotImplementedError
