"""Passwords on the screens: typed, refused, changed, made; and never seen."""

from pathlib import Path

import pytest

from msgc.passwords import PasswordChoice
from msgc.screens.secret import SecretField
from msgc.view import LINES, Room
from msgc.view_json import object_of
from msgc.view_lines import lines_of, prompt_of
from msgc.view_values import Wish
from term.keys import Paste
from term.safe import Safe
from tests.msgc.screens import states_sending as states
from tests.msgc.screens.fake_desk import Person
from tests.msgc.screens.world import LineWorld, World
from wire.codes import Code

GOOD = "correct horse battery"
NEW = "another long password"


def faces_of(person: Person) -> str:
    view = person.top.view(LINES)
    json = object_of(person.top.view(Room.of((24, 80))))
    return f"{person.see()}\n{lines_of(view)}\n{prompt_of(view)}\n{json}"


def test_a_secret_is_in_no_face() -> None:
    person = states.username_password()
    assert "Password: ******" in person.see()
    assert "secret" not in faces_of(person)
    person.press("Enter")
    assert person.desk.done == [("give_password", "secret")]


def test_letters_and_pastes_are_text_and_keys_still_work() -> None:
    person = states._wanted()
    person.type("q? 1y")
    person.press("Backspace")
    person.paste("pasted\nline")
    person.press("Enter")
    assert person.desk.done == [("give_password", "q? 1pasted")]


def test_esc_gives_another_name() -> None:
    person = states.username_password()
    person.press("Esc")
    assert person.desk.done == [("give_up_name",)]


def test_a_new_account_has_its_password_typed_twice() -> None:
    person = states.username_new_password()
    assert "too few" in person.see()
    person.press("C-u")
    person.type(f"{NEW}\nslip of a finger\n")
    assert "two different ones" in person.see()
    person.type(f"{NEW}\n{NEW}\n")
    assert person.desk.done == [("register", NEW, "")]
    assert NEW not in faces_of(person)


def test_a_made_password_is_shown_and_taken() -> None:
    person = states.username_made_password()
    assert "0123-4567-89ab-cdef-ghjk" in person.see()
    person.press("Enter")
    assert person.desk.done == [("register", "0123-4567-89ab-cdef-ghjk", "")]


def test_an_invite_code_comes_first_and_is_seen() -> None:
    person = states.username_invite()
    assert "Invite code: 0011" in person.see()
    person.type(f"22\n{NEW}\n{NEW}\n")
    assert person.desk.done == [("register", NEW, "001122")]


def test_a_closed_server_says_so() -> None:
    person = states.username_password_wrong()
    person.press("C-n")
    assert "makes no accounts for strangers" in person.see()


def test_a_refused_password_is_asked_for_again() -> None:
    person = states._wanted()
    person.desk.password_refusal = "Not this one."
    person.type("x\n")
    assert "Not this one." in person.see()
    assert "Password:" in person.see()


def test_a_new_wish_is_a_new_form() -> None:
    person = states.username_new_password()
    person.desk.wanted = Wish("alice", Safe("Wrong password."), 1)
    assert "Wrong password." in person.see()
    assert "Password:" in person.see()


def test_a_field_takes_no_more_than_a_password_can_have() -> None:
    field = SecretField()
    field.handle(Paste("x" * 1_024))
    field.handle("y")
    assert len(field.text) == 1_024


# ----- with a server ----------------------------------------------------------------------------


def world_of(folder: Path) -> World:
    world = World(folder, "alice", "bob")
    world.server.give_password("alice", GOOD)
    world.start()
    world.type("alice\n")
    world.wait_for("wants a password")
    return world


