"""Messages through the link: sent, answered, received, confirmed, and never believed too early."""

import pytest

from msgc import limits, words
from msgc.link_events import (
    CheckDone,
    Disconnected,
    LoggedOut,
    MessageArrived,
    OutcomeArrived,
    SendAnswered,
    SendPostponed,
)
from msgc.states import FateState, LinkState, SendState
from tests.msgc.fake_server import FakeServer
from tests.msgc.line import Line, compose, make_archive, online, session_of, state_of
from wire import messages
from wire.codes import Code


def test_message_is_accepted_and_its_outcome_recorded() -> None:
    server = FakeServer("alice", "bob")
    alice, bob = Line(server, make_archive()), Line(server, make_archive())
    alice.log_in("alice")
    bob.log_in("bob")
    sent = compose(alice, "hi")
    alice.link.send_outbox()
    alice.settle()
    assert alice.of(SendAnswered) == [SendAnswered(sent.message_id, SendState.PENDING, None, None)]
    bob.settle()
    (arrived,) = bob.of(MessageArrived)
    assert (arrived.received.body, arrived.received.sender) == ("hi", "alice")
    alice.settle()
    (outcome,) = alice.of(OutcomeArrived)
    assert (outcome.recipient, outcome.state) == ("bob", FateState.DELIVERED)
    kept = alice.archive.outbox.get(sent.message_id)
    assert kept is not None
    assert words.sent_summary(kept) == "Sent to 1 user: 1 delivered, 0 waiting."
    assert not server.accounts["alice"].queue, "the outcome is confirmed"
    assert not server.accounts["bob"].queue


def test_refused_message_says_why() -> None:
    line = online("bob")
    sent = compose(line, "hi", "bobb", "bob")
    line.link.send_outbox()
    line.settle()
    kept = line.archive.outbox.get(sent.message_id)
    assert kept is not None
    assert kept.state is SendState.FAILED
    assert kept.refused_recipients == ("bobb",)
    assert words.sent_summary(kept) == 'Not sent. No user matches "bobb".'


def test_message_of_another_process_is_found_within_a_second() -> None:
    line = online("bob")
    compose(line, "handed over")
    line.pass_time(limits.OUTBOX_POLL_MS + 1)
    line.settle()
    assert [send.body for send in line.server.accepted] == [b"handed over"]


def test_message_too_large_for_a_frame_fails_alone() -> None:
    line = online("bob")
    names = tuple(f"{number:0200}" for number in range(2_000))
    compose(line, "to too many", *names)
    compose(line, "fine")
    line.link.send_outbox()
    line.settle()
    answers = line.of(SendAnswered)
    assert [event.code for event in answers] == [words.CODE_NOT_SENDABLE, None]


def test_no_more_than_the_window_is_under_way_and_all_arrives_in_order() -> None:
    line = online("bob")
    for number in range(200):
        compose(line, str(number))
    session_of(line).silent = True
    line.link.send_outbox()
    line.push_up()
    sends = [m for m in session_of(line).heard if isinstance(m, messages.SendMessage)]
    assert len(sends) == limits.SENDS_IN_FLIGHT_MAX
    line.cut()
    line.pass_time(1_000)
    line.settle(rounds=500)
    assert [int(send.body) for send in line.server.accepted] == list(range(200))


def test_large_messages_are_bounded_by_bytes() -> None:
    line = online("bob")
    for _ in range(20):
        compose(line, "x" * 60_000)
    line.link.send_outbox()
    assert len(line.link.data_to_send()) <= limits.SEND_BUFFER_BYTES_MAX + 61_000


def test_id_that_the_server_knew_already_is_told_and_not_lost() -> None:
    line = online("bob")
    account = line.server.accounts["alice"]
    account.seen.add(line.archive.installation + (1).to_bytes(8, "big"))
    first = compose(line, "one")
    line.link.send_outbox()
    line.settle()
    kept = line.archive.outbox.get(first.message_id)
    assert kept is not None
    assert kept.code == words.CODE_ID_REUSED
    again = line.archive.outbox.send_again(first.message_id)
    assert again is not None
    assert again.number > 1_000
    line.link.send_outbox()
    line.settle()
    assert [send.body for send in line.server.accepted] == [b"one"]


def test_answer_lost_on_the_way_is_no_second_message() -> None:
    line = online("bob")
    sent = compose(line, "once")
    line.link.send_outbox()
    line.push_up()
    line.cut()
    line.pass_time(1_000)
    line.settle()
    assert len(line.server.accepted) == 1
    kept = line.archive.outbox.get(sent.message_id)
    assert kept is not None
    assert (kept.state, kept.attempts) == (SendState.PENDING, 2)


