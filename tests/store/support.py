"""What the store's tests share: a clock, entropy and settings that are small, and a model."""

from random import Random

from store.entry import EntryKind
from store.settings import Settings
from store.state import Account
from store.store import Store
from tests.sim.sim_disk import SimDisk

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
