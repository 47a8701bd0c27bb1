"""The person's editor in the terminal of the screens, while the loop goes on serving the server.

The terminal is the editor's until it ends: nothing is drawn and no key is read. Must never lose the
text: whatever goes wrong, the screen that asked still has it, and is told. Fails never.
"""

from typing import Final

from msgc.loop import Callback, Loop
from msgc.outside_editor import Edited, EditorError, OutsideEditor, RunningEditor
from msgc.screens.screen import Edit
from term.console import LendableConsole
from term.safe import Safe, safe_line

LOOK_MS: Final = 1_000


class EditorTurn:
    """Lends the terminal to one editor at a time. `on_end` is called when it is ours again."""

    def __init__(
        self,
        editor: OutsideEditor,
        console: LendableConsole,
        loop: Loop,
        read_keys: Callback,
        on_end: Callback,
    ) -> None:
        self._editor = editor
        self._console = console
        self._loop = loop
        self._read_keys = read_keys
        self._on_end = on_end
        self._running: RunningEditor | None = None
        self._edit: Edit | None = None

    @property
    def is_on(self) -> bool:
        """Whether the editor has the terminal."""
        return self._running is not None

    def begin(self, edit: Edit) -> None:
        """Start it; the screen is told why, when it cannot be."""
        self._console.give_back()
        try:
            self._running = self._editor.start(edit.text)
        except EditorError as error:
            self._console.take_again()
            self._on_end()
            edit.then(Edited(None, safe_line(str(error))))
            return
        self._edit = edit
        self._loop.forget_reader(self._console.fileno())
        self._look_again()

    def look(self) -> None:
        """Whether it has ended: then the terminal is ours again, and the screen has the text."""
        running, edit = self._running, self._edit
        code = running.exit_code() if running is not None else None
        if running is None or edit is None or code is None:
            return
        self._running = self._edit = None
        edited = _what_came(running, edit.text, code)
        running.close()
        self._console.take_again()
        self._loop.watch_reader(self._console.fileno(), self._read_keys)
        self._on_end()
        edit.then(edited)

    def break_off(self) -> None:
        """We have to end: what the editor has saved so far goes to the screen."""
        running, edit = self._running, self._edit
        if running is None or edit is None:
            return
        self._running = self._edit = None
        edited = _what_came(running, edit.text, 0)
        running.end()
        running.close()
        edit.then(edited)

    def _look_again(self) -> None:
        """Its end is a signal; a lost one costs a second."""
        self.look()
        if self.is_on:
            self._loop.call_at(self._loop.clock.now_ms() + LOOK_MS, self._look_again)


def _what_came(running: RunningEditor, before: str, code: int) -> Edited:
    try:
        text = running.text()
    except EditorError as error:
        return Edited(None, safe_line(f"{error} The text is as it was."))
    if code > 0:
        return Edited(None, Safe(f"The editor ended with code {code}: the text is as it was."))
    if text == before:
        return Edited(None, Safe("The editor changed nothing."))
    if code < 0:
        return Edited(text, Safe(f"The editor was ended by signal {-code}; what it saved is here."))
    return Edited(text, Safe("This is the text from the editor."))
