"""The link: login, sending, receiving, dying lines, and what ends it."""

import pytest

from msgc import limits, words
from msgc.link import LinkSettings
from msgc.values import (
    Accounts,
    CheckDone,
    Connected,
    Connecting,
    Created,
    CreateRefused,
    Deleted,
    DeleteRefused,
    Disconnected,
    FateState,
    Kicked,
    LinkState,
    LoggedIn,
    LoggedOut,
    MessageArrived,
    NameRefused,
    NoticeArrived,
    OutcomeArrived,
    RequestFailed,
    SendAnswered,
    SendState,
    Sent,
    ServerStopping,
    TakenOver,
)
from tests.msgc.fake_server import FakeServer, FakeSession, welcome
from tests.msgc.line import Line, make_archive
from wire import messages
from wire.codes import Code, NoticeKind


def online(*others: str, name: str = "alice", live: bool = True) -> Line:
    line = Line(FakeServer(name, *others), make_archive())
    line.log_in(name, live=live)
    assert state_of(line) is LinkState.ONLINE
    return line


def state_of(line: Line) -> LinkState:
    return line.link.state


def compose(line: Line, body: str, *names: str) -> Sent:
    return line.archive.outbox.compose(names or ("bob",), everyone=False, body=body)


def session_of(line: Line) -> FakeSession:
    assert line.session is not None
    return line.session


def test_login_says_who_one_is_and_measures_the_lag() -> None:
    line = online()
    assert [type(event) for event in line.events] == [Connecting, Connected, LoggedIn]
    (logged_in,) = line.of(LoggedIn)
    assert (logged_in.name, logged_in.created, logged_in.again) == ("alice", False, False)
    assert line.link.lag_ms == 0
    assert sum(isinstance(m, messages.Ping) for m in session_of(line).heard) == 1


def test_upper_case_is_folded_and_a_new_name_is_made_when_asked() -> None:
    line = Line(FakeServer(), make_archive())
    line.log_in("Carol", create=True)
    assert line.link.name == "carol"
    (logged_in,) = line.of(LoggedIn)
    assert logged_in.created


def test_unknown_name_stops_the_link_and_another_name_can_be_tried() -> None:
    line = Line(FakeServer("bob"), make_archive())
    line.log_in("alice")
    assert line.events[-1] == NameRefused("alice", Code.UNKNOWN_USER, "unknown")
    assert state_of(line) is LinkState.STOPPED
    assert line.session is None, "the client disconnects, as the first seed says"
    line.log_in("bob")
    assert state_of(line) is LinkState.ONLINE


@pytest.mark.parametrize("code", [Code.IN_USE, Code.NAME_INVALID, Code.BEING_DELETED])
def test_refused_names_are_not_tried_again(code: Code) -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.connect()
    session_of(line).silent = True
    line.push_up()
    session_of(line).put(welcome())
    line.push_down()
    line.push_up()
    login = session_of(line).heard[-1]
    assert isinstance(login, messages.LoginRequest)
    session_of(line).put(messages.LoginFailure(login.request, code, "no"))
    line.push_down()
    assert line.events[-1] == NameRefused("alice", code, "no")
    line.pass_time(100_000)
    assert state_of(line) is LinkState.STOPPED
    assert not line.link.wants_connection(line.now_ms)


def test_busy_server_is_tried_again() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.connect()
    session_of(line).silent = True
    line.push_up()
    session_of(line).put(welcome())
    line.push_down()
    line.push_up()
    login = session_of(line).heard[-1]
    assert isinstance(login, messages.LoginRequest)
    session_of(line).put(messages.LoginFailure(login.request, Code.BUSY, ""))
    line.push_down()
    assert state_of(line) is LinkState.OFFLINE
    line.pass_time(1_000)
    line.settle()
    assert state_of(line) is LinkState.ONLINE


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


def test_all_pages_of_the_users_are_fetched() -> None:
    line = online(*(f"user{number}" for number in range(10)))
    line.server.page = 4
    request = line.link.list_accounts()
    line.settle()
    pages = line.of(Accounts)
    assert [len(page.entries) for page in pages] == [4, 4, 3]
    assert [page.complete for page in pages] == [False, False, True]
    assert {page.request for page in pages} == {request}


def test_list_that_goes_round_in_circles_ends_the_connection() -> None:
    line = online()
    request = line.link.list_accounts()
    assert request is not None
    session = session_of(line)
    session.silent = True
    entry = messages.AccountEntry("bob", 1)
    line.push_up()
    session.put(messages.AccountList(request, 1, 1, "bob", (entry,)))
    line.push_down()
    line.push_up()
    asked = session.heard[-1]
    assert isinstance(asked, messages.ListAccounts)
    session.put(messages.AccountList(asked.request, 1, 1, "bob", (entry,)))
    line.push_down()
    (gone,) = line.of(Disconnected)
    assert "does not end" in gone.reason


