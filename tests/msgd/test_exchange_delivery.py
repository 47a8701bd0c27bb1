import pytest

from msgd.exchange_delivery import HANDED_PER_TURN_MAX, SURE_PER_TURN
from msgd.limits import ExchangeLimits
from store.entry import EntryKind
from store.limits import AWAITED_ENTRIES_MAX
from store.rows import Rows
from tests.msgd.fake_server import Server
from wire.codes import Code, NoticeKind
from wire.messages import (
    CheckComplete,
    CheckMessages,
    DistributeMessage,
    Error,
    LoginSuccess,
    MessageSuccess,
    Notice,
    Ping,
    Pong,
)


@pytest.fixture
def server() -> Server:
    server = Server(limits=ExchangeLimits(window_messages_max=64))
    server.account("bob")
    return server


def texts(*numbers: int) -> list[str]:
    return [str(number) for number in numbers]


# ----- live sessions ------------------------------------------------------------------------------


def test_a_live_session_gets_a_message_at_once(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    server.advance(500)
    message = alice.send("bob", body="hi")
    got = bob.last(DistributeMessage)
    assert got.message_id == message.message_id
    assert got.received_at_ms == server.now.wall_ms
    assert got.request is None
    assert got.delivery > 0


def test_messages_come_in_the_order_of_acceptance_and_numbers_grow(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send_many(10, "bob")
    assert bob.bodies() == texts(*range(10))
    assert bob.deliveries() == sorted(set(bob.deliveries()))


@pytest.mark.parametrize("kind", EntryKind)
@pytest.mark.parametrize("count", [1, 2])
def test_one_that_is_pushed_alone_is_what_it_is_in_a_row(kind: EntryKind, count: int) -> None:
    pictures: list[object] = []
    for is_alone in (True, False):
        server = Server()
        alice = server.user("alice")
        found = Rows(4, 64, 1_000)
        body, code = (b"hi", 0) if kind is EntryKind.MESSAGE else (b"", Code.RECALLED)
        row = (9, bytes(16), b"bob", 7, 1, 1, int(code), body)
        found.add((int(kind), 3, row))
        delivery, session = server.exchange._delivery, alice.session
        frames = b""
        for _ in range(count):  # what is out already is not handed out again
            if is_alone:
                frames = delivery._handed_one(session, found)
            else:
                frames = delivery._handed(session, found, None)
        out = (session.outstanding, session.outstanding_messages, session.outstanding_bytes)
        pictures.append((frames, out, server.exchange.tally.delivered))
        assert bool(frames) is (count == 1)
        assert list(session.outstanding) == [9]
    assert pictures[0] == pictures[1]


def test_a_live_session_has_at_most_64_messages_out_and_the_rest_follow_the_receipts(
    server: Server,
) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send_many(100, "bob")
    assert bob.bodies() == texts(*range(64))
    bob.confirm(bob.deliveries()[0])
    assert bob.bodies() == texts(*range(65))
    bob.confirm()
    assert bob.bodies() == texts(*range(100))


def test_a_live_session_has_at_most_256_kib_out(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    for _ in range(6):
        alice.send("bob", body="x" * 64 * 1024)
    assert len(bob.all(DistributeMessage)) == 4
    bob.confirm(bob.deliveries()[0])
    assert len(bob.all(DistributeMessage)) == 5


def test_outcomes_count_against_the_window_too(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send_many(64, "bob")
    bob.confirm()
    assert len(alice.all(MessageSuccess)) == 64
    bob.send_many(1, "alice")
    assert not alice.bodies()
    alice.confirm(alice.deliveries()[0])
    assert alice.bodies() == ["0"]


def test_a_crowd_is_handed_its_windows_in_several_turns() -> None:
    """All of them a little in each turn, and a few of them more."""
    server = Server()
    names = [f"user{number}" for number in range(20)]
    for name in names:
        server.account(name)
    alice = server.user("alice")
    for name in names:
        alice.send_many(200, name)
    crowd = [server.user(name) for name in names]
    for each in crowd:
        each.post(CheckMessages(each.request(), None, outcomes_only=False))
    server.answer()
    counts = [len(each.bodies()) for each in crowd]
    assert sum(counts) <= HANDED_PER_TURN_MAX + len(crowd) * SURE_PER_TURN
    assert max(counts) == 200
    assert min(counts) == SURE_PER_TURN
    server.turn()
    for each in crowd:
        assert each.bodies() == texts(*range(200))
        assert each.complete() == (200, 0)


def test_what_waited_before_the_login_is_not_pushed(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(2, "bob", body="old")
    bob = server.user("bob")
    assert bob.last(LoginSuccess).messages_waiting == 2
    alice.send("bob", body="new")
    assert bob.bodies() == ["new"]
    assert not bob.all(Notice)


def test_a_check_brings_the_backlog_in_order_with_its_request(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(3, "bob")
    bob = server.user("bob")
    request = bob.check()
    assert bob.bodies() == texts(0, 1, 2)
    assert {message.request for message in bob.all(DistributeMessage)} == {request}
    assert bob.complete() == (3, 0)
    assert bob.last(CheckComplete).request == request


def test_a_check_also_brings_what_the_window_kept_back(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(1, "bob", body="old")
    bob = server.user("bob")
    alice.send_many(70, "bob")
    assert len(bob.bodies()) == 64
    bob.check()
    bob.confirm()
    bob.confirm(*bob.deliveries()[64:])
    assert sorted(bob.bodies()) == sorted([*texts(*range(70)), "old"])
    assert bob.complete() == (7, 0)


def test_a_check_never_brings_what_is_out_already(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send_many(3, "bob")
    bob.check()
    assert bob.complete() == (0, 0)
    assert len(bob.bodies()) == 3
    bob.check()
    assert len(bob.bodies()) == 3


def test_an_empty_queue_is_told_as_nothing_available(server: Server) -> None:
    bob = server.user("bob")
    bob.check()
    assert bob.complete() == (0, 0)


def test_a_check_larger_than_the_window_goes_on_with_the_receipts(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(150, "bob")
    bob = server.user("bob")
    bob.check()
    assert len(bob.bodies()) == 64
    assert not bob.all(CheckComplete)
    bob.confirm()
    assert len(bob.bodies()) == 128
    bob.confirm(*bob.deliveries()[64:])
    assert bob.bodies() == texts(*range(150))
    assert bob.complete() == (150, 0)


def test_a_check_is_complete_when_the_last_is_out_not_when_it_is_confirmed(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(64, "bob")
    bob = server.user("bob")
    bob.check()
    assert bob.complete() == (64, 0)


def test_a_limited_check_brings_so_many_and_tells_what_remains(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(5, "bob")
    bob = server.user("bob")
    bob.check(2)
    assert bob.bodies() == texts(0, 1)
    assert bob.complete() == (2, 3)
    bob.check(2)
    assert bob.bodies() == texts(0, 1, 2, 3)
    assert bob.complete() == (2, 1)
    bob.check(0)
    assert bob.complete() == (0, 1)


def test_remaining_counts_what_is_neither_confirmed_nor_out(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(5, "bob")
    bob = server.user("bob")
    bob.check(2)
    bob.confirm(bob.deliveries()[0])
    bob.check(1)
    assert bob.complete() == (1, 2)


def test_checks_of_a_session_are_done_one_after_the_other(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(100, "bob")
    bob = server.user("bob")
    first = bob.check(70)
    second = bob.check(10)
    assert not bob.all(CheckComplete)
    bob.confirm()
    assert [(one.request, one.delivered) for one in bob.all(CheckComplete)] == [
        (first, 70),
        (second, 10),
    ]
    requests = [message.request for message in bob.all(DistributeMessage)]
    assert requests == [first] * 70 + [second] * 10


def test_more_than_eight_checks_at_once_are_refused_without_ending_anything(
    server: Server,
) -> None:
    alice = server.user("alice")
    alice.send_many(100, "bob")
    bob = server.user("bob")
    requests = [bob.check() for _ in range(9)]
    error = bob.last(Error)
    assert (error.code, error.fatal, error.request) == (Code.BUSY, False, requests[8])
    bob.confirm()
    assert len(bob.all(CheckComplete)) == 8


def test_other_requests_are_answered_while_a_check_waits_for_receipts(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(100, "bob")
    bob = server.user("bob")
    bob.check()
    bob.say(Ping(9))
    bob.last(Pong)


def test_a_dropped_connection_loses_nothing(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    alice.send_many(3, "bob")
    bob.confirm(bob.deliveries()[1])
    bob.drop()
    bob = server.user("bob")
    assert bob.last(LoginSuccess).messages_waiting == 2
    bob.check()
    assert bob.bodies() == texts(0, 2)
    assert bob.complete() == (2, 0)


def kept_in_parts(server: Server, name: str) -> int:
    tail = server.store.state.by_name[name].queue.tail
    return sum(isinstance(item, tuple) for item in tail)


def test_what_comes_for_a_live_session_is_kept_as_it_will_be_handed_out(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol", live=False)
    for name in ("bob", "carol"):
        alice.send_many(10, name)
        alice.send_many(90, name)
    assert kept_in_parts(server, "bob") == 90  # from its first delivery on, taken yet or not
    assert kept_in_parts(server, "carol") == 0
    while len(bob.bodies()) < 100:
        bob.confirm()
    assert bob.bodies() == texts(*range(10), *range(90))
    carol.check()
    while len(carol.bodies()) < 100:
        carol.confirm()
    assert carol.bodies() == bob.bodies()
    bob.confirm()
    bob.drop()
    alice.send_many(10, "bob")
    assert kept_in_parts(server, "bob") == 0


def test_while_much_is_in_memory_nothing_is_kept_in_parts(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    server.store.state.tail_entries += AWAITED_ENTRIES_MAX
    alice.send_many(10, "bob")
    alice.send_many(10, "bob")
    assert kept_in_parts(server, "bob") <= 10
    alice.send_many(10, "bob")
    assert kept_in_parts(server, "bob") <= 10
    assert bob.bodies() == texts(*range(10), *range(10), *range(10))


# ----- sessions that are not live -----------------------------------------------------------------


def test_a_session_that_is_not_live_gets_a_notice_with_the_count(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob", live=False)
    alice.send_many(3, "bob")
    notice = bob.last(Notice)
    assert (notice.kind, notice.count) == (NoticeKind.MAIL_WAITING, 3)
    assert len(bob.all(Notice)) == 1  # one a turn
    assert not bob.bodies()
    alice.send("bob")
    assert bob.last(Notice).count == 4


def test_a_count_that_was_told_is_not_told_again(server: Server) -> None:
    alice = server.user("alice")
    alice.send_many(2, "bob")
    bob = server.user("bob", live=False)
    assert bob.last(LoginSuccess).messages_waiting == 2
    bob.send("alice")
    alice.confirm()  # an outcome for bob is no mail
    assert not bob.all(Notice)
    bob.check()
    assert bob.complete() == (2, 0)
    alice.send("bob")
    assert [notice.count for notice in bob.all(Notice)] == [1]


def test_what_a_check_told_is_not_told_by_a_notice_and_what_differs_from_it_is(
    server: Server,
) -> None:
    alice = server.user("alice")
    alice.send_many(2, "bob")
    bob = server.user("bob", live=False)
    bob.check(1)
    assert bob.complete() == (1, 1)
    assert not bob.all(Notice)
    alice.send("bob")
    assert [notice.count for notice in bob.all(Notice)] == [2]


def test_a_check_of_a_session_that_is_not_live_brings_everything_to_the_present(
    server: Server,
) -> None:
    alice = server.user("alice")
    alice.send_many(2, "bob")
    bob = server.user("bob", live=False)
    alice.send_many(2, "bob")
    bob.check()
    assert len(bob.bodies()) == 4
    assert bob.complete() == (4, 0)
    alice.send("bob", body="later")
    assert len(bob.bodies()) == 4
    bob.check()
    assert bob.bodies()[4:] == ["later"]
    assert bob.complete() == (1, 0)


def test_outcomes_wait_for_a_check_when_the_sender_is_not_live(server: Server) -> None:
    alice, bob = server.user("alice", live=False), server.user("bob")
    alice.send("bob")
    bob.confirm()
    assert not alice.all(MessageSuccess)
    alice.check()
    assert len(alice.all(MessageSuccess)) == 1
    assert alice.complete() == (0, 0)
