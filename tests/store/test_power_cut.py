"""The power goes at every disk operation of a scripted day; recovery is judged against what the
same day looked like without a power cut: acknowledged is there, nothing is doubled, order is kept.
"""

import errno
from random import Random

import pytest

from store.disk import DiskError, DiskFailure, DiskFull
from store.errors import StoreDamaged, StoreFailure, StoreForbidden, StoreNoRoom
from store.mailbox import mailbox_path
from tests.examples import some
from tests.sim.sim_disk import PowerCut, SimDisk
from tests.store.support import open_store, picture
from tests.store.workload import Day


def reference() -> tuple[list[list[object]], int, list[str]]:
    """After each commit: what the day may look like, the last being when all of it was done (a
    commit of more than a batch's worth may be cut off between two); and all disk operations.
    """
    disk = SimDisk(Random(0))
    store = open_store(disk)
    pictures: list[list[object]] = [[picture(store)], []]
    before: list[tuple[int, object]] = [(store.open_lsn, None)]

    def note(what: str) -> None:
        if what == "done":
            pictures.append([])
            before[0] = (store.open_lsn, None)
            return
        now = (store.open_lsn, picture(store))
        if what == "begin":
            pictures[-1].append(now[1])
        elif now[0] != before[0][0]:
            pictures[-1].append(before[0][1])
        before[0] = now

    Day(store, note).run()
    return pictures, disk.calls, disk.trace


PICTURES, CALLS, TRACE = reference()


def allowed(done: int, begun: int) -> list[object]:
    """What may be there when so many commits returned and so many began."""
    return [PICTURES[done][-1], *[each for some in PICTURES[done + 1 : begun + 1] for each in some]]


def run_until_cut(disk: SimDisk) -> tuple[int, int]:
    """(commits that returned, commits that began)."""
    counts = {"begin": 0, "change": 0, "done": 0}

    def note(what: str) -> None:
        counts[what] += 1

    try:
        Day(open_store(disk), note).run()
    except PowerCut:
        disk.cut_at = -1
    return counts["done"], counts["begin"]


def judge(cut_at: int, seed: int) -> None:
    disk = SimDisk(Random(seed * 100_003 + cut_at))
    disk.cut_at = cut_at
    done, begun = run_until_cut(disk)
    disk.crash()
    # the power may go again while recovery is at work
    disk.cut_at = disk.calls + disk.rng.randrange(1, 40)
    try:
        open_store(disk)
    except PowerCut:
        disk.crash()
    else:
        disk.kill()
    disk.cut_at = -1
    store = open_store(disk)
    first = picture(store)
    assert first in allowed(done, begun), (cut_at, TRACE[cut_at - 1])
    store.commit()
    disk.crash()
    store = open_store(disk)
    assert picture(store) == first, "a recovery of a recovery changed something"
    account = store.create_account("zoe", 1)
    store.commit()
    disk.crash()
    store = open_store(disk)
    assert store.state.by_name["zoe"].number == account.number
    store.close()


def test_the_day_meets_everything_it_should() -> None:
    text = "\n".join(TRACE)
    assert "mailbox.tmp" in text
    assert "remove mailboxes" in text
    assert CALLS > 200


