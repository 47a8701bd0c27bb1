"""Scripted days of a small store, each made to go through one part of the code in small steps.

Must never let two moments of a day look the same, nor depend on anything but its script.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from store.errors import StoreFailure, StoreNoRoom
from store.journal_segment import BATCH, encode_batch
from store.limits import PAGE_BYTES
from store.records import MESSAGE_TLV, encode_created
from store.settings import Settings
from tests.crash.run import TINY, Run
from tests.crash.trace_disk import EMPTY, TraceDisk


def mail(run: Run) -> None:
    """One, several, everyone; receipts; rotation; a clean end."""
    run.create("alice", "bob", "carol")
    run.commit()
    run.send("alice", ["bob"], b"one")
    run.commit()
    run.send("bob", ["alice", "carol", "bob"], b"several, and to myself")
    run.send("carol", None, b"to everyone")
    run.commit()
    run.settle("bob", 2)
    run.commit()
    for size in (10, 5000, 7000, 20, 4500, 7500, 6000):
        run.send("alice", ["bob", "carol"], b"r" * size)
        run.settle("carol", 1)
        run.commit()
        run.send("carol", None, b"e" * (size // 2))
        run.settle("bob", 1, skip=1)
        run.commit()
    run.settle("alice", 3)
    run.touch("alice")
    run.commit()
    run.store.close()


def turns(run: Run) -> None:
    """More than a batch in one turn, so that a commit may be cut off between two batches."""
    run.create("alice", "bob")
    run.commit()
    for turn in range(3):
        for size in (3000, 6000, 7000, 100, 7900, 2000):
            run.send("alice", ["bob"] if size % 3 else None, b"%d" % turn * size)
        run.settle("bob", 2)
        run.commit()
    run.checkpoint()
    run.settle("bob", 100)
    run.commit()


def deletion(run: Run) -> None:
    """Accounts go, with and without force, and come back under the same name."""
    run.create("alice", "bob", "carol", "dave")
    run.send("alice", ["dave", "bob"], b"waits")
    run.send("dave", ["carol"], b"from dave")
    run.send("bob", None, b"for all")
    run.commit()
    run.checkpoint()
    run.begin_deletion("dave")
    run.commit()
    run.send("alice", None, b"dave does not get this")
    run.settle("dave", 100, discarded=True)
    run.commit()
    run.delete("dave")
    run.commit()
    run.create("dave")
    run.send("alice", ["dave"], b"to the new dave")
    run.commit()
    run.checkpoint()
    run.settle("carol", 100)
    run.begin_deletion("carol")
    run.delete("carol")
    run.commit()
    run.settle("alice", 100)
    run.commit()
    run.checkpoint()
    run.create("carol")
    run.commit()
    run.settle("dave", 100)
    run.delete("dave")
    run.commit()
    run.restart()
    run.checkpoint()
    run.work_on()


def slices(run: Run) -> None:
    """Checkpoints go on in slices while people go on."""
    run.create("alice", "bob", "carol")
    run.send("alice", ["bob"], b"x" * 3000)
    run.commit()
    for turn in range(14):
        if turn % 7 == 0:
            run.pass_time()
        run.work()
        run.send("bob", ["alice", "bob"], b"while it runs %d" % turn)
        if turn % 2 == 0:
            run.send("alice", None, b"while it runs, everyone")
            run.settle("alice", 1)
            run.settle("bob", 1)
        if turn == 2:
            run.create("erin")
        if turn == 8:
            run.settle("erin", 100, discarded=True)
            run.delete("erin")
        run.commit()
    run.checkpoint()


def compaction(run: Run) -> None:
    """A mailbox and everyone's lose their settled front; blocks that matter stay."""
    run.create("alice", "bob")
    run.commit()
    for number in range(20):
        run.send("alice", ["bob"] if number % 2 else None, b"%02d" % number * 3700)
        run.commit()
    run.checkpoint()
    run.settle("bob", 1000)
    run.settle("alice", 1000)
    run.commit()
    for number in range(4):
        run.send("alice", None if number % 2 else ["bob"], b"%02d" % number * 3500)
        run.settle("bob", 1000)
        run.commit()
    run.checkpoint()
    run.pass_time()
    run.work_on()
    for _ in range(2):
        run.send("alice", None, b"after compaction")
        run.send("alice", ["bob"], b"after compaction")
        run.commit()
        run.checkpoint()
        run.work_on()
    run.settle("bob", 1)
    run.commit()


