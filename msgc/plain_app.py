"""The client as lines (`--plain`): for screen readers, pipes and terminals that can do no more.

The same functions as the screens: no cursor motion, nothing that vanishes, state in words, one
event a line. What is asked stands in `plain_talk`; here lines come in, and go out. Must never
block. Fails with ArchiveError when the archive cannot keep a promise.
"""

from typing import Final, Protocol

from msgc.loop import Loop
from msgc.net import Signal
from msgc.plain_talk import Conversation, Step
from msgc.surroundings import Surroundings
from msgc.view_desk import LiveDesk
from msgc.view_text import Times
from msgc.view_values import News
from term.console import ConsoleClosed
from term.safe import Safe

LEAVE_MS: Final = 4_000
TICK_MS: Final = 1_000


class LineConsole(Protocol):
    """What `term.plain_console.PlainConsole` is: lines in and out."""

    def say(self, line: Safe) -> None:
        """Write one line."""

    def ask(self, prompt: Safe) -> None:
        """Write a prompt and stay on its line."""

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
        self._loop = Loop(surroundings.network, surroundings.clock)
        self._desk = LiveDesk(surroundings, self._loop, Times(None), self._hear)
        self._talk = Conversation(self._desk, self._say, lambda: self._desk.inside)
        self._steps = self._talk.talk(None)
        self._step = Step(Safe(""), lambda: True)
        self._asked = False
        self._code: int | None = None
        self._leaving = False
        self._input_ended = False
        self._lines: list[str] = []

    def run(self, name: str | None) -> int:
        """Turn until the end."""
        self._loop.watch_reader(self._console.fileno(), self._read_lines)
        for signal in (Signal.INTERRUPT, Signal.TERMINATE):
            self._loop.watch_signal(signal, self._leave)
        self._loop.watch_signal(Signal.HANG_UP, self._end)
        self._steps = self._talk.talk(name)
        self._step = next(self._steps)
        self._tick()
        self._go_on()
        while self._code is None:
            self._loop.turn()
            self._go_on()
        return self._code

    def close(self) -> None:
        """Give everything back."""
        self._desk.close()

    def _hear(self, news: News) -> None:
        self._talk.hear(news)

    def _read_lines(self) -> None:
        try:
            self._lines += self._console.read_lines()
        except ConsoleClosed:
            # What was asked before the end is still done.
            self._loop.forget_reader(self._console.fileno())
            self._input_ended = True
        if self._lines:
            self._asked = False

    def _tick(self) -> None:
        self._loop.call_at(self._clock.now_ms() + TICK_MS, self._tick)
        self._desk.refresh()

    def _go_on(self) -> None:
        """As far as the lines and the events of this turn reach."""
        self._tell_notice()
        while self._code is None and not self._leaving:
            if self._step.until():
                self._resume(None)
            elif self._lines and self._step.takes_lines:
                self._resume(self._lines.pop(0))
            else:
                break
        if self._code is None and not self._leaving:
            self._prompt()
        if self._leaving and self._desk.left:
            self._code = 0

    def _resume(self, line: str | None) -> None:
        self._asked = False
        try:
            self._step = self._steps.send(line)
        except StopIteration:
            self._leave()
        if self._desk.wants_quit:
            self._leave()

    def _prompt(self) -> None:
        if self._input_ended and self._step.takes_lines:
            self._leave()
        elif self._step.prompt and not self._asked:
            self._asked = True
            self._console.ask(self._step.prompt)

    def _tell_notice(self) -> None:
        """What the desk has to say: a line of its own, then the prompt again."""
        said = self._desk.message()
        followed = self._desk.situation.followed
        if said and (followed is None or self._desk.situation.said):
            self._say(said)
            self._desk.situation.said = Safe("")

    def _say(self, line: Safe) -> None:
        if self._asked:
            self._asked = False
            self._console.say(Safe(""))
        self._console.say(line)

    def _leave(self) -> None:
        if self._leaving:
            self._end()
            return
        self._leaving = True
        self._desk.log_out()
        self._loop.call_at(self._clock.now_ms() + LEAVE_MS, self._end)

    def _end(self) -> None:
        self._code = 0
