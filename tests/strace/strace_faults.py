"""Make the system calls of the real msgd fail: `python -m tests.strace.strace_faults --points N`.

Each point is one run of msgd under `strace -e inject=…` with a little work (`workload`), then a
clean start without strace, and a full account of every message. Allowed ends (`points`): the
server goes on; or it ends with 70, at once where a sync or a write of the journal failed; or it
refuses to start with 78. Never a wrong acknowledgement, never a trace, never silence.

Exit 1 on any violation; the folder of the point is then kept and named, with the seed. Exit 77
when strace is not here or may not trace: then nothing was shown, which is no success either.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from tests.real.crowd import Crowd
from tests.real.server import MSGD, ServerError
from tests.strace.points import (
    FAULTS,
    Call,
    Point,
    after_the_end,
    allowed_ends,
    choose,
    must_end_at_once,
    parse,
)
from tests.strace.workload import Template, work

FAST_FOLDER: Final = Path("/dev/shm")
FAST_FOLDER_BYTES_MIN: Final = 1 << 30
TRACE: Final = "trace"
EXIT_IMPOSSIBLE: Final = 77
"""What test tools by custom take for "not run". Not zero, so any script takes it for a failure."""
END_MS_MAX: Final = 10_000


@dataclass(slots=True)
class Outcome:
    """What came of one point."""

    point: str
    call: str
    hit: bool = False
    end: str = ""
    accepted: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    sentences: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job:
    """One point, for a worker process."""

    number: int
    point: Point
    template: Template
    work: Path
    program: tuple[str, ...]


def why_impossible(strace_program: str = "strace") -> str:
    """Why strace cannot do its work here; "" when it can."""
    probe = [strace_program, "-f", "--seccomp-bpf", "-yy", "-o", os.devnull]
    probe += ["-e", "trace=?openat", "-e", "inject=?openat:error=EIO:when=60000", "true"]
    try:
        done = subprocess.run(probe, check=False, capture_output=True, text=True, timeout=30)
    except OSError as error:
        return f"{strace_program} cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"{strace_program} does not come to an end"
    if done.returncode == 0:
        return ""
    words = done.stderr.strip().splitlines()
    return f"{strace_program} cannot trace here (is ptrace allowed?): {' / '.join(words[:2])}"


def strace(trace: Path, program: Sequence[str], point: Point | None) -> tuple[str, ...]:
    """The command that runs msgd under strace, as our own child, and not the tracer's (-D)."""
    command = [
        "strace",
        "-D",
        "-f",
        "--quiet=attach,personality",
        "--seccomp-bpf",
        "-yy",
        "-s",
        "0",
        "-o",
        str(trace),
    ]
    command += ["-e", f"trace={','.join(f'?{name}' for name in FAULTS)}"]
    if point is not None:
        command += ["-e", f"inject={point}"]
    return (*command, *program)


def run_under_strace(crowd: Crowd) -> int:
    """The work, and the end: of itself or on SIGTERM. The exit code."""
    server = crowd.server
    server.start()
    work(crowd)
    server.signal(signal.SIGTERM)
    crowd.run_until(lambda: server.output_fd is None, END_MS_MAX)
    return server.bury()


def read_trace(crowd: Crowd, trace: Path) -> list[Call]:
    """The whole trace: the tracer may be a little behind."""
    crowd.run_until(lambda: "+++ " in trace.read_text("utf-8", "replace")[-200:], END_MS_MAX)
    return list(parse(trace.read_text("utf-8", "replace")))


def record(template: Template, work_folder: Path) -> tuple[list[Call], str]:
    """The calls of a run in which nothing fails, and the data folder as it stands in them."""
    folder = work_folder / "nothing-fails"
    trace = work_folder / "nothing-fails.trace"
    crowd = template.copy(folder, strace(trace, MSGD, None), seed=0)
    try:
        code = run_under_strace(crowd)
        if code != 0:
            raise ServerError(f"without a fault it ended with {code}: {crowd.server.last_words()}")
        return read_trace(crowd, trace), str(crowd.server.data)
    finally:
        crowd.close()


def run_point(job: Job) -> Outcome:
    """One point, from the copy of the template to the verdict."""
    outcome = Outcome(str(job.point), job.point.call)
    try:
        meet(job, outcome)
    except OSError as error:  # of our own files, not of the server's
        outcome.sentences.append(
            f"the point could not be run to its end: {error}; if {job.work} is gone, something "
            "cleans up there: choose another place with --folder"
        )
    return outcome


def meet(job: Job, outcome: Outcome) -> None:
    """The same, but for what becomes of our own files."""
    folder = job.work / f"point-{job.number}"
    trace = job.work / f"point-{job.number}.{TRACE}"
    crowd = job.template.copy(folder, strace(trace, job.program, job.point), job.number)
    try:
        code = run_under_strace(crowd)
        judge_end(job.point, code, read_trace(crowd, trace), crowd, outcome)
        account(crowd, outcome)
    except ServerError as error:
        outcome.sentences.append(str(error))
    finally:
        crowd.close()
    if not outcome.sentences:
        shutil.rmtree(folder)
        trace.unlink()


