"""Whatever is cut, lost, repeated or killed: no message is lost and none comes twice.

Two real clients at a server in memory. Bytes move in pieces of any size; lines break with bytes on
them; processes end and begin again with the archive from the disk. Then the weather clears, and
everything must be where it belongs, exactly once.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgc.archive import MEMORY, Archive
from msgc.states import FateState, LinkState, SendState
from tests.examples import examples
from tests.msgc.fake_server import FakeServer
from tests.msgc.line import Line, Ticker, make_archive

COUNT = st.integers(min_value=1, max_value=200)
WHO = st.sampled_from(["alice", "bob"])
STEP = st.one_of(
    st.tuples(st.just("compose"), WHO, st.just(0)),
    st.tuples(st.just("connect"), WHO, st.just(0)),
    st.tuples(st.just("up"), WHO, COUNT),
    st.tuples(st.just("down"), WHO, COUNT),
    st.tuples(st.just("settle"), WHO, st.just(0)),
    st.tuples(st.just("check"), WHO, st.just(0)),
    st.tuples(st.just("cut"), WHO, st.just(0)),
    st.tuples(st.just("lose the request"), WHO, st.just(0)),
    st.tuples(st.just("lose the answer"), WHO, st.just(0)),
    st.tuples(st.just("lose the receipt"), WHO, st.just(0)),
    st.tuples(st.just("die"), WHO, st.just(0)),
    st.tuples(st.just("time"), WHO, st.integers(min_value=1, max_value=40_000)),
)
OTHER = {"alice": "bob", "bob": "alice"}


class World:
    def __init__(self, folder: str | None) -> None:
        """Without a folder the archives are in memory and outlive their processes: faster."""
        self.folder = folder
        self.ticker = Ticker()
        self.server = FakeServer("alice", "bob")
        self.lines = {name: Line(self.server, self.open(name)) for name in OTHER}
        self.composed: dict[str, list[str]] = {"alice": [], "bob": []}
        for name in OTHER:
            self.start(name)
            self.lines[name].settle()

    def open(self, name: str) -> Archive:
        path = MEMORY if self.folder is None else str(Path(self.folder) / f"{name}.db")
        return make_archive(path, self.ticker)

    def start(self, name: str) -> None:
        self.lines[name].link.log_in(name, create_if_new=False, live=True)

    def step(self, what: str, name: str, number: int) -> None:
        line = self.lines[name]
        match what:
            case "compose":
                body = f"{name} {len(self.composed[name])}"
                self.composed[name].append(body)
                line.archive.outbox.compose((OTHER[name],), everyone=False, body=body)
                line.link.send_outbox()
            case "connect":
                line.pass_time(30_000)
                line.settle()
            case "up":
                line.push_up(number)
            case "down":
                line.push_down(number)
            case "settle":
                line.settle()
            case "check":
                line.link.check()
            case "cut":
                if line.is_connected:
                    line.cut()
            case "lose the request" | "lose the answer" | "lose the receipt":
                line.link.send_outbox()
                line.pull()
                if what != "lose the request":
                    line.push_up()
                if what == "lose the receipt":
                    line.push_down()
                if line.is_connected:
                    line.cut()
            case "die":
                if self.folder is not None:
                    line.archive.close()
                line.die(line.archive if self.folder is None else self.open(name))
                self.start(name)
            case _:
                line.pass_time(number)

    def clear_up(self) -> None:
        """The weather is fine: everybody connects, and asks for what waits."""
        for _ in range(3):
            for name, line in self.lines.items():
                if not line.is_connected:
                    line.pass_time(60_000)
                line.settle()
                if line.link.state is not LinkState.ONLINE:
                    line.pass_time(60_000)
                    line.settle()
                assert line.link.state is LinkState.ONLINE, name
                line.link.send_outbox()
                line.settle()
                line.link.check()
                line.settle()
        for line in self.lines.values():
            line.settle()

    def judge(self) -> None:
        for name, line in self.lines.items():
            accepted = [send.body.decode() for send in self.server.accepted]
            mine = [body for body in accepted if body.startswith(name)]
            assert mine == self.composed[name], "sent once each, in order"
            inbox = line.archive.inbox.recent(1_000)[::-1]
            assert [m.body for m in inbox] == self.composed[OTHER[name]], "received once each"
            for sent in line.archive.outbox.recent(1_000):
                assert sent.state is SendState.PENDING
                assert [fate.state for fate in sent.fates] == [FateState.DELIVERED]
            assert not self.server.accounts[name].queue, "everything is confirmed"

    def close(self) -> None:
        for line in self.lines.values():
            line.archive.close()


def try_out(folder: str | None, steps: list[tuple[str, str, int]]) -> None:
    world = World(folder)
    try:
        for what, name, number in steps:
            world.step(what, name, number)
        world.clear_up()
        world.judge()
    finally:
        world.close()


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=20, max_size=60))
def test_nothing_is_lost_and_nothing_comes_twice(steps: list[tuple[str, str, int]]) -> None:
    try_out(None, steps)


@pytest.mark.slow
@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=20, max_size=60))
def test_the_same_with_archives_on_the_disk(steps: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try_out(folder, steps)
