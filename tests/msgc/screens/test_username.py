from msgc.view_values import Overview, Phase, Standing
from tests.msgc.screens import states_sending as states
from tests.msgc.screens.fake_desk import FakeDesk, Person


def test_a_name_and_enter_connects() -> None:
    person = states.username_empty()
    person.type("alice\n")
    assert person.desk.done == [("log_in", "alice")]


def test_nothing_typed_asks_for_a_name() -> None:
    person = states.username_empty()
    person.press("Enter")
    assert person.desk.done == []
    assert "Type a name" in person.see()


def test_letters_are_text_while_a_name_is_asked_for() -> None:
    person = states.username_empty()
    person.type("qr?")
    assert "Username: qr?" in person.see()
    assert person.desk.done == []


def test_a_refused_name_is_followed_by_the_prompt() -> None:
    screen = states.username_in_use().see()
    assert "Username alice is already in use, choose another." in screen
    assert screen.index("already in use") < screen.index("Username:")


def test_unreachable_says_so_counts_down_and_obeys_letters() -> None:
    person = states.username_unreachable()
    assert "Cannot reach the server at 127.0.0.1:7070: connection refused." in person.see()
    assert "try again in 4s" in person.see()
    person.desk.now += 3_000
    assert "try again in 1s" in person.see()
    person.type("rq")
    assert person.desk.done == [("retry_now",), ("quit",)]


def test_esc_gives_another_name() -> None:
    person = states.username_unreachable()
    person.press("Esc")
    assert person.desk.done == [("give_up_name",)]


def test_a_pasted_name_is_one_line() -> None:
    person = states.username_empty()
    person.paste(" bob\n")
    person.press("Enter")
    assert person.desk.done == [("log_in", "bob")]


def test_hostile_name_of_ours_is_shown_safely() -> None:
    desk = FakeDesk()
    desk.look = Overview("\x1b[2J", "h:1", Standing(Phase.CONNECTING))
    from msgc.screens.username import Username

    assert "\x1b" not in Person(desk, Username(desk)).see()


def test_a_new_server_is_accepted_with_one_key() -> None:
    person = states.username_new_server()
    assert "met for the first time" in person.see()
    assert "msgd cert --show" in person.see()
    person.type("y")
    assert person.desk.done == [("accept_server",)]


def test_a_server_with_another_key_is_never_accepted_here() -> None:
    person = states.username_other_key()
    assert "HAS CHANGED" in person.see()
    person.type("y")
    assert person.desk.done == []
    assert "y:accept" not in person.see()
    person.type("r")
    person.press("Esc")
    assert person.desk.done == [("retry_now",), ("give_up_name",)]
