"""The states of the screens that show what is kept: messages, papers, accounts, and the rest.

Must never compare anything: `states` collects them.
"""

from dataclasses import replace
from typing import Final

from msgc.quiet_hours import QuietHours
from msgc.screens.accounts import Accounts
from msgc.screens.check import Check
from msgc.screens.composer import Composer
from msgc.screens.drafts import Drafts
from msgc.screens.help import Help
from msgc.screens.history import History
from msgc.screens.leave import Leave
from msgc.screens.menu import Menu
from msgc.screens.message_view import MessageView
from msgc.screens.notices import Notices
from msgc.screens.sent import Life, SentMessages
from msgc.screens.settings import Settings
from msgc.settings import Settings as FileSettings
from msgc.states import FateState, SendState
from msgc.values import HistoryEntry, Recall, Received, Sent
from msgc.view_choices import settings_of
from msgc.view_news import CheckEnded, DeletionRefused
from msgc.view_notices import Notice
from msgc.view_values import Directory, Target
from term.safe import safe_line
from tests.msgc.screens.fake_desk import DAY_MS, MINUTE_MS, FakeDesk, Person, message, own
from tests.msgc.screens.states_common import (
    HOSTILE,
    LONG,
    WIDE,
    compose,
    make_desk,
    offline,
    thousands,
)
from wire.codes import Audience, Code

# ----- check and message ------------------------------------------------------------------------


def _check(desk: FakeDesk, *unread: Received) -> Person:
    desk.unread = unread
    return Person(desk, Check(desk))


def check_asking() -> Person:
    return _check(make_desk())


def check_empty() -> Person:
    person = _check(make_desk())
    person.hear(CheckEnded(0, 0, person.desk.now))
    return person


def check_one() -> Person:
    person = _check(make_desk(), message(1, "are you there?"))
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
    person = _check(make_desk(waiting=4), *rows)
    person.press("Down")
    return person


def check_thousands() -> Person:
    rows = [message(n, f"message number {n}", age_ms=MINUTE_MS * (5_000 - n)) for n in range(5_000)]
    person = _check(make_desk(waiting=5_000), *rows)
    person.press("End")
    person.see()
    return person


def check_marked_as_new() -> Person:
    person = _check(make_desk(waiting=2), message(1, "one"), message(2, "two"))
    person.see()
    person.press("Down")
    person.see()
    person.top.keep()
    person.press("m")
    return person


def check_search() -> Person:
    person = _check(make_desk(waiting=2), message(1, "one"), message(2, "two"))
    person.type("/tw")
    return person


def check_offline_with_mail() -> Person:
    return _check(offline(make_desk(waiting=1)), message(1, "came before the line broke"))


def check_offline() -> Person:
    return _check(offline(make_desk()))


def _message(body: str) -> Person:
    desk = make_desk()
    one = message(7, body, audience=Audience.SEVERAL, count=3)
    return Person(desk, MessageView(desk, one, lambda _step: None, lambda: None))


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
    return Person(desk, Accounts(desk, compose(desk)))


def accounts_list() -> Person:
    person = _accounts(make_desk())
    person.press("Down", "Down")
    return person


def accounts_no_match() -> Person:
    desk = make_desk()
    desk.book = Directory(total=7, connected=2, complete=True, asked_at_ms=desk.now, pattern="x*")
    return _accounts(desk)


def accounts_filter() -> Person:
    person = _accounts(make_desk())
    person.type("la*")
    return person


def accounts_delete() -> Person:
    person = _accounts(make_desk())
    person.press("D")
    return person


def accounts_force() -> Person:
    person = accounts_delete()
    person.press("y")
    person.hear(DeletionRefused("messages wait", 13))
    return person


def accounts_one() -> Person:
    desk = make_desk()
    desk.know("alice")
    return _accounts(desk)


def accounts_thousands() -> Person:
    person = _accounts(thousands(make_desk()))
    person.press("End")
    return person


def accounts_offline() -> Person:
    desk = offline(make_desk())
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
    return _history(make_desk())


def history_mixed() -> Person:
    rows = (message(3, "hello"), SENT[2], message(2, WIDE, age_ms=3 * DAY_MS), message(1, HOSTILE))
    return _history(make_desk(kept=3), *rows)


def history_thousands() -> Person:
    rows = [message(n, f"old story {n}", age_ms=n * MINUTE_MS) for n in range(2_000)]
    person = _history(make_desk(kept=2_000), *rows)
    person.press("End", "Down")
    return person


def history_search() -> Person:
    person = history_mixed()
    person.type("/hello\n")
    return person


def history_one() -> Person:
    return _history(make_desk(kept=1), message(1, "the first of many"))


def history_offline() -> Person:
    return _history(offline(make_desk(kept=1)), message(1, "kept here, whatever the line does"))


def history_typing() -> Person:
    person = history_mixed()
    person.type("/日本")
    return person


def history_person() -> Person:
    person = history_mixed()
    person.type("pbo\n/h")
    return person


def history_not_found() -> Person:
    person = history_mixed()
    person.type("/nothing\n")
    return person


