"""Send, picker and composer: the way of a message from the menu to the outbox."""

import re

import pytest

from msgc.screens.send import Send
from msgc.view_news import AccountSought, ConnectedAgain, DirectoryChanged
from msgc.view_values import Target
from tests.msgc.screens import states_sending as states
from tests.msgc.screens.fake_desk import FakeDesk, Person
from tests.msgc.screens.states_common import NAMES


def send(*names: str) -> Person:
    desk = FakeDesk()
    desk.know(*(names or NAMES))
    from msgc.screens.composer import Composer

    return Person(desk, Send(desk, lambda target: Composer(desk, target)))


def sends(person: Person) -> list[tuple[object, ...]]:
    return [done[1:] for done in person.desk.done if done[0] == "send"]


def test_the_log_of_usernames_is_asked_for_and_shown() -> None:
    person = send()
    assert person.desk.done == [("ask_accounts", "")]
    assert all(name in person.see() for name in NAMES)


def test_three_options() -> None:
    screen = send().see()
    for words in ("1  To one user", "2  To several users", "3  To all users", "1-to-all, 6 users"):
        assert words in screen


def test_one_user_by_typing() -> None:
    person = send()
    person.type("1bob\nhello")
    person.press("C-d")
    assert sends(person) == [(Target(("bob",)), "hello")]
    assert person.top.name == "send"
    assert person.desk.done[-1] == ("ask_accounts", "")


def test_one_user_by_arrows() -> None:
    person = send()
    person.press("1", "Down", "Enter")
    person.type("x")
    person.press("M-Enter")
    assert sends(person) == [(Target(("carol",)), "x")]


def test_a_typed_stranger_is_refused_and_stays_for_editing() -> None:
    person = send()
    person.type("1bobb\n")
    assert person.desk.done[-1] == ("seek_account", "bobb")
    assert "Asking the server for bobb" in person.see()
    person.hear(AccountSought("bobb", found=False))
    assert re.search(r'^ No user matches "bobb"\.$', person.see(), re.MULTILINE)
    assert "Name: bobb" in person.see()
    person.press("Backspace", "Enter")
    assert person.top.name == "composer"
    assert "To: bob" in person.see()


def test_a_name_that_is_not_in_the_list_is_asked_for_once() -> None:
    person = send()
    person.type("1zoe\n")
    person.hear(AccountSought("zoe", found=True))
    assert person.top.name == "composer"
    assert "To: zoe" in person.see()


def test_the_answer_to_a_name_that_was_typed_over_is_passed_over() -> None:
    person = send()
    person.type("1zoe\n")
    person.press("Backspace")
    person.hear(AccountSought("zoe", found=True))
    assert person.top.name == "choose a user"


def test_a_text_that_is_no_name_is_not_asked_for() -> None:
    person = send()
    person.type("1bo b\n")
    assert 'No user matches "bo b".' in person.see()
    assert person.desk.done == [("ask_accounts", "")]


def test_a_pasted_name_that_is_not_in_the_list_is_asked_for() -> None:
    person = send()
    person.press("2")
    person.paste("bob zoe carol")
    person.hear(AccountSought("zoe", found=True))
    assert "3 marked" in person.see()


def test_the_list_is_asked_for_again_after_a_break() -> None:
    person = send()
    person.press("1")
    person.hear(ConnectedAgain())
    assert person.desk.done[1:] == [("ask_accounts", ""), ("ask_accounts", "")]


def test_an_exact_name_is_preferred_to_longer_ones() -> None:
    person = send("abob", "alice", "bob", "bobby")
    person.type("1bob\n")
    assert "To: bob\n" in person.see()


def test_upper_case_finds_too() -> None:
    person = send()
    person.type("1BOB\n")
    assert "To: bob" in person.see()


def test_several_by_marks_names_and_wildcard() -> None:
    person = send()
    person.press("2")
    person.type("bo dave\n")
    person.type("*?r*\n")
    person.press("Enter")
    person.type("hi")
    person.press("C-d")
    assert sends(person) == [(Target(("bob", "dave", "erin", "frank", "grace")), "hi")]


