"""The simulation as a test: seeds that must be good, the same every time, and able to fail."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.sim.sim_disk import SimDisk
from tests.sim.simulate import MINUTES, Totals, report, simulate
from tests.sim.world import Outcome, World

ROOT = Path(__file__).resolve().parents[2]

ONCE_BAD: tuple[int, ...] = ()
"""Every seed that ever found a defect stays here."""


class ForgetfulDisk(SimDisk):
    """A disk that says it has synced, and has not."""

    def sync_data(self, handle: int) -> None:
        self.step("sync that lies")


def one(seed: int) -> Outcome:
    return simulate(seed, MINUTES)


@pytest.mark.parametrize("seed", [1, 2, *ONCE_BAD])
def test_a_storm_loses_doubles_and_disorders_nothing(seed: int) -> None:
    outcome = World(seed, 2 * 60_000).run()
    assert outcome.verdict.sentences == []


def test_the_same_seed_gives_the_same_trace() -> None:
    traces = {World(7, 60_000).run().trace_hash for _ in range(2)}
    assert len(traces) == 1


def test_another_seed_gives_another_trace() -> None:
    assert World(7, 60_000).run().trace_hash != World(8, 60_000).run().trace_hash


@pytest.mark.slow
def test_the_trace_does_not_depend_on_the_process() -> None:
    """Sets are ordered by hash, and hashes differ from process to process."""
    program = "from tests.sim.world import World;print(World(7, 60_000).run().trace_hash)"
    traces = set()
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env=environment,
            text=True,
        )
        traces.add(run.stdout)
    assert len(traces) == 1


@pytest.mark.slow
def test_the_oracle_sees_what_a_lying_disk_loses() -> None:
    """A test that cannot fail proves nothing: with syncs that lie, the verdict must be bad."""
    sentences = [
        sentence
        for seed in range(5)
        for sentence in World(seed, 5 * 60_000, ForgetfulDisk).run().verdict.sentences
    ]
    assert sentences


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_two_hundred_seeds() -> None:
    totals = Totals()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(one, range(200)):
            report(outcome, totals)
    print(totals.line())
    assert totals.failed == 0
    assert totals.crashes > 1_000
    assert totals.accepted > 50_000
