"""Writing: to whom, how long, in whose editor; and that nothing typed is ever lost."""

import time
from dataclasses import replace

import pytest

from msgc.limits import DRAFT_BYTES_MAX
from msgc.outside_editor import Edited
from msgc.screens.composer import KEYS, Composer
from msgc.screens.picker import Picker
from msgc.screens.screen import Edit
from msgc.view_values import Limits, Phase, Standing, Target
from term.keys import Paste
from term.safe import Safe
from tests.msgc.screens import states_sending as states
from tests.msgc.screens.fake_desk import DAY_MS, Person
from tests.msgc.screens.states_common import compose, make_desk

BOB = Target(("bob",))


def composer(typed: str = "", target: Target = BOB) -> Person:
    person = Person(make_desk(), states.composer_empty().top)
    person = Person(person.desk, Composer(person.desk, target))
    person.type(typed)
    return person


def bodies(person: Person) -> dict[str, str]:
    return {purpose: draft.body for purpose, draft in person.desk.kept_drafts.items()}


def sent(person: Person) -> list[tuple[object, ...]]:
    return [done[1:] for done in person.desk.done if done[0] == "send"]


# ----- to whom ----------------------------------------------------------------------------------


def test_to_is_changed_from_the_composer_and_the_draft_goes_along() -> None:
    person = composer("hello")
    person.press("C-t")
    assert "To: bob" in person.see()
    person.press("U")
    person.type("car ")
    person.press("Enter")
    assert "To: carol" in person.see()
    assert " hello" in person.see()
    assert bodies(person) == {"to:carol": "hello"}
    person.press("C-d")
    assert sent(person) == [(Target(("carol",)), "hello")]


def test_to_may_become_everybody() -> None:
    person = composer("hello")
    person.press("C-t", "E")
    assert "To: all users but yourself" in person.see()
    assert bodies(person) == {"everyone": "hello"}


def test_to_that_stays_changes_nothing() -> None:
    person = composer("hello")
    person.press("C-t", "Enter")
    assert "To: bob" in person.see()
    person.press("C-t", "Esc")
    assert " hello" in person.see()
    assert bodies(person) == {"to:bob": "hello"}


def test_a_draft_to_the_others_is_not_lost() -> None:
    person = composer("hello")
    person.desk.keep_draft(Target(("carol",)), "begun before")
    person.press("C-t", "U")
    person.type("car ")
    person.press("Enter")
    assert "a draft to them already" in person.see()
    assert bodies(person) == {"to:carol": "hello\n\nbegun before"}


def test_a_draft_too_long_to_be_joined_leaves_both() -> None:
    person = composer("hello")
    long = "x" * (DRAFT_BYTES_MAX - 2)
    person.desk.keep_draft(Target(("carol",)), long)
    person.press("C-t", "U")
    person.type("car ")
    person.press("Enter")
    assert "To: bob" in person.see()
    assert bodies(person) == {"to:bob": "hello", "to:carol": long}


# ----- how long ---------------------------------------------------------------------------------


def test_the_limit_is_the_servers() -> None:
    person = composer("12345678")
    person.desk.server_limits = Limits(body_bytes_max=6)
    assert "8/6 bytes, 2 TOO MANY" in person.see()
    person.press("C-d")
    assert "The server takes 6 bytes, and this is 2 more." in person.see()
    assert sent(person) == []
    person.press("Backspace", "Backspace", "C-d")
    assert sent(person) == [(BOB, "123456")]


def test_bytes_are_counted_and_not_characters() -> None:
    assert "6/65,536 bytes" in composer("日本").see()


def test_a_paste_beyond_what_a_draft_may_be_is_refused_whole() -> None:
    person = composer("y")
    person.paste("x" * DRAFT_BYTES_MAX)
    assert "the paste does not fit" in person.see()
    assert "1/65,536 bytes" in person.see()


def test_as_many_recipients_as_the_server_takes() -> None:
    desk = make_desk()
    desk.server_limits = Limits(recipients_max=2)
    person = Person(desk, Picker(desk, compose(desk), several=True))
    person.press("A")
    assert "6 are marked, and a message goes to 2 at most." in person.see()


# ----- pastes -----------------------------------------------------------------------------------


def test_a_paste_is_counted_and_can_be_taken_back() -> None:
    person = composer("before ")
    person.paste("one\ntwo\nthree\n")
    assert "Pasted 3 lines, 14 bytes. ^_ takes it back, ^D sends." in person.see()
    person.press("C-_", "C-d")
    assert sent(person) == [(BOB, "before ")]


def test_a_paste_that_was_cut_says_so() -> None:
    person = composer()
    person.press(Paste("one", cut_bytes=5_000))
    assert "5,000 more were left out" in person.see()


