"""The numbers, the page that shows them, and both on a real server."""

import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from msgd.metrics import Family, Histogram, Kind, Measures
from msgd.metrics_page import CONNECTIONS_MAX, DEADLINE_MS, REQUEST_BYTES_MAX, MetricsPage
from msgd.metrics_text import render
from msgd.reactor_limits import ReactorLimits
from store.limits import PAGE_BYTES
from tests.e2e.machine import free_port
from tests.msgd.fake_machine import Bench, message
from tests.msgd.fake_net import FakeChannel, FakeClient
from tests.msgd.test_server_process import ROOT, Caller, Process, start
from wire.messages import Hello, LoginRequest

__all__ = ["start"]  # the fixture

REQUEST: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Watched(Bench):
    """A server in memory with a page."""

    def __init__(self, limits: ReactorLimits | None = None) -> None:
        super().__init__(limits, face=self._face)

    def _face(self, bench: Bench) -> MetricsPage:
        self.measures = Measures(
            exchange=bench.exchange,
            store=bench.store,
            events=bench.events,
            connections_max=7,
            started_wall_ms=bench.clock.wall_ms(),
            monotonic_us=bench.clock.monotonic_us,
        )
        self.page = MetricsPage(bench.network, self.measures, render)
        return self.page

    def visit(self, data: bytes = REQUEST) -> FakeChannel:
        channel = FakeChannel("metrics")
        channel.to_server += data
        self.network.beside.append(channel)
        self.settle()
        return channel

    def numbers(self) -> dict[str, float]:
        """All samples: `name{label}` and its value."""
        _, _, body = bytes(self.visit().to_client).partition(b"\r\n\r\n")
        return parse(body.decode())


