"""Measure one store's scale: `python -m tests.scale.scale [--quick] [--messages N …]`.

Prints a table, with the targets beside the figures, and one closing line. Exit 1 when a target is
missed. The stores are made in a folder of their own, which is removed at the end.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from tests.scale.parts import Figures

MIB = 1 << 20
TURN_MS = 10.0
SLICES_MS = 4.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `target` None is for information."""

    title: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_missed(self) -> bool:
        return self.target is not None and self.value > self.target

    def line(self) -> str:
        target = "" if self.target is None else f"<= {self.target:,g}"
        verdict = "" if self.target is None else ("MISSED" if self.is_missed else "ok")
        return f"{self.title:<62} {self.value:>14,.2f} {self.unit:<6} {target:>10} {verdict}"


class Table:
    """Prints every row as soon as it is known: full sizes take an hour."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, title: str, value: float, unit: str, target: float | None = None) -> None:
        self.rows.append(Row(title, value, unit, target))
        print(self.rows[-1].line(), flush=True)


def run(part: str, folder: str, *rest: object) -> Figures:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.scale.parts", part, folder, *map(str, rest)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"failed with code {done.returncode}: {' '.join(command)}")
    figures: Figures = json.loads(done.stdout)
    return figures


def measure_messages(table: Table, folder: str, messages: int, mailboxes: int) -> None:
    empty = run("serve", f"{folder}/empty")
    table.add("server, empty: memory", empty["memory_bytes"] / MIB, "MiB")
    table.add("server, empty: start-up", empty["start_s"], "s")
    alone = run("probe", f"{folder}/probe", 2_000)
    table.add("this disk, now: one write of 16 KiB and one sync, p50", alone["sync_p50_ms"], "ms")
    table.add("  p99", alone["sync_p99_ms"], "ms")
    table.add("  longest", alone["sync_max_ms"], "ms")
    data = f"{folder}/messages"
    what = f"{messages:,} messages in {mailboxes:,} mailboxes"
    filled = run("fill", data, messages, mailboxes)
    table.add(f"{what}: taken a second, in large turns", filled["rate"], "/s")
    table.add("  bytes written per message of 100", filled["bytes_per_message"], "B")
    table.add("  peak of memory above before", filled["peak_bytes"] / MIB, "MiB", 64)
    clean = run("serve", data, "user0000001")
    above = (clean["memory_bytes"] - empty["memory_bytes"]) / MIB
    table.add("  server's memory above empty", above, "MiB", 64)
    table.add(
        "  its peak above empty", (clean["peak_bytes"] - empty["peak_bytes"]) / MIB, "MiB", 64
    )
    add_start(table, "a clean stop", clean)
    table.add("  connect, log in, first message", clean["first_message_ms"], "ms")
    mixed = run("turns", data, max(50_000, messages // 50), mailboxes)
    table.add("mixed load: checkpoints", mixed["checkpoints"], "")
    table.add("  compactions", mixed["compactions"], "")
    add_turns(table, mixed)
    table.add("  peak of memory above before", mixed["peak_bytes"] / MIB, "MiB", 64)
    table.add("  journal left by kill -9", mixed["journal_bytes"] / MIB, "MiB")
    killed = run("serve", data, "user0000001")
    add_start(table, "kill -9", killed)
    apart = run("spread", data, max(100_000, messages // 100), mailboxes)
    table.add("each message to another mailbox: taken a second", apart["rate"], "/s")
    table.add("  bytes written per message of 100", apart["bytes_per_message"], "B")
    add_turns(table, apart)
    table.add("  peak of memory above before", apart["peak_bytes"] / MIB, "MiB", 64)
    shutil.rmtree(data)


def add_start(table: Table, after: str, figures: Figures) -> None:
    table.add(f"  start-up after {after}", figures["start_s"], "s")
    table.add("    of that, processor", figures["start_processor_s"], "s")


def add_turns(table: Table, figures: Figures) -> None:
    """The turns in which a checkpoint or a compaction ran.

    Without its syncs a turn is judged by itself. With them it is as good as the disk: a turn has
    four milliseconds for house-keeping, the sync of its commit, and a sync that began before they
    were over, which also writes the file system's own log and so counts twice.
    """
    table.add(
        f"  {figures['busy_turns']:,.0f} turns with house-keeping: p50",
        figures["busy_p50_ms"],
        "ms",
    )
    disk_ms = figures["probe_p99_ms"]
    table.add("    p99", figures["busy_p99_ms"], "ms", max(TURN_MS, SLICES_MS + 3 * disk_ms))
    table.add("    longest", figures["busy_max_ms"], "ms")
    table.add("    without syncs: p99", figures["own_p99_ms"], "ms", TURN_MS)
    table.add("    without syncs: longest", figures["own_max_ms"], "ms")
    table.add("    the disk meanwhile, one write and one sync: p50", figures["probe_p50_ms"], "ms")
    table.add("    the disk meanwhile: p99", disk_ms, "ms")
    table.add("    the disk meanwhile: longest", figures["probe_max_ms"], "ms")


def measure_drain(table: Table, folder: str, messages: int) -> None:
    data = f"{folder}/deep"
    drained = run("deep", data, messages)
    assert drained["drained"] >= messages, drained
    table.add(f"one mailbox of {messages:,}: drained a second", drained["rate"], "/s")
    shutil.rmtree(data)


def measure_accounts(table: Table, folder: str, count: int) -> None:
    data = f"{folder}/accounts"
    empty = run("serve", f"{folder}/empty")
    made = run("accounts", data, count)
    table.add(f"{count:,} accounts, each sent one, has one: made a second", made["rate"], "/s")
    add_turns(table, made)
    clean = run("serve", data, "user0000001")
    each = (clean["memory_bytes"] - empty["memory_bytes"]) / count
    table.add("  server's memory for one", each, "B", 600)
    peak = (clean["peak_bytes"] - empty["peak_bytes"]) / count
    table.add("  at its peak", peak, "B")
    add_start(table, "a clean stop", clean)
    table.add("  connect, log in, first message", clean["first_message_ms"], "ms")
    shutil.rmtree(data)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/scale.sh", description="measure one store")
    parser.add_argument("--quick", action="store_true", help="sizes for two minutes")
    parser.add_argument("--messages", type=int, help="queued (default 10,000,000)")
    parser.add_argument("--mailboxes", type=int, help="that hold them (default 10,000)")
    parser.add_argument("--accounts", type=int, help="with few messages (default 1,000,000)")
    parser.add_argument("--folder", default="/var/tmp", help="on a real disk (default /var/tmp)")
    options = parser.parse_args()
    usual = (200_000, 1_000, 50_000) if options.quick else (10_000_000, 10_000, 1_000_000)
    chosen = (options.messages, options.mailboxes, options.accounts)
    messages, mailboxes, accounts = (
        default if given is None else given for given, default in zip(chosen, usual, strict=True)
    )
    begun = time.monotonic()
    table = Table()
    folder = tempfile.mkdtemp(prefix="scale-", dir=options.folder)
    try:
        measure_messages(table, folder, messages, mailboxes)
        measure_drain(table, folder, max(1, messages // 10))
        measure_accounts(table, folder, accounts)
    finally:
        shutil.rmtree(folder)
    missed = sum(row.is_missed for row in table.rows)
    judged = sum(row.target is not None for row in table.rows)
    print(
        f"messages={messages} mailboxes={mailboxes} accounts={accounts} targets={judged}"
        f" missed={missed} seconds={time.monotonic() - begun:.0f}"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
