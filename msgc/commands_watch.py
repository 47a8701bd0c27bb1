"""`msgc watch`: every message as it comes, to stdout or to a program of the user's.

Must never lose a message: it counts as unread until it was printed, or until the program given
with --exec has ended well with it. Messages are handed out one at a time, in order.
Fails with CommandError when the server refuses, and when it cannot be reached at the start.
"""

from typing import Final

from msgc import words
from msgc.archive import Archive
from msgc.command_end import CommandError, Exit
from msgc.commands_output import Output, json_line, received_object
from msgc.commands_talk import Talk
from msgc.link_events import (
    Disconnected,
    LinkEvent,
    LoggedIn,
    MessageArrived,
    NoticeArrived,
    ServerStopping,
)
from msgc.net import Signal
from msgc.os_process import Process, ProcessError
from msgc.profile import Profile
from msgc.surroundings import Surroundings
from msgc.values import Received

PAGE: Final = 64
"""Messages taken from the archive at once."""


def watch(
    world: Surroundings, output: Output, profile: Profile, command: tuple[str, ...] | None
) -> int:
    """Go on until a signal, a refusal, or the end of the reader."""
    talk = Talk(world, profile.archive, retry=True)
    hands = _Hands(output, profile.archive, command)
    talk.loop.watch_signal(Signal.CHILD, hands.look)
    talk.begin(profile.name, live=True)
    hands.look()
    online = False
    try:
        while True:
            event = talk.next_event(None)
            if isinstance(event, Disconnected) and not online:
                raise talk.unreachable(event.reason)
            if isinstance(event, LoggedIn):
                online = True
                # What waited from before is given on demand only.
                talk.link.check()
            if isinstance(event, MessageArrived):
                hands.look()
            elif event is not None:
                talk.refuse_end(event)
                _say(output, event)
    finally:
        talk.close()


def _say(output: Output, event: LinkEvent) -> None:
    match event:
        case LoggedIn():
            output.say(f"You are connected as {event.name}.")
        case Disconnected():
            output.say(f"Disconnected: {event.reason.removesuffix('.')}. Trying again.")
        case ServerStopping():
            output.say("The server is shutting down. Waiting for it.")
        case NoticeArrived():
            output.say(words.notice(event.kind, event.text, event.count))
        case _:
            pass


class _Hands:
    """Hands unread messages on, one after another."""

    def __init__(self, output: Output, archive: Archive, command: tuple[str, ...] | None) -> None:
        self._output = output
        self._archive = archive
        self._command = command
        self._running: tuple[Process, Received] | None = None
        self._failed = 0
        """Messages up to this number are left unread: the program did not take one of them."""

    def look(self) -> None:
        """Hand on what can be: all of it to stdout, or the next to the program."""
        if self._command is None:
            self._print()
        elif self._settle():
            self._start(self._command)

    def _print(self) -> None:
        while messages := self._archive.inbox.unread(PAGE):
            for message in messages:
                self._output.received(message)
            self._output.flush()
            self._archive.inbox.mark_read([message.number for message in messages])

    def _settle(self) -> bool:
        """Whether no program is running any more."""
        if self._running is None:
            return True
        process, message = self._running
        code = process.exit_code()
        if code is None:
            return False
        self._running = None
        if code == 0:
            self._archive.inbox.mark_read([message.number])
        else:
            self._failed = message.number
            self._output.warn(
                f"The command ended with {code}; the message from {message.sender} stays unread."
            )
        return True

    def _start(self, command: tuple[str, ...]) -> None:
        waiting = self._archive.inbox.unread_after(self._failed, 1)
        if not waiting:
            return
        data = json_line(received_object(waiting[0])).encode("ascii") + b"\n"
        try:
            self._running = (Process(command, data), waiting[0])
        except ProcessError as error:
            raise CommandError(Exit.ERROR, str(error)) from None