@pytest.mark.parametrize("start", range(8))
def test_every_operation(start: int) -> None:
    for cut_at in some(range(1 + start, CALLS + 1, 8), 6):
        judge(cut_at, 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_every_operation_with_other_luck(seed: int) -> None:
    for cut_at in range(1, CALLS + 1):
        judge(cut_at, seed)


@pytest.mark.parametrize("kill_at", some(range(1, 400, 7)))
def test_a_killed_process_finds_its_page_cache(kill_at: int) -> None:
    disk = SimDisk(Random(kill_at))
    disk.cut_at = kill_at
    done, begun = run_until_cut(disk)
    disk.kill()
    assert picture(open_store(disk)) in allowed(done, begun)


def test_a_failed_sync_is_fatal_and_loses_nothing_acknowledged() -> None:
    for fail_at in some(range(1, 120), 4):
        disk = SimDisk(Random(fail_at))
        disk.fail_only, disk.fail_at = "sync", fail_at
        counts = {"begin": 0, "change": 0, "done": 0}

        def note(what: str, counts: dict[str, int] = counts) -> None:
            counts[what] += 1

        try:
            Day(open_store(disk), note).run()
        except StoreFailure:
            pass
        else:
            break
        disk.kill()  # the process ends; the page cache still shows what the platter lacks
        disk.fail_at = -1
        store = open_store(disk)
        first = picture(store)
        assert first in allowed(counts["done"], counts["begin"])
        disk.crash()
        assert picture(open_store(disk)) == first
    assert fail_at > 50


def test_a_manifest_that_only_the_cache_knows_is_made_durable_first() -> None:
    """The process ends between the renaming of MANIFEST and the sync of its folder. The next one
    sees the new MANIFEST and uses old segments again; a power cut then must not bring the old back.
    """
    for fail_at in some(range(1, sum(each == "sync_folder ." for each in TRACE) + 1), 2):
        for cut_after in some(range(1, 12)):
            disk = SimDisk(Random(fail_at * 100 + cut_after))
            disk.fail_only, disk.fail_at = "sync_folder .", fail_at
            counts = {"begin": 0, "change": 0, "done": 0}

            def note(what: str, counts: dict[str, int] = counts) -> None:
                counts[what] += 1

            with pytest.raises(StoreFailure):
                Day(open_store(disk), note).run()
            disk.kill()
            disk.cut_at = disk.calls + cut_after
            with pytest.raises(PowerCut):
                open_store(disk)
            disk.crash()
            assert picture(open_store(disk)) in allowed(counts["done"], counts["begin"])


def test_no_room_at_any_write_changes_nothing_that_was_promised() -> None:
    """One DiskFull: the day goes on and ends as always, unless there is nowhere to commit to."""
    for fail_at in some(range(1, sum(each.startswith("write") for each in TRACE) + 1)):
        disk = SimDisk(Random(fail_at))
        disk.fail_only, disk.fail_at, disk.fail_error = "write", fail_at, DiskFull
        done, begun = 0, 0
        try:
            done, begun = run_until_cut(disk)
            assert done + 1 == len(PICTURES) - 1
        except StoreFailure:
            assert "journal" in disk.trace[-1], "only a commit may not wait for room"
            begun = len(PICTURES) - 1
        except StoreNoRoom:
            assert disk.calls < 40, "only at the start"
        disk.kill()
        disk.fail_at = -1
        assert picture(open_store(disk)) in allowed(done, begun)


class StubbornDisk(SimDisk):
    """Calls of one path fail, with the error of the moment."""

    stubborn = ""
    error: type[DiskError] = DiskFull

    def lock(self, path: str) -> None:
        if path == self.stubborn:
            raise self.error(5, path)
        super().lock(path)

    def open(self, path: str, *, writable: bool) -> int:
        if path == self.stubborn:
            raise self.error(5, path)
        return super().open(path, writable=writable)


def test_a_folder_that_cannot_be_locked_is_a_failure_in_words() -> None:
    disk = StubbornDisk(Random(1))
    disk.stubborn = "LOCK"
    with pytest.raises(StoreFailure, match="cannot be locked"):
        open_store(disk)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_folder_that_may_not_be_written_to_is_for_a_human(number: int) -> None:
    class ForbiddenDisk(SimDisk):
        def lock(self, path: str) -> None:
            raise DiskFailure(number, path)

    with pytest.raises(StoreForbidden, match="able to write to its data folder") as caught:
        open_store(ForbiddenDisk(Random(1)))
    assert caught.value.exit_code == 78


def test_a_segment_that_cannot_be_opened_leaves_the_old_one_open() -> None:
    disk = StubbornDisk(Random(1))
    store = open_store(disk)
    store.create_account("alice", 1)
    store.commit()
    prepared = store.journal.prepared
    assert prepared is not None
    disk.stubborn = f"journal/{prepared.number:016x}.journal"
    store.checkpoint_now()  # nothing comes of it
    disk.stubborn = ""
    store.create_account("bob", 2)
    store.commit()
    store.checkpoint_now()
    disk.kill()
    assert [*open_store(disk).state.by_name] == ["alice", "bob"]


@pytest.mark.parametrize("error", [DiskFull, DiskFailure])
def test_a_mailbox_that_cannot_be_opened_is_damage_whatever_the_disk_says(
    error: type[DiskError],
) -> None:
    disk = StubbornDisk(Random(1))
    store = open_store(disk)
    alice = store.create_account("alice", 1)
    store.accept(alice, bytes(16), [alice], b"hello", 2)
    store.checkpoint_now()
    disk.error, disk.stubborn = error, mailbox_path(alice.number)
    with pytest.raises(StoreDamaged, match="cannot be opened"):
        store.reader(alice, 0, None).read(1, 1)
