"""The command line of msgc, for scripts: what it prints, and how it ends."""

import signal
import sys
from pathlib import Path

import pytest

from tests.e2e import machine
from tests.e2e.machine import free_port
from tests.e2e.stage import Stage
from tests.msgc.schema import check_line
from wire.messages import MessagePending

pytestmark = pytest.mark.e2e


def test_send_and_check(stage: Stage) -> None:
    """ "Send a message to a recipient." "Deliver undelivered messages to a particular user" """
    stage.start_server()
    stage.create("alice", "bob")
    sent = stage.msgc("alice", "send", "bob", "-m", "lunch?")
    assert (sent.code, sent.out) == (0, "1\n")
    assert "Sent to 1 user: 0 delivered, 1 waiting." in sent.err
    checked = stage.msgc("bob", "check")
    assert checked.code == 0
    assert "alice to you\n    lunch?\n" in checked.out
    assert "1 message, 0 still waiting." in checked.err
    # "the user should be notified that no messages are available", and that is no failure.
    nothing = stage.msgc("bob", "check")
    assert (nothing.code, nothing.out) == (0, "")
    assert "No messages are available (asked the server at" in nothing.err


def test_send_from_standard_input_to_several_and_to_all(stage: Stage) -> None:
    """ "(1-to-n)", "(1-to-all)" """
    stage.start_server()
    stage.create("alice", "bob", "carol", "dave")
    text = "two lines\nof text\n"
    assert stage.msgc("alice", "send", "bob", "Carol", text=text).code == 0
    assert stage.msgc("alice", "send", "--all", "-m", "to all").code == 0
    messages = stage.msgc_json("bob", "check")
    assert [(one["from"], one["audience"], one["audience_count"]) for one in messages] == [
        ("alice", "several", 2),
        ("alice", "everyone", 3),
    ]
    assert messages[0]["text"] == "two lines\nof text"
    assert messages[0]["received_at_ms"] <= messages[1]["received_at_ms"]
    assert [one["text"] for one in stage.msgc_json("dave", "check")] == ["to all"]
    assert stage.msgc_json("alice", "check") == []


def test_send_to_a_stranger_is_refused(stage: Stage) -> None:
    """ "If the message is sent to someone who isn't a user, return an error message" """
    stage.start_server()
    stage.create("alice", "bob")
    refused = stage.msgc("alice", "send", "bob", "nobody", "-m", "hello?", "--json")
    assert refused.code == 4
    assert 'No user matches "nobody".' in refused.err
    told = check_line(refused.out)
    assert (told["state"], told["code"], told["refused"]) == (
        "failed",
        "UNKNOWN_RECIPIENT",
        ["nobody"],
    )
    assert stage.msgc_json("bob", "check") == []


def test_send_that_waits_for_the_recipient(stage: Stage) -> None:
    """ "Success comes when recipient confirms." """
    stage.start_server()
    stage.create("alice", "bob")
    in_vain = stage.msgc("alice", "send", "bob", "-m", "one", "--wait", "200ms")
    assert in_vain.code == 3
    assert "0 delivered, 1 waiting" in in_vain.err
    stage.msgc("bob", "check")
    waiting = stage.start_msgc("alice", "send", "bob", "-m", "two", "--wait", "20s", "--json")
    stage.server.wait_for_log("SEND alice to bob\n", 2)
    assert len(stage.msgc_json("bob", "check")) == 1
    done = waiting.finish()
    assert done.code == 0
    assert check_line(done.out)["fates"][0]["state"] == "delivered"
    # The life of the message, afterwards and without a server.
    stage.server.kill()
    why = stage.msgc("alice", "why", "2")
    assert why.code == 0
    assert "on the server's disk" in why.out
    assert "bob: delivered" in why.out


def test_list_and_list_by_wildcard(stage: Stage) -> None:
    """ "List accounts (or a subset of the accounts, by text wildcard)" """
    stage.start_server()
    stage.create("alice", "anna", "bob")
    stage.plain_user("bob")
    everyone = stage.msgc_json("alice", "list")
    assert [(one["name"], one["state"]) for one in everyone] == [
        ("alice", "on"),
        ("anna", "off"),
        ("bob", "on"),
    ]
    some = stage.msgc("alice", "list", "a*")
    assert some.code == 0
    assert [line.split()[1] for line in some.out.splitlines()] == ["alice", "anna"]
    none = stage.msgc("alice", "list", "x*")
    assert (none.code, none.out) == (0, "")
    assert 'No user matches "x*".' in none.err


def test_create_and_create_again(stage: Stage) -> None:
    """ "CREATE_SUCCESS/CREATE_FAILURE" """
    stage.start_server()
    made = stage.msgc("anybody", "create", "Bob", "--json")
    assert made.code == 0
    assert check_line(made.out) == {"kind": "created", "name": "bob"}
    again = stage.msgc("anybody", "create", "bob")
    assert (again.code, again.out) == (4, "")
    assert "Username bob is taken, choose another." in again.err


