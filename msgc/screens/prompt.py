"""A question in the message line: one field, Enter and Esc.

Must never act on the answer: the screen that asks does. Never fails.
"""

from enum import Enum, unique
from typing import Final

from msgc.screens.screen import TYPING_KEYS
from msgc.view import NOTHING, Field, Question, Room
from term.editor import Editor
from term.keys import Binding, KeyEvent, KeyTable
from term.safe import Safe
from term.width import columns as columns_of

PROMPT_KEYS: Final = KeyTable(
    [
        Binding(("Enter",), "accept", "Take what is written", "go"),
        Binding(("Esc",), "cancel", "Leave the question", "cancel"),
    ],
    inherits=TYPING_KEYS,
)
_FIELD_COLUMNS_MIN: Final = 24


@unique
class Answer(Enum):
    """What a key came to."""

    GOES_ON = "goes on"
    ENTERED = "entered"
    CANCELLED = "cancelled"
    IGNORED = "ignored"


class Prompt:
    """One question. `purpose` tells its owner which; `label` is shown before the field."""

    def __init__(self, purpose: str, label: Safe, text: str, bytes_max: int) -> None:
        self.purpose = purpose
        self._label = label
        self._editor = Editor(text, multiline=False, bytes_max=bytes_max)

    @property
    def text(self) -> str:
        """What is written, without spaces around it."""
        return self._editor.text.strip()

    def handle(self, key: KeyEvent) -> Answer:
        """A key of the field, or the end of the question."""
        command = PROMPT_KEYS.command(key)
        if command == "accept":
            return Answer.ENTERED
        if command == "cancel":
            return Answer.CANCELLED
        if command is not None:
            return Answer.IGNORED
        self._editor.handle(key)
        return Answer.GOES_ON

    def question(self, room: Room) -> Question:
        """What takes the place of the message line.

        A label that leaves too little room for the field gets rows of its own.
        """
        words, label = NOTHING, self._label
        if columns_of(label) > room.columns - _FIELD_COLUMNS_MIN:
            words, label = label, Safe(">")
        shown = self._editor.layout(room.columns - columns_of(label) - 3, 1)
        return Question(words, Field(label, shown.rows, shown.cursor, self.text, indent=1))
