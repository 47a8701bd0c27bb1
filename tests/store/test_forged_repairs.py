"""Forged values under right checksums, and a repair of each: it ends, takes little room, keeps what
is not damaged, and what it leaves is sound and serves.
"""

from copy import deepcopy
from random import Random

import pytest

from store.entry import Audience, Entry, EntryKind
from store.entry_codec import encode_entry
from store.errors import StoreDamaged, StoreFromTheFuture, StoreNoRoom
from store.limits import HOLE_BYTES_MAX, NUMBER_BELIEVED_MAX, NUMBER_MAX, PAGE_BYTES
from store.mailbox import close_block, mailbox_path
from store.manifest import MANIFEST
from store.repair import Repaired, repair
from tests.sim.sim_disk import SimDisk
from tests.store.forged import BLOCKS, change_value, damage_in, day_of, files_of, judge, mend
from tests.store.forgery import change_block, change_manifest, reseal, size_of
from tests.store.support import (
    ACCOUNTS,
    BOX,
    LARGE,
    journal_in_use,
    message_id,
    new_disk,
    open_store,
    waiting,
)
from tests.store.test_judgement import EXTREME

FORGED = 150
NUMBERS_AT = 138  # 16 u64, 2 u8 and 2 u32 stand before an account's name
NUMBER, STAMP, CLOSING, EVERYONE_HINT, END_OFFSET, HINT, FILE_LAST = 0, 1, 4, 12, 13, 14, 15
SHARED = mailbox_path(0)


def repaired(disk: SimDisk) -> Repaired:
    """fsck names it, and a repair ends it."""
    assert damage_in(disk)
    return mend(disk)


def test_whatever_is_forged_serves_or_is_repaired() -> None:
    disk = new_disk()
    day_of(disk)
    random = Random(5)
    mended = 0
    for _ in range(FORGED):
        forged = deepcopy(disk)
        for _ in range(random.choice((1, 1, 2))):
            size = random.choice((1, 2, 4, 8, 8, 8))
            values = (*EXTREME, 3, PAGE_BYTES, 2 * PAGE_BYTES, random.getrandbits(64))
            value = (random.choice(values) % (1 << 8 * size)).to_bytes(size, "big")
            path = random.choice(files_of(forged))
            change_value(forged, path, random.getrandbits(16), random.getrandbits(16), value)
        mended += judge(forged)
    assert FORGED // 4 < mended < FORGED


# --- one by one ---


def small_store() -> SimDisk:
    """ann, bob and cat; a message from ann to bob and one from bob to everyone in the mailboxes,
    another one for each in the journal.
    """
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob, _ = (store.create_account(name, 1) for name in ("ann", "bob", "cat"))
    for counter in (1, 2):
        store.accept(ann, message_id(counter), [bob], b"to bob %d" % counter, 2)
        store.accept_for_everyone(bob, message_id(counter), b"to all %d" % counter, 3)
        if counter == 1:
            store.checkpoint_now()
    store.commit()
    disk.kill()
    return disk


ALL = {
    ("ann", b"to all 1"),
    ("ann", b"to all 2"),
    ("bob", b"to bob 1"),
    ("bob", b"to bob 2"),
    ("cat", b"to all 1"),
    ("cat", b"to all 2"),
}


def bodies_in(disk: SimDisk) -> set[tuple[str, bytes]]:
    """What waits, and for whom; nothing twice."""
    store = open_store(deepcopy(disk), LARGE)
    found = [(name, body) for name in store.state.names for _, _, body, _ in waiting(store, name)]
    assert len(set(found)) == len(found)
    return set(found)


def change_account(disk: SimDisk, name: bytes, field: int, value: int) -> None:
    """Another number in the newest state of an account."""
    data = bytes(disk.contents(ACCOUNTS))
    at = data.rindex(name) - NUMBERS_AT + 8 * field
    start = max(each for each in range(0, at, PAGE_BYTES) if data[each : each + 4] in BLOCKS)
    change_block(disk, ACCOUNTS, at - start, value.to_bytes(8, "big"), start=start)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (NUMBER, 0),
        (NUMBER, 1),  # ann's
        (NUMBER, 3),  # cat's
        (NUMBER, 77),
        (NUMBER, NUMBER_MAX - 1),
        (STAMP, 1),
        (STAMP, 1000),
        (STAMP, NUMBER_MAX - 1),
        (EVERYONE_HINT, 4097),
        (EVERYONE_HINT, 1 << 40),
        (END_OFFSET, 0),
        (END_OFFSET, 5),
        (END_OFFSET, 8192),
        (END_OFFSET, 1 << 40),
        (END_OFFSET, 1 << 61),
        (END_OFFSET, NUMBER_MAX),
        (HINT, 4096),
        (HINT, 8192),
        (FILE_LAST, 0),
        (FILE_LAST, 1000),
    ],
)
def test_a_number_of_an_account(field: int, value: int) -> None:
    disk = small_store()
    change_account(disk, b"bob", field, value)
    repaired(disk)
    assert bodies_in(disk) == ALL