def accounts(run: Run) -> None:
    """The accounts log grows, and is written anew."""
    run.create("alice", "bob", "carol")
    run.commit()
    for turn in range(5):
        run.touch("alice")
        run.send("alice", ["bob"], b"turn %d" % turn)
        if turn == 2:
            run.delete("carol")
        if turn == 3:
            run.create("carol")
        run.commit()
        run.checkpoint()
    run.settle("bob", 3)
    run.commit()
    run.checkpoint()


def full(run: Run) -> None:
    """The disk is full: the reserve goes, no segment can be made ready, and it heals."""
    run.create("alice", "bob", "carol")
    run.send("alice", ["bob"], b"x" * 3000)
    run.commit()
    run.work_on()
    run.disk.quota_bytes = run.disk.used_bytes() + 9000
    for turn in range(4):
        run.send("alice", ["bob"], b"%d" % turn * 2500)
        run.settle("bob", 1, skip=1)
        run.pass_time()
        run.work_on()
    run.settle("bob", 100)
    run.pass_time()
    run.work_on()
    run.disk.quota_bytes = 1 << 40
    run.pass_time()
    run.work_on()
    run.send("bob", ["alice", "carol"], b"there is room again")
    run.pass_time()
    run.work_on()


def given_up(run: Run) -> None:
    """The disk is full in the middle of a checkpoint, which is given up, and made again later."""
    run.create("alice", "bob", "carol", "dave")
    run.work_on()
    run.send("carol", ["alice", "bob"], b"x" * 3000)
    run.send("alice", ["dave"], b"the only thing that dave is ever sent")
    run.delete("carol")
    run.commit()
    run.pass_time()
    run.disk.quota_bytes = run.disk.used_bytes() + 6000
    run.work_on()
    run.send("alice", ["bob"], b"sent to a full disk")
    run.commit()
    run.pass_time()
    run.work_on()
    run.disk.quota_bytes = 1 << 40
    run.pass_time()
    run.work_on()
    run.send("bob", ["alice"], b"there is room again")
    run.commit()
    run.restart()
    run.settle("bob", 1)
    run.commit()


def kept(run: Run) -> None:
    """Compaction of a large queue of which somebody still needs the end."""
    run.create("alice", "bob", "carol")
    for number in range(27):
        run.send("alice", None, b"%02d" % number * 20_000)
        if number % 3 == 2:
            run.commit()
    for word in (b"settled", b"not by carol", b"by nobody"):
        run.send("alice", None, word)
    run.checkpoint()
    run.settle("bob", 29)
    run.settle("carol", 28)
    run.checkpoint()
    run.work_on()
    run.send("alice", None, b"after compaction")
    run.checkpoint()
    run.settle("carol", 2)
    run.commit()


def restarts(run: Run) -> None:
    """The process ends without the machine, at clean and unclean moments."""
    run.create("alice", "bob")
    run.commit()
    run.send("alice", ["bob"], b"before")
    run.commit()
    run.restart()
    run.send("bob", ["alice"], b"between")
    run.commit()
    run.send("bob", ["alice"], b"never committed")
    run.restart()
    run.counter += 1
    run.send("alice", None, b"y" * 6000)
    run.commit()
    run.store.close()
    run.open()
    run.settle("bob", 1)
    run.commit()
    run.restart()
    run.restart()
    run.settle("bob", 10)
    run.commit()


def forgery(run: Run) -> None:
    """Somebody sends bytes that look like batches, and guesses the nonce."""
    run.create("alice", "mallory")
    run.commit()
    first_page = PAGE_BYTES - BATCH.size - MESSAGE_TLV.size - len(b"mallory") - 8
    for segment in (1, 2, 2, 3):
        lsn, number = run.store.open_lsn, run.store.state.next_number
        forged, _ = encode_batch(
            lsn=lsn + 1,
            first_number=number + 1,
            records=[encode_created(1, 0, 0, 0, "eve")],
            prev_crc=0,
            segment=segment,
            nonce=0,
            wall_ms=0,
        )
        run.send("mallory", ["alice"], bytes(first_page) + forged)
        run.commit()
    run.settle("alice", 2)
    run.commit()
    run.restart()
    run.checkpoint()


