"""The patches apply, differ, and one of them is caught."""

from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.run import ROOT, apply, copy_tree, hunt


def test_every_patch_applies(tmp_path: Path) -> None:
    for mutant in MUTANTS:
        for edit in mutant.edits:
            path = tmp_path / edit.file
            path.parent.mkdir(exist_ok=True)
            path.write_text((ROOT / edit.file).read_text())
        assert apply(mutant, tmp_path) == "", mutant.name


def test_a_patch_that_does_not_apply_is_said_so(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    assert apply(MUTANTS[0], tmp_path) == ""
    assert "0 times" in apply(MUTANTS[0], tmp_path)


def test_there_are_enough_and_no_two_alike() -> None:
    assert len(MUTANTS) >= 30
    assert Counter(mutant.edits for mutant in MUTANTS).most_common(1)[0][1] == 1
    assert Counter(mutant.name for mutant in MUTANTS).most_common(1)[0][1] == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_dropped_fdatasync_is_caught() -> None:
    catch = hunt(MUTANTS[0])
    assert (catch.name, catch.by) == ("no-fdatasync", "crash")
    assert catch.words.startswith("FAILED")
