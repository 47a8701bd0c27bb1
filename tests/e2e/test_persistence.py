"""Queues that survive: new ones, empty ones, full ones, and clients that come back."""

import pytest

from tests.e2e.stage import Stage
from wire.messages import MessageFailure, MessagePending, SendMessage

pytestmark = pytest.mark.e2e


def test_a_new_username_gets_a_queue_of_its_own(stage: Stage) -> None:
    """ "When the server encounters a new username, a unique message queue should be created for
    that username." And: "an independent queue should exist for each name."
    """
    server = stage.start_server()
    client = stage.client("alice")
    client.wait_for("This name is new: its account and its message queue were made just now.")
    stage.create("bob")
    server.restart()
    boxes = server.mailboxes()
    assert len(boxes) == 2
    # Independent: what is put into one is in that one only.
    stage.plain_user("carol").send(("bob",), "in bob's queue")
    server.restart()
    dumps = {name: server.tool("dump", str(server.data), name) for name in ("alice", "bob")}
    assert "in bob's queue" in dumps["bob"]
    assert "in bob's queue" not in dumps["alice"]
    assert server.mailboxes() > boxes


def test_a_known_username_keeps_its_queue(stage: Stage) -> None:
    """ "If a client name has not been encountered in the past, a new message queue for that client
    should be instantiated": and no second one if it has.
    """
    server = stage.start_server()
    for _ in range(2):
        stage.client("alice").close()
        server.restart()
        assert len(server.mailboxes()) == 1
    again = stage.client("alice")
    assert "This name is new" not in again.text


def test_an_empty_queue_survives_kill_9(stage: Stage) -> None:
    """ "Queues should be persistent (e.g., the contents should survive the server process
    restarting) even if there are no messages in that queue when the server process is killed."
    """
    server = stage.start_server(headless=False)
    stage.create("alice")
    server.wait_for_row("alice", "off")
    server.kill()
    server.start()
    # The name is known, its queue is there, empty, in its file, and can be used.
    server.wait_for_row("alice", "off")
    server.wait_for_waiting("alice", 0)
    assert len(server.mailboxes()) == 1
    bob = stage.plain_user("bob")
    assert isinstance(bob.send(("alice",), "into the old queue"), MessagePending)
    alice = stage.plain(b"alice...")
    assert not alice.log_in("alice", create=False).created
    assert [one.body for one in alice.check()] == [b"into the old queue"]
    assert alice.check() == []
    # Emptied by reading, killed again: still there, still empty.
    server.restart()
    alice = stage.plain(b"alice...")
    assert alice.log_in("alice", create=False).messages_waiting == 0


def test_the_contents_of_a_queue_survive_kill_9(stage: Stage) -> None:
    """ "the contents should survive the server process restarting" """
    server = stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    answers = [bob.send(("alice",), f"text {number}") for number in range(20)]
    server.kill()  # right after the last acknowledgement
    server.start()
    got = stage.plain_user("alice").check()
    assert [one.body.decode() for one in got] == [f"text {number}" for number in range(20)]
    stamps = [answer.received_at_ms for answer in answers if isinstance(answer, MessagePending)]
    assert [one.received_at_ms for one in got] == stamps
    assert server.tool("fsck", str(server.data)).strip().endswith("is sound")


def test_kill_9_in_the_middle_of_sending_loses_nothing_acknowledged(stage: Stage) -> None:
    """ "the contents should survive the server process restarting": killed under load, and what
    has no answer is sent again with the same id and is there once.
    """
    server = stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    sent: list[tuple[bytes, bytes]] = []
    for number in range(200):
        message_id, body = bob.next_message_id(), f"text {number}".encode()
        sent.append((message_id, body))
        bob.say(SendMessage(bob.next_request(), message_id, body, ("alice",)))
    acknowledged = [bob.expect(MessagePending).message_id for _ in range(50)]
    server.restart()
    again = stage.plain_user("bob")
    for message_id, body in sent:
        again.say(SendMessage(again.next_request(), message_id, body, ("alice",)))
        answer = again.expect_either(MessagePending, MessageFailure)
        assert isinstance(answer, MessagePending), answer
        assert answer.duplicate or message_id not in acknowledged
    got = stage.plain_user("alice").check()
    assert [one.body for one in got] == [body for _, body in sent]


def test_clients_come_back_by_themselves(stage: Stage) -> None:
    """ "The client should remain connected to the server until manually disconnected by the user":
    a server that is killed and started again is no reason to leave.
    """
    server = stage.start_server(headless=False)
    clients = {name: stage.client(name) for name in ("alice", "bob", "carol")}
    server.kill()
    for client in clients.values():
        client.wait_for("You are not connected", "OFFLINE, try again in")
    server.start()
    for name, client in clients.items():
        # No key is pressed.
        client.wait_for(f"You are connected as {name}.", "online")
        server.wait_for_row(name, "* ON")
    server.panel.wait_for("3 known", "3 connected")
    clients["bob"].send_keys("2")
    clients["bob"].wait_for("No messages are available")


def test_what_is_written_while_the_server_is_away_goes_by_itself(stage: Stage) -> None:
    """ "The client will upload the text message to the server": as soon as there is one."""
    server = stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    client.send_keys("1")
    client.wait_for("As the server said at", "bob")
    server.kill()
    client.wait_for("OFFLINE")
    client.send_keys("1")
    client.wait_for_match(r"^> bob ")
    client.send_keys("Enter")
    client.wait_for("Write a message", "To: bob")
    client.type("for later")
    client.wait_for("for later")
    client.send_keys("C-d")
    client.wait_for("Not sent yet: it goes by itself when the server answers.", "1 unsent")
    server.start()
    client.wait_for("Sent to 1 user: 0 delivered, 1 waiting.", "online")
    assert [one.body for one in stage.plain_user("bob").check()] == [b"for later"]


def test_an_unsent_message_survives_the_client_too(stage: Stage) -> None:
    """ "When the user has finished, the text message should be uploaded to the server": also when
    both programs were killed in between, and once.
    """
    server = stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    client.send_keys("1")
    client.wait_for("As the server said at", "bob")
    server.kill()
    client.wait_for("OFFLINE")
    client.send_keys("3")
    client.wait_for("Write a message")
    client.type("still here")
    client.wait_for("still here")
    client.send_keys("C-d")
    client.wait_for("Not sent yet")
    client.kill()
    server.start()
    again = stage.client("alice")
    again.wait_for("0 unsent")
    server.wait_for_log("SEND alice to everyone (1)")
    assert [one.body for one in stage.plain_user("bob").check()] == [b"still here"]


def test_the_server_tells_its_clients_when_it_stops(stage: Stage) -> None:
    """ "until the process is killed by the user": the polite way, with the exit code of success."""
    server = stage.start_server()
    client = stage.client("alice")
    assert server.stop() == 0
    client.wait_for("You are not connected")
    server.start()
    client.wait_for("You are connected as alice.")
    client.wait_for("Connected again.")


def test_a_server_at_work_with_its_panel_ends_by_a_key(stage: Stage) -> None:
    """ "Begin at step 2 until the process is killed by the user." """
    server = stage.start_server(headless=False)
    client = stage.client("alice")
    server.wait_for_row("alice", "* ON")
    server.panel.send_keys("q")
    server.panel.wait_for(
        "1 user is connected. Tell them and end the server?", "y:yes"
    )  # asks, for somebody is connected
    assert server.alive
    server.panel.send_keys("y")
    assert server.panel.wait_for_exit() == 0
    client.wait_for("You are not connected")
