"""Backups of a store that goes on working at every call that the backup makes."""

from collections.abc import Callable
from random import Random

import pytest

from store.account import Account
from store.account_codec import encode_account
from store.accounts_log import AccountsLog
from store.backup import Backup, backup
from store.dump import dump
from store.entry import Entry
from store.errors import StoreBusy, StoreDamaged, StoreForbidden, StoreNoRoom
from store.fsck import fsck
from store.journal_segment import FIRST_BATCH
from store.mailbox import mailbox_path
from store.manifest import MANIFEST
from store.records import Copy
from store.repair import repair
from store.store import Store
from tests.examples import some
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change_block
from tests.store.support import (
    ACCOUNTS,
    BOX,
    TINY,
    crashed_store,
    journal_in_use,
    message_id,
    new_disk,
    open_store,
    picture,
    read_all,
    waiting,
)
from tests.store.workload import pass_time

EVERYONE_BOX = mailbox_path(0)
NAMES = ("ann", "bob", "cat", "dan")


class Office:
    """A store at work; `pictures` is what it looked like after each durable batch."""

    def __init__(self, disk: SimDisk, seed: int, *, share: float) -> None:
        self.store = open_store(disk, TINY)
        self.rng = Random(seed)
        self.share = share  # of the calls at which something goes on
        self.counter = 0
        self.sent: list[tuple[Account, Entry, list[Account]]] = []  # nobody named: to everyone
        self.pictures: dict[int, object] = {}
        for name in NAMES:
            self.store.create_account(name, 1)
        self.commit()

    def commit(self) -> None:
        self.store.commit()
        self.pictures[self.store.durable_lsn] = picture(self.store)

    def turn(self) -> None:
        """Something of what goes on in a server."""
        if self.rng.random() >= self.share:
            return
        store, rng = self.store, self.rng
        people = [store.state.by_name[name] for name in store.state.names]
        what = rng.randrange(12)
        self.counter += 1
        if what < 4:
            sender, *others = rng.sample(people, len(people))
            body = self.counter.to_bytes(4, "big") * rng.choice([1, 2000, 3500])
            entry = store.accept(sender, message_id(self.counter), others[:2], body, self.counter)
            self.sent.append((sender, entry, others[:2]))
        elif what == 4:
            entry = store.accept_for_everyone(
                people[0], message_id(self.counter), b"all", self.counter
            )
            self.sent.append((people[0], entry, []))
        elif what < 8:
            person = rng.choice(people)
            store.settle(person, read_all(store, person.name, rng.choice([3, 100])), self.counter)
        elif what == 8:
            person = people[-1]
            store.settle(person, read_all(store, person.name), self.counter, discarded=True)
            store.begin_deletion(person, self.counter)
            store.delete_account(person, self.counter)
            store.create_account(person.name, self.counter)
        elif what == 9:
            person = rng.choice(people)
            store.begin_session(person, self.counter)
            store.end_session(person, [person.settled.floor], self.counter)
        elif self.sent:
            self.recall(*self.sent.pop(rng.randrange(len(self.sent))))
        self.commit()
        if rng.random() < 0.3:
            pass_time(store)
            while store.work(1) and rng.random() < 0.9:
                pass

    def recall(self, sender: Account, entry: Entry, recipients: list[Account]) -> None:
        """Take it back wherever it still waits."""
        store = self.store
        by_number = store.state.by_number
        if sender.number not in by_number:
            return
        if not recipients:
            if entry.number not in store.state.everyone.recalled:
                store.recall_from_all(entry, (), self.counter)
            return
        copies = [
            Copy(each.number, entry.number, len(entry.body), each.name)
            for each in recipients
            if each.number in by_number and not each.settled.covers(entry.number)
        ]
        if copies:
            store.recall(sender, entry.message_id, copies, self.counter)


class WatchedDisk(SimDisk):
    """The disk as a backup sees it: before each of its calls the office goes on."""

    def __init__(self, below: SimDisk, office: Office) -> None:
        super().__init__(Random(1))
        self.below = below
        self.office = office

    def list(self, path: str) -> tuple[str, ...]:
        self.office.turn()
        return self.below.list(path)

    def open(self, path: str, *, writable: bool) -> int:
        assert not writable
        self.office.turn()
        return self.below.open(path, writable=False)

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        self.office.turn()
        return self.below.read_at(handle, offset, size)

    def size(self, handle: int) -> int:
        return self.below.size(handle)

    def close(self, handle: int) -> None:
        self.below.close(handle)


