"""Choosing recipients: one name by typing or arrows, or several by marks.

Typing narrows the list. A name that is not in it is asked for once, for the list may be old; one
that the server does not know is refused and stays for editing: only names that it has told can be
chosen. Must never invent a name. Fails never.
"""

from collections.abc import Callable
from typing import Final

from msgc.link_events import AccountLine
from msgc.profile import is_name
from msgc.screens.desk import Desk
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import TYPING_KEYS, Done, Open, Outcome, Screen
from msgc.view import (
    Block,
    Field,
    Fill,
    Foot,
    Gap,
    Room,
    Row,
    Table,
    View,
    go_to,
    said,
    table,
    view,
)
from msgc.view_news import AccountSought, ConnectedAgain, DirectoryChanged, News
from msgc.view_text import join_names, plural
from msgc.view_users import (
    best_match,
    is_wildcard,
    matching,
    narrow,
    new_since_ms,
    prospects,
    user_columns,
    user_row,
)
from msgc.view_values import Directory, Target
from term.editor import Editor
from term.editor import Outcome as Typed
from term.keys import Binding, KeyEvent, KeyTable, Paste
from term.list_view import ListView
from term.picture import Style
from term.safe import Safe, safe_line
from wire.limits import PATTERN_BYTES_MAX

_FIELD_BYTES_MAX: Final = PATTERN_BYTES_MAX
_TYPED_COLUMNS_MAX: Final = 40
_TO_NAMES_MAX: Final = 6
_TO_COLUMNS_MIN: Final = 8
_TO_OTHER_COLUMNS: Final = 8

_MOVES: Final = (
    Binding(("Down", "C-n"), "down", "Move down"),
    Binding(("Up", "C-p"), "up", "Move up"),
    Binding(("PageDown",), "page_down", "Move down by a page"),
    Binding(("PageUp",), "page_up", "Move up by a page"),
    Binding(("Esc",), "leave", "Empty the field; when it is empty, go one level up", "back"),
    Binding(("?", "F1", "C-g"), "help", "Show the keys of this screen", "help"),
)
ONE_KEYS: Final = KeyTable(
    [Binding(("Enter",), "accept", "Write to the name at the >", "choose"), *_MOVES],
    inherits=TYPING_KEYS,
    typing="names",
)
SEVERAL_KEYS: Final = KeyTable(
    [
        Binding(("Space", ","), "mark", "Mark the name at the >, or take its mark away", "mark"),
        Binding(("Enter",), "accept", "Mark what is typed; with an empty field, go on", "go on"),
        Binding(("*",), "wildcard", "Mark all that match a wildcard (* ? [a-z])", "wildcard"),
        Binding(("A",), "all", "Mark all but yourself", "all"),
        Binding(("U",), "none", "Take all marks away", "none"),
        Binding(("E",), "everyone", "Write to all users, whoever they are when it is sent"),
        *_MOVES,
    ],
    inherits=TYPING_KEYS,
    typing="names",
)


