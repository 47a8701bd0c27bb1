"""The curses face at work: keys go to the program, its screen goes to a console as a picture.

One turn of the loop reads what there is, then draws once. Must never know what a particular screen
does, nor do I/O of its own: console, network and clock are handed in. However it ends, drafts are
kept first and the terminal is given back. Fails with ArchiveError when the archive cannot keep a
promise.
"""

from msgc.app_arrivals import Arrivals
from msgc.app_editor import EditorTurn
from msgc.loop import Timer
from msgc.net import Signal
from msgc.program import Program
from msgc.surroundings import Surroundings
from term.console import ConsoleClosed, LendableConsole
from term.decoder import KeyDecoder
from term.keys import KeyEvent
from term.picture import Picture


def run(surroundings: Surroundings, console: LendableConsole, name: str | None) -> int:
    """The screens, until the person quits; the exit code. `name`: connect as this at once."""
    app = App(surroundings, console)
    try:
        return app.run(name)
    finally:
        app.close()


class App:
    """See the module's text."""

    def __init__(self, surroundings: Surroundings, console: LendableConsole) -> None:
        self._console = console
        self._clock = surroundings.clock
        self._program = Program(surroundings, self._obey)
        self._decoder = KeyDecoder()
        self._escape_timer: Timer | None = None
        self._drawn: Picture | None = None
        loop = self._program.loop
        self._editor = EditorTurn(
            surroundings.editor, console, loop, self._read_keys, self._draw_anew
        )
        self._program.lend = self._editor.begin
        self._program.may_end = self._may_end
        self._arrivals = Arrivals(console, surroundings.clock, self._program.desk.times)

    @property
    def code(self) -> int | None:
        """The exit code, once it is over."""
        return self._program.code

    def run(self, name: str | None) -> int:
        """Turn until the end."""
        self.start(name)
        while self._program.code is None:
            self.turn()
        return self._program.code

    def start(self, name: str | None) -> None:
        """The first picture; with a name, the first attempt."""
        loop = self._program.loop
        loop.watch_reader(self._console.fileno(), self._read_keys)
        loop.watch_signal(Signal.RESIZE, self._resize)
        loop.watch_signal(Signal.CHILD, self._editor.look)
        self._program.start(name)
        self._show()

    def turn(self, wait_ms_max: int | None = None) -> None:
        """One turn of the loop, and what is to be seen after it."""
        self._program.loop.turn(wait_ms_max)
        self._show()

    def close(self) -> None:
        """Keep what is only here, and give everything back."""
        try:
            self._editor.break_off()
            self._program.close()
        finally:
            self._console.close()

    # ----- what comes in ------------------------------------------------------------------------

    def _read_keys(self) -> None:
        try:
            data = self._console.read()
        except ConsoleClosed:
            self._program.hang_up()
            return
        for key in self._decoder.feed(data, self._clock.now_ms()):
            self._press(key)
        self._expect_escape()

    def _expect_escape(self) -> None:
        """A lone Esc is a key only after a short silence."""
        if self._escape_timer is not None:
            self._escape_timer.cancel()
        deadline_ms = self._decoder.deadline_ms
        self._escape_timer = None
        if deadline_ms is not None:
            self._escape_timer = self._program.loop.call_at(deadline_ms, self._end_escape)

    def _end_escape(self) -> None:
        for key in self._decoder.timeout(self._clock.now_ms()):
            self._press(key)
        self._expect_escape()

    def _press(self, key: KeyEvent) -> None:
        if not self._program.is_leaving:
            self._program.desk.hush()
        self._program.press(key)

    def _obey(self, command: str) -> None:
        """What only a terminal can do."""
        if command == "redraw":
            self._console.redraw()
            self._draw_anew()
        elif command == "suspend":
            self._program.keep()
            self._console.suspend()
            self._draw_anew()

    def _resize(self) -> None:
        self._console.resized()
        self._draw_anew()

    def _draw_anew(self) -> None:
        self._drawn = None

    def _may_end(self, signal: Signal) -> bool:
        """C-c in the editor is the editor's, which got it too; other signals end both."""
        if self._editor.is_on and signal is Signal.INTERRUPT:
            return False
        self._editor.break_off()
        return True

    # ----- what goes out ------------------------------------------------------------------------

    def _show(self) -> None:
        program = self._program
        program.follow()
        self._arrivals.tell(program.desk.take_arrival(), program.desk.chosen)
        if self._editor.is_on:
            return
        picture = program.top.picture(self._console.size())
        if picture != self._drawn:
            self._drawn = picture
            self._console.draw(picture)
