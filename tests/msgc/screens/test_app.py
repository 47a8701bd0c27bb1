"""The app as a whole: keys in as bytes, frames to a server in memory, pictures out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgc.app import run
from msgc.net import Signal
from tests.msgc.fake_server import FakeAccount
from tests.msgc.screens.world import World
from wire import messages
from wire.codes import Code


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "bob", "carol")
    yield made
    made.app.close()


def test_prompt_name_and_menu(world: World) -> None:
    world.start()
    world.wait_for("Username:")
    world.type("Alice\r")
    world.wait_for("You are connected as alice.")
    world.wait_for("3 users")


def test_a_name_in_use_is_asked_for_again(world: World) -> None:
    world.start()
    world.server.refuse_login = Code.IN_USE
    world.type("bob\r")
    world.wait_for("Username bob is already in use, choose another.")
    world.server.refuse_login = None
    world.type("dave\r")
    world.wait_for("You are connected as dave.")


def test_a_name_that_is_none_is_refused_here(world: World) -> None:
    world.start()
    world.type("../x\r")
    world.wait_for("A username has 1 to 32 characters")
    assert world.network.channel is None


def test_unreachable_counts_down_and_connects(world: World) -> None:
    world.network.down = True
    world.start()
    world.type("alice\r")
    world.wait_for("Cannot reach the server at 127.0.0.1:7070: connection refused.")
    world.wait_for("try again in")
    world.network.down = False
    world.wait_for("You are connected as alice.")


def test_send_to_one_and_be_told_the_truth(world: World) -> None:
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    world.type("1bob\rhello")
    world.press(b"\x04")
    world.wait_for("Sent to 1 user: 0 delivered, 1 waiting.")
    world.wait_for("To one user")
    assert [send.body for send in world.server.accepted] == [b"hello"]
    bob = world.server.accounts["bob"]
    world.server.settle(bob, next(iter(bob.queue)))
    world.wait_for("Sent to 1 user: 1 delivered, 0 waiting.")


def test_check_prints_and_next_time_there_is_nothing(world: World) -> None:
    world.server.accounts["alice"] = FakeAccount("alice")
    world.server.queue("alice", "bob", "are you there?")
    world.start("alice")
    world.wait_for("1 waiting")
    world.type("c")
    world.wait_for("are you there?")
    world.type("q")
    world.wait_for("0 waiting")
    world.type("c")
    world.wait_for("No messages are available (asked the server at ")


def test_a_live_message_is_noticed_and_rings_once_in_five_seconds(world: World) -> None:
    world.start("alice")
    world.server.queue("alice", "bob", "ding")
    world.wait_for("New message from bob.")
    world.server.queue("alice", "carol", "dong")
    world.wait_for("New message from carol.")
    assert world.console.calls.count("bell") == 1
    world.pass_time(6_000)
    world.server.queue("alice", "bob", "again")
    world.wait_for("3 waiting")
    assert world.console.calls.count("bell") == 2


def test_a_user_who_came_after_the_list_is_found(world: World) -> None:
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    world.type("1")
    world.server.accounts["erin"] = FakeAccount("erin")
    world.type("erin\r")
    world.wait_for("To: erin")


def test_the_counts_of_the_menu_are_asked_for_when_it_is_seen_again(world: World) -> None:
    world.start("alice")
    world.wait_for("3 users")
    world.server.accounts["erin"] = FakeAccount("erin")
    world.type("pq")
    world.wait_for("4 users")


def test_offline_text_goes_by_itself_later(world: World) -> None:
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    world.network.hang_up()
    world.wait_for("OFFLINE")
    world.type("1bob\rlater")
    world.press(b"\x04")
    world.wait_for("Not sent yet: it goes by itself")
    world.network.down = False
    world.wait_for("[online]")
    world.settle()
    assert [send.body for send in world.server.accepted] == [b"later"]


def test_quitting_offline_with_unsent_asks(world: World) -> None:
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    world.network.hang_up()
    world.wait_for("OFFLINE")
    world.type("1bob\rlater")
    world.press(b"\x04")
    world.type("qq")
    world.wait_for("1 message has not gone to the server yet.")
    world.type("n")
    assert world.app.code is None
    world.type("qy")
    assert world.app.code == 0


def test_quitting_says_goodbye(world: World) -> None:
    world.start("alice")
    world.type("q")
    world.settle()
    assert world.app.code == 0
    assert world.server.accounts["alice"].session is None


@pytest.mark.parametrize(
    ("signal", "code"),
    [(Signal.TERMINATE, 143), (Signal.INTERRUPT, 130), (Signal.HANG_UP, 129)],
)
def test_signals_end_it_and_keep_the_draft(tmp_path: Path, signal: Signal, code: int) -> None:
    world = World(tmp_path, "bob")
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    world.type("1bob\rhalf a sent")
    world.network.signals.append(signal)
    world.settle()
    assert world.app.code == code
    world.app.close()
    again = World(tmp_path, "bob")
    again.start("alice")
    again.wait_for("1 draft")
    again.app.close()


def test_a_closed_terminal_ends_it(world: World) -> None:
    world.start("alice")
    world.press(b"")
    assert world.app.code == 0


def test_a_lone_escape_goes_up_one_level(world: World) -> None:
    world.start("alice")
    world.type("p")
    world.wait_for("Ring the bell")
    world.escape()
    world.wait_for("You are connected as alice.")


def test_help_redraw_suspend_and_resize(world: World) -> None:
    world.start("alice")
    world.type("?")
    world.wait_for("Help: menu")
    world.press(b"\x0c")
    world.press(b"\x1a")
    world.console.window = (10, 30)
    world.network.signals.append(Signal.RESIZE)
    world.app.turn()
    assert "window too small" in world.console.rows
    assert world.console.calls[:3] == ["redraw", "suspend", "resized"]


def test_delete_by_force_ends_at_the_prompt(world: World) -> None:
    world.server.accounts["alice"] = FakeAccount("alice")
    world.server.queue("alice", "bob", "unread")
    world.start("alice")
    world.type("a")
    world.wait_for("Accounts")
    world.type("Dy")
    world.wait_for("1 message waits unread for you.")
    world.type("alice\r")
    world.wait_for("The account alice is deleted.")
    world.wait_for("Username:")
    assert "alice" not in world.server.accounts


def test_create_an_account_and_see_it(world: World) -> None:
    world.start("alice")
    world.type("a")
    world.wait_for("carol")
    world.type("ndave\r")
    world.wait_for("The account dave is made.")
    world.wait_for("  dave ")


def test_another_process_with_the_profile(world: World, tmp_path: Path) -> None:
    world.start("alice")
    second = World(tmp_path)
    second.server.accounts["alice"] = FakeAccount("alice")
    second.server.refuse_login = Code.IN_USE
    second.app.start("alice")
    second.wait_for("Username alice is already in use, choose another.")
    second.server.refuse_login = None
    second.type("alice\r")
    second.wait_for("alice is connected from this computer already")
    second.app.close()


def test_settings_are_kept(world: World) -> None:
    world.start("alice")
    world.type("p")
    world.wait_for("Ring the bell for a new message    yes")
    world.press(b"\x1b[C")
    world.wait_for("Ring the bell for a new message    no")
    assert (world.folder / "config.toml").read_text() == "bell = false\n"
    world.type("q")
    world.server.queue("alice", "bob", "quiet")
    world.wait_for("New message from bob.")
    assert "bell" not in world.console.calls


def test_unknown_keys_do_nothing(world: World) -> None:
    world.start("alice")
    world.wait_for("3 users")
    before = world.console.rows
    world.press(b"\x1b[99~")
    world.type("Xé")
    world.press(b"\xff\xfe")
    assert world.console.rows == before


def test_what_was_said_goes_with_the_next_key(world: World) -> None:
    world.start("alice")
    world.server.queue("alice", "bob", "ding")
    world.wait_for("New message from bob.")
    world.type("j")
    assert "New message from bob." not in world.console.rows


def test_run_gives_the_exit_code_and_the_terminal_back(world: World) -> None:
    world.network.typed.append(b"")
    assert run(world.surroundings(), world.console, None) == 0
    assert world.console.calls[-1] == "close"


def test_taken_over_by_another_session(world: World) -> None:
    world.start("alice")
    session = world.server.accounts["alice"].session
    assert session is not None
    session.put(messages.Error(Code.TAKEN_OVER, "elsewhere", fatal=True))
    world.wait_for("Another msgc of yours took over this session.")
    world.wait_for("You are not connected any more; r connects again.")
    world.type("r")
    world.wait_for("You are connected as alice.")


def test_who_is_banned_is_told_why_and_asked_for_a_name(world: World) -> None:
    world.server.end_login = messages.Error(Code.KICKED, "rude to bob", fatal=True)
    world.start()
    world.type("alice\r")
    world.wait_for("It says: rude to bob.")
    assert "Username:" in world.console.rows
    world.server.end_login = None
    world.type("carol\r")
    world.wait_for("You are connected as carol.")


def test_a_server_with_tls_is_told_once_and_not_tried_on(world: World) -> None:
    world.server.end_login = messages.Error(Code.TLS_NEEDED, "TLS", fatal=True)
    world.start()
    world.type("alice\r")
    world.wait_for("It speaks TLS only: say")
    assert "Username:" in world.console.rows
    assert "try again" not in world.console.rows


def test_an_old_filter_is_not_taken_for_the_whole_log(world: World) -> None:
    world.start("alice")
    world.type("a")
    world.wait_for("carol")
    world.type("lb*\r")
    world.wait_for("Only names that match b*")
    world.type("qqs")
    world.wait_for("carol")


def test_a_name_that_is_none_stays_in_the_field(world: World) -> None:
    world.start()
    world.type("Bad Name!\r")
    world.wait_for('"Bad Name!" is not a username.')
    assert "Username: Bad Name!" in world.console.rows


def test_who_was_shut_out_is_told_the_key_on_every_screen_and_it_works(world: World) -> None:
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    session = world.server.accounts["alice"].session
    assert session is not None
    session.put(messages.Error(Code.TAKEN_OVER, "elsewhere", fatal=True))
    world.wait_for("connects again.")
    world.type("1")
    world.type("b")
    world.wait_for("connects again.")
    world.press(b"\x12")
    world.wait_for("[online]")


def test_after_a_sleep_the_connection_is_checked_and_nothing_is_said_to_be_sent(
    world: World,
) -> None:
    """What is typed into a dead connection looked as if it were sent, in others."""
    world.start("alice")
    world.type("s1bob\r")
    world.type("hello")
    session = world.server.accounts["alice"].session
    assert session is not None
    session.silent = True
    world.clock.slept_ms += 3_600_000
    world.clock.ms += 3_600_000
    world.app.turn(0)
    world.wait_for("[checking]")
    assert "being checked: ^D keeps it here until it is sure" in world.console.rows
    world.press(b"\x04")
    world.wait_for("Not sent yet")
    world.pass_time(2_500)
    world.wait_for("[online]")
    world.settle()
    assert len(world.server.accounts["bob"].queue) == 1
    assert "[online]" in world.console.rows


def test_lag_is_no_word_of_the_first_minute(world: World) -> None:
    world.start("alice")
    assert world.app._program.desk._link is not None
    world.app._program.desk._link._pulse.lag_ms = 900
    world.pass_time(1_500)
    assert "[online]" in world.console.rows
    world.clock.ms += 61_000
    world.app._program.desk._link._pulse.lag_ms = 900
    assert "online, lag" in world.app._program.desk.overview().standing.words(0)
