"""Check, message, history: what was received."""

from dataclasses import replace

from msgc.screens.check import Check
from msgc.view_news import CheckBroken, CheckEnded, MailArrived
from msgc.view_values import Target, Wanted
from tests.msgc.screens import states_reading as states
from tests.msgc.screens.fake_desk import FakeDesk, Person, message
from tests.msgc.screens.states_common import NAMES
from wire.codes import Audience


def check(*bodies: str) -> Person:
    desk = FakeDesk()
    desk.know(*NAMES)
    desk.unread = tuple(message(n, body) for n, body in enumerate(bodies, 1))
    return Person(desk, Check(desk))


def looked_at(person: Person) -> list[object]:
    return [number for done in person.desk.done if done[0] == "look_at" for number in done[1:]]


def test_the_server_is_asked_once() -> None:
    person = check()
    assert person.desk.done == [("check",)]
    assert "Asking the server" in person.see()


def test_nothing_available_says_when_it_was_asked() -> None:
    words = "No messages are available (asked the server at 14:32:07)."
    assert words in states.check_empty().see()


def test_messages_are_printed_with_sender_and_time() -> None:
    person = check()
    person.hear(MailArrived(message(1, "first", sender="carol")))
    person.hear(MailArrived(message(2, "second")))
    person.hear(CheckEnded(2, 0, person.desk.now))
    screen = person.see()
    assert all(words in screen for words in ("first", "second", "carol", "bob", "14:31:07"))
    assert "2 messages delivered." in screen


def test_a_message_is_not_shown_twice() -> None:
    person = check("one")
    person.hear(MailArrived(message(1, "one")))
    assert "1 message, 1 new\n" in person.see()


def test_what_was_previewed_is_looked_at_when_one_leaves_and_not_what_was_listed() -> None:
    person = check(*(f"m{n}" for n in range(1, 41)))
    person.see(16, 60)
    person.press("Down")
    person.see(16, 60)
    person.press("q")
    assert looked_at(person) == [1, 2]


def test_a_preview_that_shows_only_the_beginning_is_not_enough() -> None:
    person = check("line\n" * 100, "two")
    assert "more lines: Enter" in person.see()
    person.press("q")
    assert looked_at(person) == []


def test_nothing_new_tells_of_what_is_kept() -> None:
    person = check()
    person.desk.look = replace(person.desk.look, kept=3)
    person.hear(CheckEnded(0, 0, person.desk.now))
    assert "No messages are available" in person.see()
    assert "3 read ones are in History." in person.see()


def test_nothing_is_looked_at_before_it_was_drawn() -> None:
    person = check("one")
    person.press("q")
    assert looked_at(person) == []


def test_messages_that_remain_are_told() -> None:
    person = check("one")
    person.hear(CheckEnded(1, 9, person.desk.now))
    assert "9 still waiting: R asks again" in person.see()
    person.press("R")
    assert person.desk.done[-1] == ("check",)


def test_a_check_that_breaks_says_so() -> None:
    person = check()
    person.hear(CheckBroken())
    assert "safe at the server" in person.see()


def test_offline() -> None:
    assert "Not connected" in states.check_offline().see()


def test_open_walk_and_back() -> None:
    person = check("one", "two")
    person.press("Enter")
    assert looked_at(person) == [1]
    person.press("n")
    assert " two" in person.see()
    person.press("n")
    assert "last message" in person.see()
    person.press("p", "Esc")
    assert person.top.name == "check"
    assert "2 messages, 0 new" in person.see()


def test_reply_goes_to_the_sender() -> None:
    person = check("one")
    person.press("r")
    person.type("yes")
    person.press("C-d")
    assert person.desk.done[-1] == ("send", Target(("bob",)), "yes")
    assert person.top.name == "check"


def test_reply_to_all() -> None:
    person = check("one")
    person.desk.unread = ()
    person.hear(MailArrived(message(2, "to all", audience=Audience.EVERYONE, count=7)))
    person.press("End", "g")
    assert "To: all users" in person.see()


