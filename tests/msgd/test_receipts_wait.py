"""Receipts that wait for each other, while messages come in turn after turn."""

import pytest

from msgd.events import EventKind
from msgd.exchange_receipts import TOGETHER_MIN, WAIT_MS
from msgd.limits import ExchangeLimits
from tests.msgd.fake_server import Client, Server
from wire.messages import (
    LoginSuccess,
    MessagePending,
    MessageReceipt,
    MessageSuccess,
    Ping,
    ReceiptSettled,
)


class Crowded:
    """A server to which carol sends a message in each turn; alice sends to bob."""

    def __init__(self, limits: ExchangeLimits | None = None) -> None:
        self.server = Server(limits=limits)
        self.server.account("dave")
        self.alice = self.server.user("alice")
        self.bob = self.server.user("bob")
        self.carol = self.server.user("carol")

    def turn(self) -> None:
        """One, with a message of carol's in it."""
        self.carol.post(self.carol.message("dave"))
        self.server.answer()

    def send(self, count: int = 1, *, body: bytes = b"hello") -> None:
        """So many of alice's to bob, in one turn."""
        for _ in range(count):
            self.alice.post(self.alice.message("bob", body=body))
        self.turn()

    def confirm(self, client: Client, *deliveries: int) -> None:
        """A receipt for all that this client has, in such a turn."""
        client.post(MessageReceipt(deliveries or tuple(client.deliveries()), None))
        self.turn()

    def waiting(self, name: str) -> int:
        """Messages in this user's queue."""
        account = self.server.store.state.by_name[name]
        return account.messages_waiting(self.server.store.state)


@pytest.fixture
def crowded() -> Crowded:
    return Crowded()


def test_while_messages_come_receipts_wait_for_each_other(crowded: Crowded) -> None:
    alice, bob = crowded.alice, crowded.bob
    for _ in range(2):
        crowded.send()
        crowded.confirm(bob, bob.deliveries()[-1])
        crowded.server.clock.advance_to(crowded.server.clock.now_ms + 1)
    assert crowded.waiting("bob") == 2
    assert not alice.all(MessageSuccess)
    crowded.server.clock.advance_to(crowded.server.clock.now_ms + WAIT_MS - 2)
    crowded.turn()
    assert crowded.waiting("bob") == 0
    assert len(alice.all(MessageSuccess)) == 2
    (event,) = crowded.server.noted(EventKind.RECEIPT)
    assert event.startswith("bob has 2 messages")


def test_they_wait_no_longer_than_until_a_turn_without_messages(crowded: Crowded) -> None:
    crowded.send()
    crowded.confirm(crowded.bob)
    assert crowded.waiting("bob") == 1
    crowded.server.answer()
    assert crowded.waiting("bob") == 0
    assert crowded.alice.all(MessageSuccess)


def test_the_loop_is_told_when_they_have_waited_long_enough(crowded: Crowded) -> None:
    crowded.send()
    exchange, clock = crowded.server.exchange, crowded.server.clock
    before = exchange.next_deadline_ms()
    assert before is not None
    assert before > clock.monotonic_ms() + WAIT_MS
    crowded.confirm(crowded.bob)
    assert exchange.next_deadline_ms() == clock.monotonic_ms() + WAIT_MS
    crowded.server.answer()
    assert exchange.next_deadline_ms() == before


def test_a_receipt_that_asks_for_an_answer_gets_it_at_once(crowded: Crowded) -> None:
    alice, bob = crowded.alice, crowded.bob
    crowded.send(2)
    first, second = bob.deliveries()
    crowded.confirm(bob, first)
    bob.post(MessageReceipt((second,), 77))
    crowded.turn()
    assert bob.last(ReceiptSettled) == ReceiptSettled(77, 1)
    assert crowded.waiting("bob") == 0
    assert len(alice.all(MessageSuccess)) == 2


