import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from store.errors import StoreDamaged
from tests.msgd.fake_server import Client, Server
from wire.codes import Code, NoticeKind
from wire.messages import (
    CheckComplete,
    CheckMessages,
    DeletionRequest,
    DistributeMessage,
    Error,
    LoginSuccess,
    MessageFailure,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    Notice,
    Ping,
    Pong,
    ReceiptSettled,
)


@pytest.fixture
def server() -> Server:
    server = Server()
    server.account("bob")
    return server


def send_many(client: Client, count: int, *to: str, body: str | bytes = "") -> None:
    """Messages 0, 1, 2… in one burst."""
    for number in range(count):
        client.post(client.message(*to, body=body or str(number)))
    client.server.turn()
    assert len(client.all(MessagePending)) >= count


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
    send_many(alice, 10, "bob")
    assert bob.bodies() == texts(*range(10))
    assert bob.deliveries() == sorted(set(bob.deliveries()))


def test_a_live_session_has_at_most_64_messages_out_and_the_rest_follow_the_receipts(
    server: Server,
) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    send_many(alice, 100, "bob")
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
    send_many(alice, 64, "bob")
    bob.confirm()
    assert len(alice.all(MessageSuccess)) == 64
    send_many(bob, 1, "alice")
    assert not alice.bodies()
    alice.confirm(alice.deliveries()[0])
    assert alice.bodies() == ["0"]


def test_what_waited_before_the_login_is_not_pushed(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 2, "bob", body="old")
    bob = server.user("bob")
    assert bob.last(LoginSuccess).messages_waiting == 2
    alice.send("bob", body="new")
    assert bob.bodies() == ["new"]
    assert not bob.all(Notice)


def test_a_check_brings_the_backlog_in_order_with_its_request(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 3, "bob")
    bob = server.user("bob")
    request = bob.check()
    assert bob.bodies() == texts(0, 1, 2)
    assert {message.request for message in bob.all(DistributeMessage)} == {request}
    assert bob.complete() == (3, 0)
    assert bob.last(CheckComplete).request == request


def test_a_check_also_brings_what_the_window_kept_back(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 1, "bob", body="old")
    bob = server.user("bob")
    send_many(alice, 70, "bob")
    assert len(bob.bodies()) == 64
    bob.check()
    bob.confirm()
    bob.confirm(*bob.deliveries()[64:])
    assert sorted(bob.bodies()) == sorted([*texts(*range(70)), "old"])
    assert bob.complete() == (7, 0)


