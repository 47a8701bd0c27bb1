"""Doubts: what is kept when the accounts log, or more than one thing, is damaged."""

import pytest

from store.fsck import fsck
from store.manifest import MANIFEST
from store.repair import repair
from tests.sim.sim_disk import SimDisk
from tests.store.support import (
    ACCOUNTS,
    BOX,
    LARGE,
    message_id,
    new_disk,
    open_store,
    read_all,
    waiting,
)


def repaired(disk: SimDisk) -> str:
    found = repair(disk)
    assert found is not None
    assert [each for each in fsck(disk) if not each.harmless] == []
    return "\n".join(found.lines)


def test_a_name_that_was_taken_again_belongs_to_the_newest_account() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann = store.create_account("ann", 1)
    store.checkpoint_now()
    old = bytes(disk.contents("mailboxes/01/0000000000000001.mailbox"))
    store.begin_deletion(ann, 2)
    store.delete_account(ann, 3)
    new = store.create_account("ann", 4)
    store.checkpoint_now()
    disk.kill()
    disk.create("mailboxes/01/0000000000000001.mailbox")
    disk.contents("mailboxes/01/0000000000000001.mailbox")[:] = old
    disk.contents(ACCOUNTS)[4096:] = bytes(len(disk.contents(ACCOUNTS)) - 4096)
    text = repaired(disk)
    assert "account 'ann' (1): it was deleted: the name was taken again" in text
    assert list(open_store(disk, LARGE).state.by_number) == [new.number]


def test_a_mailbox_whose_owner_nobody_knows_is_set_aside_and_told() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    store.create_account("ann", 1)
    store.create_account("bob", 2)
    store.checkpoint_now()
    disk.kill()
    disk.damage(BOX, 22, 1)
    disk.remove(ACCOUNTS)
    text = repaired(disk)
    assert f"lost: account of number 2: neither {BOX} nor the accounts log gives its name" in text
    assert open_store(disk, LARGE).state.names == ["ann"]
    disk.kill()
    # A later repair, after the page became readable again, must not bring the account back.
    assert BOX not in disk.files()
    disk.damage(f"discarded-1/{BOX}", 22, 1)
    log = next(path for path in disk.files() if path.startswith("accounts/"))
    disk.damage(log, 4096 + 60, 1)
    assert "'bob'" not in repaired(disk)
    assert open_store(disk, LARGE).state.names == ["ann"]


def test_what_the_journal_and_the_mailbox_both_hold_is_kept_once() -> None:
    """The checkpoint wrote the mailbox and was cut off; then the accounts log was damaged."""
    for hole in (False, True):
        disk = new_disk()
        store = open_store(disk, LARGE)
        ann, bob = store.create_account("ann", 1), store.create_account("bob", 2)
        store.accept(ann, message_id(1), [bob], b"one", 3)
        store.checkpoint_now()
        for counter in (2, 3):
            store.accept(ann, message_id(counter), [bob], b"x" * 40_000, 4)
        store.commit()
        accounts = bytes(disk.contents(ACCOUNTS))
        manifest = bytes(disk.contents(MANIFEST))
        journal = {path: bytes(disk.contents(path)) for path in disk.files() if "journal/" in path}
        store.checkpoint_now()
        disk.kill()
        for path, data in {**journal, MANIFEST: manifest, ACCOUNTS: accounts}.items():
            if path not in disk.files():
                disk.close(disk.create(path))
            disk.contents(path)[:] = data
        disk.damage(ACCOUNTS, 4096 + 60, 1)
        if hole:
            disk.damage(BOX, 8192 + 100, 1)
        text = repaired(disk)
        found = waiting(open_store(disk, LARGE), "bob")
        if hole:
            assert f"message {message_id(2).hex()}" in text
            assert [len(body) for _, _, body, _ in found] == [3, 40_000]
        else:
            assert [len(body) for _, _, body, _ in found] == [3, 40_000, 40_000]


def test_windows_are_put_together_from_what_is_there() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 2)
    for counter in (5, 3):
        store.accept(ann, message_id(counter), [bob], b"x", 3)
    store.settle(bob, read_all(store, "bob", 1), 4)
    store.checkpoint_now()
    disk.kill()
    disk.remove(ACCOUNTS)
    repaired(disk)
    store = open_store(disk, LARGE)
    ann = store.state.by_name["ann"]
    assert store.check_window(ann, b"install1", 3).value == "duplicate"
    assert store.check_window(ann, b"install1", 5).value == "duplicate"
    assert store.check_window(ann, b"install1", 4).value == "new"


def test_entries_of_which_nothing_can_be_read_are_counted() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 2)
    for counter in range(3):
        store.accept(ann, message_id(counter), [bob], b"x", 3)
        store.accept_for_everyone(ann, message_id(10 + counter), b"y", 3)
    store.begin_deletion(bob, 4)
    store.checkpoint_now()
    disk.kill()
    disk.contents(BOX)[4096:] = bytes(4096)
    everyone = "mailboxes/00/0000000000000000.mailbox"
    disk.contents(everyone)[4096:] = bytes(4096)
    text = repaired(disk)
    assert "lost: 3 messages or outcomes to 'bob' (2), whose ids cannot be read" in text
    assert "lost: 3 messages to everyone, whose ids cannot be read" in text
    bob = open_store(disk, LARGE).state.by_name["bob"]
    assert bob.closing
    assert bob.own_messages == 0


def test_a_block_inside_a_damaged_one_is_told() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 2)
    for counter in range(8):
        store.accept(ann, message_id(counter), [bob], b"x" * 30_000, 3)
    store.checkpoint_now()
    disk.kill()
    size_at = 4096 + 24
    disk.contents(BOX)[size_at : size_at + 4] = (200_000).to_bytes(4, "big")
    text = repaired(disk)
    assert f"in doubt: what stands in {BOX} at byte" in text
    assert len(waiting(open_store(disk, LARGE), "bob")) == 6


def test_everyones_file_alone_leaves_its_messages() -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann = store.create_account("ann", 1)
    store.create_account("bob", 2)
    store.accept_for_everyone(ann, message_id(1), b"to all", 3)
    store.checkpoint_now()
    store.accept_for_everyone(ann, message_id(2), b"to all again", 4)
    store.commit()
    disk.kill()
    disk.remove(ACCOUNTS)
    repaired(disk)
    found = waiting(open_store(disk, LARGE), "bob")
    assert [body for _, _, body, _ in found] == [b"to all", b"to all again"]


@pytest.mark.parametrize(
    ("start", "end", "is_told"),
    [(0, 8192, True), (4096, 8192, True), (8192, 12288, True), (0, 0, False)],
)
def test_what_everyones_file_has_lost_is_told_where_nothing_counts_it(
    start: int, end: int, is_told: bool
) -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 2)
    for counter in (1, 2):
        store.accept_for_everyone(ann, message_id(counter), b"to all", 3)
        store.checkpoint_now()
    saved = len(disk.contents(ACCOUNTS))
    store.accept(ann, message_id(3), [bob], b"x", 4)
    store.accept(bob, message_id(4), [ann], b"x", 4)
    store.checkpoint_now()
    disk.kill()
    disk.contents(ACCOUNTS)[4096:saved] = bytes(saved - 4096)  # all that is said of everyone's
    everyone = disk.contents("mailboxes/00/0000000000000000.mailbox")
    everyone[start:end] = bytes(end - start)
    assert ("in doubt: every account: messages to everyone may have" in repaired(disk)) is is_told
    assert len(waiting(open_store(disk, LARGE), "bob")) == (2 if is_told else 3)
