"""Names and texts that would do harm: paths, control characters, and whatever terminals obey."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.stage import Stage, back_to_menu
from tests.e2e.terminal import Terminal
from wire import tlv
from wire.codes import Code, Field, FrameType
from wire.messages import CreateFailure, LoginFailure, MessageFailure, MessagePending

pytestmark = pytest.mark.e2e

BAD_NAMES: Final = (
    "../x",
    "/etc/passwd",
    "..",
    ".",
    "",
    "x" * 33,
    "a/b",
    "a\\b",
    "-rf",
    ".hidden",
    "con:",
    "a b",
    "a\nb",
    "a\x00b",
    "\x1b[2J",
    "alice\u202e",
    "ä",
    "\u0430lice",  # a Cyrillic letter that looks like an a
)
HARMFUL: Final = (
    "\x1b[2J\x1b[H"  # clear the screen
    "\x1b]0;pwned\x07"  # set the title
    "\x1b]52;c;cHduZWQ=\x07"  # write to the clipboard
    "\x1bP+q544e\x1b\\"  # make the terminal answer
    "\x9b31m\x9d0;x\x9c"  # the same with C1
    "\x07\x08\x08\x0e\x00\x7f"
    "harm\u202egnp.exe\u2066\u200b\ufeff"
    "\r\nFrom: root"
)


def all_files(folder: Path) -> set[str]:
    """What is there, but for the output of the programs that the tests run."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    return {path for path in found if "/run-" not in path}


def test_bad_names_by_the_plain_protocol(stage: Stage) -> None:
    """ "Unique username": refused, with words, and nothing is made anywhere."""
    server = stage.start_server()
    before = all_files(stage.folder)
    client = stage.plain()
    bob = stage.plain_user("bob")
    for name in BAD_NAMES:
        refused = client.create(name)
        assert isinstance(refused, CreateFailure), ascii(name)
        assert refused.code == Code.NAME_INVALID, ascii(name)
        login = client.try_login(name)
        assert isinstance(login, LoginFailure), ascii(name)
        assert login.code == Code.NAME_INVALID, ascii(name)
        failure = bob.send((name,), "hello?")
        assert isinstance(failure, MessageFailure), ascii(name)
        assert failure.recipients == (name,)
    assert [entry.username for entry in bob.list_accounts()] == ["bob"]
    server.restart()
    # Bob's mailbox is new, and no file that anybody could name by a username.
    new = all_files(stage.folder) - before
    assert all(re.fullmatch(r".*/(data|home)/?[0-9a-z/]*(\.\w+)?", path) for path in new), new
    assert len(server.mailboxes()) == 1
    assert server.log.count("name invalid") == 2 * len(BAD_NAMES)
    assert all(line.isprintable() for line in server.log.splitlines())


def test_a_name_of_300_characters_breaks_the_frame(stage: Stage) -> None:
    """Longer than any name can be: not a name that is refused but a rule that is broken."""
    stage.start_server()
    client = stage.plain()
    fields = tlv.encode(Field.REQUEST, b"\x00\x00\x00\x01")
    fields += tlv.encode(Field.USERNAME, b"x" * 300)
    client.say_bytes(tlv.encode(FrameType.CREATE_ACCOUNT, fields))
    error = client.expect_end()
    assert error is not None
    assert error.code == Code.MALFORMED


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "x" * 33, "-", "ä"], ids=ascii)
def test_bad_names_at_the_prompt(stage: Stage, name: str) -> None:
    """ "Prompt the user to input a username": what is none is refused, and asked for again."""
    stage.start_server()
    client = stage.open_client("somebody")
    client.wait_for("Username:")
    client.type(name)
    client.wait_until(
        lambda screen: not re.search(r"Username:$", screen, re.MULTILINE), "the name typed"
    )
    client.send_keys("Enter")
    client.wait_for("is not a username.", "A username has 1 to 32 characters")
    client.send_keys("Esc")
    client.wait_for_match(r"Username:$")
    client.send_keys("alice", "Enter")
    client.wait_for("You are connected as alice.")
    home = stage.folder / "home-somebody"
    archives = {path.stem for path in home.rglob("*.db")}
    assert archives == {"alice"}


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "", "x" * 300, "\x1b[2J"], ids=ascii)
def test_bad_names_on_the_command_line(stage: Stage, name: str) -> None:
    stage.start_server()
    for arguments, said in (
        (("create", name), "A username has 1 to 32 characters"),
        (("--user", name, "check"), "A username has" if name else "who are you?"),
    ):
        done = stage.msgc("bob", *arguments)
        assert done.code == 2
        assert said in done.err
        assert "\x1b" not in done.err
        assert "Traceback" not in done.err


def test_an_empty_name_at_the_prompt(stage: Stage) -> None:
    stage.start_server()
    client = stage.open_client("somebody")
    client.wait_for("Username:")
    client.send_keys("Enter")
    client.wait_for("Type a name, then Enter.", "Username:")


