"""Run it: `python -m tests.bench.bench [--quick] [--only W1,W3] [--runs N] [--build B] …`.

Without peers it measures `msgd` alone: the sources, the compiled build, or both in turn. With
`--client` it measures `msgc` (see tests.bench.client). The figure of record is the server's CPU
time for a message; rates depend on the machine and what else it does. No figure here fails a test;
what is checked is that every acknowledged message came back.

Exit 1 when a message was lost or doubled, or a workload could not be played.
"""

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

from tests.bench.client import measure_client
from tests.bench.machine import Figures, Generator, RunError, Server, probe, raise_descriptors
from tests.bench.peers import run_beside_peers

USERS: Final = 1_000
MANY_USERS: Final = 100_000
GROWTH_SLICES: Final = 10
UNDER_LOAD_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the workloads are."""

    seconds: float
    idle: int
    queued: int
    names: int
    readers: int


FULL: Final = Scale(5.0, 10_000, 1_000_000, MANY_USERS, 300)
QUICK: Final = Scale(2.0, 500, 20_000, 2_000, 20)

Row = tuple[str, Figures]
Workload = Callable[[Server, Scale, Path], Iterator[Row]]


def ingest_and_drain(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W1, W2: many senders to users who are away; then they fetch and confirm."""
    server.measure("prepare", users=USERS)
    for window, tag in ((256, 11), (1, 13)):
        sent, got = folder / "sent", folder / "got"
        yield (
            f"W1 w{window}",
            server.measure("ingest", window=window, seconds=scale.seconds, tag=tag, dump=sent),
        )
        drained = server.measure("drain", tag=tag + 1, dump=got)
        check_ids(sent, got)
        if window > 1:
            yield "W2", drained


