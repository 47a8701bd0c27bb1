"""msgd beside other systems: a copy of their harness, with msgd as one adapter more.

The harness is a folder with `bench.py`, `harness.py`, `adapters/`, `loadgen/` and
`scripts/install.sh`. It is copied, never changed; the copy gets an adapter that starts this tree's
msgd, and its load generator gets `proto_msgd.c`: so one generator, in C, plays against all of them.

Must never write into the folder it was given.
Fails with RunError when a part of the harness is missing or ends badly.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests import as_root, no_brakes
from tests.bench.machine import RunError
from tests.real.server import ROOT

PROTOCOL: Final = Path(__file__).parent / "proto_msgd.c"
PEERS: Final = "redis,mosquitto,nats"
ADAPTER: Final = '''"""msgd: MSGP/1, one fdatasync a turn before every acknowledgement."""
from harness import Adapter

ROOT = {root!r}
PYTHON = {python!r}


class Msgd(Adapter):
    name = "msgd"
    proto = "msgd"
    port = 26999

    def command(self, data_dir):
        return [PYTHON, "-m", "msgd", "--headless", "--data", str(data_dir / "store"),
                "--port", str(self.port), "--log", str(data_dir / "msgd.log")]

    def env(self, data_dir):
        return {{"PYTHONPATH": ROOT, **{environment!r}}}
'''


def run_beside_peers(harness: Path, work: Path, only: str | None, runs: int) -> None:
    """Make the copy, run it, print one table with ratios."""
    for part in ("bench.py", "harness.py", "adapters/__init__.py", "loadgen"):
        if not (harness / part).exists():
            raise RunError(f"{harness} is no harness of peers: {part} is missing")
    copy = work / "peers"
    shutil.copytree(harness, copy)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    environment = {**as_root.ENVIRONMENT, **no_brakes.ENVIRONMENT}
    adapter = ADAPTER.format(root=str(ROOT), python=sys.executable, environment=environment)
    (copy / "adapters" / "msgd.py").write_text(adapter)
    register = copy / "adapters" / "__init__.py"
    register.write_text(
        register.read_text() + "\nfrom .msgd import Msgd\nADAPTERS[Msgd.name] = Msgd\n"
    )
    teach(copy / "loadgen")
    if not shutil.which("redis-server"):
        _run([str(copy / "scripts" / "install.sh")], copy)
    _run(["make", "-C", "loadgen"], copy)
    out = work / "results.json"
    peers = os.environ.get("BENCH_PEERS", PEERS)
    workloads = (only or "w1,w3,w4").lower()
    _run(
        [
            *(sys.executable, "bench.py", "--peer", f"msgd,{peers}", "--workload", workloads),
            *("--runs", str(runs), "--json", str(out)),
        ],
        copy,
    )
    print(ratios(json.loads(out.read_text())))


def teach(generator: Path) -> None:
    """Have the harness's generator speak msgd's protocol. Raises RunError if it is another one."""
    shutil.copy(PROTOCOL, generator)
    for name, before, after in (
        ("engine.h", "extern const struct proto ", "proto_msgd, "),
        ("engine.c", "static const struct proto *protos[] = { ", "&proto_msgd, "),
        ("Makefile", "SRC = ", "proto_msgd.c "),
    ):
        path = generator / name
        text = path.read_text()
        if before not in text:
            raise RunError(f"{path} is another one: it has no {before.strip()!r}")
        path.write_text(text.replace(before, before + after, 1))


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise RunError(f"{' '.join(command)} ended with {done.returncode}")


def ratios(results: list[dict[str, object]]) -> str:
    """A line for each workload: rate and CPU time of msgd, and as a multiple of each peer."""
    rates: dict[str, dict[str, float]] = {}
    costs: dict[str, dict[str, float]] = {}
    for result in results:
        runs = result["runs"]
        assert isinstance(runs, list)
        if "rate" in runs[0]:
            cell, peer = str(result["cell"]), str(result["peer"])
            rates.setdefault(cell, {})[peer] = statistics.median(run["rate"] for run in runs)
            costs.setdefault(cell, {})[peer] = statistics.median(
                run["cpu_us_per_msg"] for run in runs
            )
    lines = ["workload         msgd/s  cpu us   times the rate (times the cpu) of"]
    for cell, by_peer in rates.items():
        ours, our_cost = by_peer["msgd"], costs[cell]["msgd"]
        beside = "  ".join(
            f"{peer} {ours / rate:.2f} ({our_cost / costs[cell][peer]:.2f})"
            for peer, rate in by_peer.items()
            if peer != "msgd" and rate and costs[cell][peer]
        )
        lines.append(f"{cell:<14}{ours:>10,.0f}{our_cost:>8.1f}   {beside}")
    return "\n".join(lines)
