"""Many scenarios: under load the room shrinks to a random rest, at a random moment; and it returns.

What runs out of room is whatever comes next: a rotation, a checkpoint, a compaction, a new
mailbox, MANIFEST, the reserve; and, after a kill in the middle of it, recovery. Only two ends are
allowed while there is no room: the server goes on, or a start is refused with a sentence and 70.

Must never squeeze before the reserve is back: it is what the promise rests on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from store.errors import EXIT_FAILED
from tests.diskfull.fill_up import SMALL
from tests.diskfull.volume import Volume
from tests.kill.typist import Typist
from tests.real.crowd import START_MS_MAX, Crowd
from tests.real.server import MSGD, Server, ServerError
from tests.sim.oracle import Verdict
from wire.codes import Code

NAMES: Final = ("u0", "u1", "u2", "u3")
ROOM_MS_MAX: Final = 20_000
LEFT_KIB: Final = (0, 0, 4, 16, 64, 128, 256, 512, 600, 1_024, 1_500, 2_048)


@dataclass(slots=True)
class Figures:
    """What the squeezes did."""

    squeezes: int = 0
    kills: int = 0
    reserve_used: int = 0
    starts_refused: int = 0
    healed: int = 0


class Squeezes:
    """See the module's text."""

    def __init__(
        self,
        volume: Volume,
        work: Path,
        archives: Path,
        seed: int,
        command: Sequence[str] = MSGD,
    ) -> None:
        self.volume = volume
        self.random = Random(seed)
        self.figures = Figures()
        data = volume.path / "data"
        self.server = Server(work, SMALL, command=command, data=data)
        self.crowd = Crowd(self.server, archives, self.random)
        self.typists = [
            Typist(self.crowd.add(name, live=number < 2), NAMES, Random(self.random.random()))
            for number, name in enumerate(NAMES)
        ]
        self.crowd.on_turn = self._press

    def _press(self) -> None:
        now_ms = self.crowd.clock.now_ms()
        for typist in self.typists:
            typist.press(now_ms)

    @property
    def refused(self) -> int:
        """Messages that found no room."""
        return sum(typist.person.refusals.count(Code.STORAGE_FULL) for typist in self.typists)

    def run(self, squeezes: int) -> Verdict:
        """All of them; the verdict at the end."""
        crowd, server = self.crowd, self.server
        crowd.start()
        for _ in range(squeezes):
            self._squeeze()
            self.figures.squeezes += 1
        quiet = crowd.drain()
        verdict = crowd.judge()
        if not quiet:
            verdict.sentences.append("the clients never came to rest after there was room")
        crowd.stop()
        server.check_folder()
        server.check_words()
        return verdict

    def _squeeze(self) -> None:
        crowd, server, random = self.crowd, self.server, self.random
        crowd.must(self._has_reserve, "the reserve is taken again", ROOM_MS_MAX)
        crowd.run_until(lambda: server.output_fd is None, random.randint(0, 400))
        self.volume.leave(random.choice(LEFT_KIB) << 10)
        self._go_on(random.randint(50, 900))
        for _ in range(random.choice((0, 0, 1, 2))):
            self._kill_and_start()
        self.figures.reserve_used += not self._has_reserve()
        self.volume.drop()
        if not server.is_running:
            crowd.start()
        self._heal()

    def _has_reserve(self) -> bool:
        """By the file, which has its whole size once it is there."""
        reserve = self.server.data / "reserve"
        return reserve.exists() and reserve.stat().st_size == 2 << 20

    def _go_on(self, time_ms: int) -> None:
        """Under load, for a while; it must not end."""
        self.crowd.run_until(lambda: self.server.output_fd is None, time_ms)
        if self.server.output_fd is None:
            code = self.server.bury()
            raise ServerError(f"msgd ended with {code}, without room: {self.server.last_words()}")

    def _kill_and_start(self) -> None:
        """kill -9 without room, and a start without room."""
        crowd, server = self.crowd, self.server
        if server.is_running:
            server.kill()
        self.figures.kills += 1
        server.check_folder()
        self.volume.leave(self.random.choice(LEFT_KIB) << 10)
        server.start()
        crowd.run_until(lambda: server.is_listening or server.output_fd is None, START_MS_MAX)
        if server.is_listening:
            self._go_on(self.random.randint(0, 300))
            return
        code = server.bury()
        if code != EXIT_FAILED or "the disk is full" not in server.last_words():
            raise ServerError(f"a start without room ended with {code}: {server.last_words()}")
        self.figures.starts_refused += 1

    def _heal(self) -> None:
        """A message is taken again, by the server that runs."""
        crowd, person = self.crowd, self.typists[0].person
        accepted = person.accepted

        def is_taken() -> bool:
            person.come_back()
            return person.accepted > accepted

        crowd.must(is_taken, "a message is taken again", ROOM_MS_MAX)
        self.figures.healed += 1