def harmless(terminal: Terminal) -> None:
    """Nothing of HARMFUL reached the terminal as it was."""
    raw = bytes(terminal.raw)
    for sequence in (b"\x1b[2J\x1b[H\x1b]", b"\x1b]0;", b"\x1b]52;", b"\x1bP", b"pwned\x07"):
        assert sequence not in raw, sequence
    assert b"\x00" not in raw
    text = raw.decode("utf-8")
    for character in "\x9b\x9d\u202e\u2066\u200b\ufeff":
        assert character not in text, ascii(character)


def test_control_characters_in_a_text_are_shown_and_not_obeyed(stage: Stage) -> None:
    """ "Print the content of those text messages to its GUI": and only print it."""
    server = stage.start_server(headless=False)
    mallory = stage.plain_user("mallory")
    client = stage.client("alice")
    assert isinstance(mallory.send(("alice",), HARMFUL), MessagePending)
    client.wait_for("New message from mallory.")
    client.send_keys("2")
    client.wait_for("^[[2J^[[H^[]0;pwned^G", "From mallory to you alone")
    client.send_keys("Enter")
    screen = client.wait_for("From      mallory", "^[[2J", "harm<RLO>gnp.exe", "[end]")
    # A line of the text is a line of the text, not of the program.
    assert "\nFrom: root" not in screen
    assert "[control characters]" in screen
    client.send_keys("Esc")
    client.wait_for("Check for messages")
    back_to_menu(client)
    client.send_keys("5")
    client.wait_for("History", "mallory", "^[[2J")
    harmless(client)
    harmless(server.panel)
    assert all(line.isprintable() for line in server.log.splitlines())


def test_control_characters_on_the_command_line(stage: Stage) -> None:
    """Plain output is safe to look at; JSON is exact, and plain ASCII."""
    stage.start_server()
    stage.create("alice")
    stage.plain_user("mallory").send(("alice",), HARMFUL)
    checked = stage.msgc("alice", "check")
    assert checked.code == 0
    assert all(line.isprintable() for line in checked.out.splitlines())
    history = stage.msgc("alice", "history", "--json")
    assert history.out.isascii()
    assert history.out.rstrip("\n").isprintable()
    assert json.loads(history.out)["text"] == HARMFUL


def test_control_characters_in_what_one_sends(stage: Stage) -> None:
    """What a keyboard or a paste brings is cleaned or carried, and comes out whole."""
    stage.start_server()
    stage.create("bob")
    done = stage.msgc("alice", "create", "alice")
    assert done.code == 0
    assert stage.msgc("alice", "send", "bob", text=HARMFUL).code == 0
    shown = stage.msgc("alice", "history")
    assert all(line.isprintable() for line in shown.out.splitlines())
    [message] = stage.plain_user("bob").check()
    assert message.body.decode() == HARMFUL


def test_a_paste_never_sends(stage: Stage) -> None:
    """Several lines at once are one paste: text, whatever they hold, and no commands."""
    server = stage.start_server()
    stage.create("bob")
    client = stage.client("alice")
    client.send_keys("1")
    client.wait_for("bob", "As the server said at")
    client.send_keys("1")
    client.wait_for_match(r"^> bob ")
    client.send_keys("Enter")
    client.wait_for("Write a message")
    client.send_bytes(b"\x1b[200~one\r\ntwo\x04\r\nthree\x1b[2J\x1b[201~")
    client.wait_for("Pasted 3 lines, ", "one", "two", "three")
    assert "SEND" not in server.log
    client.send_keys("C-d")
    client.wait_for("Sent to 1 user")
    [message] = stage.plain_user("bob").check()
    assert message.body.split(b"\n")[0] == b"one"
    assert b"\x1b" not in message.body


def test_random_keys_never_end_the_client(stage: Stage) -> None:
    """What no keyboard sends: it stays, and can be used."""
    stage.start_server()
    client = stage.client("alice")
    client.send_keys("1")
    client.wait_for("1-to-1")
    for data in (b"\xff\xfe\x80", b"\x1b[999;999H", b"\x1b]0;x\x07", b"\x1bOZ", b"\x1b[<0;1;1M"):
        client.send_bytes(data)
    client.wait_for("1-to-1", "online")
    assert client.alive
    back_to_menu(client)


def test_a_wildcard_that_is_hard_to_match(stage: Stage) -> None:
    """It costs the server no more than any other."""
    stage.start_server()
    stage.create("a" * 32, "b" * 32)
    user = stage.plain_user("alice")
    for pattern in ("*a" * 100 + "b", "*" * 255, "[" * 255, "[!-]*", "\x1b*", "?" * 255):
        user.list_accounts(pattern)
    assert len(user.list_accounts("*" * 255)) == 3
    assert stage.server.alive
