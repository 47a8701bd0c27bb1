"""A mailbox whose header is damaged concerns its user only, and takes mail all the same."""

import pytest

from store.disk import DiskFailure, DiskFull
from store.errors import StoreDamaged
from store.fsck import fsck
from store.limits import PAGE_BYTES
from store.mailbox import mailbox_path
from store.repair import repair
from store.store import Store
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change, size_of
from tests.store.support import (
    BOX,
    LARGE,
    message_id,
    new_disk,
    open_store,
    read_all,
)

BODIES = [b"one", b"two", b"three", b"four"]


def send(store: Store, number: int) -> None:
    ann, bob = store.state.by_name["ann"], store.state.by_name["bob"]
    store.accept(ann, message_id(number), [bob, ann], BODIES[number], number)
    store.commit()


def half_sent() -> SimDisk:
    """Two messages are in the mailboxes of ann and bob, and nobody has looked at them since."""
    disk = new_disk()
    store = open_store(disk, LARGE)
    store.create_account("ann", 1)
    store.create_account("bob", 1)
    for number in (0, 1):
        send(store, number)
    store.close()
    return disk


def bodies(store: Store, name: str) -> list[bytes]:
    return [entry.body for entry in read_all(store, name)]


def go_on(disk: SimDisk, *, restarts: bool) -> Store:
    """Two more messages, and a checkpoint after each."""
    store = open_store(disk, LARGE)
    for number in (2, 3):
        send(store, number)
        store.checkpoint_now()
        if restarts:
            disk.crash()
            store = open_store(disk, LARGE)
    return store


@pytest.mark.parametrize("restarts", [True, False])
@pytest.mark.parametrize("place", [0, 4, 14, 16, 30, 40, 50, 60])
def test_mail_goes_on_behind_a_header_that_cannot_be_read(place: int, restarts: bool) -> None:
    disk = half_sent()
    disk.damage(BOX, place, 1)
    store = go_on(disk, restarts=restarts)
    if not restarts:
        assert [text for text in store.findings if f"{BOX} is damaged at byte 0" in text]
        assert len(store.findings) == 1, "once is enough"
    with pytest.raises(StoreDamaged, match=BOX):
        read_all(store, "bob")
    assert bodies(store, "ann") == BODIES
    store.close()
    assert [each.file for each in fsck(disk) if not each.harmless] == [BOX]
    done = repair(disk)
    assert done is not None
    assert done.lost == done.doubts == 0
    assert bodies(open_store(disk, LARGE), "bob") == BODIES


def test_nothing_was_changed_that_a_whole_header_would_not_find() -> None:
    disk = half_sent()
    disk.damage(BOX, 30, 1)
    go_on(disk, restarts=True).close()
    disk.damage(BOX, 30, 1)
    assert [each for each in fsck(disk) if not each.harmless] == []
    assert bodies(open_store(disk, LARGE), "bob") == BODIES


def test_a_header_that_could_not_be_read_once_is_told_and_no_more() -> None:
    disk = half_sent()
    store = open_store(disk, LARGE)
    send(store, 2)
    disk.read_fail_at = 1
    disk.fail_only = ""
    while store.state.by_name["bob"].queue.tail:
        store.checkpoint_now()
    assert [text for text in store.findings if "cannot be read" in text]
    assert bodies(store, "bob") == BODIES[:3]
    store.close()
    assert [each for each in fsck(disk) if not each.harmless] == []


def test_where_the_file_begins_is_known_to_who_has_seen_it() -> None:
    disk = half_sent()
    store = open_store(disk, LARGE)
    bob = store.state.by_name["bob"]
    send(store, 2)
    store.checkpoint_now()
    assert bob.queue.base == 0
    disk.damage(BOX, 30, 1)
    disk.damage(BOX, PAGE_BYTES + 60, 1)
    send(store, 3)
    store.checkpoint_now()
    assert [text for text in store.findings if BOX in text]
    disk.restore()
    assert bodies(store, "bob") == BODIES


