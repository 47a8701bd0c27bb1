"""Taking a message back: the wish, the asking, the answer, and what is shown of it."""

import sqlite3
from pathlib import Path

import pytest

from msgc import limits, words
from msgc.archive import Archive
from msgc.archive_database import SCHEMA_VERSION
from msgc.link_events import RecallAnswered, SendAnswered, SendPostponed
from msgc.states import FateState, SendState
from msgc.values import Sent
from msgc.view_messages import spoken_state, state_word
from tests.msgc.fake_server import FakeServer
from tests.msgc.line import Line, compose, make_archive, online, session_of
from wire import messages
from wire.codes import Code


def sent_to(line: Line, *names: str) -> Sent:
    """A message that the server has accepted; to nobody named is to everyone."""
    outbox = line.archive.outbox
    sent = outbox.compose(names, not names, "hi")
    line.link.send_outbox()
    line.settle()
    return kept(line, sent)


def kept(line: Line, sent: Sent) -> Sent:
    found = line.archive.outbox.get(sent.message_id)
    assert found is not None
    return found


def take_back(line: Line, sent: Sent) -> Sent:
    line.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    line.link.send_outbox()
    line.settle()
    return kept(line, sent)


def states(sent: Sent) -> dict[str, FateState]:
    return {fate.recipient: fate.state for fate in sent.fates}


def test_a_message_is_taken_back_where_it_is_not_too_late() -> None:
    server = FakeServer("alice", "bob", "carol", "dave")
    alice, bob = Line(server, make_archive()), Line(server, make_archive())
    alice.log_in("alice")
    bob.log_in("bob")
    sent = sent_to(alice, "bob", "carol", "dave")
    assert sent.can_recall
    sent = take_back(alice, sent)
    assert states(sent) == {
        "bob": FateState.HANDED_OUT,
        "carol": FateState.RECALLED,
        "dave": FateState.RECALLED,
    }
    assert alice.of(RecallAnswered) == [RecallAnswered(sent.message_id, None)]
    assert (sent.recalled, sent.waiting, sent.delivered) == (2, 1, 0)
    assert words.recall_summary(sent) == (
        "Recalled from 2, 1 may have it (handed out, not confirmed yet)."
    )
    assert alice.archive.outbox.counts().waiting == 1
    bob.settle()
    alice.settle()
    sent = kept(alice, sent)
    assert states(sent)["bob"] is FateState.DELIVERED
    assert alice.archive.outbox.counts().waiting == 0
    assert words.recall_summary(sent) == "Recalled from 2, 1 had it already."
    assert state_word(sent) == "1 of 3"
    assert spoken_state(sent) == "1 of 3 delivered, 2 recalled"
    assert alice.archive.outbox.counts().delivered == 1
    assert words.sent_summary(sent) == "Sent to 3 users: 1 delivered, 0 waiting, 2 recalled."
    assert not sent.can_recall
    assert not server.accounts["alice"].queue


def test_nobody_has_what_was_taken_back_from_all() -> None:
    line = online("bob")
    sent = take_back(line, sent_to(line, "bob"))
    assert words.recall_summary(sent) == "Recalled from 1 user: nobody has it, nobody will."
    assert words.send_state(sent) == state_word(sent) == spoken_state(sent) == "recalled"
    counts = line.archive.outbox.counts()
    assert (counts.waiting, counts.delivered) == (0, 0), "nobody has it"
    again = take_back(line, sent)
    assert again.recall == sent.recall  # nobody is asked


def test_what_was_never_put_on_the_wire_needs_no_server() -> None:
    archive = make_archive()
    sent = archive.outbox.compose(("bob",), everyone=False, body="hi")
    back = archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    assert back is not None
    assert (back.state, back.code) == (SendState.FAILED, words.CODE_TAKEN_BACK)
    assert words.recall_summary(back) == "Nobody has it. You took it back before it was sent."
    assert archive.recalls.open_ids(9) == ()
    assert archive.outbox.mark_attempts([sent.message_id]) == set()
    assert archive.recalls.ask(b"x" * 16, words.CODE_TAKEN_BACK) is None


