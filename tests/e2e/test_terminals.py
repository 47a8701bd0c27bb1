"""What terminals and their windows do to the programs, and what is left of them afterwards."""

import os
import signal

import pytest

from tests.e2e import machine
from tests.e2e.stage import Stage, back_to_menu, send_one
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("end", ["q", "C-c", "SIGTERM"])
def test_the_client_gives_the_terminal_back(stage: Stage, end: str) -> None:
    """ "manually disconnected by the user": in any way, and the shell is usable after it."""
    server = stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    send_one(client, "bob", "hello")
    back_to_menu(client)
    was_raw = not client.echoes
    assert was_raw
    if end == "SIGTERM":
        assert client.kill(signal.SIGTERM) in {0, 128 + signal.SIGTERM}
    else:
        client.send_keys(end)
        assert client.wait_for_exit() == 0
    assert client.echoes
    assert client.raw.rfind(b"\x1b[?2004l") > client.raw.rfind(b"\x1b[?2004h")
    server.wait_for_log("DISCONNECT alice")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_gives_the_terminal_back(stage: Stage, number: signal.Signals) -> None:
    """ "until the process is killed by the user" """
    server = stage.start_server(headless=False)
    stage.client("alice")
    server.wait_for_row("alice", "* ON")
    panel = server.panel
    was_raw = not panel.echoes
    assert was_raw
    assert panel.kill(number) == 0
    assert panel.echoes


def test_a_closed_window_keeps_what_was_typed(stage: Stage) -> None:
    """ "Proceed to send and check for messages until manually killed by the user": also by closing
    the window in the middle of a message.
    """
    server = stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    client.send_keys("1")
    client.wait_for("bob", "As the server said at")
    client.send_keys("3")
    client.wait_for("Write a message")
    client.type("not finished yet")
    client.wait_for("not finished yet")
    client.hang_up()
    server.wait_for_log("DISCONNECT alice")
    again = stage.client("alice")
    again.wait_for("1 draft")
    again.send_keys("1")
    again.wait_for("As the server said at")
    again.send_keys("3")
    again.wait_for("not finished yet", "Your draft is here again.")


def test_a_closed_window_of_the_panel_ends_the_server_in_order(stage: Stage) -> None:
    """ "Queues should be persistent": nobody needs to say goodbye to the server."""
    server = stage.start_server(headless=False)
    client = stage.client("alice")
    assert server.panel.hang_up() == 0
    client.wait_for("You are not connected")
    assert server.tool("fsck", str(server.data)).strip().endswith("is sound")


def test_windows_of_any_size(stage: Stage) -> None:
    """ "display those names on its GUI": in the window that there is."""
    server = stage.start_server(headless=False)
    client = stage.client("alice")
    server.wait_for_row("alice", "* ON")
    for terminal, always in ((client, "You are connected as alice."), (server.panel, "alice")):
        for rows, columns in ((16, 60), (50, 200), (5, 20), (24, 80)):
            terminal.resize(rows, columns)
            if rows == 5:
                terminal.wait_while("Send message")
            else:
                terminal.wait_for(always)
    assert server.alive
    assert client.alive


def test_the_program_can_be_stopped_and_continued(stage: Stage) -> None:
    """A client that was stopped for a while is still connected, or comes back."""
    stage.start_server()
    client = stage.client("alice")
    os.kill(client.process_id, signal.SIGSTOP)
    bob = stage.plain_user("bob")
    bob.send(("alice",), "while you were stopped")
    os.kill(client.process_id, signal.SIGCONT)
    client.wait_for("New message from bob.")


def test_lines_instead_of_screens(stage: Stage) -> None:
    """ "Check for messages", "Send message": for screen readers and pipes, the same in lines."""
    stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    bob.send(("alice",), "can you hear me?")
    words = machine.program("msgc", "--plain", "alice")
    done = machine.run(words, stage.person("alice"), stage.folder / "lines", "2\nq\n")
    assert done.code == 0, done
    assert "You are connected as alice." in done.out
    assert "can you hear me?" in done.out
    assert "\x1b" not in done.out
    assert bob.list_accounts("alice")[0].presence == 1
    assert stage.plain_user("alice").check() == []


def test_a_terminal_that_can_do_nothing(stage: Stage) -> None:
    """Lines, and a sentence that says why, instead of a broken picture."""
    stage.start_server()
    words = machine.program("msgc", "alice")
    no_terminal = machine.run(words, stage.person("alice"), stage.folder / "none")
    assert no_terminal.code == 0
    assert "--plain" in no_terminal.err
    assert "You are connected as alice." in no_terminal.out
    dumb = Terminal(words, stage.person("alice") | {"TERM": "dumb"})
    try:
        dumb.wait_for("--plain")
        dumb.wait_for("You are connected as alice.")
        dumb.type("q\n")
        assert dumb.wait_for_exit() == 0
    finally:
        dumb.close()
