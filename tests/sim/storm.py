"""All that goes wrong in a storm, and when. One draw decides what comes next, one when.

Every kind is counted in the world's `counts`: a kind that never comes up proves nothing, and a test
looks for that.

Must never damage what no store can tell from an unfinished write: the last batch of the journal.
"""

import random
from collections import Counter
from collections.abc import Callable
from re import compile as pattern
from typing import Final, Protocol

from msgd.net import Wish
from store.disk import DiskFailure
from store.journal_segment import BATCH, FIRST_BATCH, segment_path
from store.limits import PAGE_BYTES
from store.store import Store
from tests.sim.sim_clock import SimClock
from tests.sim.sim_disk import SimDisk
from tests.sim.sim_inode import PAGE
from tests.sim.sim_net import SimNetwork

NOT_ZERO: Final = pattern(rb"[^\0]")
ROOMY_BYTES: Final = 1 << 40
FULL_MS_MAX: Final = 120_000
"""So long a disk is full at most."""
CALLS_THAT_FAIL: Final = ("sync", "sync", "write", "sync_folder", "create", "rename", "")


class World(Protocol):
    """What a storm strikes."""

    rng: random.Random
    clock: SimClock
    disk: SimDisk
    net: SimNetwork
    counts: Counter[str]

    @property
    def store(self) -> Store | None:
        """The running server's; None while none runs."""

    def trace(self, who: str, what: str) -> None: ...

    def count(self, what: str) -> None: ...

    def server_dies(self, *, power: bool) -> None: ...