def test_reply_to_several_begins_with_the_one_who_is_known() -> None:
    person = check()
    person.hear(MailArrived(message(2, "to some", audience=Audience.SEVERAL, count=3)))
    person.press("g")
    assert "It went to 3 users" in person.desk.said
    assert "[x]  bob" in person.see()


def test_forward_takes_the_text_along() -> None:
    person = check("the text")
    person.press("f")
    person.type("carol \n")
    assert "Forwarded: from bob" in person.see()
    assert "the text" in person.see()


def test_after_a_forward_one_is_where_one_began() -> None:
    person = check("the text")
    before = person.see().splitlines()[0]
    person.press("f")
    person.type("carol \n")
    person.press("C-d")
    assert person.see().splitlines()[0] == before


def test_search_goes_round() -> None:
    person = check("apple", "pear", "apple pie")
    person.type("/apple\n")
    assert "apple pie" in person.see().split("-----")[-1]
    person.press("n")
    assert "pie" not in person.see().split("-----")[-1]
    person.type("/plum\n")
    assert 'Nothing here holds "' in person.see()


def test_history_searches_and_esc_shows_all_again() -> None:
    person = states.history_mixed()
    person.type("/hello\n")
    person.see()
    assert person.desk.done[-1][:2] == ("history", Wanted("hello", thorough=True))
    assert 'Holding "hello"' in person.see()
    person.press("Esc")
    person.see()
    assert person.desk.done[-1][:2] == ("history", Wanted())


def test_history_searches_with_every_letter_and_esc_takes_it_back() -> None:
    person = states.history_mixed()
    person.type("/hel")
    assert person.desk.done[-1][:2] == ("history", Wanted("hel"))
    assert "[1-1 of 1]" in person.see()
    person.press("Backspace", "Backspace", "Backspace")
    assert "[1-4 of 4]" in person.see()
    person.type("zzz")
    assert 'No message holds "zzz"' in person.see()
    person.press("Esc")
    assert "[1-4 of 4]" in person.see()


def test_history_of_one_person_and_words_within_it() -> None:
    person = states.history_mixed()
    person.type("pbob\n/hello\n")
    assert person.desk.done[-1][:2] == ("history", Wanted("hello", "bob", thorough=True))
    assert 'From or to bob, holding "hello"; Esc shows all.' in person.see()


def test_what_is_new_in_the_history_is_reached_by_tab_and_answered() -> None:
    person = states.history_mixed()
    person.see()
    person.press("Tab")
    assert "> N 02-26 14:32:07" in person.see()
    person.press("r")
    assert "To: bob" in person.see()


def test_marking_as_new_and_back() -> None:
    person = check("one", "two")
    person.see()
    person.press("m")
    assert "2 messages, 2 new" in person.see(), "what a preview has shown is marked as new"
    person.press("Down")
    person.see()
    person.press("Up")
    person.see()
    person.top.keep()
    assert "2 messages, 1 new" in person.see(), "and no preview changes that"
    person.press("m")
    assert "2 messages, 0 new" in person.see()


def test_tab_goes_to_the_next_new_one_in_the_list_and_in_a_message() -> None:
    person = check("line\n" * 100, "two", "three")
    person.press("Down")
    person.see()
    person.press("Tab")
    assert "three" in person.see().split("-----")[-1]
    person.press("Tab")
    assert "line" in person.see().split("-----")[-1], "round the list"
    person.press("Enter", "Tab")
    assert "Nothing else is new." in person.see()
    person.press("m")
    assert person.desk.done[-1] == ("mark_unread", 1)
    person.press("q")
    assert "3 messages, 1 new" in person.see()


def test_all_count_as_looked_at_when_one_says_so() -> None:
    person = check(*(f"m{n}" for n in range(1, 41)))
    person.press("A")
    assert len(looked_at(person)) == 40


def test_history_reads_on_at_its_end() -> None:
    person = states.history_thousands()
    person.see()
    assert person.desk.done[-1] == ("history", Wanted(), 400)


def test_history_opens_both_kinds() -> None:
    person = states.history_mixed()
    person.press("Enter")
    assert person.top.name == "message"
    person.press("q", "Down")
    person.desk.outbox = states.SENT
    person.press("Enter")
    assert person.top.name == "a sent message"
