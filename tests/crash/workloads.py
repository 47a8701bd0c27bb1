"""Scripted days of a small store, each made to go through one part of the code in small steps.

A `Run` drives the real store and the plain model side by side, and keeps what may be there after a
power cut: `history` holds the model after every batch, `marks` say between which two of them the
disk may stand from which operation on.

Must never look at what the store keeps inside, except to ask where one batch ends and the next
begins.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Final

from store.entry import Entry
from store.errors import StoreFailure, StoreNoRoom
from store.journal_segment import BATCH, encode_batch
from store.limits import PAGE_BYTES
from store.records import MESSAGE_TLV, encode_created
from store.settings import Settings
from store.state import Account
from store.store import Store
from tests.crash.model import Model, Picture
from tests.crash.picture import picture
from tests.crash.trace_disk import EMPTY, TraceDisk

TINY: Final = Settings(
    journal_segment_bytes=20 * 1024,
    journal_bytes_max=1 << 20,
    batch_bytes_max=8 * 1024,
    checkpoint_journal_bytes=1 << 19,
    checkpoint_tail_entries=1000,
    checkpoint_idle_ms=1_000_000,
    tail_entries_max=2000,
    reserve_bytes=4096,
    free_bytes_min=4096,
    space_check_ms=100,
    accounts_garbage_bytes_min=1 << 20,
)


class Clock:
    """A clock that moves a little with every look."""

    def __init__(self) -> None:
        self.now_us = 1_000_000

    def monotonic_us(self) -> int:
        self.now_us += 10
        return self.now_us

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + self.now_us // 1000


class Entropy:
    """Bytes that differ from one start of the process to the next, and never from run to run."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return blake2b(f"{self.word} {self.count}".encode(), digest_size=size).digest()


class Run:
    """One workload on one disk."""

    def __init__(self, name: str, settings: Settings, disk: TraceDisk) -> None:
        self.name = name
        self.settings = settings
        self.disk = disk
        self.clock = Clock()
        self.model = Model()
        self.history: list[Model] = [self.model.copy()]
        self.places: dict[Picture, int] = {self.model.picture(): 0}
        self.marks: list[tuple[int, int, int]] = [(0, 0, 0)]
        self.uncommitted = False
        self.counter = 0
        self.starts = 0
        self.at_ms = 1000
        self.failed_at = -1  # the operation at which the process ended by itself
        self.store: Store  # after `open`

    # --- the process ---

    def open(self) -> None:
        self.starts += 1
        entropy = Entropy(f"{self.name} start {self.starts}")
        self.store = Store.open(self.disk, self.clock, entropy, self.settings)
        self.observe()

    def observe(self) -> None:
        """What a start shows is promised from then on."""
        seen = picture(self.store)
        place = self.places.get(seen)
        low, high = self.marks[-1][1:]
        assert place is not None, f"{self.name}: a restart shows something else"
        assert low <= place <= high, f"{self.name}: a restart lost something"
        self.model = self.history[place].copy()
        self.uncommitted = False
        self.mark(place, place)

    def restart(self) -> None:
        """kill -9, and a new process on the same page cache."""
        self.disk.kill()
        self.open()

    # --- what may be there ---

    def mark(self, low: int, high: int) -> None:
        self.marks.append((len(self.disk.ops), low, high))

    def allowed(self, step: int) -> tuple[int, int]:
        """The first and last place in `history` that may be there after so many operations."""
        return self.marks[bisect_right(self.marks, step, key=lambda mark: mark[0]) - 1][1:]

    def add_place(self, model: Model) -> None:
        seen = model.picture()
        assert seen not in self.places, "two moments look the same"
        self.places[seen] = len(self.history)
        self.history.append(model.copy())

    def change(self, in_store: Callable[[], object], in_model: Callable[[], object]) -> None:
        """One change in both; a batch that it closed is a place to stop at."""
        before, lsn = self.model.copy(), self.store.open_lsn
        in_store()
        if self.store.open_lsn != lsn and self.uncommitted:
            self.add_place(before)
        in_model()
        self.uncommitted = True

    def commit(self) -> None:
        if self.uncommitted:
            self.add_place(self.model)
            self.uncommitted = False
        last = len(self.history) - 1
        self.mark(self.marks[-1][1], last)
        self.store.commit()
        self.mark(last, last)

    # --- what people do ---

    def account(self, name: str) -> Account:
        return self.store.state.by_name[name]

    def now(self) -> int:
        self.at_ms += 7
        return self.at_ms

    def create(self, *names: str) -> None:
        for name in names:
            at = self.now()
            self.change(
                lambda n=name, t=at: self.store.create_account(n, t),  # type: ignore[misc]  # bound now
                lambda n=name, t=at: self.model.create(n, t),  # type: ignore[misc]  # bound now
            )

    def touch(self, name: str) -> None:
        at = self.now()
        self.change(
            lambda: self.store.touch(self.account(name), at), lambda: self.model.touch(name, at)
        )

    def send(self, sender: str, recipients: list[str] | None, body: bytes) -> None:
        self.counter += 1
        at, identity = self.now(), b"install1" + self.counter.to_bytes(8, "big")

        def in_store() -> None:
            if recipients is None:
                self.store.accept_for_everyone(self.account(sender), identity, body, at)
            else:
                people = [self.account(name) for name in recipients]
                self.store.accept(self.account(sender), identity, people, body, at)

        self.change(in_store, lambda: self.model.send(sender, recipients, identity, body, at))

    def settle(self, name: str, count: int, *, skip: int = 0, discarded: bool = False) -> None:
        reader = self.store.reader(self.account(name), 0, None)
        found: list[Entry] = []
        while not reader.exhausted and len(found) < count + skip:
            found += reader.read(count + skip - len(found), 1 << 30)
        found = found[skip:]
        if not found:
            return
        at = self.now()
        self.change(
            lambda: self.store.settle(self.account(name), found, at, discarded=discarded),
            lambda: self.model.settle(
                name, [entry.number for entry in found], at, discarded=discarded
            ),
        )

    def begin_deletion(self, name: str) -> None:
        at = self.now()
        self.change(
            lambda: self.store.begin_deletion(self.account(name), at),
            lambda: self.model.begin_deletion(name),
        )

    def delete(self, name: str) -> None:
        at = self.now()
        self.change(
            lambda: self.store.delete_account(self.account(name), at),
            lambda: self.model.delete(name),
        )

    # --- what the server does ---

    def checkpoint(self) -> None:
        self.commit()
        self.store.checkpoint_now()

    def pass_time(self) -> None:
        self.clock.now_us += 2_000_000_000

    def work(self) -> bool:
        self.commit()
        return self.store.work(0)

    def work_on(self) -> None:
        while self.work():
            pass


