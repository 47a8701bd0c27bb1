"""Goes through the steps of a recorded day and judges what a power cut leaves at each of them.

Round 0 takes one state of each mode that applies at a step, with one crash in the recovery of
one of them (M10), and one sync that fails (M9). Round 1 takes all of them, and every operation of
one recovery. Later rounds draw at random. Each visit of a step also damages a state as no power cut
does, by a flipped byte or a file that is gone (M11): that may be refused, and never be silent.

Must never stop at the first violation, nor depend on anything but day, round, step and seed.
"""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Final

from store.errors import StoreDamaged, StoreFromTheFuture
from store.store import Store
from tests.crash.judge import Judge
from tests.crash.picture import picture
from tests.crash.platter import PAGE, Choice, Platter
from tests.crash.run import Clock, Run
from tests.crash.states import State, all_of_each, first_of_each, random_state
from tests.crash.trace_disk import EMPTY, SYNCS, Image, Op, TraceDisk
from tests.crash.workloads import record

RANDOM_STATES: Final = 40  # of one step in one round
ROTTEN_STATES: Final = 2  # of one step in one round
RANDOM_SECOND: Final = 20  # of one recovery in one round
LARGE_DAYS: Final = frozenset({"kept"})  # a state of these takes as long as eight others
SHARE_OF_LARGE: Final = 4  # and so they get one in so many of what is drawn
VIOLATIONS_SHOWN_MAX: Final = 3


@dataclass(slots=True)
class Found:
    """What one job gave."""

    states: int = 0
    two_deep: int = 0
    twice: int = 0
    rotten: int = 0
    cpu_seconds: float = 0.0
    digests: set[int] = field(default_factory=set)
    pairs: set[tuple[str, int, str]] = field(default_factory=set)  # (day, step, mode)
    wanted: set[tuple[str, int, str]] = field(default_factory=set)
    violations: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)


def damage(image: Image, rng: Random) -> tuple[str, str]:
    """Flip a byte, write a page where it does not belong, or take away a file.

    (what was done, path), or two times "".
    """
    paths = sorted(path for path, data in image.files.items() if data)
    if not paths:
        return "", ""
    path = rng.choice(paths)
    how = rng.random()
    if how < 0.2:
        del image.files[path]
        return f"{path} is gone", path
    data = bytearray(image.files[path])
    pages = [at for at in range(0, len(data), PAGE) if any(data[at : at + PAGE])]
    if not pages:
        return "", ""
    at = rng.choice(pages)
    if how < 0.4:
        kin = [each for each in paths if each.partition("/")[0] == path.partition("/")[0]]
        other = image.files[rng.choice(kin)]
        start = rng.choice((at, rng.randrange(0, len(other), PAGE)))
        if len(other[start : start + PAGE]) < PAGE or len(data) < at + PAGE:
            return "", ""
        data[at : at + PAGE] = other[start : start + PAGE]
        image.files[path] = bytes(data)
        return f"page {at} of {path} is one from elsewhere", path
    at = rng.randrange(at, min(at + PAGE, len(data)))
    data[at] ^= 1 << rng.randrange(8)
    image.files[path] = bytes(data)
    return f"byte {at} of {path} is another", path


@lru_cache(maxsize=16)
def recorded(day: str) -> Run:
    return record(day)


@lru_cache(maxsize=16)
def judge_of(day: str) -> Judge:
    """One for all jobs of a process: a state that comes again is not recovered again."""
    return Judge(recorded(day))


@dataclass(frozen=True, slots=True)
class Job:
    """Some steps of a day, in one round."""

    day: str
    round: int
    first: int
    last: int
    seed: int


def explore(job: Job) -> Found:
    """All states of a job."""
    begun = time.process_time()
    run = recorded(job.day)
    explorer = Explorer(job, run)
    before = explorer.judge.second_recoveries
    platter = Platter(EMPTY)
    for step in range(min(job.last, len(run.disk.ops)) + 1):
        if step:
            platter.apply(run.disk.ops[step - 1])
        if step >= job.first:
            explorer.visit(platter, step)
    explorer.found.twice = explorer.judge.second_recoveries - before
    explorer.found.cpu_seconds = time.process_time() - begun
    return explorer.found


