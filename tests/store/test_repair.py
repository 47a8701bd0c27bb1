"""Damage of every kind, one repair, and an account of every message."""

from collections.abc import Callable
from random import Random

import pytest

from store.disk import DiskFull
from store.errors import StoreDamaged, StoreNoRoom
from store.fsck import fsck
from store.manifest import MANIFEST, REPAIR, decode_manifest
from store.repair import Repaired, repair
from tests.examples import some
from tests.sim.sim_disk import PowerCut, SimDisk
from tests.store.support import (
    TINY,
    crashed_store,
    journal_in_use,
    message_id,
    new_disk,
    open_store,
    picture,
    waiting,
)

NAMES = ("ann", "bob", "cat", "dan")
Entries = dict[tuple[str, int], bytes]


def busy_store(seed: int = 1, kind: type[SimDisk] = SimDisk) -> SimDisk:
    """Mailboxes of several blocks, everyone's queue, settled entries, a journal of some batches."""
    disk = kind(Random(seed))
    store = open_store(disk, TINY)
    rng = Random(seed)
    people = [store.create_account(name, 1) for name in NAMES[:3]]
    for turn in range(60):
        sender = people[turn % 3]
        body = turn.to_bytes(4, "big") * rng.choice([1, 300, 2000])
        if turn % 10 == 9:
            store.accept_for_everyone(sender, message_id(turn), body, turn)
        else:
            others = [people[(turn + 1) % 3], people[turn % 2]]
            unique = list({each.number: each for each in others}.values())
            store.accept(sender, message_id(turn), unique, body, turn)
        store.commit()
        if turn % 15 == 14:
            reader = store.reader(people[1], 0, None)
            store.settle(people[1], reader.read(4, 1 << 20), turn)
            store.commit()
        if turn in {20, 35, 50}:
            store.checkpoint_now()
    dan = store.create_account("dan", 61)
    store.commit()
    store.accept(people[0], message_id(100), [dan, people[1]], b"for dan", 62)
    store.commit()
    disk.kill()
    return disk


def entries_in(disk: SimDisk) -> Entries:
    """(user, number) and body of everything that waits; the disk is put back afterwards."""
    store = open_store(disk, TINY)
    found = {
        (name, number): body
        for name in store.state.names
        for number, _, body, _ in waiting(store, name)
    }
    disk.kill()
    return found


def repaired(disk: SimDisk) -> Repaired:
    found = repair(disk)
    assert found is not None
    assert [each for each in fsck(disk) if not each.harmless] == []
    assert repair(disk) is None, "a repaired folder is sound"
    kept = bytes(disk.contents(f"{found.folder}/report.txt")).decode()
    assert kept.splitlines() == list(found.lines)
    return found


EXPECTED = entries_in(busy_store())
MAILBOXES = sorted(path for path in busy_store().files() if path.endswith(".mailbox"))
ACCOUNTS = next(path for path in busy_store().files() if path.endswith(".accounts"))


def account_for(found: Entries, result: Repaired) -> None:
    """What is missing is in the report; what came back is in doubt."""
    for key, body in found.items():
        assert EXPECTED.get(key, body) == body
    missing = EXPECTED.keys() - found.keys()
    if missing:
        assert result.lost or result.doubts, missing
    if found.keys() - EXPECTED.keys():
        assert result.doubts, found.keys() - EXPECTED.keys()


def test_a_sound_folder_is_left_alone() -> None:
    disk = busy_store()
    before = disk.calls
    assert repair(disk) is None
    assert disk.calls == before
    assert len(EXPECTED) > 60


@pytest.mark.parametrize("path", MAILBOXES)
def test_damage_in_a_block_of_a_mailbox_costs_only_that_block(path: str) -> None:
    disk = busy_store()
    size = len(disk.contents(path))
    if size <= 4096:
        return
    whole = bytes(disk.contents(path))
    disk.damage(path, 4096 + 70, 4)
    result = repaired(disk)
    assert bytes(disk.contents(f"{result.folder}/{path}"))[:4096] == whole[:4096]
    found = entries_in(disk)
    account_for(found, result)
    assert found.keys() <= EXPECTED.keys()
    owner = int(path[-24:-8], 16)
    lost = EXPECTED.keys() - found.keys()
    assert all(f"number {number}" in "\n".join(result.lines) for _, number in lost)
    assert owner == 0 or len({name for name, _ in lost}) <= 1


@pytest.mark.parametrize("path", MAILBOXES)
@pytest.mark.parametrize("place", [0, 30, 4096, 4100])
def test_damage_of_a_header_or_of_a_head_is_mended(path: str, place: int) -> None:
    disk = busy_store()
    if place < len(disk.contents(path)):
        disk.damage(path, place, 0xFF)
        result = repaired(disk)
        account_for(entries_in(disk), result)
        if place < 4096:
            assert entries_in(disk) == EXPECTED


