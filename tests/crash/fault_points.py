"""Run it: `python -m tests.crash.fault_points --points N [--seed S] [--day NAME] [--jobs J]`.

Every kind of call on the disk, at every place in every day, fails in every way that fits it: once,
or from then on for good. The process may refuse, go on or end, but only in the store's own words; a
new process on the same page cache, and one after a power cut, must show everything that was
acknowledged. With fewer points than there are, they are spread evenly.

Prints each violation with what makes it again, and one closing line of figures. Exit 1 on any.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from errno import EDQUOT, EINTR, EIO, EMFILE, ENOSPC, errorcode
from random import Random
from typing import Final, NamedTuple

from store.disk import DiskError, DiskFailure
from store.errors import StoreDamaged, StoreError, StoreFailure, StoreNoRoom
from store.os_disk import translate
from tests.crash.crash_states import start_worker
from tests.crash.judge import KINDS, Judge
from tests.crash.platter import Platter
from tests.crash.states import random_state
from tests.crash.trace_disk import EMPTY, FAILED_SYNC, Node, Op, TraceDisk
from tests.crash.workloads import DAYS, Run

SHORT: Final = -1  # half of a write is done, then there is no room for the rest
ERRORS: Final = (EIO, ENOSPC, EDQUOT, EMFILE, EINTR, SHORT)
SYNC_KINDS: Final = ("sync", "sync_data", "sync_folder")
CHUNK: Final = 200
VIOLATIONS_SHOWN_MAX: Final = 10
STARTS_MAX: Final = 3


class Point(NamedTuple):
    """The `place`-th call of this kind fails."""

    day: str
    kind: str
    place: int
    error: int
    for_good: bool

    def __str__(self) -> str:
        error = "SHORT" if self.error == SHORT else errorcode[self.error]
        how = "for good" if self.for_good else "once"
        return f"day={self.day} call={self.kind} n={self.place} error={error} {how}"


class Fault:
    """The hook that lets a call fail."""

    def __init__(self, disk: TraceDisk, point: Point) -> None:
        self.disk = disk
        self.point = point
        self.count = 0
        self.struck = False

    def __call__(self, what: str, path: str, node: Node | None, offset: int, data: bytes) -> None:
        point = self.point
        if what != point.kind:
            return
        self.count += 1
        if self.count == point.place or (point.for_good and self.count > point.place):
            self.struck = True
            raise self.error(what, path, node, offset, data)

    def error(self, what: str, path: str, node: Node | None, offset: int, data: bytes) -> DiskError:
        number = self.point.error
        if what in SYNC_KINDS:
            self.disk.ops.append(Op(FAILED_SYNC, path, node.number if node else 0, 0, b""))
            return DiskFailure(number, f"{path}: sync failed")
        if number == SHORT:
            assert node is not None
            self.disk.put(path, node, offset, data[: len(data) // 2])
            number = ENOSPC
        return translate(OSError(number, "planted"), path)


@dataclass(slots=True)
class Found:
    """What some points gave."""

    points: int = 0
    ended: int = 0
    went_on: int = 0
    refused_to_start: int = 0
    violations: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)

    def violation(self, point: Point, kind: str, problem: str) -> None:
        self.violations[kind] += 1
        if len(self.sentences) < VIOLATIONS_SHOWN_MAX:
            self.sentences.append(f"{kind}: {point}: {problem}")


def strike(point: Point, found: Found, make_run: type[Run] = Run) -> None:
    """One point: the day, the fault, and what is left of it."""
    day, settings = DAYS[point.day]
    disk = TraceDisk(EMPTY)
    fault = Fault(disk, point)
    disk.before = fault
    run = make_run(point.day, settings, disk)
    found.points += 1
    try:
        try:
            run.open()
            day(run)
            found.went_on += 1
        except (StoreFailure, StoreNoRoom, StoreDamaged) as error:
            if not fault.struck:
                found.violation(point, "refused", str(error))
            found.ended += 1
            try_to_start(run, found)
        disk.before = None
        disk.quota_bytes = 1 << 40
        run.restart()
        judge_power_cut(run, point, found)
    except StoreError as error:
        found.violation(point, "refused", f"all is well again, and yet: {error}")
    except AssertionError as error:
        found.violation(point, "lost" if "lost" in str(error) else "broken", f"{error!r}")
    except Exception as error:  # noqa: BLE001  # anything but the store's own words is a finding
        found.violation(point, "broken", f"{type(error).__name__}: {error}")


def try_to_start(run: Run, found: Found) -> None:
    """While the fault lasts, a start may work or be refused, and harms nothing."""
    try:
        run.restart()
    except (StoreFailure, StoreNoRoom, StoreDamaged):
        found.refused_to_start += 1


def judge_power_cut(run: Run, point: Point, found: Found) -> None:
    """The power goes after all this: all that was synced, and some more, is there."""
    platter = Platter(EMPTY)
    for op in run.disk.ops:
        platter.apply(op)
    judge = Judge(run)
    low, high = run.allowed(len(run.disk.ops))
    for choice in (platter.nothing(), random_state(platter, Random(str(point)))[1]):
        kind, problem = judge.verdict(*platter.compose(choice), low, high)
        if kind:
            found.violation(point, kind, f"after a power cut: {problem}")


def calls_of(day: str) -> Counter[str]:
    """How many calls of each kind a day makes when nothing fails."""
    counts: Counter[str] = Counter()
    script, settings = DAYS[day]
    disk = TraceDisk(EMPTY)

    def count(what: str, path: str, node: Node | None, offset: int, data: bytes) -> None:
        counts[what] += 1

    disk.before = count
    run = Run(day, settings, disk)
    run.open()
    script(run)
    return counts


def all_points(days: list[str]) -> Iterator[Point]:
    """Every call, every error that fits it, once and for good."""
    for day in days:
        for kind, count in sorted(calls_of(day).items()):
            for error in ERRORS:
                if error == SHORT and kind != "write":
                    continue
                for place in range(1, count + 1):
                    yield Point(day, kind, place, error, for_good=False)
                    yield Point(day, kind, place, error, for_good=True)


def strike_all(points: list[Point]) -> Found:
    found = Found()
    for point in points:
        strike(point, found)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="let every call on the disk fail in every way")
    parser.add_argument("--points", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--seed", type=int, default=0, help="which, when not all (0)")
    parser.add_argument("--day", choices=list(DAYS), help="only this workload")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    points = list(all_points([options.day] if options.day else list(DAYS)))
    there_are = len(points)
    Random(options.seed).shuffle(points)
    points = points[: options.points]
    kinds = {(point.kind, point.error, point.for_good) for point in points}
    total = Found()
    chunks = [points[start : start + CHUNK] for start in range(0, len(points), CHUNK)]
    with ProcessPoolExecutor(options.jobs, initializer=start_worker) as pool:
        for found in pool.map(strike_all, chunks):
            total.points += found.points
            total.ended += found.ended
            total.went_on += found.went_on
            total.refused_to_start += found.refused_to_start
            total.violations += found.violations
            for sentence in found.sentences[:VIOLATIONS_SHOWN_MAX]:
                print(f"FAILED {sentence}", flush=True)
    counts = " ".join(f"{kind}={total.violations[kind]}" for kind in KINDS)
    print(
        f"points={total.points}/{there_are} kinds={len(kinds)} ended={total.ended}"
        f" went_on={total.went_on} refused_to_start={total.refused_to_start} {counts}"
        f" seconds={time.monotonic() - begun:.0f}"
    )
    return 1 if total.violations or not points else 0


if __name__ == "__main__":
    sys.exit(main())
