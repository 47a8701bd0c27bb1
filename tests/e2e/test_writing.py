"""Writing on a real terminal: crashes, an editor of one's own, keys and settings of one's own."""

import shlex
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.machine import program
from tests.e2e.stage import CONNECTED, Stage
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

OPEN_EDITOR = "\x0f"
EDITOR = """\
import os, sys, time
path = sys.argv[-1]
before = open(path, encoding="utf-8").read()
mode = os.stat(path).st_mode & 0o777
print(f"EDITOR OPEN {mode:o} {os.path.basename(path)}", flush=True)
answer = sys.stdin.readline().strip()
if answer == "fail":
    sys.exit(3)
with open(path, "w", encoding="utf-8") as file:
    file.write(before.upper() + answer + "\\n")
"""


def client(stage: Stage, name: str, *arguments: str, **variables: str) -> Terminal:
    """msgc with these variables besides, at its menu."""
    environment = stage.person(name) | variables
    terminal = Terminal(program("msgc", name, *arguments), environment)
    stage._terminals.append(terminal)
    terminal.wait_for(CONNECTED.format(name), "Send message")
    return terminal


def configure(stage: Stage, name: str, text: str) -> Path:
    path = Path(stage.person(name)["HOME"]) / ".config" / "msgc" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_to_bob(terminal: Terminal, text: str) -> None:
    terminal.send_keys("1")
    terminal.wait_for("As the server said at", "bob")
    terminal.send_keys("1")
    terminal.wait_for_match(r"^> bob ")
    terminal.send_keys("Enter")
    terminal.wait_for("Write a message", "To: bob")
    terminal.type(text)
    terminal.wait_for(text)


def test_a_draft_survives_kill_9(stage: Stage) -> None:
    """Typed, kept within two seconds, and there again after the worst end."""
    stage.start_server()
    stage.create("bob")
    alice = client(stage, "alice")
    write_to_bob(alice, "half a sentence")
    alice.wait_for("draft kept")
    alice.kill()
    again = client(stage, "alice")
    again.wait_for("1 draft")
    again.send_keys("4")
    again.wait_for("half a sentence")
    again.send_keys("Enter")
    again.wait_for("Write a message", "half a sentence", "Your draft is here again.")


@pytest.mark.parametrize("way", ["closed", "terminated"])
def test_a_draft_survives_the_terminal(stage: Stage, way: str) -> None:
    stage.start_server()
    stage.create("bob")
    alice = client(stage, "alice")
    write_to_bob(alice, "not yet kept")
    if way == "closed":
        alice.hang_up()
    else:
        alice.kill(signal.SIGTERM)
    again = client(stage, "alice")
    again.wait_for("1 draft")
    again.send_keys("4")
    again.wait_for("not yet kept")


def test_the_editor_of_ones_own(stage: Stage, tmp_path: Path) -> None:
    """The terminal is the editor's and then ours again; the file is private and gone."""
    stage.start_server()
    stage.create("bob")
    script = tmp_path / "an editor.py"
    script.write_text(EDITOR)
    folder = tmp_path / "tmp"
    folder.mkdir()
    editor = f"{sys.executable} {shlex.quote(str(script))}"
    alice = client(stage, "alice", EDITOR=editor, TMPDIR=str(folder))
    write_to_bob(alice, "one")
    alice.type(OPEN_EDITOR)
    alice.wait_for("EDITOR OPEN 600 message-")
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o700]
    bob = stage.plain_user("bob")
    bob.send(("alice",), "while the editor is open")
    alice.type("two\r")
    # The message line has room for one: what is said last depends on when bob's message arrived.
    said = ("This is the text from the editor.", "New message from bob.")
    alice.wait_until(
        lambda screen: (
            all(text in screen for text in ("Write a message", "ONE", "two"))
            and any(text in screen for text in said)
        ),
        f"the text, and one of {said}",
    )
    assert not list(folder.iterdir())
    alice.type(OPEN_EDITOR)
    alice.wait_for("EDITOR OPEN")
    alice.type("fail\r")
    alice.wait_for("The editor ended with code 3: the text is as it was.", "ONE")
    alice.resize(16, 60)
    alice.wait_for("ONE", "two")
    alice.send_keys("C-d")
    alice.wait_for("Sent to 1 user")
    assert [one.body for one in bob.check()] == [b"ONE\ntwo"]
    alice.send_keys("Esc")
    alice.wait_for("1 waiting")


def test_an_editor_that_is_not_there(stage: Stage) -> None:
    stage.start_server()
    stage.create("bob")
    alice = client(stage, "alice", VISUAL="/no/such/editor", EDITOR="")
    write_to_bob(alice, "one")
    alice.type(OPEN_EDITOR)
    alice.wait_for("Cannot run the editor /no/such/editor: no such file", "one")
    alice.type(" two")
    alice.wait_for("one two")


def test_keys_of_ones_own_and_settings_that_stay(stage: Stage) -> None:
    stage.start_server()
    stage.create("bob")
    path = configure(
        stage,
        "alice",
        '# mine\nnotify = true\n\n[keys.composer]\nsend = ["F2", "^X"]\ndiscard = "F8"\n',
    )
    alice = client(stage, "alice", TERM="xterm-256color")
    write_to_bob(alice, "one")
    alice.wait_for("F2:send")
    alice.type("\x18")
    alice.wait_for("Sent to 1 user")
    alice.send_keys("Esc")
    alice.wait_for("You are connected as alice.")
    bob = stage.plain_user("bob")
    bob.send(("alice",), "secret")
    alice.wait_for("New message from bob.")
    assert b"\x1b]9;msgc: New message from bob.\a" in bytes(alice.raw)
    alice.send_keys("7")
    alice.wait_for("Quiet hours")
    alice.send_keys("Down", "Down", "Enter")
    alice.wait_for("Quiet hours: none")
    alice.type("\x15")
    alice.type("22-7\r")
    alice.wait_for("Kept.", "22:00-07:00")
    alice.close()
    assert path.read_text().startswith('# mine\nnotify = true\nquiet = "22:00-07:00"\n\n[keys')
    client(stage, "alice")


def test_keys_that_cannot_be_are_refused_before_the_screen(stage: Stage) -> None:
    stage.start_server()
    configure(stage, "alice", '[keys.composer]\nsend = "^L"\n')
    alice = stage.open_client("alice", "alice")
    alice.wait_for('msgc: keys.composer: ^L is bound twice, to "send" and to "redraw".')
    assert alice.wait_for_exit() == 2


def test_ascii_only(stage: Stage) -> None:
    stage.start_server()
    alice = client(stage, "alice", "--ascii")
    bob = stage.plain_user("bob")
    bob.send(("alice",), "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n 日本")
    alice.send_keys("2")
    alice.wait_for("gr?n ????")
    assert bytes(alice.raw).isascii()