def restored(target: SimDisk) -> Store:
    assert [each for each in fsck(target) if not each.harmless] == []
    return open_store(target, TINY)


compactions: list[int] = []


@pytest.mark.parametrize("seed", some(range(20)))
def test_a_backup_is_the_store_after_some_batch_since_it_began(seed: int) -> None:
    disk = new_disk(seed)
    office = Office(disk, seed, share=1.0)
    for _ in range(60):
        office.turn()
    office.share = [0.02, 0.06, 0.15][seed % 3]
    began = office.store.durable_lsn
    source, target = WatchedDisk(disk, office), new_disk()
    try:
        copied = backup(source, target, Random(seed + 999).randbytes)
    except StoreBusy:
        assert office.share > 0.05
        return
    store = restored(target)
    assert store.store_id == copied.store_id != office.store.store_id
    assert copied.last_lsn >= began
    compactions.append(office.store.status().compactions)
    assert picture(store) == office.pictures[copied.last_lsn]
    store.checkpoint_now()
    store.close()
    assert picture(restored(target)) == office.pictures[copied.last_lsn]


def test_there_were_compactions() -> None:
    assert sum(compactions) > 0


def test_a_stopped_store_is_copied_whole() -> None:
    disk = crashed_store()
    target = new_disk()
    copied = backup(disk, target, Random(1).randbytes)
    assert copied.rounds == 1
    assert copied.mailboxes == 3
    lines = [line for line in dump(disk) if not line.startswith("manifest")]
    assert [line for line in dump(target) if not line.startswith("manifest")] == lines
    assert picture(restored(target)) == picture(open_store(disk, TINY))


def test_the_copy_is_of_the_store_and_not_of_its_leftovers() -> None:
    disk = crashed_store()
    target = new_disk()
    backup(disk, target, Random(1).randbytes)
    assert "reserve" not in target.files()
    assert len(target.files()) == 3 + 2 + 2  # mailboxes, segments, accounts log and MANIFEST


def test_only_into_an_empty_folder() -> None:
    disk, target = crashed_store(), new_disk()
    target.close(target.create("notes.txt"))
    with pytest.raises(StoreForbidden, match="must be empty"):
        backup(disk, target, Random(1).randbytes)


def test_without_room_there_is_no_backup() -> None:
    disk, target = crashed_store(), new_disk()
    target.quota_bytes = 10_000
    with pytest.raises(StoreNoRoom, match="no room for the backup"):
        backup(disk, target, Random(1).randbytes)
    assert MANIFEST not in target.files()
    target.quota_bytes = 1 << 40
    with pytest.raises(StoreDamaged):
        open_store(target, TINY)


@pytest.mark.parametrize("path", [BOX, ACCOUNTS, MANIFEST])
def test_damage_in_the_source_is_no_backup(path: str) -> None:
    disk = crashed_store()
    disk.damage(path, 4096 + 60 if path != MANIFEST else 30, 1)
    with pytest.raises(StoreDamaged):
        backup(disk, new_disk(), Random(1).randbytes)


def test_damage_in_the_journal_is_no_backup() -> None:
    for batch in range(2):
        disk = crashed_store()
        disk.damage(journal_in_use(disk), FIRST_BATCH + 4096 * batch + 70, 1)
        with pytest.raises(StoreDamaged, match="later one stands behind"):
            backup(disk, new_disk(), Random(1).randbytes)
    disk = crashed_store()
    disk.damage(journal_in_use(disk), 30, 1)
    with pytest.raises(StoreDamaged):
        backup(disk, new_disk(), Random(1).randbytes)


class Interrupted(WatchedDisk):
    """Something happens once: when this file is opened, or read for the n-th time."""

    def __init__(self, below: SimDisk, office: Office, path: str, reads: int = 0) -> None:
        super().__init__(below, office)
        office.share = 0.0
        self.path, self.reads = path, reads
        self.handle = -1
        self.action: Callable[[], None] | None = None

    def happen(self) -> None:
        if self.action is not None:
            self.reads -= 1
            if self.reads < 0:
                action, self.action = self.action, None
                action()

    def open(self, path: str, *, writable: bool) -> int:
        if path == self.path and not self.reads:
            self.happen()
        handle = super().open(path, writable=writable)
        if path == self.path:
            self.handle = handle
        return handle

    def read_at(self, handle: int, offset: int, size: int) -> bytes:
        if handle == self.handle:
            self.happen()
        return super().read_at(handle, offset, size)


