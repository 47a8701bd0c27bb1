"""What the store's tests share: a clock, entropy and settings that are small, and a model."""

from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from store.entry import Entry, EntryKind
from store.errors import (
    StoreDamaged,
    StoreFromTheFuture,
)
from store.journal_segment import BATCH, FIRST_BATCH
from store.limits import PAGE_BYTES
from store.mailbox import mailbox_path
from store.manifest import MANIFEST, decode_manifest
from store.reader import QueueReader
from store.settings import Settings
from store.state import Account
from store.store import Store
from tests.sim.sim_disk import SimDisk
from wire import tlv

SMALL = Settings(
    journal_segment_bytes=32 * 1024,
    journal_bytes_max=1 << 20,
    batch_bytes_max=16 * 1024,
    checkpoint_journal_bytes=48 * 1024,
    checkpoint_tail_entries=1000,
    checkpoint_idle_ms=50,
    tail_entries_max=2000,
    reserve_bytes=64 * 1024,
    free_bytes_min=64 * 1024,
    space_check_ms=100,
    accounts_garbage_bytes_min=32 * 1024,
)
LARGE = replace(
    SMALL,
    journal_segment_bytes=1 << 20,
    batch_bytes_max=512 * 1024,
    checkpoint_idle_ms=1 << 40,
    checkpoint_journal_bytes=1 << 40,
    journal_bytes_max=1 << 40,
)
TINY = replace(SMALL, reserve_bytes=4096, journal_segment_bytes=24 * 1024)
NAMES = st.text("abcdefghij.-_0", min_size=1, max_size=32)
U64 = st.integers(0, tlv.U64_MAX)
IDS = st.binary(min_size=16, max_size=16)
ACCOUNTS = "accounts/0000000000000001.accounts"
BOX = mailbox_path(2)


class TickClock:
    """A clock that moves a little with every look."""

    def __init__(self) -> None:
        self.now_us = 1_000_000

    def monotonic_us(self) -> int:
        self.now_us += 10
        return self.now_us

    def wall_ms(self) -> int:
        return 1_700_000_000_000 + self.now_us // 1000


def open_store(disk: SimDisk, settings: Settings = SMALL) -> Store:
    """The store on this disk; entropy comes from the disk's own randomness."""
    return Store.open(disk, TickClock(), disk.rng.randbytes, settings)


def new_disk(seed: int = 1) -> SimDisk:
    return SimDisk(Random(seed))


def message_id(counter: int, installation: bytes = b"install1") -> bytes:
    return installation + counter.to_bytes(8, "big")


def waiting(store: Store, name: str) -> list[tuple[int, EntryKind, bytes, str]]:
    """Everything in a user's queue."""
    account = store.state.by_name[name]
    reader = store.reader(account, 0, None)
    found = []
    while not reader.exhausted:
        found += reader.read(100, 1 << 30)
    return [(each.number, each.kind, each.body, each.sender_name) for each in found]


def picture(store: Store) -> object:
    """Everything durable that can be seen from outside, as one value."""
    state = store.state
    return (
        state.next_number,
        state.last_received_at_ms,
        [picture_account(store, state.by_name[name]) for name in state.names],
    )


def picture_account(store: Store, account: Account) -> object:
    return (
        account.number,
        account.name,
        account.last_seen_ms,
        account.closing,
        account.messages_waiting(store.state),
        account.bytes_waiting(store.state),
        account.outcomes_waiting,
        sorted((key, window.highest, window.bitmap) for key, window in account.windows.items()),
        waiting(store, account.name),
    )


def filled(count: int = 40, size: int = 9000) -> tuple[SimDisk, Store]:
    """alice and bob; so many messages for bob in his mailbox file."""
    disk = new_disk()
    store = open_store(disk)
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    for number in range(count):
        store.accept(alice, message_id(number), [bob], number.to_bytes(4, "big") * (size // 4), 3)
        store.commit()
    store.checkpoint_now()
    return disk, store


def read_all(store: Store, name: str, count: int = 1000) -> list[Entry]:
    reader = store.reader(store.state.by_name[name], 0, None)
    found: list[Entry] = []
    while not reader.exhausted and len(found) < count:
        found += reader.read(count - len(found), 1 << 30)
    return found


def rest(reader: QueueReader) -> list[Entry]:
    found: list[Entry] = []
    while not reader.exhausted:
        found += reader.read(1000, 1 << 30)
    return found


def crashed_store(batches: int = 3) -> SimDisk:
    """A store that was checkpointed once, with so many batches in its journal."""
    disk = new_disk()
    store = open_store(disk, TINY)
    alice, bob = store.create_account("alice", 1), store.create_account("bob", 2)
    store.accept(alice, message_id(0), [bob], b"in the mailbox", 3)
    store.accept_for_everyone(bob, message_id(0), b"for everyone", 4)
    store.checkpoint_now()
    for number in range(1, batches + 1):
        store.accept(alice, message_id(number), [bob], b"in the journal %d" % number, 5)
        store.commit()
    disk.kill()
    return disk


def journal_in_use(disk: SimDisk) -> str:
    """The live segment with batches in it."""
    for number, nonce in decode_manifest(bytes(disk.contents(MANIFEST))).segments:
        path = f"journal/{number:016x}.journal"
        if nonce.to_bytes(8, "big") in disk.contents(path)[FIRST_BATCH : FIRST_BATCH + BATCH.size]:
            return path
    raise AssertionError


def verdict(disk: SimDisk) -> object:
    """What a start and a look at every queue give: a picture, or the word for the damage."""
    try:
        store = open_store(disk, TINY)
        return picture(store)
    except (StoreDamaged, StoreFromTheFuture) as error:
        return type(error).__name__


def sound() -> object:
    return picture(open_store(crashed_store(), TINY))


def last_batch(disk: SimDisk) -> range:
    start = FIRST_BATCH + 2 * PAGE_BYTES
    return range(start, start + PAGE_BYTES)


def split(record: bytes) -> tuple[int, bytes]:
    ((type_, start, end),) = tlv.spans(record, 0, len(record))
    return type_, record[start:end]
