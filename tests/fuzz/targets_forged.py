"""A whole data folder in which values are others, and every checksum is right.

Each thirteen bytes of a target's input are one value: which file, which part of it (its header, or
one of its blocks or batches), where in there, and the one to eight bytes that stand there instead.
So what is fuzzed are not the checksums but what looks at values behind them. Fails like
`targets_wire`, or when a file is left open, or when a start or a repair takes too much room.
"""

from copy import deepcopy
from functools import cache
from random import Random
from typing import Final

from store.errors import StoreDamaged, StoreError
from store.fsck import fsck
from store.repair import repair
from store.store import Store
from tests.sim.sim_disk import SimDisk
from tests.store.forged import SETTINGS, change_value, day_of, files_of
from tests.store.support import open_store, waiting

FORGERY_BYTES: Final = 13
FORGERIES_MAX: Final = 4
ROOM_BYTES: Final = 8 << 20
"""Of the disk: SimDisk has no holes, so who makes one of any size meets a full disk."""


@cache
def folder() -> SimDisk:
    """Everything a server writes in a day, killed."""
    disk = SimDisk(Random(1))
    day_of(disk)
    disk.quota_bytes = ROOM_BYTES
    return disk


def forged(data: bytes) -> SimDisk:
    """The same with other values."""
    disk = deepcopy(folder())
    for at in range(0, min(len(data), FORGERIES_MAX * FORGERY_BYTES), FORGERY_BYTES):
        each = data[at : at + FORGERY_BYTES].ljust(FORGERY_BYTES, b"\0")
        files = files_of(disk)
        path = files[each[0] % len(files)]
        place = int.from_bytes(each[2:4], "big")
        change_value(disk, path, each[1], place, each[5 : 6 + each[4] % 8])
    return disk


def use_forged(data: bytes) -> None:
    """fsck, a start, and a repair with another start: each goes well or says what is wrong."""
    disk = forged(data)
    findings = [each for each in fsck(deepcopy(disk)) if not each.harmless]
    assert all(str(each).isprintable() and each.file for each in findings)
    error = start(deepcopy(disk))
    assert findings or error is None, error
    assert not isinstance(error, StoreDamaged) or (error.file and error.offset >= 0)
    if findings:
        try:
            repair(disk)
        except StoreError as refused:
            assert str(refused).isprintable()
            return
        assert not disk.handles, "a file was left open"
        error = start(disk)
        assert error is None, error


def start(disk: SimDisk) -> StoreError | None:
    """What a server does: serve every queue, write everything anew; or end with a sentence."""
    try:
        store = open_store(disk, SETTINGS)
        for name in tuple(store.state.names):
            look(store, name)
        store.checkpoint_now()
        store.close()
    except StoreError as error:
        assert str(error).isprintable()
        return error
    return None


def look(store: Store, name: str) -> None:
    """One user's queue; damage in it is this user's only."""
    try:
        waiting(store, name)
    except StoreDamaged as error:
        assert str(error).isprintable()
