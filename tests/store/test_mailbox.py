from collections.abc import Callable

import pytest

from store.disk import DiskFailure
from store.errors import (
    StoreDamaged,
    StoreFromTheFuture,
)
from store.fsck import fsck
from store.limits import BLOCK_PAYLOAD_BYTES, READ_SLICE_BYTES
from store.mailbox import mailbox_path
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change, change_block, size_of
from tests.store.support import (
    BOX,
    LARGE,
    TINY,
    crashed_store,
    filled,
    message_id,
    new_disk,
    open_store,
    picture,
    read_all,
    waiting,
)

WRONG_BOX: dict[str, Callable[[SimDisk], None]] = {
    "too few entries": lambda disk: change_block(disk, BOX, 31, b"\x09"),
    "entry of an unknown kind": lambda disk: change_block(disk, BOX, 48, b"\0\x63"),
    "entry with a long name": lambda disk: change_block(disk, BOX, 48 + 6 + 41, b"\xff"),
    "header too short": lambda disk: change(
        disk, BOX, 8, (30).to_bytes(4, "big"), start=0, size=30
    ),
    "settled elsewhere": lambda disk: change_block(disk, BOX, 48 + 6, bytes(7) + b"\x01"),
}


def test_a_large_entry_stands_alone_in_a_large_block() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann = store.create_account("ann", 1)
    for number, size in enumerate([10, READ_SLICE_BYTES * 2, 10, BLOCK_PAYLOAD_BYTES]):
        store.accept(ann, message_id(number), [ann], b"x" * size, 2)
        store.commit()
    store.checkpoint_now()
    sizes = [len(body) for _, _, body, _ in waiting(store, "ann")]
    assert sizes == [10, READ_SLICE_BYTES * 2, 10, BLOCK_PAYLOAD_BYTES]


def test_a_mailbox_that_cannot_be_opened_is_damage_of_that_queue() -> None:
    disk, store = filled(3, 100)

    def refuse(path: str, *, writable: bool) -> int:
        raise DiskFailure(24, f"{path} {writable}")

    disk.open = refuse  # type: ignore[method-assign]  # as when there are too many open files
    with pytest.raises(StoreDamaged, match="cannot be opened"):
        read_all(store, "bob")


def test_a_mailbox_that_cannot_be_closed_is_damage_of_that_queue() -> None:
    disk, store = filled(3, 100)

    def refuse(handle: int) -> None:
        raise DiskFailure(5, f"{handle}: close failed")

    disk.close = refuse  # type: ignore[method-assign]  # as a disk that is on its way out
    with pytest.raises(StoreDamaged, match="cannot be closed"):
        read_all(store, "bob")


@pytest.mark.parametrize("what", ["missing", "other account", "short header"])
def test_a_mailbox_that_is_not_the_one(what: str) -> None:
    disk, store = filled(2, 100)
    path = mailbox_path(store.state.by_name["bob"].number)
    if what == "missing":
        disk.remove(path)
    elif what == "other account":
        disk.contents(path)[:] = disk.contents(mailbox_path(1))
    else:
        del disk.contents(path)[10:]
    with pytest.raises(StoreDamaged):
        read_all(store, "bob")
    assert [each for each in fsck(disk) if not each.harmless]


def test_a_name_that_is_no_text_is_damage_of_that_queue() -> None:
    disk, store = filled(2, 100)
    path = mailbox_path(store.state.by_name["bob"].number)
    change(disk, path, 60, b"\xff", start=0, size=size_of(disk, path, 0))
    with pytest.raises(StoreDamaged, match="name in its header"):
        read_all(store, "bob")


@pytest.mark.parametrize("what", WRONG_BOX)
def test_a_mailbox_with_a_right_checksum_is_not_enough(what: str) -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    store.accept(ann, message_id(1), [bob], b"x", 1)
    store.checkpoint_now()
    WRONG_BOX[what](disk)
    assert [each for each in fsck(disk) if not each.harmless]
    if what != "settled elsewhere":
        with pytest.raises(StoreDamaged):
            picture(store)


def test_a_mailbox_from_the_future_is_refused_when_it_is_needed() -> None:
    disk = crashed_store()
    path = "mailboxes/02/0000000000000002.mailbox"
    change(disk, path, 14, b"\0\x09", start=0, size=size_of(disk, path, 0))
    with pytest.raises(StoreFromTheFuture):
        open_store(disk, TINY)