def test_delete_refused_and_forced(stage: Stage) -> None:
    """ "Error if requestor did not use force flag and there are undelivered messages" """
    stage.start_server()
    stage.create("alice", "bob")
    stage.msgc("alice", "send", "bob", "-m", "one")
    stage.msgc("alice", "send", "bob", "-m", "two")
    refused = stage.msgc("bob", "delete")
    assert (refused.code, refused.out) == (4, "")
    assert "2 messages wait for bob, so the account was not deleted." in refused.err
    forced = stage.msgc("bob", "delete", "--force", "--json")
    assert forced.code == 0
    assert check_line(forced.out) == {"kind": "deleted", "name": "bob", "discarded": 2}
    gone = stage.msgc("bob", "delete")
    assert gone.code == 4
    assert "There is no account bob" in gone.err
    # The sender learns it.
    stage.msgc("alice", "check")
    assert "bob: recipient deleted" in stage.msgc("alice", "why", "1").out


def test_watch(stage: Stage) -> None:
    """ "If the recipient is logged in, deliver immediately": into a script."""
    server = stage.start_server()
    stage.create("bob")
    alice = stage.plain_user("alice")
    alice.send(("bob",), "before")
    watching = stage.start_msgc("bob", "watch", "--json")
    watching.wait_for("before")
    alice.send(("bob",), "while it watches")
    watching.wait_for("while it watches")
    # It goes on over a restart of the server.
    server.restart()
    server.wait_for_log("CONNECT bob", 2)
    stage.plain_user("alice").send(("bob",), "after")
    watching.wait_for("after")
    watching.process.send_signal(signal.SIGTERM)
    done = watching.finish()
    assert done.code == 128 + signal.SIGTERM
    texts = [check_line(line)["text"] for line in done.out.splitlines()]
    assert texts == ["before", "while it watches", "after"]
    assert stage.msgc_json("bob", "check") == []


def test_watch_hands_messages_to_a_program(stage: Stage, tmp_path: Path) -> None:
    """ "deliver immediately": to a program of the user's, one at a time."""
    stage.start_server()
    stage.create("bob")
    alice = stage.plain_user("alice")
    script = tmp_path / "take.py"
    kept = tmp_path / "kept"
    script.write_text(
        "import sys, pathlib\n"
        f"path = pathlib.Path({str(kept)!r})\n"
        "path.write_text((path.read_text() if path.exists() else '') + sys.stdin.read())\n"
    )
    stage.start_msgc("bob", "watch", "--exec", f"{sys.executable} {script}")
    for number in range(3):
        assert isinstance(alice.send(("bob",), f"text {number}"), MessagePending)
    machine.until(
        lambda: kept.exists() and len(kept.read_text().splitlines()) == 3, "three messages"
    )
    assert [check_line(line)["text"] for line in kept.read_text().splitlines()] == [
        "text 0",
        "text 1",
        "text 2",
    ]


def test_send_while_the_screens_of_the_same_user_are_open(stage: Stage) -> None:
    """ "Two or more clients may not use the same username simultaneously": so the command hands
    its message to the client that runs.
    """
    stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    sent = stage.msgc("alice", "send", "bob", "-m", "from a script")
    assert (sent.code, sent.out) == (0, "1\n")
    client.wait_for("1 waiting, 0 delivered")
    assert [one.body for one in stage.plain_user("bob").check()] == [b"from a script"]
    held = stage.msgc("alice", "check")
    assert held.code == 1
    assert "is connected from this computer already" in held.err


def test_a_name_in_use_elsewhere_is_refused(stage: Stage) -> None:
    """ "If the username is in use, reject the connection from that client." """
    stage.start_server()
    stage.client("alice")
    refused = machine.run(
        [*machine.program("msgc"), "-u", "alice", "check"],
        stage.person("elsewhere"),
        stage.folder / "elsewhere",
    )
    assert refused.code == 4
    assert "Username alice is already in use" in refused.err


def test_no_server(stage: Stage) -> None:
    """ "Connect to the server over a socket": and when nobody is there, nothing is lost."""
    server = stage.add_server()
    server.port = free_port()
    for arguments in (("check",), ("list",), ("create", "bob"), ("watch",), ("delete",)):
        done = stage.msgc("alice", *arguments)
        assert done.code == 5, arguments
        assert f"Cannot reach the server at 127.0.0.1:{server.port}" in done.err
    server.start()
    stage.create("alice", "bob")
    server.kill()
    kept = stage.msgc("alice", "send", "bob", "-m", "kept")
    assert kept.code == 5
    assert "is kept and goes with the next msgc of this user" in kept.err
    server.start()
    assert stage.msgc("alice", "check").code == 0
    server.wait_for_log("SEND alice to bob\n")
    assert [one["text"] for one in stage.msgc_json("bob", "check")] == ["kept"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("send", "-m", "to whom?"), "name the recipients"),
        (("send", "bob", "-m", ""), "the message is empty"),
        (("send", "bob", "-m", "x" * 65_537), "longer than 65536 bytes"),
        (("check", "--limit", "0"), "must be a number from 1 on"),
        (("frobnicate", "now"), "unrecognized arguments"),
        (("--port", "seventy", "check"), "must be a number"),
    ],
)
def test_usage_errors(stage: Stage, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, a sentence, and nothing done."""
    stage.add_server().port = free_port()
    done = stage.msgc("alice", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_help_and_version(stage: Stage) -> None:
    stage.add_server().port = free_port()
    for program in ("msgd", "msgc"):
        for option in ("--help", "--version"):
            home = stage.folder / "home"
            done = machine.run(
                machine.program(program, option), machine.environment(home), stage.folder / "run"
            )
            assert done.code == 0
            assert program in done.out
            assert done.err == ""
