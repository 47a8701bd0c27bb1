"""Every way out of the client leaves the terminal as it was, on every type of terminal."""

import re
import signal
import sqlite3
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.machine import ROOT, program
from tests.e2e.stage import CONNECTED, Stage, back_to_menu, send_one
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

TYPES: Final = ("xterm-256color", "screen", "tmux", "linux", "vt100")
Opener = Callable[..., Terminal]


@pytest.fixture
def opened(stage: Stage) -> Iterator[Opener]:
    """Opens msgc of alice with this environment, and ends it."""
    terminals: list[Terminal] = []

    def open_one(*words: str, **changes: str) -> Terminal:
        environment = stage.person("alice") | changes
        if changes.get("LC_ALL"):
            environment.pop("LANG")
        terminals.append(Terminal(program("msgc", *words), environment))
        return terminals[-1]

    yield open_one
    for terminal in terminals:
        terminal.close()


def modes(terminal: Terminal) -> list[Any]:
    """All that `stty -a` tells."""
    return termios.tcgetattr(terminal.fd)


def assert_given_back(terminal: Terminal, before: list[Any]) -> None:
    assert modes(terminal) == before
    raw = bytes(terminal.raw)
    for on, off in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?2004h", b"\x1b[?2004l")):
        assert raw.rfind(off) >= raw.rfind(on), on
    if b"\x1b[?7l" in raw:
        assert raw.rfind(b"\x1b[?7h") > raw.rfind(b"\x1b[?7l"), "lines wrap again"
    if b"\x1b[?25l" in raw:
        shown = max(raw.rfind(b"\x1b[?25h"), raw.rfind(b"\x1b[?12;25h"), raw.rfind(b"\x1b[?12l"))
        assert shown > raw.rfind(b"\x1b[?25l"), "the cursor is seen again"


def log_in(terminal: Terminal) -> list[Any]:
    """At the menu; the modes of the terminal before."""
    before = modes(terminal)
    terminal.wait_for(CONNECTED.format("alice"), "Send message")
    assert modes(terminal) != before
    return before


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_terminal(stage: Stage, opened: Opener, kind: str) -> None:
    """The same screens on each, one message sent, and the terminal given back."""
    stage.start_server()
    stage.create("bob")
    terminal = opened("alice", TERM=kind)
    before = log_in(terminal)
    send_one(terminal, "bob", "hello")
    back_to_menu(terminal)
    terminal.send_keys("q")
    assert terminal.wait_for_exit() == 0
    assert_given_back(terminal, before)


@pytest.mark.parametrize("kind", ["xterm-256color", "vt100"])
@pytest.mark.parametrize("end", ["q", "C-c", "SIGTERM", "SIGHUP", "offline", "archive"])
def test_every_way_out(stage: Stage, opened: Opener, kind: str, end: str) -> None:
    """ "until manually killed by the user": in whatever way."""
    server = stage.start_server()
    stage.create("bob")
    terminal = opened("alice", TERM=kind)
    before = log_in(terminal)
    code = 0
    if end == "offline":
        server.kill()
        terminal.wait_for("You are not connected")
        terminal.send_keys("q")
        code = terminal.wait_for_exit()
    elif end == "archive":
        # The ground goes from under its feet: a failure inside, with a sentence and no trace.
        (path,) = Path(stage.person("alice")["HOME"]).rglob("alice.db")
        with closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE received")
            other.commit()
        stage.plain_user("bob").send(("alice",), "hello")
        code = terminal.wait_for_exit() - 1
        assert b"The archive " in terminal.raw or b"Cannot use the archive" in terminal.raw
        assert b"Traceback" not in terminal.raw
    elif end.startswith("SIG"):
        number = signal.Signals[end]
        code = terminal.kill(number)
        code = 0 if code == 128 + number else code
    else:
        terminal.send_keys(end)
        code = terminal.wait_for_exit()
    assert code == 0
    assert_given_back(terminal, before)


def test_stopped_by_its_key_and_continued_by_the_shell(stage: Stage, opened: Opener) -> None:
    """C-z and fg, as with every other program."""
    stage.start_server()
    terminal = Terminal(
        ["/bin/bash", "--norc", "--noprofile", "-i"],
        stage.person("alice") | {"PS1": "$ ", "TERM": "xterm-256color"},
    )
    try:
        terminal.wait_for("$")
        terminal.type("echo was:$(stty -g | cksum):$((1+1))\r")
        was = terminal.wait_for_match(r"^was:(.*):2$")[1]
        terminal.type(" ".join(program("msgc", "alice")) + "\r")
        terminal.wait_for(CONNECTED.format("alice"), "Send message")
        terminal.send_bytes(b"\x1a")
        terminal.wait_for("Stopped")
        terminal.type("echo is:$(stty -g | cksum):$((1+1))\r")
        assert terminal.wait_for_match(r"^is:(.*):2$")[1] == was
        terminal.resize(30, 100)
        terminal.type("fg\r")
        terminal.wait_for(CONNECTED.format("alice"), "Send message")
        terminal.send_keys("q")
        terminal.wait_until(lambda _: terminal.raw.endswith(b"$ "), "the shell's prompt")
        terminal.type("echo then:$(stty -g | cksum):$((1+1))\r")
        assert terminal.wait_for_match(r"^then:(.*):2$")[1] == was
    finally:
        terminal.close()


def test_a_storm_of_sizes(stage: Stage, opened: Opener) -> None:
    """A window pulled about: two hundred sizes, some absurd, and then an ordinary one."""
    stage.start_server()
    terminal = opened("alice")
    log_in(terminal)
    for number in range(200):
        terminal.resize(1 + number * 7 % 60, 1 + number * 13 % 200)
    terminal.resize(24, 80)
    terminal.send_keys("C-l")
    terminal.wait_for(CONNECTED.format("alice"), "Send message", "Check for messages")
    assert terminal.alive


@pytest.mark.parametrize(
    ("option", "changes", "colored"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("never", {}, False),
        ("always", {"NO_COLOR": "1"}, True),
    ],
)
def test_colours_are_a_choice(
    stage: Stage, opened: Opener, option: str, changes: dict[str, str], *, colored: bool
) -> None:
    """ "NO_COLOR" from the environment, `--color` above it."""
    stage.start_server()
    terminal = opened("--color", option, "alice", TERM="xterm-256color", **changes)
    log_in(terminal)
    terminal.send_keys("6")
    terminal.wait_for("Accounts", "1 connected")
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-7][;m]", terminal.raw)) == colored


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_any_locale_shows_what_it_can(stage: Stage, opened: Opener, locale: str) -> None:
    """Text in every script, and no error where the locale has no letters for it."""
    stage.start_server()
    stage.plain_user("bob")
    terminal = opened("alice", LC_ALL=locale)
    log_in(terminal)
    stage.plain_user("carol").send(("alice",), "čaj 日本 \u202e end")
    terminal.wait_for("New message from carol.")
    terminal.send_keys("2")
    terminal.wait_for("aj", "end")
    terminal.send_keys("Esc", "q")