def test_what_nothing_tells_the_place_of_is_refused() -> None:
    disk = half_sent()
    disk.damage(BOX, 30, 1)
    disk.damage(BOX, PAGE_BYTES + 60, 1)
    store = open_store(disk, LARGE)
    send(store, 2)
    before = bytes(disk.contents(BOX))
    with pytest.raises(StoreDamaged, match=f"{BOX} is damaged at byte 0"):
        store.checkpoint_now()
    assert bytes(disk.contents(BOX)) == before
    assert not disk.handles.keys() - {store.journal.handle}
    disk.restore()
    disk.crash()
    assert bodies(open_store(disk, LARGE), "bob") == BODIES[:3]


def test_another_accounts_file_is_not_written_to() -> None:
    disk = half_sent()
    change(disk, BOX, 36, (9).to_bytes(8, "big"), start=0, size=size_of(disk, BOX, 0))
    store = open_store(disk, LARGE)
    send(store, 2)
    with pytest.raises(StoreDamaged, match="belongs to another account"):
        store.checkpoint_now()


def test_a_file_that_cannot_be_opened_is_not_guessed_at() -> None:
    disk = half_sent()
    store = open_store(disk, LARGE)
    send(store, 2)
    whole = disk.open

    def refuse(path: str, *, writable: bool) -> int:
        if path == BOX:
            raise DiskFailure(24, path)
        return whole(path, writable=writable)

    disk.open = refuse  # type: ignore[method-assign]  # as when there are too many open files
    with pytest.raises(StoreDamaged, match="cannot be opened"):
        store.checkpoint_now()


def test_a_file_that_is_missing_begins_with_a_gap() -> None:
    disk = half_sent()
    disk.remove(BOX)
    disk.sync_folder("mailboxes/02")
    store = go_on(disk, restarts=True)
    with pytest.raises(StoreDamaged, match=BOX):
        read_all(store, "bob")
    assert bodies(store, "ann") == BODIES
    store.close()
    done = repair(disk)
    assert done is not None
    assert done.lost == 2, "what stood in it, by its account's count"
    assert bodies(open_store(disk, LARGE), "bob") == BODIES[2:]


@pytest.mark.parametrize("how", ["missing", "rotten", "unreadable"])
def test_a_file_in_which_nothing_is_needed_begins_anew(how: str) -> None:
    disk = half_sent()
    store = open_store(disk, LARGE)
    bob = store.state.by_name["bob"]
    store.settle(bob, read_all(store, "bob"), 5)
    store.close()
    if how == "missing":
        disk.remove(BOX)
    elif how == "rotten":
        disk.damage(BOX, 30, 1)
    else:
        disk.inode(BOX).bad_pages.add(0)
    store = go_on(disk, restarts=False)
    assert [text for text in store.findings if BOX in text]
    assert bodies(store, "bob") == BODIES[2:]
    disk.crash()
    assert [each for each in fsck(disk) if not each.harmless] == []
    assert bodies(open_store(disk, LARGE), "bob") == BODIES[2:]


@pytest.mark.parametrize("is_needed", [True, False])
def test_a_file_that_begins_anew_does_so_whole_or_not_at_all(is_needed: bool) -> None:
    for call in range(1, 30):
        disk = half_sent()
        store = open_store(disk, LARGE)
        if not is_needed:
            store.settle(store.state.by_name["bob"], read_all(store, "bob"), 5)
        store.close()
        disk.remove(BOX)
        disk.sync_folder("mailboxes/02")
        store = open_store(disk, LARGE)
        send(store, 2)
        disk.fail_at, disk.fail_error = call, DiskFull
        store.checkpoint_now()
        has_failed, disk.fail_at = disk.fail_at == 0, -1
        (disk.crash, disk.kill)[call % 2]()
        store = open_store(disk, LARGE)
        send(store, 3)
        store.checkpoint_now()
        assert [text for text in store.findings if "byte 0: it has only" in text] == []
        store.close()
        assert len(disk.contents(BOX)) >= PAGE_BYTES
        if not has_failed:
            return
    raise AssertionError("the checkpoint needs more calls than were tried")


def test_everyones_mailbox_goes_on_too() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann = store.create_account("ann", 1)
    store.create_account("bob", 1)
    store.accept_for_everyone(ann, message_id(1), b"first", 1)
    store.close()
    disk.damage(mailbox_path(0), 30, 1)
    store = open_store(disk, LARGE)
    store.accept_for_everyone(store.state.by_name["ann"], message_id(2), b"second", 2)
    store.close()
    assert repair(disk) is not None
    assert bodies(open_store(disk, LARGE), "bob") == [b"first", b"second"]
