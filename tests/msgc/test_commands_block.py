"""Whose messages are not taken: from the command line, and in the words of the screens."""

from pathlib import Path

import pytest

from msgc import command_line, words
from msgc.command_end import CommandError, Exit
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeWorld
from tests.msgc.schema import check_line
from tests.msgc.screens.world import World


def run(world: FakeWorld, *said: str) -> int:
    return command_line.run(world.surroundings, command_line.parse(said))


def test_block_unblock_and_who_is_blocked(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob", "carol")
    world = FakeWorld(tmp_path, server)
    assert run(world, "block", "Bob", "carol") == 0
    assert world.printed == "bob\ncarol\n"
    assert "2 users blocked." in world.said
    world = FakeWorld(tmp_path, server)
    assert run(world, "unblock", "bob", "nobody") == 0
    assert world.printed == "carol\n"
    world = FakeWorld(tmp_path, server)
    assert run(world, "blocked", "--json") == 0
    assert check_line(world.printed) == {"kind": "blocked", "name": "carol"}
    assert run(world, "unblock", "carol") == 0
    assert "0 users blocked." in world.said


def test_who_does_not_exist_cannot_be_blocked(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice"))
    with pytest.raises(CommandError) as raised:
        run(world, "block", "mallory")
    assert raised.value.code is Exit.REFUSED
    assert "mallory" in str(raised.value)


def test_the_words() -> None:
    assert words.blocked("bob", ("bob", "carol")).startswith("bob is blocked")
    assert words.blocked("bob", ()) == "bob is not blocked."
    assert words.blocked("", ("bob", "carol")) == "You block bob, carol."
    assert words.blocked("", ()) == "You block nobody."
    assert words.blocked_by(("bob",)) == "bob takes no messages from you. Nothing was sent."
    assert "bob, carol take no messages from you" in words.blocked_by(("bob", "carol"))


def test_a_sender_is_blocked_from_the_message(tmp_path: Path) -> None:
    world = World(tmp_path, "alice", "bob")
    world.server.queue("alice", "bob", "buy now")
    world.start("alice")
    world.type("c")
    world.wait_for("buy now")
    world.type("\nB")
    world.wait_for("bob is blocked")
    assert world.server.accounts["alice"].blocked == ["bob"]
    world.type("U")
    world.wait_for("bob is not blocked.")
    assert world.server.accounts["alice"].blocked == []


def test_a_user_is_blocked_from_the_accounts(tmp_path: Path) -> None:
    world = World(tmp_path, "alice", "bob")
    world.start("alice")
    world.type("a")
    world.wait_for("2 users")
    world.type("jB")
    world.wait_for("bob is blocked")