def test_a_place_in_everyones_queue_that_is_too_late() -> None:
    disk = small_store()
    change_account(disk, b"cat", EVERYONE_HINT, 4096)
    assert damage_in(disk) == [
        f"DAMAGE: {SHARED}, byte 0: messages wait before 4096, where cat goes on reading"
    ]
    repaired(disk)
    assert bodies_in(disk) == ALL


@pytest.mark.parametrize("value", [1 << 40, 1 << 61])
def test_the_end_of_a_mailbox_that_is_missing(value: int) -> None:
    disk = small_store()
    change_account(disk, b"bob", END_OFFSET, value)
    disk.remove(BOX)
    result = repaired(disk)
    assert "lost: 1 messages or outcomes to 'bob' (2), whose ids cannot be read" in result.lines
    assert bodies_in(disk) == ALL - {("bob", b"to bob 1")}


@pytest.mark.parametrize("at", [0, 24, 32, 40])  # stamp, end_offset, hint, file_last
@pytest.mark.parametrize("value", [0, 5, 4096, 1 << 40, 1 << 61, NUMBER_MAX])
def test_a_number_of_everyones_queue(at: int, value: int) -> None:
    disk = small_store()
    data = bytes(disk.contents(ACCOUNTS))
    # stamp 5, total 1, bytes 8, end_offset 4096, hint 0
    state = b"".join(each.to_bytes(8, "big") for each in (5, 1, 8, 4096, 0))
    place = data.rindex(state)
    start = max(each for each in range(0, place, PAGE_BYTES) if data[each : each + 4] in BLOCKS)
    change_block(disk, ACCOUNTS, place - start + at, value.to_bytes(8, "big"), start=start)
    if damage_in(disk):
        repaired(disk)
    assert bodies_in(disk) == ALL


def batches_in(disk: SimDisk) -> tuple[str, list[int]]:
    """The segment with batches in it, and where they begin."""
    path = journal_in_use(disk)
    data = bytes(disk.contents(path))
    return path, [at for at in range(0, len(data), PAGE_BYTES) if data[at : at + 4] == b"MSGT"]


def change_batch(disk: SimDisk, index: int, at: int, value: int) -> None:
    """Another u64 in the head of a batch."""
    path, starts = batches_in(disk)
    change_block(disk, path, at, value.to_bytes(8, "big"), start=starts[index])


def long_journal() -> SimDisk:
    """As `small_store`, with three batches more in the journal."""
    disk = small_store()
    store = open_store(disk, LARGE)
    ann, bob, cat = (store.state.by_name[name] for name in ("ann", "bob", "cat"))
    for counter in (3, 4, 5):
        store.accept(bob, message_id(counter), [ann, cat], b"batch %d" % counter, 4)
        store.accept(ann, message_id(counter), [cat], b"from ann %d" % counter, 4)
        store.commit()
    disk.kill()
    return disk


LONG = (
    ALL
    | {(name, b"batch %d" % counter) for name in ("ann", "cat") for counter in (3, 4, 5)}
    | {("cat", b"from ann %d" % counter) for counter in (3, 4, 5)}
)


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("at", [8, 16])  # LSN, number
@pytest.mark.parametrize("value", [0, 1, 1000, 1 << 40, NUMBER_BELIEVED_MAX + 1, (1 << 64) - 1])
def test_a_batch_that_says_that_it_stands_elsewhere(index: int, at: int, value: int) -> None:
    disk = long_journal()
    change_batch(disk, index, at, value)
    repaired(disk)
    assert bodies_in(disk) == LONG


def test_a_receipt_of_an_unknown_number_costs_nothing_else() -> None:
    disk = long_journal()
    store = open_store(disk, LARGE)
    cat = store.state.by_name["cat"]
    (entry,) = store.reader(cat, 0, None).read(1, 1)
    store.settle(cat, [entry], 5)
    store.commit()
    disk.kill()
    path, starts = batches_in(disk)
    data = bytes(disk.contents(path))
    at = data.rindex(entry.number.to_bytes(8, "big") + b"\x01")
    change_block(disk, path, at - starts[-1], (1 << 50).to_bytes(8, "big"), start=starts[-1])
    result = repaired(disk)
    assert any("the entry 1125899906842624 after" in line for line in result.lines)
    assert bodies_in(disk) == LONG


MANIFEST_FIELDS = {"next": 24, "lsn": 40, "log": 52, "bytes": 60, "blocks": 68}


