"""Every bound of the store that is not a setting, with its unit in its name.

Must never depend on anything. A number here that reaches the disk is part of the format.
"""

from typing import Final

PAGE_BYTES: Final = 4096  # everything on the disk begins on such a boundary
SECTOR_BYTES: Final = 512  # what a disk writes whole or not at all, at best

FORMAT: Final = 1  # what this program writes
FORMAT_READ_MAX: Final = 1  # the newest `min_reader` that this program obeys

NUMBER_MAX: Final = 1 << 62  # of all that is counted or timed; sums of a few stay below u64

NUMBER_BELIEVED_MAX: Final = NUMBER_MAX // 4  # by a repair, which goes on above what it saw

NAME_BYTES_MAX: Final = 64
BODY_BYTES_MAX: Final = 1 << 20
RECIPIENTS_MAX: Final = 65_536

BLOCK_PAYLOAD_BYTES: Final = 64 * 1024  # a mailbox block is closed when it would grow past this
BLOCK_PAYLOAD_BYTES_MAX: Final = BODY_BYTES_MAX + 4096  # one entry larger than that stands alone
ENTRY_BYTES: Final = 160  # what an entry takes in a mailbox beside its body, at most, about
READ_SLICE_BYTES: Final = 128 * 1024  # what one call of a queue reader reads at most, or one block

SETTLED_RANGES_MAX: Final = 1024

WINDOW_BITS: Final = 1024  # counters below the highest that are remembered (RFC 4303, 3.4.3)
INSTALLATIONS_MAX: Final = 64
INSTALLATION_KEEP_MS: Final = 7 * 24 * 3600 * 1000

CHECKPOINT_SLICE_BYTES: Final = 128 * 1024  # what one slice of a checkpoint writes, about
CHECKPOINT_SLICE_ENTRIES: Final = 1024  # and how many entries
CHECKPOINT_SLICE_FILES: Final = 16  # mailboxes in one slice, where one sync does for all of them
CHECKPOINT_GROUP_BYTES: Final = 256 * 1024  # which is the last of them when so much is written
CHECKPOINT_GROUP_ENTRIES: Final = 2048  # or so many entries
PREALLOCATE_SLICE_BYTES: Final = 256 * 1024  # of a new file's zeros, between two turns
PRESSED_MS_MAX: Final = 4  # a turn's slice grows by up to this before anybody is refused
PRESSED_DEAR_MS_MAX: Final = 250  # the same where each mailbox needs a sync of its own
ACCOUNTS_PER_BLOCK_MAX: Final = 256  # account states in one block of the accounts log

TORN_FILES_MAX: Final = 8
TORN_BYTES_MAX: Final = 16 << 20

COMPACT_DEAD_BYTES_MIN: Final = 1 << 20  # fewer dead bytes than this are left where they are
COMPACT_EMPTY_BYTES_MIN: Final = 64 * 1024  # a queue with nothing in it keeps at most this
RECALLED_FORGET_MIN: Final = 64  # recalls of messages to everyone that make a look worth it
RECALLED_FROM_ALL_MAX: Final = 1024  # of these, kept at once
RECALLED_KEPT_MAX: Final = 8192  # accounts named in all of these together
RECALL_RANGES_MAX: Final = 512  # gaps that recalls may make in a queue; the rest is for receipts
CHECKPOINT_LOOKS_PER_SLICE: Final = 4096  # at accounts that need no copy: 1 ms, measured
COMPACT_FLOORS_PER_SLICE: Final = 256  # accounts looked at in one slice
SEGMENTS_SPARE_MAX: Final = 8  # files kept for the next checkpoints: a flood needs six of them
BLOCKED_MAX: Final = 256  # senders whose messages one account does not take
NAMES_RESERVED_MAX: Final = 5_000  # of deleted accounts; past it the oldest is free again
SECRET_BYTES_MAX: Final = 255
INVITES_MAX: Final = 5_000  # given out and not used
INVITES_AT_ONCE_MAX: Final = 100  # made by one record
AWAITED_ENTRIES_MAX: Final = 30_000  # in all tails; past it none are kept as objects any more
HOT_ACCOUNTS_MAX: Final = 4096  # held awake between two checkpoints: they were written to
SYNC_SAMPLES_MAX: Final = 512
BATCH_BYTES_SHOWN_MAX: Final = 2 << 20  # of a damaged batch, looked through for message ids
HOLE_BYTES_MAX: Final = 1 << 40  # that a mailbox which lost its end may get, where it goes on
LOST_END_BYTES_MAX: Final = 64 << 20  # of a mailbox: a repair fills them up, and believes no more
BACKUP_ROUNDS_MAX: Final = 100  # attempts to copy a folder that changes all the time
FSCK_PROGRESS_MAILBOXES: Final = 1_000  # looked at between two words of progress
FSCK_PROGRESS_ENTRIES: Final = 50_000  # the same, inside a large mailbox
