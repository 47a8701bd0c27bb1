"""Sending: the menu, the log of usernames, the three options, the text, and back again."""

import pytest

from tests.e2e.stage import Stage, back_to_menu, compose, send_one
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e


def open_send_screen(client: Terminal, users: int) -> str:
    """From the menu; waits for the server's list."""
    client.send_keys("1")
    return client.wait_for("Send message", f"{users} users", "As the server said at")


def test_the_user_selects_one_of_two_options(stage: Stage) -> None:
    """ "When a client connects to the server, the user should be prompted to select one of two
    options: Send message; or, Check for messages."
    """
    stage.start_server()
    client = stage.client("alice")
    rows = [line.strip(" >") for line in client.lines]
    options = [row for row in rows if row[:1].isdigit()]
    assert options[0].split("   ")[1] == "Send message"
    assert options[1].split("   ")[1] == "Check for messages"
    client.send_keys("1")
    client.wait_for("1-to-1")
    back_to_menu(client)
    client.send_keys("2")
    client.wait_for("No messages are available")
    back_to_menu(client)
    # The same by arrows and Enter, and by letters.
    client.send_keys("Up")
    client.wait_for_match(r"^ > 1 +s +Send message")
    client.send_keys("Enter")
    client.wait_for("1-to-1")
    back_to_menu(client)
    client.send_keys("c")
    client.wait_for("No messages are available")


def test_the_server_provides_the_log_of_usernames(stage: Stage) -> None:
    """ "If the user selects "Send message", the server should provide the log of usernames to the
    client." And: "The client will present the list of usernames received by the server".
    """
    stage.start_server()
    client = stage.client("alice")
    stage.create("dave")
    bob = stage.plain_user("bob")
    screen = open_send_screen(client, 3)
    assert "alice" in screen
    client.wait_for_match(r"^  bob +ON +now +delivered at once")
    client.wait_for_match(r"^  dave +off +never +waits")
    # Asked anew each time: the list is the server's, not the client's.
    back_to_menu(client)
    stage.create("erin")
    bob.log_out()
    open_send_screen(client, 4)
    client.wait_for_match(r"^  bob +off ")
    client.wait_for_match(r"^  erin +off ")


def test_the_user_selects_one_of_three_options(stage: Stage) -> None:
    """ "The user will then be prompted to select from one of three options: 1. Send message to
    specific username (1-to-1) 2. Send message to a subset of usernames (1-to-n) 3. Send a message
    to all usernames (1-to-all)"
    """
    stage.start_server()
    client = stage.client("alice")
    stage.create("bob", "carol")
    open_send_screen(client, 3)
    client.wait_for_match(r"^ > 1  To one user +\(1-to-1\)")
    client.wait_for_match(r"^   2  To several users +\(1-to-n\)")
    client.wait_for_match(r"^   3  To all users +\(1-to-all, 2 users\)")
    for key, title in (("1", "Send to one user"), ("2", "Send to several users")):
        client.send_keys(key)
        client.wait_for(title)
        client.send_keys("Esc")
        client.wait_for("1-to-all")
    client.send_keys("3")
    client.wait_for("Write a message", "To: all users but yourself")


def test_one_to_one(stage: Stage) -> None:
    """ "Send message to specific username (1-to-1)" """
    server = stage.start_server()
    client = stage.client("alice")
    stage.create("bob", "carol")
    send_one(client, "bob", "for bob alone")
    client.wait_for("Sent to 1 user: 0 delivered, 1 waiting.")
    server.wait_for_log("SEND alice to bob\n")
    assert [one.body for one in stage.plain_user("bob").check()] == [b"for bob alone"]
    assert stage.plain_user("carol").check() == []


def test_one_to_n(stage: Stage) -> None:
    """ "Send message to a subset of usernames (1-to-n)" """
    stage.start_server()
    client = stage.client("alice")
    stage.create("bob", "bonnie", "carol", "dave")
    open_send_screen(client, 5)
    client.send_keys("2")
    client.wait_for("Send to several users", "To: nobody yet")
    # By name, and by a mark where the arrow stands.
    client.type("carol")
    client.wait_for_match(r"^> \[ \]  carol ")
    client.send_keys("Enter")
    client.wait_for_match(r"^> \[x\]  carol ")
    client.send_keys("Down")
    client.wait_for_match(r"^> \[ \]  dave ")
    client.type(" ")
    client.wait_for("To: carol and dave")
    client.send_keys("Enter")
    compose(client, "To: carol and dave", "for two of you")
    client.wait_for("Sent to 2 users: 0 delivered, 2 waiting.")
    for name, count in (("bob", 0), ("bonnie", 0), ("carol", 1), ("dave", 1)):
        assert len(stage.plain_user(name).check()) == count, name


