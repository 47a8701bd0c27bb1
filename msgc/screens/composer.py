"""Writing a message. Enter is a new line; only C-d and Meta-Enter send, so no paste ever does.

What is typed is kept as a draft now and then, and on the way out: Esc never loses text. Must never
send an empty text, nor clear the field before the outbox has the message.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import TYPING_KEYS, Done, LeaveTo, Outcome, Screen
from msgc.view import NOTHING, Field, Head, Room, Rule, View, ask, view
from msgc.view_text import join_names, plural, size
from msgc.view_values import Target
from term.editor import Editor
from term.editor import Outcome as Typed
from term.keys import Binding, KeyEvent, KeyTable, Paste
from term.safe import Safe, safe_line
from wire.limits import BODY_BYTES_MAX

_TOP_ROWS: Final = 2
_KEPT_EVERY_MS: Final = 2_000
_TO_NAMES_MAX: Final = 6

KEYS: Final = KeyTable(
    [
        Binding(("C-d", "M-Enter"), "send", "Send the message", "send"),
        Binding(("Esc",), "leave", "Leave; what is written is kept as a draft", "leave, keep"),
        Binding(("C-x",), "discard", "Leave and throw the text away; asks first", "discard"),
    ],
    inherits=TYPING_KEYS,
)
DISCARD_KEYS: Final = KeyTable(
    [
        Binding(("y",), "yes", "Throw the text away", "throw away"),
        Binding(("n", "Esc", "Enter"), "no", "Go on writing", "go on writing"),
    ],
    inherits=TYPING_KEYS,
)


class Composer(Screen):
    """One message to one `target`. `text` is what it begins with, unless a draft is kept."""

    name = "composer"

    def __init__(self, desk: Desk, target: Target, body: str = "") -> None:
        self._desk = desk
        self._target = target
        self._discarding = False
        draft = desk.draft(target)
        self._kept = draft.body if draft else ""
        self._kept_at_ms = desk.now_ms()
        start = "\n\n".join(part for part in (self._kept, body) if part)
        self._editor = Editor(start, multiline=True, bytes_max=BODY_BYTES_MAX)
        if self._kept:
            desk.say(Safe("Your draft is here again."))

    @property
    def keys(self) -> KeyTable:
        """Those of the question while it is open."""
        return DISCARD_KEYS if self._discarding else KEYS

    def keep(self) -> None:
        """The draft, if it has changed."""
        if self._editor.text == self._kept:
            return
        self._kept = self._editor.text
        self._kept_at_ms = self._desk.now_ms()
        self._desk.keep_draft(self._target, self._kept)

    def handle(self, key: KeyEvent) -> Outcome:
        """Text, or one of few commands."""
        command = self.keys.command(key)
        if self._discarding:
            return self._handle_discarding(command)
        if command == "send":
            return self._send()
        if command == "leave":
            return self._leave()
        if command == "discard":
            if not self._editor.text.strip():
                return self._throw_away()
            self._discarding = True
            return Done.HANDLED
        if command is not None:
            return Done.IGNORED
        return self._type(key)

    def view(self, room: Room) -> View:
        """To whom, and the text."""
        rows = max(1, room.rows - _TOP_ROWS)
        shown = self._editor.layout(room.columns - 2, rows)
        used = f"{size(self._editor.bytes_used)} of {size(BODY_BYTES_MAX)} bytes"
        if shown.row_count > rows:
            used = f"line {shown.first_row + shown.cursor[0] + 1} of {shown.row_count}, {used}"
        field = Field(
            NOTHING, shown.rows, shown.cursor, self._editor.text, 1, has_lines=True, done="C-d"
        )
        return view(
            self._desk,
            self.name,
            "Write a message",
            [Head(self._to_words(room.columns), is_said=True), Rule(), field],
            self.keys,
            right=used,
            question=ask("Throw this text away? y: yes  n: no") if self._discarding else None,
        )

    def _to_words(self, columns: int) -> Safe:
        target = self._target
        if target.everyone:
            total = self._desk.directory().total
            count = f" ({plural(total - 1, 'user')} now)" if total > 1 else ""
            return Safe(f"To: all users but yourself{count}")
        many = len(target.recipients)
        count = f"  ({many:,})" if many > 1 else ""
        names = safe_line(join_names(target.recipients, _TO_NAMES_MAX), columns - 16)
        return Safe(f"To: {names}{count}")

    def _type(self, key: KeyEvent) -> Outcome:
        typed = self._editor.handle(key)
        if typed is Typed.FULL:
            limit = f"A message has at most {BODY_BYTES_MAX:,} bytes"
            pasted = isinstance(key, Paste)
            self._desk.say(
                Safe(f"{limit}: {'the paste does' if pasted else 'this would'} not fit.")
            )
        elif typed is Typed.IGNORED:
            return Done.IGNORED
        elif isinstance(key, Paste):
            lines = plural(key.text.rstrip("\n").count("\n") + 1, "line")
            cut = f" {key.cut_bytes:,} bytes of the paste were too much." if key.cut_bytes else ""
            self._desk.say(Safe(f"Pasted {lines}; ^D sends.{cut}"))
        if self._desk.now_ms() - self._kept_at_ms >= _KEPT_EVERY_MS:
            self.keep()
        return Done.HANDLED

    def _send(self) -> Outcome:
        body = self._editor.text
        if not body.strip():
            self._desk.say(Safe("Nothing to send."))
            return Done.HANDLED
        self._desk.send(self._target, body)
        return LeaveTo("send")

    def _leave(self) -> Outcome:
        self.keep()
        if self._editor.text.strip():
            self._desk.say(
                Safe("Draft kept: it is under Drafts, and here again for the same users.")
            )
        return Done.LEAVE

    def _handle_discarding(self, command: str | None) -> Outcome:
        if command == "yes":
            return self._throw_away()
        if command == "no":
            self._discarding = False
            return Done.HANDLED
        return Done.IGNORED

    def _throw_away(self) -> Outcome:
        had = bool(self._editor.text.strip())
        self._editor.set_text("")
        self.keep()
        if had:
            self._desk.say(Safe("Text thrown away."))
        return Done.LEAVE
