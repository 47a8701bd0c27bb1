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
)
from msgc.values import Received
from msgc.view import GUTTER_COLUMNS, Block, Room, Rule, Scrolled, Text, View, view
from msgc.view_messages import body_lines, received_facts
from msgc.view_values import Target
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ScrollView
from term.safe import Safe
from wire.codes import Audience

ANSWER_BINDINGS: Final = (
    Binding(("r",), "reply", "Reply to the sender", "reply"),
    Binding(("g",), "reply_all", "Reply to all that it went to", "reply all"),
    Binding(("f",), "forward", "Send it on to others", "forward"),
)
UNREAD_BINDINGS: Final = (
    Binding(("Tab",), "next_unread", "Go to the next message that is new", "next new"),
    Binding(("m",), "mark", "Mark it as new, or as looked at"),
)
BLOCK_BINDINGS: Final = (
    Binding(("B",), "block", "Block this user: take no messages of theirs any more"),
    Binding(("U",), "unblock", "Take their messages again"),
)
_SCROLL_BINDINGS: Final = tuple(
    Binding(tuple(key for key in binding.keys if key != "g"), binding.command, binding.help)
    for binding in LIST_BINDINGS
)
KEYS: Final = KeyTable(
    [
        *ANSWER_BINDINGS,
        Binding(("n",), "next", "Go to the next message", "next"),
        Binding(("p", "BackTab"), "previous", "Go to the message before"),
        *UNREAD_BINDINGS,
        *BLOCK_BINDINGS,
        Binding(("Space",), "page_down", "Move down by a page"),
        *_SCROLL_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)


class MessageView(Screen):
    """A message of the list that `neighbour` walks: +1 is the next, -1 the one before.

    `next_unread` gives the next of it that is new.
    """

    name = "message"
    keys = KEYS

    def __init__(
        self,
        desk: Desk,
        received: Received,
        neighbour: Callable[[int], Received | None],
        next_unread: Callable[[], Received | None],
    ) -> None:
        self._desk = desk
        self._next_unread = next_unread
        self._is_new = False
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
            last = (
                "This is the last message." if command == "next" else "This is the first message."
            )
            self._turn(self._neighbour(1 if command == "next" else -1), last)
            return Done.HANDLED
        if command == "next_unread":
            self._turn(self._next_unread(), "Nothing else is new.")
            return Done.HANDLED
        if command == "mark":
            self._mark()
            return Done.HANDLED
        if command in {"block", "unblock"}:
            self._desk.block(self._received.sender, command == "block")
            return Done.HANDLED
        return answer(self._desk, self._received, command)

    def view(self, room: Room) -> View:
        """Facts, then the text."""
        body = Text(tuple(body_lines(self._received.body, room.columns - GUTTER_COLUMNS)))
        facts = received_facts(self._received, self._desk.times)
        blocks: list[Block] = [*facts, Rule(), Scrolled((body,), self._scroll)]
        return view(self._desk, self.name, "Message", blocks, KEYS)

    def _turn(self, other: Received | None, none_words: str) -> None:
        if other is None:
            self._desk.say(Safe(none_words))
            return
        self._received = other
        self._is_new = False
        self._scroll = ScrollView()
        self._desk.look_at((other,))

    def _mark(self) -> None:
        self._is_new = not self._is_new
        if self._is_new:
            self._desk.mark_unread((self._received,))
            self._desk.say(Safe("It counts as new again."))
        else:
            self._desk.look_at((self._received,))
            self._desk.say(Safe("It counts as looked at."))


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