@pytest.mark.parametrize("path", MAILBOXES)
def test_a_mailbox_that_is_missing_is_made_anew(path: str) -> None:
    disk = busy_store()
    disk.remove(path)
    result = repaired(disk)
    found = entries_in(disk)
    account_for(found, result)
    if len(found) < len(EXPECTED):
        assert result.lost > 0


def test_a_bad_header_of_the_accounts_log_costs_nothing() -> None:
    disk = busy_store()
    disk.damage(ACCOUNTS, 25, 1)
    repaired(disk)
    assert EXPECTED.items() <= entries_in(disk).items()


def test_any_damage_of_the_accounts_log_loses_no_message() -> None:
    size = len(busy_store().contents(ACCOUNTS))
    for place in some(range(0, size, 1021)):
        disk = busy_store()
        disk.damage(ACCOUNTS, place, 0xFF)
        if result := repair(disk):
            found = entries_in(disk)
            account_for(found, result)
            assert EXPECTED.items() <= found.items(), place


@pytest.mark.parametrize("path", [MANIFEST, ACCOUNTS])
def test_without_manifest_or_accounts_log_no_message_is_lost(path: str) -> None:
    for remove in (True, False):
        disk = busy_store()
        if remove:
            disk.remove(path)
        else:
            disk.damage(path, 22, 0xFF)
        result = repaired(disk)
        found = entries_in(disk)
        account_for(found, result)
        assert EXPECTED.items() <= found.items()
        if path == MANIFEST or remove:
            assert result.doubts >= len(NAMES) - 1


def test_damage_in_the_middle_of_the_journal_keeps_what_stands_behind() -> None:
    disk = busy_store()
    path = journal_in_use(disk)
    disk.damage(path, 4096 + 64 + 20, 0xFF)
    with pytest.raises(StoreDamaged):
        open_store(disk, TINY)
    disk.kill()
    result = repaired(disk)
    found = entries_in(disk)
    account_for(found, result)
    assert any("journal batches" in line for line in result.lines)
    assert len(EXPECTED.keys() - found.keys()) < 4
    assert ("dan", max(number for name, number in EXPECTED if name == "dan")) in found


def test_every_page_of_the_journal_is_damaged_once() -> None:
    for path in [each for each in busy_store().files() if each.endswith(".journal")]:
        for place in some(range(0, len(busy_store().contents(path)), 4096), 4):
            disk = busy_store()
            disk.damage(path, place + 9, 0xFF)
            if result := repair(disk):
                account_for(entries_in(disk), result)


def test_a_missing_segment_is_a_line() -> None:
    disk = busy_store()
    path = journal_in_use(disk)
    disk.remove(path)
    result = repaired(disk)
    account_for(entries_in(disk), result)
    assert f"damage: {path}, byte 0: it is missing" in result.lines


def test_a_repaired_server_gives_out_no_number_twice() -> None:
    disk = busy_store()
    highest = max(number for _, number in EXPECTED)
    disk.remove(MANIFEST)
    repaired(disk)
    store = open_store(disk, TINY)
    assert store.state.next_number > highest + (1 << 31)
    ann = store.state.by_name["ann"]
    store.accept(ann, message_id(500), [ann], b"afterwards", 99)
    store.commit()
    disk.kill()
    store = open_store(disk, TINY)
    assert waiting(store, "ann")[-1][2] == b"afterwards"
    store.checkpoint_now()
    assert picture(store)
    store.close()
    assert [each for each in fsck(disk) if not each.harmless] == []


