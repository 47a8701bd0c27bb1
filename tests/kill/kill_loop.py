"""Kill the real server N times: `python -m tests.kill.kill_loop --kills N [--seed S]`.

The real `msgd --headless` on a real folder, several clients made of the real link and archive, and
SIGKILL at random moments: while it recovers, while it serves, at the very moment when an answer
arrives, while it ends. After each tenth kill `msgd fsck` must find the folder sound. After the
last one everything must come to rest, and the oracle counts.

SIGKILL takes the process, not the page cache: this shows that nothing was promised before the
system had it, and that recovery starts from whatever was left; it does not replace a power cut.

Exit 1 on any violation; the folder is then kept, and named with the seed.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.kill.typist import Typist
from tests.real.crowd import Crowd
from tests.real.server import MSGD, Server, ServerError
from tests.sim.oracle import Verdict

PERSONS: Final = 7
CHECK_EVERY: Final = 10
SERVE_MS: Final = (50, 150, 150, 700)
"""How long it serves, on an average: now and then long enough for a checkpoint."""
OPTIONS: Final = (
    *("--journal-segment-bytes", "512K", "--journal-bytes-max", "4M"),
    *("--checkpoint-journal-bytes", "256K", "--reserve-bytes", "1M", "--free-bytes-min", "1M"),
)
"""Everything small, so that rotations, checkpoints and compactions come all the time."""
FAST_FOLDER: Final = Path("/dev/shm")
"""For the archives: it is the server's disk that is under test, not the clients'."""


@dataclass(slots=True)
class Figures:
    """What the loop did."""

    kills: int = 0
    checks: int = 0
    by_moment: dict[str, int] = field(default_factory=dict)
    start_ms: float = 200.0


class KillLoop:
    """See the module's text."""

    def __init__(self, folder: Path, archives: Path, seed: int, command: Sequence[str]) -> None:
        self.random = Random(seed)
        self.figures = Figures()
        self.crowd = Crowd(Server(folder, OPTIONS, command=command), archives, self.random)
        names = tuple(f"u{number}" for number in range(PERSONS))
        self.typists = [
            Typist(
                self.crowd.add(name, live=self.random.random() < 0.6),
                names,
                Random(self.random.random()),
            )
            for name in names
        ]
        self.crowd.on_turn = self._press

    def _press(self) -> None:
        now_ms = self.crowd.clock.now_ms()
        for typist in self.typists:
            typist.press(now_ms)

    def run(self, kills: int) -> Verdict:
        """All kills, the draining, the verdict."""
        crowd, server = self.crowd, self.crowd.server
        while self.figures.kills < kills:
            self._live_and_die()
            self.figures.kills += 1
            if self.figures.kills % CHECK_EVERY == 0:
                server.check_folder()
                self.figures.checks += 1
            if sys.stderr.isatty():
                print(f"\r{self.figures.kills} kills", end="", file=sys.stderr, flush=True)
        crowd.start()
        quiet = crowd.drain()
        verdict = crowd.judge()
        if not quiet:
            verdict.sentences.append("the clients never came to rest after the last kill")
        crowd.stop()
        server.check_folder()
        server.check_words()
        return verdict

    def _live_and_die(self) -> None:
        crowd, server = self.crowd, self.crowd.server
        moment = self.random.choices(
            ("recovering", "serving", "answering", "ending"), (20, 40, 30, 10)
        )[0]
        by_moment = self.figures.by_moment
        by_moment[moment] = by_moment.get(moment, 0) + 1
        begun_ms = crowd.clock.now_ms()
        server.start()
        if moment == "recovering":
            after_ms = self.random.uniform(0.3, 1.05) * self.figures.start_ms
            crowd.run_until(lambda: False, int(after_ms))
            server.kill()
            return
        crowd.must(lambda: server.is_listening, "msgd listens")
        took_ms = crowd.clock.now_ms() - begun_ms
        self.figures.start_ms += (took_ms - self.figures.start_ms) / 8
        serve_ms = int(self.random.expovariate(1 / self.random.choice(SERVE_MS)))
        if moment == "answering":
            self._kill_at_an_answer()
            return
        crowd.run_until(lambda: not server.is_running, serve_ms)
        if moment == "ending":
            server.signal(signal.SIGTERM)
            crowd.run_until(lambda: False, self.random.randint(0, 30))
            server.signal(signal.SIGKILL)
            code = server.bury()
            if code not in {-signal.SIGKILL, 0}:
                raise ServerError(f"msgd ended with {code}: {server.last_words()}")
            return
        server.kill()

    def _kill_at_an_answer(self) -> None:
        """As soon as so many messages more have been accepted: no time between is given away."""
        crowd = self.crowd
        wanted = self._accepted() + self.random.choice((1, 5, 40, 200))
        crowd.run_until(lambda: self._accepted() >= wanted, 1_000)
        crowd.server.kill()

    def _accepted(self) -> int:
        return sum(typist.person.accepted for typist in self.typists)


def report(loop: KillLoop, verdict: Verdict, seconds: float) -> str:
    """The two closing lines."""
    figures = loop.figures
    moments = " ".join(f"{key}={value}" for key, value in sorted(figures.by_moment.items()))
    crashes = sum(typist.person.crashes for typist in loop.typists)
    return (
        f"killed while: {moments}; fsck found it sound {figures.checks + 1} times; "
        f"clients killed: {crashes}\n"
        f"kills={figures.kills} accepted={verdict.accepted} delivered={verdict.delivered}"
        f" lost={verdict.lost} duplicated={verdict.duplicated}"
        f" misordered={verdict.misordered} seconds={seconds:.0f}"
    )


def run(kills: int, seed: int, command: Sequence[str] = MSGD, *, keep: bool = True) -> int:
    """The whole loop; its exit code. `keep`: leave the folders where they are after a failure."""
    folder = Path(tempfile.mkdtemp(prefix="msgd-kill-"))
    fast = FAST_FOLDER if FAST_FOLDER.is_dir() else None
    archives = Path(tempfile.mkdtemp(prefix="msgd-kill-archives-", dir=fast))
    loop = KillLoop(folder, archives, seed, command)
    begun_ms = loop.crowd.clock.now_ms()
    failure, verdict = "", Verdict()
    try:
        verdict = loop.run(kills)
    except ServerError as error:
        failure = str(error)
    finally:
        loop.crowd.close()
    for sentence in [*verdict.sentences[:20], *([failure] if failure else [])]:
        print(f"FAILED {sentence}")
    if keep and (failure or not verdict.is_good):
        print(f"FAILED seed={seed}; kept: {folder} and {archives}")
    else:
        shutil.rmtree(folder)
        shutil.rmtree(archives)
    print(report(loop, verdict, (loop.crowd.clock.now_ms() - begun_ms) / 1_000))
    return 1 if failure or not verdict.is_good else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="kill the real server again and again")
    parser.add_argument("--kills", type=int, default=50, help="how often (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="of the keys and moments (default 1)")
    options = parser.parse_args()
    return run(options.kills, options.seed)


if __name__ == "__main__":
    sys.exit(main())
