"""The curses client: keys go to the screen on top, the link's events to all, pictures to a console.

One turn of the loop reads what there is, then draws once. Must never know what a particular screen
does, nor do I/O of its own: console, network and clock are handed in. However it ends, drafts are
kept first and the terminal is given back. Fails with ArchiveError when the archive cannot keep a
promise.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgc.loop import Loop, Timer
from msgc.net import Signal
from msgc.screens.accounts import Accounts
from msgc.screens.check import Check
from msgc.screens.composer import Composer
from msgc.screens.drafts import Drafts
from msgc.screens.help import Help
from msgc.screens.history import History
from msgc.screens.leave import Leave
from msgc.screens.menu import Menu
from msgc.screens.screen import Done, Screen
from msgc.screens.send import Send
from msgc.screens.sent import SentMessages
from msgc.screens.settings import Settings
from msgc.screens.stack import Stack
from msgc.screens.username import Username
from msgc.surroundings import Surroundings
from msgc.view_desk import LiveDesk
from msgc.view_text import Times
from msgc.view_values import News, Target
from term.console import Console, ConsoleClosed
from term.decoder import KeyDecoder
from term.keys import KeyEvent
from term.picture import Picture
from term.safe import Safe

TICK_MS: Final = 1_000
BELL_MS: Final = 5_000
LEAVE_MS: Final = 4_000
KEEP_TICKS: Final = 2


def run(surroundings: Surroundings, console: Console, name: str | None) -> int:
    """The screens, until the person quits; the exit code. `name`: connect as this at once."""
    app = App(surroundings, console)
    try:
        return app.run(name)
    finally:
        app.close()


class App:
    """See the module's text."""

    def __init__(self, surroundings: Surroundings, console: Console) -> None:
        self._console = console
        self._clock = surroundings.clock
        self._loop = Loop(surroundings.network, surroundings.clock)
        self._desk = LiveDesk(surroundings, self._loop, Times(None), self._hear)
        self._stack = Stack(Username(self._desk))
        self._decoder = KeyDecoder()
        self._escape_timer: Timer | None = None
        self._drawn: Picture | None = None
        self._code: int | None = None
        self._end_code = 0
        self._leaving = False
        self._ticks = 0
        self._bell_at_ms = -BELL_MS

    @property
    def code(self) -> int | None:
        """The exit code, once it is over."""
        return self._code

    def run(self, name: str | None) -> int:
        """Turn until the end."""
        self.start(name)
        while self._code is None:
            self.turn()
        return self._code

    def start(self, name: str | None) -> None:
        """The first picture; with a name, the first attempt."""
        self._loop.watch_reader(self._console.fileno(), self._read_keys)
        for signal, callback in (
            (Signal.RESIZE, self._resize),
            (Signal.INTERRUPT, partial(self._obey_signal, 130, self._leave)),
            (Signal.TERMINATE, partial(self._obey_signal, 143, self._leave)),
            (Signal.HANG_UP, partial(self._obey_signal, 129, self._hang_up)),
        ):
            self._loop.watch_signal(signal, callback)
        if name is not None:
            self._desk.log_in(name)
        self._tick()
        self._show()

    def turn(self, wait_ms_max: int | None = None) -> None:
        """One turn of the loop, and what is to be seen after it."""
        self._loop.turn(wait_ms_max)
        self._show()

    def close(self) -> None:
        """Keep what is only here, and give everything back."""
        try:
            self._keep()
        finally:
            self._desk.close()
            self._console.close()

    # ----- what comes in ------------------------------------------------------------------------

    def _read_keys(self) -> None:
        try:
            data = self._console.read()
        except ConsoleClosed:
            self._hang_up()
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
            self._escape_timer = self._loop.call_at(deadline_ms, self._end_escape)

    def _end_escape(self) -> None:
        for key in self._decoder.timeout(self._clock.now_ms()):
            self._press(key)
        self._expect_escape()

    def _press(self, key: KeyEvent) -> None:
        top = self._stack.top
        command = top.keys.command(key)
        if self._leaving:
            # The goodbye takes a moment; who does not want to wait for it asks twice.
            if command == "quit":
                self._code = 0
            return
        self._desk.hush()
        outcome = top.handle(key)
        if outcome is Done.IGNORED and command is not None:
            self._obey(command, top)
        self._stack.apply(outcome)
        self._follow_desk()

    def _obey(self, command: str, top: Screen) -> None:
        """The commands that mean the same on every screen."""
        if command == "help":
            self._stack.open(Help(self._desk, top.name, top.keys))
        elif command == "redraw":
            self._console.redraw()
            self._drawn = None
        elif command == "suspend":
            self._keep()
            self._console.suspend()
            self._drawn = None
        elif command == "connect":
            self._desk.retry_now()
        elif command == "quit":
            self._desk.quit()

    def _hear(self, news: News) -> None:
        self._stack.hear(news)

    def _resize(self) -> None:
        self._console.resized()
        self._drawn = None

    def _hang_up(self) -> None:
        """Nobody sees us any more."""
        self._code = self._end_code

    def _obey_signal(self, code: int, obey: Callable[[], None]) -> None:
        """The exit code is the shell's: 128 and the number of the signal."""
        self._end_code = code
        obey()

    def _tick(self) -> None:
        self._loop.call_at(self._clock.now_ms() + TICK_MS, self._tick)
        self._desk.refresh()
        self._ticks += 1
        if self._ticks % KEEP_TICKS == 0:
            self._keep()

    # ----- what follows -------------------------------------------------------------------------

    def _follow_desk(self) -> None:
        """The desk decides whether one is inside, and whether the person wants to go."""
        desk = self._desk
        if desk.inside and self._stack.depth == 1:
            self._stack.open(self._menu())
        elif not desk.inside and self._stack.depth > 1 and not self._is_help():
            self._stack.clear()
        if desk.wants_quit:
            desk.wants_quit = False
            if desk.asks_before_quitting:
                self._stack.open(Leave(desk, self._leave))
            else:
                self._leave()
        if self._leaving and desk.left:
            self._code = self._end_code

    def _is_help(self) -> bool:
        return isinstance(self._stack.top, Help) and self._stack.depth == 2

    def _leave(self) -> None:
        if self._leaving:
            return
        self._leaving = True
        self._keep()
        self._desk.say(Safe("Disconnecting ..."))
        self._desk.log_out()
        self._loop.call_at(self._clock.now_ms() + LEAVE_MS, self._hang_up)

    def _keep(self) -> None:
        if self._desk.inside:
            self._stack.keep()

    def _show(self) -> None:
        self._follow_desk()
        if self._desk.take_bell() and self._clock.now_ms() - self._bell_at_ms >= BELL_MS:
            self._bell_at_ms = self._clock.now_ms()
            self._console.bell()
        picture = self._stack.top.picture(self._console.size())
        if picture != self._drawn:
            self._drawn = picture
            self._console.draw(picture)

    def _menu(self) -> Menu:
        desk = self._desk

        def write(target: Target) -> Screen:
            return Composer(desk, target)

        return Menu(
            desk,
            {
                "send": lambda: Send(desk, write),
                "check": lambda: Check(desk),
                "sent": lambda: SentMessages(desk),
                "drafts": lambda: Drafts(desk),
                "history": lambda: History(desk),
                "accounts": lambda: Accounts(desk, write),
                "settings": lambda: Settings(desk),
            },
        )
