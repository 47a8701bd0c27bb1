"""One command's talk with the server: events one after another, failures as exceptions.

Must never swallow an event that ends the talk, nor wait for ever for a server that is gone (the
link's own time limits end it).
Fails with CommandError (exit code and words) and with InterruptedTalkError for a signal.
"""

from collections import deque
from functools import partial
from typing import TypeVar

from msgc import words
from msgc.archive import Archive
from msgc.command_end import ENDING_SIGNALS, CommandError, Exit, InterruptedTalkError
from msgc.link import Link
from msgc.link_settings import LinkSettings
from msgc.loop import Loop
from msgc.net import Signal
from msgc.surroundings import Surroundings
from msgc.values import (
    Disconnected,
    Kicked,
    LinkEvent,
    LoggedIn,
    LoggedOut,
    NameRefused,
    RequestFailed,
    TakenOver,
)
from wire.codes import Code

Event = TypeVar("Event")


class Talk:
    """See the module's text."""

    def __init__(self, world: Surroundings, archive: Archive, *, retry: bool = False) -> None:
        settings = LinkSettings(agent=world.agent, retry=retry)
        self.clock = world.clock
        self.loop = Loop(world.network, world.clock)
        self.link = Link(archive, world.jitter, settings)
        self._settings = world.settings
        self._events: deque[LinkEvent] = deque()
        self._signal: Signal | None = None
        self.loop.attach(self.link, world.settings.host, world.settings.port, self._events.append)
        for signal in ENDING_SIGNALS:
            self.loop.watch_signal(signal, partial(self._note_signal, signal))

    def log_in(self, name: str, *, live: bool) -> LoggedIn:
        """Be this user, who must exist."""
        self.link.log_in(name, create_if_new=False, live=live)
        return self.expect(LoggedIn)

    def expect(self, wanted: type[Event]) -> Event:
        """The next event of that class. One that ends the talk first raises CommandError."""
        while True:
            event = self.next_event(None)
            if isinstance(event, wanted):
                return event
            if event is not None:
                self.refuse_end(event)

    def next_event(self, until_ms: int | None) -> LinkEvent | None:
        """The next event of any class; None at `until_ms` of the steady clock."""
        while True:
            if self._events:
                return self._events.popleft()
            if self._signal is not None:
                raise InterruptedTalkError(self._signal)
            wait_ms = None
            if until_ms is not None:
                wait_ms = until_ms - self.clock.now_ms()
                if wait_ms <= 0:
                    return None
            self.loop.turn(wait_ms)

    def refuse_end(self, event: LinkEvent) -> None:
        """Raise CommandError when this event ends the talk."""
        match event:
            case Disconnected(retry_at_ms=None):
                raise self.unreachable(event.reason)
            case NameRefused():
                raise CommandError(Exit.REFUSED, words.refusal(event.code, event.text, event.name))
            case RequestFailed():
                raise CommandError(Exit.REFUSED, words.refusal(event.code, event.text))
            case TakenOver():
                raise CommandError(Exit.REFUSED, words.refusal(Code.TAKEN_OVER, event.text))
            case Kicked():
                raise CommandError(Exit.REFUSED, words.refusal(Code.KICKED, event.text))
            case _:
                return

    def unreachable(self, reason: str) -> CommandError:
        """What to raise when there is no connection."""
        text = words.unreachable(self._settings.host, self._settings.port, reason)
        return CommandError(Exit.UNREACHABLE, text)

    def log_out(self) -> None:
        """Say goodbye, and wait for the answer: then the server has settled what we confirmed."""
        self.link.log_out()
        self.expect(LoggedOut)

    def close(self) -> None:
        """Let go of the connection as it stands, and of the signals: what follows may be ended."""
        self.loop.detach()
        self.loop.release_signals()

    def _note_signal(self, signal: Signal) -> None:
        self._signal = signal
