"""A folder with some mail in it, left by a kill, and a little work that uses every part of a store.

Recovery of a journal, sends to one, several and everyone, a rotation, a checkpoint, receipts, a
compaction, a new account and a forced deletion. Each step waits for its effect, but not for long:
the server may be failing, or gone.

Must never decide whether the server did well.
"""

import copy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from msgd.server import PANEL_SOCKET
from tests.real.crowd import Crowd
from tests.real.server import MSGD, Server
from tests.sim.oracle import Oracle

NAMES: Final = ("alice", "bob", "carol", "dave")
LIVE: Final = ("alice", "carol")
OPTIONS: Final = (
    *("--journal-segment-bytes", "512K", "--journal-bytes-max", "4M"),
    *("--checkpoint-journal-bytes", "256K", "--reserve-bytes", "512K", "--free-bytes-min", "1M"),
)
LARGE: Final = "0123456789abcdef" * 3_000
LARGE_COUNT: Final = 8
STEP_MS_MAX: Final = 2_000
LATER_STEPS_MS_MAX: Final = 100
"""What a step gets once one has waited in vain."""


class Template:
    """What every point begins with; made once, copied for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.oracle = Oracle()

    def make(self) -> None:
        """Some accounts, some mail, a checkpoint, some more mail, and a kill."""
        crowd = crowd_on(self.folder, MSGD, seed=1)
        try:
            crowd.start()
            people = crowd.persons
            crowd.must(lambda: all(p.logins for p in people.values()), "everybody logs in")
            for name in ("bob", "dave"):
                people[name].leave()
            for number in range(6):
                people["alice"].compose(("bob", "carol"), f"{number} {LARGE}")
                people["carol"].compose(("dave",), f"hello {number}")
            crowd.must(
                lambda: not any(p.archive.outbox.counts().unsent for p in people.values()),
                "everything is accepted",
            )
            crowd.server.kill()
            self.oracle = crowd.oracle
        finally:
            crowd.close()

    def copy(self, folder: Path, command: Sequence[str], seed: int) -> Crowd:
        """A crowd of its own, on copies of everything."""
        # A server that was killed leaves its socket for panels, which cannot be copied.
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(PANEL_SOCKET))
        for name in ("msgd.log", "msgd.err"):
            (folder / name).unlink(missing_ok=True)
        return crowd_on(folder, command, seed, copy.deepcopy(self.oracle))


def crowd_on(
    folder: Path, command: Sequence[str], seed: int, oracle: Oracle | None = None
) -> Crowd:
    """Everybody, with the archives and the data that are in the folder."""
    crowd = Crowd(Server(folder, OPTIONS, command=command), folder / "archives", Random(seed))
    if oracle is not None:
        crowd.oracle = oracle
    for name in NAMES:
        crowd.add(name, live=name in LIVE)
    return crowd


def work(crowd: Crowd) -> None:
    """All steps, as far as the server lives."""
    server, people = crowd.server, crowd.persons
    alice, bob, carol, dave = (people[name] for name in NAMES)

    patience_ms = STEP_MS_MAX

    def until(holds: Callable[[], bool]) -> None:
        nonlocal patience_ms
        if not crowd.run_until(lambda: holds() or server.output_fd is None, patience_ms):
            patience_ms = LATER_STEPS_MS_MAX

    until(lambda: server.is_listening)
    until(lambda: all(person.is_online for person in people.values()))
    bob.check()
    until(lambda: bob.remaining == 0)
    for number in range(LARGE_COUNT):
        alice.compose(("bob", "dave") if number % 2 else ("bob",), f"{number} {LARGE}")
        carol.compose(("alice", "bob", "dave"), f"to three, {number}")
    carol.compose((), "to everyone")
    until(lambda: not alice.archive.outbox.counts().unsent)
    bob.check()
    dave.delete(force=True)
    until(lambda: bob.remaining == 0 and not dave.is_online)
    bob.leave()
    for number in range(LARGE_COUNT):
        alice.compose(("bob", "carol"), f"{number} {LARGE}")
        until(lambda: not alice.archive.outbox.counts().unsent)
    bob.come_back()
    until(lambda: bob.is_online)
    bob.check()
    until(lambda: bob.remaining == 0)
    dave.come_back()
    until(lambda: dave.is_online)
    dave.compose(("alice", "bob", "carol"), "I am new")
    until(lambda: not dave.archive.outbox.counts().unsent)
