import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from store.errors import StoreDamaged
from tests.msgd.fake_server import Client, Server
from tests.sources_only import need_sources
from wire.codes import Code
from wire.messages import (
    AccountList,
    DeletionFailure,
    DeletionRequest,
    DeletionSuccess,
    Error,
    ListAccounts,
    LoggedOut,
    LoginRequest,
    LoginSuccess,
    MessageFailure,
    MessagePending,
    MessageSuccess,
    Notice,
)


@pytest.fixture
def server() -> Server:
    return Server()


def delete(client: Client, name: str, *, force: bool = False) -> None:
    client.say(DeletionRequest(client.request(), name, force))


def half_deleted(server: Server, messages: int) -> tuple[Client, Client]:
    """Alice has sent bob messages; his forced deletion has begun, and no slice of it is done."""
    alice, bob = server.user("alice"), server.user("bob", live=False)
    for _ in range(messages):
        alice.post(alice.message("bob"))
    server.turn()
    alice.inbox.clear()
    bob.inbox.clear()
    bob.post(DeletionRequest(bob.request(), "bob", force=True))
    server.answer()
    return alice, bob


# ----- whose ------------------------------------------------------------------------------------


def test_an_empty_account_is_deleted_logged_out_and_its_name_free(server: Server) -> None:
    bob = server.user("bob")
    delete(bob, "bob")
    assert bob.all(DeletionSuccess) == [DeletionSuccess(2, "bob", 0)]
    bob.last(LoggedOut)
    assert bob.is_closed
    assert not server.store.state.names
    assert not server.exchange.online
    assert server.noted(EventKind.DELETE) == ["bob, 0 messages discarded"]
    assert server.user("bob").last(LoginSuccess).created


def test_the_name_may_be_written_in_upper_case(server: Server) -> None:
    bob = server.user("bob")
    delete(bob, "BOB")
    assert bob.all(DeletionSuccess)[0].username == "bob"


def test_only_the_owner_may_delete_an_account(server: Server) -> None:
    server.account("alice")
    bob = server.user("bob")
    delete(bob, "alice", force=True)
    assert bob.last(DeletionFailure).code == Code.NOT_OWNER
    assert server.store.state.names == ["alice", "bob"]


def test_an_account_that_does_not_exist_is_unknown(server: Server) -> None:
    bob = server.user("bob")
    delete(bob, "carol")
    assert bob.last(DeletionFailure).code == Code.UNKNOWN_USER


# ----- with undelivered messages ------------------------------------------------------------------


