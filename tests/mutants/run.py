"""Run it: `python -m tests.mutants.run [--only NAME ...] [--jobs J]`.

Applies each patch to a copy of the tree and lets the crash states, or the simulation, look at it.
First they must find nothing wrong with a copy that was not changed. Then each patch must be caught;
a patch that no longer applies is an error. The last line counts: `caught=30/30`. Exit 1 when any
escaped.

Must never change the tree that it is run from.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.mutants.catalogue import MUTANTS
from tests.mutants.patches import Mutant, apply

ROOT: Final = Path(__file__).resolve().parents[2]
COPIED: Final = ("wire", "store", "msgd", "msgc", "term", "tests/crash", "tests/sim")
LIMIT_SECONDS: Final = 600
COMMANDS: Final = {
    "crash": ("tests.crash.crash_states", "--states", "12000", "--stop", "--jobs", "1"),
    "sim": ("tests.sim.simulate", "--seeds", "40", "--jobs", "1"),
}


@dataclass(frozen=True, slots=True)
class Catch:
    """What became of one patch."""

    name: str
    by: str  # who saw it, "" when nobody did
    seconds: float
    words: str  # the first violation, or what went wrong
    broken: bool = False  # the patch does not apply


def copy_tree(target: Path) -> None:
    for name in COPIED:
        ignore = shutil.ignore_patterns("__pycache__", "test_*.py")
        shutil.copytree(ROOT / name, target / name, ignore=ignore)


def look(tree: Path, by: str) -> str:
    """The first violation that one of the proofs sees in a copy; "" when it sees none."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(tree)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", *COMMANDS[by]],
            check=False,
            capture_output=True,
            cwd=tree,
            env=environment,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return ""  # a proof that does not end has said nothing
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if done.returncode == 1 and failed:
        return failed[0]
    if done.returncode or failed:  # it fell over: that names no violation, so it counts for nothing
        print(f"{by} ended with {done.returncode}: {done.stderr[-300:]}", file=sys.stderr)
    return ""


def hunt(mutant: Mutant) -> Catch:
    """One patch, from the copy to the verdict."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        problem = apply(mutant, tree)
        if problem:
            return Catch(mutant.name, "", 0.0, problem, broken=True)
        for by in (mutant.by, *(other for other in COMMANDS if other != mutant.by)):
            words = look(tree, by)
            if words:
                return Catch(mutant.name, by, time.monotonic() - begun, words)
    return Catch(mutant.name, "", time.monotonic() - begun, f"ESCAPED: {mutant.rule}")


def untouched_is_good() -> bool:
    """A proof that fails anyway catches nothing."""
    good = True
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        for by in COMMANDS:
            words = look(tree, by)
            if words:
                print(f"FAILED without any patch ({by}): {words}")
                good = False
    return good


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="break each rule, and see that it is noticed")
    parser.add_argument("--only", nargs="+", help="only the patches of these names")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    options = parser.parse_args(arguments)
    mutants = [each for each in MUTANTS if not options.only or each.name in options.only]
    begun = time.monotonic()
    good = bool(mutants) and untouched_is_good()
    caught = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for catch in pool.map(hunt, mutants):
            caught += bool(catch.by)
            good = good and bool(catch.by)
            word = "BROKEN PATCH" if catch.broken else f"caught by {catch.by}" * bool(catch.by)
            print(f"{catch.name}: {word} in {catch.seconds:.0f} s: {catch.words[:160]}", flush=True)
    print(f"seconds={time.monotonic() - begun:.0f} caught={caught}/{len(mutants)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
