"""What events of the link become: words, numbers and news."""

from collections.abc import Iterator

import pytest

from msgc.archive import MEMORY, Archive
from msgc.link_events import (
    AccountLine,
    Accounts,
    CheckDone,
    Disconnected,
    LoggedIn,
    NoticeArrived,
    OutcomeArrived,
    RequestFailed,
    SendAnswered,
    ServerStopping,
    TakenOver,
)
from msgc.states import FateState, SendState
from msgc.view_events import EventReader
from msgc.view_news import CheckBroken, CheckEnded, News
from msgc.view_notices import NoticeLog
from msgc.view_situation import Situation
from wire.codes import Code, NoticeKind


class Listener:
    def __init__(self) -> None:
        self.archive = Archive(MEMORY, lambda: 5, lambda count: b"\x01" * count)
        self.situation = Situation(name="alice")
        self.news: list[News] = []
        self.notices = NoticeLog()
        self.reader = EventReader(
            self.situation,
            self.archive,
            "h:1",
            lambda: 99,
            self.news.append,
            notices=self.notices,
        )


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.archive.close()


def log_in(listener: Listener, *, again: bool = False, outcomes: int = 0) -> None:
    listener.reader.read(
        LoggedIn(
            "alice", created=False, waiting=3, outcomes=outcomes, last_seen_ms=None, again=again
        )
    )


def page(request: int, *names: str, complete: bool = True) -> Accounts:
    lines = tuple(AccountLine(name, 1, None) for name in names)
    return Accounts(request, lines, 4, 1, complete)


def test_pages_of_one_list_are_put_together(listener: Listener) -> None:
    listener.situation.list_request = 7
    listener.reader.read(page(7, "a", complete=False))
    first = listener.situation.directory
    listener.reader.read(page(7, "b"))
    both = listener.situation.directory
    assert [entry.name for entry in both.entries] == ["a", "b"]
    assert (first.complete, both.complete) == (False, True)


def test_pages_of_an_older_list_are_passed_over(listener: Listener) -> None:
    listener.situation.list_request = 8
    listener.reader.read(page(7, "old"))
    assert listener.situation.directory.entries == ()


def test_outcomes_of_the_login_are_counted_and_later_ones_are_told(listener: Listener) -> None:
    sent = listener.archive.outbox.compose(("bob",), everyone=False, body="the server moves")
    log_in(listener, outcomes=1)
    outcome = OutcomeArrived(sent.message_id, "bob", FateState.DELIVERED, 5)
    listener.reader.read(outcome)
    assert listener.situation.delivered_since == 1
    assert listener.situation.said == ""
    listener.reader.read(CheckDone(1, 0, 3, outcomes_only=True))
    listener.reader.read(outcome)
    assert listener.situation.said == 'bob has your message "the server moves".'
    assert listener.situation.delivered_since == 1


def test_what_came_to_nothing_is_told(listener: Listener) -> None:
    sent = listener.archive.outbox.compose(("bob",), everyone=False, body="hi")
    log_in(listener)
    listener.reader.read(OutcomeArrived(sent.message_id, "bob", FateState.RECIPIENT_DELETED, 5))
    assert listener.situation.said == 'Your message "hi" did not reach bob: recipient deleted.'


def test_a_refused_message_is_told(listener: Listener) -> None:
    sent = listener.archive.outbox.compose(("bob",), everyone=False, body="hi")
    listener.archive.outbox.record_refused(sent.message_id, Code.STORAGE_FULL, "full", ())
    listener.reader.read(SendAnswered(sent.message_id, SendState.FAILED, Code.STORAGE_FULL, "full"))
    assert listener.situation.said.startswith("Not sent. The server's storage is full.")


def test_a_check_that_is_cut_off_breaks(listener: Listener) -> None:
    log_in(listener)
    listener.situation.check_request = 4
    listener.reader.read(Disconnected("reset", 1_000))
    assert listener.news == [CheckBroken()]
    assert "msgc goes on trying" in listener.situation.said


def test_the_loss_is_told_once_not_at_each_attempt(listener: Listener) -> None:
    log_in(listener)
    listener.reader.read(Disconnected("reset", 1_000))
    listener.situation.said = type(listener.situation.said)("")
    listener.reader.read(Disconnected("refused", 2_000))
    assert listener.situation.said == ""


@pytest.mark.parametrize(("followed", "said"), [(None, "Connected again."), (bytes(16), "")])
def test_being_back_takes_away_what_was_said_of_the_loss(
    listener: Listener, followed: bytes | None, said: str
) -> None:
    log_in(listener)
    listener.situation.followed = followed
    listener.reader.read(Disconnected("reset", 1_000))
    assert listener.situation.said != ""
    log_in(listener, again=True)
    assert listener.situation.said == said


def test_check_and_notices_set_what_waits_there(listener: Listener) -> None:
    log_in(listener)
    listener.reader.read(CheckDone(1, 2, 1, outcomes_only=False))
    assert listener.situation.waiting_there == 1
    assert listener.news == [CheckEnded(2, 1, 99)]
    listener.reader.read(NoticeArrived(NoticeKind.MAIL_WAITING, "", 5))
    assert listener.situation.waiting_there == 5
    assert listener.situation.bell_due


def test_hostile_texts_of_the_server_are_safe(listener: Listener) -> None:
    listener.reader.read(NoticeArrived(NoticeKind.ANNOUNCEMENT, "\x1b]0;x\x07", None))
    assert "\x1b" not in listener.situation.said


def test_failed_requests_are_told(listener: Listener) -> None:
    listener.situation.list_request = 3
    listener.reader.read(RequestFailed(3, Code.BUSY, ""))
    assert "too busy" in listener.situation.said
    listener.situation.check_request = 4
    listener.reader.read(RequestFailed(4, Code.BUSY, ""))
    assert listener.news[-1] == CheckBroken()


def test_taken_over_while_inside_stays_inside(listener: Listener) -> None:
    log_in(listener)
    listener.reader.read(TakenOver("elsewhere"))
    assert listener.situation.inside
    assert "took over" in listener.situation.said


def test_a_stopping_server_is_told(listener: Listener) -> None:
    log_in(listener)
    listener.reader.read(ServerStopping("bye"))
    words = "The server is being shut down. msgc goes on trying."
    assert listener.situation.said == words
    listener.reader.read(Disconnected("closed", 5))
    assert listener.situation.said == words
