"""Accounts: made, listed, listed by wildcard, and deleted by their owner."""

import pytest

from tests.e2e.stage import Stage
from tests.e2e.terminal import Terminal
from wire.codes import Code
from wire.messages import (
    CreateFailure,
    CreateSuccess,
    DeletionFailure,
    DeletionSuccess,
    LoginFailure,
    MessageFailure,
)

pytestmark = pytest.mark.e2e


def open_accounts(client: Terminal) -> None:
    client.send_keys("6")
    client.wait_for("Accounts", "n:new")


def test_create_an_account(stage: Stage) -> None:
    """ "Create an account. You must supply a unique username." And: "If you get a confirmation from
    the server, you're good."
    """
    server = stage.start_server(headless=False)
    client = stage.client("alice")
    open_accounts(client)
    client.send_keys("n")
    client.wait_for("Name of the new account:")
    client.type("bob")
    client.wait_for_match(r"Name of the new account: bob")
    client.send_keys("Enter")
    client.wait_for("The account bob is made.")
    client.wait_for_match(r"^[> ] bob +off +never")
    server.wait_for_row("bob", "off")
    server.panel.wait_for_match(r"CREATE +bob from 127\.0\.0\.1")


def test_create_an_account_that_is_not_unique(stage: Stage) -> None:
    """ "response/error message if not unique [accept/decline username]" And: "Otherwise not." """
    server = stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    open_accounts(client)
    client.wait_for_match(r"^[> ] bob ")
    client.send_keys("n")
    client.wait_for("Name of the new account:")
    client.type("BOB")
    client.wait_for("BOB")
    client.send_keys("Enter")
    client.wait_for("Username bob is taken, choose another.")
    assert server.log.count("CREATE bob") == 1


def test_create_by_the_plain_protocol(stage: Stage) -> None:
    """ "A message sent from the server confirming/denying account creation of a specific
    username"
    """
    server = stage.start_server()
    client = stage.plain()
    made = client.create("Bob")
    assert isinstance(made, CreateSuccess)
    assert made.username == "bob"
    refused = client.create("bob")
    assert isinstance(refused, CreateFailure)
    assert refused.code == Code.NAME_TAKEN
    # A confirmation is a promise: it is on the disk.
    server.restart()
    again = stage.plain().create("bob")
    assert isinstance(again, CreateFailure)
    assert again.code == Code.NAME_TAKEN


def test_login_needs_an_account_unless_it_is_to_be_made(stage: Stage) -> None:
    """ "LOGIN_SUCCESS/LOGIN_FAILURE", "(optional) create account" """
    stage.start_server()
    client = stage.plain()
    refused = client.try_login("nobody", create=False)
    assert isinstance(refused, LoginFailure)
    assert refused.code == Code.UNKNOWN_USER
    client.create("nobody")
    assert client.log_in("nobody", create=False).username == "nobody"


def test_list_all_accounts(stage: Stage) -> None:
    """ "List accounts": "else all accounts" """
    stage.start_server()
    stage.create("bob", "carol")
    client = stage.client("alice")
    open_accounts(client)
    client.wait_for("3 users, 1 connected")
    client.wait_for_match(r"^[> ] alice +ON +now +\(you\)")
    client.wait_for_match(r"^[> ] bob +off ")
    client.wait_for_match(r"^[> ] carol +off ")


def test_list_a_subset_by_wildcard(stage: Stage) -> None:
    """ "(or a subset of the accounts, by text wildcard)" """
    stage.start_server()
    stage.create("anna", "bob", "carol")
    client = stage.client("alice")
    open_accounts(client)
    client.wait_for("4 users")
    client.send_keys("l")
    client.wait_for("Show names like")
    client.type("a*")
    client.wait_for("a*")
    client.send_keys("Enter")
    screen = client.wait_for("Only names that match a*", "[1-2 of 2]", "alice", "anna")
    assert "bob" not in screen
    client.send_keys("Esc")
    client.wait_for("bob", "carol", "[1-4 of 4]")


def test_wildcards_by_the_plain_protocol(stage: Stage) -> None:
    """ "Returns a list of accounts that match the wildcard (if supplied, else all accounts)" """
    stage.start_server()
    stage.create("anna", "bob", "carol")
    alice = stage.plain_user("alice")
    for pattern, found in (
        (None, ["alice", "anna", "bob", "carol"]),
        ("*", ["alice", "anna", "bob", "carol"]),
        ("a*", ["alice", "anna"]),
        ("*a", ["anna"]),
        ("???", ["bob"]),
        ("[bc]*", ["bob", "carol"]),
        ("[!a]*", ["bob", "carol"]),
        ("*ar*", ["carol"]),
        ("bob", ["bob"]),
        ("z*", []),
    ):
        listed = [entry.username for entry in alice.list_accounts(pattern)]
        assert listed == found, pattern


