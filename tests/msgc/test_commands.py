"""Whole commands against a server in memory: what they print, say, keep, and end with."""

import json
from pathlib import Path
from typing import Any

import pytest

from msgc import command_line
from msgc.command_end import CommandError, Exit, InterruptedTalkError
from msgc.net import Signal
from msgc.states import SendState
from tests.msgc.fake_server import FakeServer, FakeSession
from tests.msgc.fake_world import FakeWorld
from tests.msgc.schema import check_line
from wire import messages
from wire.codes import Code


def run(world: FakeWorld, *words: str) -> int:
    return command_line.run(world.surroundings, command_line.parse(words))


def objects(world: FakeWorld) -> list[dict[str, Any]]:
    return [check_line(line) for line in world.printed.splitlines()]


def refused(world: FakeWorld, *words: str) -> tuple[Exit, str]:
    with pytest.raises(CommandError) as raised:
        run(world, *words)
    return raised.value.code, str(raised.value)


# ----- send -----------------------------------------------------------------------------------


def test_send_prints_the_number_and_says_the_rest(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)
    assert run(world, "send", "Bob", "-m", "hi") == 0
    assert world.printed == "1\n"
    assert world.said == "msgc: Sent to 1 user: 0 delivered, 1 waiting.\n"
    assert [send.body for send in server.accepted] == [b"hi"]


def test_send_reads_standard_input(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)
    world.stdin.write("one\ntwo\n")
    world.stdin.seek(0)
    assert run(world, "send", "--all", "--json") == 0
    assert server.accepted[0].body == b"one\ntwo"
    (sent,) = objects(world)
    assert (sent["state"], sent["everyone"], sent["accepted_count"]) == ("pending", True, 1)