def judge_end(point: Point, code: int, calls: list[Call], crowd: Crowd, outcome: Outcome) -> None:
    """Whether the server ended as it may."""
    hits = [call for call in calls if call.is_injected]
    words = crowd.server.errors()
    if "Traceback" in words:
        outcome.sentences.append(f"it wrote a trace: {crowd.server.last_words()}")
    if not hits or not hits[0].is_ours(str(crowd.server.data)):
        return
    hit = hits[0]
    outcome.hit = True
    outcome.end = "went on" if code == 0 else f"exit {code}"
    where = f"at {hit.name}({hit.text[:160]}"
    allowed = allowed_ends(point, hit)
    # A fault for good may first be met by a call that is allowed to fail, and then by a sync.
    if code not in allowed:
        outcome.sentences.append(f"it ended with {code}, not with one of {allowed}, {where}")
    if code != 0 and "msgd: " not in words:
        outcome.sentences.append(f"it ended with {code} without a word, {where}")
    if must_end_at_once(point, hit) and (later := after_the_end(calls, hit)) is not None:
        outcome.sentences.append(f"it went on with {later.name}({later.text[:100]}, {where}")


def account(crowd: Crowd, outcome: Outcome) -> None:
    """A clean start, and every message. Raises ServerError."""
    server = crowd.server
    server.check_folder()
    server.command = MSGD
    crowd.start()
    quiet = crowd.drain()
    verdict = crowd.judge()
    if not quiet:
        verdict.sentences.append("the clients never came to rest after the clean start")
    crowd.stop()
    server.check_folder()
    outcome.accepted, outcome.delivered = verdict.accepted, verdict.delivered
    outcome.lost, outcome.duplicated = verdict.lost, verdict.duplicated
    outcome.misordered = verdict.misordered
    outcome.sentences += verdict.sentences[:10]


@dataclass(slots=True)
class Totals:
    """All outcomes together."""

    points: int = 0
    missed: int = 0
    accepted: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    failed: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.points += outcome.hit
        self.missed += not outcome.hit
        self.accepted += outcome.accepted
        self.delivered += outcome.delivered
        self.lost += outcome.lost
        self.duplicated += outcome.duplicated
        self.misordered += outcome.misordered
        self.failed += bool(outcome.sentences)
        if outcome.hit:
            self.ends[outcome.end] += 1
            self.calls[outcome.call] += 1

    def lines(self, seconds: float) -> str:
        """The two closing lines."""
        calls = " ".join(f"{name}={count}" for name, count in sorted(self.calls.items()))
        return (
            f"faults by call: {calls}; planned and not reached: {self.missed}\n"
            f"points={self.points} went_on={self.ends['went on']} exit_70={self.ends['exit 70']}"
            f" exit_78={self.ends['exit 78']} accepted={self.accepted} delivered={self.delivered}"
            f" lost={self.lost} duplicated={self.duplicated} misordered={self.misordered}"
            f" failed={self.failed} seconds={seconds:.0f}"
        )


def fast_folder() -> Path | None:
    """Where files cost nothing, if there is such a place and room in it."""
    try:
        roomy = shutil.disk_usage(FAST_FOLDER).free >= FAST_FOLDER_BYTES_MIN
    except OSError:
        return None
    return FAST_FOLDER if roomy and os.access(FAST_FOLDER, os.W_OK) else None


def run(
    count: int,
    seed: int,
    jobs: int,
    program: tuple[str, ...] = MSGD,
    *,
    only: str = "",
    keep: bool = True,
    parent: Path | None = None,
) -> int:
    """`count` points that are reached, `only` with this in their name; the exit code. All files are
    in a folder of its own in `parent`.
    """
    begun_s = monotonic()
    work_folder = Path(tempfile.mkdtemp(prefix="strace-faults-", dir=parent or fast_folder()))
    totals = Totals()
    try:
        run_points(count, seed, jobs, program, only, work_folder, totals)
    except BaseException:
        shutil.rmtree(work_folder, ignore_errors=True)
        raise
    if totals.failed and keep:
        print(f"FAILED seed={seed}; kept: {work_folder}")
    else:
        shutil.rmtree(work_folder, ignore_errors=True)
    print(totals.lines(monotonic() - begun_s))
    return 1 if totals.failed or totals.points < count else 0


def run_points(  # noqa: PLR0917  # what `run` was asked for, and where to count
    count: int,
    seed: int,
    jobs: int,
    program: tuple[str, ...],
    only: str,
    work_folder: Path,
    totals: Totals,
) -> None:
    """All points, counted in `totals`."""
    template = Template(work_folder / "template")
    template.make()
    calls, folder = record(template, work_folder)
    points = choose(calls, folder, len(calls) * len(FAULTS), Random(seed))
    queue = [point for point in points if only in str(point)]
    with ProcessPoolExecutor(jobs) as pool:
        while totals.points < count and queue:
            # As many as are still wanted: some calls do not come again in another run.
            batch, queue = queue[: count - totals.points], queue[count - totals.points :]
            tasks = [
                Job(len(queue) * 10_000 + number, point, template, work_folder, program)
                for number, point in enumerate(batch)
            ]
            for outcome in pool.map(run_point, tasks):
                totals.add(outcome)
                for sentence in outcome.sentences:
                    print(f"FAILED {outcome.point}: {sentence}", flush=True)
                if sys.stderr.isatty():
                    print(f"\r{totals.points} points", end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="make system calls of the real msgd fail")
    parser.add_argument("--points", type=int, default=300, help="how many faults (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="of the choice (default 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--only", default="", help="points with this text, as fdatasync:error=EIO")
    parser.add_argument("--folder", type=Path, help="where to work (in memory, if there is room)")
    options = parser.parse_args()
    reason = why_impossible()
    if reason:
        print(f"NOT RUN: {reason}; nothing was shown")
        return EXIT_IMPOSSIBLE
    return run(options.points, options.seed, options.jobs, only=options.only, parent=options.folder)


if __name__ == "__main__":
    sys.exit(main())
