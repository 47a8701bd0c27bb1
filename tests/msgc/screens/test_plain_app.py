"""The line mode: a whole conversation with a server in memory."""

from pathlib import Path

import pytest

from tests.msgc.fake_server import FakeAccount
from tests.msgc.screens.world import LineWorld


@pytest.fixture
def world(tmp_path: Path) -> LineWorld:
    return LineWorld(tmp_path, "bob", "carol")


def test_connect_and_quit(world: LineWorld) -> None:
    said = world.converse("alice", "q")
    assert said.index("Username (q quits): _") < said.index("You are connected as alice.")
    assert "2  c  Check for messages (0 waiting)" in said


def test_send_to_one_after_a_stranger_was_refused(world: LineWorld) -> None:
    said = world.converse("1", "1", "bobb", "bob", "hello", "..", ".", "", "q", name="alice")
    assert 'No user matches "bobb".' in said
    assert "Sent to 1 user: 0 delivered, 1 waiting." in said
    assert [send.body for send in world.server.accepted] == [b"hello\n."]


def test_send_to_several_by_wildcard_and_to_all(world: LineWorld) -> None:
    world.converse("1", "2", "b* carol", "x", ".", "3", "y", ".", "", "q", name="alice")
    first, second = world.server.accepted
    assert first.recipients == ("bob", "carol")
    assert second.everyone


def test_nothing_is_sent_when_nothing_is_written(world: LineWorld) -> None:
    said = world.converse("1", "1", "bob", ".", "", "q", name="alice")
    assert "the message is empty" in said
    assert world.server.accepted == []


def test_check_prints_once(world: LineWorld) -> None:
    world.server.accounts["alice"] = FakeAccount("alice")
    world.server.queue("alice", "bob", "one\n\x1b[2Jtwo")
    said = world.converse("2", "2", "q", name="alice")
    assert "From bob, received " in said
    assert "  ^[[2Jtwo" in said
    assert said.count("From bob") == 1
    assert "No messages are available (asked the server at " in said


def test_history_and_sent(world: LineWorld) -> None:
    said = world.converse("1", "1", "bob", "findme", ".", "", "o", "5", "findme", "q", name="alice")
    assert "to bob, waiting: findme" in said
    assert "to bob: findme" in said


def test_accounts_create_and_delete(world: LineWorld) -> None:
    said = world.converse("6", "c*", "new dave", "delete", "yes", name="alice")
    assert "The account dave is made." in said
    assert "The account alice is deleted." in said
    assert "alice" not in world.server.accounts


def test_delete_with_waiting_messages_wants_the_name(world: LineWorld) -> None:
    world.server.accounts["alice"] = FakeAccount("alice")
    world.server.queue("alice", "bob", "unread")
    said = world.converse("a", "delete", "yes", "bob", "delete", "yes", "alice", name="alice")
    assert "Messages wait for alice." in said
    assert "The account is kept." in said
    assert "The account alice is deleted." in said


def test_unreachable_is_said_once_and_can_be_left(world: LineWorld) -> None:
    world.network.down = True
    said = world.converse("q", name="alice")
    assert said.count("connection refused") == 1


def test_a_choice_that_is_none_is_said(world: LineWorld) -> None:
    assert '"9" is not in the menu.' in world.converse("9", "q", name="alice")


def test_q_leads_out_of_every_question(world: LineWorld) -> None:
    said = world.converse("s", "1", "q", "q", "h", "q", "a", "q", "q", name="alice")
    assert said.endswith("Choose a number or letter; q quits: _")


def test_q_at_the_name_prompt_quits(world: LineWorld) -> None:
    said = world.converse("Bad Name!", "q")
    assert '"Bad Name!" is not a username.' in said
    assert "A username has 1 to 32 characters" in said
