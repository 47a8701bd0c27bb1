"""What tells of a new message to a person who is not looking: the bell, and a notification.

Must never ring more than once in BELL_MS, nor in the quiet hours, nor put the text of a message
where others may see it. Fails never.
"""

from typing import Final

from msgc.net import Clock
from msgc.settings import Settings
from msgc.view_text import Times
from term.console import LendableConsole
from term.safe import Safe

BELL_MS: Final = 5_000


class Arrivals:
    """Rings and notifies on one console. `times` knows the person's time zone."""

    def __init__(self, console: LendableConsole, clock: Clock, times: Times) -> None:
        self._console = console
        self._clock = clock
        self._times = times
        self._told_at_ms = -BELL_MS

    def tell(self, words: Safe, settings: Settings) -> None:
        """These have come (empty: nothing has). Too soon after the last ones, nothing is heard."""
        now_ms = self._clock.now_ms()
        if not words or now_ms - self._told_at_ms < BELL_MS:
            return
        minute = self._times.minute_of_day(self._clock.wall_ms())
        if settings.quiet is not None and minute is not None and settings.quiet.holds(minute):
            return
        self._told_at_ms = now_ms
        arrives = settings.notify and self._console.notify(Safe(f"msgc: {words}"))
        # A multiplexer may keep a notification for itself; the bell it hands on.
        if settings.bell or (settings.notify and not arrives):
            self._console.bell()
