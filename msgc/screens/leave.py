"""The question before quitting, when something could not go yet or the person wants to be asked.

Must never quit by itself. Fails never.
"""

from collections.abc import Callable
from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import TYPING_KEYS, Done, Outcome, Screen
from msgc.view import Block, Gap, Room, View, said, view
from msgc.view_text import plural
from term.keys import Binding, KeyEvent, KeyTable
from term.picture import Style
from term.safe import safe_line

KEYS: Final = KeyTable(
    [
        Binding(("y", "C-c", "F10"), "yes", "Quit", "quit"),
        Binding(("n", "Esc", "q", "Enter"), "no", "Stay", "stay"),
    ],
    inherits=TYPING_KEYS,
)


class Leave(Screen):
    """`quit_now` is called for yes."""

    name = "quit?"
    keys = KEYS

    def __init__(self, desk: Desk, quit_now: Callable[[], None]) -> None:
        self._desk = desk
        self._quit_now = quit_now

    def handle(self, key: KeyEvent) -> Outcome:
        """Yes or no."""
        command = KEYS.command(key)
        if command == "yes":
            self._quit_now()
            return Done.HANDLED
        return Done.LEAVE if command == "no" else Done.IGNORED

    def view(self, room: Room) -> View:  # noqa: ARG002 - a few rows, in any room
        """What is unsent, and what happens to it."""
        overview = self._desk.overview()
        blocks: list[Block] = [Gap()]
        if overview.unsent:
            unsent = plural(overview.unsent, "message")
            verb = "has" if overview.unsent == 1 else "have"
            name = safe_line(overview.name)
            blocks.append(said(f"{unsent} {verb} not gone to the server yet."))
            blocks.append(said(f"Kept here, and sent when you connect as {name} again."))
            blocks.append(Gap())
        blocks.append(said("Quit now?   y: quit   n: stay", Style.BOLD))
        return view(self._desk, self.name, "Quit", blocks, KEYS)
