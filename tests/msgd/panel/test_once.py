"""One look at a server, for scripts: text and JSON, and the page that describes them."""

import json
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from msgd.net import CallError, Ready
from msgd.panel import requests, values
from msgd.panel.codec import CodecError, _fields, encode_error
from msgd.panel.once import PATIENCE_MS, Caller, Wanted, json_text, plain_text
from msgd.panel.requests import Request
from msgd.panel.screen import Role
from msgd.panel.values import Scene, Sort
from tests.msgd.fake_machine import LAZY
from tests.msgd.fake_net import FakeNetwork
from tests.msgd.panel.fake_console import FakeConsole
from tests.msgd.panel.fake_line import PanelNetwork
from tests.msgd.panel.panel_bench import PanelBench
from tests.msgd.panel.states import busy
from tests.sim.sim_clock import SimClock

PAGE = Path(__file__).resolve().parents[3] / "docs" / "panel.md"


class Line(PanelNetwork):
    """A network whose every wait is a moment of the server's."""

    bench: PanelBench

    def poll(self, timeout_ms: int | None) -> Ready:
        self.bench.settle()
        ready = super().poll(timeout_ms)
        if not ready.readable and not ready.writable:
            self.bench.pass_time(100)
        return ready


def look(bench: PanelBench, wanted: Wanted | None = None) -> Scene:
    line = Line(bench.network, FakeConsole())
    line.bench = bench
    scene = Caller(line, bench.clock, "/d/panel.sock").look(wanted or Wanted())
    bench.settle()
    assert not line.watched
    return scene


def test_everything_as_text() -> None:
    scene = look(busy(24, 80, Role.ATTACHED), Wanted(name="dave"))
    lines = plain_text(scene).splitlines()
    assert lines[0].startswith("msgd 0.1.0 on 127.0.0.1:7070, process 4121, up 00:00:0")
    assert lines[1] == ("Users: 5 known, 3 connected, 0 silent; 3 of 1024 connections, 5 logins")
    assert lines[2].startswith("Queues: 4 waiting for 2 users, 1.5K, the oldest for ")
    assert lines[2].endswith("s (dave)")
    text = "\n".join(lines)
    assert "User dave: off, last seen 2026-03-01 12:00:00Z (" in text
    assert "  from: alice 3\n" in text
    assert "5 users, sorted by state, name:\n  * ON  alice " in text
    assert "    off dave                                   3 waiting, 1.5K, oldest" in text
    assert "SEND       alice to erin" in text
    assert "xxx" not in text


def test_every_user_of_many_is_there_once() -> None:
    bench = PanelBench(settings=LAZY, role=Role.ATTACHED)
    for number in range(450):
        bench.store.create_account(f"n{number:03d}", bench.clock.wall_ms())
    scene = look(bench)
    assert [row.name for row in scene.users.rows] == [f"n{number:03d}" for number in range(450)]
    assert scene.counted
    assert len(look(bench, Wanted(filter="7")).users.rows) == len(
        [number for number in range(450) if "7" in f"{number:03d}"]
    )
    assert look(bench, Wanted(filter="zz")).users.rows == ()
    assert look(bench, Wanted(sort=Sort.STUCK)).users.rows == ()


def test_it_only_reads() -> None:
    bench = PanelBench(role=Role.ATTACHED)
    line = Line(bench.network, FakeConsole())
    line.bench = bench
    caller = Caller(line, bench.clock, "/d/panel.sock")
    caller.look(Wanted())
    hello = json.loads(line.ends[0].channel.to_server.split(b"\n")[0] or b"{}")
    assert hello.get("read_only", True)


def test_what_is_wrong_is_told() -> None:
    clock, server = SimClock(), FakeNetwork()
    server.local_path = "/d/panel.sock"
    for said, error, words in (
        (encode_error("no place"), CodecError, "no place"),
        (b"", CallError, "the server has ended|the server is gone"),
    ):
        line = PanelNetwork(server, FakeConsole())
        caller = Caller(line, clock, "/d/panel.sock")
        channel = line.ends[0].channel
        channel.to_client += said
        channel.closed = not said
        with pytest.raises(error, match=words):
            caller.look(Wanted())


def test_a_server_that_does_not_answer_is_given_up() -> None:
    clock, server = SimClock(), FakeNetwork()
    server.local_path = "/d/panel.sock"

    class Silent(PanelNetwork):
        def poll(self, timeout_ms: int | None) -> Ready:
            clock.advance_to(clock.now_ms + (timeout_ms or 0))
            return super().poll(0)

    begun_ms = clock.now_ms
    with pytest.raises(CallError, match="runs, but does not answer"):
        Caller(Silent(server, FakeConsole()), clock, "/d/panel.sock").look(Wanted())
    assert clock.now_ms - begun_ms == PATIENCE_MS


# ----- the page -----------------------------------------------------------------------------------


def test_json_is_what_the_page_says() -> None:
    """Each field of each object has a row in docs/panel.md, and each row is a field."""
    value = json.loads(json_text(look(busy(24, 80, Role.ATTACHED), Wanted(name="dave"))))
    found = set(places(value, ""))
    page = PAGE.read_text(encoding="utf-8")
    page = page[page.index("## As text and as JSON") : page.index("## The socket")]
    rows = set(re.findall(r"^\| `([a-z0-9_.\[\]]+)` \|", page, flags=re.MULTILINE))
    assert found == rows


def places(value: object, place: str) -> list[str]:
    """`users.rows[].name`, for everything that is no object or list of objects."""
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in places(inner, f"{place}.{key}")]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return places(value[0], f"{place}[]")
    return [place.removeprefix(".")]


def test_requests_are_what_the_page_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind in get_args(Request):
        names = ", ".join(f"`{name}`" for name, _, _ in _fields(kind)) or "-"
        assert f"| `{kind.__name__.lower()}` | {names} |" in page
    for hint in (values.Sort, values.Presence, requests.Part):
        for each in hint:
            assert f"`{each.value}`" in page
    assert get_type_hints(Scene)["schema"] is str
    assert f"`{values.SCHEMA}`" in page
