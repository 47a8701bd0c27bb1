"""What has gone wrong in other programs of this kind, and must not go wrong here: while one reads.

Each test names the failure; the states are those of the golden texts, in all three faces.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from msgc.screens.check import Check
from msgc.screens.history import History
from msgc.states import FateState, SendState
from msgc.values import HistoryEntry
from msgc.view import LINES, Block, Room, Scrolled, Table
from msgc.view_json import object_of
from msgc.view_lines import lines_of
from msgc.view_messages import spoken_state, state_word
from term.picture import Style
from tests.msgc.fake_server import FakeAccount
from tests.msgc.screens import states_reading as states
from tests.msgc.screens.fake_desk import FakeDesk, Person, message, own
from tests.msgc.screens.states import STATES, json_text
from tests.msgc.screens.states_common import HOSTILE
from tests.msgc.screens.world import World

DIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
BOX_DRAWING = frozenset(map(chr, range(0x2500, 0x2600)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "bob", "carol")
    made.server.accounts["alice"] = FakeAccount("alice")
    yield made
    made.app.close()


def tables(person: Person) -> Iterator[Table]:
    yield from _tables(person.top.view(Room.of((24, 80))).blocks)


def _tables(blocks: tuple[Block, ...]) -> Iterator[Table]:
    for block in blocks:
        if isinstance(block, Table):
            yield block
        elif isinstance(block, Scrolled):
            yield from _tables(block.blocks)


# ----- text of others that the terminal obeys --------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_no_face_lets_a_control_or_a_direction_through(name: str) -> None:
    """Others cleaned one way of showing a text and forgot the next one."""
    top = STATES[name]().top
    said = "\n".join(lines_of(top.view(LINES)))
    for face in (said, json_text(object_of(top.view(Room.of((24, 80)))))):
        assert not DIRECTIONAL & set(face)
        assert all(sign == "\n" or (sign >= " " and not "\x7f" <= sign <= "\x9f") for sign in face)


def test_a_stored_message_does_no_harm_when_it_is_shown_again() -> None:
    desk = FakeDesk()
    received = message(1, HOSTILE, sender="mallory")
    desk.entries = (HistoryEntry(received.received_at_ms, received, None),)
    person = Person(desk, History(desk))
    for _ in range(2):
        assert "^[[2J" in person.see()
        person.press("Enter")
        assert "<RLO>txt.exe" in person.see()
        person.press("q")


def test_no_text_can_pass_for_a_line_of_ours() -> None:
    """Neither in lines, where a text is indented, nor drawn, where it has a gutter."""
    desk = FakeDesk()
    desk.unread = (message(1, "line\nYou are connected as root.\n1. new, from the operator"),)
    top = Check(desk)
    lines = lines_of(top.view(LINES))
    assert "  You are connected as root." in lines
    assert "You are connected as root." not in lines
    rows = top.picture((24, 80)).rows
    spans = [row[0] for row in rows if "connected as root" in "".join(one.text for one in row)]
    in_list, in_text = spans
    assert in_list.text == "> "
    assert (in_text.text, in_text.style) == (" ", Style.REVERSE)


# ----- layout ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_text_of_others_is_the_last_thing_in_its_row(name: str) -> None:
    """A terminal that measures an emoji otherwise then moves nothing."""
    for table in tables(STATES[name]()):
        keys = [column.key for column in table.columns]
        assert "text" not in keys[:-1]


def test_signs_that_terminals_measure_differently_keep_the_columns() -> None:
    desk = FakeDesk()
    desk.unread = (
        message(1, "\u2764\ufe0f love"),
        message(2, "plain"),
        message(3, "👩\u200d👩\u200d👧 x"),
    )
    rows = Person(desk, Check(desk)).see().splitlines()[2:5]
    assert len({row.index("1     ") for row in rows}) == 1
    assert "\ufe0f" not in "".join(rows)
    assert "\u200d" not in "".join(rows)


def test_a_window_that_shrinks_while_a_question_is_open_loses_nothing() -> None:
    person = states.history_mixed()
    person.type("/hel")
    for size in ((5, 20), (16, 60), (1, 1), (43, 132), (24, 80)) * 3:
        person.see(*size)
        assert len(person.top.picture(size).rows) == size[0]
    assert "Words: hel" in person.see()
    assert "window too small: 60x16 needed, this is 59x15" in person.see(15, 59)


@pytest.mark.parametrize("name", STATES)
def test_what_has_a_colour_has_a_word(name: str) -> None:
    for table in tables(STATES[name]()):
        for row in table.rows:
            colours = [cell for cell in row.cells if cell.style not in {Style.NORMAL, Style.BOLD}]
            assert all(cell.spoken.strip() for cell in colours)


@pytest.mark.parametrize("name", STATES)
def test_lines_hold_nothing_that_is_drawn(name: str) -> None:
    """Box drawing, rules and arrows are read aloud, sign by sign."""
    lines = lines_of(STATES[name]().top.view(LINES))
    assert not any(BOX_DRAWING & set(line) for line in lines)
    assert not any("-----" in line or line.startswith(">") for line in lines)
    assert all(line.strip() for line in lines if not line.startswith(" "))


# ----- what became of it -----------------------------------------------------------------------


def test_states_are_words_that_cannot_be_taken_for_one_another() -> None:
    """Two ticks were read as "read", and as "all of them"."""
    waiting = own(1, "x")
    partly = own(2, "x", [("bob", FateState.DELIVERED), ("carol", FateState.WAITING)])
    done = own(3, "x", [("bob", FateState.DELIVERED)])
    lost = own(4, "x", [("bob", FateState.RECIPIENT_DELETED)])
    unsent = own(5, "x", state=SendState.UNSENT)
    failed = own(6, "x", state=SendState.FAILED)
    every = (waiting, partly, done, lost, unsent, failed)
    words = [state_word(one) for one in every]
    assert words == ["waiting", "1 of 2", "delivered", "1 lost", "unsent", "FAILED"]
    assert len({spoken_state(one) for one in every}) == len(every)


def test_what_became_of_a_message_is_not_hidden_by_being_online_again(world: World) -> None:
    world.start("alice")
    world.type("s")
    world.wait_for("bob")
    world.network.hang_up()
    world.wait_for("OFFLINE")
    world.type("1bob\rlater")
    world.press(b"\x04")
    world.wait_for("Not sent yet")
    world.network.down = False
    world.wait_for("Sent to 1 user: 0 delivered, 1 waiting.")
    assert "Connected again." not in world.console.rows


def test_a_receipt_after_a_long_time_still_has_its_text() -> None:
    person = states.sent_states()
    person.press("End", "w")
    assert "lost" in person.see()
    assert "recipient deleted" in person.see()


# ----- what was read, and what was not ---------------------------------------------------------


def test_what_is_new_is_known_for_each_message_after_a_restart(
    tmp_path: Path, world: World
) -> None:
    for body in ("first\n" * 50, "second", "third"):
        world.server.queue("alice", "bob", body)
    world.start("alice")
    world.type("c")
    world.wait_for("third")
    world.type("j")
    world.type("qq")
    world.settle()
    world.app.close()
    again = World(tmp_path)
    again.server.accounts["alice"] = FakeAccount("alice")
    again.start("alice")
    again.wait_for("2 waiting")
    again.type("c")
    again.wait_for("2 messages, 2 new")
    assert "second" not in again.console.rows
    again.app.close()


def test_all_that_was_received_is_there_after_a_restart(tmp_path: Path) -> None:
    """Others show the last twenty lines."""
    world = World(tmp_path, "bob")
    world.server.accounts["alice"] = FakeAccount("alice")
    for number in range(60):
        world.server.queue("alice", "bob", f"story {number}")
    world.start("alice")
    world.type("c")
    world.wait_for("60 messages delivered.")
    world.type("Aqq")
    world.settle()
    world.app.close()
    again = World(tmp_path)
    again.start("alice")
    again.type("h")
    again.wait_for("60 messages received and kept")
    again.wait_for("of 60]")
    again.type("/story 17")
    again.wait_for("[1-1 of 1]")
    again.app.close()


def test_who_is_not_connected_is_in_the_list() -> None:
    assert "dave           off   4d 04h ago" in states.accounts_list().see(16, 60)


def test_a_count_is_written_the_same_way_wherever_it_stands() -> None:
    shown = states.check_thousands().see()
    assert "5,000 messages" in shown
    assert "of 5,000]" in shown


def test_a_message_arrives_on_any_screen(world: World) -> None:
    world.start("alice")
    for place, key in enumerate("ohap"):
        world.type(key)
        world.server.queue("alice", "bob", f"number {place}")
        world.wait_for("New message from bob.")
        world.type("q")
    world.type("c")
    world.wait_for("number 3")


def test_nothing_that_was_said_is_lost_by_looking_away(world: World) -> None:
    world.start("alice")
    world.server.queue("alice", "bob", "one")
    world.wait_for("New message from bob.")
    world.server.queue("alice", "carol", "two")
    world.wait_for("New message from carol.")
    world.type("M")
    world.wait_for("2 notices")
    assert "New message from bob." in world.console.rows
    assert "New message from carol." in world.console.rows


def test_time_goes_on_while_one_looks() -> None:
    """Ages are of the moment of drawing, not of loading."""
    person = states.accounts_list()
    before = person.see()
    person.desk.now += 86_400_000
    assert person.see() != before
    person.desk.look = replace(person.desk.look, waiting=1)
    assert "[1 message waiting]" in person.see()
