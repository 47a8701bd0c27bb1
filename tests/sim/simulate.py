"""Run seeds: `python -m tests.sim.simulate --seeds N [--from S] [--minutes M]`.

Prints each failing seed with what was violated, and one closing line of figures. Exit 1 when any
seed failed. C-c ends it early, with the figures so far.
"""

import argparse
import gc
import os
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from traceback import format_exc

from msgd.build import BUILD, COMPILED, PURE
from tests.sim.kinds import KINDS
from tests.sim.world import Outcome, World

ENOUGH_SEEDS = 200
"""Among so many each of KINDS must have come up."""
MINUTES = 12
"""How long each storm lasts, in simulated minutes: 0.2 hours."""


@dataclass(slots=True)
class Totals:
    seeds: int = 0
    crashes: int = 0
    accepted: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    failed: int = 0
    unexpected: int = 0
    named: int = 0
    simulated_ms: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        verdict = outcome.verdict
        self.seeds += 1
        self.crashes += outcome.crashes
        self.accepted += verdict.accepted
        self.delivered += verdict.delivered
        self.lost += verdict.lost
        self.duplicated += verdict.duplicated
        self.misordered += verdict.misordered
        self.failed += not verdict.is_good
        self.unexpected += verdict.unexpected
        self.named += verdict.named
        self.counts += outcome.counts
        self.simulated_ms += outcome.simulated_ms

    def kinds(self) -> str:
        """What happened, and how often: one line."""
        parts = [f"{kind}={self.counts[kind]}" for kind in sorted({*KINDS, *self.counts})]
        return "happened: " + ", ".join(parts)

    def missing(self) -> tuple[str, ...]:
        """Kinds of faults and doings that never came up: nothing is proven about them."""
        return tuple(kind for kind in KINDS if not self.counts[kind])

    def speed(self, seconds: float, cpu_seconds: float) -> str:
        """How long it took, by the clock and in processor time."""
        return f" seconds={seconds:.0f} cpu_per_seed={cpu_seconds / max(1, self.seeds):.3f}"

    def line(self) -> str:
        return (
            f"seeds={self.seeds} crashes={self.crashes} accepted={self.accepted}"
            f" delivered={self.delivered} lost={self.lost} duplicated={self.duplicated}"
            f" misordered={self.misordered}"
            f" unexpected={self.unexpected} named={self.named} failed={self.failed}"
            f" simulated_hours={self.simulated_ms / 3_600_000:.1f}"
        )


def simulate(seed: int, minutes: float) -> Outcome:
    """One seed, from the storm to the verdict."""
    return World(seed, int(minutes * 60_000)).run()


def start_worker() -> None:
    """Modules stay: the collector need not look at them. A world is a circle, and has to go."""
    gc.freeze()
    gc.set_threshold(30_000, 10, 1_000)


def _simulate(job: tuple[int, float]) -> Outcome | str:
    seed, minutes = job
    try:
        return simulate(seed, minutes)
    except Exception as error:  # noqa: BLE001  # whatever it is, the seed must be named
        return f"seed={seed} raised {error!r}\n{format_exc()}"


def main() -> int:
    parser = argparse.ArgumentParser(description="simulate the whole service from seeds")
    parser.add_argument("--seeds", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first (default 0)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of storm in each seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--verbose", action="store_true", help="tell how often what happened")
    parser.add_argument(
        "--build", choices=("pure", COMPILED), help="what to run: the sources [pure]"
    )
    options = parser.parse_args()
    if options.build == COMPILED and BUILD == PURE:
        parser.error("these are the sources; scripts/simulate.sh makes a compiled build")
    jobs = [(seed, options.minutes) for seed in range(options.first, options.first + options.seeds)]
    totals = Totals()
    begun = time.monotonic()
    with ProcessPoolExecutor(options.jobs, initializer=start_worker) as pool:
        try:
            for result in pool.map(_simulate, jobs, chunksize=4):
                report(result, totals)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    if options.verbose:
        print(totals.kinds())
    blind = totals.missing() if totals.seeds >= ENOUGH_SEEDS else ()
    if blind:
        print(f"FAILED to try everything: {', '.join(blind)} never happened")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    speed = totals.speed(time.monotonic() - begun, used.ru_utime + used.ru_stime)
    print(totals.line() + speed)
    return 1 if totals.failed or blind else 0


def report(result: Outcome | str, totals: Totals) -> None:
    if isinstance(result, str):
        totals.seeds += 1
        totals.failed += 1
        print(f"FAILED {result}", flush=True)
        return
    totals.add(result)
    for sentence in result.verdict.sentences[:10]:
        print(f"FAILED seed={result.seed} {sentence}", flush=True)
    if sys.stderr.isatty():
        print(f"\r{totals.seeds} seeds", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
