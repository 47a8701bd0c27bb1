import random

import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from store.errors import StoreDamaged
from tests.msgd.fake_server import Server
from tests.sim.sim_disk import SimDisk
from tests.sources_only import need_sources
from wire.codes import Code
from wire.messages import (
    CheckComplete,
    CheckMessages,
    DeletionRequest,
    Error,
    LoginSuccess,
    MessageFailure,
    MessageReceipt,
    MessageSuccess,
    ReceiptSettled,
)


@pytest.fixture
def server() -> Server:
    server = Server()
    server.account("bob")
    return server


def texts(*numbers: int) -> list[str]:
    return [str(number) for number in numbers]


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
    alice.send_many(2, "bob")
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
    alice.send_many(2, "bob")
    first, second = bob.deliveries()
    bob.confirm()
    assert server.noted(EventKind.RECEIPT) == [f"bob has 2 messages, {first} to {second}"]
    alice.send("bob")
    bob.confirm(bob.deliveries()[2])
    assert server.noted(EventKind.RECEIPT)[1] == f"bob has {bob.deliveries()[2]} of alice"
    alice.confirm()
    assert len(server.noted(EventKind.RECEIPT)) == 2, "knowing a fate is not having a message"


# ----- outcomes only ------------------------------------------------------------------------------


def test_a_check_for_outcomes_only_passes_over_messages_and_a_later_check_brings_them(
    server: Server,
) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    bob.send("alice", body="zero")
    alice.send_many(2, "bob")
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
    alice.send_many(5, "bob")
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
    alice.send_many(5, "bob")
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
        server.answer()
        reads += 1
    server.store.state.by_name["alice"].own_outcomes -= 1
    assert reads > 2
    assert alice.complete()[1] == 41
    assert entry > 0


class Torn:
    """A reader that comes upon damage."""

    exhausted = False

    def read_rows(self, *_: object, **__: object) -> list[object]:
        raise StoreDamaged("mailboxes/00/0.mailbox", 4096, "a block is not what was written")


def test_a_damaged_mailbox_concerns_its_user_only_and_is_named_in_the_log(server: Server) -> None:
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    need_sources()
    bob.session.backlog = Torn()  # type: ignore[assignment]  # stands in for a reader
    request = bob.check()
    error = bob.last(Error)
    assert (error.code, error.fatal, error.request) == (Code.INTERNAL, False, request)
    assert error.text.startswith("your queue on the server is damaged; its operator has been told")
    (text,) = server.noted(EventKind.ERROR)
    assert "mailboxes/00/0.mailbox" in text
    assert "4096" in text
    alice.send("bob", "carol")
    assert bob.bodies() == carol.bodies() == ["hello"]  # what is whole is still delivered


def test_a_flipped_bit_on_the_disk_is_told_and_named_and_nothing_is_invented() -> None:
    disk = SimDisk(random.Random(4))
    server = Server(disk=disk)
    server.account("bob")
    alice = server.user("alice")
    alice.send("bob")
    server.store.checkpoint_now()
    number = server.store.state.by_name["bob"].number
    (path,) = (path for path in disk.files() if path.endswith(f"{number:016x}.mailbox"))
    disk.damage(path, 4096 + 90, 1)
    bob = server.user("bob")
    bob.check()
    assert bob.last(Error).code == Code.INTERNAL
    assert not bob.bodies()
    assert path in server.noted(EventKind.ERROR)[0]
    alice.send("bob", body="still here")
    assert bob.bodies() == ["still here"]
    bob.confirm()
    assert bob.session.account is not None
    assert bob.session.account.messages_waiting(server.store.state) == 1


def test_damage_found_while_pushing_is_told_once(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    need_sources()
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
        alice.send_many(64, "bob", body=f"turn {turn}")
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