def test_accounts_are_made_and_refused_without_being_anybody() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.connect()
    line.settle()
    assert state_of(line) is LinkState.READY
    line.link.create_account("Bob")
    line.link.create_account("alice")
    line.settle()
    (created,) = line.of(Created)
    assert created.name == "bob"
    (refused,) = line.of(CreateRefused)
    assert (refused.name, refused.code) == ("alice", Code.NAME_TAKEN)
    line.link.log_out()
    line.settle()
    assert state_of(line) is LinkState.STOPPED


def test_deletion_is_refused_with_a_number_and_then_forced() -> None:
    line = online("bob")
    line.server.accounts["alice"].queue[99] = messages.DistributeMessage(
        99, b"m" * 16, "bob", 1, 1, 1, b"x"
    )
    line.link.delete_account(force=False)
    line.settle()
    (refused,) = line.of(DeleteRefused)
    assert (refused.code, refused.waiting) == (Code.UNDELIVERED_MESSAGES, 1)
    line.link.delete_account(force=True)
    line.settle()
    assert line.events[-1] == Deleted("alice", 1)
    assert state_of(line) is LinkState.STOPPED


def test_lost_answer_to_a_deletion_is_found_out() -> None:
    line = online()
    line.link.delete_account(force=False)
    line.push_up()
    line.cut()
    line.pass_time(1_000)
    line.settle()
    assert line.events[-1] == Deleted("alice", None)


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


def test_a_name_is_not_made_again_behind_the_users_back() -> None:
    line = Line(FakeServer(), make_archive())
    line.log_in("alice", create=True)
    line.cut()
    line.server.accounts.clear()
    line.pass_time(1_000)
    line.settle()
    assert isinstance(line.events[-1], NameRefused)


@pytest.mark.parametrize(("code", "kind"), [(Code.TAKEN_OVER, TakenOver), (Code.KICKED, Kicked)])
def test_who_is_thrown_out_does_not_come_back_by_itself(
    code: Code, kind: type[TakenOver] | type[Kicked]
) -> None:
    line = online()
    session_of(line).put(messages.Error(code, "out", fatal=True))
    line.push_down()
    assert line.events[-1] == kind("out")
    line.pass_time(100_000)
    assert state_of(line) is LinkState.STOPPED


def test_other_fatal_errors_are_tried_again() -> None:
    line = online()
    session_of(line).put(messages.Error(Code.TOO_MANY_CONNECTIONS, "full", fatal=True))
    line.push_down()
    assert state_of(line) is LinkState.OFFLINE


def test_error_about_a_request_is_its_answer() -> None:
    line = online()
    session_of(line).silent = True
    request = line.link.check()
    assert request is not None
    line.push_up()
    session_of(line).put(messages.Error(Code.INTERNAL, "disk", request=request))
    line.push_down()
    assert line.of(RequestFailed) == [RequestFailed(request, Code.INTERNAL, "disk")]


def test_error_about_a_send_is_a_refusal() -> None:
    line = online("bob")
    session_of(line).silent = True
    sent = compose(line, "x")
    line.link.send_outbox()
    line.push_up()
    send = session_of(line).heard[-1]
    assert isinstance(send, messages.SendMessage)
    session_of(line).put(messages.Error(Code.BUSY, "busy", request=send.request))
    line.push_down()
    assert line.events[-1] == SendAnswered(sent.message_id, SendState.FAILED, Code.BUSY, "busy")


def test_notices_are_told() -> None:
    line = online()
    session_of(line).put(messages.Notice(NoticeKind.ANNOUNCEMENT, "tea", None))
    session_of(line).put(messages.Notice(NoticeKind.SHUTTING_DOWN, "bye", None))
    line.push_down()
    line.cut("the server closed the connection")
    assert line.of(NoticeArrived) == [NoticeArrived(NoticeKind.ANNOUNCEMENT, "tea", None)]
    assert line.of(ServerStopping) == [ServerStopping("bye")]
    assert state_of(line) is LinkState.OFFLINE


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


def test_unknown_login_kind_stops() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.connect()
    session_of(line).silent = True
    line.push_up()
    session_of(line).put(welcome(authentication=9))
    line.push_down()
    assert state_of(line) is LinkState.STOPPED
    (gone,) = line.of(Disconnected)
    assert gone.retry_at_ms is None


def test_silent_server_is_pinged_and_then_given_up() -> None:
    line = online()
    session_of(line).silent = True
    line.pass_time(limits.PING_IDLE_MS + 500)
    line.push_up()
    assert isinstance(session_of(line).heard[-1], messages.Ping)
    line.pass_time(limits.DEAD_MS + 500)
    assert state_of(line) is LinkState.OFFLINE


