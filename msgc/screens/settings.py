"""What can be chosen. Each choice is kept at once in the configuration file, and says what it does.

Must never hold a value of its own: they are the desk's. Never fails: what cannot be kept is told.
"""

from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.password import Password
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import COMMON_KEYS, LIST_BINDINGS, Done, Open, Outcome, Screen
from msgc.view import Block, Cell, Column, Gap, Room, Row, View, go_to, said, table, view
from msgc.view_values import Setting
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.picture import Style
from term.safe import Safe

_WORDS_COLUMNS: Final = 34
_TYPED_BYTES_MAX: Final = 64

KEYS: Final = KeyTable(
    [
        Binding(("Enter", "Right", "Space"), "next", "Choose the next value", "change"),
        Binding(("Left",), "previous", "Choose the value before"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)


class Settings(Screen):
    """One row a setting; a value that is typed is asked for in the message line."""

    name = "settings"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._list = ListView()
        self._list.set_rows([setting.name for setting in desk.settings()])
        self._prompt: Prompt | None = None
        self._refusal = Safe("")
        """Why what was typed cannot be; the message line is the field's."""

    @property
    def keys(self) -> KeyTable:
        """Those of the prompt while it is open."""
        return PROMPT_KEYS if self._prompt is not None else KEYS

    def handle(self, key: KeyEvent) -> Outcome:
        """Rows by Up and Down, values by Left and Right."""
        if self._prompt is not None:
            return self._handle_prompt(self._prompt, key)
        command = KEYS.command(key)
        if command is None:
            return Done.IGNORED
        if self._list.handle(command):
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        if command not in {"next", "previous"}:
            return Done.IGNORED
        setting = self._selected()
        if setting.name == "password":
            return Open(Password(self._desk))
        if setting.choices:
            step = 1 if command == "next" else -1
            place = setting.choices.index(setting.value) + step
            self._choose(setting, setting.choices[place % len(setting.choices)])
        else:
            self._ask(setting, setting.value)
        return Done.HANDLED

    def select(self, place: int) -> bool:
        """See Screen."""
        return go_to(self._list, place, len(self._desk.settings()))

    def view(self, room: Room) -> View:
        """The rows, then what the selected one means."""
        settings = self._desk.settings()

        def row_at(place: int) -> Row:
            one = settings[place]
            mark = f"   ({one.fixed_by})" if one.fixed_by else ""
            return Row(one.name, (Cell(Safe(one.words)), Cell(Safe(f"{one.value}{mark}"))))

        columns = (
            Column("setting", "SETTING", _WORDS_COLUMNS),
            Column("value", "VALUE", before=": "),
        )
        height = max(1, min(len(settings), room.list_rows(7)))
        rows = table("settings", columns, self._list, height, len(settings), row_at)
        blocks: list[Block] = [rows, Gap()]
        blocks += [said(note, Style.DIM) for note in _notes(self._selected())]
        if self._refusal:
            blocks += [Gap(), said(self._refusal, Style.BOLD)]
        question = None if self._prompt is None else self._prompt.question(room)
        return view(self._desk, self.name, "Settings", blocks, self.keys, question=question)

    def _selected(self) -> Setting:
        return self._desk.settings()[self._list.cursor]

    def _ask(self, setting: Setting, begun: str) -> None:
        self._prompt = Prompt(setting.name, Safe(f"{setting.words}:"), begun, _TYPED_BYTES_MAX)

    def _handle_prompt(self, prompt: Prompt, key: KeyEvent) -> Outcome:
        answer = prompt.handle(key)
        if answer is Answer.IGNORED:
            return Done.IGNORED
        if answer is not Answer.GOES_ON:
            self._prompt = None
            self._refusal = Safe("")
        if answer is Answer.ENTERED:
            setting = self._selected()
            self._refusal = self._choose(setting, prompt.text)
            if self._refusal:
                self._ask(setting, prompt.text)
        return Done.HANDLED

    def _choose(self, setting: Setting, words: str) -> Safe:
        """Why it was not kept, or empty."""
        refusal = self._desk.choose_setting(setting.name, words)
        if refusal:
            self._desk.say(refusal)
        elif setting.fixed_by:
            self._desk.say(Safe(f"Kept for later: {setting.fixed_by} decides in this run."))
        else:
            self._desk.say(Safe("Kept."))
        return refusal


def _notes(setting: Setting) -> tuple[str, ...]:
    """What the selected setting means, a paragraph each."""
    choices = f"One of: {', '.join(setting.choices)}." if setting.choices else "Enter: type it."
    fixed = f"{setting.fixed_by} decides in this run; what is chosen here counts without it."
    return (choices, setting.note, *((fixed,) if setting.fixed_by else ()))