def _sent(*rows: Sent) -> Person:
    desk = make_desk(unsent=1)
    desk.outbox = rows
    return Person(desk, SentMessages(desk))


def sent_empty() -> Person:
    return _sent()


def sent_one() -> Person:
    return _sent(SENT[2])


def sent_offline() -> Person:
    person = _sent(UNSENT)
    offline(person.desk)
    return person


def sent_states() -> Person:
    person = _sent(*SENT)
    person.press("Down", "Down")
    return person


def sent_recall() -> Person:
    """The question before a message is taken back."""
    person = _sent(*SENT)
    person.press("Down", "Down", "x")
    return person


def sent_thousands() -> Person:
    person = _sent(*(own(n, f"message {n}") for n in range(3_000, 0, -1)))
    person.press("End")
    return person


def _life(sent: Sent) -> Person:
    desk = make_desk()
    desk.outbox = (sent,)
    return Person(desk, Life(desk, sent.message_id))


def life_several() -> Person:
    return _life(SENT[2])


def life_everyone() -> Person:
    return _life(replace(SENT[3], accepted_count=5))


def life_thousands() -> Person:
    fates = [
        (f"user{n}", FateState.DELIVERED if n % 3 else FateState.WAITING) for n in range(1_000)
    ]
    person = _life(own(9, "to very many", fates))
    person.see()
    person.press("PageDown")
    return person


def life_gone() -> Person:
    desk = make_desk()
    return Person(desk, Life(desk, b"x" * 16))


def life_failed() -> Person:
    return _life(FAILED)


def life_recalled() -> Person:
    """Taken back from one; another may have it, and a third had it before."""
    fates = [
        ("bob", FateState.DELIVERED),
        ("carol", FateState.HANDED_OUT),
        ("dave", FateState.RECALLED),
    ]
    sent = own(6, "forget what I said", fates)
    asked_ms = sent.composed_at_ms + 90_000
    return _life(
        replace(
            sent, recall=Recall(is_open=False, asked_at_ms=asked_ms, answered_at_ms=asked_ms + 20)
        )
    )


def life_postponed() -> Person:
    """The server is full."""
    sent = replace(UNSENT, code=Code.STORAGE_FULL, attempts=3)
    return _life(replace(sent, retry_at_ms=sent.composed_at_ms + 3_600_000))


def life_unsent() -> Person:
    return _life(UNSENT)


def _drafts() -> Person:
    desk = make_desk(drafts=2, unsent=1)
    desk.keep_draft(Target(("bob", "carol")), "begun and not\nfinished")
    desk.keep_draft(Target(everyone=True), WIDE)
    desk.outbox = (UNSENT, FAILED)
    return Person(desk, Drafts(desk))


def drafts_empty() -> Person:
    desk = make_desk()
    return Person(desk, Drafts(desk))


def drafts_all_kinds() -> Person:
    person = _drafts()
    person.press("End")
    return person


def drafts_thousands() -> Person:
    desk = make_desk(unsent=1_000)
    desk.outbox = tuple(
        own(n, f"goes later, number {n}", state=SendState.UNSENT) for n in range(1, 1_001)
    )
    person = Person(desk, Drafts(desk))
    person.press("End")
    return person


def drafts_discard() -> Person:
    person = _drafts()
    person.press("D")
    return person


# ----- the rest ---------------------------------------------------------------------------------


def _settings(**changes: object) -> Person:
    desk = make_desk()
    plain_ones = FileSettings("127.0.0.1", 7070, None, "auto", bell=True)
    desk.choices = settings_of(replace(plain_ones, **changes))  # type: ignore[arg-type]  # the fields are those of Settings, whose own check this is
    return Person(desk, Settings(desk))


def settings() -> Person:
    return _settings()


def settings_quiet_hours() -> Person:
    person = _settings(quiet=QuietHours(22 * 60, 7 * 60), notify=True)
    person.press("Down", "Down")
    return person


def settings_quiet_hours_refused() -> Person:
    person = settings_quiet_hours()
    person.press("Enter", "C-u")
    person.type("nonsense\n")
    return person


def settings_fixed() -> Person:
    person = _settings(color="never", fixed={"color": "NO_COLOR"})
    person.press("End", "Up")
    return person


def help_of_menu() -> Person:
    desk = make_desk()
    return Person(desk, Help(desk, "menu", Menu(desk, {}).keys))


def help_of_composer() -> Person:
    desk = make_desk()
    return Person(desk, Help(desk, "composer", Composer(desk, Target(("bob",))).keys))


def leave_with_unsent() -> Person:
    desk = offline(make_desk(unsent=2))
    return Person(desk, Leave(desk, lambda: None))


def _notices(*words: str) -> Person:
    desk = make_desk()
    desk.past = tuple(
        Notice(n, desk.now - (len(words) - n) * MINUTE_MS, safe_line(one))
        for n, one in enumerate(words, 1)
    )
    return Person(desk, Notices(desk))


def notices_empty() -> Person:
    return _notices()


def notices_mixed() -> Person:
    return _notices("New message from bob.", "Connected again.", f'bob has your message "{WIDE}".')


def notices_hundreds() -> Person:
    return _notices(*(f"New message from user{n}." for n in range(500)))
