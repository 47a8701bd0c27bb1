"""Delivery at once or on demand, errors for strangers, and the receipts that travel back."""

import pytest

from tests.e2e.stage import Stage, back_to_menu, send_one
from wire.codes import Code
from wire.messages import DistributeMessage, MessageFailure, MessagePending, MessageSuccess

pytestmark = pytest.mark.e2e


def test_a_recipient_who_is_logged_in_gets_it_immediately(stage: Stage) -> None:
    """ "If the recipient is logged in, deliver immediately" """
    stage.start_server()
    bob = stage.client("bob")
    alice = stage.client("alice")
    send_one(alice, "bob", "are you there?")
    # Bob does nothing at all.
    bob.wait_for("New message from alice.", "1 waiting")
    bob.send_keys("2")
    bob.wait_for("are you there?", "From alice to you alone")


def test_a_message_reaches_whatever_screen_is_open(stage: Stage) -> None:
    """ "deliver immediately": a notice, which takes nothing away from what is being written."""
    stage.start_server()
    alice = stage.plain_user("alice")
    bob = stage.client("bob")
    bob.send_keys("1")
    bob.wait_for_match(r"^  alice +ON")
    bob.send_keys("1")
    bob.wait_for_match(r"^> alice ")
    bob.send_keys("Enter")
    bob.wait_for("Write a message")
    bob.type("in the middle of a word")
    bob.wait_for("in the middle of a word")
    alice.send(("bob",), "hello")
    bob.wait_for("New message from alice.", "in the middle of a word")
    assert b"\a" in bob.raw


def test_a_recipient_who_is_away_gets_it_on_demand(stage: Stage) -> None:
    """ "otherwise queue the message and deliver on demand" """
    server = stage.start_server(headless=False)
    stage.create("bob")
    alice = stage.client("alice")
    send_one(alice, "bob", "for when you are back")
    alice.wait_for("Sent to 1 user: 0 delivered, 1 waiting.")
    server.wait_for_waiting("bob", 1)
    bob = stage.client("bob")
    bob.wait_for("1 waiting")
    # On demand: being connected alone does not deliver it.
    assert "for when you are back" not in bob.text
    server.wait_for_waiting("bob", 1)
    bob.send_keys("2")
    bob.wait_for("for when you are back")
    server.wait_for_waiting("bob", 0)


def test_a_message_to_a_stranger_is_an_error(stage: Stage) -> None:
    """ "If the message is sent to someone who isn't a user, return an error message" """
    stage.start_server()
    stage.create("bob")
    alice = stage.plain_user("alice")
    refused = alice.send(("nobody",), "hello?")
    assert isinstance(refused, MessageFailure)
    assert refused.code == Code.UNKNOWN_RECIPIENT
    assert refused.recipients == ("nobody",)
    # All or nothing: the one who exists does not get it either, and the strangers are named.
    refused = alice.send(("bob", "nobody", "no-one"), "hello?")
    assert isinstance(refused, MessageFailure)
    assert set(refused.recipients) == {"nobody", "no-one"}
    assert stage.plain_user("bob").check() == []


def test_a_recipient_deleted_in_the_meantime_is_an_error_on_the_screen(stage: Stage) -> None:
    """ "someone who isn't a user": not any more, while the client's list still has the name."""
    stage.start_server()
    bob = stage.plain_user("bob")
    alice = stage.client("alice")
    alice.send_keys("1")
    alice.wait_for("bob", "As the server said at")
    alice.send_keys("1")
    alice.wait_for_match(r"^> bob ")
    alice.send_keys("Enter")
    alice.wait_for("Write a message", "To: bob")
    bob.delete("bob")
    bob.expect_end()
    alice.type("too late")
    alice.wait_for("too late")
    alice.send_keys("C-d")
    alice.wait_for('Not sent. No user matches "bob".')
    # What was written is not lost.
    back_to_menu(alice)
    alice.send_keys("4")
    alice.wait_for("too late", "FAILED")