def test_what_failed_stays_as_it_is() -> None:
    line = online("bob")
    sent = sent_to(line, "bobb")
    assert take_back(line, sent) == sent
    assert sent.recall is None


def test_the_wish_outlives_the_connection() -> None:
    line = online("bob")
    sent = sent_to(line, "bob")
    session_of(line).silent = True
    line.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    line.link.send_outbox()
    line.push_up()
    assert isinstance(session_of(line).heard[-1], messages.RecallMessage)
    line.cut()
    assert kept(line, sent).recall is not None
    line.pass_time(1_000)
    line.settle()
    assert states(kept(line, sent)) == {"bob": FateState.RECALLED}


def test_what_is_in_doubt_is_asked_back_and_not_sent_again() -> None:
    line = online("bob")
    session_of(line).silent = True
    sent = compose(line, "hi")
    line.link.send_outbox()
    line.push_up()
    line.cut()
    asked = line.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    assert asked is not None
    assert words.sent_summary(asked).startswith("To be taken back")
    line.pass_time(1_000)
    line.settle()
    back = kept(line, sent)
    assert (back.state, back.code) == (SendState.FAILED, words.CODE_TAKEN_BACK)
    assert line.server.accepted == []
    assert line.of(SendAnswered)[-1].code == words.CODE_TAKEN_BACK
    assert back.recall is not None
    assert not back.recall.is_open


def test_a_message_under_way_is_first_let_arrive() -> None:
    line = online("bob")
    sent = compose(line, "hi")
    line.link.send_outbox()
    line.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    line.link.send_outbox()
    line.settle()
    line.pass_time(limits.OUTBOX_POLL_MS + 1)
    line.settle()
    assert states(kept(line, sent)) == {"bob": FateState.RECALLED}
    assert len(line.server.accepted) == 1


def test_a_message_to_everyone_is_taken_back_from_the_rest() -> None:
    server = FakeServer("alice", "bob", "carol", "dave")
    alice, bob = Line(server, make_archive()), Line(server, make_archive())
    alice.log_in("alice")
    bob.log_in("bob")
    sent = take_back(alice, sent_to(alice))
    assert states(sent) == {"bob": FateState.HANDED_OUT}
    assert (sent.recalled, sent.waiting) == (2, 1)
    assert alice.archive.outbox.counts().waiting == 1
    bob.settle()
    alice.settle()
    sent = kept(alice, sent)
    assert (sent.recalled, sent.waiting, sent.delivered) == (2, 0, 1)
    assert alice.archive.outbox.counts().waiting == 0
    assert words.send_state(sent) == "2 recalled"


def test_more_than_may_be_asked_at_once_are_all_asked() -> None:
    server = FakeServer("alice", "bob")
    alice = Line(server, make_archive())
    alice.log_in("alice")
    many = [sent_to(alice, "bob") for _ in range(limits.RECALLS_IN_FLIGHT_MAX + 1)]
    for sent in many:
        alice.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    alice.link.send_outbox()
    alice.settle()
    assert alice.archive.recalls.open_ids(1) == ()
    assert [kept(alice, sent).recalled for sent in many] == [1] * len(many)


def test_what_cannot_be_done_now_is_asked_again() -> None:
    line = online("bob", "carol")
    sent = sent_to(line, "bob", "carol")
    line.server.later = ("bob",)
    sent = take_back(line, sent)
    assert states(sent) == {"bob": FateState.WAITING, "carol": FateState.RECALLED}
    assert sent.recall is not None
    assert sent.recall.is_open
    assert words.send_state(sent) == "recalling"
    line.server.later = ()
    line.pass_time(limits.RETRY_MAX_MS)
    line.settle()
    assert states(kept(line, sent))["bob"] is FateState.RECALLED