def parse(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_what_happened_is_in_the_numbers() -> None:
    bench = Watched()
    alice = bench.user("alice")
    bench.user("bob")
    alice.say(message("alice", 1, "bob", b"12345"))
    bench.settle()
    twin = bench.client()
    twin.say(LoginRequest(1, "NO SUCH NAME", bytes(8), create_if_new=True, live=True))
    bench.settle()
    bench.pass_time(3_000)
    numbers = bench.numbers()
    assert numbers["msgd_messages_accepted_total"] == 1
    assert numbers["msgd_messages_accepted_bytes_total"] == 5
    assert numbers["msgd_messages_delivered_total"] == 1
    assert numbers["msgd_entries_settled_total"] == 0
    assert numbers["msgd_logins_total"] == 2
    assert numbers["msgd_logins_refused_total{name_invalid}"] == 1
    assert numbers["msgd_users"] == numbers["msgd_users_online"] == 2
    assert numbers["msgd_connections_max"] == 7
    assert numbers["msgd_queue_messages"] == 1
    assert numbers["msgd_queue_bytes"] == 5
    assert numbers["msgd_queue_users"] == 1
    assert numbers["msgd_queue_oldest_time_seconds"] > 0
    assert numbers["msgd_events_total{SEND}"] == 1
    assert numbers["msgd_admission_open"] == 1
    commits = bench.store.journal.commits
    assert numbers["msgd_commits_total"] == commits
    assert numbers["msgd_fsync_seconds_count"] == numbers["msgd_batch_changes_count"] > 0
    assert numbers["msgd_journal_written_bytes_total"] == PAGE_BYTES * commits
    assert numbers["msgd_turn_seconds_bucket{+Inf}"] == numbers["msgd_turn_seconds_count"]


def test_who_is_refused_at_the_door_is_counted() -> None:
    bench = Watched(ReactorLimits(connections_max=1))
    bench.client()
    for _ in range(3):
        bench.network.connect()
    bench.settle()
    assert bench.numbers()["msgd_connections_refused_total{too_many}"] == 3


def test_bytes_written_are_counted_across_segments() -> None:
    bench = Watched()
    alice, bob = bench.user("alice"), bench.user("bob")
    segments = {bench.store.journal.segments[-1].number}
    sent = 0
    while len(segments) < 4:
        sent += 1
        alice.say(message("alice", sent, "bob", bytes(60_000)))
        bench.settle()
        bob.hear()
        segments.add(bench.store.journal.segments[-1].number)
        assert sent < 1_000
    numbers = bench.numbers()
    written = numbers["msgd_journal_written_bytes_total"]
    assert sent * 60_000 < written < sent * 60_000 + 8_192 * bench.store.journal.commits
    assert numbers["msgd_commits_total"] == numbers["msgd_fsync_seconds_count"]


def test_no_name_is_among_the_numbers() -> None:
    bench = Watched()
    alice = bench.user("alice-the-first")
    bench.user("bob-the-second")
    alice.say(message("alice-the-first", 1, "bob-the-second", b"a secret word"))
    bench.pass_time(3_000)
    text = bytes(bench.visit().to_client)
    for word in (b"alice", b"bob", b"secret", b"127.0.0.1"):
        assert word not in text


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (REQUEST, b"200 OK"),
        (b"GET /metrics?x=1 HTTP/1.0\n\n", b"200 OK"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405 Method Not Allowed"),
        (b"\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics\r\n\r\n", b"400 Bad Request"),
        (b"\x16\x03\x01\x02\0\n\n", b"400 Bad Request"),
    ],
)
def test_answers(request_: bytes, status: bytes) -> None:
    channel = Watched().visit(request_)
    head, _, body = bytes(channel.to_client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 " + status + b"\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert channel.finished


def test_a_visit_is_over_when_the_visitor_is_or_time_is() -> None:
    bench = Watched()
    done = bench.visit()
    done.ended = True
    bench.settle()
    assert done.closed
    silent = bench.visit(b"GET /met")
    broken = bench.visit(b"")
    broken.broken = "reset"
    bench.settle()
    assert broken.closed
    closed = []
    for passed_ms in (DEADLINE_MS - 100, 200):
        bench.pass_time(passed_ms)
        closed.append(silent.closed)
    assert closed == [False, True]
    assert not silent.to_client


def test_no_more_than_a_few_visits_and_no_long_requests() -> None:
    bench = Watched()
    held = [bench.visit(b"GET") for _ in range(CONNECTIONS_MAX)]
    assert bench.visit().closed
    assert not any(channel.closed for channel in held)
    held[0].to_server += b"x" * REQUEST_BYTES_MAX
    bench.settle()
    assert bytes(held[0].to_client).startswith(b"HTTP/1.0 431 ")
    held[0].to_server += b"x" * 10_000
    bench.settle()
    assert not held[0].to_server


def test_a_slow_reader_gets_all_of_it_in_its_time() -> None:
    bench = Watched()
    channel = FakeChannel("metrics")
    channel.room_bytes = room = 100
    channel.to_server += REQUEST
    bench.network.beside.append(channel)
    bench.settle()
    assert len(channel.to_client) == 100
    for _ in range(20):
        room += 1_000
        channel.room_bytes = room
        bench.turn()
    assert b"msgd_compactions_total" in channel.to_client
    assert bench.network.is_watched(FakeClient(channel)) == (True, False)


def test_without_descriptors_it_waits() -> None:
    bench = Watched()
    bench.network.accept_errors = 1
    channel = FakeChannel("metrics")
    channel.to_server += REQUEST
    bench.network.beside.append(channel)
    bench.settle()
    assert len(channel.to_client) == 0
    bench.network.watch_errors = 1
    bench.pass_time(1_500)
    assert len(channel.to_client) == 0
    bench.pass_time(2_000)
    assert channel.to_client


def test_a_broken_send_and_the_end_of_the_server() -> None:
    bench = Watched()
    channel = FakeChannel("metrics")
    channel.to_server += REQUEST
    bench.network.beside.append(channel)
    bench.network.watch_errors = 1
    bench.settle()
    assert channel.closed, "it could not be watched"
    held = bench.visit(b"GET")
    bench.page.close()
    assert held.closed
    assert bench.network.beside_address is None


def test_a_histogram_counts_up_to_its_bounds() -> None:
    histogram = Histogram((1.0, 10.0))
    for value in (0.5, 1.0, 5.0, 10.0, 11.0):
        histogram.add(value)
    assert histogram.counts == [2, 2, 1]
    family = Family(
        "x", Kind.HISTOGRAM, "X", buckets=((1.0, 2), (10.0, 4), (float("inf"), 5)), total=27.5
    )
    numbers = parse(render((family,)).decode())
    assert numbers["x_bucket{1.0}"] == 2
    assert numbers["x_bucket{10.0}"] == 4
    assert numbers["x_count"] == 5
    assert numbers["x_sum"] == 27.5


def test_the_document_names_each_metric_and_its_type() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(msgd_\w+)[^|]* \| (\w+) \|", text, re.MULTILINE))
    bench = Watched()
    found = {
        family.name + ("_total" if family.kind is Kind.COUNTER else ""): family.kind.value
        for family in bench.measures.families()
    }
    assert documented == found


@pytest.mark.e2e
def test_a_real_server_shows_them(start: Callable[..., Process]) -> None:
    port = free_port()
    server = start("--headless", "--port", "0", "--metrics-port", str(port))
    caller = Caller(server.port())
    caller.say(Hello((1,), "test"))
    caller.hear()
    caller.say(LoginRequest(1, "alice", bytes(8), create_if_new=True, live=True))
    caller.hear()
    for _ in range(CONNECTIONS_MAX * 3):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as visitor:
            visitor.sendall(REQUEST)
            answer = b"".join(iter(lambda: visitor.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"msgd_users_online 1.0\n" in answer
    assert len(list(Path(f"/proc/{server.running.pid}/task").iterdir())) == 1, "no threads"
    caller.socket.close()
    server.running.send_signal(signal.SIGTERM)
    assert server.end()[0] == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        twin = start("--headless", "--port", "0", "--metrics-port", str(port))
        code, words = twin.end()
    assert code == 1
    assert "in use" in words
