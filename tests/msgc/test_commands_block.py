"""Whose messages are not taken: from the command line, and in the words of the screens."""

from pathlib import Path

import pytest

from msgc import command_line, words
from msgc.command_end import CommandError, Exit
from msgc.link_events import Blocked, CheckDone, MessageArrived
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeWorld
from tests.msgc.line import Line, make_archive, session_of
from tests.msgc.schema import check_line
from tests.msgc.screens.world import World
from wire.codes import Audience, Code
from wire.messages import BlockFailure, BlockSenders, DistributeMessage, Error, Message


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


def to_all(server: FakeServer, sender: str, body: str) -> None:
    server.queue("alice", sender, body, audience=Audience.EVERYONE)


def test_a_check_does_not_tell_of_what_a_blocked_sender_says_to_everyone(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob", "carol")
    world = FakeWorld(tmp_path, server)
    run(world, "block", "bob")
    to_all(server, "bob", "buy now")
    to_all(server, "carol", "lunch")
    world.stdout.truncate(world.stdout.seek(0))
    assert run(world, "check") == 0
    assert "lunch" in world.printed
    assert "buy now" not in world.printed
    assert "1 message, 0 still waiting." in world.said
    assert not server.accounts["alice"].queue  # all is confirmed
    assert run(world, "history") == 0
    assert "buy now" in world.printed
    to_all(server, "bob", "again")
    run(world, "check")
    assert "No messages are available" in world.said


def test_what_a_blocked_sender_says_to_oneself_is_told() -> None:
    server = FakeServer("alice", "bob")
    line = Line(server, make_archive())
    server.accounts["alice"].blocked = ["bob"]
    server.queue("alice", "bob", "from before")
    line.log_in("alice")
    line.link.check()
    line.settle()
    assert [event.received.body for event in line.of(MessageArrived)] == ["from before"]
    assert [event.delivered for event in line.of(CheckDone)] == [1]


def test_the_screens_hear_nothing_of_it_and_it_is_in_the_history(tmp_path: Path) -> None:
    world = World(tmp_path, "alice", "bob")
    world.server.accounts["alice"].blocked = ["bob"]
    world.start("alice")
    world.settle()
    assert "You block" not in world.console.rows
    to_all(world.server, "bob", "buy now")
    world.settle()
    assert "New message" not in world.console.rows
    assert "bell" not in world.console.calls
    world.type("c")
    world.wait_for("No messages are available")
    world.type("qh")
    world.wait_for("buy now")


def test_who_is_unblocked_is_heard_again_and_the_answer_is_asked_for_once_a_session() -> None:
    server = FakeServer("alice", "bob")
    line = Line(server, make_archive())
    server.accounts["alice"].blocked = ["bob"]
    line.log_in("alice")
    line.link.check()
    line.settle()
    assert [type(one) for one in session_of(line).heard].count(BlockSenders) == 1
    assert line.of(Blocked) == []
    server.queue("alice", "bob", "buy now", audience=Audience.EVERYONE)
    line.settle()
    line.link.block_senders((), ("bob",))
    line.settle()
    assert [event.names for event in line.of(Blocked)] == [()]
    server.queue("alice", "bob", "hello all", audience=Audience.EVERYONE)
    line.settle()
    assert [event.received.body for event in line.of(MessageArrived)] == ["hello all"]
    line.cut()
    line.pass_time(1_000)
    line.settle()
    assert [type(one) for one in session_of(line).heard].count(BlockSenders) == 1


@pytest.mark.parametrize("is_error", [False, True])
def test_a_server_that_does_not_say_who_is_blocked_is_no_trouble(is_error: bool) -> None:
    line = Line(FakeServer("alice", "bob"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.connect()
    for _ in range(2):  # the greeting, and the login
        line.push_up()
        line.push_down()
    session = session_of(line)
    session.silent = True
    line.push_up()
    (asked,) = [one for one in session.heard if isinstance(one, BlockSenders)]
    answer: Message = BlockFailure(asked.request, Code.BUSY, "busy")
    if is_error:
        answer = Error(Code.UNSUPPORTED, "what", request=asked.request)
    session.put(answer)
    session.put(welcome_to_all("bob"))
    before = len(line.events)
    line.push_down()
    assert [type(event) for event in line.events[before:]] == [MessageArrived]


def welcome_to_all(sender: str) -> Message:
    return DistributeMessage(9, bytes(16), sender, 1, Audience.EVERYONE, 2, b"hi")


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
