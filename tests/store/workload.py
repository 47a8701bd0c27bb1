"""A scripted day of a small store, small enough to be cut off at every single disk operation."""

from collections.abc import Callable, Iterator
from hashlib import blake2b

from store.credential import Credential
from store.entry import Entry
from store.records import Copy
from store.state import Account
from store.store import Store
from tests.store.support import TickClock, message_id

BIG = b"x" * 15_000


def pass_time(store: Store) -> None:
    """A second goes by, so that a checkpoint and a look at the free space are due."""
    clock = store.core.clock
    assert isinstance(clock, TickClock)
    clock.now_us += 1_000_000


class Day:
    """Runs the script; `note` is told of commits, and of what may fill a batch."""

    def __init__(self, store: Store, note: Callable[[str], None]) -> None:
        self.store = store
        self.note = note
        self.counter = 0
        self.at_ms = 1000

    def commit(self) -> None:
        self.note("begin")
        self.store.commit()
        self.note("done")

    def now(self) -> int:
        self.at_ms += 7
        return self.at_ms

    def account(self, name: str) -> Account:
        return self.store.state.by_name[name]

    def send(self, sender: str, recipients: list[str], body: bytes) -> Entry:
        self.counter += 1
        people = [self.account(name) for name in recipients]
        identity = message_id(self.counter)
        entry = self.store.accept(self.account(sender), identity, people, body, self.now())
        self.note("change")
        return entry

    def send_everyone(self, sender: str, body: bytes) -> Entry:
        self.counter += 1
        identity = message_id(self.counter)
        entry = self.store.accept_for_everyone(self.account(sender), identity, body, self.now())
        self.note("change")
        return entry

    def drain(self, name: str, count: int, *, discarded: bool = False) -> None:
        reader = self.store.reader(self.account(name), 0, None)
        found: list[Entry] = []
        while not reader.exhausted and len(found) < count:
            found += reader.read(count - len(found), 1 << 30)
        self.store.settle(self.account(name), found, self.now(), discarded=discarded)

    def run(self) -> None:
        for part in (self.morning, self.noon, self.afternoon, self.evening):
            for _ in part():
                self.commit()

    def morning(self) -> Iterator[None]:
        """Accounts, first mail, a checkpoint in the middle."""
        for name in ("alice", "bob", "carol"):
            self.store.create_account(name, self.now())
        yield
        self.send("alice", ["bob"], b"one")
        yield
        self.send("bob", ["alice", "carol", "bob"], b"several, and to myself")
        self.send_everyone("carol", b"to everyone")
        yield
        self.drain("bob", 2)
        yield
        self.store.checkpoint_now()
        self.store.touch(self.account("alice"), self.now())
        self.drain("alice", 1)
        yield

    def noon(self) -> Iterator[None]:
        """More than a segment of it, so that the journal rotates by itself."""
        for _ in range(5):
            self.send("alice", ["bob"], BIG)
            self.send_everyone("bob", BIG)
            yield
        self.drain("bob", 3)
        self.store.create_account("dave", self.now())
        yield
        self.store.checkpoint_now()
        for _ in range(4):
            self.send("alice", ["bob"], BIG)
        self.send("carol", ["dave"], b"hello")
        yield
        yield from self.lunch()

    def lunch(self) -> Iterator[None]:
        """A checkpoint goes on while people go on."""
        self.send_everyone("carol", b"before lunch")
        yield
        pass_time(self.store)
        for turn in range(12):
            self.store.work(0)
            self.send("bob", ["alice", "bob"], b"while it runs %d" % turn)
            if turn % 2 == 0:
                self.send_everyone("alice", b"while it runs, everyone")
                self.drain("alice", 1)
                self.drain("bob", 1)
            if turn == 1:
                self.store.create_account("erin", self.now())
            if turn == 9:
                self.drain("erin", 100, discarded=True)
                self.store.delete_account(self.account("erin"), self.now())
            yield

    def afternoon(self) -> Iterator[None]:
        """Everything is fetched; mailboxes shrink; an account goes and comes back."""
        self.store.checkpoint_now()
        for name in ("alice", "bob", "carol"):
            self.drain(name, 1000)
        yield
        self.store.begin_deletion(self.account("dave"), self.now())
        yield
        self.send_everyone("alice", b"dave does not get this")
        self.drain("dave", 1000, discarded=True)
        yield
        self.store.delete_account(self.account("dave"), self.now())
        yield
        self.store.create_account("dave", self.now())
        self.send("alice", ["dave"], b"to the new dave")
        yield
        for name in ("alice", "bob", "carol"):
            self.drain(name, 1000)
        yield
        self.store.checkpoint_now()
        while self.store.work(1):
            pass

    def evening(self) -> Iterator[None]:
        """After compaction; then a tidy end."""
        self.send("bob", ["alice", "dave", "bob"], b"after compaction")
        yield
        self.store.checkpoint_now()
        self.send_everyone("dave", b"good night")
        self.drain("carol", 1)
        yield
        self.note("begin")
        self.store.close()
        self.note("done")


def every_record(day: Day) -> None:
    """Every kind of record, before a checkpoint and after it."""
    for _ in day.morning():
        day.commit()
    day.store.create_account("dave", day.now())
    everything_else(day, "before")
    day.store.checkpoint_now()
    everything_else(day, "after")
    day.send_everyone("bob", b"to everyone")
    day.send("alice", ["bob", "dave"], b"in the journal")
    day.drain("dave", 2)
    day.drain("bob", 3, discarded=True)
    day.commit()


def everything_else(day: Day, when: str) -> None:
    """Every kind of record that the day has none of: sessions, recalls, who may be an account."""
    store = day.store
    alice, bob, dave = (day.account(name) for name in ("alice", "bob", "dave"))
    entry = day.send("alice", ["bob", "dave"], f"taken back {when}".encode())
    store.begin_session(dave, day.now())
    store.end_session(dave, [entry.number - 1, entry.number], day.now())
    copy = Copy(bob.number, entry.number, len(entry.body), bob.name)
    store.recall(alice, entry.message_id, [copy], day.now())
    entry = day.send_everyone("bob", f"taken back from all {when}".encode())
    store.recall_from_all(entry, [dave.number], day.now())
    store.begin_session(bob, day.now())  # and the server is killed
    if when == "after":  # there is one for ever
        store.need_secret(day.now())
    store.touch(alice, day.now())
    invites = [blake2b(f"{when} {each}".encode(), digest_size=32).digest() for each in range(2)]
    credential = Credential(b"s" * 16, 600_000, invites[0], invites[1])
    store.make_invites(invites, 1 << 50, day.now())
    store.create_account(f"{when}-invited", day.now(), credential, invites[0])
    store.set_credential(alice, credential, day.now())
    store.block(alice, [dave.number], day.now())
    for reserve_until_ms in (0, 1 << 50):
        gone = store.create_account(f"{when}-gone", day.now())
        day.commit()
        store.begin_deletion(gone, day.now())
        store.delete_account(gone, day.now(), reserve_until_ms)
        day.commit()
