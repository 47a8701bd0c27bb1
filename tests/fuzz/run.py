"""Fuzz for so many minutes: `python -m tests.fuzz.run --minutes N`, started by scripts/fuzz.sh.

Each target gets an equal part of the time, in a process of its own, begins with its kept corpus
and works on a copy. A finding is saved as a file under `fuzz-findings/`; it becomes a test by being
moved into the corpus, which tests/fuzz/test_corpus.py replays.

Must never change the kept corpus, unless it is asked to (--keep). Fails with exit code 1 on a
finding, or when a target did not run.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.targets import CORPUS, TARGETS, corpus_of

ROOT: Final = Path(__file__).resolve().parents[2]
FINDINGS: Final = ROOT / "fuzz-findings"
INPUT_BYTES_MAX: Final = 4_096
INPUT_S_MAX: Final = 2
MEMORY_MIB_MAX: Final = 1_024
KEPT_FILES_MAX: Final = 24
KEPT_BYTES_MAX: Final = 1_024
"""Of one file that --keep takes; longer ones say little more."""
EXECUTED: Final = re.compile(r"stat::number_of_executed_units: +(\d+)")
PROGRESS: Final = re.compile(r"^#(\d+)\s", re.MULTILINE)
SAVED: Final = re.compile(r"Test unit written to (\S+)")
HELD: Final = "These bytes broke it. To look: python -m tests.fuzz.replay {target} {path}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one target."""

    name: str
    executions: int
    findings: tuple[Path, ...]
    words: str
    """The end of what it said, if it did not end well."""


def fuzz(name: str, seconds: int, keep: bool) -> Result:
    """One target for so long."""
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        work = Path(made) / "corpus"
        work.mkdir()
        for path in corpus_of(name):
            shutil.copy(path, work)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.under_atheris", name),
                f"-max_total_time={seconds}",
                f"-max_len={INPUT_BYTES_MAX}",
                f"-timeout={INPUT_S_MAX}",
                f"-rss_limit_mb={MEMORY_MIB_MAX}",
                f"-artifact_prefix={FINDINGS}/{name}-",
                "-print_final_stats=1",
                str(work),
            ],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        words = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
        if keep and not done.returncode:
            _keep(name, work)
    counts = [int(each) for each in EXECUTED.findall(words) or PROGRESS.findall(words)]
    findings = tuple(Path(each) for each in SAVED.findall(words))
    trouble = "" if not done.returncode else words[-3_000:]
    return Result(name, max(counts, default=0), findings, trouble)


def _keep(name: str, work: Path) -> None:
    """Each of the work's inputs reached something new: some of the short ones, of each size."""
    given = {path.read_bytes() for path in corpus_of(name) if not path.name.startswith("auto-")}
    found = sorted(
        {path.read_bytes() for path in work.iterdir()} - given, key=lambda data: (len(data), data)
    )
    short = [data for data in found if len(data) <= KEPT_BYTES_MAX]
    folder = CORPUS / name
    for path in folder.glob("auto-*"):
        path.unlink()
    step = max(1, -(-len(short) // KEPT_FILES_MAX))
    # From the longest down: they reach furthest.
    for index, data in enumerate(short[::-step]):
        (folder / f"auto-{index:02}").write_bytes(data)


def main(arguments: Sequence[str]) -> int:
    """Run them; 1 for a finding."""
    parser = argparse.ArgumentParser(description="hand any bytes to whatever reads bytes")
    parser.add_argument("--minutes", type=float, required=True, help="for all targets together")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="only this one")
    parser.add_argument("--keep", action="store_true", help="make the kept corpora anew")
    given = parser.parse_args(arguments)
    names = given.target or list(TARGETS)
    seconds = max(1, int(given.minutes * 60 / len(names)))
    executions = findings = failed = 0
    for name in names:
        result = fuzz(name, seconds, given.keep)
        executions += result.executions
        findings += len(result.findings)
        failed += bool(result.words) and not result.findings
        print(f"{name:14} {result.executions:>10} executions", flush=True)
        if result.words:
            print(result.words, file=sys.stderr)
        for path in result.findings:
            print(HELD.format(target=name, path=path), file=sys.stderr)
    words = f"targets={len(names)} executions={executions} findings={findings} failed={failed}"
    print(f"{words} seconds_per_target={seconds}", flush=True)
    return 1 if findings or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