def ask_to_delete(client: Terminal, name: str) -> None:
    open_accounts(client)
    client.send_keys("D")
    client.wait_for(f"Delete the account {name}?")
    client.send_keys("y")


def test_delete_an_account(stage: Stage) -> None:
    """ "Delete an account." "DELETION_SUCCESS" """
    server = stage.start_server(headless=False)
    client = stage.client("alice")
    server.wait_for_row("alice", "* ON")
    ask_to_delete(client, "alice")
    client.wait_for("The account alice is deleted.", "Username:")
    server.panel.wait_for("0 known")
    assert server.row("alice") == ""
    # The name is free: a new account of that name inherits nothing.
    client.send_keys("alice", "Enter")
    client.wait_for("You are connected as alice.", "This name is new")


def test_deletion_asks_first(stage: Stage) -> None:
    """ "Delete an account": not by one key."""
    stage.start_server()
    client = stage.client("alice")
    open_accounts(client)
    client.send_keys("D")
    client.wait_for("Delete the account alice? y: yes  n: no")
    client.send_keys("n")
    client.wait_while("Delete the account")
    client.wait_for_match(r"^[> ] alice +ON")


def test_deletion_with_undelivered_messages_is_refused_with_their_number(stage: Stage) -> None:
    """ "Error if requestor did not use force flag and there are undelivered messages" """
    server = stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    for number in range(3):
        bob.send(("alice",), f"text {number}")
    client = stage.client("alice")
    ask_to_delete(client, "alice")
    client.wait_for("3 messages wait unread for you. To lose them, type alice:")
    client.send_keys("Esc")
    client.wait_for("The account is kept.")
    assert "DELETE alice" not in server.log
    assert len(bob.list_accounts("alice")) == 1


def test_forced_deletion_discards_and_tells_the_senders(stage: Stage) -> None:
    """ "You will need to specify the semantics of what happens if you attempt to delete an account
    that contains undelivered message." "Force flag"
    """
    server = stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob", live=True)
    bob.send(("alice",), "never read")
    client = stage.client("alice")
    ask_to_delete(client, "alice")
    client.wait_for("unread for you.", "type alice:")
    # Anything but the name keeps it.
    client.type("alic")
    client.wait_for("alic")
    client.send_keys("Enter")
    client.wait_for("That is not alice: the account is kept.")
    client.send_keys("D")
    client.wait_for("Delete the account alice?")
    client.send_keys("y")
    client.wait_for("type alice:")
    client.type("alice")
    client.wait_for_match(r"> alice$")
    client.send_keys("Enter")
    client.wait_for("The account alice is deleted.", "1 unread message went with it.", "Username:")
    server.wait_for_log("DELETE alice, 1 messages discarded")
    told = bob.expect(MessageFailure)
    assert told.code == Code.RECIPIENT_DELETED
    assert told.recipients == ("alice",)
    assert told.delivery is not None
    assert bob.list_accounts("alice") == []


def test_forced_deletion_survives_kill_9(stage: Stage) -> None:
    """ "DELETION_SUCCESS": the answer is a promise, as every other."""
    server = stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    bob.send(("alice",), "never read")
    answer = stage.plain_user("alice").delete("alice", force=True)
    assert isinstance(answer, DeletionSuccess)
    assert answer.discarded == 1
    server.restart()
    again = stage.plain_user("bob")
    assert [entry.username for entry in again.list_accounts()] == ["bob"]
    again.check()
    newcomer = stage.plain(b"newcomer")
    assert newcomer.log_in("alice").created
    assert newcomer.check() == []


def test_only_the_owner_may_delete(stage: Stage) -> None:
    """ "Error if requestor is not the owner of account to be deleted" """
    stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    for force in (False, True):
        refused = bob.delete("alice", force=force)
        assert isinstance(refused, DeletionFailure)
        assert refused.code == Code.NOT_OWNER
    assert len(bob.list_accounts()) == 2


def test_what_does_not_exist_cannot_be_deleted(stage: Stage) -> None:
    """ "Error if account to delete does not exist" """
    stage.start_server()
    refused = stage.plain_user("bob").delete("nobody", force=True)
    assert isinstance(refused, DeletionFailure)
    assert refused.code == Code.UNKNOWN_USER


def test_the_number_of_undelivered_messages_by_the_plain_protocol(stage: Stage) -> None:
    """ "DELETION_FAILURE": "there are undelivered messages" """
    stage.start_server()
    stage.create("alice")
    bob = stage.plain_user("bob")
    for number in range(5):
        bob.send(("alice",), f"text {number}")
    alice = stage.plain_user("alice")
    refused = alice.delete("alice")
    assert isinstance(refused, DeletionFailure)
    assert refused.code == Code.UNDELIVERED_MESSAGES
    assert refused.messages_waiting == 5
    # Read them, and it goes without force.
    assert len(alice.check()) == 5
    assert isinstance(alice.delete("alice"), DeletionSuccess)
    alice.expect_end()
