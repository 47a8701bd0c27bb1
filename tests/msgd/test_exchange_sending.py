from collections.abc import Callable
from dataclasses import replace

import pytest

from msgd.events import EventKind
from msgd.limits import FAULTY_RECIPIENTS_BYTES_MAX, ExchangeLimits
from store.settings import Admission
from store.store import Store
from tests.msgd.fake_server import Client, Server
from tests.sources_only import need_sources
from wire.codes import Audience, Code, NoticeKind
from wire.messages import (
    DeletionRequest,
    DistributeMessage,
    MessageFailure,
    MessagePending,
    Notice,
    SendMessage,
)


@pytest.fixture
def server() -> Server:
    server = Server()
    for name in ("bob", "carol", "dave"):
        server.account(name)
    return server


class Unwilling(Store):
    """A real store that says it has no room."""

    says = Admission.OPEN

    @property
    def admission(self) -> Admission:
        return self.says


def fill_up(server: Server, says: Admission) -> None:
    """From now on the store says this."""
    need_sources()
    assert isinstance(server.store, Unwilling)
    server.store.says = says
    server.turn()


def unwilling(says: Admission) -> Server:
    """A server with alice and bob, whose disk then fills up."""
    need_sources()
    server = Server(store=Unwilling)
    server.account("bob")
    server.user("alice")
    fill_up(server, says)
    return server


# ----- accepting ----------------------------------------------------------------------------------


def test_a_message_is_accepted_stamped_and_counted(server: Server) -> None:
    alice = server.user("alice")
    server.advance(1_234)
    message = alice.send("bob")
    pending = alice.last(MessagePending)
    assert pending == MessagePending(
        message.request, message.message_id, 1, server.now.wall_ms, duplicate=False
    )
    assert server.noted(EventKind.SEND) == ["alice to bob"]
    assert server.exchange.tally.accepted == 1


