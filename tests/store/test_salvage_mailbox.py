"""One mailbox file, damaged in every way, and what of it is found again."""

from store.framing import BLOCK
from store.limits import PAGE_BYTES
from store.mailbox import Header, close_block, encode_blocks, mailbox_path
from store.salvage_mailbox import MailboxSalvage, mend
from store.store import Store
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change_block
from tests.store.support import BOX, filled, open_store, waiting

STORE_ID = bytes(16)


def salvage(disk: SimDisk, store: Store, end: int | None = -1) -> MailboxSalvage:
    queue = store.state.by_name["bob"].queue
    return MailboxSalvage(disk, store.store_id, 2, queue.end_offset if end == -1 else end)


def numbers(box: MailboxSalvage) -> list[int]:
    return [entry.number for piece in box.pieces() for entry in piece.entries]


def test_a_sound_file_is_read_whole_with_or_without_a_trusted_end() -> None:
    disk, store = filled()
    for end in (-1, None):
        box = salvage(disk, store, end)
        assert len(numbers(box)) == 40
        assert box.holes == []
        assert box.problem == ""
        assert box.end == store.state.by_name["bob"].queue.end_offset
        box.close()


def test_a_block_that_is_damaged_is_a_hole_and_names_its_entries() -> None:
    disk, store = filled()
    disk.damage(BOX, PAGE_BYTES + 3000, 1)
    box = salvage(disk, store)
    found = numbers(box)
    ((offset, size),) = box.holes
    named = [entry.number for entry in box.damaged_entries(offset, size)]
    assert sorted(found + named) == list(range(3, 43))
    assert box.doubtful == []
    mend(box, box.header or Header(STORE_ID, 2, 0, 0, ""))
    box.close()
    again = salvage(disk, store)
    assert numbers(again) == found
    assert again.holes == []


def test_rubbish_with_a_good_head_names_what_it_can() -> None:
    disk, store = filled()
    disk.contents(BOX)[PAGE_BYTES + BLOCK.size : PAGE_BYTES + BLOCK.size + 2] = b"\x00\x09"
    disk.contents(BOX)[PAGE_BYTES + 9200 : PAGE_BYTES + 30000] = bytes(20800)
    box = salvage(disk, store)
    numbers(box)
    assert [entry.number for entry in box.damaged_entries(*box.holes[0])] == [4]


def test_without_a_header_the_blocks_say_where_they_stand() -> None:
    disk, store = filled()
    disk.damage(BOX, 0, 1)
    disk.damage(BOX, PAGE_BYTES, 1)  # and the first block with it
    box = salvage(disk, store)
    assert box.base == 0
    assert len(numbers(box)) > 30
    disk.contents(BOX)[:] = bytes(PAGE_BYTES + 10)
    for end in (-1, None):
        box = salvage(disk, store, end)
        assert numbers(box) == []
        assert box.problem
    queue = store.state.by_name["bob"].queue
    assert salvage(disk, store).base == queue.end_offset


def test_a_file_of_another_account_is_not_believed() -> None:
    disk, store = filled()
    change_block(disk, BOX, 20 + 16, (77).to_bytes(8, "big"), start=0)
    box = salvage(disk, store)
    assert box.problem == "it belongs to another account or store"
    assert len(numbers(box)) == 40, "but its blocks are this account's"


def test_a_name_that_is_no_text_is_a_bad_header() -> None:
    disk, store = filled(count=1)
    change_block(disk, BOX, 20 + 40, b"\xff", start=0)
    assert "utf-8" in salvage(disk, store).problem


def test_blocks_that_contradict_themselves_are_not_believed() -> None:
    disk, store = filled(count=3, size=40)
    entries = [entry for piece in salvage(disk, store).pieces() for entry in piece.entries]
    twice = encode_blocks(2, 0, [entries[0], entries[0]])
    after = encode_blocks(2, len(twice), [entries[1]])
    older = encode_blocks(2, len(twice) + len(after), [entries[0]])
    newer = encode_blocks(2, len(twice) + len(after) + len(older), [entries[2]])
    disk.contents(BOX)[PAGE_BYTES:] = twice + after + older + newer
    box = salvage(disk, store, None)
    assert numbers(box) == [entries[1].number, entries[2].number]
    assert [size for _, size in box.holes] == [PAGE_BYTES, PAGE_BYTES]


def test_what_stands_inside_a_damaged_block_is_doubtful() -> None:
    disk, store = filled(count=2, size=12_000)
    first, second = (entry for piece in salvage(disk, store).pieces() for entry in piece.entries)
    inner = encode_blocks(2, PAGE_BYTES, [second])
    outer = close_block(2, 0, [bytes(PAGE_BYTES - BLOCK.size), inner], first.number, second.number)
    disk.contents(BOX)[PAGE_BYTES:] = outer
    disk.contents(BOX)[PAGE_BYTES + BLOCK.size] ^= 1
    box = salvage(disk, store, None)
    assert numbers(box) == [second.number]
    assert box.doubtful == [PAGE_BYTES]


def test_a_file_that_ends_too_early_is_filled_up() -> None:
    disk, store = filled()
    store.core.disk.unlock()
    data = disk.contents(BOX)
    del data[len(data) // 2 :]
    box = salvage(disk, store)
    found = numbers(box)
    assert len(box.holes) == 1
    mend(box, box.header or Header(STORE_ID, 2, 0, 0, ""))
    box.close()
    assert len(waiting(open_store(disk), "bob")) == len(found) < 40
    assert mailbox_path(2) == BOX