def live(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W3: pairs, from the send to the fate."""
    server.measure("prepare", users=USERS)
    for window, tag in ((256, 21), (1, 22)):
        yield (
            f"W3 w{window}",
            server.measure("live", conns=4, window=window, seconds=scale.seconds, tag=tag),
        )


def fan_out(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W4: one sender to everyone; a delivery counts."""
    server.measure("prepare", users=USERS)
    options = {"conns": 1, "window": 4, "seconds": scale.seconds}
    yield "W4 1,000", server.measure("fanout", users=USERS, tag=31, **options)
    server.measure("prepare", users=scale.names, tag=32)
    yield f"W4 {scale.names:,}", server.measure("fanout", users=scale.names, tag=33, **options)


def idle(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W5: memory of connections that do nothing."""
    before = server.memory_bytes()
    with Generator(server.port, "idle", conns=scale.idle, tag=41):
        grown = server.memory_bytes() - before
    yield "W5 idle", {"connections": scale.idle, "bytes_each": grown / scale.idle}


def restart(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W5, W6: memory of what is queued; kill -9 under load, and the time to the first message."""
    sent, last, got = folder / "sent", folder / "last", folder / "got"
    server.measure("prepare", users=USERS)
    server.measure("ingest", count=1_000, tag=50, dump=sent)
    server.measure("drain", tag=51)
    before = server.memory_bytes()
    server.measure("ingest", count=scale.queued, tag=52, dump=sent)
    grown = server.memory_bytes() - before
    yield "W5 queued", {"queued": scale.queued, "bytes_each": grown / scale.queued}
    with Generator(server.port, "ingest", seconds=60, tag=53, dump=last) as generator:
        generator.begin()
        generator.run_for(UNDER_LOAD_SECONDS)
        server.stop(signal.SIGKILL)
        generator.figures()
    accept = server.start()
    figures = server.measure("drain", tag=54, dump=got)
    sent.write_bytes(sent.read_bytes() + last.read_bytes())
    check_ids(sent, got)
    figures |= {"accept_s": accept, "first_message_s": accept + figures["first_s"]}
    yield "W6", figures


def listing(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W7: many who ask for all names again and again; a page counts."""
    server.measure("prepare", users=scale.names, tag=61)
    yield (
        "W7",
        server.measure("listing", conns=scale.readers, seconds=scale.seconds, tag=62),
    )


def growth(server: Server, scale: Scale, folder: Path) -> Iterator[Row]:
    """W8: one mailbox that grows; the cost of a message in the first slice and in the last."""
    server.measure("prepare", users=1)
    each = scale.queued // GROWTH_SLICES
    costs: list[float] = []
    for slice_ in range(GROWTH_SLICES):
        figures = server.measure("ingest", users=1, count=each, tag=70 + slice_)
        costs.append(figures["cpu_us_per_msg"])
    half = len(costs) // 2
    yield (
        "W8",
        {
            "queued": each * GROWTH_SLICES,
            "first_us": statistics.median(costs[:half]),
            "last_us": statistics.median(costs[half:]),
            "ratio": statistics.median(costs[half:]) / statistics.median(costs[:half]),
        },
    )


WORKLOADS: Final[dict[str, Workload]] = {
    "W1": ingest_and_drain,
    "W3": live,
    "W4": fan_out,
    "W5": idle,
    "W6": restart,
    "W7": listing,
    "W8": growth,
}
ALSO: Final = {"W2": "W1"}
QUICK_ONES: Final = ("W1", "W3", "W4")


def check_ids(sent_path: Path, got_path: Path) -> None:
    """Raise RunError unless each acknowledged message came exactly once."""
    sent, got = array("Q"), array("Q")
    sent.frombytes(sent_path.read_bytes())
    got.frombytes(got_path.read_bytes())
    lost, doubled = len(set(sent) - set(got)), len(got) - len(set(got))
    if lost or doubled:
        raise RunError(f"of {len(sent)} acknowledged messages {lost} are lost, {doubled} doubled")


def figures_line(name: str, runs: list[Figures]) -> str:
    """One workload: medians, and the range of the rates."""

    def middle(key: str) -> float:
        return statistics.median(run[key] for run in runs)

    if "rate" not in runs[0]:
        return f"{name:<20}" + "  ".join(f"{key}={middle(key):,.2f}" for key in runs[0])
    rates = [run["rate"] for run in runs]
    words = (
        f"{name:<20}{middle('rate'):>12,.0f}/s  ({min(rates):,.0f}-{max(rates):,.0f})"
        f"  cpu_us={middle('cpu_us_per_msg'):.2f}"
        f"  p50_us={middle('p50_us'):,.0f}  p99_us={middle('p99_us'):,.0f}"
        f"  generator={middle('client_util'):.0%}"
    )
    extra = [key for key in ("accept_s", "first_message_s") if key in runs[0]]
    return words + "".join(f"  {key}={middle(key):.2f}" for key in extra)


def pythons_of(build: str) -> dict[str, str]:
    """The interpreters that have the builds to measure, by what their rows are marked with."""
    pure = {"": sys.executable}
    if build == "pure":
        return pure
    compiled = os.environ.get("MSG_COMPILED_PYTHON", "")
    if not compiled:
        raise RunError("there is no compiled build; scripts/bench.sh makes it")
    said = subprocess.run(
        [compiled, "-m", "msgd", "--version"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    if not said.strip().endswith("compiled"):
        raise RunError(f"{compiled} has no compiled msgd: {said.strip()}")
    return (pure if build == "both" else {}) | {" compiled": compiled}


def measure_alone(
    names: list[str], scale: Scale, runs: int, work: Path, pythons: dict[str, str]
) -> None:
    """All workloads, each on a fresh store, so many times; a line for each."""
    found: dict[str, list[Figures]] = {}
    for run in range(runs):
        for name, (mark, python) in product(names, pythons.items()):
            state = probe(work)
            print(
                f"[{run + 1}/{runs}] {name}{mark}: fdatasync {state.sync_us:.0f} us,"
                f" loop {state.loop_ms:.1f} ms",
                file=sys.stderr,
            )
            data = work / "data"
            server = Server(data, python)
            server.start()
            try:
                for title, figures in WORKLOADS[name](server, scale, work):
                    row = title + mark
                    found.setdefault(row, []).append(figures)
                    print("   " + figures_line(row, [figures]), file=sys.stderr)
            finally:
                server.stop()
                shutil.rmtree(data)
    for row, figures_list in found.items():
        print(figures_line(row, figures_list))


def chosen(only: str | None, *, quick: bool) -> list[str]:
    """The workloads to play. Raises RunError for a name that there is not."""
    if only is None:
        return list(QUICK_ONES if quick else WORKLOADS)
    names = [ALSO.get(name, name) for name in only.upper().split(",")]
    unknown = [name for name in names if name not in WORKLOADS]
    if unknown:
        raise RunError(f"there is no workload {unknown[0]}; there are {', '.join(WORKLOADS)}")
    return list(dict.fromkeys(names))


def tell(line: str) -> None:
    """A line, at once: full sizes take minutes."""
    print(line, flush=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="W1 to W4, small: under a minute")
    parser.add_argument("--only", help="these workloads, such as W1,W3")
    parser.add_argument("--runs", type=int, help="how often; medians are shown [3, quick: 1]")
    parser.add_argument("--folder", type=Path, help="where the stores lie [the temporary folder]")
    parser.add_argument(
        "--build", choices=("pure", "compiled", "both"), default="pure", help="of msgd [pure]"
    )
    parser.add_argument("--client", action="store_true", help="msgc instead of msgd")
    parser.add_argument("--peers", type=Path, help="a harness of other systems: beside them")
    options = parser.parse_args()
    runs = options.runs or (1 if options.quick else 3)
    raise_descriptors()
    try:
        with tempfile.TemporaryDirectory(prefix="msgd-bench-", dir=options.folder) as work:
            if options.client:
                measure_client(Path(work), quick=options.quick, tell=tell)
            elif options.peers:
                run_beside_peers(options.peers, Path(work), options.only, runs)
            else:
                names = chosen(options.only, quick=options.quick)
                scale = QUICK if options.quick else FULL
                measure_alone(names, scale, runs, Path(work), pythons_of(options.build))
    except RunError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
