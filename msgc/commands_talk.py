"""One command's talk with the server: events one after another, failures as exceptions.

Must never swallow an event that ends the talk, nor wait for ever for a server that is gone (the
link's own time limits end it).
Fails with CommandError (exit code and words) and with InterruptedTalkError for a signal.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from msgc import words, words_trust
from msgc.archive import Archive
from msgc.command_end import ENDING_SIGNALS, CommandError, Exit, InterruptedTalkError
from msgc.credentials import Credentials
from msgc.limits import PASSWORD_ATTEMPTS_MAX
from msgc.link import Link
from msgc.link_events import (
    Connected,
    Disconnected,
    Distrusted,
    Kicked,
    LinkEvent,
    LoggedIn,
    LoggedOut,
    NameRefused,
    PasswordWanted,
    RequestFailed,
    TakenOver,
)
from msgc.link_settings import LinkSettings
from msgc.loop import Loop
from msgc.net import Doubt, Signal
from msgc.surroundings import Surroundings
from term.console import ConsoleClosed
from term.safe import safe_line
from wire.codes import Code
from wire.password import PasswordError

Event = TypeVar("Event")


class Talk:
    """See the module's text."""

    def __init__(self, world: Surroundings, archive: Archive, *, retry: bool = False) -> None:
        settings = LinkSettings(agent=world.agent, retry=retry)
        self.clock = world.clock
        self.loop = Loop(world.network, world.clock)
        self.link = Link(archive, world.jitter, settings)
        self._door = world.door
        self._world = world
        self._events: deque[LinkEvent] = deque()
        self._signal: Signal | None = None
        self._attempts = 0
        self.credentials: Credentials | None = None
        """Who the person is, once the server has wanted to know it."""
        self._begin: Callable[[], None] = self.link.connect
        self.loop.attach(self.link, world.door, self._events.append)
        for signal in ENDING_SIGNALS:
            self.loop.watch_signal(signal, partial(self._note_signal, signal))

    def log_in(self, name: str, *, live: bool) -> LoggedIn:
        """Be this user, who must exist."""
        self.begin(name, live=live)
        return self.expect(LoggedIn)

    def begin(self, name: str, *, live: bool) -> None:
        """Go about it; `next_event` tells what comes of it."""
        self._begin = partial(self._log_in, name, live=live)
        self._begin()

    def greet(self) -> Connected:
        """Meet the server without being anybody."""
        self._begin = partial(self.link.connect, must_prove=self._door.had_password)
        self._begin()
        return self.expect(Connected)

    def ask(
        self, question: str, *, before: tuple[str, ...] = (), secret: bool = False
    ) -> str | None:
        """What the person at the terminal answers; None if there is nobody to ask.

        `before` are lines that stand above the question.
        """
        prompter = self._world.terminal()
        if prompter is None:
            return None
        for line in before:
            print(f"msgc: {safe_line(line)}", file=self._world.stderr, flush=True)
        answers: list[str | None] = []
        fd = prompter.fileno()
        self.loop.watch_reader(fd, lambda: answers.append(prompter.read_line()))
        try:
            prompter.ask(safe_line(question), secret=secret)
            while not any(answer is not None for answer in answers):
                if self._signal is not None:
                    raise InterruptedTalkError(self._signal)
                self.loop.turn()
        except ConsoleClosed:
            return None
        finally:
            self.loop.forget_reader(fd)
            prompter.close()
        return next(answer for answer in answers if answer is not None)

    def _log_in(self, name: str, *, live: bool) -> None:
        must_prove = self._door.had_password
        self.link.log_in(
            name,
            create_if_new=False,
            live=live,
            credentials=self.credentials,
            must_prove=must_prove,
        )

    def _can_help(self, event: LinkEvent) -> bool:
        """Whether what stopped the link is out of the way, so that it can begin again."""
        if isinstance(event, Distrusted):
            return self._accepts(event)
        return isinstance(event, PasswordWanted) and self._finds_password(event)

    def _finds_password(self, event: PasswordWanted) -> bool:
        """From its source, else from the person."""
        source = self._world.passwords
        if source.is_chosen:
            if event.code is not None:
                return False  # it would say the same again
            password: str | None = source.read(event.name)
        elif self._attempts < PASSWORD_ATTEMPTS_MAX:
            self._attempts += 1
            why = () if event.code is None else (words.refusal(event.code, event.text),)
            prompt = words_trust.password_prompt(event.name, self._door.name)
            password = self.ask(prompt, before=why, secret=True)
        else:
            password = None
        if not password:
            return False
        try:
            self.credentials = Credentials(event.name, password, self._world.random_bytes)
        except PasswordError as error:
            raise CommandError(Exit.REFUSED, f"Not a password: {error}.") from None
        return True

    def _accepts(self, event: Distrusted) -> bool:
        """Ask whether it is the right server, if that can be asked."""
        if event.doubt is not Doubt.UNKNOWN:
            return False
        lines = words_trust.distrust(self._door.name, event.doubt, event.pin, "", "")
        answer = self.ask("Is it the right one, to be remembered? yes or no: ", before=lines)
        if answer is None or answer.strip().lower() not in {"y", "yes"}:
            return False
        self._door.accept(event.pin)
        return True

    def expect(self, wanted: type[Event]) -> Event:
        """The next event of that class. One that ends the talk first raises CommandError."""
        while True:
            event = self.next_event(None)
            if isinstance(event, wanted):
                return event
            if event is not None:
                self.refuse_end(event)

    def either(self, good: type[LinkEvent], bad: type[LinkEvent]) -> LinkEvent:
        """The next event that is one of both."""
        while True:
            event = self.next_event(None)
            if isinstance(event, good | bad):
                return event
            if event is not None:
                self.refuse_end(event)

    def next_event(self, until_ms: int | None) -> LinkEvent | None:
        """The next event of any class; None at `until_ms` of the steady clock."""
        while True:
            if self._events:
                event = self._events.popleft()
                if self._can_help(event):
                    self._begin()
                    continue
                if isinstance(event, LoggedIn) and event.proven:
                    self._door.note_password()
                return event
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
            case Distrusted():
                raise self.distrusted(event)
            case PasswordWanted(code=None):
                raise CommandError(Exit.REFUSED, words_trust.password_needed(self._door.name))
            case PasswordWanted(code=int(code)):
                raise CommandError(Exit.REFUSED, words.refusal(code, event.text, event.name))
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
        return CommandError(Exit.UNREACHABLE, words.unreachable(self._door.name, reason))

    def distrusted(self, event: Distrusted) -> CommandError:
        """What to raise for a server that may be another one."""
        doubt, pin = event.doubt, event.pin
        lines = words_trust.distrust(self._door.name, doubt, pin, event.expected, event.reason)
        if doubt is Doubt.UNKNOWN:
            lines = (*lines, words_trust.how_to_accept(pin))
        return CommandError(Exit.DISTRUSTED, *lines)

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
