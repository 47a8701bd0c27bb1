"""The patches apply, differ, and one of them is caught."""

from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.patches import Edit, Mutant, apply, mutant
from tests.mutants.run import ROOT, copy_tree, hunt


def test_every_patch_applies(tmp_path: Path) -> None:
    problems = []
    for each in MUTANTS:
        for edit in each.edits:
            file = edit.where.partition(":")[0]
            path = tmp_path / file
            path.parent.mkdir(exist_ok=True)
            path.write_text((ROOT / file).read_text())
        problem = apply(each, tmp_path)
        if problem:
            problems.append(f"{each.name}: {problem}")
    assert not problems, "\n".join(problems)


SOURCE = """\
class A:
    def f(self) -> None:
        self.disk.sync(
            self.handle
        )  # why
        g()

    def h(self) -> None:
        self.disk.sync(self.handle)
"""


def test_spaces_and_lines_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    patch = mutant("x", "", "a.py:f", "self.disk.sync(self.handle)", "if g():\n    pass")
    assert apply(patch, tmp_path) == ""
    text = (tmp_path / "a.py").read_text()
    assert "        if g():\n            pass  # why\n        g()\n" in text
    assert "self.disk.sync(self.handle)" in text


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (Edit("b.py", "x", "y"), "b.py is not there"),
        (Edit("a.py:k", "g()", ""), "a.py:k has no such function"),
        (Edit("a.py:h", "disk.write()", ""), "a.py:h has no such text"),
        (Edit("a.py", "self.disk.sync(self.handle)", "pass"), "a.py has the text more than once"),
        (Edit("a.py:f", "g()", "g("), "a.py:f is no Python"),
    ],
)
def test_a_patch_that_does_not_fit_is_said_so(edit: Edit, problem: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    assert apply(Mutant("x", "", (edit,)), tmp_path).startswith(problem)


def test_a_patch_that_was_applied_does_not_fit_again(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    assert apply(MUTANTS[0], tmp_path) == ""
    assert "no such text" in apply(MUTANTS[0], tmp_path)


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
