"""The states of the screens up to the sent message: name prompt, menu, recipients, composer.

Must never compare anything: `states` collects them.
"""

from dataclasses import replace

from msgc import words_trust
from msgc.net import Doubt
from msgc.screens.composer import Composer
from msgc.screens.menu import Menu
from msgc.screens.password import Password
from msgc.screens.picker import Picker
from msgc.screens.send import Send
from msgc.screens.username import Username
from msgc.view_values import (
    Directory,
    Distrust,
    Overview,
    Phase,
    Standing,
    Target,
    Wish,
)
from term.safe import Safe
from tests.msgc.screens.fake_desk import FakeDesk, Person
from tests.msgc.screens.states_common import (
    LONG,
    NAMES,
    WIDE,
    compose,
    make_desk,
    offline,
    thousands,
)
from wire.codes import Registration

# ----- username ---------------------------------------------------------------------------------


def _nobody(phase: Phase = Phase.NO_NAME, reason: str = "") -> FakeDesk:
    desk = FakeDesk()
    name = "" if phase is Phase.NO_NAME else "alice"
    standing = Standing(phase, reason, desk.now + 4_000)
    desk.look = Overview(name, "127.0.0.1:7070", standing)
    return desk


def username_empty() -> Person:
    desk = _nobody()
    return Person(desk, Username(desk))


def username_typed() -> Person:
    person = username_empty()
    person.type("Alice")
    return person


def username_in_use() -> Person:
    desk = _nobody()
    desk.refused = "Username alice is already in use, choose another."
    return Person(desk, Username(desk))


def username_connecting() -> Person:
    desk = _nobody(Phase.CONNECTING)
    return Person(desk, Username(desk))


def username_unreachable() -> Person:
    desk = _nobody(Phase.WAITING, "Cannot reach the server at 127.0.0.1:7070: connection refused.")
    return Person(desk, Username(desk))


def _doubted(doubt: Doubt) -> Person:
    desk = _nobody()
    known, new = f"sha256//{'A' * 43}=", f"sha256//{'b' * 43}="
    words = words_trust.distrust("chat.example:7070", doubt, new, known, "self-signed certificate")
    pin = new if doubt is Doubt.UNKNOWN else ""
    desk.doubted = Distrust(tuple(Safe(one) for one in words), pin)
    return Person(desk, Username(desk))


def username_new_server() -> Person:
    return _doubted(Doubt.UNKNOWN)


def username_other_key() -> Person:
    return _doubted(Doubt.CHANGED)


def username_not_signed() -> Person:
    return _doubted(Doubt.REJECTED)


def _wanted(why: str = "", registration: int = Registration.OPEN) -> Person:
    desk = _nobody()
    desk.wanted = Wish("alice", Safe(why), registration)
    return Person(desk, Username(desk))


def username_password() -> Person:
    person = _wanted()
    person.type("secret")
    return person


def username_password_wrong() -> Person:
    return _wanted("Wrong password, or no such user.", Registration.CLOSED)


def username_new_password() -> Person:
    person = _wanted()
    person.press("C-n")
    person.type("too short\n")
    person.type("abc")
    return person


def username_made_password() -> Person:
    person = _wanted()
    person.press("C-n", "C-p")
    return person


def username_invite() -> Person:
    person = _wanted(registration=Registration.INVITE)
    person.press("C-n")
    person.type("0011")
    return person


def password_change() -> Person:
    person = Person(make_desk(), Password(make_desk()))
    person.type("the old one\n")
    return person


# ----- menu -------------------------------------------------------------------------------------


def _menu(desk: FakeDesk) -> Person:
    return Person(desk, Menu(desk, {}))


def menu_new() -> Person:
    return _menu(make_desk(created=True))


def menu_one() -> Person:
    counts = {"waiting": 1, "unsent": 1, "drafts": 1, "kept": 1, "arrived_since": 1}
    return _menu(make_desk(**counts, delivered_since=1, sent_delivered=1))


def menu_thousands() -> Person:
    person = _menu(make_desk(waiting=12_345, kept=1_234_567, sent_waiting=2_000))
    person.press("Down", "Down")
    return person


def menu_offline() -> Person:
    return _menu(offline(make_desk(unsent=2)))


def menu_refused() -> Person:
    desk = make_desk()
    desk.look = replace(desk.look, standing=Standing(Phase.REFUSED, "taken over"))
    person = _menu(desk)
    desk.said = "Another msgc of yours took over this session. Log in again to take it back."
    return person


