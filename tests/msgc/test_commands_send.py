"""`msgc send` to more recipients than a message can have: several messages, one errand."""

from pathlib import Path
from typing import Any

import pytest

from msgc import command_line
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.command_options import UsageError
from msgc.net import Signal
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeWorld
from tests.msgc.schema import check_line


def run(world: FakeWorld, *words: str) -> int:
    return command_line.run(world.surroundings, command_line.parse(words))


def objects(world: FakeWorld) -> list[dict[str, Any]]:
    return [check_line(line) for line in world.printed.splitlines()]


def crowd(count: int) -> list[str]:
    return [f"user{number:04d}" for number in range(count)]


def test_send_to_very_many_goes_in_parts(tmp_path: Path) -> None:
    names = crowd(2_049)
    server = FakeServer("alice", *names)
    world = FakeWorld(tmp_path, server)
    assert run(world, "send", *names, names[0], "-m", "hi", "--json") == Exit.DONE
    sent = objects(world)
    assert [len(part["to"]) for part in sent] == [1_024, 1_024, 1]
    assert [name for part in sent for name in part["to"]] == names
    assert len({part["id"] for part in sent}) == 3
    assert "Sent to 2049 users in 3 of 3 messages: 0 delivered, 2049 waiting." in world.said
    assert [len(send.recipients) for send in server.accepted] == [1_024, 1_024, 1]


def test_1024_names_are_one_message(tmp_path: Path) -> None:
    names = crowd(1_024)
    server = FakeServer("alice", *names)
    world = FakeWorld(tmp_path, server)
    assert run(world, "send", *names, "-m", "hi") == Exit.DONE
    assert world.printed == "1\n"
    assert world.said == "msgc: Sent to 1024 users: 0 delivered, 1024 waiting.\n"


def test_a_part_that_is_refused_does_not_keep_the_others(tmp_path: Path) -> None:
    names = crowd(2_049)
    server = FakeServer("alice", *names[:1_500], *names[1_501:])
    world = FakeWorld(tmp_path, server)
    assert run(world, "send", *names, "-m", "hi", "--json") == Exit.REFUSED
    assert [part["state"] for part in objects(world)] == ["pending", "failed", "pending"]
    assert [part["refused"] for part in objects(world)] == [[], ["user1500"], []]
    assert "Sent to 1025 users in 2 of 3 messages: 0 delivered, 1025 waiting." in world.said
    assert 'Message 2: Not sent. No user matches "user1500".' in world.said


def test_parts_are_kept_together_without_a_server(tmp_path: Path) -> None:
    names = crowd(1_025)
    world = FakeWorld(tmp_path, None)
    with pytest.raises(CommandError) as raised:
        run(world, "send", *names, "-m", "hi")
    assert raised.value.code == Exit.UNREACHABLE
    assert world.printed == "1\n2\n"
    assert "Message 1 is kept" in world.said
    assert "Message 2 is kept" in world.said
    later = FakeWorld(tmp_path, FakeServer("alice", "bob", *names))
    run(later, "send", "bob", "-m", "second")
    assert later.network.server is not None
    sizes = [len(send.recipients) for send in later.network.server.accepted]
    assert sizes == [1_024, 1, 1]


def test_parts_are_handed_over_and_waited_for(tmp_path: Path) -> None:
    names = crowd(1_025)
    world = FakeWorld(tmp_path, None)
    holder = world.profiles.open("alice")
    outbox = holder.archive.outbox

    def answer() -> None:
        outbox.record_accepted(outbox.unsent_ids(1)[0], None, 5)

    world.network.idle = [lambda: None, answer, answer]
    assert run(world, "send", *names, "-m", "hi") == Exit.DONE
    assert "Sent to 1025 users in 2 of 2 messages" in world.said
    holder.close()


def test_what_is_no_name_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    with pytest.raises(UsageError, match='"not a name" is not a username'):
        run(world, "send", "bob", "not a name", "-m", "hi")
    assert not list(tmp_path.iterdir()), "nothing is kept"


def test_parts_wait_until_everybody_has_them(tmp_path: Path) -> None:
    names = crowd(1_026)
    server = FakeServer("alice", *names)
    world = FakeWorld(tmp_path, server)

    def deliver(*some: str) -> None:
        for name in some:
            account = server.accounts[name]
            for number in list(account.queue):
                server.settle(account, number)

    world.network.idle = [lambda: deliver(*names[:1_025]), lambda: deliver(names[1_025])]
    assert run(world, "send", *names, "-m", "hi", "--wait", "60s") == Exit.DONE
    assert "in 2 of 2 messages: 1026 delivered, 0 waiting." in world.said
    in_vain = FakeWorld(tmp_path, server)
    assert run(in_vain, "send", *names, "-m", "hi", "--wait", "5s") == Exit.STILL_WAITING


def test_interrupted_parts_are_all_kept(tmp_path: Path) -> None:
    names = crowd(1_025)
    world = FakeWorld(tmp_path, FakeServer("alice", *names))
    world.network.signals = [Signal.INTERRUPT]
    with pytest.raises(InterruptedTalkError):
        run(world, "send", *names, "-m", "hi")
    assert world.said.count("is kept") == 2
