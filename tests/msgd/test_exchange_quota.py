import pytest

from msgd.events import EventKind
from msgd.limits import ExchangeLimits
from tests.msgd.fake_server import Client, Server
from wire.codes import Code, NoticeKind
from wire.messages import MessageFailure, Notice

SMALL = ExchangeLimits(mailbox_messages_max=2, mailbox_bytes_max=100, body_bytes_max=100)


@pytest.fixture
def server() -> Server:
    server = Server(limits=SMALL)
    for name in ("bob", "carol", "dave"):
        server.account(name)
    return server


def full_notices(client: Client) -> list[Notice]:
    return [each for each in client.all(Notice) if each.kind == NoticeKind.QUEUE_FULL]


def test_one_more_than_the_quota_is_refused_and_says_for_whom(server: Server) -> None:
    alice = server.user("alice")
    alice.send("bob")
    alice.send("bob")
    assert server.noted(EventKind.WARN) == ["mailbox of bob is full: 2 messages wait"]
    failure = alice.refused(alice.message("bob", "carol"))
    assert (failure.code, failure.recipients) == (Code.QUEUE_FULL, ("bob",))
    assert failure.delivery is None
    assert server.noted(EventKind.REFUSE) == ["a message of alice: queue full (bob)"]
    # All or nothing: carol has nothing either.
    assert server.store.state.by_name["carol"].own_messages == 0


def test_all_who_are_full_are_named(server: Server) -> None:
    alice = server.user("alice")
    for _ in range(2):
        alice.send("bob", "dave")
    failure = alice.refused(alice.message("bob", "carol", "dave"))
    assert failure.recipients == ("bob", "dave")
    assert "2 recipients" in failure.text


def test_bytes_count_as_well(server: Server) -> None:
    alice = server.user("alice")
    alice.send("bob", body="x" * 60)
    assert alice.refused(alice.message("bob", body="x" * 41)).code == Code.QUEUE_FULL
    alice.send("bob", body="x" * 40)
    assert server.store.state.by_name["bob"].own_bytes == 100
    assert server.noted(EventKind.WARN) == ["mailbox of bob is full: 2 messages wait"]


def test_what_is_sent_to_everyone_counts_against_nobody(server: Server) -> None:
    alice = server.user("alice")
    for _ in range(3):
        alice.send()
    alice.send("bob")
    alice.send("bob")
    alice.send()
    assert alice.all(MessageFailure) == []


def test_reading_makes_room(server: Server) -> None:
    alice = server.user("alice")
    alice.send("bob")
    alice.send("bob")
    bob = server.user("bob")
    bob.check()
    bob.confirm()
    alice.send("bob")


def test_the_owner_learns_it_at_the_next_login(server: Server) -> None:
    alice = server.user("alice")
    alice.send("bob")
    alice.send("bob")
    bob = server.user("bob")
    (notice,) = full_notices(bob)
    assert notice.count == 2
    alice.refused(alice.message("bob"))
    assert len(full_notices(bob)) == 1


def test_an_owner_who_is_there_learns_it_once_when_somebody_is_refused(server: Server) -> None:
    alice = server.user("alice")
    bob = server.user("bob")
    assert full_notices(bob) == []
    for _ in range(2):
        alice.send("bob")
    for _ in range(2):
        alice.refused(alice.message("bob"))
    assert len(full_notices(bob)) == 1
