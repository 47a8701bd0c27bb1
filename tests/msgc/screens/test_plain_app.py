"""The face of lines: whole conversations with a server in memory, all functions of the client."""

from pathlib import Path

import pytest

from msgc.net import Signal
from tests.msgc.fake_server import FakeAccount
from tests.msgc.screens.world import LineWorld


@pytest.fixture
def world(tmp_path: Path) -> LineWorld:
    return LineWorld(tmp_path, "bob", "carol")


def queue(world: LineWorld, *bodies: str) -> None:
    world.server.accounts["alice"] = FakeAccount("alice")
    for body in bodies:
        world.server.queue("alice", "bob", body)


def test_connect_and_quit(world: LineWorld) -> None:
    said = world.converse("alice", "q")
    assert said.index("Username: _") < said.index("You are connected as alice.")
    assert "1  s  Send message\n2  c  Check for messages (0 waiting)" in said
    assert "[Enter choose, q quit, ? help]" in said


def test_send_to_one_after_a_stranger_was_refused(world: LineWorld) -> None:
    said = world.converse("1", "1", "bobb", "bob", "hello", "...", ".", "q", "q", name="alice")
    assert 'No user matches "bobb".' in said
    assert "To: bob" in said
    assert "Sent to 1 user: 0 delivered, 1 waiting." in said
    assert [send.body for send in world.server.accepted] == [b"hello\n.."]


def test_send_to_several_by_wildcard_and_to_all(world: LineWorld) -> None:
    world.converse("1", "2", "b* carol", "x", ".", "3", "y", ".", "q", "q", name="alice")
    first, second = world.server.accepted
    assert first.recipients == ("bob", "carol")
    assert second.everyone


def test_send_to_one_by_its_number(world: LineWorld) -> None:
    said = world.converse("s", "1", ".3", "hi", ".", name="alice")
    assert "3. carol, not connected, never seen, waits in the queue" in said
    assert world.server.accepted[0].recipients == ("carol",)


def test_a_part_of_a_name_is_not_taken_for_the_name(world: LineWorld) -> None:
    said = world.converse("s", "1", "bo", ".1", "hi", ".", name="alice")
    assert "Which one? Give its number after a dot, or the whole name." in said
    assert "1. bob, not connected" in said
    assert world.server.accepted[0].recipients == ("bob",)


def test_marks_by_number_and_by_word(world: LineWorld) -> None:
    said = world.converse("s", "2", ".2", ".3", "", "hi", ".", name="alice")
    assert "2. marked, bob" in said
    assert world.server.accepted[0].recipients == ("bob", "carol")


def test_nothing_is_sent_when_nothing_is_written(world: LineWorld) -> None:
    said = world.converse("1", "1", "bob", ".", ".leave", "q", "q", name="alice")
    assert "Nothing to send." in said
    assert world.server.accepted == []


def test_a_text_may_hold_empty_lines_and_lines_of_dots(world: LineWorld) -> None:
    world.converse("1", "1", "bob", "a", "", "..b", "\tc", ".", name="alice")
    assert [send.body for send in world.server.accepted] == [b"a\n\n.b\n\tc"]


def test_a_draft_is_kept_and_gone_on_with(world: LineWorld) -> None:
    begin = ("1", "1", "bob", "begun", ".nonsense", ".leave", ".back", ".back", "q")
    said = world.converse(*begin, "d", "1", "on", ".", name="alice")
    assert '"nonsense" means nothing here; .help tells what does. Two dots' in said
    assert "Draft kept" in said
    assert "to bob, draft: begun" in said
    assert "| begun" in said
    assert [send.body for send in world.server.accepted] == [b"begun\non"]


def test_check_prints_whole_texts_once(world: LineWorld) -> None:
    queue(world, "one\n\x1b[2Jtwo")
    said = world.converse("2", "q", "2", "q", "q", name="alice")
    assert "1. new, holds controls, " in said
    assert " from bob to you alone:\n  one\n  ^[[2Jtwo\n  [control characters]" in said
    assert said.count("  ^[[2Jtwo") == 1
    assert "No messages are available (asked the server at " in said


def test_reply_to_a_row_forward_and_the_next_message(world: LineWorld) -> None:
    queue(world, "one", "two")
    said = world.converse("c", "r 2", "yes", ".", "2", "f", "carol", ".", "q", "q", name="alice")
    first, second = world.server.accepted
    assert (first.recipients, first.body) == (("bob",), b"yes")
    assert second.recipients == ("carol",)
    assert second.body.endswith(b"two")
    assert "There is no row 9" not in said


