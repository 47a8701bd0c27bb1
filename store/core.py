"""What the parts of a store share: the disk, the state, the journal, the manifest in force.

Must never do anything on its own beyond replacing MANIFEST and giving up the reserve.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from store.accounts_log import AccountsLog
from store.disk import Disk, DiskFull, DiskMissing
from store.journal_file import FileJournal
from store.journal_replay import JournalReplay
from store.manifest import Manifest, replace_manifest
from store.settings import Settings, StoreClock
from store.state import State
from store.together import Together

RESERVE: Final = "reserve"


class Core:
    """The shared parts of one open store."""

    def __init__(
        self,
        *,
        disk: Disk,
        clock: StoreClock,
        entropy: Callable[[int], bytes],
        settings: Settings,
        manifest: Manifest,
    ) -> None:
        self.disk = disk
        self.clock = clock
        self.entropy = entropy
        self.settings = settings
        self.manifest = manifest
        self.store_id = manifest.store_id
        self.together = Together(disk, clock)
        self.state = State(settings.recipient_deleted_code, settings.recalled_code)
        self.findings: list[str] = []
        self.damaged: set[int] = set()  # mailboxes of which `findings` tells
        self.reserve_intact = False
        self.synced_folders: set[str] = set()  # mailbox folders whose names we made durable
        # With names that the next MANIFEST may count on only once they are synced; they outlive a
        # checkpoint that is given up.
        self.unsynced_folders: dict[str, None] = {}
        self.leftovers: list[str] = []  # files that the next checkpoint removes at its end
        self.furthest_behind = (0, 0)  # the account that holds everyone's file, and its floor then
        self.last_commit_us = clock.monotonic_us()
        self.accounts_log = AccountsLog(
            disk,
            manifest.store_id,
            manifest.accounts_file,
            manifest.accounts_bytes,
            manifest.accounts_blocks,
        )
        past = JournalReplay(
            disk,
            manifest.store_id,
            manifest.segments,
            manifest.replay_lsn,
            manifest.replay_crc,
            read_only=False,
        )
        self.past = past
        self.journal = FileJournal(
            disk=disk,
            clock=clock,
            entropy=entropy,
            settings=settings,
            store_id=manifest.store_id,
            past=past,
            publish=self.publish_segments,
            make_room=self.give_up_reserve,
        )

    def publish(self, manifest: Manifest) -> None:
        """Put this manifest in force. Raises DiskFull, and then the old one stands."""
        manifest = replace(manifest, generation=self.manifest.generation + 1)
        replace_manifest(self.disk, manifest)
        self.manifest = manifest

    def publish_segments(self) -> None:
        """Name the journal's live segments in MANIFEST."""
        self.publish(replace(self.manifest, segments=self.journal.live()))

    def tell_damage(self, number: int, finding: str) -> None:
        """A mailbox is damaged: once is enough. Nothing is to be told with ""."""
        if finding and number not in self.damaged:
            self.damaged.add(number)
            self.findings.append(finding)

    def give_up_reserve(self) -> bool:
        """Free the reserve's room for what must not fail; False when it is gone already."""
        if not self.reserve_intact:
            return False
        self.reserve_intact = False
        with suppress(DiskMissing):
            self.disk.remove(RESERVE)
        return True

    def make_reserve(self) -> None:
        """Take room for bad times. Raises DiskFull, and leaves nothing then."""
        with suppress(DiskMissing):
            self.disk.remove(RESERVE)
        handle = self.disk.create(RESERVE)
        try:
            self.disk.preallocate(handle, self.settings.reserve_bytes)
            self.disk.sync(handle)
        except DiskFull:
            self.disk.remove(RESERVE)
            raise
        finally:
            self.disk.close(handle)
        self.reserve_intact = True