def test_nothing_in_a_paste_is_a_key() -> None:
    """Multi-line pastes that send several messages, or the first of them."""
    person = composer()
    person.paste("a\n\x04b\x1b\n\x18y\n")
    assert sent(person) == []
    assert person.top.name == "composer"


# ----- offline ----------------------------------------------------------------------------------


def test_what_sending_does_is_said_while_offline() -> None:
    person = composer("hello")
    person.desk.offline()
    assert "You are offline: ^D keeps it here, and it goes when" in person.see(24, 80)
    person.desk.look = replace(person.desk.look, standing=Standing(Phase.CHECKING))
    assert "being checked" in person.see()


@pytest.mark.parametrize("columns", [60, 80, 132])
def test_the_cursor_is_never_under_the_message(columns: int) -> None:
    top = states.composer_full_and_offline().top
    picture = top.picture((16, columns))
    assert picture.cursor is not None
    row = "".join(span.text for span in picture.rows[picture.cursor[0]])
    assert row.strip() == "59"


# ----- drafts -----------------------------------------------------------------------------------


def test_how_long_ago_the_draft_was_kept() -> None:
    person = composer("hello")
    assert "draft kept" not in person.see()
    person.top.keep()
    assert "draft kept just now" in person.see()
    person.desk.now += 61_000
    assert "draft kept 1m ago" in person.see()
    person.type("!?")
    assert "draft kept" not in person.see()


def test_keys_near_esc_and_letters_lose_nothing() -> None:
    """Esc, Esc again, q, c, F10: whatever is hit by mistake, the text is a draft."""
    for keys in (
        ("Esc",),
        ("Esc", "Esc"),
        ("C-g", "Esc"),
        ("C-t", "Esc", "Esc"),
        ("C-x", "Esc"),
    ):
        person = composer("half a sentence")
        person.press(*keys)
        person.stack.keep()
        assert bodies(person) == {"to:bob": "half a sentence"}, keys


# ----- the editor of one's own ------------------------------------------------------------------


def edit(person: Person) -> Edit:
    outcome = person.top.handle("C-o")
    assert isinstance(outcome, Edit)
    return outcome


def test_the_editor_has_the_text_and_gives_another() -> None:
    person = composer("one\ntwo")
    outcome = edit(person)
    assert outcome.text == "one\ntwo"
    outcome.then(Edited("three", Safe("This is the text from the editor.")))
    assert " three" in person.see()
    assert "^_ brings back the one before." in person.see()
    person.press("C-_", "C-d")
    assert sent(person) == [(BOB, "one\ntwo")]


def test_an_editor_that_gives_nothing_leaves_the_text() -> None:
    person = composer("one")
    edit(person).then(Edited(None, Safe("The editor ended with code 1: the text is as it was.")))
    assert "code 1" in person.see()
    person.press("C-d")
    assert sent(person) == [(BOB, "one")]


def test_a_text_from_the_editor_that_is_too_long_leaves_the_text() -> None:
    person = composer("one")
    edit(person).then(Edited("x" * (DRAFT_BYTES_MAX + 1), Safe("")))
    assert "too long to keep" in person.see()
    assert " one" in person.see()


# ----- ten thousand names -----------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["user99", "*9?", "zz"])
def test_ten_thousand_names_are_as_quick_as_ten(typed: str) -> None:
    desk = make_desk()
    desk.know(*sorted(f"user{n}" for n in range(10_000)))
    person = Person(desk, Picker(desk, compose(desk), several=True))
    person.press("A")
    began = time.process_time()
    for _ in range(5):
        person.type(typed)
        person.see()
        person.press("Esc")
        person.see()
    per_key_ms = (time.process_time() - began) * 1_000 / (5 * (len(typed) + 1))
    assert per_key_ms < 60, "a person feels more than a tenth of a second"


def test_the_footer_names_the_keys_in_force() -> None:
    try:
        KEYS.rebind({"send": ("F2",)})
        person = composer("x")
        assert "F2:send" in person.see()
        person.paste("y")
        assert "F2 sends." in person.see()
        person.press("C-d")
        assert sent(person) == []
        person.press("F2")
        assert sent(person) == [(BOB, "xy")]
    finally:
        KEYS.restore()


@pytest.mark.parametrize(("your_days", "told"), [(30, True), (0, False), (None, False)])
def test_a_new_name_is_told_to_those_who_are_not_new(your_days: int | None, told: bool) -> None:
    desk = make_desk()
    yours = None if your_days is None else desk.now - your_days * DAY_MS - 1
    first, second, *rest = desk.book.entries
    entries = (
        replace(first, created_at_ms=yours),
        replace(second, created_at_ms=desk.now - 1_000),
        *rest,
    )
    desk.book = replace(desk.book, entries=entries)
    person = Person(desk, Picker(desk, compose(desk), several=True))
    assert ("new today" in person.see()) is told
