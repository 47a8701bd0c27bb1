"""The person's editor has the terminal: the server is served, and nothing typed is lost."""

from pathlib import Path

import pytest

from msgc.net import Signal
from tests.msgc.fake_server import FakeAccount
from tests.msgc.screens.world import World
from wire.messages import DistributeMessage


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, "alice", "bob")
    world.start("alice")
    world.type("s1bob\r")
    world.wait_for("To: bob")
    world.type("one")
    world.console.calls.clear()
    return world


def end(world: World, text: str | None, code: int = 0) -> None:
    """The editor ends, having written this."""
    if text is not None:
        world.editor.holds = text
    world.editor.ends_with = code
    world.network.signals.append(Signal.CHILD)
    world.settle()


def bodies(world: World) -> list[str]:
    entries = world.server.accounts["bob"].queue.values()
    return [entry.body.decode() for entry in entries if isinstance(entry, DistributeMessage)]


def test_the_terminal_is_lent_and_taken_again(world: World) -> None:
    world.press(b"\x0f")
    assert world.console.calls == ["give_back"]
    assert world.editor.holds == "one"
    before = world.console.rows
    world.pass_time(3_000)
    assert world.console.rows == before, "the terminal is the editor's"
    end(world, "two")
    assert world.console.calls == ["give_back", "take_again"]
    assert world.editor.calls == ["start", "close"]
    world.wait_for("This is the text from the editor. ^_ brings back the one before.")
    assert " two" in world.console.rows
    world.press(b"\x04")
    world.wait_for("Sent to 1 user")
    assert bodies(world) == ["two"]


def test_keys_are_the_editors_until_it_ends(world: World) -> None:
    world.press(b"\x0f")
    world.network.typed.append(b"\x04")
    world.settle()
    assert bodies(world) == []
    world.network.typed.clear()
    end(world, None)
    world.wait_for("The editor changed nothing.")


def test_the_server_is_served_meanwhile(world: World) -> None:
    world.press(b"\x0f")
    world.server.queue("alice", "bob", "while you write")
    world.settle()
    assert not world.server.accounts["alice"].queue
    assert "bell" in world.console.calls
    world.pass_time(120_000)
    assert world.server.accounts["alice"].session is not None
    end(world, "two")
    assert "[online]" in world.console.rows


def test_interrupts_are_the_editors_and_other_ends_keep_what_it_saved(world: World) -> None:
    world.press(b"\x0f")
    world.network.signals.append(Signal.INTERRUPT)
    world.settle()
    world.wait_for("one")
    world.editor.holds = "saved in the editor"
    world.network.signals.append(Signal.TERMINATE)
    world.pass_time(5_000)
    assert world.app.code == 143
    assert world.editor.calls == ["start", "end", "close"]
    world.app.close()
    again = World(world.folder, "alice", "bob")
    again.server.accounts["alice"] = FakeAccount("alice")
    again.start("alice")
    again.type("d\r")
    again.wait_for("saved in the editor")


@pytest.mark.parametrize(
    ("text", "code", "said", "left"),
    [
        ("two", 1, "The editor ended with code 1: the text is as it was.", "one"),
        ("two", -9, "The editor was ended by signal 9; what it saved is here.", "two"),
        (None, -9, "The editor changed nothing.", "one"),
    ],
)
def test_an_editor_that_fails(
    world: World, text: str | None, code: int, said: str, left: str
) -> None:
    world.press(b"\x0f")
    end(world, text, code)
    world.wait_for(said)
    assert f" {left}\n" in world.console.rows


def test_an_editor_that_is_missing(world: World) -> None:
    world.editor.refusal = "Cannot run the editor vii: no such file or directory."
    world.press(b"\x0f")
    world.wait_for("Cannot run the editor vii")
    assert world.console.calls == ["give_back", "take_again"]
    world.type("!")
    assert " one!" in world.console.rows


def test_a_file_that_cannot_be_read(world: World) -> None:
    world.press(b"\x0f")
    world.editor.unreadable = "The editor's file is not UTF-8 text."
    end(world, "two")
    world.wait_for("The editor's file is not UTF-8 text. The text is as it was.")
    assert " one\n" in world.console.rows


def test_the_window_may_change_meanwhile(world: World) -> None:
    world.press(b"\x0f")
    world.console.window = (16, 60)
    world.network.signals.append(Signal.RESIZE)
    world.settle()
    end(world, "two")
    assert len(world.console.rows.splitlines()) == 16
