"""Opening a data folder: made new when it is empty, recovered when it is not.

Recovery reads MANIFEST, the accounts log and the journal, applies what the journal says, and then
runs a whole checkpoint, so that everything it replayed is written again and synced, whatever the
page cache pretends. It never writes to a segment that it found. Doing it twice, or being cut off
in the middle and doing it again, gives the same state.

Must never take a folder that lost its MANIFEST for a new one. Fails with the StoreError family.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from store.accounts_log import AccountsLog, find_leftovers
from store.checkpoint import Checkpoint
from store.core import RESERVE, Core
from store.disk import Disk, DiskFull
from store.errors import StoreDamaged, StoreNoRoom
from store.judgement import apply_batch, judge_end
from store.limits import PAGE_BYTES
from store.mailbox import MAILBOX_TEMPORARY
from store.manifest import MANIFEST, Manifest, read_manifest, replace_manifest
from store.settings import Settings, StoreClock

Result = TypeVar("Result")

FOLDERS = ("journal", "accounts", "mailboxes", "torn")


def open_core(
    disk: Disk, clock: StoreClock, entropy: Callable[[int], bytes], settings: Settings
) -> Core:
    """A folder that is locked already, ready to serve. Raises StoreError."""
    try:
        manifest = read_manifest(disk)
        if manifest is None:
            manifest = make_store(disk, entropy)
        else:
            need_folders(disk)
            disk.sync_folder("")  # its name may be newer in the cache than on the platter
        core = Core(disk=disk, clock=clock, entropy=entropy, settings=settings, manifest=manifest)
        load_accounts(core)
        replay(core)
        core.leftovers, left_alone = find_leftovers(disk, manifest.store_id, manifest.accounts_file)
        core.findings += left_alone
        names = disk.list("")
        core.reserve_intact = RESERVE in names
        if MAILBOX_TEMPORARY in names:  # of a compaction that was cut off
            core.leftovers.append(MAILBOX_TEMPORARY)
        start(core)
    except DiskFull as error:
        raise StoreNoRoom(f"the disk is full, so recovery cannot finish: {error}") from error
    with suppress(DiskFull):
        if not core.reserve_intact:
            core.make_reserve()
    return core


def make_store(disk: Disk, entropy: Callable[[int], bytes]) -> Manifest:
    """A new store in a folder with nothing of value in it."""
    names = disk.list("")
    for folder in FOLDERS:
        if folder in names:
            refuse_remains(disk, folder)
        disk.make_folder(folder)
    disk.sync_folder("")
    store_id = entropy(16)
    log = AccountsLog.create(disk, store_id, 1)
    manifest = Manifest(
        store_id=store_id,
        generation=1,
        next_number=1,
        last_received_at_ms=0,
        replay_lsn=1,
        replay_crc=0,
        accounts_file=1,
        accounts_bytes=log.length,
        accounts_blocks=log.blocks,
        segments=(),
    )
    replace_manifest(disk, manifest)
    return manifest


def need_folders(disk: Disk) -> None:
    """All folders must be there, but for the one that nothing rests on. Raises StoreDamaged."""
    names = disk.list("")
    for folder in FOLDERS:
        if folder not in names:
            if folder != "torn":
                raise StoreDamaged(folder, 0, "the folder is missing")
            disk.make_folder(folder)


def refuse_remains(disk: Disk, folder: str) -> None:
    """Without a MANIFEST there may be only what an unfinished beginning leaves."""
    reason = f"it is missing, but {folder}/ is not empty"
    names = disk.list(folder)
    if folder != "accounts" and names:
        raise StoreDamaged(MANIFEST, 0, reason)
    for name in names:
        handle = disk.open(f"{folder}/{name}", writable=False)
        size = disk.size(handle)
        disk.close(handle)
        if size > PAGE_BYTES:
            raise StoreDamaged(MANIFEST, 0, reason)


def load_accounts(core: Core) -> None:
    """The state as of the last checkpoint."""
    state = core.state
    saved = core.accounts_log.load()
    state.use(saved.table)
    state.everyone = saved.everyone
    state.registry = saved.registry
    state.deleted = saved.tombstones  # their mailboxes may not have been removed yet
    state.next_number = core.manifest.next_number
    state.last_received_at_ms = core.manifest.last_received_at_ms


def replay(core: Core) -> None:
    """What happened since the last checkpoint."""
    state = core.state
    for batch in core.journal.replay():
        apply_batch(state, batch)
    judge_end(state, core.accounts_log.path)
    state.accounts.end_loading()
    core.past.keep_torn()
    core.findings += core.past.findings


def start(core: Core) -> None:
    """A segment of our own, and everything that was replayed written again. Raises DiskFull."""
    retry_once(core, lambda: core.journal.start(core.state.next_number))
    checkpoint = Checkpoint(core)
    while not retry_once(core, checkpoint.step):
        pass


def retry_once(core: Core, action: Callable[[], Result]) -> Result:
    """Do it, giving up the reserve if there is no room otherwise. Raises DiskFull."""
    try:
        return action()
    except DiskFull:
        if not core.give_up_reserve():
            raise
    return action()
