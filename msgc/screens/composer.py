"""Writing a message. Enter is a new line; only the keys for it send, so no paste ever does.

What is typed is kept as a draft now and then, and on the way out: Esc never loses text, nor does a
change of the recipients or an editor that fails. Must never send an empty text or one that the
server would refuse for its length, nor clear the field before the outbox has the message.
"""

from typing import Final

from msgc.limits import DRAFT_BYTES_MAX
from msgc.outside_editor import Edited
from msgc.screens.desk import Desk
from msgc.screens.picker import Picker
from msgc.screens.screen import TYPING_KEYS, Done, Edit, LeaveTo, Open, Outcome, Screen
from msgc.view import Block, Field, Head, Room, Rule, View, ask, view
from msgc.view_text import join_names, plural, was_ago
from msgc.view_users import prospects_in_brief
from msgc.view_values import Phase, Target
from term.editor import UNDO_KEY, Editor
from term.editor import Outcome as Typed
from term.keys import Binding, KeyEvent, KeyTable, Paste, key_label
from term.safe import Safe, safe_line
from term.width import wrap

_TOP_ROWS: Final = 2
_KEPT_EVERY_MS: Final = 2_000
_TO_NAMES_MAX: Final = 6
_TO_OTHER_COLUMNS: Final = 8
_FIELD_INDENT: Final = 1

KEYS: Final = KeyTable(
    [
        Binding(("C-d", "M-Enter"), "send", "Send the message", "send"),
        Binding(("C-t",), "to", "Change to whom it goes", "to"),
        Binding(("C-o",), "editor", "Write on in your own editor (VISUAL or EDITOR)", "editor"),
        Binding(("Esc",), "leave", "Leave; what is written is kept as a draft", "leave, keep"),
        Binding(("C-x",), "discard", "Leave and throw the text away; asks first", "discard"),
    ],
    inherits=TYPING_KEYS,
    typing="text",
)
DISCARD_KEYS: Final = KeyTable(
    [
        Binding(("y",), "yes", "Throw the text away", "throw away"),
        Binding(("n", "Esc", "Enter"), "no", "Go on writing", "go on writing"),
    ],
    inherits=TYPING_KEYS,
)


