"""Coming in: the prompt for a name, the panel in real time, names in use, names used again."""

import pytest

from tests.e2e.machine import free_port
from tests.e2e.stage import Stage, back_to_menu
from wire.codes import Code, Presence
from wire.messages import LoginFailure, LoginRequest

pytestmark = pytest.mark.e2e


def test_the_client_prompts_for_a_username_and_tells_of_the_connection(stage: Stage) -> None:
    """ "Clients will prompt the user for a username."

    "When the client is connected, the user should be notified of the active connection."
    """
    stage.start_server()
    client = stage.open_client("alice")
    client.wait_for("Username:", "[not connected]")
    client.send_keys("alice", "Enter")
    screen = client.wait_for("You are connected as alice.", "online")
    assert "Username:" not in screen


def test_the_panel_shows_a_username_in_real_time(stage: Stage) -> None:
    """ "When a client connects to the server, its username should be displayed by the server in
    real time." And: "Print that a client has connected, log the client's username"
    """
    server = stage.start_server(headless=False)
    server.panel.wait_for("0 known")
    client = stage.open_client("alice")
    client.wait_for("Username:")
    assert "alice" not in server.panel.text
    client.send_keys("alice", "Enter")
    # Nobody asks the panel for anything: it changes by itself.
    server.wait_for_row("alice", "* ON")
    server.panel.wait_for_match(r"^ \d\d:\d\d:\d\d CONNECT +alice from 127\.0\.0\.1:\d+")


def test_a_username_in_use_is_rejected_and_asked_for_again(stage: Stage) -> None:
    """ "Should the server detect a concurrent conflict in username, the client's connection should
    be rejected, and the client's user should be prompted to input a different name."
    """
    server = stage.start_server(headless=False)
    first = stage.client("alice")
    second = stage.open_client("elsewhere")
    second.wait_for("Username:")
    second.send_keys("alice", "Enter")
    screen = second.wait_for("Username alice is already in use, choose another.", "Username:")
    assert "You are connected" not in screen
    server.panel.wait_for_match(r"REJECT +alice from 127\.0\.0\.1:\d+: username in use")
    server.panel.wait_for("1 connected")
    # A different name is taken, and the one who holds the first name was not disturbed.
    second.send_keys("bob", "Enter")
    second.wait_for("You are connected as bob.")
    server.wait_for_row("bob", "* ON")
    server.wait_for_row("alice", "* ON")
    first.wait_for("You are connected as alice.")
    assert server.log.count("CONNECT alice") == 1


def test_the_same_home_in_two_panes_is_a_conflict_too(stage: Stage) -> None:
    """ "Two or more clients may not use the same username simultaneously." """
    stage.start_server()
    stage.client("alice")
    second = stage.open_client("alice", "alice")
    second.wait_for("Username alice is already in use, choose another.", "Username:")


def test_a_conflict_by_the_plain_protocol(stage: Stage) -> None:
    """ "If the username is in use, reject the connection from that client." """
    stage.start_server()
    holder = stage.plain_user("alice")
    other = stage.plain(b"other...")
    other.say(LoginRequest(1, "alice", other.installation, create_if_new=True))
    holder.answer_ping()
    assert other.expect(LoginFailure).code == Code.IN_USE
    # Only the name was refused: this connection may try another.
    other.log_in("bob")
    assert {entry.username for entry in holder.list_accounts()} == {"alice", "bob"}


def test_a_silent_holder_loses_its_name_after_two_seconds(stage: Stage) -> None:
    """ "(e.g., not currently being used by another client)": a dead client uses nothing."""
    stage.start_server()
    silent = stage.plain_user("alice")  # nobody reads here from now on
    client = stage.open_client("alice", "alice")
    client.wait_for("You are connected as alice.")
    error = silent.expect_end()
    assert error is not None
    assert "no answer for 2 seconds" in error.text


def test_three_clients_at_once(stage: Stage) -> None:
    """ "The server should support three concurrently connected clients." """
    server = stage.start_server(headless=False)
    names = ("alice", "bob", "carol")
    clients = [stage.open_client(name, name) for name in names]
    for name, client in zip(names, clients, strict=True):
        client.wait_for(f"You are connected as {name}.")
        server.wait_for_row(name, "* ON")
    server.panel.wait_for("3 known", "3 connected")
    # All three are served while all three are there.
    for client in clients:
        client.send_keys("1")
    for client in clients:
        client.wait_for("3 users, 3 connected", "As the server said at", *names)