class Picker(Screen):
    """`several` false: Enter takes one name. `write` gets the choice.

    It answers with the screen that comes next, or with None: then it goes on where one came from.
    """

    is_step = True

    def __init__(
        self,
        desk: Desk,
        write: Callable[[Target], Screen | None],
        *,
        several: bool,
        marked: tuple[str, ...] = (),
    ) -> None:
        self._desk = desk
        self._write = write
        self._several = several
        self._marked = dict.fromkeys(marked)
        self._editor = Editor(multiline=False, bytes_max=_FIELD_BYTES_MAX)
        self._list = ListView()
        self._prompt: Prompt | None = None
        self._sought = ""
        """The name that the server is asked for, and what of a paste comes after it."""
        self._pasted: list[str] = []
        self._directory = Directory()
        self._shown: tuple[AccountLine, ...] = ()

    @property
    def name(self) -> str:
        """As in the help."""
        return "choose several users" if self._several else "choose a user"

    @property
    def keys(self) -> KeyTable:
        """Those of the wildcard prompt while it is open."""
        if self._prompt is not None:
            return PROMPT_KEYS
        return SEVERAL_KEYS if self._several else ONE_KEYS

    def show(self) -> None:
        """Take the list as it is; it was asked for by the screen below. Begin at somebody else."""
        fresh = not self._shown
        self._narrow()
        you = self._desk.overview().name
        other = next((entry.name for entry in self._shown if entry.name != you), None)
        if fresh and other is not None:
            self._list.select(other)

    def hear(self, news: News) -> Outcome | None:
        """The list may grow while one looks at it, or a name that was sought is there."""
        if isinstance(news, DirectoryChanged):
            self._narrow()
        elif isinstance(news, ConnectedAgain):
            self._desk.ask_accounts("")
        elif isinstance(news, AccountSought) and news.name == self._sought:
            return self._end_seeking(found=news.found)
        return None

    def handle(self, key: KeyEvent) -> Outcome:
        """Letters narrow, the rest are commands."""
        self._sought = ""  # who types on does not wait for the answer
        if self._prompt is not None:
            return self._handle_prompt(self._prompt, key)
        command = self.keys.command(key)
        if command is None:
            return self._type(key)
        if self._list.handle(command):
            return Done.HANDLED
        if command == "accept":
            return self._accept_several() if self._several else self._accept_one()
        if command == "leave" and not self._editor.text:
            return Done.LEAVE
        if command == "leave":
            self._set_typed("")
        elif command == "mark":
            self._mark_selected()
        elif command == "all":
            self._mark_all()
        elif command == "none":
            self._marked.clear()
        elif command == "everyone":
            return self._choose(Target(everyone=True))
        elif command == "wildcard":
            label = Safe("Mark all that match (* ? [a-z]):")
            self._prompt = Prompt("wildcard", label, "", _FIELD_BYTES_MAX)
        else:
            return Done.IGNORED
        return Done.HANDLED

    def select(self, place: int) -> bool:
        """See Screen."""
        return go_to(self._list, place, len(self._shown))

    def view(self, room: Room) -> View:
        """The field, the table, and below it who is marked and what will happen to them."""
        label = Safe("Add:" if self._several else "Name:")
        shown = self._editor.layout(room.columns - len(label) - 5, 1)
        rows = self._table(room)
        blocks: list[Block] = [
            Field(label, shown.rows, shown.cursor, self._editor.text),
            Gap(),
            rows,
        ]
        if not self._shown and self._editor.text:
            typed = safe_line(self._editor.text.strip(), _TYPED_COLUMNS_MAX)
            words = f'No user matches "{typed}". Esc empties the field.'
            blocks.append(said(words, is_moving=True))
            if self._is_asked_for(self._editor.text):
                blocks.append(said("Enter asks the server: this list may be old.", is_moving=True))
        blocks.append(Fill())
        if self._several:
            blocks.append(self._to_line(room.columns, rows.position))
        blocks.append(self._foot(Safe("") if self._several else rows.position))
        right = plural(self._directory.total, "user")
        if self._several:
            right = Safe(f"{right}, {len(self._marked):,} marked")
        return view(
            self._desk,
            self.name,
            "Send to several users" if self._several else "Send to one user",
            blocks,
            self.keys,
            right=right,
            question=None if self._prompt is None else self._prompt.question(room),
            choose=SEVERAL_KEYS.first("mark") if self._several else ONE_KEYS.first("accept"),
        )

    def _table(self, room: Room) -> Table:
        you, now_ms = self._desk.overview().name, self._desk.now_ms()
        since_ms = new_since_ms(self._directory.entries, you, now_ms)

        def row_at(place: int) -> Row:
            entry = self._shown[place]
            mark = entry.name in self._marked if self._several else None
            return user_row(
                entry, room.columns, now_ms, you=entry.name == you, new_since_ms=since_ms, mark=mark
            )

        columns = user_columns(room.columns, marks=self._several)
        height = room.list_rows(5 if self._several else 4)
        return table("users", columns, self._list, height, len(self._shown), row_at)

    def _to_line(self, columns: int, position: Safe) -> Foot:
        if not self._marked:
            mark, go_on = SEVERAL_KEYS.label("mark"), SEVERAL_KEYS.label("accept")
            words = f"To: nobody yet. {mark} marks, {go_on} goes on."
            return Foot(Safe(words), position, Style.DIM)
        room = max(_TO_COLUMNS_MIN, columns - _TO_OTHER_COLUMNS - len(position) - 2)
        names = safe_line(join_names(tuple(self._marked), _TO_NAMES_MAX), room)
        return Foot(Safe(f"To: {names}"), position)

    def _foot(self, position: Safe) -> Foot:
        """What will happen to those who are marked, once the list is there to tell."""
        directory = self._directory
        if directory.asked_at_ms is None:
            words = Safe("The list of users has not come yet.")
        elif not directory.complete:
            came = f"{len(directory.entries):,} of {directory.total:,}"
            words = Safe(f"The list is coming: {came} users so far.")
        elif self._marked:
            words = prospects(
                tuple(entry for entry in directory.entries if entry.name in self._marked)
            )
        else:
            words = Safe("")
        return Foot(words, position, Style.DIM if not directory.complete else Style.NORMAL)

    def _narrow(self) -> None:
        self._directory = self._desk.directory().whole
        self._shown = narrow(self._directory.entries, self._editor.text)
        self._list.set_rows([entry.name for entry in self._shown])

    def _set_typed(self, typed: str) -> None:
        self._editor.set_text(typed)
        self._narrow()

    def _type(self, key: KeyEvent) -> Outcome:
        if isinstance(key, Paste) and self._several:
            self._mark_names(key.text.replace(",", " ").split())
            return Done.HANDLED
        if self._editor.handle(key) is Typed.IGNORED:
            return Done.IGNORED
        self._narrow()
        best = best_match(self._shown, self._editor.text)
        if best is not None:
            self._list.select(best)
        return Done.HANDLED

    def _accept_one(self) -> Outcome:
        selected = self._selected()
        if selected is None:
            self._seek(self._editor.text)
            return Done.HANDLED
        return self._choose(Target(recipients=(selected,)))

    def _accept_several(self) -> Outcome:
        if self._editor.text.strip():
            self._mark_selected()
            return Done.HANDLED
        if not self._marked:
            self._desk.say(Safe("Nobody is marked yet: Space marks the name at the >."))
            return Done.HANDLED
        if self._too_many():
            self._desk.say(self._too_many())
            return Done.HANDLED
        return self._choose(Target(recipients=tuple(sorted(self._marked))))

    def _choose(self, target: Target) -> Outcome:
        following = self._write(target)
        return Done.LEAVE if following is None else Open(following)

    def _too_many(self) -> Safe:
        """Why so many are more than one message can go to, or empty."""
        most = self._desk.limits().recipients_max
        if len(self._marked) <= most:
            return Safe("")
        none, everyone = SEVERAL_KEYS.label("none"), SEVERAL_KEYS.label("everyone")
        marked = f"{len(self._marked):,} are marked, and a message goes to {most:,} at most."
        return Safe(f"{marked} {none} takes all marks away, {everyone} writes to everybody.")

    def _mark_selected(self) -> None:
        selected = self._selected()
        if selected is None:
            self._seek(self._editor.text)
            return
        if selected in self._marked and not self._editor.text:
            del self._marked[selected]
        else:
            self._marked[selected] = None
        if self._editor.text:
            self._set_typed("")
            self._list.select(selected)
        else:
            self._list.move(1)

    def _mark_names(self, pasted: list[str]) -> None:
        """Pasted names and wildcards: up to the first that nobody has, which is refused."""
        known = {entry.name for entry in self._directory.entries} | set(self._marked)
        for place, word in enumerate(pasted):
            matches = matching(self._directory.entries, word) if is_wildcard(word) else ()
            if matches:
                self._marked.update(dict.fromkeys(entry.name for entry in matches))
                continue
            if word.lower() not in known:
                self._set_typed(word)
                self._seek(word, pasted[place + 1 :])
                return
            self._marked[word.lower()] = None
        self._say_marked(f"Marked: {plural(len(self._marked), 'user')} now.")

    def _mark_all(self) -> None:
        you = self._desk.overview().name
        others = [entry.name for entry in self._shown if entry.name != you]
        self._marked.update(dict.fromkeys(others))
        self._say_marked(f"Marked {plural(len(others), 'user')}; U takes all marks away.")

    def _say_marked(self, words: str) -> None:
        """What was marked; and at once when it is more than one message can go to."""
        self._desk.say(self._too_many() or Safe(words))

    def _handle_prompt(self, prompt: Prompt, key: KeyEvent) -> Outcome:
        answer = prompt.handle(key)
        if answer is Answer.IGNORED:
            return Done.IGNORED
        if answer is not Answer.GOES_ON:
            self._prompt = None
        if answer is Answer.ENTERED and prompt.text:
            matches = matching(self._directory.entries, prompt.text)
            self._marked.update(dict.fromkeys(entry.name for entry in matches))
            shown = safe_line(prompt.text, _TYPED_COLUMNS_MAX)
            found = plural(len(matches), "user matches", "users match")
            self._say_marked(f'{found} "{shown}".' if matches else f'No user matches "{shown}".')
        return Done.HANDLED

    def _selected(self) -> str | None:
        selected = self._list.selected
        return None if selected is None else str(selected)

    def _is_asked_for(self, typed: str) -> bool:
        """Whether the server could know it: the list has come, and it is a name."""
        return self._directory.asked_at_ms is not None and is_name(typed.strip())

    def _seek(self, typed: str, pasted: list[str] | None = None) -> None:
        """Ask the server for a name that is not in the list, else refuse it."""
        name = typed.strip().lower()
        if not self._is_asked_for(typed) or not self._desk.seek_account(name):
            self._refuse(typed)
            return
        self._sought, self._pasted = name, pasted or []
        self._desk.say(safe_line(f"Asking the server for {name} ..."))

    def _end_seeking(self, *, found: bool | None) -> Outcome | None:
        name, self._sought = self._sought, ""
        if found is None:
            self._desk.say(safe_line(f"No answer came: Enter asks for {name} again."))
        elif not found:
            self._refuse(name)
        elif not self._several:
            return self._choose(Target(recipients=(name,)))
        else:
            self._marked[name] = None
            self._set_typed("")
            self._list.select(name)
            self._desk.say(safe_line(f"Marked {name}."))
            if self._pasted:
                self._mark_names(self._pasted)
        return None

    def _refuse(self, typed: str) -> None:
        if self._directory.asked_at_ms is None:
            self._desk.say(Safe("The list of users has not come from the server yet."))
            return
        shown = safe_line(typed.strip(), _TYPED_COLUMNS_MAX)
        self._desk.say(Safe(f'No user matches "{shown}".'))
