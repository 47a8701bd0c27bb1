"""What can be seen of a recovered store from outside, in the form that the model has it too.

Goes through the store's own readers, so that every checksum on the way is looked at.

Must never leave out anything that a user could notice.
"""

from zlib import crc32

from store.credential import encode_credential
from store.entry import Entry
from store.state import Account
from store.store import Store
from store.window import Window
from tests.crash.model import Picture


def picture(store: Store) -> Picture:
    """Everything durable, as one value. Raises StoreDamaged when a queue cannot be read."""
    state = store.state
    people = tuple(picture_account(store, state.by_name[name]) for name in state.names)
    registry = state.registry
    admitted = (
        tuple(sorted(registry.reserved.items())),
        tuple(sorted(registry.invites.items())),
    )
    return (state.next_number, state.last_received_at_ms, people, admitted)


def picture_account(store: Store, account: Account) -> Picture:
    state = store.state
    return (
        account.number,
        account.name,
        account.created_at_ms,
        account.last_seen_ms,
        account.closing,
        account.messages_waiting(state),
        account.bytes_waiting(state),
        account.outcomes_waiting,
        tuple(sorted((key, counters(window)) for key, window in account.windows.items())),
        tuple(picture_entry(entry) for entry in read_all(store, account)),
        account.session_number,
        encode_credential(account.credential),
        account.blocked,
    )


def read_all(store: Store, account: Account) -> list[Entry]:
    reader = store.reader(account, account.settled.floor, None)
    found: list[Entry] = []
    while not reader.exhausted:
        found += reader.read(1000, 1 << 30)
    return found


def counters(window: Window) -> tuple[int, ...]:
    """Every counter that the window remembers."""
    highest, bitmap = window.highest, window.bitmap
    below = [highest - 1 - bit for bit in range(bitmap.bit_length()) if bitmap >> bit & 1]
    return (*reversed(below), highest)


def picture_entry(entry: Entry) -> Picture:
    return (
        entry.number,
        int(entry.kind),
        entry.message_id,
        entry.sender,
        entry.sender_name,
        entry.received_at_ms,
        int(entry.audience),
        entry.audience_count,
        entry.code,
        len(entry.body),
        crc32(entry.body),
    )