def test_history_search_sent_and_why(world: LineWorld) -> None:
    lines = (
        "1",
        "1",
        "bob",
        "findme",
        ".",
        "q",
        "o",
        "w 1",
        "q",
        "q",
        "5",
        "/",
        "findme",
        "q",
        "q",
    )
    said = world.converse(*lines, name="alice")
    assert "to bob, waiting: findme" in said
    assert "bob: waiting" in said
    assert "Accepted: " in said
    assert "to bob: findme" in said
    assert 'Holding "findme"; Esc shows all.' in said


def test_settings_by_number(world: LineWorld) -> None:
    said = world.converse("p", "1", "q", "q", name="alice")
    assert "1. Ring the bell for a new message: yes" in said
    assert "1. Ring the bell for a new message: no" in said


def test_help_lists_the_keys_of_the_screen(world: LineWorld) -> None:
    said = world.converse("a", "?", "q", "q", "q", name="alice")
    assert "D: Delete your own account; asks first" in said


def test_past_notices(world: LineWorld) -> None:
    queue(world, "one")
    said = world.converse("c", "M", "q", "q", "q", name="alice")
    assert "1. 14:32:07: 1 message delivered." in said


def test_accounts_create_and_delete(world: LineWorld) -> None:
    lines = ("6", "l", "c*", "q", "n", "dave", "delete mine", "y")
    said = world.converse(*lines, name="alice")
    assert "Only names that match c*" in said
    assert "The account dave is made." in said
    assert "The account alice is deleted." in said
    assert "alice" not in world.server.accounts


def test_delete_with_waiting_messages_wants_the_name(world: LineWorld) -> None:
    queue(world, "unread")
    said = world.converse("a", "D", "y", "bob", "D", "y", "alice", name="alice")
    assert "1 message waits unread for you. To lose them, type alice: bob" in said
    assert "That is not alice: the account is kept." in said
    assert "The account alice is deleted." in said


def test_unreachable_is_said_once_and_can_be_left(world: LineWorld) -> None:
    world.network.down = True
    said = world.converse("q", name="alice")
    assert said.count("connection refused") == 1


def test_what_means_nothing_is_said(world: LineWorld) -> None:
    said = world.converse("9", "c", "7", "r", "q", "", "q", name="alice")
    assert '"9" means nothing here; ? tells what does.' in said
    assert '"7" means nothing here' in said
    assert "There is no message to choose." in said
    assert said.count("You are connected as alice.") == 3, "an empty line says the screen anew"


def test_a_row_that_is_not_there(world: LineWorld) -> None:
    queue(world, "one")
    assert "There is no row 9: there are 1." in world.converse("c", "9", name="alice")


def test_every_line_of_one_turn_is_said(world: LineWorld) -> None:
    """Two things that happen at once are two lines; the message line shows only the last."""
    world.server.accounts["alice"] = FakeAccount("alice")
    said = world.converse("1", "1", "alice", "to myself", ".", "q", "q", name="alice")
    assert "New message from alice." in said
    assert "Sent to 1 user" in said


def test_q_leads_out_of_every_list(world: LineWorld) -> None:
    said = world.converse(
        "s", "q", "o", "q", "d", "q", "h", "q", "a", "q", "p", "q", "q", name="alice"
    )
    assert said.endswith("Disconnecting ...")


def test_a_bad_name_is_asked_for_again(world: LineWorld) -> None:
    said = world.converse("Bad Name!", ".quit")
    assert '"Bad Name!" is not a username.' in said
    assert "A username has 1 to 32 characters" in said


@pytest.mark.parametrize(
    ("signal", "code"),
    [(Signal.TERMINATE, 143), (Signal.INTERRUPT, 130), (Signal.HANG_UP, 129)],
)
def test_a_signal_is_the_exit_code(world: LineWorld, signal: Signal, code: int) -> None:
    world.network.typed.append(b"s\n1\nbob\nhalf a text\n")
    world.signal_after("| ", signal)
    assert world.plain.run("alice") == code
    world.plain.close()
    again = LineWorld(world.folder, "bob")
    assert "1 draft, 0 unsent" in again.converse("q", name="alice")