def test_check_fetches_what_waited_and_confirms_it() -> None:
    server = FakeServer("alice", "bob")
    for number in range(5):
        server.queue("alice", "bob", f"m{number}")
    line = Line(server, make_archive())
    line.log_in("alice")
    assert not line.of(MessageArrived), "what waited comes on demand"
    request = line.link.check(3)
    line.settle()
    assert line.of(CheckDone) == [CheckDone(request or 0, 3, 2, outcomes_only=False)]
    bodies = [e.received.body for e in line.of(MessageArrived)]
    assert bodies == ["m0", "m1", "m2"]
    assert server.accounts["alice"].waiting == 2


def test_outcomes_are_fetched_at_login() -> None:
    server = FakeServer("alice", "bob")
    alice = Line(server, make_archive())
    alice.log_in("alice")
    compose(alice, "hi")
    alice.link.send_outbox()
    alice.settle()
    alice.link.log_out()
    alice.settle()
    assert alice.events[-1] == LoggedOut(confirmed=True)
    bob = Line(server, make_archive())
    bob.log_in("bob")
    bob.link.check()
    bob.settle()
    alice.log_in("alice")
    assert len(alice.of(OutcomeArrived)) == 1
    (done,) = alice.of(CheckDone)
    assert done.outcomes_only


def test_messages_in_doubt_when_the_account_is_new_are_told_and_not_sent_again() -> None:
    line = online("bob")
    doubtful = compose(line, "in doubt")
    line.link.send_outbox()
    line.pull()
    fresh = compose(line, "never tried")
    line.cut()
    del line.server.accounts["alice"]
    line.link.log_out()
    line.log_in("alice", create=True)
    states = [line.archive.outbox.get(m.message_id) for m in (doubtful, fresh)]
    assert states[0] is not None
    assert states[0].code == words.CODE_ACCOUNT_GONE
    assert states[1] is not None
    assert states[1].state is SendState.PENDING
    assert [send.body for send in line.server.accepted] == [b"never tried"]


def test_error_about_a_send_is_a_refusal_for_now() -> None:
    line = online("bob")
    session_of(line).silent = True
    sent = compose(line, "x")
    line.link.send_outbox()
    line.push_up()
    send = session_of(line).heard[-1]
    assert isinstance(send, messages.SendMessage)
    session_of(line).put(messages.Error(Code.BUSY, "busy", request=send.request))
    line.push_down()
    (postponed,) = line.of(SendPostponed)
    assert (postponed.message_id, postponed.code) == (sent.message_id, Code.BUSY)


def test_broken_bytes_end_the_connection_and_what_came_before_counts() -> None:
    line = online()
    session_of(line).put(messages.DistributeMessage(7, b"m" * 16, "bob", 1, 1, 1, b"kept"))
    session_of(line).put_bytes(b"\0\0\0\0\0\1\0")
    line.push_down()
    assert line.archive.inbox.counts().kept == 1
    (gone,) = line.of(Disconnected)
    assert "broke the protocol" in gone.reason


@pytest.mark.parametrize(
    "message",
    [
        messages.MessagePending(999, b"x" * 16, 1, 1),
        messages.CheckComplete(999, 0, 0),
        messages.DistributeMessage(2**63, b"m" * 16, "bob", 1, 1, 1, b"x"),
    ],
)
def test_impossible_answers_end_the_connection(message: messages.Message) -> None:
    line = online()
    session_of(line).put(message)
    line.push_down()
    assert state_of(line) is LinkState.OFFLINE


def test_impossible_times_do_not_stop_a_message() -> None:
    line = online()
    session_of(line).put(
        messages.DistributeMessage(7, b"m" * 16, "bob", 2**64 - 1, 77, 2**32 - 1, b"x")
    )
    line.push_down()
    assert line.archive.inbox.counts().kept == 1


def test_receipt_is_put_out_only_after_the_commit() -> None:
    """When the archive cannot be written, the server must not be told that it was."""
    line = online()
    session_of(line).put(messages.DistributeMessage(7, b"m" * 16, "bob", 1, 1, 1, b"x"))
    line.archive.close()
    line.to_client = session_of(line).take()
    with pytest.raises(Exception, match="closed"):
        line.link.receive_data(line.to_client, line.now_ms)
    assert line.link.data_to_send() == b""