def test_server_that_answers_pings_is_kept() -> None:
    line = online()
    for _ in range(300):
        line.pass_time(1_000)
        line.settle()
    assert state_of(line) is LinkState.ONLINE
    assert not line.of(Disconnected)


def test_unanswered_request_brings_the_ping_forward() -> None:
    line = online()
    session_of(line).silent = True
    line.link.check()
    line.pass_time(limits.PING_WAITING_MS + 500)
    line.push_up()
    assert isinstance(session_of(line).heard[-1], messages.Ping)


def test_after_a_sleep_a_dead_server_is_found_within_two_seconds() -> None:
    line = online()
    session_of(line).silent = True
    line.now_ms += 3_600_000
    line.link.tick(line.now_ms)
    line.pull()
    assert state_of(line) is LinkState.ONLINE
    line.pass_time(limits.AWAKE_TIMEOUT_MS + 500)
    assert state_of(line) is LinkState.OFFLINE
    assert line.link.retry_at_ms is not None
    assert line.link.retry_at_ms - line.now_ms <= limits.RETRY_FIRST_MS


def test_bytes_from_before_the_sleep_prove_nothing() -> None:
    line = online()
    session_of(line).put(messages.Notice(NoticeKind.ANNOUNCEMENT, "old", None))
    session_of(line).silent = True
    line.now_ms += 3_600_000
    line.push_down()
    line.pass_time(limits.AWAKE_TIMEOUT_MS + 500)
    assert state_of(line) is LinkState.OFFLINE


def test_after_a_sleep_a_living_server_is_kept() -> None:
    line = online()
    line.now_ms += 3_600_000
    line.link.tick(line.now_ms)
    line.settle()
    line.pass_time(5_000)
    assert state_of(line) is LinkState.ONLINE


def test_retries_come_later_and_later_and_never_more_than_half_a_minute_apart() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    waits = []
    for _ in range(12):
        assert line.link.wants_connection(line.now_ms)
        line.link.connecting(line.now_ms)
        line.link.disconnected("refused", line.now_ms)
        assert line.link.retry_at_ms is not None
        waits.append(line.link.retry_at_ms - line.now_ms)
        line.now_ms = line.link.retry_at_ms
    assert waits == sorted(waits)
    assert waits[0] <= limits.RETRY_FIRST_MS
    assert limits.RETRY_MAX_MS // 2 <= waits[-1] <= limits.RETRY_MAX_MS


def test_connection_that_never_stands_is_given_up() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.link.connecting(line.now_ms)
    line.pass_time(limits.CONNECT_TIMEOUT_MS + 500)
    (gone,) = line.of(Disconnected)
    assert gone.reason == "no answer"


def test_without_retry_the_link_stops() -> None:
    line = Line(FakeServer("alice"), make_archive(), LinkSettings(agent="t", retry=False))
    line.log_in("alice")
    line.cut()
    assert state_of(line) is LinkState.STOPPED
    assert line.events[-1] == Disconnected("reset", None)


def test_goodbye_to_a_server_that_is_gone_ends_all_the_same() -> None:
    line = online()
    session_of(line).silent = True
    line.link.log_out()
    line.pass_time(limits.LEAVE_TIMEOUT_MS + 500)
    assert line.events[-1] == LoggedOut(confirmed=False)
    assert state_of(line) is LinkState.STOPPED


def test_goodbye_while_offline() -> None:
    line = online()
    line.cut()
    line.link.log_out()
    line.pull()
    assert line.events[-1] == LoggedOut(confirmed=False)
    line.log_in("alice")
    assert state_of(line) is LinkState.ONLINE


def test_receipt_is_put_out_only_after_the_commit() -> None:
    """When the archive cannot be written, the server must not be told that it was."""
    line = online()
    session_of(line).put(messages.DistributeMessage(7, b"m" * 16, "bob", 1, 1, 1, b"x"))
    line.archive.close()
    line.to_client = session_of(line).take()
    with pytest.raises(Exception, match="closed"):
        line.link.receive_data(line.to_client, line.now_ms)
    assert line.link.data_to_send() == b""


def test_nothing_can_be_asked_while_offline() -> None:
    line = online()
    line.cut()
    assert line.link.check() is None
    assert line.link.list_accounts() is None
    assert line.link.create_account("x") is None
    assert line.link.delete_account(force=False) is None
    line.link.send_outbox()
    assert line.link.data_to_send() == b""


def test_requests_are_bounded() -> None:
    line = online()
    session_of(line).silent = True
    asked = [line.link.check() for _ in range(1_000)]
    assert sum(request is not None for request in asked) < 200
