"""Makes stores of any size through the real Store on the real disk, and counts what it costs.

Every turn is what the server does: changes in memory, one commit, one piece of house-keeping.
Must never write into a folder that it was not given.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from store.disk import DiskMissing
from store.os_disk import OsDisk
from store.settings import Admission, Settings
from store.state import Account
from store.store import Store

WORK_MS = 4  # as msgd.reactor_limits.ReactorLimits.store_slice_ms
PER_TURN = 64
BODY_BYTES = 100
TALKERS = 100
PROBE_EVERY = 8  # turns with house-keeping


class RealClock:
    """The store's two clocks."""

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1_000

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000


class CountingDisk(OsDisk):
    """A real disk that counts the bytes and syncs that the store asks for."""

    written_bytes = 0
    sync_us = 0  # spent in syncs, ever; without the time in which others had the processor

    def pwrite(self, handle: int, data: bytes, offset: int) -> int:
        done = super().pwrite(handle, data, offset)
        self.written_bytes += done
        return done

    def sync(self, handle: int) -> None:
        begun_us = own_us()
        super().sync(handle)
        self.sync_us += own_us() - begun_us

    def sync_together(self, handles: Sequence[int]) -> None:
        begun_us, synced_us = own_us(), self.sync_us
        super().sync_together(handles)
        self.sync_us = synced_us + own_us() - begun_us  # one by one, they are counted in already

    def sync_data(self, handle: int) -> None:
        begun_us = own_us()
        super().sync_data(handle)
        self.sync_us += own_us() - begun_us

    def sync_folder(self, path: str) -> None:
        begun_us = own_us()
        super().sync_folder(path)
        self.sync_us += own_us() - begun_us


class Probe:
    """What the disk alone takes for one write and one sync into a file that is there already, seen
    all the time between the turns: what else uses the disk is no property of the store.
    """

    def __init__(self, folder: str) -> None:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.disk = OsDisk(folder, create=True)
        with suppress(DiskMissing):
            self.disk.remove("probe")
        self.handle = self.disk.create("probe")
        self.disk.preallocate(self.handle, 4 << 20)
        self.disk.sync(self.handle)
        self.times_us: list[int] = []

    def run(self) -> None:
        begun_us = own_us()
        self.disk.write_at(self.handle, len(self.times_us) % 256 << 14, bytes(1 << 14))
        self.disk.sync_data(self.handle)
        self.times_us.append(own_us() - begun_us)