def test_a_message_to_one(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob", body="to one")
    got = bob.last(DistributeMessage)
    assert (got.sender, got.body) == ("alice", b"to one")
    assert (got.audience, got.audience_count) == (Audience.ONE, 1)


def test_a_message_to_several(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    dave = server.user("dave")
    alice.send("bob", "carol")
    for client in (bob, carol):
        got = client.last(DistributeMessage)
        assert (got.audience, got.audience_count) == (Audience.SEVERAL, 2)
    assert not dave.all(DistributeMessage)
    assert server.noted(EventKind.SEND) == ["alice to bob,carol"]


def test_a_message_to_everyone_is_for_all_accounts_of_the_moment_except_the_sender(
    server: Server,
) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send()
    assert alice.last(MessagePending).recipients_count == 3
    got = bob.last(DistributeMessage)
    assert (got.audience, got.audience_count) == (Audience.EVERYONE, 3)
    assert not alice.all(DistributeMessage)
    dave = server.user("dave")
    dave.check()
    assert dave.complete() == (1, 0)
    late = server.user("erin")
    late.check()
    assert late.complete() == (0, 0)
    assert server.noted(EventKind.SEND) == ["alice to everyone (3)"]


def test_a_message_to_oneself_is_allowed(server: Server) -> None:
    alice = server.user("alice")
    alice.send("alice", body="note")
    assert alice.bodies() == ["note"]


def test_recipients_named_twice_get_it_once(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob", "carol", "BOB", "bob")
    assert alice.last(MessagePending).recipients_count == 2
    assert len(bob.all(DistributeMessage)) == 1


def test_recipients_are_folded(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("BoB")
    assert bob.bodies() == ["hello"]


def test_received_at_never_goes_back_even_if_the_clock_does(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    server.clock.jump_wall(-3_600_000)
    alice.send("bob")
    first, second = (message.received_at_ms for message in bob.all(DistributeMessage))
    assert second >= first
    assert alice.last(MessagePending).received_at_ms == second


def test_the_answer_and_the_delivery_wait_for_the_record(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.post(alice.message("bob"))
    server.read()
    server.exchange.end_turn(server.now)
    lsn = server.store.open_lsn
    assert lsn > server.store.durable_lsn
    for client in (alice, bob):
        assert [tag for tag, _ in client.session.outbox] == [lsn]


def test_a_long_list_of_recipients_is_cut_in_the_log(server: Server) -> None:
    names = [f"user{number:02}" for number in range(12)]
    for name in names:
        server.account(name)
    server.user("alice").send(*names)
    (text,) = server.noted(EventKind.SEND)
    assert text == f"alice to {','.join(names[:8])} and 4 more"


def test_the_body_is_never_in_the_log(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob", body="SECRET")
    bob.confirm()
    assert not any("SECRET" in event.text for event in server.all_events())


# ----- refusing -----------------------------------------------------------------------------------


def refusal(server: Server, change: Callable[[Client, SendMessage], SendMessage]) -> MessageFailure:
    alice = server.user("alice")
    message = alice.message("bob")
    failure = alice.refused(change(alice, message))
    assert failure.delivery is None
    assert failure.text
    assert server.store.state.by_name["bob"].own_messages == 0
    assert server.noted(EventKind.REFUSE)
    # What was refused may be mended and sent again under its number.
    alice.say(message)
    assert alice.last(MessagePending).duplicate is False
    return failure


def test_an_empty_body_is_refused(server: Server) -> None:
    failure = refusal(server, lambda _, message: replace(message, body=b""))
    assert failure.code == Code.BODY_EMPTY


def test_a_body_above_the_limit_is_refused() -> None:
    server = Server(limits=ExchangeLimits(body_bytes_max=100))
    server.account("bob")
    alice = server.user("alice")
    assert alice.refused(alice.message("bob", body="x" * 101)).code == Code.BODY_TOO_LARGE
    alice.send("bob", body="x" * 100)


def test_no_recipients_are_refused(server: Server) -> None:
    failure = refusal(server, lambda _, message: replace(message, recipients=()))
    assert failure.code == Code.NO_RECIPIENTS


def test_more_recipients_than_the_limit_are_refused(server: Server) -> None:
    too_many = tuple(f"u{number}" for number in range(1_025))
    failure = refusal(server, lambda _, message: replace(message, recipients=too_many))
    assert failure.code == Code.TOO_MANY_RECIPIENTS
    assert "1024" in failure.text


def test_everyone_together_with_names_is_refused(server: Server) -> None:
    failure = refusal(server, lambda _, message: replace(message, everyone=True))
    assert failure.code == Code.TOO_MANY_RECIPIENTS
    assert "not both" in failure.text


def test_everyone_is_nobody_while_one_is_alone() -> None:
    server = Server()
    alice = server.user("alice")
    assert alice.refused(alice.message()).code == Code.NO_RECIPIENTS


def test_one_unknown_recipient_fails_the_whole_send_and_is_named(server: Server) -> None:
    failure = refusal(
        server,
        lambda _, message: replace(message, recipients=("bob", "eve", "carol", "Mallory", "eve")),
    )
    assert failure.code == Code.UNKNOWN_RECIPIENT
    assert failure.recipients == ("eve", "Mallory")


def test_a_single_unknown_recipient_is_named(server: Server) -> None:
    alice = server.user("alice")
    failure = alice.refused(alice.message("eve"))
    assert (failure.code, failure.recipients) == (Code.UNKNOWN_RECIPIENT, ("eve",))


def test_names_at_fault_never_make_the_answer_too_large_for_a_frame(server: Server) -> None:
    alice = server.user("alice")
    names = [f"{number:04}" + "x" * 240 for number in range(1_000)]
    failure = alice.refused(alice.message(*names))
    assert failure.code == Code.UNKNOWN_RECIPIENT
    assert 0 < sum(map(len, failure.recipients)) <= FAULTY_RECIPIENTS_BYTES_MAX
    assert "1000 recipients" in failure.text


def test_an_account_that_is_being_deleted_is_an_unknown_recipient(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    bob.post(DeletionRequest(9, "bob", force=True))
    alice.post(alice.message("bob"))
    alice.post(alice.message())
    server.clients.remove(bob)
    server.clients.insert(0, bob)
    server.turn()
    (failure,) = [one for one in alice.all(MessageFailure) if one.request is not None]
    assert (failure.code, failure.recipients) == (Code.UNKNOWN_RECIPIENT, ("bob",))
    assert alice.all(MessagePending)[-1].recipients_count == 2  # carol and dave


def test_one_who_is_being_deleted_sends_nothing(server: Server) -> None:
    alice = server.user("alice")
    alice.send("alice")
    alice.post(DeletionRequest(9, "alice", force=True))
    alice.post(alice.message("bob"))
    server.turn()
    (failure,) = alice.all(MessageFailure)
    assert failure.code == Code.BEING_DELETED


# ----- retries ------------------------------------------------------------------------------------


def test_a_retry_is_answered_as_accepted_and_not_queued_again(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    message = alice.send("bob")
    alice.say(message)
    pending = alice.last(MessagePending)
    assert pending.duplicate
    assert pending.message_id == message.message_id
    assert len(bob.all(DistributeMessage)) == 1


def test_a_retry_on_another_connection_and_after_a_restart_is_a_duplicate(server: Server) -> None:
    alice = server.user("alice")
    message = alice.send("bob")
    alice = server.user("alice")
    alice.say(message)
    assert alice.last(MessagePending).duplicate
    server.stop()
    server.start()
    alice = server.user("alice")
    alice.say(message)
    assert alice.last(MessagePending).duplicate


def test_a_retry_is_known_even_if_the_recipient_is_gone_or_the_disk_is_full() -> None:
    server = unwilling(Admission.OPEN)
    (alice,) = server.clients
    message = alice.send("bob")
    fill_up(server, Admission.FULL)
    alice.say(replace(message, recipients=("gone",)))
    assert alice.last(MessagePending).duplicate


def test_a_number_below_the_window_is_too_old(server: Server) -> None:
    alice = server.user("alice")
    alice.say(alice.message("bob", counter=5_000))
    alice.last(MessagePending)
    alice.say(alice.message("bob", counter=5_000 - 1_024))
    assert alice.last(MessagePending).duplicate is False
    assert alice.refused(alice.message("bob", counter=5_000 - 1_025)).code == Code.TOO_OLD


def test_a_message_id_of_another_installation_is_refused(server: Server) -> None:
    failure = refusal(
        server, lambda _, message: replace(message, message_id=b"not mine" + bytes(8))
    )
    assert failure.code == Code.WRONG_INSTALLATION


def test_more_installations_than_the_window_remembers_are_refused(server: Server) -> None:
    for number in range(64):
        alice = server.user("alice", installation=b"%08d" % number)
        alice.send("bob")
        alice.drop()
    alice = server.user("alice", installation=b"one more")
    failure = alice.refused(alice.message("bob"))
    assert failure.code == Code.TOO_MANY_INSTALLATIONS


# ----- no room ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "code"), [(Admission.FULL, Code.STORAGE_FULL), (Admission.BUSY, Code.BUSY)]
)
def test_new_messages_are_refused_while_there_is_no_room(says: Admission, code: Code) -> None:
    server = unwilling(says)
    (alice,) = server.clients
    first, second = alice.message("bob"), alice.message()
    assert alice.refused(first).code == code
    assert alice.refused(second).code == code
    fill_up(server, Admission.OPEN)
    alice.say(first)
    assert alice.last(MessagePending).duplicate is False


@pytest.mark.parametrize(
    ("says", "code"), [(Admission.FULL, Code.STORAGE_FULL), (Admission.BUSY, Code.BUSY)]
)
def test_new_accounts_are_refused_while_there_is_no_room(says: Admission, code: Code) -> None:
    server = unwilling(says)
    client = server.client()
    client.login("erin")
    assert client.is_refused(code)
    client.login("bob")  # an account that exists may always be used


def test_everybody_connected_is_told_when_the_disk_is_full() -> None:
    server = unwilling(Admission.OPEN)
    (alice,) = server.clients
    fill_up(server, Admission.FULL)
    assert alice.last(Notice).kind == NoticeKind.STORAGE_FULL
    fill_up(server, Admission.OPEN)
    assert len(alice.all(Notice)) == 1
    assert server.noted(EventKind.WARN) == ["disk full, new messages are refused"]
    assert server.noted(EventKind.NOTICE) == ["the disk has room again"]


def test_a_full_disk_stops_neither_receipts_nor_reading() -> None:
    server = unwilling(Admission.OPEN)
    (alice,) = server.clients
    alice.send("bob")
    fill_up(server, Admission.FULL)
    bob = server.user("bob")
    bob.check()
    bob.confirm()
    assert alice.deliveries()
    bob.check()
    assert bob.complete() == (0, 0)
