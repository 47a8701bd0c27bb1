"""The client behind both of its faces: the screens, the link behind them, and how it ends.

A face turns what is typed into keys, presses them here, and shows the screen on top. Must never
know which face it has, what a particular screen does, nor do I/O of its own. However it ends,
drafts are kept first. Fails with ArchiveError when the archive cannot keep a promise.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from msgc.loop import Loop
from msgc.net import Signal
from msgc.outside_editor import Edited
from msgc.screens.help import Help
from msgc.screens.leave import Leave
from msgc.screens.notices import Notices
from msgc.screens.screen import Done, Edit, Screen
from msgc.screens.stack import Stack
from msgc.screens.username import Username
from msgc.surroundings import Surroundings
from msgc.view_desk import LiveDesk
from msgc.view_text import Times
from term.keys import KeyEvent
from term.safe import Safe

if TYPE_CHECKING:  # there is no news at the first prompt
    from msgc.view_news import News

TICK_MS: Final = 1_000
LEAVE_MS: Final = 4_000
KEEP_TICKS: Final = 2
AHEAD_MS: Final = 50
"""Before the first piece of what is loaded ahead, and between the pieces."""
_AHEAD: Final = (
    "msgc.archive",
    "msgc.link_events",
    "wire.messages",
    "msgc.link",
    "msgc.view_events",
    "msgc.screens.inside",
)
"""What the first prompt comes without and a name needs, in pieces that nobody notices in typing."""


class Program:
    """See the module's text. `obey_face` is told the commands that only a face can obey."""

    def __init__(self, surroundings: Surroundings, obey_face: Callable[[str], None]) -> None:
        self.loop = Loop(surroundings.network, surroundings.clock)
        self.desk = LiveDesk(surroundings, self.loop, Times(None), self._hear)
        self.stack = Stack(Username(self.desk))
        self.code: int | None = None
        """The exit code, once it is over."""
        self.is_leaving = False
        self.lend: Callable[[Edit], None] = _cannot_lend
        """How the face gives its terminal to the person's editor."""
        self.may_end: Callable[[Signal], bool] = lambda _: True
        """Whether a signal that ends is for us."""
        self._clock = surroundings.clock
        self._obey_face = obey_face
        self._end_code = 0
        self._ticks = 0

    @property
    def top(self) -> Screen:
        """The screen to be shown."""
        return self.stack.top

    def start(self, name: str | None) -> None:
        """With a name, the first attempt."""
        for signal, callback in (
            (Signal.INTERRUPT, partial(self._obey_signal, Signal.INTERRUPT, 130, self.leave)),
            (Signal.TERMINATE, partial(self._obey_signal, Signal.TERMINATE, 143, self.leave)),
            (Signal.HANG_UP, partial(self._obey_signal, Signal.HANG_UP, 129, self.hang_up)),
        ):
            self.loop.watch_signal(signal, callback)
        if name is None:
            self._load_ahead(_AHEAD)
        else:
            self.desk.log_in(name)
        self._tick()

    def press(self, key: KeyEvent) -> None:
        """A key, or a paste, for the screen on top."""
        top = self.stack.top
        command = top.keys.command(key)
        if self.is_leaving:
            # The goodbye takes a moment; who does not want to wait for it asks twice.
            if command == "quit":
                self.code = self._end_code
            return
        outcome = top.handle(key)
        if outcome is Done.IGNORED and command is not None:
            self._obey(command, top)
        if isinstance(outcome, Edit):
            self._keep()
            self.lend(outcome)
        else:
            self.stack.apply(outcome)
        self.follow()

    def follow(self) -> None:
        """The desk decides whether one is inside, and whether the person wants to go."""
        desk = self.desk
        if desk.inside and self.stack.depth == 1:
            self.stack.open(self._menu())
        elif not desk.inside and self.stack.depth > 1 and not self._is_help():
            self.stack.clear()
        if desk.wants_quit:
            desk.wants_quit = False
            if desk.asks_before_quitting:
                self.stack.open(Leave(desk, self.leave))
            else:
                self.leave()
        if self.is_leaving and desk.left:
            self.code = self._end_code

    def leave(self, code: int | None = None) -> None:
        """Say goodbye to the server, and end when it is said, or after a while."""
        if self.is_leaving:
            return
        if code is not None:
            self._end_code = code
        self.is_leaving = True
        self._keep()
        self.desk.say(Safe("Disconnecting ..."))
        self.desk.log_out()
        self.loop.call_at(self._clock.now_ms() + LEAVE_MS, self.hang_up)

    def hang_up(self) -> None:
        """Nobody sees us any more."""
        self.code = self._end_code

    def close(self) -> None:
        """Keep what is only here, and let go of the rest."""
        try:
            self._keep()
        finally:
            self.desk.close()

    def keep(self) -> None:
        """Before the face is put away for a while."""
        self._keep()

    # ----- inside -------------------------------------------------------------------------------

    def _obey(self, command: str, top: Screen) -> None:
        """The commands that mean the same on every screen."""
        if command == "help":
            self.stack.open(Help(self.desk, top.name, top.keys))
        elif command == "notices":
            self.stack.open(Notices(self.desk))
        elif command == "connect":
            self._keep()  # it may lead back to the first screen
            self.desk.retry_now()
        elif command == "quit":
            self.desk.quit()
        else:
            self._obey_face(command)

    def _hear(self, news: "News") -> None:
        self.stack.hear(news)

    def _obey_signal(self, signal: Signal, code: int, obey: Callable[[], None]) -> None:
        """The exit code is the shell's: 128 and the number of the signal."""
        if self.may_end(signal):
            self._end_code = code
            obey()

    def _tick(self) -> None:
        self.loop.call_at(self._clock.now_ms() + TICK_MS, self._tick)
        self.desk.refresh()
        self._ticks += 1
        if self._ticks % KEEP_TICKS == 0:
            self._keep()

    def _load_ahead(self, pieces: tuple[str, ...]) -> None:
        """While the name is typed, so that Enter need not wait for it."""

        def load() -> None:
            import_module(pieces[0])
            self._load_ahead(pieces[1:])

        if pieces:
            self.loop.call_at(self._clock.now_ms() + AHEAD_MS, load)

    def _is_help(self) -> bool:
        return isinstance(self.stack.top, Help) and self.stack.depth == 2

    def _keep(self) -> None:
        if self.desk.inside:
            self.stack.keep()

    def _menu(self) -> Screen:
        # Late: the first screen is there sooner without those behind it.
        from msgc.screens.inside import main_menu

        return main_menu(self.desk)


def _cannot_lend(edit: Edit) -> None:
    edit.then(Edited(None, Safe("Your editor can be opened from the screens only.")))
