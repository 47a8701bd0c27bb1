"""The link: login, requests, dying lines, sleep, and what ends it."""

import pytest

from msgc import limits, words_trust
from msgc.credentials import Credentials
from msgc.link_events import (
    Accounts,
    Connected,
    Connecting,
    Created,
    CreateRefused,
    Deleted,
    DeleteRefused,
    Disconnected,
    Kicked,
    LoggedIn,
    LoggedOut,
    NameRefused,
    NoticeArrived,
    PasswordWanted,
    RequestFailed,
    ServerStopping,
    TakenOver,
)
from msgc.link_settings import LinkSettings
from msgc.states import LinkState
from tests.msgc.fake_server import FakeServer, welcome
from tests.msgc.line import Line, Ticker, compose, make_archive, online, session_of, state_of
from wire import messages
from wire.codes import Code, NoticeKind


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


def test_a_server_that_wants_tls_is_not_asked_again_in_plain_text() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.connect()
    session_of(line).silent = True
    line.push_up()
    session_of(line).put(messages.Error(Code.TLS_NEEDED, "TLS", fatal=True))
    line.push_down()
    assert line.events[-1] == Disconnected(words_trust.TLS_WANTED, None)
    line.pass_time(100_000)
    assert state_of(line) is LinkState.STOPPED
    assert not line.link.wants_connection(line.now_ms)


@pytest.mark.parametrize(
    "record", [b"\x15\x03\x03\x00\x02\x02\x28", b"\x16\x03\x01\x00\x10" + bytes(16)]
)
def test_what_sounds_like_tls_ends_it_too(record: bytes) -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.connect()
    session_of(line).silent = True
    line.push_up()
    session_of(line).put_bytes(record)
    line.push_down()
    assert line.events[-1] == Disconnected(words_trust.TLS_WANTED, None)
    assert state_of(line) is LinkState.STOPPED


def test_who_gave_too_many_wrong_passwords_is_told_how_long_and_does_not_go_on() -> None:
    server = FakeServer("alice")
    server.give_password("alice", "right")
    server.refuse_login, server.refuse_login_text = Code.BUSY, "again in 4 seconds"
    line = Line(server, make_archive())
    credentials = Credentials("alice", "wrong", Ticker().random_bytes)
    line.link.log_in("alice", create_if_new=False, live=True, credentials=credentials)
    line.settle()
    (wanted,) = line.of(PasswordWanted)
    assert (wanted.code, wanted.text) == (Code.BUSY, "again in 4 seconds")
    assert not line.link.wants_connection(line.now_ms + 100_000)


def test_other_fatal_errors_are_tried_again() -> None:
    line = online()
    session_of(line).put(messages.Error(Code.TOO_MANY_CONNECTIONS, "full", fatal=True))
    line.push_down()
    assert state_of(line) is LinkState.OFFLINE


def test_a_key_pressed_while_the_server_hangs_up_does_nothing() -> None:
    line = online()
    session = session_of(line)
    session.put(messages.Error(Code.INTERNAL, "too slow", fatal=True))
    line.link.receive_data(session.take(), line.now_ms)
    assert line.link.should_close()
    compose(line, "hi")
    line.link.send_outbox()
    assert line.link.check() is None
    assert line.link.list_accounts() is None
    assert line.link.create_account("zoe") is None
    assert line.link.delete_account(force=True) is None
    assert line.link.data_to_send() == b""


def test_error_about_a_request_is_its_answer() -> None:
    line = online()
    session_of(line).silent = True
    request = line.link.check()
    assert request is not None
    line.push_up()
    session_of(line).put(messages.Error(Code.INTERNAL, "disk", request=request))
    line.push_down()
    assert line.of(RequestFailed) == [RequestFailed(request, Code.INTERNAL, "disk")]


def test_notices_are_told() -> None:
    line = online()
    session_of(line).put(messages.Notice(NoticeKind.ANNOUNCEMENT, "tea", None))
    session_of(line).put(messages.Notice(NoticeKind.SHUTTING_DOWN, "bye", None))
    line.push_down()
    line.cut("the server closed the connection")
    assert line.of(NoticeArrived) == [NoticeArrived(NoticeKind.ANNOUNCEMENT, "tea", None)]
    assert line.of(ServerStopping) == [ServerStopping("bye")]
    assert state_of(line) is LinkState.OFFLINE


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
    assert line.link.retry_at_ms - line.now_ms <= limits.RETRY_SOON_MS


def is_checking(line: Line) -> bool:
    return line.link.is_checking


def test_the_sleep_of_the_machine_is_told_and_the_next_failure_is_an_ordinary_one() -> None:
    line = online()
    session_of(line).silent = True
    assert not is_checking(line)
    line.link.awake(line.now_ms)
    assert is_checking(line)
    line.pass_time(limits.AWAKE_TIMEOUT_MS + 100)
    assert state_of(line) is LinkState.OFFLINE
    assert not is_checking(line)
    line.link.connecting(line.now_ms)
    line.link.disconnected("connection refused", line.now_ms)
    assert line.link.retry_at_ms is not None
    assert line.link.retry_at_ms - line.now_ms >= limits.RETRY_FIRST_MS // 2


def test_an_answer_ends_the_doubt() -> None:
    line = online()
    line.link.awake(line.now_ms)
    assert is_checking(line)
    line.settle()
    assert not is_checking(line)
    assert state_of(line) is LinkState.ONLINE


def test_after_a_sleep_nothing_is_waited_for_while_offline() -> None:
    line = Line(FakeServer("alice"), make_archive())
    line.link.log_in("alice", create_if_new=False, live=True)
    line.link.connecting(line.now_ms)
    line.link.disconnected("connection refused", line.now_ms)
    assert not line.link.wants_connection(line.now_ms)
    line.link.awake(line.now_ms)
    assert line.link.wants_connection(line.now_ms)


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