def test_undelivered_messages_keep_an_account_and_their_number_is_told(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob", live=False)
    alice.send("bob")
    alice.send()
    delete(bob, "bob")
    failure = bob.last(DeletionFailure)
    assert (failure.code, failure.messages_waiting) == (Code.UNDELIVERED_MESSAGES, 2)
    assert bob in server.clients
    bob.check()
    bob.confirm()
    delete(bob, "bob")
    bob.last(LoggedOut)


def test_messages_that_are_out_but_not_confirmed_are_undelivered(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    alice.send("bob")
    assert bob.bodies()
    delete(bob, "bob")
    assert bob.last(DeletionFailure).messages_waiting == 1


def test_outcomes_that_wait_do_not_keep_an_account(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob", live=False)
    bob.send("alice")
    alice.confirm()
    assert server.store.state.by_name["bob"].outcomes_waiting == 1
    delete(bob, "bob")
    bob.last(LoggedOut)


def test_force_discards_what_waits_and_tells_each_sender(server: Server) -> None:
    alice, carol, bob = server.user("alice"), server.user("carol"), server.user("bob")
    one, two = alice.send("bob", "carol"), alice.send()
    three = carol.send("bob")
    delete(bob, "bob", force=True)
    assert bob.all(DeletionSuccess)[0].discarded == 3
    bob.last(LoggedOut)
    failures = alice.all(MessageFailure)
    assert [failure.message_id for failure in failures] == [one.message_id, two.message_id]
    for failure in failures:
        assert failure.code == Code.RECIPIENT_DELETED
        assert failure.recipients == ("bob",)
        assert failure.request is None
        assert failure.settled_at_ms == server.now.wall_ms
    assert [failure.message_id for failure in carol.all(MessageFailure)] == [three.message_id]
    assert not alice.all(MessageSuccess)
    alice.confirm()
    assert server.store.state.by_name["alice"].outcomes_waiting == 0


def test_a_sender_who_was_away_learns_of_the_discarded_message_later(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    message = alice.send("bob")
    alice.drop()
    delete(bob, "bob", force=True)
    alice = server.user("alice")
    assert alice.last(LoginSuccess).outcomes_waiting == 1
    alice.check()
    assert alice.all(MessageFailure)[0].message_id == message.message_id


def test_messages_to_oneself_are_discarded_with_the_account(server: Server) -> None:
    alice = server.user("alice")
    alice.send("alice")
    delete(alice, "alice", force=True)
    assert alice.all(DeletionSuccess)[0].discarded == 1
    assert not server.store.state.names


def test_a_new_account_of_that_name_inherits_nothing(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob", installation=b"laptop..")
    alice.send("bob")
    alice.send()
    carol_message = bob.send("alice")
    delete(bob, "bob", force=True)
    alice.confirm()
    bob = server.user("bob", installation=b"laptop..")
    success = bob.last(LoginSuccess)
    assert success.created
    assert (success.messages_waiting, success.outcomes_waiting) == (0, 0)
    assert success.last_seen_ms is None
    bob.check()
    assert bob.complete() == (0, 0)
    bob.say(carol_message)  # nor the duplicate window
    assert bob.last(MessagePending).duplicate is False


# ----- while it goes on ---------------------------------------------------------------------------


def test_a_large_queue_is_discarded_in_slices(server: Server) -> None:
    server = Server(limits=ExchangeLimits(discarded_per_slice_max=10))
    _, bob = half_deleted(server, 25)
    account = server.store.state.by_name["bob"]
    left = [account.own_messages]
    while server.exchange.work(server.now):
        server.exchange.end_turn(server.now)
        left.append(account.own_messages)
    assert left == [25, 15, 5, 0]
    server.turn()
    assert bob.all(DeletionSuccess)[0].discarded == 25


def test_several_deletions_take_turns() -> None:
    server = Server(limits=ExchangeLimits(discarded_per_slice_max=10))
    alice, bob, carol = server.user("alice"), server.user("bob"), server.user("carol")
    for _ in range(25):
        alice.post(alice.message("bob", "carol"))
    server.turn()
    for client, name in ((bob, "bob"), (carol, "carol")):
        client.post(DeletionRequest(9, name, force=True))
    server.read()
    server.exchange.work(server.now)
    server.exchange.work(server.now)
    by_name = server.store.state.by_name
    assert (by_name["bob"].own_messages, by_name["carol"].own_messages) == (15, 15)
    server.turn()
    assert list(by_name) == ["alice"]


def test_an_account_that_is_being_deleted_cannot_log_in_is_not_listed_and_not_deleted_twice(
    server: Server,
) -> None:
    stranger = server.client()
    alice, bob = half_deleted(server, 3)
    bob.post(DeletionRequest(bob.request(), "bob", force=True))
    stranger.post(LoginRequest(1, "bob", b"laptop..", create_if_new=True))
    alice.post(ListAccounts(2))
    server.turn()
    assert bob.all(DeletionFailure)[0].code == Code.BEING_DELETED
    assert stranger.is_refused(Code.BEING_DELETED)
    (page,) = alice.all(AccountList)
    assert [entry.username for entry in page.entries] == ["alice"]
    assert (page.accounts_total, page.accounts_connected) == (1, 1)


def test_no_news_is_pushed_to_one_who_is_being_deleted(server: Server) -> None:
    server.account("carol")
    alice, bob = half_deleted(server, 2)
    alice.send()
    assert not bob.all(Notice)
    assert bob.all(DeletionSuccess)[0].discarded == 2


def test_a_deletion_goes_on_when_its_owner_leaves(server: Server) -> None:
    alice, bob = half_deleted(server, 3)
    server.clients.remove(bob)
    server.exchange.close_session(bob.session, "gone", server.now)
    server.turn()
    assert server.store.state.names == ["alice"]
    assert len(alice.all(MessageFailure)) == 3


def test_a_deletion_that_a_restart_interrupts_is_finished_after_it(server: Server) -> None:
    half_deleted(server, 3)
    for client in tuple(server.clients):
        server.clients.remove(client)
        server.exchange.close_session(client.session, "stopped", server.now)
    server.store.close()
    server.start()
    assert server.store.state.by_name["bob"].closing
    server.turn()
    assert server.store.state.names == ["alice"]
    alice = server.user("alice")
    assert alice.last(LoginSuccess).outcomes_waiting == 3


class Torn:
    """A reader that comes upon damage."""

    exhausted = False

    def read(self, *_: object, **__: object) -> list[object]:
        raise StoreDamaged("mailboxes/00/0.mailbox", 4096, "a block is not what was written")


def test_damage_stops_the_deletion_and_is_named_and_the_server_goes_on(server: Server) -> None:
    alice, bob = half_deleted(server, 1)
    (draining,) = server.exchange._deletion._draining.values()
    need_sources()
    draining.reader = Torn()  # type: ignore[assignment]  # stands in for a reader
    server.turn()
    assert bob.last(Error).code == Code.INTERNAL
    assert "mailboxes/00/0.mailbox" in server.noted(EventKind.ERROR)[0]
    assert server.store.state.names == ["alice", "bob"]
    alice.send("alice")


def test_damage_in_a_deletion_whose_owner_left_is_named_too(server: Server) -> None:
    _, bob = half_deleted(server, 1)
    server.clients.remove(bob)
    server.exchange.close_session(bob.session, "gone", server.now)
    (draining,) = server.exchange._deletion._draining.values()
    need_sources()
    draining.reader = Torn()  # type: ignore[assignment]  # stands in for a reader
    server.turn()
    assert server.noted(EventKind.ERROR)
