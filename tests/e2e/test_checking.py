"""Checking for messages: with and without mail, who and when, and gone from the queue after."""

import re
from datetime import UTC, datetime
from time import time

import pytest

from tests import no_brakes
from tests.e2e.stage import Stage, back_to_menu
from wire.messages import MessagePending

pytestmark = pytest.mark.e2e


def test_without_mail_the_user_is_told_so(stage: Stage) -> None:
    """ "If the queue is currently empty, the user should be notified that no messages are
    available."
    """
    stage.start_server()
    client = stage.client("alice")
    client.send_keys("2")
    client.wait_for_match(r"^ +No messages are available \(asked the server at \d\d:\d\d:\d\d\)\.$")
    # "Return to Receiving Messages: Step 1": it can be asked again, and again after the menu.
    client.send_keys("R")
    client.wait_for("No messages are available")
    back_to_menu(client)
    client.send_keys("2")
    client.wait_for("No messages are available")


def test_with_mail_the_whole_queue_is_shown(stage: Stage) -> None:
    """ "If the user selects "Check for messages", the server should deliver the contents of the
    message queue that corresponds to that client's present username." And: "The client will
    retrieve all text messages addressed to it; and, Print the content of those text messages".
    """
    stage.start_server()
    stage.create("alice", "carol")
    bob = stage.plain_user("bob")
    for number in range(1, 5):
        bob.send(("alice",), f"text {number} for alice")
    bob.send(("carol",), "not for alice")
    client = stage.client("alice")
    client.wait_for("Since your last visit: 4 new messages", "4 waiting")
    client.send_keys("2")
    screen = client.wait_for("4 messages delivered.", *(f"text {n} for alice" for n in range(1, 5)))
    assert "not for alice" not in screen
    # In the order in which the server took them.
    places = [screen.index(f"text {number} for alice") for number in range(1, 5)]
    assert places == sorted(places)


def test_sender_and_the_servers_time_stamp_are_shown(stage: Stage) -> None:
    """ "The text message should indicate from which username the message was received and a
    timestamp of when that message was received by the server."
    """
    stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    before_ms = int(time() * 1_000)
    answer = bob.send(("alice",), "when was it?")
    assert isinstance(answer, MessagePending)
    received_at_ms = answer.received_at_ms
    assert received_at_ms is not None
    # "mark that message with the time of its reception"
    assert before_ms <= received_at_ms <= int(time() * 1_000)
    stamp = datetime.fromtimestamp(received_at_ms // 1_000, UTC)
    client = stage.client("alice")
    client.send_keys("2")
    client.wait_for(f"From bob to you alone, received {stamp:%Y-%m-%d %H:%M:%S}")
    client.wait_for_match(rf"^> N +{stamp:%H:%M:%S} +bob +1 +when was it\?")
    client.send_keys("Enter")
    client.wait_for("From      bob", f"Received  {stamp:%Y-%m-%d %H:%M:%S} by the server")


def test_the_time_stamp_is_the_servers_and_not_that_of_delivery(stage: Stage) -> None:
    """ "Received messages should be marked with a timestamp": it stays what it was."""
    server = stage.start_server()
    stage.create("alice")
    answer = stage.plain_user("bob").send(("alice",), "an old one")
    assert isinstance(answer, MessagePending)
    server.restart()
    got = stage.plain_user("alice").check()
    assert [one.received_at_ms for one in got] == [answer.received_at_ms]


def test_messages_are_removed_once_they_are_retrieved(stage: Stage) -> None:
    """ "Once messages are retrieved by the client, the server should delete them from the queue."
    And: "Any messages delivered to the client should be removed from the persistent message queue."
    """
    server = stage.start_server(headless=False)
    stage.create("alice")
    bob = stage.plain_user("bob")
    for text in ("one", "two", "three"):
        bob.send(("alice",), text)
    server.wait_for_row("alice", "off")
    server.wait_for_waiting("alice", 3)
    client = stage.client("alice")
    client.send_keys("2")
    client.wait_for("one", "two", "three", "3 messages delivered.")
    server.wait_for_waiting("alice", 0)
    client.send_keys("R")
    client.wait_for("Nothing else waits")
    client.close()
    # The removal is on the disk: neither a killed server nor another home brings them back.
    server.restart()
    server.wait_for_row("alice", "off")
    server.wait_for_waiting("alice", 0)
    other = stage.open_client("elsewhere", "alice")
    other.wait_for("You are connected as alice.", "0 waiting")
    other.send_keys("2")
    other.wait_for("No messages are available")


def test_messages_stay_until_the_client_has_confirmed_them(stage: Stage) -> None:
    """ "Once messages are retrieved by the client": a client that dies has not retrieved them."""
    server = stage.start_server()
    stage.create("alice")
    stage.plain_user("bob").send(("alice",), "do not lose me")
    dying = stage.plain_user("alice")
    assert len(dying.check(confirm=False)) == 1
    dying.close()
    again = stage.plain_user("alice")
    assert [one.body for one in again.check(confirm=False)] == [b"do not lose me"]
    server.restart()
    last = stage.plain_user("alice")
    assert [one.body for one in last.check()] == [b"do not lose me"]
    assert last.check() == []


def test_what_was_received_is_kept_by_the_client(stage: Stage) -> None:
    """ "Print the content of those text messages to its GUI": also the next day."""
    stage.start_server()
    stage.create("alice")
    stage.plain_user("bob").send(("alice",), "remember this")
    client = stage.client("alice")
    client.send_keys("2")
    client.wait_for("remember this")
    client.kill()
    again = stage.client("alice")
    again.wait_for("1 kept")
    again.send_keys("5")
    again.wait_for("History", "remember this", "bob")


def test_a_long_queue_is_delivered_whole_and_in_order(stage: Stage) -> None:
    """ "This queue must be able to contain an arbitrary number of messages." """
    server = stage.start_server(options=no_brakes.ARGUMENTS)
    stage.create("alice")
    bob = stage.plain_user("bob")
    count = 1_000
    for number in range(count):
        bob.send(("alice",), f"text {number}")
    server.restart()
    client = stage.client("alice")
    client.wait_for("1,000 waiting")
    client.send_keys("2")
    client.wait_for("1,000 messages delivered.", "1,000 messages", "[1-", "text 0")
    found = re.findall(r"text (\d+)", client.text)
    assert found[:5] == ["0", "1", "2", "3", "4"]
    history = stage.msgc("alice", "history", "text", "--json")
    assert history.code == 0
    assert history.out.count('"kind":"message"') == count
