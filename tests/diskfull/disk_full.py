"""Fill a real disk of 16 MiB: `python -m tests.diskfull.disk_full [--squeezes N] [--seed S]`.

On tmpfs and on ext4: one orderly filling-up with panel, clients and command line watched
(`fill_up`), then N squeezes at random moments (`squeeze`). Exit 1 on any violation, 77 when no
such filesystem can be mounted here.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from time import monotonic
from typing import Final

from msgd.server import PANEL_SOCKET
from tests.diskfull.fill_up import FillUp
from tests.diskfull.squeeze import Squeezes
from tests.diskfull.volume import KINDS, CannotMount, Volume
from tests.real.server import ServerError
from tests.sim.oracle import Verdict

EXIT_SKIPPED: Final = 77


class Totals:
    """Everything that was counted, over all filesystems."""

    def __init__(self) -> None:
        names = "filesystems squeezes reserve_used kills starts_refused sends_refused healed"
        self.figures = dict.fromkeys(names.split(), 0)
        self.verdict = Verdict()
        self.failed = False

    def add(self, verdict: Verdict, **figures: int) -> None:
        """One scenario's figures."""
        for key, value in figures.items():
            self.figures[key] += value
        total = self.verdict
        total.accepted += verdict.accepted
        total.delivered += verdict.delivered
        total.lost += verdict.lost
        total.duplicated += verdict.duplicated
        total.misordered += verdict.misordered
        for sentence in verdict.sentences[:20]:
            self.fail(sentence)

    def fail(self, sentence: str) -> None:
        """A violation."""
        self.failed = True
        print(f"FAILED {sentence}", flush=True)

    def line(self, seconds: float) -> str:
        """The closing line."""
        figures = " ".join(f"{key}={value}" for key, value in self.figures.items())
        verdict = self.verdict
        return (
            f"{figures} accepted={verdict.accepted} delivered={verdict.delivered}"
            f" lost={verdict.lost} duplicated={verdict.duplicated}"
            f" misordered={verdict.misordered} seconds={seconds:.0f}"
        )


def fill_one(kind: str, work: Path, squeezes: int, seed: int, totals: Totals) -> None:
    """Both scenarios on one kind of filesystem. Raises CannotMount."""
    with Volume(kind, work) as volume:
        filling = FillUp(volume, work / f"{kind}-filling", work / f"{kind}-filling-archives", seed)
        try:
            verdict = filling.run()
            totals.add(verdict, filesystems=1, sends_refused=filling.refused, healed=1)
        except (ServerError, AssertionError) as error:
            totals.fail(f"{kind}, filling up: {error}")
        finally:
            filling.crowd.close()
        volume.drop()
        shutil.rmtree(volume.path / "data", ignore_errors=True)
        squeezing = Squeezes(volume, work / kind, work / f"{kind}-archives", seed)
        try:
            verdict = squeezing.run(squeezes)
            figures = squeezing.figures
            totals.add(
                verdict,
                squeezes=figures.squeezes,
                reserve_used=figures.reserve_used,
                kills=figures.kills,
                starts_refused=figures.starts_refused,
                sends_refused=squeezing.refused,
                healed=figures.healed,
            )
        except ServerError as error:
            totals.fail(f"{kind}, squeeze {squeezing.figures.squeezes}, seed={seed}: {error}")
            shutil.copytree(
                volume.path / "data",
                work / f"{kind}-data",
                ignore=shutil.ignore_patterns(PANEL_SOCKET),
            )
        finally:
            squeezing.crowd.close()


def run(kinds: tuple[str, ...], squeezes: int, seed: int, *, keep: bool = True) -> int:
    """Everything; the exit code. `keep`: leave the folder where it is after a failure."""
    begun_s = monotonic()
    totals = Totals()
    work = Path(tempfile.mkdtemp(prefix="msgd-full-"))
    skipped = 0
    for kind in kinds:
        try:
            fill_one(kind, work, squeezes, seed, totals)
        except CannotMount as error:
            print(f"skipped {kind}: it cannot be mounted here: {error}")
            skipped += 1
    if totals.failed and keep:
        print(f"FAILED seed={seed}; kept: {work}")
    else:
        shutil.rmtree(work)
    if skipped == len(kinds):
        return EXIT_SKIPPED
    print(totals.line(monotonic() - begun_s))
    return 1 if totals.failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="fill a real disk of 16 MiB")
    parser.add_argument("--squeezes", type=int, default=40, help="on each (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="of moments and sizes (default 1)")
    parser.add_argument("--filesystem", choices=KINDS, help="only this one")
    options = parser.parse_args()
    kinds = (options.filesystem,) if options.filesystem else KINDS
    return run(kinds, options.squeezes, options.seed)


if __name__ == "__main__":
    sys.exit(main())