def test_a_check_never_brings_what_is_out_already(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    send_many(alice, 3, "bob")
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
    send_many(alice, 150, "bob")
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
    send_many(alice, 64, "bob")
    bob = server.user("bob")
    bob.check()
    assert bob.complete() == (64, 0)


def test_a_limited_check_brings_so_many_and_tells_what_remains(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 5, "bob")
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
    send_many(alice, 5, "bob")
    bob = server.user("bob")
    bob.check(2)
    bob.confirm(bob.deliveries()[0])
    bob.check(1)
    assert bob.complete() == (1, 2)


def test_checks_of_a_session_are_done_one_after_the_other(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 100, "bob")
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
    send_many(alice, 100, "bob")
    bob = server.user("bob")
    requests = [bob.check() for _ in range(9)]
    error = bob.last(Error)
    assert (error.code, error.fatal, error.request) == (Code.BUSY, False, requests[8])
    bob.confirm()
    assert len(bob.all(CheckComplete)) == 8


def test_other_requests_are_answered_while_a_check_waits_for_receipts(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 100, "bob")
    bob = server.user("bob")
    bob.check()
    bob.say(Ping(9))
    bob.last(Pong)


def test_a_dropped_connection_loses_nothing(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    send_many(alice, 3, "bob")
    bob.confirm(bob.deliveries()[1])
    bob.drop()
    bob = server.user("bob")
    assert bob.last(LoginSuccess).messages_waiting == 2
    bob.check()
    assert bob.bodies() == texts(0, 2)
    assert bob.complete() == (2, 0)


# ----- sessions that are not live -----------------------------------------------------------------


def test_a_session_that_is_not_live_gets_a_notice_with_the_count(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob", live=False)
    send_many(alice, 3, "bob")
    notice = bob.last(Notice)
    assert (notice.kind, notice.count) == (NoticeKind.MAIL_WAITING, 3)
    assert len(bob.all(Notice)) == 1  # one a turn
    assert not bob.bodies()
    alice.send("bob")
    assert bob.last(Notice).count == 4


def test_a_count_that_was_told_is_not_told_again(server: Server) -> None:
    alice = server.user("alice")
    send_many(alice, 2, "bob")
    bob = server.user("bob", live=False)
    assert bob.last(LoginSuccess).messages_waiting == 2
    bob.send("alice")
    alice.confirm()  # an outcome for bob is no mail
    assert not bob.all(Notice)
    bob.check()
    assert bob.complete() == (2, 0)
    alice.send("bob")
    assert [notice.count for notice in bob.all(Notice)] == [1]


def test_a_check_of_a_session_that_is_not_live_brings_everything_to_the_present(
    server: Server,
) -> None:
    alice = server.user("alice")
    send_many(alice, 2, "bob")
    bob = server.user("bob", live=False)
    send_many(alice, 2, "bob")
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


# ----- receipts -----------------------------------------------------------------------------------


def test_a_receipt_takes_the_message_out_and_tells_the_sender(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    message = alice.send("bob")
    server.advance(700)
    bob.confirm(answered=True)
    assert bob.last(ReceiptSettled).count == 1
    success = alice.last(MessageSuccess)
    assert success.message_id == message.message_id
    assert (success.recipient, success.delivered_at_ms) == ("bob", server.now.wall_ms)
    bob.drop()
    assert server.user("bob").last(LoginSuccess).messages_waiting == 0


def test_a_receipt_travels_back_to_a_sender_who_was_away(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob")
    alice.drop()
    bob = server.user("bob")
    bob.check()
    bob.confirm()
    alice = server.user("alice")
    success = alice.last(LoginSuccess)
    assert (success.messages_waiting, success.outcomes_waiting) == (0, 1)
    alice.check()
    assert alice.all(MessageSuccess)[0].message_id == message.message_id
    alice.confirm()
    alice.drop()
    assert server.user("alice").last(LoginSuccess).outcomes_waiting == 0


def test_settling_an_outcome_makes_nothing_new(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    bob.confirm()
    bob.inbox.clear()
    alice.confirm(answered=True)
    assert alice.last(ReceiptSettled).count == 1
    assert not bob.inbox
    assert server.store.state.by_name["alice"].outcomes_waiting == 0


def test_each_recipient_of_a_message_to_several_answers_for_himself(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    alice.send("bob", "carol")
    carol.confirm()
    assert [success.recipient for success in alice.all(MessageSuccess)] == ["carol"]
    bob.confirm()
    assert [success.recipient for success in alice.all(MessageSuccess)] == ["carol", "bob"]


def test_each_recipient_of_a_message_to_everyone_answers_for_himself(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    message = alice.send()
    bob.confirm()
    carol.confirm()
    assert [success.recipient for success in alice.all(MessageSuccess)] == ["bob", "carol"]
    assert {success.message_id for success in alice.all(MessageSuccess)} == {message.message_id}


def test_a_receipt_for_what_is_not_out_is_passed_over(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    send_many(alice, 2, "bob")
    first, second = bob.deliveries()
    bob.confirm(first, 999_999, first, answered=True)
    assert bob.last(ReceiptSettled).count == 1
    bob.confirm(first, answered=True)
    assert bob.last(ReceiptSettled).count == 0
    bob.confirm(second, answered=True)
    assert bob.last(ReceiptSettled).count == 1
    assert len(alice.all(MessageSuccess)) == 2


def test_nobody_confirms_for_another(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    alice.send("bob")
    carol.confirm(*bob.deliveries(), answered=True)
    assert carol.last(ReceiptSettled).count == 0
    assert not alice.all(MessageSuccess)


def test_a_receipt_without_a_request_is_not_answered(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    bob.inbox.clear()
    bob.confirm(1)
    assert not bob.inbox


def test_the_answer_to_a_receipt_and_the_success_wait_for_the_record(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    bob.post(MessageReceipt(tuple(bob.deliveries()), 9))
    server.read()
    server.exchange.end_turn(server.now)
    lsn = server.store.open_lsn
    assert lsn > server.store.durable_lsn
    for client in (alice, bob):
        assert [tag for tag, _ in client.session.outbox] == [lsn]


def test_receipts_are_noted_without_a_word_of_the_messages(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    send_many(alice, 2, "bob")
    first, second = bob.deliveries()
    bob.confirm()
    assert server.noted(EventKind.RECEIPT) == [f"bob has 2 entries, {first} to {second}"]
    alice.send("bob")
    bob.confirm(bob.deliveries()[2])
    assert server.noted(EventKind.RECEIPT)[1] == f"bob has {bob.deliveries()[2]} of alice"


# ----- outcomes only ------------------------------------------------------------------------------


def test_a_check_for_outcomes_only_passes_over_messages_and_a_later_check_brings_them(
    server: Server,
) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    bob.send("alice", body="zero")
    send_many(alice, 2, "bob")
    alice.drop()
    bob.confirm()
    bob.send("alice", body="one")
    alice = server.user("alice")
    alice.check(outcomes_only=True)
    assert len(alice.all(MessageSuccess)) == 2
    assert not alice.bodies()
    assert alice.complete() == (0, 2)
    alice.check()
    assert alice.bodies() == ["zero", "one"]
    assert len(alice.all(MessageSuccess)) == 2
    assert alice.complete() == (2, 0)
    alice.confirm()
    assert server.store.state.by_name["alice"].settled.floor > 0
    alice.drop()
    success = server.user("alice").last(LoginSuccess)
    assert (success.messages_waiting, success.outcomes_waiting) == (0, 0)


def test_a_limit_of_a_check_for_outcomes_counts_outcomes(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    send_many(alice, 5, "bob")
    alice.drop()
    bob.confirm()
    alice = server.user("alice", live=False)
    alice.check(2, outcomes_only=True)
    assert len(alice.all(MessageSuccess)) == 2
    alice.check(outcomes_only=True)
    assert len(alice.all(MessageSuccess)) == 5


# ----- after a restart ----------------------------------------------------------------------------


def test_queues_receipts_and_outcomes_survive_a_restart(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    send_many(alice, 5, "bob")
    numbers = bob.deliveries()
    bob.confirm(numbers[0], numbers[3])
    server.stop()
    server.start()
    bob = server.user("bob")
    bob.check()
    assert bob.bodies() == texts(1, 2, 4)
    assert bob.deliveries() == [numbers[1], numbers[2], numbers[4]]
    alice = server.user("alice")
    assert alice.last(LoginSuccess).outcomes_waiting == 2


def test_everyones_messages_survive_a_restart(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send(body="all")
    bob.send("bob", body="own")
    server.stop()
    server.start()
    bob = server.user("bob")
    bob.check()
    assert bob.bodies() == ["all", "own"]


# ----- bounds and damage --------------------------------------------------------------------------


def test_one_turn_reads_only_a_few_slices_for_a_check_that_finds_little() -> None:
    server = Server(limits=ExchangeLimits())
    alice = server.user("alice")
    alice.send("alice", body="x")
    (entry,) = alice.deliveries()
    for _ in range(40):
        alice.send("alice", body="x" * 64 * 1024)
        alice.inbox.clear()
    alice.drop()
    server.store.checkpoint_now()
    alice = server.user("alice", live=False)
    reads = 0
    alice.post(CheckMessages(alice.request(), outcomes_only=True))
    server.store.state.by_name["alice"].own_outcomes += 1  # so that it looks for one
    while not alice.all(CheckComplete) and reads < 100:
        server.read()
        server.exchange.end_turn(server.now)
        server.store.commit()
        server.release()
        reads += 1
    server.store.state.by_name["alice"].own_outcomes -= 1
    assert reads > 2
    assert alice.complete()[1] == 41
    assert entry > 0


class Torn:
    """A reader that comes upon damage."""

    exhausted = False

    def read(self, *_: object, **__: object) -> list[object]:
        raise StoreDamaged("mailboxes/00/0.mailbox", 4096, "a block is not what was written")


def test_a_damaged_mailbox_concerns_its_user_only_and_is_named_in_the_log(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    bob.session.backlog = Torn()  # type: ignore[assignment]  # stands in for a reader
    request = bob.check()
    error = bob.last(Error)
    assert (error.code, error.fatal, error.request) == (Code.INTERNAL, False, request)
    (text,) = server.noted(EventKind.ERROR)
    assert "mailboxes/00/0.mailbox" in text
    assert "4096" in text
    alice.send("bob", "carol")
    assert bob.bodies() == carol.bodies() == ["hello"]  # what is whole is still delivered


def test_damage_found_while_pushing_is_told_once(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    bob.session.push = Torn()  # type: ignore[assignment]  # stands in for a reader
    alice.send("bob")
    alice.send("bob")
    assert len(bob.all(Error)) == 1
    assert bob.last(Error).request is None
    assert len(server.noted(EventKind.ERROR)) == 1
    assert not bob.is_closed


def test_a_user_who_is_being_deleted_checks_and_confirms_nothing(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    bob.post(DeletionRequest(5, "bob", force=True))
    bob.post(CheckMessages(6))
    bob.post(MessageReceipt(tuple(bob.deliveries()), 7))
    server.turn()
    (error,) = bob.all(Error)
    assert (error.code, error.request) == (Code.BEING_DELETED, 6)
    assert bob.all(ReceiptSettled)[0].count == 0
    assert len([one for one in alice.all(MessageFailure) if one.delivery]) == 1


def test_gaps_in_what_is_confirmed_never_stop_a_queue(server: Server) -> None:
    """Confirm every second message, session after session, until the gaps are at their limit."""
    alice = server.user("alice")
    left: list[str] = []
    for turn in range(40):
        bob = server.user("bob")
        send_many(alice, 64, "bob", body=f"turn {turn}")
        alice.confirm()
        alice.inbox.clear()
        bob.confirm(*bob.deliveries()[::2])
        left += bob.bodies()[1::2]
        bob.drop()
    bob = server.user("bob", live=False)
    bob.check()
    while not bob.all(CheckComplete):
        before = len(bob.inbox)
        bob.confirm(*[number for number in bob.deliveries() if number in bob.session.outstanding])
        assert len(bob.inbox) > before, "it is stuck"
    bob.confirm()
    assert server.store.state.by_name["bob"].own_messages == 0