def test_a_whole_login_and_no_question_after_a_lost_connection(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.type("wrong\n")
    world.wait_for("Wrong password")
    world.type(f"{GOOD}\n")
    world.wait_for("You are connected as alice.")
    assert GOOD not in world.console.rows
    world.network.hang_up()
    world.wait_for("connection is gone")
    world.network.down = False
    world.wait_for("Connected again.")


def test_who_must_wait_after_wrong_ones_is_told_how_long(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.server.refuse_login = Code.BUSY
    world.server.refuse_login_text = "too many wrong tries; again in 3 seconds"
    world.type("wrong\n")
    world.wait_for("Too many wrong tries; again in 3 seconds.")
    assert "Password:" in world.console.rows
    world.server.refuse_login = None
    world.type(f"{GOOD}\n")
    world.wait_for("You are connected as alice.")


def test_a_whole_registration(tmp_path: Path) -> None:
    world = World(tmp_path, "alice")
    world.server.give_password("alice", GOOD)
    world.start()
    world.type("carol\n")
    world.wait_for("wants a password")
    world.type("\x0e")
    world.wait_for("New password:")
    world.type(f"{NEW}\n{NEW}\n")
    world.wait_for("You are connected as carol.")


def test_a_name_that_is_taken_leads_back_to_the_password(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.type("\x0e")
    world.type(f"{NEW}\n{NEW}\n")
    world.wait_for("Username alice is taken")
    world.wait_for("Password:")


def test_a_password_is_changed_from_the_settings(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.type(f"{GOOD}\n")
    world.wait_for("You are connected as alice.")
    world.type("pG\n")
    world.wait_for("Old password:")
    world.type(f"wrong\n{NEW}\n{NEW}\n")
    world.wait_for("The old password is not that.")
    world.type(f"{GOOD}\n{NEW}\n{NEW}\n")
    world.wait_for("Your password is changed.")
    world.network.hang_up()
    world.wait_for("connection is gone")
    world.network.down = False
    world.wait_for("Connected again.")


def test_a_password_that_was_changed_elsewhere_is_asked_for(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.type(f"{GOOD}\n")
    world.wait_for("You are connected as alice.")
    world.server.give_password("alice", NEW)
    world.network.hang_up()
    world.wait_for("connection is gone")
    world.network.down = False
    world.wait_for("^R asks for it.")
    world.type("\x12")
    world.wait_for("Password:")
    world.type(f"{NEW}\n")
    world.wait_for("You are connected as alice.")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (PasswordChoice(command="pass show x"), "Waiting for the password command, 60 seconds"),
        (PasswordChoice(keyring=True), "Waiting for the keyring ..."),
    ],
)
def test_what_may_take_long_is_said_before_it_is_waited_for(
    tmp_path: Path, choice: PasswordChoice, said: str
) -> None:
    world = World(tmp_path, "alice", source=choice)
    world.server.give_password("alice", GOOD)
    world.secrets.password = GOOD
    world.start()
    world.type("alice\n")
    world.wait_for(said)
    assert world.secrets.asked == []
    world.wait_for("You are connected as alice.")
    assert len(world.secrets.asked) == 1
    assert said not in world.console.rows


def test_a_password_that_is_typed_meanwhile_counts(tmp_path: Path) -> None:
    world = World(tmp_path, "alice", source=PasswordChoice(command="pass"))
    world.server.give_password("alice", GOOD)
    world.start()
    world.type("alice\n")
    world.wait_for("Waiting for the password command")
    world.app._program.desk.give_password(GOOD)
    world.wait_for("You are connected as alice.")
    world.pass_time(1_000)
    assert world.secrets.asked == []


def test_a_source_that_gives_none_is_told_and_asked_no_more(tmp_path: Path) -> None:
    world = World(tmp_path, "alice", source=PasswordChoice(command="pass"))
    world.server.give_password("alice", GOOD)
    world.secrets.password = ""
    world.start()
    world.type("alice\n")
    world.wait_for("Its first line is empty")
    world.type(f"{GOOD}\n")
    world.wait_for("You are connected as alice.")
    assert len(world.secrets.asked) == 1


def test_a_file_is_read_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, "alice", source=PasswordChoice(file="/f"))
    world.server.give_password("alice", GOOD)
    world.secrets.password = GOOD
    world.start()
    world.type("alice\n")
    world.wait_for("You are connected as alice.")
    assert not any("Waiting" in notice.words for notice in world.app._program.desk.past_notices())


# ----- in lines ---------------------------------------------------------------------------------


def test_lines_never_say_it_again(tmp_path: Path) -> None:
    world = LineWorld(tmp_path, "alice")
    world.server.give_password("alice", GOOD)
    said = world.converse("alice", GOOD, "q")
    assert "You are connected as alice." in said
    assert GOOD not in said


def test_in_lines_the_next_line_is_no_password_while_one_is_fetched(tmp_path: Path) -> None:
    world = LineWorld(tmp_path, "alice", source=PasswordChoice(command="pass"))
    world.server.give_password("alice", GOOD)
    world.secrets.password = GOOD
    said = world.converse("alice", "q")
    assert "Waiting for the password command" in said
    assert "You are connected as alice." in said
    assert world.secrets_asked == []


def test_a_password_that_begins_with_a_dot_has_two(tmp_path: Path) -> None:
    world = LineWorld(tmp_path, "alice")
    world.server.give_password("alice", ".hidden file names")
    assert "You are connected as alice." in world.converse("alice", "..hidden file names", "q")


def test_a_server_that_stops_asking_is_refused_in_the_middle_too(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    world.type(f"{GOOD}\n")
    world.wait_for("You are connected as alice.")
    world.server.passwords = None
    world.network.hang_up()
    world.wait_for("connection is gone")
    world.network.down = False
    world.wait_for("DOES NOT ASK FOR A PASSWORD ANY MORE")
    assert world.server.accounts["alice"].session is None
