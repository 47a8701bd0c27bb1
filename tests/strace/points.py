"""Which call of the system shall fail, how, and what may come of it.

A point is: the K-th call of one kind, one fault, once or for good. The calls are known from a run
in which nothing fails; only those on the data folder and on TCP connections are of interest, for
what Python itself does at its start is not msgd's affair.

strace makes a call fail by not making it. So a return value that says that something was written
would be a lie; the one short count that is true is 0, and it stands for all of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

DELAY_US: Final = 400_000
SYNCS: Final = frozenset({"fsync", "fdatasync", "syncfs"})
SOCKET_CALLS: Final = frozenset({"accept4", "recvfrom", "sendto", "epoll_wait", "epoll_pwait"})
NOT_RESTARTED: Final = frozenset({"renameat", "unlinkat", "mkdirat"})
"""Calls that Python does not make again after EINTR (PEP 475 names those that it does)."""

NO_ROOM: Final = ("error=ENOSPC", "error=EDQUOT")
FAULTS: Final[dict[str, tuple[str, ...]]] = {
    "pwrite64": ("error=EIO", *NO_ROOM, "error=EINTR", "retval=0"),
    "fdatasync": ("error=EIO", *NO_ROOM, "error=EINTR", f"delay_enter={DELAY_US}"),
    "fsync": ("error=EIO", *NO_ROOM, "error=EINTR", f"delay_enter={DELAY_US}"),
    "syncfs": ("error=EIO", *NO_ROOM, "error=EINTR", f"delay_enter={DELAY_US}"),
    "openat": ("error=EIO", *NO_ROOM, "error=EMFILE", "error=EINTR"),
    "renameat": ("error=EIO", *NO_ROOM, "error=EINTR"),
    "ftruncate": ("error=EIO", *NO_ROOM, "error=EINTR"),
    "fallocate": ("error=EIO", *NO_ROOM, "error=EINTR"),
    "unlinkat": ("error=EIO", "error=EINTR"),
    "mkdirat": ("error=EIO", *NO_ROOM),
    "pread64": ("error=EIO", "error=EINTR"),
    "accept4": ("error=EIO", "error=EMFILE", "error=EINTR", "error=ECONNRESET"),
    "recvfrom": ("error=EIO", "error=EINTR", "error=ECONNRESET"),
    "sendto": ("error=EIO", "error=EINTR", "error=ECONNRESET", "retval=0"),
    "epoll_wait": ("error=EINTR",),
    "epoll_pwait": ("error=EINTR",),
}
CALL: Final = re.compile(r"^\d+ +(?P<name>\w+)\((?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class Call:
    """One call in a trace. `ordinal` counts the calls of its kind from 1."""

    name: str
    ordinal: int
    text: str

    @property
    def is_injected(self) -> bool:
        """Whether strace made it fail, or wait."""
        return "INJECTED" in self.text or "DELAYED" in self.text

    @property
    def is_batch(self) -> bool:
        """Whether it writes a batch into the journal."""
        return self.name == "pwrite64" and ".journal>" in self.text and ", 0) =" not in self.text

    def is_ours(self, folder: str) -> bool:
        """Whether it is about the data folder, or about a connection."""
        if self.name in {"epoll_wait", "epoll_pwait"}:
            return True
        if self.name in SOCKET_CALLS:
            return "<TCP:" in self.text
        return f"<{folder}" in self.text


@dataclass(frozen=True, slots=True)
class Point:
    """One fault to inject. `for_good`: every later call of this kind fails too."""

    call: str
    fault: str
    ordinal: int
    for_good: bool

    def __str__(self) -> str:
        return f"{self.call}:{self.fault}:when={self.ordinal}{'+' if self.for_good else ''}"


def parse(trace: str) -> Iterator[Call]:
    """The calls in what `strace -o` wrote."""
    ordinals: dict[str, int] = {}
    for line in trace.splitlines():
        found = CALL.match(line)
        if found is not None:
            name = found["name"]
            ordinals[name] = ordinals.get(name, 0) + 1
            yield Call(name, ordinals[name], found["rest"])


def choose(calls: Sequence[Call], folder: str, count: int, random: Random) -> list[Point]:
    """So many points, spread evenly over kinds, faults, and once or for good; no two are equal."""
    lanes: list[list[Point]] = []
    for name, faults in FAULTS.items():
        ordinals = [call.ordinal for call in calls if call.name == name and call.is_ours(folder)]
        for fault in faults:
            for for_good in (False, True) if fault.startswith("error=") else (False,):
                if for_good and (fault == "error=EINTR" or name == "recvfrom"):
                    # To be interrupted for ever is to stand still; and signals come over a
                    # socket of the process's own, which cannot fail.
                    continue
                lane = [Point(name, fault, ordinal, for_good) for ordinal in ordinals]
                random.shuffle(lane)
                lanes.append(lane)
    random.shuffle(lanes)
    chosen: list[Point] = []
    while len(chosen) < count and any(lanes):
        for lane in lanes:
            if lane and len(chosen) < count:
                chosen.append(lane.pop())
    return chosen


def allowed_ends(point: Point, hit: Call) -> tuple[int, ...]:
    """With which exit codes the server may end: 0 is on SIGTERM, after it went on."""
    if not point.fault.startswith("error="):
        return (0,)
    if point.fault == "error=EINTR":
        return (0, 70, 78) if point.call in NOT_RESTARTED else (0,)
    if point.call in SOCKET_CALLS:
        return (0,)
    if point.call in SYNCS or hit.is_batch:
        return (70,)
    return (0, 70, 78)


def must_end_at_once(point: Point, hit: Call) -> bool:
    """Whether nothing may be written, synced or sent after the fault."""
    return allowed_ends(point, hit) == (70,)


def after_the_end(calls: Sequence[Call], hit: Call) -> Call | None:
    """The first call after `hit` that promises or changes anything, if there is one."""
    for call in calls[calls.index(hit) + 1 :]:
        if call.name in {"sendto", "pwrite64", "renameat", "unlinkat", *SYNCS}:
            return call
    return None
