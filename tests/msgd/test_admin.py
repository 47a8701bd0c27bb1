"""What panels may do to a server: anything, as long as it costs the server next to nothing."""

import json
from typing import Any

import pytest

from msgd import admin as limits
from msgd.events import EventKind
from msgd.net import Caller, Wish
from msgd.panel import requests
from msgd.panel.codec import encode_request
from msgd.panel.requests import Part, Request
from msgd.panel.screen import Role
from msgd.panel.users import ACCOUNTS_PER_STEP, SORTED_MAX, Census, UserTable
from msgd.panel.values import Sort
from tests.msgd.fake_machine import LAZY, message, of
from tests.msgd.fake_net import FakeChannel
from tests.msgd.panel.fake_line import USER_ID
from tests.msgd.panel.panel_bench import PanelBench
from wire.codes import Code
from wire.messages import Error, Notice

HELLO = requests.Hello(requests.VERSION, read_only=False)
LOOK = requests.Look(10, 5, 5, tail=True)


class Raw:
    """A panel that says what a test says."""

    def __init__(self, bench: PanelBench, user_id: int = USER_ID, *, begin: bool = True) -> None:
        self.bench = bench
        self.channel = FakeChannel("process 9")
        bench.network.callers.append(Caller(self.channel, user_id, 9))
        if begin:
            self.say(HELLO, LOOK)
        bench.settle()

    def say(self, *asked: Request) -> None:
        self.say_bytes(b"".join(map(encode_request, asked)))

    def say_bytes(self, data: bytes) -> None:
        self.channel.to_server += data
        self.bench.settle()

    def hear(self) -> list[dict[str, Any]]:
        """What was said since; a line that is not whole yet stays."""
        *lines, rest = bytes(self.channel.to_client).split(b"\n")
        self.channel.to_client = bytearray(rest)
        return [json.loads(line) for line in lines]

    def ask(self, *asked: Request) -> dict[str, Any]:
        """Say something and give the scene that follows."""
        self.hear()
        self.say(*asked)
        self.bench.pass_time(200)
        return self.hear()[-1]


@pytest.fixture
def bench() -> PanelBench:
    """A headless server: nobody owns it, one panel is attached."""
    return PanelBench(role=Role.ATTACHED)


def test_only_the_user_who_runs_the_server_may_attach(bench: PanelBench) -> None:
    stranger = Raw(bench, user_id=0)
    assert stranger.hear() == [{"error": "only the user who runs this server may attach a panel"}]
    assert stranger.channel.closed
    assert "user 0: only the user who runs" in bench.noted(EventKind.REJECT)[0]


def test_coming_going_and_acting_are_in_the_log(bench: PanelBench) -> None:
    bench.user("alice")
    raw = Raw(bench)
    raw.say(requests.Kick("alice"), requests.Announce("Hello."))
    raw.channel.ended = True
    bench.settle()
    assert bench.noted(EventKind.NOTICE)[1:] == [
        "panel attached by process 9",
        "kick ordered by the panel of process 9",
        "to everybody connected: Hello.",
        "announce ordered by the panel of process 9",
        "panel detached, process 9: closed",
    ]
    assert raw.channel.closed


def test_there_is_place_for_a_few(bench: PanelBench) -> None:
    raws = [Raw(bench) for _ in range(limits.PANELS_MAX)]
    assert raws[-1].hear()[0]["error"].startswith("8 panels are attached")
    raws[0].channel.ended = True
    bench.settle()
    assert "schema" in Raw(bench).hear()[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"do":"kick","name":"alice"}\n', "a panel must say hello first"),
        (b'{"do":"hello","version":2,"read_only":true}\n', "speaks version 1 with its panels"),
        (b"GET / HTTP/1.1\r\n", "not a line of JSON"),
        (b"x" * 5_000, "a line is longer than 4096 bytes"),
    ],
)
def test_who_does_not_speak_it_is_told_and_closed(
    bench: PanelBench, line: bytes, words: str
) -> None:
    bench.user("alice")
    raw = Raw(bench, begin=False)
    raw.say_bytes(line)
    bench.settle()
    assert words in raw.hear()[-1]["error"]
    assert raw.channel.closed
    assert "alice" in bench.exchange.online