@pytest.mark.parametrize("field", MANIFEST_FIELDS)
@pytest.mark.parametrize("value", [0, 1, 2, 3, 4096, 16384, 1 << 40, NUMBER_MAX // 2])
def test_a_number_of_the_manifest(field: str, value: int) -> None:
    disk = long_journal()
    change_manifest(disk, MANIFEST_FIELDS[field], value)
    if damage_in(disk):
        repaired(disk)
    assert bodies_in(disk) == LONG


@pytest.mark.parametrize("at", [80, 88, 96, 104])
def test_a_segment_that_the_manifest_does_not_name(at: int) -> None:
    disk = long_journal()
    change_manifest(disk, at, 77)
    if damage_in(disk):
        result = repaired(disk)
        assert at > 88 or any("it does not name" in line for line in result.lines)
    assert bodies_in(disk) == LONG


def test_a_manifest_that_names_a_segment_twice() -> None:
    disk = long_journal()
    data = disk.contents(MANIFEST)
    segments = 20 + 80
    data[segments + 16 : segments + 32] = data[segments : segments + 16]
    reseal(disk, MANIFEST, 0, size_of(disk, MANIFEST, 0))
    repaired(disk)
    assert bodies_in(disk) == LONG


def test_a_segment_from_the_future_that_nothing_names() -> None:
    disk = long_journal()
    named = batches_in(disk)[0]
    spare = next(each for each in disk.files() if each.startswith("journal/") and each != named)
    change_block(disk, spare, 14, b"\0\x07", start=0)
    assert damage_in(disk)
    with pytest.raises(StoreFromTheFuture, match="use a newer msgd"):
        repair(disk)


@pytest.mark.parametrize("base", [5, 4096, 8192, 1 << 40, 1 << 61, NUMBER_MAX])
@pytest.mark.parametrize("path", [BOX, SHARED])
def test_a_mailbox_that_begins_elsewhere(base: int, path: str) -> None:
    disk = long_journal()
    change_block(disk, path, 20 + 24, base.to_bytes(8, "big"), start=0)
    repaired(disk)
    assert bodies_in(disk) == LONG


@pytest.mark.parametrize("offset", [5, 4096, 8192, 1 << 40, 1 << 61, NUMBER_MAX])
def test_a_block_that_says_that_it_stands_elsewhere(offset: int) -> None:
    disk = long_journal()
    open_store(disk, LARGE).close()  # a second block
    change_block(disk, BOX, 16, offset.to_bytes(8, "big"))
    repaired(disk)
    assert bodies_in(disk) == LONG - {("bob", b"to bob 1")}


@pytest.mark.parametrize("number", [0, 1, 6, 1000, 1 << 40, NUMBER_MAX, (1 << 64) - 1])
def test_an_entry_with_another_number(number: int) -> None:
    disk = small_store()
    change_block(disk, BOX, 48 + 6, number.to_bytes(8, "big"))
    result = repaired(disk)
    found = bodies_in(disk)
    assert found >= ALL - {("bob", b"to bob 1")}
    assert found == ALL or result.lost or result.doubts


def test_a_mailbox_without_a_name_when_nobody_else_knows_it() -> None:
    disk = small_store()
    size = size_of(disk, BOX, 0)
    disk.contents(BOX)[8:12] = (size - 3).to_bytes(4, "big")
    reseal(disk, BOX, 0, size - 3)
    disk.remove(ACCOUNTS)
    result = repaired(disk)
    assert any(line.startswith("lost: account of number 2") for line in result.lines)
    assert f"{result.folder}/{BOX}" in disk.files()


@pytest.mark.parametrize("number", [0, 1, NUMBER_MAX + 1])
def test_a_tombstone_of_somebody_who_is_there(number: int) -> None:
    disk = small_store()
    store = open_store(disk, LARGE)
    gone = store.create_account("dan", 5)
    store.checkpoint_now()
    store.delete_account(gone, 6)
    store.checkpoint_now()
    store.touch(store.state.by_name["ann"], 7)
    store.checkpoint_now()
    disk.kill()
    data = bytes(disk.contents(ACCOUNTS))
    at = data.rindex(b"\0\x03\0\0\0\x08" + gone.number.to_bytes(8, "big")) + 6
    start = max(each for each in range(0, at, PAGE_BYTES) if data[each : each + 4] in BLOCKS)
    change_block(disk, ACCOUNTS, at - start, number.to_bytes(8, "big"), start=start)
    with pytest.raises(StoreDamaged) as caught:
        open_store(deepcopy(disk), LARGE)
    assert caught.value.file == ACCOUNTS
    repaired(disk)
    assert bodies_in(disk) >= ALL


def test_a_batch_that_cannot_be_where_nobody_says_where_it_should() -> None:
    disk = long_journal()
    change_batch(disk, 0, 16, NUMBER_BELIEVED_MAX + 1)
    change_batch(disk, 0, 32, 0)  # nor does it follow another
    disk.remove(MANIFEST)
    result = repaired(disk)
    assert "lost: what stands in that batch" in result.lines
    assert bodies_in(disk) >= LONG - {(name, body) for name, body in LONG if b" 3" in body}


@pytest.mark.parametrize("field", [HINT, EVERYONE_HINT])
def test_a_place_in_the_middle_of_a_block(field: int) -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    store.accept(ann, message_id(1), [bob], bytes(9000), 2)
    store.accept_for_everyone(ann, message_id(2), bytes(9000), 3)
    store.checkpoint_now()
    for _ in range(2):
        store.settle(bob, store.reader(bob, 0, None).read(2, 1 << 20), 4)
    store.create_account("cat", 5)
    store.accept_for_everyone(ann, message_id(3), bytes(9000), 3)
    store.checkpoint_now()
    disk.kill()
    change_account(disk, b"bob", field, 4096)
    assert "no block begins at 4096, where bob goes on reading" in damage_in(disk)[0]
    repaired(disk)


@pytest.mark.parametrize("at", [32, 40])  # first, last
@pytest.mark.parametrize("body_bytes", [9, 70_000])
def test_a_block_that_says_that_it_has_other_entries(at: int, body_bytes: int) -> None:
    disk = new_disk()
    store = open_store(disk, LARGE)
    ann, bob = store.create_account("ann", 1), store.create_account("bob", 1)
    for counter in (1, 2):
        store.accept(ann, message_id(counter), [bob], bytes(body_bytes), 2)
    store.checkpoint_now()
    disk.kill()
    change_block(disk, BOX, at, bytes(8))
    assert damage_in(disk)[0] == f"DAMAGE: {BOX}, byte 4096: a block of other entries"
    result = repaired(disk)
    assert result.lost == 0
    assert "the block at byte 4096 says that it has others" in result.lines[0]
    assert len(waiting(open_store(disk, LARGE), "bob")) == 2


def test_a_time_that_no_clock_has_told_is_not_believed() -> None:
    disk = small_store()
    change_block(disk, BOX, 32, bytes(8))
    change_block(disk, BOX, 48 + 6 + 16, (NUMBER_BELIEVED_MAX + 1).to_bytes(8, "big"))
    assert repaired(disk).lost == 0
    assert open_store(disk, LARGE).state.last_received_at_ms < NUMBER_BELIEVED_MAX


def test_a_block_with_more_than_a_block_holds_is_not_made_anew() -> None:
    disk = small_store()
    entries = [
        Entry(each, 0, EntryKind.MESSAGE, bytes(16), 1, "ann", 1, Audience.ONE, 1, 0, bytes(59_000))
        for each in (3, 4)
    ]
    block = close_block(2, 0, [encode_entry(each) for each in entries], 0, 4)
    disk.contents(BOX)[PAGE_BYTES:] = block
    change_account(disk, b"bob", END_OFFSET, len(block))
    assert any("no whole block begins" in line for line in repaired(disk).lines)


@pytest.mark.parametrize("end", [HOLE_BYTES_MAX + 2 * PAGE_BYTES, 1 << 50])
def test_a_checkpoint_does_not_go_on_where_no_file_can(end: int) -> None:
    disk = small_store()
    change_account(disk, b"bob", END_OFFSET, end)
    with pytest.raises(StoreDamaged, match=f"it cannot go on at {end}") as caught:
        open_store(disk, LARGE)
    assert caught.value.file == BOX
    assert not disk.handles
    repaired(disk)


@pytest.mark.parametrize("end", [HOLE_BYTES_MAX - PAGE_BYTES, HOLE_BYTES_MAX + PAGE_BYTES])
def test_a_checkpoint_goes_on_where_a_disk_may_have_room(end: int) -> None:
    """A mailbox may have lost its end, however much stood there that is not fetched yet."""
    disk = small_store()
    disk.quota_bytes = 64 << 20  # SimDisk has no holes
    assert disk.size(disk.open(BOX, writable=False)) == 2 * PAGE_BYTES
    change_account(disk, b"bob", END_OFFSET, end)
    with pytest.raises(StoreNoRoom):
        open_store(disk, LARGE)


def test_an_account_that_is_closing_since_a_record_to_come() -> None:
    disk = small_store()
    change_account(disk, b"bob", CLOSING, 99)
    assert "an account with numbers that cannot be" in damage_in(disk)[0]
    with pytest.raises(StoreDamaged, match="an account with numbers that cannot be"):
        open_store(disk, LARGE)
    repaired(disk)