def test_what_compaction_takes_off_meanwhile_is_settled_in_the_copy() -> None:
    """So the journal is copied after the mailboxes."""
    disk = new_disk()
    office = Office(disk, 1, share=0.0)
    store = office.store
    ann = store.state.by_name["ann"]
    for number in range(12):
        store.accept_for_everyone(ann, message_id(number), bytes(10_000), 1)
        office.commit()
    store.checkpoint_now()
    source = Interrupted(disk, office, EVERYONE_BOX)

    def everybody_reads() -> None:
        for name in NAMES:
            store.settle(store.state.by_name[name], read_all(store, name), 2)
        office.commit()
        while store.keeper.compactions == 0:
            assert store.keeper.slice()
        assert store.keeper.checkpoint is None

    source.action = everybody_reads
    target = new_disk()
    copied = backup(source, target, Random(999).randbytes)
    assert store.keeper.compactions == 1
    assert picture(restored(target)) == office.pictures[copied.last_lsn]


@pytest.mark.parametrize("reads", range(1, 5))
def test_a_segment_that_is_used_again_meanwhile_is_noticed(reads: int) -> None:
    disk = new_disk()
    office = Office(disk, 1, share=0.0)
    store = office.store
    for number in range(3):
        store.accept(
            store.state.by_name["ann"], message_id(number), [store.state.by_name["bob"]], b"x", 1
        )
        office.commit()
    source = Interrupted(disk, office, journal_in_use(disk), reads)

    def time_passes() -> None:
        for number in range(3, 30):
            ann, bob = store.state.by_name["ann"], store.state.by_name["bob"]
            store.accept(ann, message_id(number), [bob], bytes(5000), 1)
            office.commit()
            if number % 4 == 0:
                store.checkpoint_now()

    source.action = time_passes
    target = new_disk()
    copied = backup(source, target, Random(999).randbytes)
    assert source.reads < 0, "it happened"
    assert copied.rounds > 1
    assert picture(restored(target)) == office.pictures[copied.last_lsn]


class Restless(Office):
    """MANIFEST is a new one all the time."""

    def turn(self) -> None:
        self.store.core.publish(self.store.core.manifest)


def test_a_server_that_never_rests_is_said_so() -> None:
    disk = new_disk()
    office = Restless(disk, 1, share=1.0)
    office.store.checkpoint_now()
    with pytest.raises(StoreBusy, match="try again"):
        backup(WatchedDisk(disk, office), new_disk(), Random(1).randbytes)


def test_messages_on_both_sides_of_a_rotation() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    ann = store.create_account("ann", 1)
    for number in range(20):
        store.accept(ann, message_id(number), [ann], bytes(6000), 1)
        store.commit()
    disk.kill()
    target = new_disk()
    backup(disk, target, Random(1).randbytes)
    assert len(waiting(restored(target), "ann")) == 20


def test_after_a_repair_there_may_be_no_journal_at_all() -> None:
    disk, target = crashed_store(), new_disk()
    disk.damage(MANIFEST, 30, 1)
    repair(disk)
    backup(disk, target, Random(7).randbytes)
    assert picture(restored(target)) == picture(open_store(disk, TINY))


def test_batches_and_segments_that_do_not_belong_are_damage() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    change_block(disk, path, 8, (99).to_bytes(8, "big"), start=FIRST_BATCH + 4096)
    with pytest.raises(StoreDamaged, match="batch 99 where"):
        backup(disk, new_disk(), Random(7).randbytes)
    disk = crashed_store()
    change_block(disk, path, 20, bytes(16), start=0)
    with pytest.raises(StoreDamaged, match="not the segment that MANIFEST names"):
        backup(disk, new_disk(), Random(7).randbytes)


def test_an_account_without_a_file_has_none_in_the_copy() -> None:
    work = Backup(new_disk(), new_disk(), bytes(16))
    log = AccountsLog(work.source, bytes(16), 1, 0, 0)
    work.want(log, encode_account(Account(1, "ann", 1)))
    assert work.wanted == {}
    with pytest.raises(StoreDamaged):
        work.want(log, b"rubbish")
