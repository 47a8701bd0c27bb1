"""A workload: the real store and the plain model, driven side by side on one recorded disk.

A `Run` keeps what may be there after a power cut: `history` holds the model after every batch,
`marks` say between which two of them the disk may stand from which operation on.

Must never look at what the store keeps inside, except to ask where one batch ends and the next
begins.
"""

from bisect import bisect_right
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from store.credential import Credential, encode_credential
from store.entry import Entry
from store.records import Copy
from store.search import CopySearch
from store.settings import Settings
from store.state import Account
from store.store import Store
from tests.crash.model import Model, Picture
from tests.crash.picture import picture
from tests.crash.trace_disk import TraceDisk

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
        at, identity = self.now(), identity_of(self.counter)

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

    def begin_session(self, name: str) -> None:
        at = self.now()
        self.change(
            lambda: self.store.begin_session(self.account(name), at),
            lambda: self.model.begin_session(name, at),
        )

    def end_session(self, name: str, *handed: int) -> None:
        at = self.now()
        self.change(
            lambda: self.store.end_session(self.account(name), handed, at),
            lambda: self.model.end_session(name, at),
        )

    def recall(self, sender: str, counter: int, *names: str) -> None:
        """The message that was sent as number `counter`, from these."""
        at, identity = self.now(), identity_of(counter)
        copies = [
            Copy(self.account(name).number, entry.number, len(entry.body), name)
            for name in names
            for entry in [self.find(self.account(name).queue.number, sender, identity)]
        ]
        self.change(
            lambda: self.store.recall(self.account(sender), identity, copies, at),
            lambda: self.model.recall(sender, identity, list(names), at),
        )

    def recall_from_all(self, sender: str, counter: int, *kept: str) -> None:
        """The message to everyone that was sent as number `counter`."""
        at, identity = self.now(), identity_of(counter)
        entry = self.find(0, sender, identity)
        numbers = sorted(self.account(name).number for name in kept)
        self.change(
            lambda: self.store.recall_from_all(entry, numbers, at),
            lambda: self.model.recall_from_all(identity, list(kept), at),
        )

    def find(self, owner: int, sender: str, identity: bytes) -> Entry:
        """A message in the queue of this number."""
        state = self.store.state
        queue = state.by_number[owner].queue if owner else state.everyone.queue
        search = CopySearch(self.store.core, queue, self.account(sender).number, identity)
        entry = search.step()
        while not search.done:
            entry = search.step()
        assert entry is not None
        return entry

    def begin_deletion(self, name: str) -> None:
        at = self.now()
        self.change(
            lambda: self.store.begin_deletion(self.account(name), at),
            lambda: self.model.begin_deletion(name),
        )

    def delete(self, name: str, reserve_until_ms: int = 0) -> None:
        at = self.now()
        self.change(
            lambda: self.store.delete_account(self.account(name), at, reserve_until_ms),
            lambda: self.model.delete(name, reserve_until_ms),
        )

    # --- who may be somebody ---

    def invite(self, *words: str) -> None:
        hashes = [hash_of(word) for word in words]
        at = self.now()
        self.change(
            lambda: self.store.make_invites(hashes, 1 << 50, at),
            lambda: self.model.invite(hashes, 1 << 50),
        )

    def register(self, name: str, password: str, word: str = "") -> None:
        credential = credential_of(password)
        invite = hash_of(word) if word else b""
        at = self.now()
        self.change(
            lambda: self.store.create_account(name, at, credential, invite),
            lambda: self.model.register(name, encode_credential(credential), invite, at),
        )

    def set_password(self, name: str, password: str | None) -> None:
        credential = None if password is None else credential_of(password)
        at = self.now()
        self.change(
            lambda: self.store.set_credential(self.account(name), credential, at),
            lambda: self.model.set_password(name, encode_credential(credential)),
        )

    def block(self, name: str, *others: str) -> None:
        numbers = tuple(self.account(other).number for other in others)
        at = self.now()
        self.change(
            lambda: self.store.block(self.account(name), numbers, at),
            lambda: self.model.block(name, numbers),
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


def hash_of(word: str) -> bytes:
    """What is kept of an invite."""
    return blake2b(word.encode(), digest_size=32).digest()


def credential_of(password: str) -> Credential:
    """A verifier; PBKDF2 would only cost time here."""
    return Credential(password.encode().ljust(16), 600_000, hash_of(password), hash_of("server"))


def identity_of(counter: int) -> bytes:
    """The id of the message of this number."""
    return b"install1" + counter.to_bytes(8, "big")
