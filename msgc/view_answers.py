"""What a line that was typed means to the screen that is open: keys of its own table.

    a number         that row of the table, and the key that takes it
    a key or a word  as the table calls it: r, reply, Enter, page down, ^D; `r 3` is r on row 3
    nothing          the screen is said anew

Where text is written, every line is text: it replaces what is in a field of one line and is taken,
or is one more line of a longer text. A line that begins with a dot is a command there (.back, .3,
and a dot alone is the key that ends the text); two dots begin a line with one.

Must never act: the app presses the keys. Fails never: what is not understood is an answer, too.
"""

from dataclasses import dataclass
from typing import Final

from msgc.view import NOTHING, Field, View
from msgc.view_lines import word_of
from term.keys import NAMED_KEYS, KeyEvent, Paste, key_label
from term.safe import Safe, safe_line

_TYPED_CHARACTERS_MAX: Final = 512
"""A longer line is a paste: quicker, and the editor says what does not fit."""
_SHOWN_COLUMNS_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Answer:
    """Go to row `place` of the table, press these keys; or say why not.

    `text`: what was put into a field of one line; the last key takes it.
    """

    keys: tuple[KeyEvent, ...] = ()
    place: int | None = None
    problem: Safe = NOTHING
    says_anew: bool = False
    text: str | None = None


def read(line: str, view: View) -> Answer:
    """What this line means here."""
    field = view.field
    if field is None:
        return _command(line.strip(), view) if line.strip() else Answer(says_anew=True)
    if line.startswith(".."):
        line = line[1:]
    elif line.strip() == ".":
        return Answer((_bound(field.done, view),))
    elif line.startswith("."):
        answer = _command(line[1:].strip(), view)
        if answer.problem and field.has_lines:
            return Answer(problem=Safe(f"{answer.problem} Two dots begin a line with one."))
        return answer
    return _text(line, view, field)


def _text(line: str, view: View, field: Field) -> Answer:
    if field.has_lines:
        begin: tuple[KeyEvent, ...] = ("Enter",) if field.text else ()
        return Answer((*begin, *_typed(line, view)))
    done = _bound(field.done, view)
    if not line:
        return Answer((done,))
    # To the end and back: whatever stood there is replaced.
    return Answer(("End", "C-u", Paste(line), done), text=line.strip())


def _typed(line: str, view: View) -> tuple[KeyEvent, ...]:
    """The keys that write this line, or one paste where a key means something else."""
    keys = tuple("Space" if character == " " else character for character in line)
    is_plain = line.isprintable() and len(line) <= _TYPED_CHARACTERS_MAX
    if is_plain and all(view.keys.command(key) is None for key in keys):
        return keys
    return (Paste(line),)


def _command(words: str, view: View) -> Answer:
    place = None
    is_number = words.isascii() and words.isdigit() and view.keys.command(words) is None
    if is_number and view.table is not None:
        return _row(int(words), (_bound(view.choose, view),), view)
    head, _, tail = words.rpartition(" ")
    if head and tail.isascii() and tail.isdigit():
        words, place = head.strip(), int(tail)
    key = _key(words, view)
    if key is None:
        shown = safe_line(words, _SHOWN_COLUMNS_MAX)
        return Answer(
            problem=Safe(f'"{shown}" means nothing here; {_help_word(view)} tells what does.')
        )
    return Answer((key,)) if place is None else _row(place, (key,), view)


def _row(number: int, keys: tuple[str, ...], view: View) -> Answer:
    table = view.table
    if table is None:
        return Answer(problem=Safe("There are no rows to choose from here."))
    if not 1 <= number <= table.total:
        return Answer(problem=Safe(f"There is no row {number:,}: there are {table.total:,}."))
    return Answer(keys, place=number - 1)


def _key(words: str, view: View) -> str | None:
    """The key that is called so in the table of the screen: by itself, its label, or its word."""
    if (len(words) == 1 or words in NAMED_KEYS) and view.keys.command(words) is not None:
        return words
    wanted = words.casefold().replace("_", " ")
    for binding in view.keys.bindings():
        names = {word_of(binding).casefold(), binding.command.replace("_", " ").casefold()}
        if wanted in names:
            return binding.keys[0]
        for key in binding.keys:
            if len(key) > 1 and wanted in {key_label(key).casefold(), key.casefold()}:
                return key
    return None


def _bound(key: str, view: View) -> str:
    """Which key now does what Enter does unless it was bound to something else."""
    if key == "Enter":
        for binding in view.keys.defaults():
            if key in binding.keys:
                return view.keys.first(binding.command) or key
    return key


def _help_word(view: View) -> str:
    return "?" if view.field is None and view.keys.command("?") == "help" else ".help"
