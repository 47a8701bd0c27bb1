"""A checkpoint: tails go to the mailbox files, accounts to the accounts log, then the journal's old
segments are free.

The order is the promise: rotate the journal; write and sync the mailboxes (some at a time: what was
written of them changes nothing before its sync), then the folders with new ones; append the
accounts' states and sync; replace MANIFEST; and only then release segments and remove the mailboxes
of deleted accounts. Until MANIFEST is replaced nothing that was written counts.

Accounts are saved at different moments (see `store.state` for why that is right). `step` is one
slice: a bounded write with its sync. DiskFull leaves everything as it was before the step: it may
be tried again, or the whole given up with `abandon`. Anything else that fails ends the process.
"""

from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from store import mailbox
from store.account import EVERYONE, Account
from store.account_codec import encode_account, encode_everyone, encode_tombstone
from store.accounts_log import AccountsLog, accounts_path
from store.compaction import may_be_worth_it
from store.core import Core
from store.disk import DiskFull, DiskMissing
from store.errors import StoreDamaged
from store.limits import (
    ACCOUNTS_PER_BLOCK_MAX,
    CHECKPOINT_GROUP_BYTES,
    CHECKPOINT_GROUP_ENTRIES,
    CHECKPOINT_LOOKS_PER_SLICE,
    CHECKPOINT_SLICE_BYTES,
    CHECKPOINT_SLICE_ENTRIES,
    CHECKPOINT_SLICE_FILES,
    HOLE_BYTES_MAX,
    PAGE_BYTES,
)
from store.mailbox import join_blocks, mailbox_folder, mailbox_path
from store.mailbox_end import open_end
from store.queue import Queue
from store.registry import encode_registry


class Piece(NamedTuple):
    """What was written of a tail."""

    queue: Queue
    base: int  # of the file, and where in it the piece stands: logical offsets
    offset: int
    size: int  # bytes
    entries: int
    is_last: bool  # nothing of the tail is left