def test_send_to_nobody_known_is_refused(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    assert run(world, "send", "bob", "bobb", "-m", "hi", "--json") == Exit.REFUSED
    (sent,) = objects(world)
    assert (sent["state"], sent["code"], sent["refused"]) == (
        "failed",
        "UNKNOWN_RECIPIENT",
        ["bobb"],
    )
    assert sent["fates"] == []
    assert 'No user matches "bobb".' in world.said


def test_send_waits_for_the_recipient(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)

    def deliver() -> None:
        account = server.accounts["bob"]
        for number in list(account.queue):
            server.settle(account, number)

    world.network.idle = [deliver]
    assert run(world, "send", "bob", "-m", "hi", "--wait", "60s") == Exit.DONE
    assert "1 delivered, 0 waiting" in world.said
    assert world.clock.steady_ms < 60_000


def test_send_stops_waiting(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    assert run(world, "send", "bob", "-m", "hi", "--wait", "5s") == Exit.STILL_WAITING
    assert world.clock.steady_ms >= 10_000


def test_send_goes_on_waiting_over_a_broken_line(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)

    def break_line() -> None:
        world.network.channels[-1].broken = "connection reset by peer"

    def deliver() -> None:
        server.settle(server.accounts["bob"], min(server.accounts["bob"].queue))

    world.network.idle = [break_line, deliver]
    assert run(world, "send", "bob", "-m", "hi", "--wait", "60s") == Exit.DONE
    assert len(world.network.channels) == 2


def test_send_without_a_server_keeps_the_message_and_says_so(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    code, text = refused(world, "send", "bob", "-m", "hi")
    assert code == Exit.UNREACHABLE
    assert text == "Cannot reach the server at here:1: connection refused."
    assert "Message 1 is kept" in world.said
    later = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    run(later, "send", "bob", "-m", "second")
    assert later.network.server is not None
    assert [send.body for send in later.network.server.accepted] == [b"hi", b"second"]


def test_send_of_an_unknown_user_is_refused(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("bob"))
    code, text = refused(world, "send", "bob", "-m", "hi")
    assert (code, "msgc create alice" in text) == (Exit.REFUSED, True)


def test_interrupted_send_says_that_the_message_is_kept(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)
    world.network.signals = [Signal.INTERRUPT]
    with pytest.raises(InterruptedTalkError) as raised:
        run(world, "send", "bob", "-m", "hi")
    assert raised.value.exit_code == 130
    assert "is kept" in world.said


def test_send_hands_over_to_the_process_that_is_connected(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    holder = world.profiles.open("alice")

    def answer() -> None:
        (message_id,) = holder.archive.outbox.unsent_ids(9)
        holder.archive.outbox.record_accepted(message_id, 1, 5)

    world.network.idle = [lambda: None, answer]
    assert run(world, "send", "bob", "-m", "hi") == Exit.DONE
    assert "Sent to 1 user" in world.said
    assert not world.network.channels
    holder.close()


def test_send_handed_over_waits_and_gives_up(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    holder = world.profiles.open("alice")
    assert run(world, "send", "bob", "-m", "hi") == Exit.UNREACHABLE
    assert "has no answer yet" in world.said
    assert "is kept" in world.said
    assert holder.archive.outbox.counts().unsent == 1
    holder.close()


def test_send_becomes_the_sender_when_the_other_process_ends(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)
    holder = world.profiles.open("alice")
    world.network.idle = [holder.close]
    assert run(world, "send", "bob", "-m", "hi") == Exit.DONE
    assert [send.body for send in server.accepted] == [b"hi"]


# ----- check and watch ------------------------------------------------------------------------


def test_check_prints_what_waits_and_only_once(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "line one\n\x1b[2Jline two")
    world = FakeWorld(tmp_path, server)
    assert run(world, "check") == 0
    head, one, two, note = world.printed.splitlines()
    assert head == "<1000001>  bob to you"
    assert (one, two) == ("    line one", "    ^[[2Jline two")
    assert "control" in note
    assert "1 message, 0 still waiting." in world.said
    assert not server.accounts["alice"].queue
    again = FakeWorld(tmp_path, server)
    assert run(again, "check") == 0
    assert again.printed == ""
    assert "No messages are available (asked the server at 14:32:07)." in again.said


def test_check_in_json_is_ascii_and_complete(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "\x1b[2J wörld \u202e")
    world = FakeWorld(tmp_path, server)
    run(world, "check", "--json")
    assert world.printed.isascii()
    assert "\x1b" not in world.printed
    (message,) = objects(world)
    assert message["text"] == "\x1b[2J wörld \u202e"
    assert (message["kind"], message["from"], message["audience"]) == ("message", "bob", "one")


def test_check_takes_no_more_than_asked_for(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    for number in range(5):
        server.queue("alice", "bob", str(number))
    world = FakeWorld(tmp_path, server)
    run(world, "check", "--limit", "2", "--json")
    assert [message["text"] for message in objects(world)] == ["0", "1"]
    assert server.accounts["alice"].waiting == 3


def test_check_prints_what_an_earlier_run_could_not(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "hello")

    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            pass

    world = FakeWorld(tmp_path, server)
    object.__setattr__(world.surroundings, "stdout", Gone())
    with pytest.raises(BrokenPipeError):
        run(world, "check")
    assert not server.accounts["alice"].queue, "the archive has it"
    again = FakeWorld(tmp_path, server)
    run(again, "check", "--limit", "1")
    assert "    hello\n" in again.printed
    assert not again.network.channels, "enough was here"


def test_check_says_who_holds_the_profile(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice"))
    holder = world.profiles.open("alice")
    code, text = refused(world, "check")
    assert code == Exit.ERROR
    assert "receives the messages; see: msgc -u alice history" in text
    assert "Accounts screen" in refused(world, "list")[1]
    assert "holds the archive" in refused(world, "delete")[1]
    holder.close()


def test_check_ends_when_the_server_ends_it(tmp_path: Path) -> None:
    server = FakeServer("alice")
    world = FakeWorld(tmp_path, server)
    opened = server.open

    def silent() -> FakeSession:
        session = opened()
        session.silent = True
        return session

    server.open = silent  # type: ignore[method-assign]  # a server that never answers
    code, text = refused(world, "check")
    assert code == Exit.UNREACHABLE
    assert "no answer" in text


def test_watch_prints_what_waited_and_what_comes(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "waited")
    world = FakeWorld(tmp_path, server)
    world.network.idle = [
        lambda: server.queue("alice", "bob", "came"),
        lambda: world.network.signals.append(Signal.TERMINATE),
    ]
    with pytest.raises(InterruptedTalkError) as raised:
        run(world, "watch", "--json")
    assert raised.value.exit_code == 143
    assert [message["text"] for message in objects(world)] == ["waited", "came"]
    assert not server.accounts["alice"].queue


def test_watch_comes_back_after_a_broken_line(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    world = FakeWorld(tmp_path, server)

    def break_line() -> None:
        world.network.channels[-1].broken = "connection reset by peer"
        server.queue("alice", "bob", "meanwhile")

    world.network.idle = [
        break_line,
        lambda: server.queue("alice", "bob", "after"),
        lambda: None,
        lambda: world.network.signals.append(Signal.INTERRUPT),
    ]
    with pytest.raises(InterruptedTalkError):
        run(world, "watch")
    assert "    meanwhile" in world.printed
    assert "Disconnected: connection reset by peer. Trying again." in world.said


def test_watch_that_never_reached_the_server_says_so(tmp_path: Path) -> None:
    assert refused(FakeWorld(tmp_path, None), "watch")[0] == Exit.UNREACHABLE


def test_watch_ends_when_it_is_thrown_out(tmp_path: Path) -> None:
    server = FakeServer("alice")
    world = FakeWorld(tmp_path, server)

    def kick() -> None:
        session = server.accounts["alice"].session
        assert session is not None
        session.put(messages.Error(Code.KICKED, "rude to bob", fatal=True))

    world.network.idle = [kick]
    code, text = refused(world, "watch")
    assert (code, "operator" in text) == (Exit.REFUSED, True)
    assert text.endswith(" It says: rude to bob.")


def test_watch_gives_each_message_to_a_program(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "one")
    server.queue("alice", "bob", "two")
    world = FakeWorld(tmp_path, server)
    wanted = tmp_path / "took"
    script = tmp_path / "take.sh"
    script.write_text(f"#!/bin/sh\ncat >> {wanted}\n")
    script.chmod(0o700)
    turns = 0

    def wait() -> None:
        nonlocal turns
        turns += 1
        archive = world.profiles.visit("alice")
        assert archive is not None
        both = wanted.exists() and archive.inbox.counts().unread == 0
        archive.close()
        ended = Signal.INTERRUPT if both or turns > 10_000 else Signal.CHILD
        world.network.signals.append(ended)
        world.network.idle.append(wait)

    world.network.idle = [wait]
    with pytest.raises(InterruptedTalkError):
        run(world, "watch", "--exec", str(script))
    texts = [json.loads(line)["text"] for line in wanted.read_text().splitlines()]
    assert texts == ["one", "two"]


def test_watch_says_when_the_program_is_not_there(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "one")
    world = FakeWorld(tmp_path, server)
    code, text = refused(world, "watch", "--exec", "/no/such/program")
    assert (code, text) == (
        Exit.ERROR,
        "Cannot run /no/such/program: no such file or directory.",
    )
    archive = world.profiles.visit("alice")
    assert archive is not None
    assert archive.inbox.counts().unread == 1


# ----- accounts -------------------------------------------------------------------------------


def test_list_prints_all_pages(tmp_path: Path) -> None:
    server = FakeServer("alice", *(f"user{number}" for number in range(5)))
    server.page = 2
    world = FakeWorld(tmp_path, server)
    assert run(world, "list") == 0
    assert len(world.printed.splitlines()) == 6
    assert "6 shown of 6 users, 1 connected." in world.said


def test_list_in_json(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice"))
    run(world, "list", "--json")
    assert objects(world) == [
        {"kind": "account", "name": "alice", "state": "off", "last_seen_ms": None}
    ]


def test_create_needs_no_user(tmp_path: Path) -> None:
    server = FakeServer("alice")
    world = FakeWorld(tmp_path, server, user=None)
    assert run(world, "create", "Bob", "--json") == 0
    assert objects(world) == [{"kind": "created", "name": "bob"}]
    assert "bob" in server.accounts
    code, text = refused(world, "create", "alice")
    assert (code, text) == (Exit.REFUSED, "Username alice is taken, choose another.")
    assert not list(tmp_path.iterdir()), "nothing is kept here for it"


def test_delete_says_how_many_messages_are_in_the_way(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "unread")
    world = FakeWorld(tmp_path, server)
    code, text = refused(world, "delete")
    assert code == Exit.REFUSED
    assert text.startswith("1 message waits for alice, so the account was not deleted.")
    assert run(world, "delete", "--force", "--json") == 0
    assert objects(world) == [{"kind": "deleted", "name": "alice", "discarded": 1}]
    assert "alice" not in server.accounts


def test_a_deletion_that_is_only_asked_about_changes_nothing(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.queue("alice", "bob", "unread")
    world = FakeWorld(tmp_path, server)
    run(world, "send", "bob", "-m", "still on its way")
    world.stdout.truncate(0)
    world.stdout.seek(0)
    assert run(world, "delete", "--dry-run", "--json") == 0
    (told,) = objects(world)
    assert told == {
        "kind": "deletion",
        "name": "alice",
        "would": "refuse",
        "waiting": 1,
        "unread": 0,
        "sent_waiting": 1,
    }
    again = FakeWorld(tmp_path, server)
    assert run(again, "delete", "--force", "--dry-run") == 0
    assert again.printed == (
        "1 message waiting for alice would be discarded, and their senders told: the account "
        "would be deleted. 1 message of your own would still be delivered, unheard of. "
        "Nothing was changed.\n"
    )
    assert server.accounts["alice"].waiting == 1


def test_quiet_says_nothing_but_what_must_be_read(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    assert run(world, "send", "bob", "-m", "hi", "-q") == 0
    assert (world.printed, world.said) == ("1\n", "")
    assert run(world, "check", "--quiet") == 0
    assert world.said == ""
    assert run(world, "send", "nobody", "-m", "hi", "-q") == Exit.REFUSED
    assert 'No user matches "nobody".' in world.said
    offline = FakeWorld(tmp_path, None)
    refused(offline, "send", "bob", "-m", "hi", "-q")
    assert "is kept and goes with the next msgc" in offline.said


def test_outbox_is_empty_after_all_that(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, FakeServer("alice", "bob"))
    for number in range(70):
        archive = world.profiles.open("alice")
        archive.archive.outbox.compose(("bob",), everyone=False, body=str(number))
        archive.close()
    run(world, "send", "bob", "-m", "last")
    archive = world.profiles.open("alice")
    assert archive.archive.outbox.in_state(SendState.UNSENT, 9) == ()
    archive.close()
