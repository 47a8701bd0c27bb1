"""The measurements; each is run in a process of its own and prints one JSON object.

    python -m tests.scale.parts NAME FOLDER [NUMBER …]

Must never measure two things in one process: what the first left behind would be in the second.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests import as_root, no_brakes
from tests.e2e.plain_client import PlainClient
from tests.scale.load import (
    PER_TURN,
    TALKERS,
    Load,
    Probe,
    Turns,
    memory_bytes,
)
from wire.messages import CheckMessages, DistributeMessage

Figures = dict[str, float]


def mailbox_names(count: int) -> list[str]:
    return [f"user{index:07d}" for index in range(count)]


def probe(folder: str, count: int) -> Figures:
    """The disk alone, with nothing of ours beside it."""
    alone = Probe(folder)
    for _ in range(count):
        alone.run()
    return Turns.summary(alone.times_us, "sync")


def fill(folder: str, messages: int, mailboxes: int) -> Figures:
    """`messages` in `mailboxes`, in large turns and bursts, to have them there soon; and the bytes
    that it cost. Its turns are those of no server, and not judged.
    """
    load = Load(folder)
    load.create(iter([f"talker{index}" for index in range(TALKERS)] + mailbox_names(mailboxes)))
    load.store.checkpoint_now()
    base_bytes = load.disk.written_bytes
    begun = time.monotonic()
    load.fill(mailbox_names(mailboxes), messages, per_mailbox=256, per_turn=1_024)
    took = time.monotonic() - begun
    load.store.close()
    return {
        "rate": messages / took,
        "bytes_per_message": (load.disk.written_bytes - base_bytes) / messages,
        "peak_bytes": load.peak_bytes,
    }


def spread(folder: str, messages: int, mailboxes: int) -> Figures:
    """The worst that senders can do: every message to another mailbox."""
    load = Load(folder, seed=2)
    base_bytes = load.disk.written_bytes
    begun = time.monotonic()
    load.fill(mailbox_names(mailboxes), messages, per_mailbox=1)
    took = time.monotonic() - begun
    load.store.checkpoint_now()
    figures = {
        "rate": messages / took,
        "bytes_per_message": (load.disk.written_bytes - base_bytes) / messages,
        "peak_bytes": load.peak_bytes,
        **load.turn_figures(),
    }
    load.store.close()
    return figures


def turns(folder: str, messages: int, mailboxes: int) -> Figures:
    """Turns while checkpoints and compactions run; the process then dies of kill -9."""
    load = Load(folder, seed=3)
    names = mailbox_names(mailboxes)
    done = 0
    while done < messages:
        load.fill(load.random.sample(names, 8), 16 * PER_TURN, per_mailbox=8)
        done += 16 * PER_TURN
        load.drain(load.random.choice(names), 16 * PER_TURN)
    status = load.store.status()
    report = {
        "checkpoints": status.checkpoints,
        "compactions": status.compactions,
        "journal_bytes": status.journal_bytes,
        "peak_bytes": load.peak_bytes,
        **load.turn_figures(),
        **load.turns.summary(load.turns.all_us, "all"),
    }
    say(report)
    os.kill(os.getpid(), signal.SIGKILL)
    return report


def deep(folder: str, messages: int) -> Figures:
    """One mailbox with all of them, drained."""
    load = Load(folder)
    load.create(iter([f"talker{index}" for index in range(TALKERS)] + ["deep"]))
    load.fill(["deep"], messages, per_mailbox=PER_TURN)
    load.store.checkpoint_now()
    load.settle_down()
    begun = time.monotonic()
    done = load.drain("deep", messages * 2)
    took = time.monotonic() - begun
    load.store.close()
    return {"drained": done, "rate": done / took}


def accounts(folder: str, count: int) -> Figures:
    """Accounts that each have sent one message and have one waiting."""
    load = Load(folder)
    names = mailbox_names(count)
    begun = time.monotonic()
    by_name = load.store.state.by_name
    created = 0
    while created < count:
        some = names[created : created + 128]
        made = [load.store.create_account(name, load.clock.wall_ms()) for name in some]
        for sender, recipient in zip(made, [*made[1:], made[0]], strict=True):
            load.send(sender, recipient)
        created += len(some)
        load.end_turn()
        load.wait_until_open()
    assert len(by_name) == count
    took = time.monotonic() - begun
    load.store.close()
    return {
        "rate": count / took,
        "peak_bytes": load.peak_bytes,
        **load.turn_figures(),
    }


def serve(folder: str, *, name: str = "") -> Figures:
    """The real server on this folder: start-up, memory, time to the first message."""
    command = [
        sys.executable,
        "-m",
        "msgd",
        "--headless",
        "--data",
        folder,
        "--port",
        "0",
        *as_root.ARGUMENTS,
        *no_brakes.ARGUMENTS,
    ]
    begun = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        hello = server.stdout.readline()
        started = time.monotonic()
        port = re.search(r":(\d+)$", hello.strip())
        assert port is not None, hello
        now_bytes, peak_bytes = memory_bytes(server.pid)
        figures = {
            "start_s": started - begun,
            "start_processor_s": processor_s(server.pid),
            "memory_bytes": now_bytes,
            "peak_bytes": peak_bytes,
        }
        if name:
            begun = time.monotonic()
            client = PlainClient(int(port[1]))
            client.log_in(name, create=False)
            client.say(CheckMessages(client.next_request()))
            client.expect(DistributeMessage)
            figures["first_message_ms"] = (time.monotonic() - begun) * 1e3
            client.close()
        server.send_signal(signal.SIGTERM)
        assert server.wait() == 0
    return figures


def processor_s(process: int) -> float:
    """What a process has used of a processor so far: start-up without what else is running."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(figures: Figures) -> None:
    print(json.dumps(figures), flush=True)


def main() -> int:
    part, folder, *rest = sys.argv[1:]
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = [int(each) for each in rest if each.isdecimal()]
    words = [each for each in rest if not each.isdecimal()]
    parts: dict[str, Callable[..., Figures]] = {
        "probe": probe,
        "fill": fill,
        "spread": spread,
        "turns": turns,
        "deep": deep,
        "accounts": accounts,
    }
    if part == "serve":
        say(serve(folder, name="".join(words)))
    else:
        say(parts[part](folder, *numbers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
