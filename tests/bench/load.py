"""The load generator: `python -m tests.bench.load WORKLOAD --port P [options]`.

Its standard input and output are the control protocol of the peers' harness, so that one driver
serves both: it prints READY once every connection is logged in, begins at a line on its input,
prints one JSON line of results, and holds its connections until its input ends.

One thread, epoll, no waiting but for events. Exit 1 with one sentence when the server misbehaves.
"""

import argparse
import gc
import json
import os
import select
import sys
import time
from array import array
from pathlib import Path
from typing import Final

from tests.bench.frames import LoadError, ServerGoneError, percentile_us
from tests.bench.line import Line
from tests.bench.loads import LOADS, Load, Options

_OPENING_MAX: Final = 64
_STALL_SECONDS: Final = 20


class Player:
    """All connections of one workload, and the loop that serves them."""

    def __init__(self, load: Load, port: int, tag: int) -> None:
        self._load = load
        self._port = port
        self._tag = tag
        self._poll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._opening = 0
        self._started = False

    def dial(self, name: str, index: int, *, live: bool) -> Line:
        """A connection more; its installation is its own, and another in each run."""
        installation = self._tag.to_bytes(4, "big") + index.to_bytes(4, "big")
        line = Line(self._port, name, installation, live=live)
        self._lines[line.fd] = line
        self._poll.register(line.fd, select.EPOLLIN | select.EPOLLOUT)
        self._opening += 1
        return line

    def connect(self) -> None:
        """Log everybody in, some at a time."""
        for _ in self._load.open(self.dial):
            while self._opening >= _OPENING_MAX:
                self._turn()
        while self._opening:
            self._turn()

    def play(self) -> None:
        """The workload itself."""
        self._started = True
        self._load.start(time.monotonic_ns())
        while not self._load.is_done:
            self._turn()

    def idle(self) -> None:
        """Serve what is open until the standard input ends."""
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
        while self._turn():
            pass

    def _turn(self) -> bool:
        events = self._poll.poll(_STALL_SECONDS)
        if not events:
            raise LoadError(f"nothing happened for {_STALL_SECONDS} s")
        now_ns = time.monotonic_ns()
        for fd, event in events:
            line = self._lines.get(fd)
            if line is None:
                return False  # the standard input
            if event & select.EPOLLOUT:
                line.flush()
            if event & ~select.EPOLLOUT:
                self._serve(line, now_ns)
            if line.is_closed:
                if self._lines[fd] is line:  # else a new one has its descriptor already
                    del self._lines[fd]
            elif line.wants_writing != line.is_watched:
                line.is_watched = line.wants_writing
                writing = select.EPOLLOUT if line.wants_writing else 0
                self._poll.modify(fd, select.EPOLLIN | writing)
        return True

    def _serve(self, line: Line, now_ns: int) -> None:
        if line.is_ready:
            data, spans = line.take()
            if spans:
                self._load.take(line, data, spans, now_ns)
        elif line.greet():
            self._opening -= 1
            if self._started:
                self._load.ready(line)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options; those of the peers' harness among them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("workload", choices=sorted(LOADS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--conns", type=int, default=8)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--count", type=int)
    parser.add_argument("--tag", type=int, default=1)
    parser.add_argument("--dump", type=Path)
    return parser.parse_args(arguments)


def results(load: Load, seconds: float, start_ns: int, cpu_seconds: float) -> dict[str, float]:
    """The line of results, in the words of the peers' harness."""
    first_ns = load.first_ns if load.first_ns is not None else start_ns
    return {
        "msgs": load.messages,
        "elapsed_s": seconds,
        "rate": load.messages / seconds,
        "p50_us": percentile_us(load.latencies_ns, 0.5),
        "p99_us": percentile_us(load.latencies_ns, 0.99),
        "acked": len(load.acknowledged),
        "got": load.messages,
        "first_s": (first_ns - start_ns) / 1e9,
        "client_cpu_s": cpu_seconds,
    }


def main() -> int:
    """Play one workload."""
    options = parse(sys.argv[1:])
    load = LOADS[options.workload](
        Options(
            connections=options.conns,
            window=options.window,
            users=options.users,
            seconds=options.seconds,
            count=options.count,
            tag=options.tag,
        )
    )
    player = Player(load, options.port, options.tag)
    try:
        player.connect()
        print("READY", flush=True)
        if not sys.stdin.readline():
            return 0
        gc.freeze()
        gc.disable()  # nothing here makes cycles, and a pause would be taken for the server's
        cpu_before = sum(os.times()[:2])
        start_ns = time.monotonic_ns()
        try:
            player.play()
        except ServerGoneError as error:
            # What was acknowledged until then is what a test of kill -9 wants to know.
            print(f"load: {error}", file=sys.stderr)
        seconds = max(load.last_ns - start_ns, 1) / 1e9
        cpu_seconds = sum(os.times()[:2]) - cpu_before
        if options.dump:
            ids: array[int] = load.acknowledged or load.received
            options.dump.write_bytes(ids.tobytes())
        print(json.dumps(results(load, seconds, start_ns, cpu_seconds)), flush=True)
        player.idle()
    except LoadError as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