def test_several_marks_go_away_again() -> None:
    person = send()
    person.press("2", "Space", "Up", "Space", "Enter")
    assert "Nobody is marked" in person.see()


def test_all_and_none() -> None:
    person = send()
    person.press("2", "A")
    assert "6 marked" in person.see()
    person.press("U")
    assert "0 marked" in person.see()


def test_several_refuses_a_stranger() -> None:
    person = send()
    person.type("2bobb\n")
    assert 'No user matches "bobb".' in person.see()
    person.press("Esc")
    assert "bobb" not in person.see()


def test_several_from_a_paste() -> None:
    person = send()
    person.press("2")
    person.paste("bob, carol\nnobody")
    assert 'No user matches "nobody".' in person.see()
    assert "2 marked" in person.see()


def test_wildcard_that_matches_nobody() -> None:
    person = send()
    person.press("2")
    person.type("*x*\n")
    assert 'No user matches "x*".' in person.see()


def test_too_many_are_refused_with_a_way_out() -> None:
    person = send(*(f"u{n}" for n in range(1_030)))
    person.press("2", "A")
    assert "1,030 are marked, and a message goes to 1,024 at most." in person.see()
    person.press("Enter")
    assert "E writes to everybody" in person.see()
    person.press("E")
    assert "To: all users but yourself" in person.see()


def test_everyone() -> None:
    person = send()
    person.press("3")
    assert "To: all users but yourself (6 users now)" in person.see()
    person.type("hi")
    person.press("C-d")
    assert sends(person) == [(Target(everyone=True), "hi")]


def test_everyone_without_anybody_else() -> None:
    person = send("alice")
    person.press("3")
    assert "nobody else" in person.see()
    assert person.top.name == "send"


def test_a_list_that_comes_later_is_taken() -> None:
    person = states.send_asking()
    person.press("1")
    person.type("b\n")
    assert "has not come" in person.see()
    person.desk.know("alice", "bob")
    person.hear(DirectoryChanged())
    person.press("Enter")
    assert "To: bob" in person.see()


def test_enter_is_a_new_line_and_a_paste_never_sends() -> None:
    person = states.composer_empty()
    person.type("a\nb")
    person.paste("c\nd\n\x04")
    assert sends(person) == []
    person.press("C-d")
    assert sends(person) == [(Target(("bob",)), "a\nbc\nd\n")]


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_message_is_not_sent(text: str) -> None:
    person = states.composer_empty()
    person.type(text)
    person.press("C-d")
    assert sends(person) == []
    assert "Nothing to send." in person.see()


def test_esc_keeps_the_draft_and_it_comes_back() -> None:
    person = send()
    person.type("1bob\nhalf a sent")
    person.press("Esc")
    assert person.top.name == "choose a user"
    assert "Draft kept" in person.see()
    person.press("Enter")
    assert "half a sent" in person.see()
    assert "draft is here again" in person.see()


def test_what_is_typed_is_kept_every_two_seconds() -> None:
    person = states.composer_empty()
    person.type("ab")
    assert person.desk.kept_drafts == {}
    person.desk.now += 2_000
    person.type("c")
    assert [draft.body for draft in person.desk.kept_drafts.values()] == ["abc"]


def test_keep_is_quiet_when_nothing_changed() -> None:
    person = states.composer_empty()
    person.type("ab")
    person.top.keep()
    person.top.keep()
    assert [done[0] for done in person.desk.done] == ["keep_draft"]


def test_discarding_asks_first() -> None:
    person = send()
    person.type("1bob\ntext")
    person.press("C-x", "n")
    assert "text" in person.see()
    person.press("C-x", "y")
    assert person.top.name == "choose a user"
    assert person.desk.kept_drafts == {}


def test_q_and_question_mark_are_text_in_the_composer() -> None:
    person = states.composer_empty()
    person.type("q?")
    assert " q?" in person.see()


def test_options_by_arrows() -> None:
    person = send()
    person.press("j", "j", "Enter")
    assert "To: all users" in person.see()