def test_one_to_n_by_wildcard(stage: Stage) -> None:
    """ "it is the developer's discretion ... how the user indicates their selection" """
    stage.start_server()
    client = stage.client("alice")
    stage.create("bob", "bonnie", "carol")
    open_send_screen(client, 4)
    client.send_keys("2")
    client.wait_for("Send to several users")
    client.type("*")
    client.wait_for("Mark all that match")
    client.type("bo*")
    client.wait_for("bo*")
    client.send_keys("Enter")
    client.wait_for('2 users match "bo*".', "To: bob and bonnie")
    client.send_keys("Enter")
    compose(client, "To: bob and bonnie", "both of you")
    client.wait_for("Sent to 2 users")
    assert len(stage.plain_user("bonnie").check()) == 1
    assert stage.plain_user("carol").check() == []


def test_one_to_all(stage: Stage) -> None:
    """ "Send a message to all usernames (1-to-all)" """
    stage.start_server()
    client = stage.client("alice")
    stage.create("bob", "carol", "dave")
    open_send_screen(client, 4)
    client.send_keys("3")
    compose(client, "To: all users but yourself", "for all of you")
    client.wait_for("Sent to 3 users: 0 delivered, 3 waiting.")
    for name in ("bob", "carol", "dave"):
        assert [one.body for one in stage.plain_user(name).check()] == [b"for all of you"], name
    client.wait_for("Sent to 3 users: 3 delivered, 0 waiting.")


@pytest.mark.parametrize("option", ["1", "2"])
def test_a_typed_name_that_is_not_in_the_list_is_rejected(stage: Stage, option: str) -> None:
    """ "If the user indicates their selection by typing a string, the client should reject that
    string if it does not match an entry in the list received from the server."
    """
    server = stage.start_server()
    client = stage.client("alice")
    stage.create("bob")
    open_send_screen(client, 2)
    client.send_keys(option)
    client.wait_for("Send to one user" if option == "1" else "Send to several users")
    client.type("bobb")
    client.wait_for('No user matches "bobb". Esc empties the field.')
    client.send_keys("Enter")
    screen = client.wait_for_match(r'^ No user matches "bobb"\.$').string
    # It stays for editing: one letter less is bob.
    assert "bobb" in screen
    assert "Write a message" not in screen
    client.send_keys("Backspace")
    client.wait_for_match(r"^> (\[ \]  )?bob ")
    client.send_keys("Enter")
    client.wait_for("To: bob")
    # The client itself rejected it: the server was never asked.
    assert "REFUSE" not in server.log


def test_a_brief_text_is_composed_and_uploaded(stage: Stage) -> None:
    """ "Once the user has selected the intended recipient(s), the user should be prompted to enter
    a brief text message. When the user has finished, the text message should be uploaded to the
    server."
    """
    server = stage.start_server()
    client = stage.client("alice")
    stage.create("bob")
    open_send_screen(client, 2)
    client.send_keys("1")
    client.wait_for_match(r"^> bob ")
    client.send_keys("Enter")
    client.wait_for("Write a message", "To: bob")
    client.type("first line, ä 日本 🎉")
    client.wait_for("first line")
    client.send_keys("Enter")
    client.wait_for("bytes")
    client.type("second line")
    client.wait_for("second line")
    assert "SEND" not in server.log, "nothing goes before the user has finished"
    client.send_keys("C-d")
    client.wait_for("Sent to 1 user: 0 delivered, 1 waiting.")
    server.wait_for_log("SEND alice to bob")
    got = stage.plain_user("bob").check()
    assert [one.body.decode() for one in got] == ["first line, ä 日本 🎉\nsecond line"]


def test_after_sending_the_send_screen_is_shown_again(stage: Stage) -> None:
    """ "Return to Sending Messages: Step 1 until manually disconnected by the user." """
    stage.start_server()
    client = stage.client("alice")
    stage.create("bob")
    send_one(client, "bob", "one")
    screen = client.wait_for("Sent to 1 user", "1-to-1", "1-to-n", "1-to-all", "As the server said")
    assert "bob" in screen
    # From there the next one, without passing the menu.
    client.send_keys("1")
    client.wait_for_match(r"^> bob ")
    client.send_keys("Enter")
    compose(client, "To: bob", "two")
    back_to_menu(client)
    assert [one.body for one in stage.plain_user("bob").check()] == [b"one", b"two"]


def test_what_is_typed_is_not_lost_by_leaving(stage: Stage) -> None:
    """ "the user should be prompted to enter a brief text message": also one who hesitates."""
    server = stage.start_server()
    client = stage.client("alice")
    stage.create("bob")
    open_send_screen(client, 2)
    client.send_keys("1")
    client.wait_for_match(r"^> bob ")
    client.send_keys("Enter")
    client.wait_for("Write a message")
    client.type("half a thought")
    client.wait_for("half a thought")
    client.send_keys("Esc")
    client.wait_for("Draft kept")
    assert "SEND" not in server.log
    client.kill()
    again = stage.client("alice")
    again.wait_for("1 draft")
    again.send_keys("4")
    again.wait_for("half a thought")
