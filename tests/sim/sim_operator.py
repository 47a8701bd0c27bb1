"""The person who runs the server: reads what it says of damage, looks with fsck, and mends.

Two ways to mend. Mostly the damaged bytes come back from somewhere, and then nothing at all may be
lost. Sometimes there is only `fsck --repair`; then what its report names may be lost or doubled:
the oracle is told so, and nothing else may be.

Must never mend what nobody complained of: damage that is not named must be found by who reads it.
"""

import random
from typing import Final, Protocol

from store.disk import DiskError
from store.errors import StoreError, StoreNoRoom
from store.fsck import Finding, fsck
from store.repair import repair
from tests.sim.oracle import Oracle
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import PowerCut, SimDisk
from tests.sim.storm import ROOMY_BYTES

REACTION_MS_MAX: Final = 60_000


class World(Protocol):
    """What an operator works with."""

    clock: SimClock
    disk: SimDisk
    oracle: Oracle
    findings: list[str]

    def trace(self, who: str, what: str) -> None: ...

    def count(self, what: str) -> None: ...

    def server_ends(self) -> None:
        """Stop the server if it runs, in whatever way; it does not start by itself."""

    def server_may_start(self) -> None:
        """From now on it starts."""


class SimOperator:
    """See the module's text. `act_ms` is when something is to be done; None when nothing is."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.act_ms: int | None = None
        self._world = world
        self._rng = rng
        self._has_copies = rng.random() < 0.8
        self._told: set[str] = set()

    def hear(self, text: str) -> None:
        """The server says that something is damaged or cannot be read."""
        world = self._world
        known = {*world.disk.damaged_files(), *world.disk.failed_reads}
        named = [path for path in sorted(known) if path in text]
        if not named:
            world.findings.append(f"the server complains of damage that there is not: {text}")
        for path in named:
            world.count(f"damage named in {path.partition('/')[0]}")
        if self.act_ms is None:
            self.act_ms = world.clock.now_ms + self._rng.randint(1, REACTION_MS_MAX)

    def act(self) -> bool:
        """Stop the server, look, mend, and let it start; gives whether it was time to."""
        world = self._world
        if self.act_ms is None or world.clock.now_ms < self.act_ms:
            return False
        self.act_ms = None
        world.server_ends()
        try:
            self._mend()
        except PowerCut as cut:
            world.count("power cuts in a repair")
            world.trace("operator", f"loses power at {cut}")
            world.disk.crash()
            self.act_ms = world.clock.now_ms + self._rng.randint(1, REACTION_MS_MAX)
        except StoreNoRoom:
            world.trace("operator", "makes room")
            world.disk.quota_bytes = ROOMY_BYTES
            self.act_ms = world.clock.now_ms + 1_000
        except (DiskError, StoreError) as error:
            world.trace("operator", f"tries again: {error}")
            self.act_ms = world.clock.now_ms + 1_000
        else:
            world.server_may_start()
        finally:
            world.disk.kill()
        return True

    def _mend(self) -> None:
        world = self._world
        disk = world.disk
        damaged = disk.damaged_files()
        disk.read_fail_at = -1  # a read that fails once is no damage: the next one works
        found = [finding for finding in fsck(disk) if not finding.harmless]
        for finding in found:
            world.trace("operator", str(finding))
            if finding.file != "REPAIR" and not any(path in str(finding) for path in damaged):
                world.findings.append(f"fsck names damage that there is not: {finding}")
        if not found:
            world.count("damage that was gone")
        elif self._can_restore(found):
            world.count("files restored")
            disk.restore()
        else:
            self._repair()
        left = [finding for finding in fsck(disk) if not finding.harmless]
        if left:
            world.findings.append(f"still damaged after it was mended: {left[0]}")
        disk.failed_reads.clear()

    def _can_restore(self, found: list[Finding]) -> bool:
        """Not what a repair has begun to change."""
        begun = any(finding.file == "REPAIR" for finding in found)
        return not begun and (self._has_copies or self._rng.random() < 0.5)

    def _repair(self) -> None:
        disk = self._world.disk
        disk.lock("LOCK")
        try:
            done = repair(disk)
        finally:
            # Also when it was cut off: the report is written before anything is changed.
            self._tell_the_oracle()
        assert done is not None
        self._world.count("folders repaired")
        for line in done.lines:
            self._world.trace("repair", line)

    def _tell_the_oracle(self) -> None:
        """All reports that there are, each once: what comes after one is not in doubt by it."""
        disk = self._world.disk
        for path in disk.files():
            if path.startswith("discarded-") and path.endswith("/report.txt"):
                text = bytes(disk.contents(path)).decode("ascii", "backslashreplace")
                if text not in self._told:
                    self._told.add(text)
                    self._world.oracle.doubt(text.splitlines())
