"""Every screen in every state that looks different, each made by keys and news alone.

The golden texts in `golden/` are pictures of these. After a wanted change, record them anew and
read the difference:

    python -m tests.msgc.screens.states
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from msgc.screens.accounts import Accounts
from msgc.screens.check import Check
from msgc.screens.composer import Composer
from msgc.screens.drafts import Drafts
from msgc.screens.help import Help
from msgc.screens.history import History
from msgc.screens.leave import Leave
from msgc.screens.menu import Menu
from msgc.screens.message_view import MessageView
from msgc.screens.picker import Picker
from msgc.screens.screen import Screen
from msgc.screens.send import Send
from msgc.screens.sent import Life, SentMessages
from msgc.screens.settings import Settings
from msgc.screens.username import Username
from msgc.values import FateState, HistoryEntry, Received, SendState, Sent
from msgc.view_values import (
    CheckEnded,
    DeletionRefused,
    Directory,
    Overview,
    Phase,
    Setting,
    Standing,
    Target,
)
from term.picture import plain
from tests.msgc.screens.fake_desk import DAY_MS, MINUTE_MS, FakeDesk, Person, message, own
from wire.codes import Audience, Code

SIZES: Final = ((16, 60), (24, 80), (43, 132))
GOLDEN: Final = Path(__file__).parent / "golden"
NAMES: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
WIDE: Final = "日本語の文字 e\u0301 и кириллица, 🎉 ok\nsecond line: ﷽ and 한국어"
HOSTILE: Final = "\x1b[2J\x1b]52;c;aGk=\x07click \u202etxt.exe\r\nand\ttabs\x00, \u200bhidden\u2066"
LONG: Final = "\n".join(
    f"{n}: " + "the quick brown fox jumps over the lazy dog " * 3 for n in range(60)
)


def _desk(**changes: object) -> FakeDesk:
    desk = FakeDesk()
    desk.know(*NAMES)
    desk.look = replace(desk.look, accounts_total=7, accounts_connected=2, **changes)  # type: ignore[arg-type]  # the fields are those of Overview, whose own check this is
    return desk


def _compose(desk: FakeDesk) -> Callable[[Target], Screen]:
    return lambda target: Composer(desk, target)


def _offline(desk: FakeDesk) -> FakeDesk:
    desk.offline()
    return desk


def _thousands(desk: FakeDesk) -> FakeDesk:
    desk.know(*sorted(f"user{n}" for n in range(3_000)), "zoe")
    return desk


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


# ----- menu -------------------------------------------------------------------------------------


def _menu(desk: FakeDesk) -> Person:
    return Person(desk, Menu(desk, {}))


def menu_new() -> Person:
    return _menu(_desk(created=True))


def menu_one() -> Person:
    counts = {"waiting": 1, "unsent": 1, "drafts": 1, "kept": 1, "arrived_since": 1}
    return _menu(_desk(**counts, delivered_since=1, sent_delivered=1))


def menu_thousands() -> Person:
    person = _menu(_desk(waiting=12_345, kept=1_234_567, sent_waiting=2_000, arrived_since=12_345))
    person.press("Down", "Down")
    return person


def menu_offline() -> Person:
    return _menu(_offline(_desk(unsent=2)))


def menu_refused() -> Person:
    desk = _desk()
    desk.look = replace(desk.look, standing=Standing(Phase.REFUSED, "taken over"))
    person = _menu(desk)
    desk.said = "Another msgc of yours took over this session. Log in again to take it back."
    return person


# ----- send, picker, composer -------------------------------------------------------------------


def _send(desk: FakeDesk) -> Person:
    return Person(desk, Send(desk, _compose(desk)))


def send_asking() -> Person:
    desk = _desk()
    desk.book = Directory()
    return _send(desk)


def send_alone() -> Person:
    desk = _desk()
    desk.know("alice")
    return _send(desk)


def send_several() -> Person:
    person = _send(_desk())
    person.press("Down")
    person.desk.said = "Sent to 3 users: 1 delivered, 2 waiting."
    return person


def send_thousands() -> Person:
    person = _send(_thousands(_desk()))
    person.see()
    person.press("PageDown")
    return person


def send_offline() -> Person:
    desk = _offline(_desk())
    desk.book = Directory()
    return _send(desk)


def _picker(desk: FakeDesk, *, several: bool) -> Person:
    return Person(desk, Picker(desk, _compose(desk), several=several))


def picker_one() -> Person:
    return _picker(_desk(), several=False)


def picker_one_narrowed() -> Person:
    person = picker_one()
    person.type("ra")
    return person


def picker_one_stranger() -> Person:
    person = picker_one()
    person.type("bobb\n")
    return person


def picker_several_marked() -> Person:
    person = _picker(_desk(), several=True)
    person.type("bo fr ")
    person.press("Down")
    return person


def picker_several_wildcard() -> Person:
    person = picker_several_marked()
    person.type("*[a-d]*")
    return person


def picker_several_thousands() -> Person:
    person = _picker(_thousands(_desk()), several=True)
    person.press("A")
    return person


def picker_wide_names() -> Person:
    desk = _desk()
    desk.know("alice", "日本語の文字の長い名前のひと", "\x1b[31mred", "b" * 32)
    return _picker(desk, several=True)


def _composer(desk: FakeDesk, target: Target, typed: str = "") -> Person:
    person = Person(desk, Composer(desk, target))
    if typed:
        person.paste(typed)
        desk.said = ""
    return person


def composer_empty() -> Person:
    return _composer(_desk(), Target(("bob",)))


def composer_wide() -> Person:
    return _composer(_desk(), Target(("bob", "carol", "dave")), WIDE)


def composer_long() -> Person:
    return _composer(_desk(), Target(everyone=True), LONG)


def composer_pasted() -> Person:
    person = _composer(_desk(), Target(("bob",)))
    person.paste("one\ntwo\nthree")
    return person


def composer_discard() -> Person:
    person = _composer(_desk(), Target(("bob",)), "almost")
    person.press("C-x")
    return person


def composer_offline() -> Person:
    return _composer(_offline(_desk(unsent=1)), Target(NAMES), "hello")


# ----- check and message ------------------------------------------------------------------------


def _check(desk: FakeDesk, *unread: Received) -> Person:
    desk.unread = unread
    return Person(desk, Check(desk))


def check_asking() -> Person:
    return _check(_desk())


def check_empty() -> Person:
    person = _check(_desk())
    person.hear(CheckEnded(0, 0, person.desk.now))
    return person


def check_one() -> Person:
    person = _check(_desk(), message(1, "are you there?"))
    person.hear(CheckEnded(1, 0, person.desk.now))
    return person


def check_mixed() -> Person:
    rows = (
        message(1, WIDE, age_ms=400 * DAY_MS),
        message(
            2, HOSTILE, sender="mallory", age_ms=2 * DAY_MS, audience=Audience.EVERYONE, count=7
        ),
        message(3, LONG, sender="c" * 32, audience=Audience.SEVERAL, count=3),
        message(4, ""),
    )
    person = _check(_desk(waiting=4), *rows)
    person.press("Down")
    return person


def check_thousands() -> Person:
    rows = [message(n, f"message number {n}", age_ms=MINUTE_MS * (5_000 - n)) for n in range(5_000)]
    person = _check(_desk(waiting=5_000), *rows)
    person.press("End")
    person.see()
    return person


def check_offline() -> Person:
    return _check(_offline(_desk()))


def _message(body: str) -> Person:
    desk = _desk()
    one = message(7, body, audience=Audience.SEVERAL, count=3)
    return Person(desk, MessageView(desk, one, lambda _step: None))


def message_short() -> Person:
    return _message("see you there")


def message_wide() -> Person:
    return _message(WIDE)


def message_hostile() -> Person:
    return _message(HOSTILE)


def message_long() -> Person:
    person = _message(LONG)
    person.see()
    person.press("PageDown")
    return person


# ----- accounts ---------------------------------------------------------------------------------


def _accounts(desk: FakeDesk) -> Person:
    return Person(desk, Accounts(desk, _compose(desk)))


def accounts_list() -> Person:
    person = _accounts(_desk())
    person.press("Down", "Down")
    return person


def accounts_no_match() -> Person:
    desk = _desk()
    desk.book = Directory(total=7, connected=2, complete=True, asked_at_ms=desk.now, pattern="x*")
    return _accounts(desk)


def accounts_filter() -> Person:
    person = _accounts(_desk())
    person.type("la*")
    return person


def accounts_delete() -> Person:
    person = _accounts(_desk())
    person.press("D")
    return person


def accounts_force() -> Person:
    person = accounts_delete()
    person.press("y")
    person.hear(DeletionRefused("messages wait", 13))
    return person


def accounts_thousands() -> Person:
    person = _accounts(_thousands(_desk()))
    person.press("End")
    return person


def accounts_offline() -> Person:
    desk = _offline(_desk())
    desk.book = Directory()
    return _accounts(desk)


# ----- history, sent, drafts --------------------------------------------------------------------

FAILED: Final = own(
    4, "no such user", [("bobb", FateState.WAITING)], state=SendState.FAILED, code=Code.STORAGE_FULL
)
UNSENT: Final = own(5, "goes later", state=SendState.UNSENT)
SENT: Final = (
    UNSENT,
    FAILED,
    own(3, WIDE, [("bob", FateState.DELIVERED), ("carol", FateState.WAITING)]),
    own(2, "to all of you", [("bob", FateState.DELIVERED)], everyone=True),
    own(1, "lost", [("heidi", FateState.RECIPIENT_DELETED)]),
)


def _history(desk: FakeDesk, *rows: Received | Sent) -> Person:
    desk.entries = tuple(
        HistoryEntry(row.composed_at_ms, None, row)
        if isinstance(row, Sent)
        else HistoryEntry(row.received_at_ms, row, None)
        for row in rows
    )
    return Person(desk, History(desk))


def history_empty() -> Person:
    return _history(_desk())


def history_mixed() -> Person:
    rows = (message(3, "hello"), SENT[2], message(2, WIDE, age_ms=3 * DAY_MS), message(1, HOSTILE))
    return _history(_desk(kept=3), *rows)


def history_thousands() -> Person:
    rows = [message(n, f"old story {n}", age_ms=n * MINUTE_MS) for n in range(2_000)]
    person = _history(_desk(kept=2_000), *rows)
    person.press("End", "Down")
    return person


def history_search() -> Person:
    person = history_mixed()
    person.type("/hello\n")
    return person


def history_not_found() -> Person:
    person = history_mixed()
    person.type("/nothing\n")
    return person


def _sent(*rows: Sent) -> Person:
    desk = _desk(unsent=1)
    desk.outbox = rows
    return Person(desk, SentMessages(desk))


def sent_empty() -> Person:
    return _sent()


def sent_states() -> Person:
    person = _sent(*SENT)
    person.press("Down", "Down")
    return person


def sent_thousands() -> Person:
    person = _sent(*(own(n, f"message {n}") for n in range(3_000, 0, -1)))
    person.press("End")
    return person


def _life(sent: Sent) -> Person:
    desk = _desk()
    desk.outbox = (sent,)
    return Person(desk, Life(desk, sent.message_id))


def life_several() -> Person:
    return _life(SENT[2])


def life_everyone() -> Person:
    return _life(replace(SENT[3], accepted_count=5))


def life_failed() -> Person:
    return _life(FAILED)


def life_unsent() -> Person:
    return _life(UNSENT)


def _drafts() -> Person:
    desk = _desk(drafts=2, unsent=1)
    desk.keep_draft(Target(("bob", "carol")), "begun and not\nfinished")
    desk.keep_draft(Target(everyone=True), WIDE)
    desk.outbox = (UNSENT, FAILED)
    return Person(desk, Drafts(desk))


def drafts_empty() -> Person:
    desk = _desk()
    return Person(desk, Drafts(desk))


def drafts_all_kinds() -> Person:
    person = _drafts()
    person.press("End")
    return person


def drafts_discard() -> Person:
    person = _drafts()
    person.press("D")
    return person


# ----- the rest ---------------------------------------------------------------------------------


def settings() -> Person:
    desk = _desk()
    desk.choices = (
        Setting("bell", "Ring the bell for a new message", "yes", ("yes", "no"), "Not often."),
        Setting(
            "live", "New messages come", "at once", ("at once", "when I check"), "Later. " * 20
        ),
    )
    person = Person(desk, Settings(desk))
    person.press("Down")
    return person


def help_of_menu() -> Person:
    desk = _desk()
    return Person(desk, Help(desk, "menu", Menu(desk, {}).keys))


def help_of_composer() -> Person:
    desk = _desk()
    return Person(desk, Help(desk, "composer", Composer(desk, Target(("bob",))).keys))


def leave_with_unsent() -> Person:
    desk = _offline(_desk(unsent=2))
    return Person(desk, Leave(desk, lambda: None))


def long_message_line() -> Person:
    person = _menu(_desk())
    person.desk.said = "The server no longer knows whether it had this message. " * 3
    return person


def picture_of(state: Callable[[], Person]) -> str:
    """The state at all sizes, with the place of the cursor."""
    parts = []
    top = state().top
    for size in SIZES:
        picture = top.picture(size)
        cursor = "none"
        if picture.cursor is not None:
            cursor = f"row {picture.cursor[0]} column {picture.cursor[1]}"
        parts.append(f"===== {size[1]}x{size[0]}, cursor: {cursor}\n{plain(picture)}")
    return "".join(parts)


STATES: Final[dict[str, Callable[[], Person]]] = {
    name: value
    for name, value in sorted(globals().items())
    if getattr(value, "__annotations__", {}) == {"return": Person} and not name.startswith("_")
}


def record() -> None:
    """Write all golden texts anew, and remove those of states that are gone."""
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.glob("*.txt"):
        if path.stem not in STATES:
            path.unlink()
    for name, state in STATES.items():
        (GOLDEN / f"{name}.txt").write_text(picture_of(state), encoding="utf-8")


if __name__ == "__main__":
    record()
