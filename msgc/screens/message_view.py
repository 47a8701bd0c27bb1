"""One message that was received, whole.

Must never show a body but through `view_messages`. Replies and forwards open the composer; nothing
is sent here.
"""

from collections.abc import Callable
from typing import Final

from msgc.screens.composer import Composer
from msgc.screens.desk import Desk
from msgc.screens.picker import Picker
from msgc.screens.screen import (
    COMMON_KEYS,
    LIST_BINDINGS,
    Done,
    Open,
    Outcome,
    Screen,
    Size,
)
from msgc.values import Received
from msgc.view_frame import frame, text
from msgc.view_messages import body_lines, received_facts
from msgc.view_values import Target
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ScrollView
from term.picture import Line, Picture, body_rows, rule, spread
from term.safe import Safe
from wire.codes import Audience

ANSWER_BINDINGS: Final = (
    Binding(("r",), "reply", "Reply to the sender", "reply"),
    Binding(("g",), "reply_all", "Reply to all that it went to", "reply all"),
    Binding(("f",), "forward", "Send it on to others", "forward"),
)
_SCROLL_BINDINGS: Final = tuple(
    Binding(tuple(key for key in binding.keys if key != "g"), binding.command, binding.help)
    for binding in LIST_BINDINGS
)
KEYS: Final = KeyTable(
    [
        *ANSWER_BINDINGS,
        Binding(("n", "Tab"), "next", "Go to the next message", "next"),
        Binding(("p", "BackTab"), "previous", "Go to the message before"),
        Binding(("Space",), "page_down", "Move down by a page"),
        *_SCROLL_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)


class MessageView(Screen):
    """A message of the list that `neighbour` walks: +1 is the next, -1 the one before."""

    name = "message"
    keys = KEYS

    def __init__(
        self, desk: Desk, received: Received, neighbour: Callable[[int], Received | None]
    ) -> None:
        self._desk = desk
        self._received = received
        self._neighbour = neighbour
        self._scroll = ScrollView()
        desk.look_at((received,))

    def handle(self, key: KeyEvent) -> Outcome:
        """Scrolling, answers, neighbours."""
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._scroll.handle(command):
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        if command in {"next", "previous"}:
            self._turn(1 if command == "next" else -1)
            return Done.HANDLED
        return answer(self._desk, self._received, command)

    def picture(self, size: Size) -> Picture:
        """Facts, then the text."""
        columns = size[1]
        body: list[Line] = [*received_facts(self._received, self._desk.times), rule(columns)]
        room = body_rows(size) - len(body) - 1
        lines = body_lines(self._received.body, columns - 2)
        self._scroll.set_lines(len(lines), room)
        shown = [lines[row] for row in self._scroll.visible()]
        body += [(*text(" "), *line) for line in shown]
        body += [() for _ in range(room - len(shown))]
        body.append(spread((), text(f"{self._scroll.position_text()} "), columns))
        return frame(self._desk, size, "Message", body, KEYS)

    def _turn(self, step: int) -> None:
        neighbour = self._neighbour(step)
        if neighbour is None:
            words = "This is the last message." if step > 0 else "This is the first message."
            self._desk.say(Safe(words))
            return
        self._received = neighbour
        self._scroll = ScrollView()
        self._desk.look_at((neighbour,))


def answer(desk: Desk, received: Received, command: str) -> Outcome:
    """Obey `reply`, `reply_all` and `forward`, on whatever screen."""
    if command == "reply":
        return Open(Composer(desk, Target(recipients=(received.sender,))))
    if command == "reply_all":
        return Open(_reply_to_all(desk, received))
    if command == "forward":
        stamp = desk.times.full(received.received_at_ms)
        head = f"Forwarded: from {received.sender}, {stamp}"
        begun = f"{head}\n\n{received.body}"
        desk.ask_accounts("")
        return Open(Picker(desk, lambda target: Composer(desk, target, begun), several=True))
    return Done.IGNORED


def _reply_to_all(desk: Desk, received: Received) -> Screen:
    """The server does not tell who else got a message, so those are marked by the person."""
    if received.audience == Audience.EVERYONE:
        return Composer(desk, Target(everyone=True))
    if received.audience == Audience.ONE:
        return Composer(desk, Target(recipients=(received.sender,)))
    desk.ask_accounts("")
    count = received.audience_count
    desk.say(Safe(f"It went to {count:,} users; only the sender is known here. Mark the others."))
    return Picker(
        desk, lambda target: Composer(desk, target), several=True, marked=(received.sender,)
    )
