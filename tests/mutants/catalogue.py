"""The patches. Each breaks one rule, and each must be noticed.

Must never hold a patch that breaks nothing: what is equivalent to the original proves nothing.
"""

from typing import Final, NamedTuple

JOURNAL: Final = "store/journal_file.py"
SEGMENT: Final = "store/journal_segment.py"
REPLAY: Final = "store/journal_replay.py"
CHECKPOINT: Final = "store/checkpoint.py"
ACCOUNTS: Final = "store/accounts_log.py"
MANIFEST: Final = "store/manifest.py"
STATE: Final = "store/state.py"
STORE: Final = "store/store.py"
REACTOR: Final = "msgd/reactor.py"


class Edit(NamedTuple):
    """Text that stands exactly once in a file, and what stands there instead."""

    file: str
    old: str
    new: str


class Mutant(NamedTuple):
    """One broken rule."""

    name: str
    rule: str
    edits: tuple[Edit, ...]
    by: str = "crash"  # who should see it first: crash (states) or sim(ulation)


def mutant(name: str, rule: str, file: str, old: str, new: str, by: str = "crash") -> Mutant:  # noqa: PLR0917  # a table
    return Mutant(name, rule, (Edit(file, old, new),), by)


MUTANTS: Final = (
    mutant(
        "no-fdatasync",
        "a batch is synced before its commit returns",
        JOURNAL,
        "        self.disk.sync_data(self.handle)\n",
        "",
    ),
    mutant(
        "every-second-fdatasync",
        "every batch is synced",
        JOURNAL,
        "        self.disk.sync_data(self.handle)\n",
        "        if self.commits % 2:\n            self.disk.sync_data(self.handle)\n",
    ),
    mutant(
        "acknowledge-before-fdatasync",
        "a batch counts as durable after its sync, not before its write",
        JOURNAL,
        "        self.disk.sync_data(self.handle)\n",
        "        if records is not self.records:\n            self.disk.sync_data(self.handle)\n",
    ),
    mutant(
        "overlapping-batches",
        "batch k is synced before batch k+1 is written",
        JOURNAL,
        "        self.disk.sync_data(self.handle)\n",
        "        if records is self.records:\n            self.disk.sync_data(self.handle)\n",
    ),
    mutant(
        "retry-failed-fsync",
        "a failed sync is never tried again",
        JOURNAL,
        "        self.disk.sync_data(self.handle)\n",
        "        try:\n            self.disk.sync_data(self.handle)\n"
        "        except DiskError:\n            self.disk.sync_data(self.handle)\n",
    ),
    mutant(
        "ignore-failed-fsync",
        "a failed sync ends the process",
        JOURNAL,
        "        self.disk.sync_data(self.handle)\n",
        "        with suppress(DiskError):\n            self.disk.sync_data(self.handle)\n",
    ),
    mutant(
        "nonce-reused",
        "each use of a segment has a nonce that nobody can guess",
        JOURNAL,
        'int.from_bytes(self.entropy(8), "big")',
        "0",
    ),
    mutant(
        "no-sync-of-journal-folder",
        "a segment's name is durable before MANIFEST names it",
        JOURNAL,
        '        self.disk.sync_folder("journal")\n',
        "",
    ),
    mutant(
        "no-sync-of-new-segment",
        "a new segment is synced before it takes its name",
        JOURNAL,
        "            self.disk.write_at(handle, 0, header)\n            self.disk.sync(handle)\n"
        "        except DiskFull:",
        "            self.disk.write_at(handle, 0, header)\n        except DiskFull:",
    ),
    mutant(
        "no-sync-of-recycled-segment",
        "the new header of an old segment is synced before it takes its name",
        JOURNAL,
        "                self.disk.write_at(handle, 0, header)\n"
        "                self.disk.sync(handle)\n",
        "                self.disk.write_at(handle, 0, header)\n",
    ),
    mutant(
        "segment-without-manifest",
        "a segment is named in MANIFEST before a batch goes into it",
        JOURNAL,
        "            self.publish()\n        except DiskFull:",
        "            pass\n        except DiskFull:",
    ),
    mutant(
        "batches-written-twice",
        "what was committed is forgotten",
        JOURNAL,
        "        self.full.clear()\n        self.records = []\n",
        "        self.records = []\n",
    ),
    mutant(
        "spares-without-limit",
        "unused segments are bounded",
        JOURNAL,
        "if len(self.spares) <= SEGMENTS_SPARE_MAX:",
        "if len(self.spares) <= 1 << 30:",
    ),
    Mutant(
        "batches-share-pages",
        "nothing in a page that holds acknowledged data is written in place",
        (
            Edit(
                SEGMENT,
                'return padded(b"".join((BATCH_MAGIC, CRC.pack(crc), head, payload))), crc',
                'return b"".join((BATCH_MAGIC, CRC.pack(crc), head, payload)), crc',
            ),
            Edit(
                SEGMENT,
                "    total_bytes = pages(BATCH.size + payload_bytes)\n",
                "    total_bytes = BATCH.size + payload_bytes\n",
            ),
        ),
    ),
    mutant(
        "batch-without-checksum",
        "a batch is believed only with its checksum",
        SEGMENT,
        "    if crc32(payload, crc32(head[8:])) != crc:\n        return None\n",
        "",
    ),
    mutant(
        "stale-batches-believed",
        "what an earlier use of a segment left is no batch",
        SEGMENT,
        "if magic != BATCH_MAGIC or number != segment or found_nonce != nonce:",
        "if magic != BATCH_MAGIC:",
    ),
    mutant(
        "torn-is-damage",
        "an unfinished last batch is no damage",
        REPLAY,
        "        if torn is not None:\n",
        '        if torn is not None:\n            raise StoreDamaged("journal", 0, "torn")\n'
        "        if torn is not None:\n",
    ),
    mutant(
        "stops-at-first-segment",
        "replay goes through all live segments",
        REPLAY,
        "        for number, nonce in self.live:\n            path = segment_path(number)\n",
        "        for number, nonce in self.live[:1]:\n            path = segment_path(number)\n",
    ),
    mutant(
        "recycle-early",
        "a segment is let go only after MANIFEST does without it",
        CHECKPOINT,
        "        journal = core.journal\n        core.publish(\n",
        "        journal = core.journal\n        journal.release(self.replay_lsn)\n"
        "        core.publish(\n",
    ),
    mutant(
        "no-sync-of-mailbox",
        "a mailbox is synced before MANIFEST counts it",
        CHECKPOINT,
        "            core.disk.sync(handle)\n",
        "",
    ),
    mutant(
        "no-sync-of-mailbox-folder",
        "a new mailbox's name is durable before MANIFEST counts it",
        CHECKPOINT,
        "        core.disk.sync_folder(folder)\n",
        "",
    ),
    mutant(
        "no-sync-of-mailboxes",
        "a new folder is durable before anything in it counts",
        CHECKPOINT,
        '            self.mark_unsynced("mailboxes")\n',
        "",
    ),
    mutant(
        "append-behind-leftovers",
        "what an unfinished checkpoint left is written over",
        CHECKPOINT,
        "            offset = max(queue.end_offset, base)\n            piece",
        "            offset = base + core.disk.size(handle) - PAGE_BYTES\n            piece",
    ),
    mutant(
        "skip-what-seems-written",
        "recovery writes again what the page cache shows already",
        CHECKPOINT,
        "            core.disk.write_at(handle, PAGE_BYTES + offset - base, data)\n",
        "            if core.disk.size(handle) < PAGE_BYTES + offset - base + len(data):\n"
        "                core.disk.write_at(handle, PAGE_BYTES + offset - base, data)\n",
    ),
    mutant(
        "no-sync-of-accounts-block",
        "a block of the accounts log is synced before MANIFEST counts it",
        ACCOUNTS,
        "            self.disk.write_at(handle, self.length, data)\n"
        "            self.disk.sync(handle)\n",
        "            self.disk.write_at(handle, self.length, data)\n",
    ),
    mutant(
        "no-sync-of-new-accounts-log",
        "a new accounts log's name is durable before MANIFEST names it",
        ACCOUNTS,
        '        disk.sync_folder("accounts")\n',
        "",
    ),
    mutant(
        "trust-the-length-of-a-file",
        "the accounts log is trusted only as far as MANIFEST says",
        ACCOUNTS,
        "            while offset < self.length:\n",
        "            while offset < self.disk.size(handle):\n",
    ),
    mutant(
        "no-sync-of-manifest",
        "MANIFEST is synced before it takes its name",
        MANIFEST,
        "        disk.sync(handle)\n",
        "",
    ),
    mutant(
        "no-sync-of-root",
        "MANIFEST's name is durable before anything rests on it",
        MANIFEST,
        '    disk.sync_folder("")\n',
        "",
    ),
    mutant(
        "manifest-in-place",
        "MANIFEST is replaced, never written in place",
        MANIFEST,
        'MANIFEST_TEMPORARY: Final = "MANIFEST.tmp"',
        'MANIFEST_TEMPORARY: Final = "MANIFEST"',
    ),
    mutant(
        "manifest-only-in-the-cache",
        "a start makes the MANIFEST that it found durable first",
        "store/recovery.py",
        '            disk.sync_folder("")',
        "            pass",
    ),
    mutant(
        "recovery-without-checkpoint",
        "recovery writes everything that it replayed again",
        "store/recovery.py",
        "    while not retry_once(core, checkpoint.step):\n        pass\n",
        "    assert checkpoint\n",
    ),
    Mutant(
        "no-sync-of-compacted-mailbox",
        "a compacted mailbox is synced before it takes the name",
        (
            Edit(
                "store/compaction.py",
                "                disk.sync(handle)  # each time",
                "                pass  # each time",
            ),
            Edit(
                "store/compaction.py",
                "            disk.sync(handle)\n        finally:\n",
                "        finally:\n",
            ),
        ),
    ),
    mutant(
        "no-sync-after-compaction",
        "the folder of a compacted mailbox is synced",
        "store/compaction.py",
        "        disk.sync_folder(mailbox_folder(self.number))\n",
        "",
    ),
    mutant(
        "compaction-moves-offsets",
        "compaction changes no offset that anybody remembers",
        "store/compaction.py",
        "box.header._replace(base=start)",
        "box.header",
    ),
    mutant(
        "duplicate-window-forgotten",
        "whoever sends again is not heard twice: the window survives a restart",
        "store/account_codec.py",
        "        account.windows[installation] = Window(",
        "        _ = Window(",
    ),
    Mutant(
        "two-users-one-file",
        "every queue has a file of its own",
        (
            Edit("store/mailbox.py", '{number:016x}.mailbox"', '{number & 0xFE:016x}.mailbox"'),
            Edit("store/mailbox.py", "{number & 0xFF:02x}", "{number & 0xFE:02x}"),
        ),
    ),
    mutant(
        "no-tombstones",
        "a deleted account stays deleted",
        STATE,
        "        self.deleted[fields.account] = None\n",
        "",
    ),
    mutant(
        "replayed-twice",
        "a record is skipped for an account that was saved after it",
        STATE,
        "            if number > account.stamp:\n                queue = account.queue\n",
        "            if number:\n                queue = account.queue\n",
    ),
    mutant(
        "receipts-not-journaled",
        "a receipt is a record like any other",
        STORE,
        "        self.journal.append(record, len(settlements))\n",
        "",
    ),
    mutant(
        "numbers-used-again",
        "a settled message takes a number for its outcome",
        STORE,
        "        self.journal.append(record, len(settlements))\n",
        "        self.journal.append(record, 1)\n",
    ),
    Mutant(
        "answers-before-commit",
        "nobody is told before it is durable",
        (
            Edit(
                REACTOR,
                "        self._store.commit()\n        # 4.",
                "        self._release(now)\n        self._store.commit()\n        # 4.",
            ),
            Edit(
                REACTOR,
                "durable_lsn = self._store.durable_lsn",
                "durable_lsn = self._store.pending_lsn",
            ),
        ),
        by="sim",
    ),
    mutant(
        "retry-accepted-anew",
        "a message that was accepted is not queued again",
        "msgd/exchange_sending.py",
        "        verdict = store.check_window(sender, installation, counter)\n",
        "        verdict = NEW\n",
        by="sim",
    ),
)