@pytest.mark.parametrize("count", [3, 50, 500])
def test_many_clients_by_the_plain_protocol(stage: Stage, count: int) -> None:
    """ "The server should be able to handle all three clients concurrently."

    Each of 3, 50, 500 sends to the next one in the ring and reads, while all are connected.
    """
    stage.start_server()
    names = [f"user-{place:03}" for place in range(count)]
    users = [stage.plain_user(name) for name in names]
    assert len(users[0].list_accounts()) == count
    for place, user in enumerate(users):
        user.send((names[(place + 1) % count],), f"from {names[place]}")
    for place, user in enumerate(users):
        got = user.check()
        assert [(one.sender, one.body.decode()) for one in got] == [
            (names[place - 1], f"from {names[place - 1]}")
        ]
    listed = users[-1].list_accounts()
    assert [entry.username for entry in listed] == names
    assert all(entry.presence == Presence.ON for entry in listed)


def test_the_log_of_usernames_is_cumulative_and_tells_who_is_connected(stage: Stage) -> None:
    """ "The server will keep a cumulative log of previously used usernames and display those names
    on its GUI. The server should indicate which of those usernames represent clients presently
    connected to the server and which are not connected."
    """
    server = stage.start_server(headless=False)
    alice, bob = stage.client("alice"), stage.client("bob")
    server.wait_for_row("alice", "* ON")
    bob.send_keys("q")
    assert bob.wait_for_exit() == 0
    assert "now" not in server.wait_for_row("bob", "off")
    assert "* ON" in server.row("alice")
    server.panel.wait_for("2 known", "1 connected")
    alice.send_keys("q")
    assert alice.wait_for_exit() == 0
    # Nobody is there any more, and both names still are; also after a restart.
    server.wait_for_row("alice", "off")
    server.wait_for_row("bob", "off")
    server.restart()
    server.wait_for_row("alice", "off")
    server.wait_for_row("bob", "off")
    server.panel.wait_for("2 known", "0 connected")


def test_a_username_used_again_has_no_second_entry(stage: Stage) -> None:
    """ "Clients may reuse usernames and a client reusing an extant username should not be treated
    as a duplicate in the log."
    """
    server = stage.start_server(headless=False)
    for visit in range(1, 4):
        # Each time from another home: the name is what counts.
        client = stage.open_client(f"home-{visit}", "alice" if visit < 3 else "Alice")
        client.wait_for("You are connected as alice.")
        server.wait_for_row("alice", "* ON")  # and no second row: see Server.row
        client.send_keys("q")
        assert client.wait_for_exit() == 0
        server.wait_for_row("alice", "off")
    server.panel.wait_for("1 known", "Logins 3")
    assert server.log.count("CREATE alice") == 1
    assert [entry.username for entry in stage.plain_user("bob").list_accounts("a*")] == ["alice"]


def test_the_client_stays_connected_until_its_user_leaves(stage: Stage) -> None:
    """ "The client should remain connected to the server until manually disconnected by the
    user." And: "Proceed to send and check for messages until manually killed by the user."
    """
    server = stage.start_server(options=("--ping-idle-ms", "300", "--dead-after-ms", "2500"))
    client = stage.client("alice")
    server.wait_for_log("CONNECT alice")
    for key, shown in (("1", "1-to-1"), ("2", "No messages are available"), ("6", "Accounts")):
        client.send_keys(key)
        client.wait_for(shown)
        back_to_menu(client)
    # Another user sits there, silent for the server's whole patience, and is closed; she is not.
    silent = stage.plain_user("carol")
    server.wait_for_log("DISCONNECT carol")
    assert silent.welcome.ping_interval_ms == 300
    client.wait_for("You are connected as alice.", "online")
    assert "DISCONNECT alice" not in server.log
    client.send_keys("q")
    assert client.wait_for_exit() == 0
    server.wait_for_log("DISCONNECT alice")


def test_an_unreachable_server_is_said_and_tried_again(stage: Stage) -> None:
    """ "Connect to the server over a socket": also when the server comes later than its users."""
    server = stage.add_server()
    server.port = free_port()
    client = stage.open_client("alice", "alice")
    client.wait_for(f"Cannot reach the server at 127.0.0.1:{server.port}", "try again in")
    server.start()
    client.send_keys("r")
    client.wait_for("You are connected as alice.")