def recalls(run: Run) -> None:
    """Sessions, and messages taken back: from tails, from files, from everyone, and around them."""
    run.create("alice", "bob", "carol")
    run.begin_session("bob")
    run.send("alice", ["bob", "carol"], b"both")
    run.send("alice", ["bob"], b"stays")
    run.commit()
    run.recall("alice", 1, "bob", "carol")
    run.commit()
    run.send("alice", None, b"everyone, one")
    run.send("alice", None, b"everyone, two")
    run.send("alice", ["alice", "bob"], b"myself too")
    run.end_session("bob", 9)
    run.checkpoint()
    run.recall_from_all("alice", 3, "carol")
    run.recall("alice", 5, "alice", "bob")
    run.commit()
    run.restart()
    run.settle("bob", 2)
    run.begin_session("carol")
    run.commit()
    run.checkpoint()
    run.settle("carol", 2)
    run.recall_from_all("alice", 4)
    run.send("bob", None, b"everyone, three")
    run.commit()
    run.restart()
    run.begin_session("carol")
    run.settle("carol", 100)
    run.settle("alice", 2)
    run.begin_deletion("bob")
    run.commit()
    run.settle("bob", 100, discarded=True)
    run.delete("bob")
    run.commit()
    run.checkpoint()


def passwords(run: Run) -> None:
    """Invites are used up, passwords change, names stay reserved, senders are blocked, also over
    checkpoints.
    """
    run.create("alice")
    run.invite("one", "two", "three")
    run.commit()
    run.register("bob", "bob's password", "one")
    run.register("carol", "carol's password")
    run.send("bob", ["alice", "carol"], b"with a password")
    run.block("alice", "bob", "carol")
    run.block("carol", "bob")
    run.commit()
    run.checkpoint()
    run.block("alice", "carol")
    run.set_password("alice", "the first")
    run.begin_session("bob")
    run.commit()
    run.set_password("alice", "the second")
    run.set_password("carol", None)
    run.register("dave", "dave's password", "two")
    run.block("dave", "alice")
    run.block("carol")
    run.commit()
    run.restart()
    run.settle("carol", 1)
    run.begin_deletion("carol")
    run.delete("carol", 1 << 50)
    run.commit()
    run.pass_time()
    run.work()
    run.delete("dave", 1 << 51)
    run.invite("four")
    run.commit()
    run.work_on()
    run.create("dave")
    run.register("erin", "erin's password", "four")
    run.set_password("bob", None)
    run.commit()
    run.restart()
    run.checkpoint()
    run.set_password("dave", "dave's new one")
    run.commit()


DAYS: Final[dict[str, tuple[Callable[[Run], None], Settings]]] = {
    "mail": (mail, TINY),
    "turns": (turns, replace(TINY, journal_segment_bytes=16 * 1024 + 4096)),
    "deletion": (deletion, TINY),
    "slices": (slices, TINY),
    "compaction": (compaction, replace(TINY, journal_segment_bytes=64 * 1024)),
    "accounts": (accounts, replace(TINY, accounts_garbage_bytes_min=8192)),
    "full": (full, TINY),
    "given_up": (given_up, TINY),
    "kept": (kept, replace(TINY, journal_segment_bytes=1 << 18, batch_bytes_max=1 << 17)),
    "restarts": (restarts, TINY),
    "forgery": (forgery, TINY),
    "recalls": (recalls, TINY),
    "passwords": (passwords, TINY),
}


def record(name: str, *, fail_sync_at: int = -1) -> Run:
    """Run a day. With `fail_sync_at` the sync at that operation fails, and a new process starts on
    what the page cache shows.
    """
    day, settings = DAYS[name]
    disk = TraceDisk(EMPTY)
    disk.fail_sync_at = fail_sync_at
    run = Run(name, settings, disk)
    try:
        run.open()
        day(run)
    except StoreFailure:
        if fail_sync_at < 0:
            raise
        run.failed_at = len(disk.ops)
        try:
            run.restart()
        except StoreNoRoom:  # it said so; somebody makes room
            disk.quota_bytes = 1 << 40
            run.restart()
    return run
