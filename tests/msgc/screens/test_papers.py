"""Sent messages, drafts, accounts, settings, help and the question before quitting."""

from msgc.screens.leave import Leave
from msgc.states import FateState
from msgc.view_news import DeletionRefused, FateChanged
from msgc.view_values import Target
from tests.msgc.screens import states_reading as states
from tests.msgc.screens import states_sending
from tests.msgc.screens.fake_desk import FakeDesk, Person, own


def test_sent_messages_follow_what_happens() -> None:
    person = states.sent_states()
    person.desk.outbox = (own(9, "now there", [("bob", FateState.DELIVERED)]),)
    person.hear(FateChanged(b""))
    assert "delivered now there" in person.see()


def test_why_tells_the_life_of_a_message() -> None:
    person = states.sent_states()
    person.press("w")
    screen = person.see()
    assert "Accepted" in screen
    assert "after 1m" in screen
    assert "waiting" in screen


def test_a_draft_goes_on_in_the_composer() -> None:
    person = states.drafts_all_kinds()
    person.press("Home", "Enter")
    assert "begun and not" in person.see()
    person.press("C-d")
    assert person.desk.done[-1][:2] == ("send", Target(("bob", "carol")))
    assert "begun" not in person.see()


def test_a_failed_message_gets_another_try() -> None:
    person = states.drafts_all_kinds()
    person.press("S")
    assert person.desk.done[-1] == ("send_again", states.FAILED.message_id)
    person.press("Home", "S")
    assert "Only a message that failed" in person.see()


def test_taking_back_asks() -> None:
    person = states.sent_recall()
    assert "Take message 3 back" in person.see()
    person.press("n")
    assert "Take message 3 back" not in person.see()
    assert not person.desk.done
    person.press("x", "q", "y")
    assert person.desk.done == [("recall", states.SENT[2].message_id)]
    person.press("Enter", "x", "Enter", "x", "y")
    assert person.desk.done[1:] == [("recall", states.SENT[2].message_id)]


def test_what_nobody_waits_for_is_not_asked_back() -> None:
    person = states.sent_states()
    person.press("End", "x")
    assert "There is nobody left to take it back from." in person.see()
    gone = states.life_gone()
    gone.press("x")
    assert "no longer in the outbox" in gone.see()


def test_throwing_away_asks() -> None:
    person = states.drafts_discard()
    person.press("n")
    assert len(person.desk.kept_drafts) == 2
    person.press("D", "y")
    assert len(person.desk.kept_drafts) == 1


def test_what_is_on_its_way_stays() -> None:
    person = states.drafts_all_kinds()
    person.desk.can_take_back = False
    person.press("Up", "D", "y")
    assert person.desk.done[-1] == ("take_back", states.UNSENT.message_id)
    assert "so it stays" in person.see()


def test_accounts_by_wildcard() -> None:
    person = states.accounts_filter()
    person.press("Enter")
    assert person.desk.done[-1] == ("ask_accounts", "a*")
    person.press("Esc")
    assert person.desk.done[-1] == ("ask_accounts", "")
    assert person.stack.depth == 1


def test_create_an_account() -> None:
    person = states.accounts_list()
    person.type("nheidi\n")
    assert person.desk.done[-1] == ("create_account", "heidi")


def test_deleting_asks_and_no_is_the_default() -> None:
    person = states.accounts_delete()
    person.press("Enter")
    assert not any(done[0] == "delete_account" for done in person.desk.done)
    person.press("D", "y")
    assert person.desk.done[-1] == ("delete_account", False)


def test_forcing_means_typing_the_name() -> None:
    person = states.accounts_force()
    assert "13 messages wait unread for you" in person.see()
    person.type("alic\n")
    assert person.desk.done[-1] == ("delete_account", False)
    assert "the account is kept" in person.see()
    person.hear(DeletionRefused("wait", 13))
    person.type("alice\n")
    assert person.desk.done[-1] == ("delete_account", True)


def test_a_refusal_for_another_reason_is_said() -> None:
    person = states.accounts_list()
    person.hear(DeletionRefused("The server is too busy.", None))
    assert "too busy" in person.see()


def test_deleting_offline_is_refused() -> None:
    person = states.accounts_offline()
    person.press("D")
    assert "only at the server" in person.see()


def test_write_to_an_account() -> None:
    person = states.accounts_list()
    person.press("Enter")
    assert "To: carol" in person.see()


def test_settings_change_with_arrows() -> None:
    person = states.settings()
    person.press("End", "Up", "Up", "Up", "Right", "Left")
    assert person.desk.done == [
        ("choose_setting", "live", "when I check"),
        ("choose_setting", "live", "at once"),
    ]


def test_a_setting_that_is_typed_stays_for_editing_when_it_is_refused() -> None:
    person = states.settings_quiet_hours_refused()
    assert "Quiet hours: nonsense" in person.see()
    assert "   That is no value." in person.see()
    person.press("C-u")
    person.type("23-6\n")
    assert person.desk.done[-1] == ("choose_setting", "quiet", "23-6")
    assert "Kept." in person.see()
    assert "That is no value." not in person.see()


def test_what_the_command_line_decides_is_said() -> None:
    person = states.settings_fixed()
    assert "(NO_COLOR)" in person.see()
    person.press("Right")
    assert "Kept for later: NO_COLOR decides in this run." in person.see()


def test_help_shows_every_key_of_the_table() -> None:
    person = states.help_of_menu()
    screen = person.see(43, 132)
    for binding in states_sending.menu_new().top.keys.bindings():
        assert binding.help in screen


def test_quitting_with_unsent_asks() -> None:
    quits: list[bool] = []
    desk = FakeDesk()
    person = Person(desk, states_sending.menu_new().top)
    person.stack.open(Leave(desk, lambda: quits.append(True)))
    person.press("n")
    assert person.top.name == "menu"
    person.stack.open(Leave(desk, lambda: quits.append(True)))
    person.press("y")
    assert quits == [True]