# --- the days -------------------------------------------------------------------------------------


def mail(run: Run) -> None:
    """One, several, everyone; receipts; rotation; a clean end."""
    run.create("alice", "bob", "carol")
    run.commit()
    run.send("alice", ["bob"], b"one")
    run.commit()
    run.send("bob", ["alice", "carol", "bob"], b"several, and to myself")
    run.send("carol", None, b"to everyone")
    run.commit()
    run.settle("bob", 2)
    run.commit()
    for size in (10, 5000, 7000, 20, 4500, 7500, 6000):
        run.send("alice", ["bob", "carol"], b"r" * size)
        run.settle("carol", 1)
        run.commit()
        run.send("carol", None, b"e" * (size // 2))
        run.settle("bob", 1, skip=1)
        run.commit()
    run.settle("alice", 3)
    run.touch("alice")
    run.commit()
    run.store.close()


def turns(run: Run) -> None:
    """More than a batch in one turn, so that a commit may be cut off between two batches."""
    run.create("alice", "bob")
    run.commit()
    for turn in range(3):
        for size in (3000, 6000, 7000, 100, 7900, 2000):
            run.send("alice", ["bob"] if size % 3 else None, b"%d" % turn * size)
        run.settle("bob", 2)
        run.commit()
    run.checkpoint()
    run.settle("bob", 100)
    run.commit()


def deletion(run: Run) -> None:
    """Accounts go, with and without force, and come back under the same name."""
    run.create("alice", "bob", "carol", "dave")
    run.send("alice", ["dave", "bob"], b"waits")
    run.send("dave", ["carol"], b"from dave")
    run.send("bob", None, b"for all")
    run.commit()
    run.checkpoint()
    run.begin_deletion("dave")
    run.commit()
    run.send("alice", None, b"dave does not get this")
    run.settle("dave", 100, discarded=True)
    run.commit()
    run.delete("dave")
    run.commit()
    run.create("dave")
    run.send("alice", ["dave"], b"to the new dave")
    run.commit()
    run.checkpoint()
    run.settle("carol", 100)
    run.begin_deletion("carol")
    run.delete("carol")
    run.commit()
    run.settle("alice", 100)
    run.commit()
    run.checkpoint()
    run.create("carol")
    run.commit()
    run.settle("dave", 100)
    run.delete("dave")
    run.commit()
    run.restart()
    run.checkpoint()
    run.work_on()


def slices(run: Run) -> None:
    """Checkpoints go on in slices while people go on."""
    run.create("alice", "bob", "carol")
    run.send("alice", ["bob"], b"x" * 3000)
    run.commit()
    for turn in range(14):
        if turn % 7 == 0:
            run.pass_time()
        run.work()
        run.send("bob", ["alice", "bob"], b"while it runs %d" % turn)
        if turn % 2 == 0:
            run.send("alice", None, b"while it runs, everyone")
            run.settle("alice", 1)
            run.settle("bob", 1)
        if turn == 2:
            run.create("erin")
        if turn == 8:
            run.settle("erin", 100, discarded=True)
            run.delete("erin")
        run.commit()
    run.checkpoint()


def compaction(run: Run) -> None:
    """A mailbox and everyone's lose their settled front; blocks that matter stay."""
    run.create("alice", "bob")
    run.commit()
    for number in range(20):
        run.send("alice", ["bob"] if number % 2 else None, b"%02d" % number * 3700)
        run.commit()
    run.checkpoint()
    run.settle("bob", 1000)
    run.settle("alice", 1000)
    run.commit()
    for number in range(4):
        run.send("alice", None if number % 2 else ["bob"], b"%02d" % number * 3500)
        run.settle("bob", 1000)
        run.commit()
    run.checkpoint()
    run.pass_time()
    run.work_on()
    for _ in range(2):
        run.send("alice", None, b"after compaction")
        run.send("alice", ["bob"], b"after compaction")
        run.commit()
        run.checkpoint()
        run.work_on()
    run.settle("bob", 1)
    run.commit()


def accounts(run: Run) -> None:
    """The accounts log grows, and is written anew."""
    run.create("alice", "bob", "carol")
    run.commit()
    for turn in range(5):
        run.touch("alice")
        run.send("alice", ["bob"], b"turn %d" % turn)
        if turn == 2:
            run.delete("carol")
        if turn == 3:
            run.create("carol")
        run.commit()
        run.checkpoint()
    run.settle("bob", 3)
    run.commit()
    run.checkpoint()


def full(run: Run) -> None:
    """The disk is full: the reserve goes, a checkpoint is given up, and it heals."""
    run.create("alice", "bob", "carol", "dave")
    run.send("alice", ["bob"], b"x" * 3000)
    run.commit()
    run.work_on()
    run.disk.quota_bytes = run.disk.used_bytes() + 9000
    run.send("carol", ["dave"], b"the only thing that dave is ever sent")
    for turn in range(4):
        run.send("alice", ["bob"], b"%d" % turn * 2500)
        run.settle("bob", 1, skip=1)
        run.pass_time()
        run.work_on()
    run.settle("bob", 100)
    run.pass_time()
    run.work_on()
    run.disk.quota_bytes = 1 << 40
    run.pass_time()
    run.work_on()
    run.send("bob", ["alice", "carol"], b"there is room again")
    run.pass_time()
    run.work_on()


def restarts(run: Run) -> None:
    """The process ends without the machine, at clean and unclean moments."""
    run.create("alice", "bob")
    run.commit()
    run.send("alice", ["bob"], b"before")
    run.commit()
    run.restart()
    run.send("bob", ["alice"], b"between")
    run.commit()
    run.send("bob", ["alice"], b"never committed")
    run.restart()
    run.counter += 1
    run.send("alice", None, b"y" * 6000)
    run.commit()
    run.store.close()
    run.open()
    run.settle("bob", 1)
    run.commit()
    run.restart()
    run.restart()
    run.settle("bob", 10)
    run.commit()


def forgery(run: Run) -> None:
    """Somebody sends bytes that look like batches, and guesses the nonce."""
    run.create("alice", "mallory")
    run.commit()
    first_page = PAGE_BYTES - BATCH.size - MESSAGE_TLV.size - len(b"mallory") - 8
    for segment in (1, 2, 2, 3):
        lsn, number = run.store.open_lsn, run.store.state.next_number
        forged, _ = encode_batch(
            lsn=lsn + 1,
            first_number=number + 1,
            records=[encode_created(1, 0, 0, 0, "eve")],
            prev_crc=0,
            segment=segment,
            nonce=0,
            wall_ms=0,
        )
        run.send("mallory", ["alice"], bytes(first_page) + forged)
        run.commit()
    run.settle("alice", 2)
    run.commit()
    run.restart()
    run.checkpoint()


DAYS: Final[dict[str, tuple[Callable[[Run], None], Settings]]] = {
    "mail": (mail, TINY),
    "turns": (turns, replace(TINY, journal_segment_bytes=16 * 1024 + 4096)),
    "deletion": (deletion, TINY),
    "slices": (slices, TINY),
    "compaction": (compaction, replace(TINY, journal_segment_bytes=64 * 1024)),
    "accounts": (accounts, replace(TINY, accounts_garbage_bytes_min=8192)),
    "full": (full, TINY),
    "restarts": (restarts, TINY),
    "forgery": (forgery, TINY),
}


def record(name: str, *, fail_sync_at: int = -1) -> Run:
    """Run a day. With `fail_sync_at` the sync at that operation fails, and a new process starts on
    what the page cache shows.
    """
    day, settings = DAYS[name]
    disk = TraceDisk(EMPTY)
    disk.fail_sync_at = fail_sync_at
    run = Run(name, settings, disk)
    try:
        run.open()
        day(run)
    except StoreFailure:
        if fail_sync_at < 0:
            raise
        run.failed_at = len(disk.ops)
        try:
            run.restart()
        except StoreNoRoom:  # it said so; somebody makes room
            disk.quota_bytes = 1 << 40
            run.restart()
    return run
