"""`msgc recall`: what it prints, says, keeps, and ends with."""

from pathlib import Path

from msgc import words
from msgc.command_end import Exit
from tests.msgc.fake_server import FakeServer
from tests.msgc.fake_world import FakeWorld
from tests.msgc.test_commands import objects, refused, run
from wire.codes import Code


def world_with(tmp_path: Path, *to: str) -> tuple[FakeServer, FakeWorld]:
    """alice, who has sent message 1; to nobody named is to all."""
    server = FakeServer("alice", "bob", "carol")
    run(FakeWorld(tmp_path, server), "send", *(to or ("--all",)), "-m", "hi")
    return server, FakeWorld(tmp_path, server)


def test_recalled_from_all_is_0(tmp_path: Path) -> None:
    server, world = world_with(tmp_path, "bob", "carol")
    assert run(world, "recall", "1") == Exit.DONE
    lines = world.printed.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["bob: recalled", "carol: recalled"]
    assert world.said == "msgc: Recalled from 2 users: nobody has it, nobody will.\n"
    assert not server.accounts["bob"].queue
    assert not server.accounts["alice"].queue, "the fates are confirmed"
    again = FakeWorld(tmp_path, server)
    assert run(again, "recall", "1") == Exit.DONE


def test_recalled_from_some_is_3_and_the_fates_of_the_others_are_fetched(tmp_path: Path) -> None:
    server, world = world_with(tmp_path, "bob", "carol")
    run(FakeWorld(tmp_path, server, "bob"), "check")
    assert run(world, "recall", "1", "--json") == Exit.STILL_WAITING
    (sent,) = objects(world)
    assert (sent["recall"], sent["recalled"], sent["delivered"]) == ("answered", 1, 1)
    assert {fate["to"]: fate["state"] for fate in sent["fates"]} == {
        "bob": "delivered",
        "carol": "recalled",
    }
    later = FakeWorld(tmp_path, server)
    run(later, "why", "1")
    assert "you asked for it back" in later.printed
    assert "the server answered: Recalled from 1, 1 had it already." in later.printed


def test_too_late_is_4(tmp_path: Path) -> None:
    server, world = world_with(tmp_path, "bob")
    run(FakeWorld(tmp_path, server, "bob"), "check")
    assert run(world, "recall", "1") == Exit.REFUSED
    assert world.said == "msgc: Too late, nothing recalled, 1 had it already.\n"
    assert run(FakeWorld(tmp_path, server), "recall", "1") == Exit.REFUSED


def test_a_message_to_all(tmp_path: Path) -> None:
    _, world = world_with(tmp_path)
    assert run(world, "recall", "1") == Exit.DONE
    assert world.said == "msgc: Recalled from 2 users: nobody has it, nobody will.\n"


def test_a_server_that_will_not_is_4(tmp_path: Path) -> None:
    server, world = world_with(tmp_path, "bob")
    server.refuse_recalls = Code.BEING_DELETED
    assert run(world, "recall", "1") == Exit.REFUSED
    assert "Not recalled." in world.said


def test_without_an_answer_the_wish_is_kept_and_asked_later(tmp_path: Path) -> None:
    server, _ = world_with(tmp_path, "bob")
    gone = FakeWorld(tmp_path, None)
    code, _ = refused(gone, "recall", "1")
    assert code == Exit.UNREACHABLE
    assert "The wish is kept" in gone.said
    run(FakeWorld(tmp_path, server), "check")
    assert not server.accounts["bob"].queue
    server.refuse_recalls = Code.BUSY
    run(FakeWorld(tmp_path, server), "send", "bob", "-m", "second")
    busy = FakeWorld(tmp_path, server)
    assert run(busy, "recall", "2") == Exit.UNREACHABLE
    assert "will be asked" in busy.said


def test_a_number_that_nobody_knows(tmp_path: Path) -> None:
    code, text = refused(FakeWorld(tmp_path, FakeServer("alice")), "recall", "9")
    assert code == Exit.ERROR
    assert text.startswith("No message 9")


def test_what_was_never_sent_needs_no_server(tmp_path: Path) -> None:
    world = FakeWorld(tmp_path, None)
    refused(world, "send", "bob", "-m", "hi")
    archive = world.profiles.visit("alice")
    assert archive is not None
    archive.close()
    again = FakeWorld(tmp_path, None)
    assert run(again, "recall", "1") == Exit.DONE
    assert "You took it back before it was sent." in again.said


def test_the_msgc_that_is_running_asks(tmp_path: Path) -> None:
    server, world = world_with(tmp_path, "bob")
    holder = FakeWorld(tmp_path, server).profiles.open("alice")

    def answer() -> None:
        archive = world.profiles.visit("alice")
        assert archive is not None
        (message_id,) = archive.recalls.open_ids(9)
        archive.recalls.record_unknown(message_id, words.CODE_TAKEN_BACK)
        archive.close()

    world.network.idle.append(answer)
    assert run(world, "recall", "1") == Exit.REFUSED  # what was accepted is not made unsent
    holder.close()


def test_the_msgc_that_is_running_may_be_offline(tmp_path: Path) -> None:
    server, world = world_with(tmp_path, "bob")
    holder = FakeWorld(tmp_path, server).profiles.open("alice")
    assert run(world, "recall", "1") == Exit.UNREACHABLE
    holder.close()


def test_send_tries_again_for_a_while_when_the_server_is_full(tmp_path: Path) -> None:
    server = FakeServer("alice", "bob")
    server.refuse_sends = Code.STORAGE_FULL
    world = FakeWorld(tmp_path, server)
    assert run(world, "send", "bob", "-m", "hi") == Exit.UNREACHABLE
    assert "msgc: Message 1 is kept: the server is full, msgc tries again at" in world.said
    assert "do not send it again" in world.said
    server.refuse_sends = None
    run(FakeWorld(tmp_path, server), "check")
    assert [send.body for send in server.accepted] == [b"hi"]