DAMAGES: dict[str, Callable[[SimDisk], None]] = {
    "mailbox": lambda disk: disk.damage(MAILBOXES[1], 4096 + 60, 1),
    "accounts": lambda disk: disk.damage(ACCOUNTS, 4096 + 60, 1),
    "manifest": lambda disk: disk.damage(MANIFEST, 30, 1),
    "journal": lambda disk: disk.damage(journal_in_use(disk), 4096 + 80, 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_that_is_cut_off_anywhere_is_done_again(damage: str) -> None:
    disk = busy_store()
    DAMAGES[damage](disk)
    begun = disk.calls
    repaired(disk)
    steps = disk.calls - begun
    expected = entries_in(disk)
    for cut in some(range(1, steps + 1, 3), 4):
        disk = busy_store()
        DAMAGES[damage](disk)
        disk.cut_at = disk.calls + cut
        with pytest.raises(PowerCut):
            repair(disk)
        disk.crash()
        if REPAIR in disk.files():
            with pytest.raises(StoreDamaged, match="repair was cut off"):
                open_store(disk, TINY)
            disk.kill()
        repair(disk)
        assert [each for each in fsck(disk) if not each.harmless] == []
        assert entries_in(disk) == expected, cut


def test_without_room_nothing_is_changed() -> None:
    disk = busy_store()
    disk.damage(MAILBOXES[1], 4096 + 60, 1)
    for spare in (0, 40_000, 90_000, 150_000):
        before = {path: bytes(disk.contents(path)) for path in disk.files()}
        disk.quota_bytes = disk.used_bytes() + spare
        with pytest.raises(StoreNoRoom, match="make room"):
            repair(disk)
        if REPAIR in disk.files():
            break
        for path, data in before.items():
            assert bytes(disk.contents(path)) == data
    disk.quota_bytes = 1 << 40
    repaired(disk)


def test_without_room_in_the_middle_it_goes_on_later() -> None:
    disk = busy_store()
    disk.damage(MAILBOXES[1], 4096 + 60, 1)
    disk.fail_only, disk.fail_at, disk.fail_error = "create accounts", 1, DiskFull
    with pytest.raises(StoreNoRoom, match="finish"):
        repair(disk)
    assert REPAIR in disk.files()
    repaired(disk)


class BadSectors(SimDisk):
    """Unreadable is a file, not its name: who takes the name can be read."""

    def rename(self, old: str, new: str) -> None:
        super().rename(old, new)
        self.unreadable.discard(new)


def test_what_the_disk_cannot_read_is_damage() -> None:
    disk = busy_store(1, BadSectors)
    disk.unreadable.add(MAILBOXES[1])
    result = repair(disk)
    assert result is not None
    assert any("the disk cannot read it" in line for line in result.lines)
    assert not disk.unreadable
    assert [each for each in fsck(disk) if not each.harmless] == []
    account_for(entries_in(disk), result)


def test_a_folder_of_nothing_cannot_be_repaired() -> None:
    with pytest.raises(StoreDamaged, match="which store"):
        repair(new_disk())


def test_folders_that_are_missing_are_made() -> None:
    for folder in ("journal", "accounts", "mailboxes", "torn"):
        disk = busy_store()
        del disk.tree[folder]
        for name in [each for each in disk.tree if each.startswith(folder)]:
            del disk.tree[name]
        disk.tree[""].folders.discard(folder)
        disk.tree[""].durable_folders.discard(folder)
        if folder == "torn":
            assert repair(disk) is None
            continue
        result = repaired(disk)
        account_for(entries_in(disk), result)


def test_many_accounts_take_several_blocks() -> None:
    disk = new_disk()
    store = open_store(disk, TINY)
    for number in range(2000):
        store.create_account(f"user{number}", 1)
        if number % 500 == 499:
            store.commit()
    store.commit()
    names = store.state.names
    disk.kill()
    disk.damage(MANIFEST, 30, 1)
    repaired(disk)
    assert open_store(disk, TINY).state.names == names


def test_a_torn_tail_beside_the_damage_is_told() -> None:
    disk = crashed_store()
    path = journal_in_use(disk)
    disk.damage(path, 4096 + 2 * 4096 + 70, 1)
    disk.damage(ACCOUNTS_OF_CRASHED, 4096 + 60, 1)
    result = repaired(disk)
    assert any(line.startswith("in doubt: message") for line in result.lines)


ACCOUNTS_OF_CRASHED = "accounts/0000000000000001.accounts"


def test_a_spare_segment_that_cannot_be_read_is_named_and_replaced() -> None:
    disk = busy_store()
    named = {number for number, _ in decode_manifest(bytes(disk.contents(MANIFEST))).segments}
    spares = [
        path
        for path in disk.files()
        if path.endswith(".journal") and int(path[8:24], 16) not in named
    ]
    assert spares, "checkpoints have let go of segments"
    for page in (0, 1):
        for spare in spares:
            disk.inode(spare).bad_pages = {page}
        (note, *_) = [each for each in fsck(disk) if spares[0] in str(each)]
        assert note.harmless
        assert repair(disk) is None
        store = open_store(disk, TINY)
        assert [each for each in store.findings if f"{spares[0]} cannot be read" in each]
        disk.kill()
        assert set(spares) <= set(disk.files())
    assert entries_in(disk) == EXPECTED


def test_a_segment_with_two_names_is_salvaged_once() -> None:
    disk = busy_store()
    names = disk.tree["journal"].cache
    names["00000000000000aa.journal"] = names[journal_in_use(disk)[8:]]
    disk.damage(MANIFEST, 25, 1)
    result = repaired(disk)
    account_for(entries_in(disk), result)