def test_read_only_holds_on_the_servers_side_and_for_good(bench: PanelBench) -> None:
    alice = bench.user("alice")
    raw = Raw(bench, begin=False)
    raw.say(requests.Hello(requests.VERSION, read_only=True), LOOK, HELLO)
    for order in (requests.Kick("alice"), requests.Announce("x"), requests.Stop(confirmed=True)):
        scene = raw.ask(order)
        assert scene["answer"]["text"] == "This panel only looks (--read-only)."
    assert alice.hear() == []
    assert not bench.has_ended()


def test_only_the_owner_may_end_the_server(bench: PanelBench) -> None:
    scene = Raw(bench).ask(requests.Stop(confirmed=True))
    assert scene["answer"]["text"] == "This panel cannot end the server: send it SIGTERM."
    assert not bench.has_ended()


def test_orders_that_cannot_be_are_answered(bench: PanelBench) -> None:
    raw = Raw(bench)
    answers = [
        raw.ask(order)["answer"]["text"]
        for order in (
            requests.Kick("nobody\x1b"),
            requests.Announce("  "),
            requests.Announce("x" * 513),
            requests.Inspect("nobody"),
        )
    ]
    assert answers == [
        "nobody^[ had left already.",
        "An announcement has 1 to 512 bytes: nobody was told.",
        "An announcement has 1 to 512 bytes: nobody was told.",
        "There is no user nobody.",
    ]


def test_what_an_attached_panel_orders_reaches_the_client(bench: PanelBench) -> None:
    alice, bob = bench.user("alice"), bench.user("bob")
    raw = Raw(bench)
    raw.say(requests.Kick("alice"), requests.Announce("Down at noon."))
    (error,) = of(Error, alice.hear())
    assert isinstance(error, Error)
    assert error.code == Code.KICKED
    (notice,) = of(Notice, bob.hear())
    assert isinstance(notice, Notice)
    assert notice.text == "Down at noon."


# ----- what it costs ------------------------------------------------------------------------------


def test_a_panel_that_does_not_read_holds_one_scene_and_costs_nothing(bench: PanelBench) -> None:
    raw = Raw(bench)
    raw.channel.room_bytes = 100
    alice = bench.user("alice")
    panel = bench.admin._panels[raw.channel]
    for counter in range(1, 50):
        alice.say(message("alice", counter, "alice"))
        bench.pass_time(1_000)
    assert 0 < len(panel.output) < 10_000
    sends, requested = raw.channel.sends, bench.exchange.tally.accepted
    bench.pass_time(5_000)
    assert raw.channel.sends == sends, "the poll tells when there is room: nobody asks before"
    assert requested == 49
    assert "alice" in bench.look(), "the others go on"
    bench.pass_time(limits.STALL_MS_MAX)
    assert raw.channel.closed
    assert "it took nothing for long" in bench.noted(EventKind.NOTICE)[-1]


def test_one_that_reads_again_sees_the_newest_scene_next(bench: PanelBench) -> None:
    raw = Raw(bench)
    raw.hear()
    raw.channel.room_bytes = 100
    bench.user("alice")
    bench.pass_time(3_000)
    bench.user("bob")
    bench.pass_time(3_000)
    raw.channel.room_bytes = None
    bench.settle()
    bench.pass_time(100)
    old, new = raw.hear()
    assert [row["name"] for row in new["users"]["rows"]] == ["alice", "bob"]
    assert len(old["users"]["rows"]) <= 1
    assert len(raw.hear()) == 0


def test_requests_without_end_leave_the_clients_their_turns(bench: PanelBench) -> None:
    raw = Raw(bench)
    flood = encode_request(requests.Move(Part.USERS, "down")) * 2_000
    raw.channel.to_server += flood
    before = len(raw.channel.to_server)
    bench.turn()
    assert before - len(raw.channel.to_server) == limits.READ_BYTES_PER_TURN_MAX
    bench.user("alice")
    assert "alice" in bench.exchange.online


def test_scenes_come_ten_times_a_second_at_most(bench: PanelBench) -> None:
    raw = Raw(bench)
    raw.hear()
    for _ in range(1_000):
        bench.events.add(EventKind.NOTICE, "news", bench.clock.wall_ms())
        raw.channel.to_server += encode_request(requests.Follow())
        bench.clock.advance_to(bench.clock.now_ms + 1)
        bench.turn()
    assert 9 <= len(raw.hear()) <= 11