@pytest.mark.parametrize("code", [Code.BUSY, Code.STORAGE_FULL, Code.INTERNAL])
def test_a_server_that_cannot_now_is_asked_again_and_one_that_will_not_is_not(code: Code) -> None:
    line = online("bob")
    sent = sent_to(line, "bob")
    line.server.refuse_recalls = code
    sent = take_back(line, sent)
    assert sent.recall is not None
    assert sent.recall.is_open
    line.server.refuse_recalls = Code.BEING_DELETED
    line.pass_time(limits.RETRY_MAX_MS)
    line.settle()
    sent = kept(line, sent)
    assert sent.recall is not None
    assert (sent.recall.is_open, sent.recall.code) == (False, Code.BEING_DELETED)
    assert words.recall_summary(sent).startswith("Not recalled. ")


def test_an_older_server_does_not_know_recalls() -> None:
    line = online("bob")
    sent = sent_to(line, "bob")
    session_of(line).silent = True
    line.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    line.link.send_outbox()
    line.push_up()
    recall = session_of(line).heard[-1]
    assert isinstance(recall, messages.RecallMessage)
    session_of(line).put(messages.Error(Code.UNSUPPORTED, "what", request=recall.request))
    line.push_down()
    assert line.of(RecallAnswered) == [RecallAnswered(sent.message_id, Code.UNSUPPORTED)]


def test_a_deleted_account_asks_for_nothing_more() -> None:
    line = online("bob")
    sent = sent_to(line, "bob")
    line.archive.recalls.ask(sent.message_id, words.CODE_TAKEN_BACK)
    line.archive.end_account(words.CODE_ACCOUNT_GONE)
    assert line.archive.recalls.open_ids(9) == ()
    assert kept(line, sent).waiting == 0


@pytest.mark.parametrize("code", [Code.BUSY, Code.STORAGE_FULL])
def test_a_server_that_cannot_take_it_now_gets_it_again(code: Code) -> None:
    line = online("bob")
    line.server.refuse_sends = code
    sent = compose(line, "hi")
    line.link.send_outbox()
    line.settle()
    (postponed,) = line.of(SendPostponed)
    waits = kept(line, sent)
    assert (waits.state, waits.code, waits.retry_at_ms) == (
        SendState.UNSENT,
        code,
        postponed.retry_at_ms,
    )
    assert "tried again by itself" in words.sent_summary(waits)
    assert words.trouble(code) in words.postponed(1, code, "14:32:07")
    for _ in range(8):
        line.pass_time(limits.OUTBOX_POLL_MS)
        line.settle()
    assert 2 <= len(line.of(SendPostponed)) <= 6  # with pauses that grow
    line.server.refuse_sends = None
    line.pass_time(limits.RETRY_MAX_MS)
    line.settle()
    done = kept(line, sent)
    assert (done.state, done.retry_at_ms, done.code) == (SendState.PENDING, None, None)
    assert len(line.server.accepted) == 1


def test_an_archive_of_the_first_format_is_taken_along(tmp_path: Path) -> None:
    path = str(tmp_path / "old.db")
    archive = Archive(path, lambda: 5, bytes)
    archive.outbox.compose(("bob",), everyone=False, body="hi")
    archive.close()
    old = sqlite3.connect(path)
    for column in ("state", "asked_at_ms", "answered_at_ms", "code", "rest"):
        if column == "state":
            old.execute("DROP INDEX outbox_recalls")
        old.execute(f"ALTER TABLE outbox DROP COLUMN recall_{column}")
    old.execute("ALTER TABLE outbox DROP COLUMN retry_at_ms")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    archive = Archive(path, lambda: 5, bytes)
    (sent,) = archive.outbox.recent(9)
    assert (sent.body, sent.recall) == ("hi", None)
    assert SCHEMA_VERSION == 2
    archive.close()
    Archive(str(tmp_path / "new.db"), lambda: 5, bytes).close()
    assert shape(path) == shape(str(tmp_path / "new.db"))


def shape(path: str) -> set[tuple[object, ...]]:
    """Columns of messages sent, and what all tables and indices are called."""
    database = sqlite3.connect(path)
    found = {*database.execute("PRAGMA table_info(outbox)")}
    found |= {*database.execute("SELECT type, name FROM sqlite_master")}
    database.close()
    return found
