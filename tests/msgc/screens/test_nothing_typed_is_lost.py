"""What others' clients lost, each with the whole program behind it: text, drafts, unsent mail."""

from pathlib import Path

import pytest

from msgc.net import Signal
from tests.msgc.fake_server import FakeAccount
from tests.msgc.screens.world import World
from wire import messages
from wire.codes import Code
from wire.messages import DistributeMessage


@pytest.fixture
def world(tmp_path: Path) -> World:
    """alice writes to bob."""
    world = World(tmp_path, "alice", "bob")
    world.start("alice")
    world.type("s1bob\r")
    world.wait_for("To: bob")
    world.type("half a sentence")
    return world


def again(world: World) -> World:
    """The next start, on the same machine."""
    second = World(world.folder, "alice", "bob")
    second.server.accounts["alice"] = FakeAccount("alice")
    second.start("alice")
    return second


def bodies(world: World) -> list[bytes]:
    entries = world.server.accounts["bob"].queue.values()
    return [entry.body for entry in entries if isinstance(entry, DistributeMessage)]


def test_the_connection_breaks_while_one_writes(world: World) -> None:
    world.network.hang_up()
    world.wait_for("OFFLINE")
    world.type(", and more")
    assert "half a sentence, and more" in world.console.rows
    world.network.down = False
    world.pass_time(60_000)
    world.wait_for("[online]")
    assert "half a sentence, and more" in world.console.rows
    world.press(b"\x04")
    world.wait_for("Sent to 1 user")
    assert bodies(world) == [b"half a sentence, and more"]


def test_shut_out_while_one_writes(world: World) -> None:
    session = world.server.accounts["alice"].session
    assert session is not None
    session.put(messages.Error(Code.TAKEN_OVER, "elsewhere", fatal=True))
    world.wait_for("connects again.")
    assert "half a sentence" in world.console.rows
    world.press(b"\x12")
    world.wait_for("[online]")
    assert "half a sentence" in world.console.rows


def test_a_storm_of_sizes(world: World) -> None:
    for size in ((1, 1), (3, 200), (16, 60), (200, 20), (24, 80)):
        world.console.window = size
        world.network.signals.append(Signal.RESIZE)
        world.settle()
    assert "half a sentence" in world.console.rows
    world.press(b"\x18")
    world.console.window = (10, 10)
    world.network.signals.append(Signal.RESIZE)
    world.settle()
    world.type("n")
    world.console.window = (24, 80)
    world.network.signals.append(Signal.RESIZE)
    world.settle()
    assert "half a sentence" in world.console.rows


def test_a_message_and_a_sound_while_one_writes(world: World) -> None:
    """News do not take the place of what is written, nor the keys."""
    for number in range(30):
        world.server.queue("alice", "bob", f"ding {number}")
        world.type("x")
    world.settle()
    assert "half a sentence" + "x" * 30 in world.console.rows.replace("\n", "")


def test_a_crash_loses_two_seconds_at_most(world: World) -> None:
    world.pass_time(3_000)
    world.type(" lost, perhaps")
    # Nobody closes anything: the process is gone, and its lock with it.
    world.app._program.desk._profile.lock.close()  # type: ignore[union-attr]  # it is there while one is inside
    second = again(world)
    second.wait_for("1 draft")
    second.type("d\r")
    second.wait_for("half a sentence")


def test_sent_while_the_server_is_away_and_the_client_ends(world: World) -> None:
    world.network.hang_up()
    world.wait_for("OFFLINE")
    world.press(b"\x04")
    world.wait_for("Not sent yet: it goes by itself when the server answers.")
    world.network.signals.append(Signal.TERMINATE)
    world.pass_time(6_000)
    world.app.close()
    second = again(world)
    second.settle()
    assert bodies(second) == [b"half a sentence"]


@pytest.mark.parametrize("keys", [b"\x1b", b"\x1b\x1b", b"\x07", b"\x14", b"\x03", b"\x1b[21~"])
def test_keys_that_leave(world: World, keys: bytes) -> None:
    """Esc beside the key that was meant, twice; the help; To; C-c; F10."""
    world.press(keys)
    world.pass_time(10_000)
    world.app.close()
    second = again(world)
    second.wait_for("1 draft")


def test_a_paste_over_several_reads_sends_nothing_and_is_whole(world: World) -> None:
    world.press(b"\x1b[200~ one\rtwo")
    world.press(b"\x04\r\rthr")
    world.press(b"ee\x1b[20")
    world.press(b"1~")
    world.settle()
    assert "three" in world.console.rows
    assert bodies(world) == []
    world.press(b"\x04")
    world.wait_for("Sent to 1 user")
    assert bodies(world) == [b"half a sentence one\ntwo\n\nthree"]


def test_a_paste_without_brackets_sends_nothing(world: World) -> None:
    world.press(b" one\rtwo\rthree")
    world.press(b"four\r")
    world.settle()
    assert bodies(world) == []
    assert "Pasted" in world.console.rows
    assert "threefour" in world.console.rows
