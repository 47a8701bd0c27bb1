"""Other values under right checksums, in every kind of file but the journal's: whatever they say,
a start, a checkpoint, the readers and fsck take it or call it damage, and no assertion fails.
"""

from copy import deepcopy
from random import Random

import pytest

from store.errors import StoreDamaged, StoreError
from store.fsck import fsck
from store.limits import NUMBER_MAX, PAGE_BYTES
from store.manifest import MANIFEST
from tests.examples import examples
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import change_block, change_manifest, reseal, size_of
from tests.store.support import ACCOUNTS, BOX, LARGE, crashed_store, open_store, waiting
from tests.store.test_judgement import EXTREME, killed

FORGED = examples(250)
BLOCKS = (b"MSGB", b"MSGC")
TOO_HIGH = bytes([0x80]) + bytes(7)
NUMBERS_AT = 138  # 16 u64, 2 u8 and 2 u32 stand before an account's name


def forge(disk: SimDisk, random: Random) -> None:
    """A few bytes of a header or a block are others."""
    names = [
        f"{folder}/{name}"
        for folder in sorted(disk.tree)
        if folder.startswith(("accounts", "mailboxes/"))
        for name in sorted(disk.tree[folder].cache)
    ]
    path = random.choice([*names, MANIFEST])
    data = disk.contents(path)
    starts = [at for at in range(0, len(data), PAGE_BYTES) if not at or data[at : at + 4] in BLOCKS]
    start = random.choice(starts)
    size = random.choice((1, 2, 4, 8))
    at = start + random.randrange(48 if start else 20, size_of(disk, path, start))
    other = random.choice((*EXTREME, random.getrandbits(64))) % (1 << 8 * size)
    data[at : at + size] = other.to_bytes(size, "big")
    reseal(disk, path, start, size_of(disk, path, start))


def use(disk: SimDisk) -> None:
    """A start, a look at every queue, a checkpoint. Raises StoreError."""
    store = open_store(disk, LARGE)
    for name in tuple(store.state.names):
        try:
            waiting(store, name)
        except StoreDamaged:
            continue
    store.checkpoint_now()


def test_whatever_is_forged_is_taken_or_is_damage() -> None:
    disk, _ = killed()
    random = Random(3)
    refused = 0
    for _ in range(FORGED):
        forged = deepcopy(disk)
        forge(forged, random)
        findings = [each for each in fsck(deepcopy(forged)) if not each.harmless]
        is_refused = False
        try:
            use(forged)
        except StoreError:
            is_refused = True
        assert findings or not is_refused
        refused += is_refused
    assert FORGED // 10 < refused < FORGED


@pytest.mark.parametrize("field", range(16))
def test_a_number_of_an_account_that_is_too_high(field: int) -> None:
    disk = crashed_store()
    accounts = bytes(disk.contents(ACCOUNTS))
    at = accounts.index(b"bob") - NUMBERS_AT - PAGE_BYTES
    change_block(disk, ACCOUNTS, at + 8 * field, TOO_HIGH)
    with pytest.raises(StoreDamaged, match="with numbers that cannot be") as caught:
        open_store(disk)
    assert (caught.value.file, caught.value.offset) == (ACCOUNTS, PAGE_BYTES)


def test_an_end_that_is_further_away_than_any_file() -> None:
    disk = crashed_store()
    at = bytes(disk.contents(ACCOUNTS)).index(b"bob") - NUMBERS_AT - PAGE_BYTES
    change_block(disk, ACCOUNTS, at + 8 * 13, (NUMBER_MAX // 2).to_bytes(8, "big"))
    findings = [str(each) for each in fsck(disk) if not each.harmless]
    assert f"DAMAGE: {BOX}, byte 8192: the file ends in the middle of a block" in findings


@pytest.mark.parametrize("at", [16, 24, 32, 40, 52, 60, 68])
def test_a_number_of_the_manifest_that_is_too_high(at: int) -> None:
    disk = crashed_store()
    change_manifest(disk, at, 1 << 63)
    with pytest.raises(StoreDamaged, match="MANIFEST is damaged at byte 0: it has numbers"):
        open_store(disk)


def test_a_mailbox_that_begins_too_far_away() -> None:
    disk = crashed_store()
    at = 20 + 16 + 8
    change_block(disk, BOX, at, TOO_HIGH, start=0)
    store = open_store(disk)
    with pytest.raises(StoreDamaged, match="its first block cannot be at"):
        waiting(store, "bob")
