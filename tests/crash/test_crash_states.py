"""The crash states at a small size: nothing is broken, every pair is met, and it can fail."""

from random import Random

import pytest

from store.disk import DiskFull
from store.settings import Settings
from store.store import Store
from tests.crash.crash_states import main
from tests.crash.explore import Job, explore
from tests.crash.judge import Judge
from tests.crash.model import Model
from tests.crash.platter import Choice, Platter
from tests.crash.run import Clock, Entropy, Run
from tests.crash.states import MODES, all_of_each
from tests.crash.trace_disk import CREATE, EMPTY, TraceDisk
from tests.crash.workloads import DAYS, mail, record


def walked(disk: TraceDisk) -> Platter:
    platter = Platter(EMPTY)
    for op in disk.ops:
        platter.apply(op)
    return platter


def test_every_day_ends_as_the_model_says() -> None:
    for day in DAYS:
        run = record(day)
        disk = TraceDisk(run.disk.image())
        Store.open(disk, Clock(), Entropy("again"), run.settings)
        judge = Judge(run)
        digest, image = walked(run.disk).compose(walked(run.disk).everything())
        last = len(run.history) - 1
        assert judge.verdict(digest, image, last, last) == ("", ""), day


def test_the_day_of_compaction_compacts_both_files() -> None:
    assert record("compaction").store.keeper.compactions == 2


def test_the_day_of_a_large_queue_keeps_what_is_needed() -> None:
    run = record("kept")
    assert run.store.keeper.compactions == 1
    base = run.store.state.everyone.queue.base
    assert 0 < base < run.store.state.everyone.queue.end_offset


def test_a_checkpoint_is_given_up() -> None:
    run = record("given_up")
    made = [op.path for op in run.disk.ops if op.kind == CREATE and op.path.endswith(".mailbox")]
    assert len(made) > len(set(made)), "one begun twice"


def test_a_day_is_the_same_every_time() -> None:
    assert record("slices").disk.ops == record("slices").disk.ops


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    disk = TraceDisk(EMPTY)
    handle = disk.create("file")
    disk.write_at(handle, 0, b"a" * 5000)
    disk.sync(handle)
    disk.sync_folder("")
    disk.write_at(handle, 0, b"b" * 5000)
    platter = walked(disk)
    assert platter.compose(platter.nothing())[1].files == {"file": b"a" * 5000}
    assert platter.compose(platter.everything())[1].files == {"file": b"b" * 5000}
    contents = {
        platter.compose(choice)[1].files["file"]
        for mode, choice in all_of_each(platter, Random(0))
        if mode == "M2"
    }
    assert contents == {a * 4096 + b * 904 for a in (b"a", b"b") for b in (b"a", b"b")}


def test_sizes_names_and_folders_decide_for_themselves() -> None:
    disk = TraceDisk(EMPTY)
    disk.make_folder("folder")
    handle = disk.create("folder/new")
    disk.write_at(handle, 0, b"x" * 100)
    platter = walked(disk)
    images = [platter.compose(choice)[1] for _, choice in all_of_each(platter, Random(0))]
    seen = {image.files.get("folder/new") for image in images}
    assert {None, b"", bytes(100), b"x" * 100} <= seen
    assert {"folder" in image.folders for image in images} == {True, False}


def test_a_failed_sync_leaves_pages_that_are_never_written() -> None:
    disk = TraceDisk(EMPTY)
    handle = disk.create("file")
    disk.sync_folder("")
    disk.write_at(handle, 0, b"x")
    disk.fail_sync_at = len(disk.ops)
    with pytest.raises(OSError, match="sync failed"):
        disk.sync(handle)
    assert disk.read_at(handle, 0, 9) == b"x"
    platter = walked(disk)
    assert platter.compose(platter.everything())[1].files == {"file": b""}


def test_a_full_disk_takes_what_fits() -> None:
    disk = TraceDisk(EMPTY)
    handle = disk.create("file")
    disk.quota_bytes = 10
    with pytest.raises(DiskFull):
        disk.write_at(handle, 0, b"x" * 11)
    assert disk.size(handle) == 10


def test_the_modes_are_all_met() -> None:
    found = explore(Job("deletion", 0, 0, 130, 0))
    assert {mode for _, _, mode in found.pairs} == {*MODES, "M9", "M10", "M11"}
    assert found.wanted <= found.pairs
    assert not found.violations


class LyingDisk(TraceDisk):
    """Says that it synced the data, and did not."""

    def sync_data(self, handle: int) -> None:
        pass


def test_a_disk_that_lies_is_noticed() -> None:
    """A test that cannot fail proves nothing."""
    run = Run("mail", DAYS["mail"][1], LyingDisk(EMPTY))
    run.open()
    mail(run)
    judge = Judge(run)
    platter = Platter(EMPTY)
    kinds = set()
    for step, op in enumerate(run.disk.ops, 1):
        platter.apply(op)
        choice: Choice = platter.nothing()
        kinds.add(judge.verdict(*platter.compose(choice), *run.allowed(step))[0])
    assert "lost" in kinds


def test_the_judge_tells_what_is_wrong() -> None:
    run = record("restarts")
    judge = Judge(run)
    assert judge.verdict(1, EMPTY, 1, 1)[0] == "lost"
    digest, image = walked(run.disk).compose(walked(run.disk).everything())
    assert judge.verdict(digest, image, 0, 1)[0] == "doubled"
    del image.files["MANIFEST"]
    assert judge.verdict(digest + 1, image, 0, 1)[0] == "refused"
    model = Model()
    model.create("alice", 1)
    model.send("alice", ["alice"], bytes(16), b"", 2)
    model.people["alice"].queue *= 2
    assert judge.explain(model.picture())[1] == "doubled"
    assert judge.explain(Model().picture())[1] == "lost"


@pytest.mark.slow
def test_a_few_thousand_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--states", "4000"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert "lost=0 doubled=0 refused=0 changed=0" in line


def test_settings_are_small() -> None:
    assert all(settings.journal_segment_bytes <= 1 << 18 for _, settings in DAYS.values())
    assert isinstance(DAYS["mail"][1], Settings)


def test_a_sync_that_is_tried_again_syncs_nothing() -> None:
    disk = TraceDisk(EMPTY)
    handle = disk.create("file")
    disk.write_at(handle, 0, b"old" * 2000)
    disk.sync(handle)
    disk.sync_folder("")
    disk.write_at(handle, 0, b"new")
    disk.fail_sync_at = len(disk.ops)
    with pytest.raises(OSError, match="sync failed"):
        disk.sync(handle)
    disk.sync(handle)
    platter = walked(disk)
    assert platter.compose(platter.everything())[1].files == {"file": b"old" * 2000}
