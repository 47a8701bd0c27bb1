"""A folder with forged values under right checksums, and what must be true of it all the same: a
start takes it or names the damage; fsck names at least what a start does; a repair ends, takes
little room, and leaves a folder that is sound and serves.
"""

from contextlib import suppress
from copy import deepcopy
from dataclasses import replace

from store.entry import EntryKind
from store.errors import StoreError, StoreFromTheFuture
from store.fsck import fsck
from store.limits import PAGE_BYTES
from store.manifest import MANIFEST
from store.repair import Repaired, repair
from tests.sim.sim_disk import SimDisk
from tests.store.forgery import reseal, size_of
from tests.store.support import LARGE, message_id, open_store, waiting
from tests.store.workload import Day, every_record

SETTINGS = replace(LARGE, journal_segment_bytes=64 * 1024, batch_bytes_max=32 * 1024)
BLOCKS = (b"MSGB", b"MSGC", b"MSGT")
GROWTH_BYTES_MAX = 1 << 20


def day_of(disk: SimDisk) -> None:
    """A day with every kind of record, before a checkpoint and after it; then the server dies."""
    every_record(Day(open_store(disk, SETTINGS), lambda _: None))
    disk.kill()
    disk.quota_bytes = 64 << 20  # SimDisk has no holes: who makes a large one meets a full disk


def files_of(disk: SimDisk) -> list[str]:
    """The files that hold anything, in order."""
    return [
        *(
            f"{folder}/{name}"
            for folder in sorted(disk.tree)
            if folder.startswith(("accounts", "mailboxes/", "journal"))
            for name in sorted(disk.tree[folder].cache)
        ),
        MANIFEST,
    ]


def change_value(disk: SimDisk, path: str, part: int, at: int, value: bytes) -> None:
    """Other bytes in the header of a file (part 0) or in one of its blocks, under a right checksum.
    What is too high begins anew at 0.
    """
    data = disk.contents(path)
    starts = [each for each in range(0, len(data), PAGE_BYTES) if data[each : each + 4] in BLOCKS]
    start = [0, *starts][part % (len(starts) + 1)]
    first = 16 if start else 20
    place = start + first + at % (size_of(disk, path, start) - first)
    data[place : place + len(value)] = value
    reseal(disk, path, start, size_of(disk, path, start))


def damage_in(disk: SimDisk) -> list[str]:
    """What fsck calls damage."""
    return [str(each) for each in fsck(disk) if not each.harmless]


def serve(disk: SimDisk) -> None:
    """A start, everything that waits, something new for everybody, and fsck has nothing to say."""
    store = open_store(disk, SETTINGS)
    state = store.state
    for name in state.names:
        account = state.by_name[name]
        kinds = [kind for _, kind, _, _ in waiting(store, name)]
        messages = kinds.count(EntryKind.MESSAGE)
        assert messages == account.messages_waiting(state)
        assert len(kinds) - messages == account.outcomes_waiting
    names = [name for name in state.names if not state.by_name[name].closing]
    if not names:  # all are about to go
        return
    sender = state.by_name[names[0]]
    for counter, name in enumerate(names):
        store.accept(sender, message_id(counter, b"afterwar"), [state.by_name[name]], b"NEW", 5)
    store.accept_for_everyone(sender, message_id(99, b"afterwar"), b"ALL", 5)
    store.commit()
    for is_saved in (False, True):
        for name in names:
            bodies = [body for _, _, body, _ in waiting(store, name)]
            assert bodies.count(b"NEW") == 1, (name, is_saved)
            assert bodies.count(b"ALL") == (name != names[0]), (name, is_saved)
        store.checkpoint_now()
    store.close()
    assert damage_in(disk) == []


def mend(disk: SimDisk) -> Repaired:
    """A repair of what fsck has found, that takes little room. Raises StoreFromTheFuture."""
    before = disk.used_bytes()
    result = repair(disk)
    assert result is not None
    disk.used_known = None
    assert disk.used_bytes() < 3 * before + GROWTH_BYTES_MAX
    assert damage_in(disk) == []
    serve(deepcopy(disk))
    return result


def judge(disk: SimDisk) -> bool:
    """Whatever was forged: all of the module's text. Gives whether there was anything to mend."""
    damage = damage_in(disk)
    if not damage:
        serve(disk)
        return False
    with suppress(StoreError):
        open_store(deepcopy(disk), SETTINGS)
    with suppress(StoreFromTheFuture):  # use a newer msgd
        mend(disk)
    return True
