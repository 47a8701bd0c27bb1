"""Run it: `python -m tests.crash.crash_states --states N [--seed S] [--day NAME] [--jobs J]`.

Goes on, round after round, until so many different states were judged; never stops before every
step of every day was met in every mode that applies to it. Prints each violation with what makes it
again, and one closing line of figures. Exit 1 on any violation or on a pair that was not met.
"""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import count, cycle
from random import Random

from msgd.build import BUILD, COMPILED, PURE
from tests.crash.explore import Found, Job, explore, recorded
from tests.crash.judge import KINDS
from tests.crash.workloads import DAYS

SENTENCES_MAX = 20
ROUNDS_MAX = 1000
STEPS_PER_JOB = 8


class Totals:
    """All jobs together."""

    def __init__(self) -> None:
        self.states = 0
        self.two_deep = 0
        self.twice = 0
        self.rotten = 0
        self.cpu_seconds = 0.0
        self.digests: set[int] = set()
        self.pairs: set[tuple[str, int, str]] = set()
        self.wanted: set[tuple[str, int, str]] = set()
        self.violations: Counter[str] = Counter()
        self.shown = 0

    def add(self, found: Found) -> None:
        self.states += found.states
        self.two_deep += found.two_deep
        self.twice += found.twice
        self.rotten += found.rotten
        self.cpu_seconds += found.cpu_seconds
        self.digests |= found.digests
        self.pairs |= found.pairs
        self.wanted |= found.wanted
        self.violations += found.violations
        for sentence in found.sentences[: SENTENCES_MAX - self.shown]:
            self.shown += 1
            print(f"FAILED {sentence}", flush=True)

    @property
    def is_good(self) -> bool:
        return not self.violations and not self.wanted - self.pairs and bool(self.wanted)

    def line(self, seconds: float) -> str:
        kinds = " ".join(f"{kind}={self.violations[kind]}" for kind in KINDS)
        return (
            f"states={self.states} distinct={len(self.digests)}"
            f" pairs={len(self.pairs & self.wanted)}/{len(self.wanted)} two_deep={self.two_deep}"
            f" twice={self.twice} rotten={self.rotten} {kinds} seconds={seconds:.0f}"
            f" per_core_second={len(self.digests) / max(self.cpu_seconds, 0.001):.0f}"
        )


def jobs_of(round_: int, days: list[str], seed: int, *, only: int | None) -> Iterator[Job]:
    """One round of all days, in pieces of about the same size."""
    for day in days:
        last = len(recorded(day).disk.ops)
        if only is not None:
            yield Job(day, round_, only, only, seed)
            continue
        for first in range(0, last + 1, STEPS_PER_JOB):
            yield Job(day, round_, first, min(first + STEPS_PER_JOB - 1, last), seed)


def start_worker() -> None:
    gc.freeze()  # modules stay; each store that was recovered is a circle, and has to go
    gc.set_threshold(30_000, 10, 1_000)


def good_days(days: list[str], totals: Totals) -> list[str]:
    """Those that go well without a power cut; the others are violations as they are."""
    good: list[str] = []
    for day in days:
        try:
            recorded(day)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            found = Found()
            found.violations["broken"] += 1
            found.sentences.append(f"broken: day={day}: {type(error).__name__}: {error}"[:1000])
            totals.add(found)
        else:
            good.append(day)
    return good


def run_rounds(options: argparse.Namespace, totals: Totals) -> None:
    days = good_days([options.day] if options.day else list(DAYS), totals)
    if not days or (options.stop and totals.violations):
        return
    rounds = count() if options.round is None else iter([options.round])

    def is_over() -> bool:
        stopped = options.stop and bool(totals.violations)
        return stopped or len(totals.digests) >= options.states

    with ExitStack() as stack:
        # The same steps go to the same process in every round: it knows what it has judged before.
        pools = [
            stack.enter_context(ProcessPoolExecutor(1, initializer=start_worker))
            for _ in range(options.jobs)
        ]
        for round_ in rounds:
            jobs = jobs_of(round_, days, options.seed, only=options.step)
            shared = list(zip(jobs, cycle(pools), strict=False))
            Random(f"{options.seed} {round_}").shuffle(shared)  # an early end has seen all days
            waiting = [pool.submit(explore, job) for job, pool in shared]
            for future in waiting:
                if future.cancelled():
                    continue
                totals.add(future.result())
                if (round_ and is_over()) or (options.stop and totals.violations):
                    for other in waiting:  # all at once, before any more of them begin
                        other.cancel()
            if is_over() or round_ >= ROUNDS_MAX:
                return


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="judge every state that a power cut can leave")
    parser.add_argument("--states", type=int, default=100_000, help="different ones (100000)")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (0)")
    parser.add_argument("--day", choices=list(DAYS), help="only this workload")
    parser.add_argument("--round", type=int, help="only this round, to make a violation again")
    parser.add_argument("--step", type=int, help="only this step, to make a violation again")
    parser.add_argument("--stop", action="store_true", help="at the first violation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--build", choices=("pure", COMPILED), help="what to run: the sources [pure]"
    )
    options = parser.parse_args(arguments)
    if options.build == COMPILED and BUILD == PURE:
        parser.error("these are the sources; scripts/crash_states.sh makes a compiled build")
    begun = time.monotonic()
    totals = Totals()
    run_rounds(options, totals)
    for day, step, mode in sorted(totals.wanted - totals.pairs)[:SENTENCES_MAX]:
        print(f"FAILED never met: day={day} step={step} mode={mode}")
    modes = Counter(mode for _, _, mode in totals.pairs & totals.wanted)
    print("steps met in each mode:", " ".join(f"{mode}={modes[mode]}" for mode in sorted(modes)))
    print(totals.line(time.monotonic() - begun))
    return 0 if totals.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
