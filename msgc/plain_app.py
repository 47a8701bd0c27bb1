"""The face of lines at work (`--plain`): for screen readers, pipes, and TERM=dumb.

The very same screens as with curses, and the same keys: a line that is typed becomes keys of the
screen's table (`view_answers`), what changes becomes lines (`view_lines`). No cursor motion,
nothing that vanishes, one event a line. Must never block, nor take a line while an answer of the
server is on its way: what is typed ahead, or comes from a pipe, waits for it. Fails with
ArchiveError when the archive cannot keep a promise.
"""

from typing import Final, Protocol

from msgc.net import Signal
from msgc.program import Program
from msgc.screens.screen import Screen
from msgc.surroundings import Surroundings
from msgc.view import LINES, View
from msgc.view_answers import Answer, read
from msgc.view_lines import changes_of, lines_of, prompt_of, question_lines
from msgc.view_values import Phase
from term.console import ConsoleClosed
from term.safe import Safe, safe_line

ANSWER_MS: Final = 10_000
"""How long a line waits for an answer of the server's, at most."""
UNREACHABLE: Final = 5
"""The exit code when the input ends and there was never a server: that of the commands."""
NO_READER: Final = 141
"""The exit code when the lines have nowhere to go: that of the shell for a broken pipe."""
QUIET_MS: Final = 1_000
"""A new screen is said when its answer is there, or after this time."""


class LineConsole(Protocol):
    """What `term.plain_console.PlainConsole` is: lines in and out."""

    def say(self, line: Safe) -> None:
        """Write one line."""

    def ask(self, prompt: Safe, *, secret: bool = False) -> None:
        """Write a prompt and stay on its line; a secret answer is not to be seen."""

    def close(self) -> None:
        """Give the terminal back as it was found."""

    def read_lines(self) -> tuple[str, ...]:
        """The lines that were completed since. Raises ConsoleClosed at the end of the input."""

    def fileno(self) -> int:
        """The descriptor to wait on."""


def run_plain(surroundings: Surroundings, console: LineConsole, name: str | None) -> int:
    """The line mode, until the person quits or the input ends; the exit code."""
    app = PlainApp(surroundings, console)
    try:
        return app.run(name)
    finally:
        app.close()