class Explorer:
    """One job at work."""

    def __init__(self, job: Job, run: Run) -> None:
        self.job = job
        self.run = run
        self.judge = judge_of(job.day)
        self.share = SHARE_OF_LARGE if job.day in LARGE_DAYS else 1
        self.found = Found()
        self.step = 0
        self.seen: set[tuple[int, int, int]] = set()

    # --- one step ---

    def visit(self, platter: Platter, step: int) -> None:
        """Everything that this round has to say about one step."""
        job, run = self.job, self.run
        self.step = step
        rng = Random(f"{job.seed} {job.day} {job.round} {step}")
        low, high = run.allowed(step)
        firsts = first_of_each(platter, rng)
        self.found.wanted |= {(job.day, step, mode) for mode, _ in firsts}
        self.found.wanted.add((job.day, step, "M10"))
        states: Iterable[State] = firsts
        if job.round == 1:
            states = all_of_each(platter, rng)
        elif job.round > 1:
            states = [random_state(platter, rng) for _ in range(RANDOM_STATES // self.share)]
        bases: list[tuple[int, Image]] = []
        for mode, choice in states:
            digest, image = platter.compose(choice)
            if self.take(mode, digest, image, low, high) and len(bases) < 64:
                bases.append((digest, image))
        if not bases:
            bases.append(platter.compose(platter.everything()))
        self.crash_in_recovery(*rng.choice(bases), low, high, rng)
        self.found.wanted.add((job.day, step, "M11"))
        for _ in range(ROTTEN_STATES):
            self.rot(rng.choice((platter.everything(), platter.nothing())), platter, rng)
        if step < len(run.disk.ops) and run.disk.ops[step].kind in SYNCS:
            self.found.wanted.add((job.day, step, "M9"))
            self.failing_sync(step, rng)

    def take(self, mode: str, digest: int, image: Image, low: int, high: int) -> bool:
        """Judge a state, unless it was judged for the same promise; False then."""
        found = self.found
        found.pairs.add((self.job.day, self.step, mode))
        key = (digest, low, high)
        if key in self.seen:
            return False
        self.seen.add(key)
        found.states += 1
        found.digests.add(digest)
        kind, problem = self.judge.verdict(digest, image, low, high)
        if kind:
            self.violation(mode, kind, problem)
        return True

    def violation(self, mode: str, kind: str, problem: str) -> None:
        found = self.found
        found.violations[kind] += 1
        if len(found.sentences) < VIOLATIONS_SHOWN_MAX:
            job = self.job
            op = self.run.disk.ops[self.step - 1] if self.step else "the beginning"
            found.sentences.append(
                f"{kind}: day={job.day} step={self.step} after '{op}' mode={mode} "
                f"round={job.round} seed={job.seed}: {problem}"
            )

    # --- M10: a crash in the recovery of a crash ---

    def crash_in_recovery(
        self, digest: int, image: Image, low: int, high: int, rng: Random
    ) -> None:
        """Record the recovery of a state, and cut the power in it."""
        disk = TraceDisk(image)
        marks = [(0, low, high)]
        try:
            store = Store.open(disk, Clock(), self.judge.entropy(digest), self.run.settings)
            place = self.judge.places.get(picture(store))
            if place is None or place >= len(self.judge.history):
                self.violation("M10", "lost", "a recovery shows something that never was")
                return
            marks.append((len(disk.ops), place, place))
            model, later = self.judge.go_on(place)
            store.create_account("zoe", model.latest_ms)
            marks.append((len(disk.ops), place, later))
            store.commit()
            marks.append((len(disk.ops), later, later))
        except Exception as error:  # noqa: BLE001  # whatever it is, the state must be named
            self.violation("M10", "refused", f"the recovery of a state fails: {error!r}")
            return
        steps = self.chosen(len(disk.ops), rng)
        before = self.found.states
        self.walk(Platter(image), disk.ops, marks, steps, "M10", rng)
        self.found.two_deep += self.found.states - before

    def chosen(self, last: int, rng: Random) -> set[int]:
        """At which operations of a second recording the power goes in this round."""
        if self.job.round == 1:
            return set(range(last + 1))
        count = 1 if self.job.round == 0 else RANDOM_SECOND // self.share
        return {rng.randrange(last + 1) for _ in range(count)}

    def walk(  # noqa: PLR0917  # one recording, and what is wanted of it
        self,
        platter: Platter,
        ops: list[Op],
        marks: list[tuple[int, int, int]],
        steps: set[int],
        mode: str,
        rng: Random,
    ) -> None:
        """Judge states of another recording, at these steps of it."""
        for step in range(max(steps) + 1):
            if step:
                platter.apply(ops[step - 1])
            if step not in steps:
                continue
            low, high = [mark for mark in marks if mark[0] <= step][-1][1:]
            choices: list[Choice] = [choice for _, choice in self.some_states(platter, rng)]
            for choice in choices:
                digest, left = platter.compose(choice)
                self.take(mode, digest, left, low, high)

    def some_states(self, platter: Platter, rng: Random) -> list[State]:
        if self.job.round == 0:
            return [random_state(platter, rng)]
        nothing: State = ("M1", platter.nothing())
        if self.job.round == 1:
            return [nothing, *first_of_each(platter, rng), random_state(platter, rng)]
        return [nothing, random_state(platter, rng), random_state(platter, rng)]

    # --- M11: bits rot, files vanish ---

    def rot(self, choice: Choice, platter: Platter, rng: Random) -> None:
        """Damage a state: it must be refused, or show all the same, or be an unfinished batch."""
        found = self.found
        found.pairs.add((self.job.day, self.step, "M11"))
        _, image = platter.compose(choice)
        what, path = damage(image, rng)
        if not what:
            return
        found.rotten += 1
        low, high = self.run.allowed(self.step)
        entropy = self.judge.entropy(rng.getrandbits(64))
        try:
            store = Store.open(TraceDisk(image), Clock(), entropy, self.run.settings)
            seen = picture(store)
        except (StoreDamaged, StoreFromTheFuture):
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, the state must be named
            self.violation("M11", "refused", f"{what}, and nobody says damage: {error!r}")
            return
        place = self.judge.places.get(seen)
        # Damage to the last batch of a journal cannot be told from a write that was cut off.
        least = low - 1 if path.startswith("journal/") and path in image.files else low
        if place is None or not least <= place <= high:
            self.violation("M11", "lost", f"{what}, and nobody is told: it shows moment {place}")

    # --- M9: a sync fails, the pages are clean, the process goes on or starts again ---

    def failing_sync(self, step: int, rng: Random) -> None:
        """Record the day again with this sync failing, and cut the power some time after."""
        if self.job.round > 1 and rng.random() < 0.7:
            return
        try:
            run = record(self.job.day, fail_sync_at=step)
        except Exception as error:  # noqa: BLE001  # whatever it is, the state must be named
            self.violation("M9", "refused", f"after a failed sync: {type(error).__name__}: {error}")
            self.found.pairs.add((self.job.day, self.step, "M9"))
            return
        last = len(run.disk.ops)
        count = 1 if self.job.round == 0 else RANDOM_SECOND // self.share
        steps = {last, *(rng.randrange(step + 1, last + 1) for _ in range(count))}
        outer, self.judge = self.judge, Judge(run)
        platter = Platter(EMPTY, rng if self.job.round else None)
        self.walk(platter, run.disk.ops, run.marks, steps, "M9", rng)
        outer.second_recoveries += self.judge.second_recoveries
        self.judge = outer