class Checkpoint:
    """One checkpoint, begun by making it. Raises DiskFull before anything has changed."""

    def __init__(self, core: Core) -> None:
        assert core.journal.batch_is_empty
        self.core = core
        state = core.state
        self.replay_lsn = core.journal.rotate()
        self.replay_crc = core.journal.prev_crc
        self.next_number = state.next_number
        self.last_received_at_ms = state.last_received_at_ms
        self.whole = self.log_is_mostly_garbage()
        self.log = core.accounts_log
        if self.whole:
            number = core.accounts_log.number + 1
            self.log = AccountsLog.create(core.disk, core.store_id, number)
        self.changed = state.dirty  # held, so that none of them rests with its changes unsaved
        if self.whole:
            self.changed[EVERYONE] = state.everyone
        # Everyone's queue first: others point into its file.
        self.numbers = [EVERYONE] if EVERYONE in self.changed else []
        self.numbers += [number for number in self.changed if number != EVERYONE]
        self.all_numbers = tuple(state.by_number) if self.whole else ()
        self.listed = frozenset(self.numbers) if self.whole else frozenset()
        self.compactable: list[int] = []  # of `numbers`: whose mailboxes are worth a look
        self.tombstones = list(state.deleted)
        state.dirty = {}
        state.accounts.cool()
        state.deleted = {}
        self.done = 0  # of `numbers`
        self.copied = 0  # of `all_numbers`
        self.rubbish = [path for path in core.leftovers if path != self.log.path]
        self.rubbish += [mailbox_path(number) for number in self.tombstones]
        core.leftovers = []
        self.tried_to_prepare = False
        self.is_published = False
        self.states: list[bytes] = [encode_tombstone(number) for number in self.tombstones]
        # Now, as the replay goes on from here: so what it says needs no stamp.
        self.with_registry = self.whole or state.registry.is_dirty
        self.registry = encode_registry(state.registry) if self.with_registry else b""
        state.registry.is_dirty = False
        self.states_bytes = sum(map(len, self.states))
        self.everyone_end = state.everyone.trusted_end

    def log_is_mostly_garbage(self) -> bool:
        """Whether to begin a new accounts log."""
        length = self.core.accounts_log.length - PAGE_BYTES
        if length < self.core.settings.accounts_garbage_bytes_min:
            return False
        return length > 2 * self.core.state.accounts.saved_bytes

    # --- one slice ---

    def step(self) -> bool:
        """A slice of work: some mailboxes, one folder, one block of the log, one file; True when
        the checkpoint is complete. Raises DiskFull.
        """
        if self.is_published:
            return self.remove_rubbish()
        if self.registry:
            self.log.append([self.registry])
            self.registry = b""
        elif self.block_is_full():
            self.append_block()
        elif self.done < len(self.numbers):
            self.save_some()
        elif self.copied < len(self.all_numbers):
            self.copy_some()
        elif self.states:
            self.append_block()
        elif self.core.unsynced_folders:
            self.sync_folder()
        elif self.core.journal.prepared is None and not self.tried_to_prepare:
            self.prepare_next()
        else:
            self.publish()
        return False

    def prepare_next(self) -> None:
        """A slice of making the journal's next segment, if there is room for it.

        If there is not, this checkpoint is what makes room: the segments that it lets go will do.
        """
        try:
            self.core.journal.step_ready()
        except DiskFull:
            self.tried_to_prepare = True

    def append_block(self) -> None:
        """What waits goes into the accounts log."""
        self.log.append(self.states)
        self.states = []
        self.states_bytes = 0

    def block_is_full(self) -> bool:
        """Whether as many states wait as one block should hold."""
        return (
            len(self.states) >= ACCOUNTS_PER_BLOCK_MAX or self.states_bytes > CHECKPOINT_SLICE_BYTES
        )

    def save_some(self) -> None:
        """Accounts, up to the first mailboxes that have to be written, or a block full of them."""
        files_max = self.core.together.files_max()
        while self.done < len(self.numbers) and not self.block_is_full():
            if self.save_group(files_max):
                return

    def save_group(self, files_max: int) -> bool:
        """The next few accounts: what they have is written, then synced, and only then is it taken
        for saved; False if there was nothing to write.
        """
        core = self.core
        handles: list[int] = []
        pieces: list[Piece | None] = []
        size = entries = 0
        room = ACCOUNTS_PER_BLOCK_MAX - len(self.states)
        end = self.done + min(CHECKPOINT_SLICE_FILES, room)
        try:
            for number in self.numbers[self.done : end]:
                piece = self.write_tail(number, handles)
                pieces.append(piece)
                if piece is None:
                    continue
                size += piece.size
                entries += piece.entries
                is_much = size > CHECKPOINT_GROUP_BYTES or entries > CHECKPOINT_GROUP_ENTRIES
                if not piece.is_last or is_much or len(handles) >= files_max:
                    break
            if handles:
                core.together.sync(handles)
        finally:
            for handle in handles:
                core.disk.close(handle)
        for piece in pieces:
            if piece is None or self.count_in(piece):
                self.save(self.numbers[self.done])
        return bool(handles)

    def count_in(self, piece: Piece) -> bool:
        """A piece of a tail is in its file for certain; True if it was the last of that tail."""
        queue = piece.queue
        queue.has_file = True
        queue.base = piece.base
        queue.end_offset = piece.offset + piece.size
        if piece.entries:
            queue.forget_first(piece.entries)
            self.core.state.tail_entries -= piece.entries
        return piece.is_last

    def save(self, number: int) -> None:
        """The state of an account whose mailbox has everything goes into the next block."""
        state = self.core.state
        account = self.changed.pop(number)
        self.done += 1
        if not isinstance(account, Account):
            self.everyone_end = account.queue.end_offset
            self.add_state(encode_everyone(account))
        elif number not in state.by_number:  # deleted since the checkpoint began
            self.add_state(encode_tombstone(number))
        else:
            queue = account.queue
            if account.own_messages == 0 and account.own_outcomes == 0:
                queue.hint = queue.end_offset
            encoded = encode_account(account)
            state.accounts.keep(account, encoded)
            self.add_state(encoded)
            if may_be_worth_it(queue):
                self.compactable.append(number)

    def copy_some(self) -> None:
        """Accounts that did not change go into a new log as they are, a block full of them at most:
        where most have changed, many are looked at for each that is copied.
        """
        encoded_of = self.core.state.accounts.encoded
        end = min(self.copied + CHECKPOINT_LOOKS_PER_SLICE, len(self.all_numbers))
        while self.copied < end and not self.block_is_full():
            number = self.all_numbers[self.copied]
            self.copied += 1
            if number not in self.listed:
                self.add_state(encoded_of(number) or encode_tombstone(number))

    def add_state(self, encoded: bytes) -> None:
        """One more state for the next block of the log."""
        self.states.append(encoded)
        self.states_bytes += len(encoded)

    def write_tail(self, number: int, handles: list[int]) -> Piece | None:
        """Write a piece of the tail of an account into its mailbox file, which stays open among
        `handles`; None when there is nothing to do.
        """
        core = self.core
        account = self.changed[number]
        queue = account.queue
        name, created_at_ms = "", 0
        if isinstance(account, Account):
            if number not in core.state.by_number:
                return None
            name, created_at_ms = account.name, account.created_at_ms
        if queue.has_file and not queue.tail:
            return None
        self.make_folder(number)
        header = mailbox.Header(core.store_id, number, 0, created_at_ms, name)
        if queue.has_file:
            handle, base, is_new, finding = open_end(core.disk, header, queue)
            core.tell_damage(number, finding)
        else:
            handle, base = mailbox.create(core.disk, mailbox_path(number), header), 0
            is_new = True
        handles.append(handle)
        if is_new:  # also if there is no room for the rest of it: the next attempt finds it there
            self.mark_unsynced(mailbox_folder(number))
        offset = max(queue.end_offset, base)
        place = PAGE_BYTES + offset - base
        if place > HOLE_BYTES_MAX and place > core.disk.size(handle) + HOLE_BYTES_MAX:
            raise StoreDamaged(mailbox_path(number), 0, f"it cannot go on at {offset}")
        numbers, piece = queue.first_piece(CHECKPOINT_SLICE_ENTRIES, CHECKPOINT_SLICE_BYTES)
        data = join_blocks(number, offset, numbers, piece)
        core.disk.write_at(handle, place, data)
        is_last = len(numbers) == len(queue.tail)
        return Piece(queue, base, offset, len(data), len(numbers), is_last)

    def make_folder(self, number: int) -> None:
        """The folder of a mailbox; its names were perhaps only seen in the cache until now."""
        folder = mailbox_folder(number)
        if folder not in self.core.synced_folders and folder not in self.core.unsynced_folders:
            self.core.disk.make_folder(folder)
            self.mark_unsynced("mailboxes")
            self.mark_unsynced(folder)

    def mark_unsynced(self, folder: str) -> None:
        """Names in this folder have to be durable before MANIFEST counts on them."""
        self.core.synced_folders.discard(folder)
        self.core.unsynced_folders[folder] = None

    def sync_folder(self) -> None:
        """One folder; whole checkpoints share the sync of what they put into it."""
        core = self.core
        folder = next(iter(core.unsynced_folders))
        core.disk.sync_folder(folder)
        core.synced_folders.add(folder)
        del core.unsynced_folders[folder]

    # --- the end ---

    def publish(self) -> None:
        """From here on the mailboxes and the log count, and the old segments do not."""
        core = self.core
        journal = core.journal
        core.publish(
            replace(
                core.manifest,
                next_number=self.next_number,
                last_received_at_ms=self.last_received_at_ms,
                replay_lsn=self.replay_lsn,
                replay_crc=self.replay_crc,
                accounts_file=self.log.number,
                accounts_bytes=self.log.length,
                accounts_blocks=self.log.blocks,
                segments=journal.live_from(self.replay_lsn),
            )
        )
        self.is_published = True
        core.state.everyone.trusted_end = self.everyone_end
        if self.whole:
            self.rubbish.append(core.accounts_log.path)
            core.accounts_log = self.log
        journal.release(self.replay_lsn)

    def remove_rubbish(self) -> bool:
        """One file that does not count any more; True when there are no more."""
        if self.rubbish:
            path = self.rubbish[-1]
            with suppress(DiskMissing):
                self.core.disk.remove(path)
                self.core.disk.sync_folder(path.rpartition("/")[0])  # or it may come back, unowned
            self.rubbish.pop()
            return False
        return not self.core.journal.drop_spare()

    def abandon(self) -> None:
        """Give up; all that was to be saved is still to be saved."""
        state = self.core.state
        for number in self.tombstones:
            state.deleted[number] = None
        if self.is_published:
            return
        if self.with_registry:
            state.registry.is_dirty = True
        for number in self.numbers:
            if number == EVERYONE:
                state.dirty[number] = state.everyone
            elif (account := state.by_number.get(number)) is not None:
                state.dirty[number] = account
        if self.whole:
            self.core.disk.remove(accounts_path(self.log.number))