@pytest.mark.parametrize(
    "words", [("check",), ("history",), ("export",), ("list",), ("--plain",)], ids=" ".join
)
def test_a_latin_1_locale(stage: Stage, words: tuple[str, ...]) -> None:
    """No letter of another script ends a command, and none becomes a control of the terminal."""
    stage.start_server()
    stage.create("alice")
    stage.plain_user("bob").send(("alice",), "caf\u00e9 \u011b \u65e5")
    if words != ("check",):
        stage.msgc("alice", "check")
    done = subprocess.run(
        program("msgc", "-u", "alice", *words),
        env=stage.person("alice") | {"PYTHONIOENCODING": "iso-8859-1"},
        input=b"5\nq\n",
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done
    assert b"\x9b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
    if words[0] in {"check", "history", "--plain"}:
        assert b"caf\xe9 ? ?" in done.stdout


def test_nothing_but_ascii_when_asked(stage: Stage, opened: Opener) -> None:
    """`--ascii`: for terminals and fonts that have no more, whatever people write."""
    stage.start_server()
    terminal = opened("--ascii", "alice")
    log_in(terminal)
    stage.plain_user("bob").send(("alice",), "\u010daj \u65e5\u672c end")
    terminal.wait_for("New message from bob.")
    terminal.send_keys("2")
    terminal.wait_for("aj", "end")
    back_to_menu(terminal)
    terminal.send_keys("5")
    terminal.wait_for("History", "end")
    assert terminal.raw.isascii()
