"""The person's own editor, as the screens see it: started with a text, asked later what came of it.

The real one is `msgc.os_process.OsEditor`; tests bring their own. Must never wait for the editor:
the connection is served while it is open. Fails with EditorError, a sentence for people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from term.safe import Safe


class EditorError(Exception):
    """The editor cannot be started, or its text cannot be used. The text says why."""


class RunningEditor(Protocol):
    """One editor that was started."""

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs. Negative: by that signal."""

    def text(self) -> str:
        """What its file holds now. Raises EditorError."""

    def end(self) -> None:
        """Ask it to end: we have to."""

    def close(self) -> None:
        """Remove the file."""


class OutsideEditor(Protocol):
    """What VISUAL and EDITOR name."""

    def start(self, text: str) -> RunningEditor:
        """Start it on a file with this text. Raises EditorError; then there is no file left."""


class LateEditor:
    """One that is made when it is first wanted: most people never open it, and start sooner."""

    def __init__(self, make: Callable[[], OutsideEditor]) -> None:
        self._make = make

    def start(self, text: str) -> RunningEditor:
        """See OutsideEditor."""
        return self._make().start(text)


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of it: a text, or None when the one before stays; and what there is to say."""

    text: str | None
    said: Safe