class Composer(Screen):
    """One message to one `target`. `body` is what it begins with, after the draft that is kept."""

    name = "composer"

    def __init__(self, desk: Desk, target: Target, body: str = "") -> None:
        self._desk = desk
        self._target = target
        self._discarding = False
        draft = desk.draft(target)
        self._kept = draft.body if draft else ""
        self._kept_at_ms = draft.saved_at_ms if draft else None
        self._looked_at_ms = desk.now_ms()
        start = "\n\n".join(part for part in (self._kept, body) if part)
        # Wider than what can be sent: a paste that is too long can be shortened here.
        self._editor = Editor(start, multiline=True, bytes_max=DRAFT_BYTES_MAX)
        if self._kept:
            desk.say(Safe("Your draft is here again."))

    @property
    def keys(self) -> KeyTable:
        """Those of the question while it is open."""
        return DISCARD_KEYS if self._discarding else KEYS

    def keep(self) -> None:
        """The draft, if it has changed."""
        self._looked_at_ms = self._desk.now_ms()
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
        match command:
            case None:
                return self._type(key)
            case "send":
                return self._send()
            case "leave":
                return self._leave()
            case "to":
                return self._ask_to()
            case "editor":
                return Edit(self._editor.text, self._take_edited)
            case "discard" if not self._editor.text.strip():
                return self._throw_away()
            case "discard":
                self._discarding = True
                return Done.HANDLED
            case _:
                return Done.IGNORED

    def view(self, room: Room) -> View:
        """To whom, and the text."""
        message = self._desk.message() or self._what_sending_does()
        # A long message covers the end of the body, where the cursor may be.
        covered = len(wrap(message, room.columns - 2)) - 1 if message else 0
        rows = max(1, room.rows - _TOP_ROWS - covered)
        shown = self._editor.layout(room.columns - 1 - _FIELD_INDENT, rows)
        blocks: list[Block] = [
            Head(self._to_words(room.columns), is_said=True),
            Rule(self._length_words()),
            Field(
                Safe(""),
                shown.rows,
                shown.cursor,
                self._editor.text,
                indent=_FIELD_INDENT,
                has_lines=True,
                done=KEYS.first("send"),
            ),
        ]
        right = self._kept_words()
        if shown.row_count > rows:
            row = shown.first_row + shown.cursor[0] + 1
            place = f"line {row:,} of {shown.row_count:,}"
            right = f"{place}, {right}" if right else place
        yes, no = DISCARD_KEYS.label("yes"), DISCARD_KEYS.label("no")
        question = ask(f"Throw this text away? {yes}: yes  {no}: no") if self._discarding else None
        whole = view(
            self._desk,
            self.name,
            "Write a message",
            blocks,
            self.keys,
            right=right,
            question=question,
        )
        return whole._replace(message=message)

    # ----- what is shown ------------------------------------------------------------------------

    def _to_words(self, columns: int) -> Safe:
        target, directory = self._target, self._desk.directory().whole
        if target.everyone:
            total = directory.total
            count = f" ({plural(total - 1, 'user')} now)" if total > 1 else ""
            return Safe(f"To: all users but yourself{count}")
        wanted = set(target.recipients)
        known = tuple(entry for entry in directory.entries if entry.name in wanted)
        names = join_names(target.recipients, _TO_NAMES_MAX)
        room = columns - _TO_OTHER_COLUMNS
        count = f"  ({len(wanted):,})" if len(wanted) > 1 else ""
        now = f"  ({len(wanted):,}: {prospects_in_brief(known)})"
        if count and len(known) == len(wanted) and len(names) + len(now) <= room:
            count = now
        return Safe(f"To: {safe_line(names, room - len(count))}{count}")

    def _length_words(self) -> Safe:
        used, most = self._editor.bytes_used, self._desk.limits().body_bytes_max
        more = f", {used - most:,} TOO MANY" if used > most else ""
        return Safe(f"{used:,}/{most:,} bytes{more}")

    def _kept_words(self) -> str:
        if self._editor.text != self._kept or self._kept_at_ms is None or not self._kept:
            return ""
        return f"draft kept {was_ago(self._kept_at_ms, self._desk.now_ms())}"

    def _what_sending_does(self) -> Safe:
        """While the server is not there: what the key for sending does all the same."""
        standing, send = self._desk.overview().standing, KEYS.label("send")
        if standing.online:
            return Safe("")
        if standing.phase is Phase.CHECKING:
            return Safe(f"The connection is being checked: {send} keeps it here until it is sure.")
        return Safe(f"You are offline: {send} keeps it here, and it goes when the server answers.")

    # ----- what keys do -------------------------------------------------------------------------

    def _type(self, key: KeyEvent) -> Outcome:
        typed = self._editor.handle(key)
        if typed is Typed.FULL:
            what = "the paste does" if isinstance(key, Paste) else "this would"
            self._desk.say(Safe(f"A draft has at most {DRAFT_BYTES_MAX:,} bytes: {what} not fit."))
        elif typed is Typed.IGNORED:
            return Done.IGNORED
        elif isinstance(key, Paste):
            self._desk.say(_paste_words(key))
        if self._desk.now_ms() - self._looked_at_ms >= _KEPT_EVERY_MS:
            self.keep()
        return Done.HANDLED

    def _send(self) -> Outcome:
        body = self._editor.text
        if not body.strip():
            self._desk.say(Safe("Nothing to send."))
            return Done.HANDLED
        most = self._desk.limits().body_bytes_max
        over = self._editor.bytes_used - most
        if over > 0:
            words = f"The server takes {most:,} bytes, and this is {over:,} more."
            self._desk.say(Safe(f"{words} Shorten it, or send it in parts."))
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

    def _ask_to(self) -> Outcome:
        self.keep()
        marked = self._target.recipients
        return Open(Picker(self._desk, self._take_target, several=True, marked=marked))

    def _take_target(self, target: Target) -> None:
        """The draft goes along; one that was begun to the same users before is not lost for it."""
        before = self._target
        if target.purpose == before.purpose:
            return
        other = self._desk.draft(target)
        if other is not None:
            if not self._editor.replace_text(f"{self._editor.text}\n\n{other.body}"):
                self._desk.say(Safe("There is a draft to them, too long to be added: To stays."))
                return
            self._desk.say(Safe("There was a draft to them already: it stands below."))
        self._target = target
        self._kept = self._editor.text
        self._kept_at_ms = self._desk.now_ms()
        self._desk.keep_draft(target, self._kept)
        self._desk.keep_draft(before, "")

    def _take_edited(self, edited: Edited) -> None:
        said = edited.said
        if edited.text is not None:
            fits = self._editor.replace_text(edited.text)
            undo = f"{key_label(UNDO_KEY)} brings back the one before."
            said = Safe(f"{said} {undo}" if fits else "The editor's text is too long to keep.")
        self._desk.say(said)

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


def _paste_words(paste: Paste) -> Safe:
    lines = plural(paste.text.rstrip("\n").count("\n") + 1, "line")
    length = plural(len(paste.text.encode()), "byte")
    cut = f" {paste.cut_bytes:,} more were left out." if paste.cut_bytes else ""
    undo, send = key_label(UNDO_KEY), KEYS.label("send")
    return Safe(f"Pasted {lines}, {length}.{cut} {undo} takes it back, {send} sends.")
