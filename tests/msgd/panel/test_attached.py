"""The panel's own process: what it does when the server is slow, gone, back, or not what it was."""

import json

import pytest

from msgd.net import CallError, Wish
from msgd.panel.attached import QUIET_MS_MAX, RETRY_MS, Attached
from msgd.panel.codec import CodecError, encode_error
from msgd.panel.screen import Role, Screen
from tests.msgd.fake_net import FakeNetwork
from tests.msgd.panel.fake_console import FakeConsole
from tests.msgd.panel.fake_line import PanelNetwork
from tests.msgd.panel.panel_bench import PanelBench
from tests.sim.sim_clock import SimClock


def attached() -> PanelBench:
    bench = PanelBench(role=Role.ATTACHED)
    bench.user("alice")
    bench.look()
    return bench


def wait(bench: PanelBench, by_ms: int) -> None:
    """Time for the panel alone: its poll ends, with or without news."""
    bench.clock.advance_to(bench.clock.now_ms + by_ms)
    assert bench.attached is not None
    bench.attached.turn()
    bench.settle_panel()


def test_q_leaves_and_the_server_goes_on() -> None:
    bench = attached()
    bench.press("q")
    assert bench.attached is None
    assert bench.console.closed
    assert not bench.has_ended()
    assert "alice" in bench.exchange.online
    assert not bench.admin._panels


@pytest.mark.parametrize("how", ["wish", "terminal"])
def test_a_panel_that_is_ended_or_loses_its_terminal_goes(how: str) -> None:
    bench = attached()
    if how == "wish":
        bench.line.wishes.append(Wish.STOP)
    else:
        bench.console.is_gone = True
    bench.settle()
    assert bench.attached is None
    assert bench.console.closed
    assert not bench.has_ended()


def test_without_a_server_nothing_is_drawn() -> None:
    console = FakeConsole()
    line = PanelNetwork(FakeNetwork(), console)
    with pytest.raises(CallError, match="connection refused"):
        panel_of(line, console)
    assert console.pictures == []


def panel_of(line: PanelNetwork, console: FakeConsole, clock: SimClock | None = None) -> Attached:
    return Attached(
        network=line,
        clock=clock or SimClock(),
        open_console=lambda: console,
        screen=Screen(Role.ATTACHED, ascii_only=True),
        path="/d/panel.sock",
    )


def called(*data: bytes) -> tuple[Attached, FakeConsole, SimClock]:
    """A panel whose server has said something."""
    console, server, clock = FakeConsole(), FakeNetwork(), SimClock()
    server.local_path = "/d/panel.sock"
    line = PanelNetwork(server, console)
    panel = panel_of(line, console, clock)
    line.ends[0].channel.to_client += b"".join(data)
    return panel, console, clock


def test_a_refusal_is_told_before_the_terminal_is_taken() -> None:
    panel, console, _ = called(encode_error("only the user who runs this server may attach"))
    with pytest.raises(CodecError, match="only the user"):
        panel.turn()
    panel.close()
    assert console.pictures == []


def test_another_program_at_the_socket_is_told() -> None:
    panel, console, _ = called(b"220 mail.example ESMTP\n")
    with pytest.raises(CodecError, match="not a line of JSON"):
        panel.turn()
    assert console.pictures == []


def test_a_server_that_never_answers_is_told() -> None:
    panel, console, clock = called()
    panel.turn()
    clock.advance_to(clock.now_ms + QUIET_MS_MAX)
    with pytest.raises(CallError, match="it runs, but does not answer"):
        panel.turn()
    assert console.pictures == []


def test_a_server_that_ends_is_said_looked_for_and_found_again() -> None:
    bench = attached()
    bench.press("/", "al", "\r")
    bench.end_server()
    wait(bench, 50)
    assert "The server is gone; looking for it again once a second. q leaves." in bench.screen
    assert "[NOT CONNECTED]" in bench.screen
    assert "not connected, as of 12:00:" in bench.screen
    calls = bench.line.calls
    for _ in range(3):
        wait(bench, RETRY_MS)
    assert bench.line.calls == calls + 3
    bench.network.local_path = "/d/panel.sock"
    bench.pass_time(2_000)
    assert "NOT CONNECTED" not in bench.screen
    assert '[only names with "al"]' in bench.screen, "what was chosen is chosen again"
    assert "[1-1 of 1]" in bench.screen


def test_a_server_that_was_asked_to_end_is_said_to_have_ended() -> None:
    bench = attached()
    bench.network.wishes.append(Wish.STOP)
    bench.pass_time(50)
    assert "Telling the clients, and ending." in bench.screen
    bench.end_server()
    wait(bench, 50)
    assert "The server has ended; looking for it again" in bench.screen
    bench.console.typed += b"q"
    wait(bench, 50)
    assert bench.attached is not None
    assert bench.attached.done


def test_a_server_that_says_nothing_is_counted_until_it_speaks() -> None:
    bench = attached()
    wait(bench, QUIET_MS_MAX)
    wait(bench, 50)
    assert "No word from the server for 3 s; q leaves." in bench.screen
    assert bench.attached is not None
    assert bench.attached._timeout_ms() == 950, "a second is waited for, not spun through"
    wait(bench, 950)
    assert "No word from the server for 4 s" in bench.screen
    bench.pass_time(100)
    assert "No word" not in bench.screen


def test_a_server_of_another_version_that_came_back_is_said() -> None:
    bench = attached()
    end = bench.line.ends[-1]
    end.channel.to_client += json.dumps({"schema": "msgd.panel/9"}).encode() + b"\n"
    bench.settle_panel()
    wait(bench, 50)
    assert "The server is gone (this server's panel is of another version" in bench.screen


def test_a_server_that_does_not_listen_is_not_shouted_at() -> None:
    bench = attached()
    bench.line.ends[-1].takes = False
    bench.console.typed = b"j" * 5_000
    bench.settle_panel()
    assert bench.attached is not None
    wait(bench, 50)
    assert "The server is gone (it does not listen)" in bench.screen
    assert len(bench.attached._unsent) == 0 or bench.attached._channel is None


def test_c_z_stops_an_attached_panel_and_no_other() -> None:
    bench = attached()
    with pytest.raises(AssertionError, match="must not be suspended"):
        bench.press("\x1a")  # the fake's words; it is reached, which is all there is to see
    owner = PanelBench()
    owner.press("\x1a")


def test_keys_are_drawn_at_once_and_not_more_often_than_eyes_see() -> None:
    bench = attached()
    bench.press("/")
    drawn = len(bench.console.pictures)
    for _ in range(100):
        bench.console.typed += b"x\x7f"
        bench.settle_panel()
        bench.clock.advance_to(bench.clock.now_ms + 1)
    assert 1 <= len(bench.console.pictures) - drawn <= 4


def test_the_owners_panel_goes_with_its_server() -> None:
    bench = PanelBench()
    bench.admin.close()
    bench.settle_panel()
    assert bench.attached is not None
    assert bench.attached.done


def test_before_the_first_scene_one_can_only_leave() -> None:
    screen = Screen(Role.ATTACHED, ascii_only=True)
    screen.resize((24, 80))
    assert "Waiting for the server." in screen.picture().rows[2][0].text
    screen.press("j")
    assert not screen.wants_quit
    screen.press("q")
    assert screen.wants_quit