class Turns:
    """How long the turns' commits and house-keeping took, in microseconds.

    Bytes are counted in `CountingDisk` and not taken from /proc/self/io: that counts whole folios
    of the page cache, and so up to a hundred times what reaches the disk.
    """

    def __init__(self) -> None:
        self.all_us: list[int] = []
        self.busy_us: list[int] = []  # while a checkpoint or a compaction ran
        self.busy_own_us: list[int] = []  # the same, without the syncs

    @staticmethod
    def summary(times_us: list[int], name: str) -> dict[str, float]:
        ordered = sorted(times_us) or [0]
        return {
            f"{name}_turns": len(times_us),
            f"{name}_p50_ms": ordered[len(ordered) // 2] / 1e3,
            f"{name}_p99_ms": ordered[len(ordered) * 99 // 100] / 1e3,
            f"{name}_max_ms": ordered[-1] / 1e3,
        }


class Load:
    """An open store, and turns on it."""

    def __init__(self, folder: str, seed: int = 1) -> None:
        self.disk = CountingDisk(folder, create=True)
        self.clock = RealClock()
        self.store = Store.open(self.disk, self.clock, os.urandom, Settings())
        self.random = Random(seed)
        self.turns = Turns()
        self.probe = Probe(folder.rstrip("/") + "-probe")
        self.counter = time.time_ns()  # above every counter of an earlier process
        self.base_bytes = memory_bytes()[0]
        self.peak_bytes = 0  # above what the process had before the load, as far as turns saw

    def message_id(self, sender: Account) -> bytes:
        self.counter += 1
        return b"inst" + sender.number.to_bytes(4, "big") + self.counter.to_bytes(8, "big")

    def end_turn(self) -> None:
        """Commit and house-keeping, timed; waits as clients do when the store is busy."""
        store, keeper = self.store, self.store.keeper
        was_busy = keeper.checkpoint is not None or keeper.compaction is not None
        begun_us, synced_us = own_us(), self.disk.sync_us
        store.commit()
        store.work(WORK_MS)
        took_us = own_us() - begun_us
        turns = self.turns
        turns.all_us.append(took_us)
        if len(turns.all_us) % 64 == 0:
            self.peak_bytes = max(self.peak_bytes, memory_bytes()[0] - self.base_bytes)
        if was_busy or keeper.checkpoint is not None or keeper.compaction is not None:
            turns.busy_us.append(took_us)
            turns.busy_own_us.append(took_us - (self.disk.sync_us - synced_us))
            if len(turns.busy_us) % PROBE_EVERY == 0:
                self.probe.run()

    def turn_figures(self) -> dict[str, float]:
        """The turns in which house-keeping ran, and the disk meanwhile."""
        summary = self.turns.summary
        return {
            **summary(self.turns.busy_us, "busy"),
            **summary(self.turns.busy_own_us, "own"),
            **summary(self.probe.times_us, "probe"),
        }

    def wait_until_open(self) -> None:
        while self.store.admission is not Admission.OPEN:
            self.end_turn()

    def settle_down(self) -> None:
        """Until there is no house-keeping left."""
        while self.store.work(WORK_MS):
            pass

    def create(self, names: Iterator[str]) -> None:
        """Accounts, a few hundred a turn."""
        store = self.store
        for index, name in enumerate(names):
            store.create_account(name, self.clock.wall_ms())
            if index % 256 == 255:
                self.end_turn()
                self.wait_until_open()
        self.end_turn()

    def send(self, sender: Account, recipient: Account) -> None:
        message_id = self.message_id(sender)
        body = b"%0*d" % (BODY_BYTES, self.counter)  # one of its own, as from the network
        self.store.accept(sender, message_id, [recipient], body, self.clock.wall_ms())

    def talkers(self) -> list[Account]:
        by_name = self.store.state.by_name
        return [by_name[f"talker{index}"] for index in range(TALKERS)]

    def fill(
        self, names: list[str], messages: int, *, per_mailbox: int, per_turn: int = PER_TURN
    ) -> None:
        """Messages in random mailboxes, `per_mailbox` to each that a turn picks."""
        talkers = self.talkers()
        by_name = self.store.state.by_name
        done = 0
        while done < messages:
            for _ in range(0, per_turn, per_mailbox):
                recipient = by_name[self.random.choice(names)]
                for _ in range(per_mailbox):
                    self.send(self.random.choice(talkers), recipient)
            done += per_turn
            self.end_turn()
            self.wait_until_open()

    def drain(self, name: str, count_max: int) -> int:
        """Read and confirm as a session does; how many."""
        store = self.store
        account = store.state.by_name[name]
        reader = store.reader(account, account.settled.floor, None)
        done = 0
        while done < count_max:
            found = reader.read(PER_TURN, 1 << 20)
            if not found and reader.exhausted:
                break
            store.settle(account, found, self.clock.wall_ms())
            done += len(found)
            self.end_turn()
        return done


def memory_bytes(process: int | str = "self") -> tuple[int, int]:
    """(anonymous memory now, the most that was ever resident) of a process."""
    found = {}
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key in {"RssAnon", "VmHWM"}:
            found[key] = int(value.split()[0]) * 1024
    return found["RssAnon"], found["VmHWM"]


def own_us() -> int:
    """A clock that stands while this process is ready to run and another one has the processor:
    what else runs on the machine is no property of the store.
    """
    waited_ns = int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1])
    return (time.monotonic_ns() - waited_ns) // 1_000
