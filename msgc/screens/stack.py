"""The screens that lie on one another; the top one is seen and gets the keys.

Must never be empty: the first screen stays. Fails never.
"""

from typing import TYPE_CHECKING

from msgc.screens.screen import Done, LeaveTo, Open, Outcome, Screen

if TYPE_CHECKING:  # there is no news at the first prompt
    from msgc.view_news import News


class Stack:
    """Opened with the first screen, which is shown."""

    def __init__(self, first: Screen) -> None:
        self._screens = [first]
        first.show()

    @property
    def top(self) -> Screen:
        """The one that is seen."""
        return self._screens[-1]

    @property
    def depth(self) -> int:
        """How many there are."""
        return len(self._screens)

    def apply(self, outcome: Outcome) -> None:
        """Do what a key came to."""
        if isinstance(outcome, Open):
            if outcome.instead and len(self._screens) > 1:
                self._screens.pop()
            self.open(outcome.screen)
        elif isinstance(outcome, LeaveTo):
            names = [screen.name for screen in self._screens[:-1]]
            place = len(names) - names[::-1].index(outcome.name) if outcome.name in names else 0
            self._cut(place or self._before_steps())
        elif outcome is Done.LEAVE:
            self._cut(len(self._screens) - 1)

    def open(self, screen: Screen) -> None:
        """Put this on top."""
        self._screens.append(screen)
        screen.show()

    def clear(self) -> None:
        """Back to the first."""
        if len(self._screens) > 1:
            self._cut(1)

    def hear(self, news: "News") -> None:
        """News are for all: what lies below will be seen again."""
        for screen in tuple(self._screens):
            outcome = screen.hear(news)
            if outcome is not None and screen is self.top:
                self.apply(outcome)

    def keep(self) -> None:
        """Let all put away what is only here."""
        for screen in self._screens:
            screen.keep()

    def _before_steps(self) -> int:
        """How many screens stay when the top goes, and with it what only led to it."""
        depth = len(self._screens) - 1
        while depth > 1 and self._screens[depth - 1].is_step:
            depth -= 1
        return depth

    def _cut(self, depth: int) -> None:
        del self._screens[max(1, depth) :]
        self.top.show()