def test_a_scene_is_never_longer_than_a_window(bench: PanelBench) -> None:
    for number in range(300):
        bench.store.create_account(f"n{number:03d}", bench.clock.wall_ms())
    raw = Raw(bench)
    scene = raw.ask(requests.Look(10**9, 10**9, 10**9, tail=True, start=250))
    assert [len(scene["users"]["rows"]), scene["users"]["first"]] == [50, 250]
    scene = raw.ask(requests.Look(10**9, 10**9, -5, tail=False, start=-7))
    assert [len(scene["users"]["rows"]), scene["users"]["first"]] == [requests.ROWS_MAX, 0]
    scene = raw.ask(requests.Look(5, 5, 5, tail=False, start=10**18))
    assert scene["users"]["rows"] == []


def test_nobody_is_counted_while_nobody_looks() -> None:
    bench = PanelBench(role=Role.ATTACHED)
    bench.console.is_gone = True
    bench.settle()
    assert not bench.admin._panels
    dave = bench.user("dave")
    dave.end()
    bench.settle()
    bench.user("alice").say(message("alice", 1, "dave"))
    bench.pass_time(5_000)
    assert bench.office.census.totals.waiting == 0
    scene = Raw(bench).hear()[-1]
    assert scene["counted"]
    assert scene["meters"]["totals"]["waiting"] == 1


def test_without_descriptors_callers_wait_and_the_loop_rests(bench: PanelBench) -> None:
    bench.network.accept_errors = 1
    raw = Raw(bench)
    assert raw.hear() == []
    assert not bench.network.watches_callers
    bench.pass_time(1_100)
    assert raw.hear()[0]["schema"] == "msgd.panel/1"


def test_panels_are_told_that_the_server_ends(bench: PanelBench) -> None:
    alice = bench.user("alice")
    raw = Raw(bench)
    raw.hear()
    bench.network.wishes.append(Wish.STOP)
    bench.settle()
    assert raw.hear()[-1]["ending"]
    assert bench.network.local_path is None, "nobody else is admitted"
    alice.end()
    bench.settle()
    assert bench.has_ended()


# ----- jobs ---------------------------------------------------------------------------------------


class TickingClock:
    """Every look at it takes a while: so a job is seen to stop when its time is over."""

    def __init__(self, step_us: int) -> None:
        self.now_us = 0
        self.step_us = step_us

    def __call__(self) -> int:
        self.now_us += self.step_us
        return self.now_us


def test_what_takes_long_is_done_in_pieces() -> None:
    bench = PanelBench(settings=LAZY, role=Role.ATTACHED)
    for number in range(20 * ACCOUNTS_PER_STEP):
        bench.store.create_account(f"n{number:05d}", bench.clock.wall_ms())
    clock = TickingClock(1_000)
    table = UserTable(bench.exchange, bench.store, clock)
    table.arrange(Sort.WAITING, inverted=False, text="n")
    table.refresh()
    steps = 0
    while table.has_job:
        table.step(clock.now_us + 3_000)
        steps += 1
    assert 5 <= steps <= 20
    assert table.count == 20 * ACCOUNTS_PER_STEP
    census = Census(bench.store, clock)
    steps = 0
    while not census.is_complete:
        clock.now_us = max(clock.now_us, census.deadline_us())
        census.step(clock.now_us + 3_000)
        steps += 1
    assert 5 <= steps <= 20


def test_with_very_many_users_only_cheap_orders_are_made() -> None:
    bench = PanelBench(settings=LAZY)
    for number in range(SORTED_MAX + 1):
        bench.store.create_account(f"n{number:05d}", bench.clock.wall_ms())
    bench.look()
    screen = bench.press("o")
    assert "by state, name or oldest mail only" in screen
    assert "sorted by name" in screen
    assert "sorted by oldest mail" in bench.press("o")
    assert "Nobody has mail waiting; Esc shows everybody." in bench.screen
    assert "sorted by state" in bench.press("\x1b")
    (panel,) = bench.admin._panels.values()
    panel.desk.obey(requests.Arrange(Sort.SEEN, inverted=False, filter=""), bench.now)
    assert "sorted by state" in bench.look(), "asked for by hand it is not made either"