def long_message_line() -> Person:
    person = _menu(make_desk())
    person.desk.said = "The server no longer knows whether it had this message. " * 3
    return person


# ----- send, picker, composer -------------------------------------------------------------------


def _send(desk: FakeDesk) -> Person:
    return Person(desk, Send(desk, compose(desk)))


def send_asking() -> Person:
    desk = make_desk()
    desk.book = Directory()
    return _send(desk)


def send_alone() -> Person:
    desk = make_desk()
    desk.know("alice")
    return _send(desk)


def send_several() -> Person:
    person = _send(make_desk())
    person.press("Down")
    person.desk.said = "Sent to 3 users: 1 delivered, 2 waiting."
    return person


def send_thousands() -> Person:
    person = _send(thousands(make_desk()))
    person.see()
    person.press("PageDown")
    return person


def send_offline() -> Person:
    desk = offline(make_desk())
    desk.book = Directory()
    return _send(desk)


def _picker(desk: FakeDesk, *, several: bool) -> Person:
    return Person(desk, Picker(desk, compose(desk), several=several))


def picker_one() -> Person:
    return _picker(make_desk(), several=False)


def picker_one_narrowed() -> Person:
    person = picker_one()
    person.type("ra")
    return person


def picker_one_stranger() -> Person:
    person = picker_one()
    person.type("bobb\n")
    return person


def picker_several_marked() -> Person:
    person = _picker(make_desk(), several=True)
    person.type("bo fr ")
    person.press("Down")
    return person


def picker_several_wildcard() -> Person:
    person = picker_several_marked()
    person.type("*[a-d]*")
    return person


def picker_several_thousands() -> Person:
    person = _picker(thousands(make_desk()), several=True)
    person.press("A")
    return person


def picker_several_prospects() -> Person:
    """Every kind of what can happen, as the last look at the log tells."""
    desk = make_desk()
    first, second, third, fourth, *rest = desk.book.entries
    today_ms = desk.now - 3_600_000
    entries = (
        replace(first, created_at_ms=today_ms - 30 * 86_400_000),
        replace(second, created_at_ms=today_ms),
        replace(third, queue_full=True),
        replace(fourth, created_at_ms=today_ms),
        *rest,
    )
    desk.book = replace(desk.book, entries=entries)
    person = _picker(desk, several=True)
    person.press("A")
    return person


def picker_wide_names() -> Person:
    desk = make_desk()
    desk.know("alice", "日本語の文字の長い名前のひと", "\x1b[31mred", "b" * 32)
    return _picker(desk, several=True)


def _composer(desk: FakeDesk, target: Target, typed: str = "") -> Person:
    person = Person(desk, Composer(desk, target))
    if typed:
        person.paste(typed)
        desk.said = ""
    return person


def composer_empty() -> Person:
    return _composer(make_desk(), Target(("bob",)))


def composer_wide() -> Person:
    return _composer(make_desk(), Target(("bob", "carol", "dave")), WIDE)


def composer_long() -> Person:
    return _composer(make_desk(), Target(everyone=True), LONG)


def composer_pasted() -> Person:
    person = _composer(make_desk(), Target(("bob",)))
    person.paste("one\ntwo\nthree")
    return person


def composer_to_several() -> Person:
    return _composer(make_desk(), Target(("bob", "carol")), "to two")


def composer_too_long() -> Person:
    person = _composer(make_desk(), Target(("bob",)), "x" * 70_000)
    person.press("C-d")
    return person


def composer_kept() -> Person:
    person = _composer(make_desk(), Target(("bob",)), "kept")
    person.top.keep()
    person.desk.now += 3_000
    return person


def composer_checking() -> Person:
    desk = make_desk()
    desk.look = replace(desk.look, standing=Standing(Phase.CHECKING))
    return _composer(desk, Target(("bob",)), "is it there?")


def composer_full_and_offline() -> Person:
    return _composer(offline(make_desk()), Target(("bob",)), "\n".join(map(str, range(60))))


def composer_changes_to() -> Person:
    person = _composer(make_desk(), Target(("bob", "carol")), "to two")
    person.press("C-t")
    return person


def composer_discard() -> Person:
    person = _composer(make_desk(), Target(("bob",)), "almost")
    person.press("C-x")
    return person


def composer_offline() -> Person:
    return _composer(offline(make_desk(unsent=1)), Target(NAMES), "hello")
