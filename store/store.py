"""The durable store: what `commit` returned for is safe, whatever happens next.

`Store.open` recovers; the change methods each build one record, apply it to memory and append it
to the open batch, with no I/O; `commit` makes the batch durable with one write and one sync.
Whoever tells somebody of a change must first have seen `durable_lsn` reach the `open_lsn` that
stood when the change was made.

Must never be used again after it raised StoreFailure: the process ends. Reading may raise
StoreDamaged for one queue; the others go on.
"""

import errno
from collections.abc import Callable, Sequence

from store import admitting_records, records, window
from store.admission import apply_admitting, apply_credential_set, apply_registered
from store.admitting_records import CredentialSet, Invited, Registered, Retired, SecretMade
from store.blocking import Blocked, encode_blocked
from store.core import Core
from store.credential import Credential
from store.disk import Disk, DiskError
from store.entry import Entry, EntryKind
from store.errors import StoreFailure, StoreForbidden
from store.keeper import Keeper
from store.limits import (
    BLOCKED_MAX,
    BODY_BYTES_MAX,
    ENTRY_BYTES,
    INVITES_AT_ONCE_MAX,
    INVITES_MAX,
    NAME_BYTES_MAX,
    RECALL_RANGES_MAX,
    RECALLED_FROM_ALL_MAX,
    RECALLED_KEPT_MAX,
    RECIPIENTS_MAX,
)
from store.reader import QueueReader
from store.records import (
    Accepted,
    Begun,
    Copy,
    Created,
    Ended,
    Recalled,
    RecalledFromAll,
    SettledEntry,
    Touched,
)
from store.recovery import open_core
from store.search import CopySearch
from store.settings import Admission, Settings, StoreClock, StoreStatus
from store.state import Account, Sent, State, Window, WindowVerdict

EVERYONE_AUDIENCE = 3  # Audience.EVERYONE, compared on the hot path
OLDEST_ENTRIES_MAX = 64
OLDEST_BYTES_MAX = 1 << 16
SECRET_BYTES = 32
NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)  # no failure of the disk: a human must look


