"""The simulation as a test: seeds that must be good, the same every time, and able to fail."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.sim.kinds import KINDS
from tests.sim.once_bad import ONCE_BAD
from tests.sim.sim_disk import SimDisk
from tests.sim.simulate import MINUTES, Totals, report, simulate
from tests.sim.world import INDEXED_SEEDS, Outcome, World

ROOT = Path(__file__).resolve().parents[2]


class ForgetfulDisk(SimDisk):
    """A disk that says it has synced, and has not."""

    def sync_data(self, handle: int) -> None:
        self.step("sync that lies")


def one(seed: int) -> Outcome:
    return simulate(seed, MINUTES)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_loses_doubles_and_disorders_nothing(seed: int) -> None:
    outcome = World(seed, 2 * 60_000).run()
    assert outcome.verdict.sentences == []


def test_the_same_seed_gives_the_same_trace() -> None:
    traces = {World(7, 60_000).run().trace_hash for _ in range(2)}
    assert len(traces) == 1


def test_another_seed_gives_another_trace() -> None:
    assert World(7, 60_000).run().trace_hash != World(8, 60_000).run().trace_hash


def test_the_trace_does_not_depend_on_the_index_of_words() -> None:
    """So it may be left out of most worlds."""
    seed = 2 * INDEXED_SEEDS
    with_index, without = World(seed, 60_000), World(seed, 60_000)
    for user in without.users:
        user.archive._search._database.has_search = False
    assert with_index.run().trace_hash == without.run().trace_hash


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


class UnseenRot(SimDisk):
    """Bits rot, and nobody knows where: what the server says of it must be a surprise."""

    def damage(self, path: str, offset: int, mask: int) -> None:
        self.contents(path)[offset] ^= mask


@pytest.mark.slow
@pytest.mark.parametrize("seed", list(ONCE_BAD))
def test_a_seed_that_was_once_bad_stays_good(seed: int) -> None:
    assert simulate(seed, MINUTES).verdict.sentences == [], ONCE_BAD[seed]


@pytest.mark.slow
def test_damage_that_nobody_did_is_a_violation() -> None:
    sentences = (
        sentence
        for seed in range(50)  # one in four finds it
        for sentence in World(seed, 5 * 60_000, UnseenRot).run().verdict.sentences
    )
    assert any("damage that there is not" in sentence for sentence in sentences)


def test_kinds_that_never_happened_are_told() -> None:
    totals = Totals()
    assert totals.missing() == KINDS
    totals.counts.update(dict.fromkeys(KINDS[1:], 1))
    assert totals.missing() == KINDS[:1]
    assert f"{KINDS[0]}=0" in totals.kinds()


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_two_hundred_seeds() -> None:
    totals = Totals()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(one, range(200)):
            report(outcome, totals)
    print(totals.line())
    assert totals.failed == 0
    assert not totals.missing(), "nothing is proven about what never happens"
    assert totals.crashes > 1_000
    assert totals.accepted > 30_000