class PlainApp:
    """See the module's text."""

    def __init__(self, surroundings: Surroundings, console: LineConsole) -> None:
        self._console = console
        self._clock = surroundings.clock
        self._program = Program(surroundings, self._obey)
        self._lines: list[str] = []
        self._input_ended = False
        self._top: Screen | None = None
        self._told: View | None = None
        self._told_question = False
        self._told_notices = 0
        self._answered = False
        self._asked: Safe | None = None
        """The prompt whose answer is waited for."""
        self._waits_since_ms: int | None = None

    def run(self, name: str | None) -> int:
        """Turn until the end."""
        loop = self._program.loop
        loop.watch_reader(self._console.fileno(), self._read_lines)
        loop.watch_signal(Signal.RESIZE, lambda: None)
        self._program.start(name)
        try:
            self._go_on()
            while self._program.code is None:
                loop.turn()
                self._go_on()
        except ConsoleClosed:  # nobody reads on: the lines have nowhere to go
            self._program.code = NO_READER
        return self._program.code

    def close(self) -> None:
        """Keep what is only here, and give everything back."""
        try:
            self._program.close()
        finally:
            self._console.close()

    # ----- what comes in ------------------------------------------------------------------------

    def _read_lines(self) -> None:
        try:
            self._lines += self._console.read_lines()
        except ConsoleClosed:
            # What was asked before the end is still done.
            self._program.loop.forget_reader(self._console.fileno())
            self._input_ended = True

    def _go_on(self) -> None:
        """As far as the lines and the events of this turn reach."""
        program = self._program
        while program.code is None:
            program.follow()
            self._tell()
            if program.is_leaving or self._waits():
                break
            if not self._lines:
                break
            self._obey_line(self._lines.pop(0))
        if program.code is None and not program.is_leaving:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._waits():
            return
        if self._input_ended and not self._lines:
            waits = self._program.desk.overview().standing.phase is Phase.WAITING
            self._program.leave(UNREACHABLE if waits and not self._program.desk.inside else None)
            return
        assert self._told is not None
        prompt = prompt_of(self._told)
        if self._asked != prompt:
            self._asked = prompt
            field = self._told.field
            self._console.ask(prompt, secret=field is not None and field.is_secret)

    def _obey_line(self, line: str) -> None:
        program = self._program
        view = program.top.view(LINES)
        field = view.field
        if self._asked is None and field is not None and not (field.has_lines or field.is_secret):
            self._say(Safe(f"{prompt_of(view)}{safe_line(line)}"))  # typed ahead: who asked?
        self._asked = None  # its line was ended by the answer
        self._answered = True
        program.desk.hush()
        answer = read(line, view)
        if answer.problem:
            self._say(answer.problem)
        elif answer.says_anew:
            self._top = None
        elif answer.place is None or self._choose(answer.place):
            self._press(answer)

    def _press(self, answer: Answer) -> None:
        """The keys; but a name that is not whole is not taken for the one that it begins."""
        program, top = self._program, self._program.top
        for key in answer.keys[:-1]:
            program.press(key)
        if answer.text is not None and self._is_ambiguous(top, answer.text):
            self._say(Safe("Which one? Give its number after a dot, or the whole name."))
            return
        for key in answer.keys[-1:]:
            program.press(key)

    def _is_ambiguous(self, top: Screen, text: str) -> bool:
        view = top.view(LINES)
        table = view.table
        if table is None or not table.rows or view.field is None or not view.field.text:
            return False
        selected = table.rows[(table.selected or 0) - table.first]
        return str(selected.identity) != text.lower()

    def _choose(self, place: int) -> bool:
        """Go to the row that had this number when it was said."""
        top, told = self._program.top, self._told
        table = told.table if told is not None else None
        before = None
        if table is not None and table.first <= place < table.first + len(table.rows):
            before = table.rows[place - table.first].identity
        if not top.select(place):
            self._say(Safe("There is no such row any more."))
            return False
        now = top.view(LINES).table
        selected = None if now is None else now.rows[(now.selected or 0) - now.first].identity
        if before is not None and selected != before:
            self._say(Safe("The rows have changed meanwhile, so nothing was done:"))
            self._top = None
            return False
        return True

    def _obey(self, command: str) -> None:
        """What only a terminal can do: `redraw` says the screen anew."""
        if command == "redraw":
            self._top = None

    def _waits(self) -> bool:
        """Whether an answer of the server is on its way: the next line is for after it."""
        if not self._program.desk.waits:
            self._waits_since_ms = None
            return False
        now_ms = self._clock.now_ms()
        if self._waits_since_ms is None:
            self._waits_since_ms = now_ms
            self._program.loop.call_at(now_ms + QUIET_MS, lambda: None)
            self._program.loop.call_at(now_ms + ANSWER_MS, lambda: None)
        return now_ms - self._waits_since_ms < ANSWER_MS

    # ----- what goes out ------------------------------------------------------------------------

    def _tell(self) -> None:
        """What happened, then the screen: all of a new one, of the same one what has changed."""
        self._tell_notices()
        since_ms = self._waits_since_ms
        if self._waits() and (since_ms is None or self._clock.now_ms() - since_ms < QUIET_MS):
            return
        top = self._program.top
        view = top.view(LINES)
        told, self._told = self._told, view
        if top is not self._top or told is None:
            self._top = top
            self._told_question = False
            for line in lines_of(view):
                self._say(line)
        else:
            for line in changes_of(told, view, asked=self._answered):
                self._say(line)
        self._answered = False
        self._tell_question(view)

    def _tell_question(self, view: View) -> None:
        lines = question_lines(view)
        if lines and not self._told_question:
            for line in lines:
                self._say(line)
        self._told_question = bool(lines)

    def _tell_notices(self) -> None:
        notices = self._program.desk.notices
        for notice in notices.after(self._told_notices):
            self._say(notice.words)
        self._told_notices = notices.total

    def _say(self, line: Safe) -> None:
        if self._asked is not None:
            self._asked = None
            self._console.say(Safe(""))
        self._console.say(line)