class Store:
    """Accounts and queues on a disk."""

    def __init__(self, core: Core) -> None:
        """Use `open`."""
        self.core = core
        self.journal = core.journal
        self.keeper = Keeper(core)
        self.state: State = core.state
        self.store_id: bytes = core.store_id
        self.entropy = core.entropy

    @classmethod
    def open(
        cls, disk: Disk, clock: StoreClock, entropy: Callable[[int], bytes], settings: Settings
    ) -> "Store":
        """Lock the folder, recover, and be ready. Raises the StoreError family."""
        try:
            disk.lock("LOCK")
        except DiskError as error:
            if error.errno in NOT_OURS:
                words = f"msgd must be able to write to its data folder, see --data: {error}"
                raise StoreForbidden(words) from error
            raise StoreFailure(f"the folder cannot be locked: {error}") from error
        try:
            return cls(open_core(disk, clock, entropy, settings))
        except DiskError as error:
            disk.unlock()
            raise StoreFailure(f"the disk failed during recovery: {error}") from error
        except BaseException:
            disk.unlock()
            raise

    @property
    def findings(self) -> tuple[str, ...]:
        """What recovery, and compaction since, had to say; for the log."""
        return tuple(self.core.findings)

    @property
    def open_lsn(self) -> int:
        """The LSN that changes made now will have."""
        return self.journal.open_lsn

    @property
    def durable_lsn(self) -> int:
        """The last LSN that is safe."""
        return self.journal.durable_lsn

    @property
    def has_pending(self) -> bool:
        """Whether the open batch holds anything that a commit would make durable."""
        return not self.journal.batch_is_empty

    @property
    def pending_lsn(self) -> int:
        """The LSN that covers all changes made so far: the open one, or the one before it."""
        journal = self.journal
        return journal.open_lsn - 1 if journal.batch_is_empty else journal.open_lsn

    @property
    def admission(self) -> Admission:
        """Whether new messages and accounts may be taken; everything else always may."""
        return self.keeper.admission()

    # --- changes: memory only, durable with the next commit ---

    def create_account(
        self, name: str, at_ms: int, credential: Credential | None = None, invite: bytes = b""
    ) -> Account:
        """A new account; the name must be free. With it goes the password, and the invite (its
        SHA-256, which must be good) is used up: all in one record.
        """
        state = self.state
        assert name not in state.by_name
        assert 0 < len(name.encode()) <= NAME_BYTES_MAX
        everyone = state.everyone
        fields = Created(
            max(at_ms, state.last_received_at_ms),
            everyone.total,
            everyone.total_bytes,
            everyone.trusted_end,
            name,
        )
        if credential is None and not invite:
            account = state.apply_created(state.next_number, fields)
            self.journal.append(records.encode_created(*fields), 1)
            return account
        registered = Registered(*fields, invite, credential)
        account = apply_registered(state, state.next_number, registered)
        self.journal.append(admitting_records.encode_registered(registered), 1)
        return account

    def set_credential(self, account: Account, credential: Credential | None, at_ms: int) -> None:
        """From now on this is the account's password; None: it has none."""
        state = self.state
        fields = CredentialSet(at_ms, account.number, credential)
        apply_credential_set(state, state.next_number, fields)
        self.journal.append(admitting_records.encode_credential_set(*fields), 1)

    def can_invite(self, count: int, at_ms: int) -> bool:
        """Whether there is room for so many more invites."""
        good = self.state.registry.count_invites(at_ms)
        return 0 < count <= INVITES_AT_ONCE_MAX and good + count <= INVITES_MAX

    def make_invites(self, hashes: Sequence[bytes], until_ms: int, at_ms: int) -> None:
        """Each of these (SHA-256 of an invite) is good for one account until then."""
        assert self.can_invite(len(hashes), at_ms)
        state = self.state
        fields = Invited(at_ms, until_ms, tuple(hashes))
        apply_admitting(state, state.next_number, fields)
        self.journal.append(admitting_records.encode_invites(*fields), 1)

    def revoke_invites(self, hashes: Sequence[bytes], at_ms: int) -> None:
        """These, which are good now, are good no more: the record says until now."""
        assert 0 < len(hashes) <= INVITES_AT_ONCE_MAX
        state = self.state
        assert all(state.registry.is_invited(each, at_ms) for each in hashes)
        fields = Invited(at_ms, at_ms, tuple(hashes))
        apply_admitting(state, state.next_number, fields)
        self.journal.append(admitting_records.encode_invites(*fields), 1)

    def need_secret(self, at_ms: int) -> None:
        """See to it that `state.registry.secret` is there; it is made once for a store."""
        state = self.state
        if not state.registry.secret:
            fields = SecretMade(at_ms, self.core.entropy(SECRET_BYTES))
            apply_admitting(state, state.next_number, fields)
            self.journal.append(admitting_records.encode_secret(*fields), 1)

    def block(self, account: Account, blocked: Sequence[int], at_ms: int) -> None:
        """From now on the account takes no messages of these accounts, and of all others."""
        assert len(blocked) <= BLOCKED_MAX
        assert len(set(blocked)) == len(blocked)
        state = self.state
        fields = Blocked(at_ms, account.number, tuple(blocked))
        state.apply_blocked(state.next_number, fields)
        self.journal.append(encode_blocked(*fields), 1)

    def touch(self, account: Account, at_ms: int) -> None:
        """The account's owner was seen."""
        state = self.state
        state.apply_touched(state.next_number, Touched(at_ms, account.number))
        self.journal.append(records.encode_touched(at_ms, account.number), 1)

    def check_window(self, account: Account, installation: bytes, counter: int) -> WindowVerdict:
        """Whether a message of this id was accepted before. Reads only."""
        now_ms = max(self.core.clock.wall_ms(), self.state.last_received_at_ms)
        return window.check(account.windows, installation, counter, now_ms)

    def accept(  # once per message: keywords cost
        self,
        sender: Account,
        message_id: bytes,
        recipients: Sequence[Account],
        body: bytes,
        at_ms: int,
    ) -> Entry:
        """A message for one or several, each once; its window verdict was NEW."""
        state = self.state
        if at_ms < state.last_received_at_ms:  # noqa: PLR1730  # max() is a call, once per message
            at_ms = state.last_received_at_ms
        count = len(recipients)
        if count == 1:
            numbers = recipients[0].number_bytes
        else:
            assert 0 < count <= RECIPIENTS_MAX
            numbers = b"".join([account.number_bytes for account in recipients])
        assert len(message_id) == 16
        assert len(body) <= BODY_BYTES_MAX
        record = records.encode_message(
            at_ms, sender.number, sender.name_bytes, message_id, numbers, body
        )
        fields = Accepted(at_ms, sender.number, message_id, sender.name, count, (), body)
        entry = state.apply_message(state.next_number, fields, sender, recipients)
        self.keeper.promised_bytes += (len(body) + ENTRY_BYTES) * count
        self.journal.append(record, 1)
        return entry

    def accept_run(self, sender: Account, sent: Window, run: Sequence[Sent], at_ms: int) -> int:
        """`accept` for several messages in a row, to one recipient each; gives when.

        `sent` is the sender's window of their installation, and their counters follow its highest
        one by one: that makes each NEW.
        """
        state = self.state
        at_ms = max(at_ms, state.last_received_at_ms)
        encoded = records.encode_messages(at_ms, sender.number, sender.name_bytes, run)
        state.apply_messages(state.next_number, at_ms, sender, sent, run)
        self.keeper.promised_bytes += sum([len(body) for _, _, body in run])
        self.keeper.promised_bytes += ENTRY_BYTES * len(run)
        self.journal.append_run(encoded)
        return at_ms

    def accept_for_everyone(
        self, sender: Account, message_id: bytes, body: bytes, at_ms: int
    ) -> Entry:
        """A message for every account there is now, except the sender's and closing ones."""
        state = self.state
        at_ms = max(at_ms, state.last_received_at_ms)
        count = len(state.by_number) - state.closing_count - 1
        assert len(message_id) == 16
        assert len(body) <= BODY_BYTES_MAX
        assert not sender.closing
        record = records.encode_for_everyone(
            at_ms=at_ms,
            sender=sender.number,
            name=sender.name_bytes,
            message_id=message_id,
            audience_count=count,
            body=body,
        )
        fields = Accepted(at_ms, sender.number, message_id, sender.name, count, (), body)
        entry = state.apply_for_everyone(state.next_number, fields, sender)
        self.keeper.promised_bytes += len(body) + ENTRY_BYTES
        self.journal.append(record, 1)
        return entry

    def settle(
        self, account: Account, entries: Sequence[Entry], at_ms: int, *, discarded: bool = False
    ) -> list[Account]:
        """`settle_rows`, for entries that a reader gave as objects."""
        settlements = [
            (
                entry.pred,
                entry.number,
                int(entry.kind),
                1 if entry.audience == EVERYONE_AUDIENCE else 0,
                len(entry.body),
                entry.sender,
                entry.message_id,
            )
            for entry in entries
        ]
        return self.settle_rows(account, settlements, at_ms, discarded=discarded)

    def settle_rows(
        self,
        account: Account,
        settlements: Sequence[SettledEntry],
        at_ms: int,
        *,
        discarded: bool = False,
    ) -> list[Account]:
        """Take entries that a reader gave out of the queue; says whose queues got outcomes of it,
        each once.
        """
        if not settlements:
            return []
        state = self.state
        at_ms = max(at_ms, state.last_received_at_ms)
        settled = account.settled
        assert min(settlements)[0] >= settled.ends[-1] or not any(
            settled.covers(number) for _, number, *_ in settlements
        )
        record = records.encode_settled(
            at_ms, account.number, account.name_bytes, discarded, settlements
        )
        told = state.apply_settlements(
            state.next_number, at_ms, account.number, account.name, settlements, discarded, account
        )
        self.journal.append(record, len(settlements))
        return told

    def begin_deletion(self, account: Account, at_ms: int) -> None:
        """From now on the account takes no more mail; this survives a restart."""
        assert not account.closing
        state = self.state
        everyone = state.everyone
        fields = Begun(at_ms, account.number, everyone.total, everyone.total_bytes)
        state.apply_begun(state.next_number, fields)
        self.journal.append(records.encode_begun(*fields), 1)

    def delete_account(self, account: Account, at_ms: int, reserve_until_ms: int = 0) -> None:
        """The account goes; no message waits in its queue. Waiting outcomes go with it. Its name
        stays reserved until then, or is free when that is 0.
        """
        state = self.state
        assert account.messages_waiting(state) == 0
        if reserve_until_ms:
            retired = Retired(at_ms, account.number, reserve_until_ms, account.name)
            state.apply_deleted(state.next_number, retired)
            self.journal.append(admitting_records.encode_retired(*retired), 1)
            return
        state.apply_deleted(state.next_number, Touched(at_ms, account.number))
        self.journal.append(records.encode_deleted(at_ms, account.number), 1)

    def begin_session(self, account: Account, at_ms: int) -> None:
        """The account's owner has logged in: from now on a client may be handed what waits."""
        state = self.state
        state.apply_session_begun(state.next_number, Touched(at_ms, account.number))
        self.journal.append(records.encode_session_begun(at_ms, account.number), 1)

    def end_session(self, account: Account, handed: Sequence[int], at_ms: int) -> None:
        """The owner has gone. `handed` are the numbers that a client has and did not confirm."""
        state = self.state
        first, last = (min(handed), max(handed)) if handed else (0, 0)
        fields = Ended(at_ms, account.number, first, last)
        state.apply_session_ended(state.next_number, fields)
        self.journal.append(records.encode_session_ended(*fields), 1)

    # --- taking back ---

    def search(self, account: Account, sender: Account, message_id: bytes) -> CopySearch:
        """Looks for the sender's message in an account's own queue."""
        return CopySearch(self.core, account.queue, sender.number, message_id)

    def search_everyone(self, sender: Account, message_id: bytes) -> CopySearch:
        """Looks for the sender's message to everyone."""
        return CopySearch(self.core, self.state.everyone.queue, sender.number, message_id)

    def can_recall(self, account: Account, number: int) -> bool:
        """Whether one more gap in this queue is no harm to its reader."""
        settled = account.settled
        return len(settled) < RECALL_RANGES_MAX or settled.touches(number - 1)

    def recall(
        self, sender: Account, message_id: bytes, copies: Sequence[Copy], at_ms: int
    ) -> None:
        """Take these copies, which wait, out of their queues; each leaves the sender an outcome."""
        assert copies
        state = self.state
        at_ms = max(at_ms, state.last_received_at_ms)
        fields = Recalled(at_ms, sender.number, message_id, tuple(copies))
        state.apply_recalled(state.next_number, fields, sender)
        self.journal.append(records.encode_recalled(*fields), len(copies))

    def can_recall_from_all(self, kept_count: int) -> bool:
        """Whether one more recall of a message to everyone may be kept in mind."""
        recalled = self.state.everyone.recalled
        total = kept_count + sum(len(each.kept) for each in recalled.values())
        return len(recalled) < RECALLED_FROM_ALL_MAX and total <= RECALLED_KEPT_MAX

    def recall_from_all(self, entry: Entry, kept: Sequence[int], at_ms: int) -> None:
        """Take a message to everyone out of all queues but those of the accounts `kept`."""
        state = self.state
        at_ms = max(at_ms, state.last_received_at_ms)
        fields = RecalledFromAll(
            at_ms, entry.sender, entry.message_id, entry.number, len(entry.body), tuple(kept)
        )
        state.apply_recalled_from_all(state.next_number, fields)
        self.journal.append(records.encode_recalled_from_all(*fields), 1)

    # --- reading ---

    def reader(self, account: Account, after: int, until: int | None) -> QueueReader:
        """Reads the unsettled entries with after < number <= until, in order."""
        return QueueReader(self.core, account, after, until)

    def oldest_waiting_at_ms(self, account: Account) -> int | None:
        """When the oldest waiting message came; None when none waits, or one small read does not
        show it. Raises StoreDamaged.
        """
        if account.messages_waiting(self.state) == 0:
            return None
        known = account.oldest_number
        if known and not account.settled.covers(known):
            recalled = self.state.everyone.recalled.get(known)
            if recalled is None or not account.lost(recalled):
                return account.oldest_at_ms
        reader = self.reader(account, account.settled.floor, None)
        for entry in reader.read(OLDEST_ENTRIES_MAX, OLDEST_BYTES_MAX):
            if entry.kind is EntryKind.MESSAGE:
                account.oldest_number = entry.number
                account.oldest_at_ms = entry.received_at_ms
                return entry.received_at_ms
        return None

    # --- durability ---

    def commit(self) -> None:
        """Make the open batch durable. Raises StoreFailure, and then the process must end."""
        if not self.journal.batch_is_empty:
            self.journal.commit()
            self.core.last_commit_us = self.core.clock.monotonic_us()

    def work(self, budget_ms: int) -> bool:
        """Slices of checkpoint, compaction or space check, at least one, while there seems to be
        time for another; True while more is waiting. The fuller journal and memory are, the more
        time there is. Commits first what is open. Raises StoreFailure, StoreDamaged.
        """
        self.commit()
        clock = self.core.clock
        begun_us = clock.monotonic_us()
        end_us = begun_us + (budget_ms + self.keeper.pressed_ms()) * 1000
        try:
            while self.keeper.slice():
                now_us = clock.monotonic_us()
                if now_us + (now_us - begun_us) >= end_us:  # the next may take as long as this one
                    return True
                begun_us = now_us
        except DiskError as error:
            raise StoreFailure(f"the disk failed: {error}") from error
        return False

    def checkpoint_now(self) -> None:
        """A whole checkpoint (clean shutdown, tests); none when the disk is full."""
        self.commit()
        try:
            self.keeper.run_checkpoint()
        except DiskError as error:
            raise StoreFailure(f"the disk failed: {error}") from error

    def status(self) -> StoreStatus:
        """For the panel."""
        samples = sorted(self.journal.sync_us)
        keeper = self.keeper
        return StoreStatus(
            commits=self.journal.commits,
            last_sync_us=self.journal.sync_us[-1] if samples else 0,
            p99_sync_us=samples[len(samples) * 99 // 100] if samples else 0,
            journal_bytes=self.journal.bytes_used,
            tail_entries=self.state.tail_entries,
            free_bytes=keeper.free_bytes,
            reserve_intact=self.core.reserve_intact,
            checkpoint_running=keeper.checkpoint is not None,
            checkpoints=keeper.checkpoints,
            compactions=keeper.compactions,
            admission=keeper.admission(),
        )

    def close(self) -> None:
        """Commit, checkpoint, seal what stayed in the journal, let go of the folder. Raises
        StoreFailure.
        """
        self.checkpoint_now()
        try:
            self.keeper.close()
            self.journal.seal()
            self.journal.close()
        except DiskError as error:
            raise StoreFailure(f"the disk failed: {error}") from error
        self.core.disk.unlock()
