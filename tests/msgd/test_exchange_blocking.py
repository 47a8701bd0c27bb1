"""Blocking: who does it, who is refused by it, who is told what."""

import pytest

from msgd.events import EventKind
from store.settings import Admission
from tests.msgd.fake_server import Client, Server
from tests.sources_only import need_sources
from wire.codes import Code
from wire.limits import BLOCKED_MAX
from wire.messages import BlockFailure, BlockSenders, DistributeMessage, SendersBlocked


@pytest.fixture
def server() -> Server:
    server = Server()
    for name in ("bob", "carol", "dave"):
        server.account(name)
    return server


def change(client: Client, *blocked: str, unblocked: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Ask for it; who is blocked then."""
    client.say(BlockSenders(client.request(), blocked, unblocked))
    return client.last(SendersBlocked).blocked


def failure(client: Client, *blocked: str) -> int:
    client.say(BlockSenders(client.request(), blocked))
    return client.last(BlockFailure).code


def test_a_blocked_sender_is_refused_and_says_by_whom(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    assert change(bob, "Alice") == ("alice",)
    refused = alice.refused(alice.message("carol", "bob"))
    assert (refused.code, refused.recipients) == (Code.BLOCKED, ("bob",))
    assert refused.delivery is None
    assert server.store.state.by_name["carol"].own_messages == 0, "all or nothing"
    assert server.noted(EventKind.REFUSE) == ["a message of alice: blocked (bob)"]
    alice.send("carol")
    carol = server.user("carol")
    carol.send("bob")
    bob.send("alice")


def test_unblocked_again(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    assert change(bob, "alice", "carol") == ("alice", "carol")
    assert change(bob, "dave", unblocked=("alice", "nobody")) == ("carol", "dave")
    assert change(bob) == ("carol", "dave")
    alice.send("bob")
    assert bob.all(DistributeMessage)


def test_what_waits_already_is_delivered_and_everyone_is_reached(server: Server) -> None:
    alice = server.user("alice")
    alice.send("bob", body="before")
    bob = server.user("bob", live=False)
    change(bob, "alice")
    alice.send(body="to all")
    bob.check()
    assert bob.bodies() == ["before", "to all"]


def test_a_retry_of_what_was_taken_is_no_new_message(server: Server) -> None:
    alice, bob = server.user("alice"), server.user("bob")
    sent = alice.send("bob")
    change(bob, "alice")
    alice.say(sent)
    assert "MessagePending" in type(alice.inbox[-1]).__name__


def test_nobody_else_learns_of_it(server: Server) -> None:
    bob = server.user("bob")
    change(bob, "carol")
    assert server.noted(EventKind.BLOCK) == ["bob blocks 1"]
    change(bob, "carol")
    assert server.noted(EventKind.BLOCK) == ["bob blocks 1"], "nothing was changed"


def test_it_outlives_the_session_and_the_server(server: Server) -> None:
    bob = server.user("bob")
    change(bob, "carol")
    server.stop()
    server.start()
    bob = server.user("bob")
    assert change(bob) == ("carol",)


def test_a_new_account_of_an_old_name_is_somebody_else(server: Server) -> None:
    bob = server.user("bob")
    change(bob, "carol", "dave")
    state = server.store.state
    server.store.delete_account(state.by_name["carol"], 1)
    server.account("carol")
    assert change(bob) == ("dave",)
    server.user("carol").send("bob")


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("nobody",), Code.UNKNOWN_USER),
        (("carol", "nobody"), Code.UNKNOWN_USER),
        (("bob",), Code.NAME_INVALID),
        (("\x1b",), Code.UNKNOWN_USER),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_changed(
    server: Server, names: tuple[str, ...], code: Code
) -> None:
    bob = server.user("bob")
    assert failure(bob, *names) == code
    assert change(bob) == ()


def test_256_and_one_more(server: Server) -> None:
    bob = server.user("bob")
    for number in range(BLOCKED_MAX):
        server.store.create_account(f"u{number}", 1)
    names = tuple(f"u{number}" for number in range(BLOCKED_MAX))
    assert change(bob, *names) == names
    assert failure(bob, "carol") == Code.TOO_MANY_BLOCKED
    assert change(bob, "carol", unblocked=("u7",))[-1] == "carol"


@pytest.mark.parametrize(
    ("admission", "code"),
    [(Admission.FULL, Code.STORAGE_FULL), (Admission.BUSY, Code.BUSY)],
)
def test_a_full_disk_takes_no_changes_but_tells(
    server: Server, admission: Admission, code: Code
) -> None:
    bob = server.user("bob")
    change(bob, "carol")
    need_sources()
    server.store.keeper.admission = lambda: admission  # type: ignore[method-assign]  # a full disk
    bob.say(BlockSenders(9, ("dave",)))
    assert [each.code for each in bob.all(BlockFailure)] == [code]
    assert change(bob) == ("carol",)


def test_who_is_being_deleted_changes_nothing(server: Server) -> None:
    bob = server.user("bob")
    server.store.begin_deletion(server.store.state.by_name["bob"], 1)
    assert failure(bob, "carol") == Code.BEING_DELETED
