"""In a row and one by one: the same records, the same state, the same answers."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from store.account_codec import encode_account
from store.settings import Admission
from store.store import Store
from tests.examples import examples
from tests.msgd.fake_server import SMALL, Client, Server
from tests.sources_only import need_sources
from wire.codes import Code
from wire.messages import DistributeMessage, MessageFailure, MessagePending, SendMessage

TIGHT = ExchangeLimits(mailbox_messages_max=12)
NAMES = ("alice", "bob", "carol", "ghost", "Bob", "late")
SENDS = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from([1, 1, 1, 1, 1, 0, -1, 2]),  # how the counter goes on
    st.sampled_from(["hello", "", "grüße", "x" * 200]),
    st.sampled_from([False, False, False, True]),  # from a foreign installation
)
BURSTS = st.lists(st.lists(SENDS, max_size=9), min_size=1, max_size=4)


def played(bursts: list[list[tuple[str, int, str, bool]]], *, in_a_row: bool) -> object:
    """All that can be seen of a server after these bursts of one sender."""
    server = Server(limits=TIGHT, settings=replace(SMALL, checkpoint_idle_ms=1 << 40))
    server.in_a_row = in_a_row
    batches: list[tuple[int, list[bytes]]] = []
    for name in ("bob", "late"):
        server.account(name)
    carol, alice = server.user("carol"), server.user("alice")
    assert alice.session.account is not None
    server.store.block(server.store.state.by_name["late"], [alice.session.account.number], 1)
    server.store.commit()
    counter = 1
    for burst in bursts:
        for name, step, body, foreign in burst:
            counter = max(1, counter + step)
            message = alice.message(name, body=body, counter=counter)
            if foreign:
                message.message_id = b"foreign!" + message.message_id[8:]
            alice.post(message)
        server.read()
        server.exchange.end_turn(server.now)
        batches.append((server.store.journal.first_number, list(server.store.journal.records)))
        if server.store.has_pending:
            server.store.commit()
        server.release()
        server.advance(7)
    state = server.store.state
    accounts = [encode_account(account) for account in state.by_number.values()]
    tally = server.exchange.tally
    return (
        batches,
        accounts,
        state.next_number,
        state.last_received_at_ms,
        state.tail_entries,
        sorted(state.dirty),
        server.store.keeper.promised_bytes,
        (tally.accepted, tally.refused, tally.delivered),
        alice.inbox,
        carol.inbox,
    )


@settings(max_examples=examples(60), deadline=None)
@given(BURSTS)
def test_in_a_row_is_as_one_by_one(bursts: list[list[tuple[str, int, str, bool]]]) -> None:
    assert played(bursts, in_a_row=True) == played(bursts, in_a_row=False)


def test_a_row_to_several_is_as_one_by_one() -> None:
    for names in (
        ("bob", "bob", "carol", "bob", "alice", "alice", "carol"),
        ("bob", "bob", "late", "bob", "ghost", "carol"),
    ):
        bursts = [[("bob", 1, "hello", False)], [(name, 1, "hello", False) for name in names]]
        assert played(bursts, in_a_row=True) == played(bursts, in_a_row=False)


def burst(client: Client, count: int, *to: str) -> list[SendMessage]:
    messages = [client.message(*to, body=str(number)) for number in range(count)]
    for message in messages:
        client.post(message)
    client.server.turn()
    return messages


def test_a_burst_is_one_event_and_reaches_who_is_online() -> None:
    server = Server()
    bob, alice = server.user("bob"), server.user("alice")
    alice.send("bob")
    burst(alice, 5, "bob")
    assert server.noted(EventKind.SEND) == ["alice to bob", "alice to bob (5 messages)"]
    assert bob.bodies() == ["hello", "0", "1", "2", "3", "4"]
    assert len(alice.all(MessagePending)) == 6
    assert server.exchange.tally.accepted == 6


def test_what_was_taken_in_a_row_is_there_after_a_restart() -> None:
    server = Server()
    server.account("bob")
    alice = server.user("alice")
    messages = burst(alice, 20, "bob")
    server.clients.clear()
    server.store.core.disk.unlock()  # as the end of a process does
    server.start()
    bob, alice = server.user("bob", live=False), server.user("alice")
    for message in messages:
        alice.say(message)
        assert alice.last(MessagePending).duplicate
    bob.check()
    assert [each.message_id for each in bob.all(DistributeMessage)] == [
        message.message_id for message in messages
    ]


def test_a_queue_is_filled_to_the_last_message_and_no_further() -> None:
    server = Server(limits=TIGHT)
    server.account("bob")
    alice = server.user("alice")
    burst(alice, 15, "bob")
    assert len(alice.all(MessagePending)) == 12
    assert [each.code for each in alice.all(MessageFailure)] == [Code.QUEUE_FULL] * 3


def test_a_deleted_user_is_written_to_no_more() -> None:
    server = Server()
    bob, alice = server.user("bob", live=False), server.user("alice")
    burst(alice, 3, "bob")
    account = server.store.state.by_name["bob"]
    bob.check()
    bob.confirm()
    bob.drop()
    server.store.delete_account(account, 9)
    burst(alice, 2, "bob")
    assert [each.code for each in alice.all(MessageFailure)] == [Code.UNKNOWN_RECIPIENT] * 2


class Unwilling(Store):
    """A real store that says whether it has room."""

    says = Admission.OPEN

    @property
    def admission(self) -> Admission:
        return self.says


def test_a_busy_store_takes_nothing() -> None:
    need_sources()
    server = Server(store=Unwilling)
    server.account("bob")
    alice = server.user("alice")
    alice.send("bob")
    assert isinstance(server.store, Unwilling)
    server.store.says = Admission.BUSY
    burst(alice, 3, "bob")
    assert [each.code for each in alice.all(MessageFailure)] == [Code.BUSY] * 3


def test_who_owes_an_answer_to_a_ping_is_heard() -> None:
    server = Server()
    server.account("bob")
    alice = server.user("alice")
    alice.send("bob")
    alice.answers_pings = False
    server.advance(server.limits.ping_idle_ms + 10)
    asked = [alice.session.ping_ms]
    burst(alice, 3, "bob")
    asked.append(alice.session.ping_ms)
    assert asked[0] is not None
    assert asked[1] is None
    assert len(alice.all(MessagePending)) == 4