def test_so_many_that_they_are_worth_a_record_do_not_wait(crowded: Crowded) -> None:
    bob = crowded.bob
    crowded.send(2 * TOGETHER_MIN)
    numbers = bob.deliveries()
    crowded.confirm(bob, *numbers[:TOGETHER_MIN])
    assert crowded.waiting("bob") == TOGETHER_MIN
    one_by_one = numbers[TOGETHER_MIN:]
    for number in one_by_one[:-1]:
        bob.post(MessageReceipt((number,), None))
    crowded.turn()
    assert crowded.waiting("bob") == TOGETHER_MIN
    crowded.confirm(bob, one_by_one[-1])
    assert crowded.waiting("bob") == 0


def test_a_full_window_waits_for_no_receipt() -> None:
    crowded = Crowded(ExchangeLimits(window_messages_max=2))
    bob = crowded.bob
    crowded.send(3)
    first, second = bob.deliveries()
    crowded.confirm(bob, first)
    assert len(bob.deliveries()) == 3
    crowded.confirm(bob, second)
    assert crowded.waiting("bob") == 2


def test_whatever_else_is_asked_is_answered_after_them(crowded: Crowded) -> None:
    crowded.send()
    crowded.confirm(crowded.bob)
    assert crowded.waiting("bob") == 1
    crowded.alice.post(Ping(9))
    crowded.turn()
    assert crowded.waiting("bob") == 0


def test_who_leaves_has_confirmed_what_waits(crowded: Crowded) -> None:
    alice, bob = crowded.alice, crowded.bob
    crowded.send()
    crowded.confirm(bob)
    bob.drop()
    assert crowded.waiting("bob") == 0
    assert alice.all(MessageSuccess)
    assert crowded.server.store.state.by_name["bob"].handed_to == 0
    assert crowded.server.user("bob").last(LoginSuccess).messages_waiting == 0


def test_a_mailbox_is_not_full_of_what_is_confirmed() -> None:
    crowded = Crowded(ExchangeLimits(mailbox_messages_max=2))
    alice, bob = crowded.alice, crowded.bob
    for _ in range(2):
        alice.post(alice.message("bob"))
    crowded.server.answer()
    crowded.confirm(bob)
    assert crowded.waiting("bob") == 2
    alice.post(alice.message("bob"))
    crowded.server.answer()
    assert len(alice.all(MessagePending)) == 3
    assert len(bob.deliveries()) == 3


def test_a_window_that_becomes_full_waits_for_no_receipt() -> None:
    crowded = Crowded(ExchangeLimits(window_messages_max=2))
    bob = crowded.bob
    crowded.send(2)
    assert not bob.session.is_stopped
    crowded.confirm(bob)
    crowded.send()
    assert len(bob.deliveries()) == 3


def test_one_that_is_full_of_large_messages_does_not_either(crowded: Crowded) -> None:
    bob = crowded.bob
    crowded.send(4, body=b"x" * 65_536)
    crowded.confirm(bob)
    crowded.send(body=b"x" * 65_536)
    assert len(bob.deliveries()) == 5


def test_a_reader_with_too_many_gaps_does_not_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgd.exchange_delivery.SETTLED_RANGES_MAX", 3)
    monkeypatch.setattr("store.reader.SETTLED_RANGES_MAX", 3)
    crowded = Crowded()
    bob = crowded.bob
    crowded.send(5)
    first, second, third, fourth, _ = bob.deliveries()
    bob.post(MessageReceipt((second, fourth), 77))
    crowded.turn()
    crowded.confirm(bob, first, third)
    crowded.send()
    assert len(bob.deliveries()) == 6


def test_a_number_that_is_not_out_yet_is_passed_over(crowded: Crowded) -> None:
    alice, bob = crowded.alice, crowded.bob
    number = crowded.server.store.state.next_number
    bob.post(MessageReceipt((number, number + 1, number + 2), None))
    crowded.send()
    assert bob.deliveries()
    crowded.server.turn()
    assert crowded.waiting("bob") == 1
    assert not alice.all(MessageSuccess)


def test_an_event_names_the_first_and_the_last(crowded: Crowded) -> None:
    bob = crowded.bob
    crowded.send(2)
    first, second = bob.deliveries()
    crowded.confirm(bob, second)
    crowded.confirm(bob, first)
    crowded.server.turn()
    (event,) = crowded.server.noted(EventKind.RECEIPT)
    assert event == f"bob has 2 messages, {first} to {second}"