class Storm:
    """See the module's text. `next_ms` is when something is to be done; None when it is over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pace_ms = world.rng.choice((2_000, 20_000, 120_000))
        self._fault_ms = world.clock.now_ms + world.rng.randint(1, self.pace_ms)
        self._room_ms: int | None = None
        """When somebody makes room on a full disk."""
        self.next_ms: int | None = self._fault_ms
        self._faults: tuple[Callable[[], None], ...] = (
            self._power_cut,
            self._power_cut_soon,
            self._power_cut_soon,
            self._power_cut_after_an_answer,
            self._call_fails,
            self._call_fails,
            self._disk_fills,
            self._kill,
            self._stop,
            self._wall_jumps,
            self._cable,
            self._network_changes,
            self._read_fails,
            self._bits_rot,
        )

    def strike(self) -> bool:
        """Do what is due; gives whether anything was."""
        world, now_ms = self.world, self.world.clock.now_ms
        if self.next_ms is None or now_ms < self.next_ms:
            return False
        if self._room_ms is not None and now_ms >= self._room_ms:
            self._make_room()
        else:
            self._fault_ms = now_ms + world.rng.randint(1, 2 * self.pace_ms)
            fault = world.rng.choice(self._faults)
            world.trace("storm", fault.__name__)
            fault()
        room_ms = self._room_ms
        self.next_ms = self._fault_ms if room_ms is None else min(self._fault_ms, room_ms)
        return True

    def end(self) -> None:
        """No more faults, and room. What is damaged stays so: somebody has to mend it."""
        world = self.world
        self.next_ms = None
        world.disk.quota_bytes = ROOMY_BYTES
        world.disk.cut_at = world.disk.fail_at = world.disk.read_fail_at = -1
        world.net.heal()

    # ----- the machine

    def _power_cut(self) -> None:
        if self.world.store is not None:
            self.world.count("power cuts between turns")
            self.world.server_dies(power=True)

    def _power_cut_soon(self) -> None:
        """At one of the next calls on the disk, in the middle of whatever it is."""
        disk = self.world.disk
        disk.cut_at = disk.calls + self.world.rng.randint(1, 60)

    def _power_cut_after_an_answer(self) -> None:
        """When somebody was just told something, and nothing else was done since."""
        self.world.net.sends_left = self.world.rng.randint(1, 4)

    def _kill(self) -> None:
        if self.world.store is not None:
            self.world.count("kills")
            self.world.server_dies(power=False)

    def _stop(self) -> None:
        if self.world.store is not None:
            self.world.count("stops")
            self.world.net.wishes.append(Wish.STOP)

    def _wall_jumps(self) -> None:
        by_ms = self.world.rng.randint(-3_600_000, 3_600_000)
        self.world.count("clock jumps ahead" if by_ms > 0 else "clock jumps back")
        self.world.clock.jump_wall(by_ms)

    # ----- the disk

    def _call_fails(self) -> None:
        """One of the next calls fails. What a failed sync was for is clean: the cache lies."""
        disk = self.world.disk
        disk.fail_only = self.world.rng.choice(CALLS_THAT_FAIL)
        disk.fail_error = DiskFailure
        disk.fail_at = self.world.rng.randint(1, 5)

    def _disk_fills(self) -> None:
        """Nearly no room, for a while: who is refused all day shows nothing new."""
        disk, rng = self.world.disk, self.world.rng
        if disk.quota_bytes < ROOMY_BYTES:
            self._make_room()
        else:
            self.world.count("full disks")
            disk.quota_bytes = disk.used_bytes() + rng.randint(0, 1 << 18)
            self._room_ms = self.world.clock.now_ms + rng.randint(1, FULL_MS_MAX)

    def _make_room(self) -> None:
        disk = self.world.disk
        self.world.counts["full disks that heal"] += disk.quota_bytes < ROOMY_BYTES
        disk.quota_bytes = ROOMY_BYTES  # the operator may have been faster
        self._room_ms = None

    def _read_fails(self) -> None:
        """One of the next reads fails; or some pages cannot be read until somebody mends them."""
        disk, rng = self.world.disk, self.world.rng
        if rng.random() < 0.7:
            disk.read_fail_at = rng.randint(1, 20)
            return
        path = self._pick_file(("mailboxes", "mailboxes", "accounts", "journal"))
        if path is not None:
            first = rng.randrange(1 + len(disk.contents(path)) // PAGE)
            disk.inode(path).bad_pages.update(range(first, first + rng.randint(1, 4)))
            self.world.count("bad pages")

    def _bits_rot(self) -> None:
        """Some bits of one byte flip, in a file that may count."""
        disk, rng = self.world.disk, self.world.rng
        path = self._pick_file(("mailboxes", "mailboxes", "accounts", "journal", "journal", ""))
        if path is None:
            return
        contents = disk.contents(path)
        end = len(contents)
        if path.startswith("journal/"):
            end = self._end_of_what_is_safe(path)
        if end <= 0:
            return
        offset = rng.randrange(end)
        # Most of a page is zeros that mean nothing: rather a byte that means something.
        meaning = NOT_ZERO.search(contents, offset, end)
        offset = offset if meaning is None else meaning.start()
        disk.damage(path, offset, rng.choice((1, 16, 128, 255)))
        self.world.count(f"bits rotten in {path.partition('/')[0]}")
        self.world.trace("storm", f"rot in {path} at {offset}")

    def _pick_file(self, folders: tuple[str, ...]) -> str | None:
        """A file of one of these folders; "" is MANIFEST."""
        folder = self.world.rng.choice(folders)
        wanted = f"{folder}/" if folder else "MANIFEST"
        paths = [path for path in self.world.disk.files() if path.startswith(wanted)]
        paths = [path for path in paths if not path.endswith(".tmp")]
        return self.world.rng.choice(paths) if paths else None

    def _end_of_what_is_safe(self, path: str) -> int:
        """Where the last batch of the journal begins, if it is in this file.

        Damage to it looks like a write that the power cut off; only a seal protects it.
        """
        store = self.world.store
        if store is None:
            return 0  # a dead server cannot say where that is
        journal = store.journal
        contents = self.world.disk.contents(path)
        segment = journal.segments[-1]
        if journal.sealed or path != segment_path(segment.number):
            return len(contents)
        last = offset = FIRST_BATCH
        while offset < FIRST_BATCH + segment.used:
            last = offset
            payload_bytes = BATCH.unpack_from(contents, offset)[4]
            offset += -(-(BATCH.size + payload_bytes) // PAGE_BYTES) * PAGE_BYTES
        return last

    # ----- the network

    def _cable(self) -> None:
        net, rng = self.world.net, self.world.rng
        if not net.wires:
            return
        wire = rng.choice(net.wires)
        if rng.random() < 0.5:
            self.world.count("resets")
            wire.reset()
        else:
            self.world.count("stalls")
            wire.stall(self.world.clock.now_ms + rng.randint(1, 120_000))

    def _network_changes(self) -> None:
        self.world.net.draw_quality()
        self.world.count("slow networks" if self.world.net.latency_ms >= 400 else "fast networks")
