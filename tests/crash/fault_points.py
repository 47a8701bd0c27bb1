"""Run it: `python -m tests.crash.fault_points [--points N] [--seed S] [--day NAME] [--only TEXT]`.

Every kind of call, at every place in every day, fails in every way: once, or from then on for good.
In the days of the crash states it is a call on the disk of the store. The process may refuse, go on
or end, but only in the store's own words; a new process on the same page cache, and one after a
power cut, must show everything that was acknowledged. In the day called `service`, the whole server
runs with its clients, and it is a call on the disk or on a socket. There, a socket that fails may
cost its own connection and nothing more; whenever the server ends, the power goes too; and in the
end everybody must have everything. With fewer points than there are, they are drawn evenly.

Prints each violation with what makes it again, and one closing line of figures. Exit 1 on any.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from errno import EINTR
from pathlib import Path
from random import Random
from typing import Final

from store.errors import StoreDamaged, StoreError, StoreFailure, StoreNoRoom
from tests.crash.crash_states import start_worker
from tests.crash.faults import COUNTED, ERRORS, SHORT, Fault, Point, error_name
from tests.crash.judge import KINDS, Judge
from tests.crash.platter import Platter
from tests.crash.run import Run
from tests.crash.service import Service
from tests.crash.states import random_state
from tests.crash.trace_disk import EMPTY, TraceDisk
from tests.crash.workloads import DAYS

SERVICE: Final = "service"
CHUNK: Final = 100
VIOLATIONS_SHOWN_MAX: Final = 10
ACCEPTS_IN_VAIN_MAX: Final = 100
FAST_FOLDER: Final = Path("/dev/shm")


@dataclass(slots=True)
class Found:
    """What some points gave."""

    points: int = 0
    missed: int = 0
    ended: int = 0
    went_on: int = 0
    refused_to_start: int = 0
    met: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind and error
    violations: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)

    def violation(self, point: Point, kind: str, problem: str) -> None:
        self.violations[kind] += 1
        if len(self.sentences) < VIOLATIONS_SHOWN_MAX:
            self.sentences.append(f"{kind}: {problem}; again: --only '{point}'")

    def add(self, other: "Found") -> None:
        self.points += other.points
        self.missed += other.missed
        self.ended += other.ended
        self.went_on += other.went_on
        self.refused_to_start += other.refused_to_start
        self.met += other.met
        self.violations += other.violations


def strike(point: Point, found: Found, make_run: type[Run] = Run) -> None:
    """One point: the day, the fault, and what is left of it."""
    found.points += 1
    fault = Fault(point)
    try:
        if point.day == SERVICE:
            strike_service(point, fault, found)
        else:
            strike_store(point, fault, found, make_run)
    except StoreError as error:
        found.violation(point, "refused", f"all is well again, and yet: {error}")
    except AssertionError as error:
        found.violation(point, "lost" if "lost" in str(error) else "broken", f"{error!r}")
    except Exception as error:  # noqa: BLE001  # anything but the store's own words is a finding
        found.violation(point, "broken", f"{type(error).__name__}: {error}")
    found.missed += not fault.strikes
    found.met[point.kind, error_name(point.error)] += 1


# --- a store alone ---


def strike_store(point: Point, fault: Fault, found: Found, make_run: type[Run]) -> None:
    """A day of a store, with a fault of its disk."""
    day, settings = DAYS[point.day]
    disk = TraceDisk(EMPTY)
    disk.before = fault.on_disk
    run = make_run(point.day, settings, disk)
    try:
        run.open()
        day(run)
        found.went_on += 1
    except (StoreFailure, StoreNoRoom, StoreDamaged) as error:
        if not fault.strikes:
            found.violation(point, "refused", str(error))
        found.ended += 1
        try_to_start(run, found)
    fault.heal()
    disk.quota_bytes = 1 << 40
    run.restart()
    judge_power_cut(run, point, found)


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


# --- the whole service ---


def strike_service(
    point: Point, fault: Fault, found: Found, make_service: type[Service] = Service
) -> None:
    """The day of a server and its people, with a fault of its disk or of a socket."""
    fast = FAST_FOLDER if FAST_FOLDER.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="msgd-points-", dir=fast) as folder:
        service = make_service(Path(folder), fault)
        try:
            service.work()
            judge_service(point, service, found)
            fault.heal()
            if service.reactor is not None:
                service.die("the power goes")
            quiet = service.drain()
            verdict = service.judge()
        finally:
            service.close()
    for sentence in verdict.sentences:
        found.violation(point, "lost" if verdict.lost else "doubled", sentence)
    if not quiet:
        found.violation(point, "broken", "the people never came to rest after the fault")


def judge_service(point: Point, service: Service, found: Found) -> None:
    """Whether the server took the fault as it should."""
    found.refused_to_start += service.refused
    found.ended += bool(service.ended)
    found.went_on += not service.ended
    if not point.is_on_sockets:
        return
    is_wait = point.kind == "socket.select"
    if not is_wait and len(service.ended) > service.refused:
        found.violation(point, "broken", f"a socket ended the server: {service.ended[0]}")
    passes = error_name(point.error) in {"EINTR", "ECONNRESET"}
    in_vain = service.fault.strikes if point.kind == "socket.accept" and not passes else 0
    if in_vain > ACCEPTS_IN_VAIN_MAX:
        found.violation(point, "unbounded", f"it accepted {in_vain} times in vain")
    costs_nothing = point.kind in COUNTED and point.error in {EINTR, SHORT}
    allowed = service.closed_anyway + (not costs_nothing)
    if not (is_wait or point.for_good or service.ended) and service.closed > allowed:
        found.violation(point, "broken", f"{service.closed} connections ended, not {allowed}")


# --- which ---


def calls_of(day: str) -> Counter[str]:
    """How many calls of each kind a day makes when nothing fails."""
    fault = Fault(None)
    if day == SERVICE:
        with tempfile.TemporaryDirectory(prefix="msgd-points-") as folder:
            service = Service(Path(folder), fault)
            service.work()
            counts = fault.calls.copy()
            assert service.closed == service.closed_anyway, service.closed
            service.close()
        return counts
    script, settings = DAYS[day]
    disk = TraceDisk(EMPTY)
    disk.before = fault.on_disk
    run = Run(day, settings, disk)
    run.open()
    script(run)
    return fault.calls


def all_points(days: list[str]) -> Iterator[Point]:
    """Every call, every error, once and for good."""
    for day in days:
        for kind, count in sorted(calls_of(day).items()):
            for error in ERRORS:
                if error == SHORT and kind not in COUNTED:
                    continue
                for place in range(1, count + 1):
                    yield Point(day, kind, place, error, for_good=False)
                    yield Point(day, kind, place, error, for_good=True)


def strike_all(points: list[Point]) -> Found:
    found = Found()
    for point in points:
        strike(point, found)
    return found


def table(met: Counter[tuple[str, str]]) -> Iterator[str]:
    """One line for each kind of call: how often it failed with what."""
    for kind in sorted({kind for kind, _ in met}):
        counts = [(error_name(error), met[kind, error_name(error)]) for error in ERRORS]
        yield f"{kind}: " + " ".join(f"{name}={count}" for name, count in counts if count)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="let every call fail in every way")
    parser.add_argument("--points", type=int, default=1 << 30, help="how many (all there are)")
    parser.add_argument("--seed", type=int, default=0, help="which, when not all (0)")
    parser.add_argument("--day", choices=[*DAYS, SERVICE], help="only this workload")
    parser.add_argument("--only", default="", help="only points with this text in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    points = list(all_points([options.day] if options.day else [*DAYS, SERVICE]))
    there_are = len(points)
    points = [point for point in points if options.only in str(point)]
    Random(options.seed).shuffle(points)
    points = points[: options.points]
    total = Found()
    chunks = [points[start : start + CHUNK] for start in range(0, len(points), CHUNK)]
    with ProcessPoolExecutor(options.jobs, initializer=start_worker) as pool:
        for found in pool.map(strike_all, chunks):
            total.add(found)
            for sentence in found.sentences[:VIOLATIONS_SHOWN_MAX]:
                print(f"FAILED {sentence}", flush=True)
    for line in table(total.met):
        print(line)
    on_sockets = sum(count for (kind, _), count in total.met.items() if kind.startswith("socket."))
    counts = " ".join(f"{kind}={total.violations[kind]}" for kind in KINDS)
    errors = " ".join(
        f"{error_name(error)}={sum(n for (_, e), n in total.met.items() if e == error_name(error))}"
        for error in ERRORS
    )
    print(
        f"points={total.points}/{there_are} calls={len({kind for kind, _ in total.met})}"
        f" on_disk={total.points - on_sockets} on_sockets={on_sockets} {errors}"
        f" not_reached={total.missed} ended={total.ended} went_on={total.went_on}"
        f" refused_to_start={total.refused_to_start} {counts}"
        f" seconds={time.monotonic() - begun:.0f}"
    )
    return 1 if total.violations or not points else 0


if __name__ == "__main__":
    sys.exit(main())
