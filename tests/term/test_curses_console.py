"""A real curses on a real pty; pyte, a terminal in Python, is the judge of what is seen."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from tests.term.console_program import MARK_COLUMN, text_pages

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 20
CURSES_SAYS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0AB]|\x1b[=>78M]|[\r\n\b\x0f]|\x1b\[!p")


class Terminal:
    """A program on a pty, and the screen that a person would see."""

    def __init__(
        self, command: list[str], terminal: str, environment: dict[str, str], size: tuple[int, int]
    ) -> None:
        rows, columns = size
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.sent = b""  # everything that came to the terminal
        self.process = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=size,
            cwd=str(ROOT),
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": terminal} | environment,
            timeout=TIMEOUT,
            echo=True,
        )
        self.process.delaybeforesend = None

    def until(self, seen: Callable[[], bool]) -> None:
        while not seen():
            data = self.process.read_nonblocking(65_536, TIMEOUT)
            self.sent += data
            self.stream.feed(re.sub(rb"\x1b\[!p", b"", data))  # pyte does not know it

    def until_shown(self, text: str) -> None:
        self.until(lambda: any(text in row for row in self.screen.display))

    def until_sent(self, data: bytes) -> None:
        self.until(lambda: data in self.sent)

    def until_ended(self) -> None:
        try:
            self.until(lambda: False)
        except pexpect.EOF:
            self.process.wait()

    def type(self, data: bytes) -> None:
        self.process.send(data)

    def resize(self, rows: int, columns: int) -> None:
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    def close(self) -> None:
        self.process.close(force=True)


Start = Callable[..., Terminal]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Terminal] = []

    def start_one(
        what: str = "keys",
        *,
        terminal: str = "xterm-256color",
        color: str = "auto",
        size: tuple[int, int] = (24, 80),
        **environment: str,
    ) -> Terminal:
        command = [sys.executable, "-m", "tests.term.console_program", what, color]
        started.append(Terminal(command, terminal, environment, size))
        return started[-1]

    yield start_one
    for terminal in started:
        terminal.close()


@pytest.fixture
def shell() -> Iterator[Terminal]:
    terminal = Terminal(
        ["/bin/bash", "--norc", "--noprofile", "-i"], "xterm-256color", {"PS1": "$ "}, (24, 80)
    )
    yield terminal
    terminal.close()


def test_a_picture_is_seen_as_it_was_composed(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    rows = terminal.screen.display
    assert rows[0].rstrip() == "title"
    assert rows[1].rstrip() == "^[[2J^[]0;owned^G <RLO>日本 \xe9"
    assert rows[2].rstrip() == "green"
    assert rows[21].rstrip() == "0 keys, window 24 80"
    assert rows[22].rstrip() == "status"
    assert terminal.screen.title == ""
    assert all(terminal.screen.buffer[0][column].reverse for column in range(80))
    assert terminal.screen.buffer[2][0].bold
    assert terminal.screen.buffer[2][0].fg == "green"


def test_the_last_cell_is_never_drawn(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    assert terminal.screen.display[23] == "k" * 79 + " "


def test_the_cursor_is_hidden_until_a_picture_has_one(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    assert terminal.screen.cursor.hidden
    terminal.type(b"a")
    terminal.until(lambda: not terminal.screen.cursor.hidden)
    # It may be shown in one read and moved in the next.
    terminal.until(lambda: (terminal.screen.cursor.y, terminal.screen.cursor.x) == (2, 3))


def test_only_what_changed_is_sent(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    before = len(terminal.sent)
    terminal.type(b"a")
    terminal.until_shown("'a'")
    terminal.until_shown("1 keys")
    assert b"status" not in terminal.sent[before:]
    assert len(terminal.sent) - before < 120
    terminal.type(b"\x0c")
    terminal.until_shown("'C-l'")
    terminal.until(lambda: b"status" in terminal.sent[before:])


def test_keys_and_pastes_arrive(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    terminal.type(b"\x03\x13\x1bOA\x1b[1;5C\x1bb\r\x1b[200~one\rtwo\x1b[201~\x1b[24;80R")
    terminal.until_shown("7 keys")
    shown = [row.strip() for row in terminal.screen.display[3:10]]
    assert shown == [
        *("'C-c'", "'C-s'", "'Up'", "'C-Right'", "'M-b'", "'Enter'"),
        "Paste(text='one\\ntwo', cut_bytes=0)",
    ]
    terminal.type(b"\x1b")
    terminal.until_shown("'Esc'")


def test_a_new_size_is_drawn_at_once(start: Start) -> None:
    terminal = start()
    terminal.until_shown("window 24 80")
    terminal.resize(40, 120)
    terminal.until_shown("window 40 120")
    terminal.until_shown("k" * 119)
    assert terminal.screen.display[38].rstrip() == "status"
    terminal.resize(10, 40)
    terminal.until_shown("window too small: 60x16 needed")
    assert "".join(terminal.screen.display[1:]).strip() == ""
    terminal.resize(1, 1)
    terminal.resize(24, 80)
    terminal.until_shown("window 24 80")


def test_the_bell_rings(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    terminal.type(b"b")
    terminal.until_sent(b"\x07")


@pytest.mark.parametrize(
    ("color", "environment", "colored"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": ""}, True),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {}, False),
    ],
)
def test_colour_is_a_choice(
    start: Start, color: str, environment: dict[str, str], *, colored: bool
) -> None:
    terminal = start(color=color, **environment)
    terminal.until_shown("k" * 79)
    assert terminal.screen.buffer[2][0].fg == ("green" if colored else "default")
    assert terminal.screen.buffer[2][0].bold


@pytest.mark.parametrize("name", ["screen", "tmux", "tmux-256color", "linux", "vt100", "xterm"])
def test_other_terminals_show_the_same(start: Start, name: str) -> None:
    terminal = start(terminal=name)
    terminal.until_shown("0 keys, window 24 80")
    terminal.until_shown("k" * 79)
    terminal.type(b"q")
    terminal.until_ended()
    assert b"ended well" in terminal.sent
    if name in {"linux", "vt100"}:  # no alternate screen: the last picture stays
        rows = [row.rstrip() for row in terminal.screen.display]
        assert "ended well" in rows, "on a row of its own"
        assert "k" * 79 in rows
    assert terminal.sent.count(b"\x1b[?2004h") == terminal.sent.count(b"\x1b[?2004l") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dumb", "TERM is dumb; use --plain"),
        ("", "TERM is not set; use --plain"),
        ("no-such-terminal", "does not know the terminal type"),
        ("vt52", "cannot do what a screen needs"),
    ],
)
def test_a_terminal_that_cannot_is_refused_with_advice(start: Start, name: str, words: str) -> None:
    terminal = start(terminal=name)
    terminal.until_ended()
    assert words in terminal.sent.decode()
    assert b"\x1b" not in terminal.sent


@pytest.mark.parametrize("name", ["dumb", "vt52", "no-such-terminal"])
def test_the_advice_is_the_programs_own(start: Start, name: str) -> None:
    terminal = start("headless", terminal=name)
    terminal.until_ended()
    assert "use --headless, or" in terminal.sent.decode()
    assert "--plain" not in terminal.sent.decode()


def test_a_pipe_is_refused_with_advice() -> None:
    shell = f"{sys.executable} -m tests.term.console_program keys auto </dev/null | cat"
    terminal = Terminal(["/bin/sh", "-c", shell], "xterm", {}, (24, 80))
    terminal.until_ended()
    assert b"not a terminal; use --plain" in terminal.sent
    terminal.close()


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_locale_that_says_nothing_still_draws_everything(start: Start, locale: str) -> None:
    terminal = start(LC_ALL=locale)
    terminal.until_shown("k" * 79)
    assert "日" in terminal.screen.display[1]


def ask_for_modes(shell: Terminal, marker: str) -> str:
    shell.type(f"echo {marker}:$(stty -g):$((1+1))\r".encode())
    found: list[str] = []

    def is_answered() -> bool:
        found[:] = re.findall(f"{marker}:([0-9a-f:]+):2\r", shell.sent.decode("utf-8", "replace"))
        return bool(found)

    shell.until(is_answered)
    return found[0]


def run_program(shell: Terminal) -> None:
    shell.type(f"{sys.executable} -m tests.term.console_program keys auto\r".encode())
    shell.until_shown("k" * 79)


def test_the_terminal_is_given_back_at_the_end(shell: Terminal) -> None:
    before = ask_for_modes(shell, "before")
    run_program(shell)
    shell.type(b"q")
    shell.until_sent(b"ended well")
    assert ask_for_modes(shell, "after") == before
    assert b"\x1b[?1049h" in shell.sent
    assert b"\x1b[?1049l" in shell.sent
    assert not shell.screen.cursor.hidden


def test_the_terminal_is_given_back_after_a_failure(shell: Terminal) -> None:
    before = ask_for_modes(shell, "before")
    run_program(shell)
    shell.type(b"x")
    shell.until_sent(b"RuntimeError: asked to fail")
    left, failed = shell.sent.rindex(b"\x1b[?1049l"), shell.sent.index(b"Traceback")
    assert left < failed  # it can be read: it is on the ordinary screen
    assert ask_for_modes(shell, "after") == before


def test_a_program_is_suspended_and_continued(shell: Terminal) -> None:
    before = ask_for_modes(shell, "before")
    run_program(shell)
    shell.type(b"\x1a")
    shell.until_sent(b"Stopped")
    assert ask_for_modes(shell, "during") == before
    shell.resize(30, 100)
    shell.type(b"fg\r")
    shell.until_shown("'C-z'")
    shell.until_shown("window 30 100")
    shell.type(b"\x1b[200~p\x1b[201~")
    shell.until_shown("Paste(text='p'")
    shell.type(b"q")
    shell.until_sent(b"ended well")
    assert ask_for_modes(shell, "after") == before


def test_a_terminal_that_hangs_up_ends_the_program(start: Start) -> None:
    terminal = start()
    terminal.until_shown("k" * 79)
    terminal.process.ptyproc.fileobj.close()
    terminal.process.wait()
    assert not terminal.process.isalive()


@pytest.mark.slow
def test_no_character_that_exists_harms_the_screen(start: Start) -> None:
    terminal = start("text", size=(50, 100))
    for number, page in enumerate(text_pages()):
        before = len(terminal.sent)
        terminal.until_shown(f"page {number} is drawn")
        rest = CURSES_SAYS.sub(b"", terminal.sent[before:]).decode("utf-8")
        drawn = set(rest)
        assert all(character.isprintable() for character in drawn), sorted(map(ascii, drawn))
        assert drawn <= set("".join(page)) | set(f"page {number} is drawn|")
        for row in range(len(page)):
            assert terminal.screen.buffer[row][MARK_COLUMN].data == "|", (row, page[row])
        terminal.type(b" ")
    terminal.until_ended()
    assert b"ended well" in terminal.sent