def test_undelivered_messages_are_delivered_to_one_user(stage: Stage) -> None:
    """ "Deliver undelivered messages to a particular user" """
    stage.start_server()
    stage.create("bob", "carol")
    alice = stage.plain_user("alice")
    for number in range(3):
        alice.send(("bob", "carol"), f"text {number}")
    bob = stage.plain(b"bob.....")
    assert bob.log_in("bob").messages_waiting == 3
    assert [one.body for one in bob.check()] == [b"text 0", b"text 1", b"text 2"]
    carol = stage.plain(b"carol...")
    assert carol.log_in("carol").messages_waiting == 3


def test_pending_then_success_when_the_recipient_confirms(stage: Stage) -> None:
    """ "Success comes when recipient confirms." "Triggers a MESSAGE_SUCCESS msg from server to
    original sender." "Maybe messages need a unique ID so this goes smoothly"
    """
    stage.start_server()
    bob = stage.plain_user("bob", live=True)
    alice = stage.plain_user("alice", live=True)
    pending = alice.send(("bob",), "hello")
    assert isinstance(pending, MessagePending)
    message = bob.expect(DistributeMessage)
    assert message.sender == "alice"
    assert message.message_id == pending.message_id
    alice.list_accounts()
    assert alice.heard == (), "no success before the recipient has confirmed"
    assert bob.confirm(message.delivery) == 1
    success = alice.expect(MessageSuccess)
    assert (success.message_id, success.recipient) == (pending.message_id, "bob")
    # A second receipt changes nothing.
    assert bob.confirm(message.delivery) == 0


def test_the_sender_is_told_at_once_when_online(stage: Stage) -> None:
    """ "Triggers a MESSAGE_SUCCESS msg from server to original sender": as people see it."""
    stage.start_server()
    stage.create("carol")
    stage.client("bob")
    alice = stage.client("alice")
    send_one(alice, "bob", "hello bob")
    alice.wait_for("Sent to 1 user: 1 delivered, 0 waiting.")
    back_to_menu(alice)
    alice.wait_for("0 waiting, 1 delivered")
    alice.send_keys("3")
    alice.wait_for("Sent messages", "hello bob", "delivered")


def test_the_sender_is_told_later_when_it_was_away(stage: Stage) -> None:
    """ "MESSAGE_SUCCESS msg from server to original sender": it waits for a sender who is away,
    also over a restart of the server.
    """
    server = stage.start_server()
    stage.create("bob")
    alice = stage.client("alice")
    send_one(alice, "bob", "read it when you can")
    alice.wait_for("Sent to 1 user: 0 delivered, 1 waiting.")
    alice.send_keys("Esc")
    alice.wait_for("1 waiting, 0 delivered")
    alice.send_keys("q")
    assert alice.wait_for_exit() == 0
    assert len(stage.plain_user("bob").check()) == 1
    server.restart()
    again = stage.client("alice")
    again.wait_for("1 of yours was delivered", "0 waiting, 1 delivered")


def test_success_is_told_for_each_recipient(stage: Stage) -> None:
    """ "Confirmation that a specific message was received": by whom, too."""
    stage.start_server()
    bob, carol = stage.plain_user("bob"), stage.plain_user("carol")
    alice = stage.client("alice")
    alice.send_keys("1")
    alice.wait_for("3 users", "As the server said at")
    alice.send_keys("3")
    alice.wait_for("Write a message")
    alice.type("to both")
    alice.wait_for("to both")
    alice.send_keys("C-d")
    alice.wait_for("Sent to 2 users: 0 delivered, 2 waiting.")
    bob.check()
    alice.wait_for("Sent to 2 users: 1 delivered, 1 waiting.")
    carol.check()
    alice.wait_for("Sent to 2 users: 2 delivered, 0 waiting.")


def test_several_clients_at_once_with_one_server(stage: Stage) -> None:
    """ "Allow multiple clients to connect to server simultaneously" """
    stage.start_server()
    users = [stage.plain_user(f"user-{place}", live=True) for place in range(10)]
    for user in users:
        user.send((), "hello everybody", everyone=True)
    for place, user in enumerate(users):
        senders = {user.expect(DistributeMessage).sender for _ in range(9)}
        assert senders == {f"user-{other}" for other in range(10) if other != place}
