"""All users of the server: narrowed by a wildcard, made, and one's own deleted.

Deleting asks first. When messages wait, the refusal says how many, and forcing it means typing
one's name. Must never delete by a single key. Fails never: refusals come as news.
"""

from collections.abc import Callable
from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.prompt import PROMPT_KEYS, Answer, Prompt
from msgc.screens.screen import (
    COMMON_KEYS,
    LIST_BINDINGS,
    TYPING_KEYS,
    Done,
    Open,
    Outcome,
    Screen,
)
from msgc.view import (
    Block,
    Fill,
    Foot,
    Room,
    Row,
    Table,
    View,
    ask,
    go_to,
    said,
    table,
    view,
)
from msgc.view_news import ConnectedAgain, DeletionRefused, DirectoryChanged, News
from msgc.view_text import plural
from msgc.view_users import new_since_ms, user_columns, user_row
from msgc.view_values import Directory, Target
from term.keys import Binding, KeyEvent, KeyTable
from term.list_view import ListView
from term.safe import Safe, safe_line
from wire.limits import NAME_BYTES_MAX, PATTERN_BYTES_MAX

_PATTERN_COLUMNS_MAX: Final = 30

KEYS: Final = KeyTable(
    [
        Binding(("Enter", "s"), "write", "Write to the user at the >", "write"),
        Binding(("l", "F4", "/"), "filter", "Show only names that match a wildcard", "filter"),
        Binding(("n",), "create", "Make another account", "new"),
        Binding(("D",), "delete", "Delete your own account; asks first", "delete mine"),
        Binding(("R",), "reload", "Ask the server again", "reload"),
        Binding(("B",), "block", "Block the user at the >: take no messages of theirs any more"),
        Binding(("U",), "unblock", "Take the messages of the user at the > again"),
        *LIST_BINDINGS,
    ],
    inherits=COMMON_KEYS,
)
QUESTION_KEYS: Final = KeyTable(
    [
        Binding(("y",), "yes", "Delete the account", "delete"),
        Binding(("n", "Esc", "Enter"), "no", "Keep it", "keep"),
    ],
    inherits=TYPING_KEYS,
)


class Accounts(Screen):
    """The log of usernames as the server tells it."""

    name = "accounts"

    def __init__(self, desk: Desk, write: Callable[[Target], Screen]) -> None:
        self._desk = desk
        self._write = write
        self._pattern = ""
        self._list = ListView()
        self._directory = Directory()
        self._prompt: Prompt | None = None
        self._asks_to_delete = False
        self._waiting = 0

    @property
    def keys(self) -> KeyTable:
        """Those of the question or the field that is open."""
        if self._asks_to_delete:
            return QUESTION_KEYS
        return KEYS if self._prompt is None else PROMPT_KEYS

    def show(self) -> None:
        """The list may be old, or that of another wildcard."""
        self._desk.ask_accounts(self._pattern)
        self._take()

    def hear(self, news: News) -> None:
        """More of the list, or why the account is still there."""
        if isinstance(news, ConnectedAgain):
            self._desk.ask_accounts(self._pattern)
        elif isinstance(news, DirectoryChanged):
            self._take()
        elif isinstance(news, DeletionRefused) and news.messages_waiting is not None:
            self._waiting = news.messages_waiting
            name = self._desk.overview().name
            waiting = plural(news.messages_waiting, "message")
            verb = "waits" if news.messages_waiting == 1 else "wait"
            words = f"{waiting} {verb} unread for you. To lose them, type {safe_line(name)}:"
            self._prompt = Prompt("force", Safe(words), "", NAME_BYTES_MAX)
        elif isinstance(news, DeletionRefused):
            self._desk.say(safe_line(news.reason))

    def handle(self, key: KeyEvent) -> Outcome:
        """A list, two fields and a question."""
        if self._prompt is not None:
            return self._handle_prompt(self._prompt, key)
        command = self.keys.command(key)
        if command is None:
            return Done.IGNORED
        if self._asks_to_delete:
            return self._handle_question(command)
        if self._list.handle(command):
            return Done.HANDLED
        if command == "leave" and self._pattern:
            self._filter("")
            return Done.HANDLED
        if command == "leave":
            return Done.LEAVE
        return self._act(command)

    def select(self, place: int) -> bool:
        """See Screen."""
        return go_to(self._list, place, len(self._directory.entries))

    def view(self, room: Room) -> View:
        """The table."""
        rows = self._table(room)
        blocks: list[Block] = [rows]
        if not self._directory.entries:
            blocks.append(said(self._empty_words()))
        blocks += [Fill(), Foot(Safe(self._filter_words()), rows.position)]
        question = None
        if self._prompt is not None:
            question = self._prompt.question(room)
        elif self._asks_to_delete:
            you = safe_line(self._desk.overview().name)
            question = ask(f"Delete the account {you}? y: yes  n: no")
        right = f"{plural(self._directory.total, 'user')}, {self._directory.connected:,} connected"
        return view(
            self._desk,
            self.name,
            "Accounts",
            blocks,
            self.keys,
            right=right if self._directory.asked_at_ms is not None else "",
            question=question,
        )

    def _table(self, room: Room) -> Table:
        entries = self._directory.entries
        you, now_ms = self._desk.overview().name, self._desk.now_ms()
        since_ms = new_since_ms(entries, you, now_ms)

        def row_at(place: int) -> Row:
            entry = entries[place]
            return user_row(
                entry, room.columns, now_ms, you=entry.name == you, new_since_ms=since_ms
            )

        columns = user_columns(room.columns)
        return table("users", columns, self._list, room.list_rows(2), len(entries), row_at)

    def _take(self) -> None:
        self._directory = self._desk.directory()
        self._list.set_rows([entry.name for entry in self._directory.entries])

    def _empty_words(self) -> str:
        if not self._desk.overview().standing.online:
            return "Not connected: the list comes when the server is there again."
        if not self._directory.complete:
            return "Asking the server ..."
        return f'No user matches "{safe_line(self._directory.pattern, _PATTERN_COLUMNS_MAX)}".'

    def _filter_words(self) -> str:
        if not self._directory.pattern:
            return ""
        shown = safe_line(self._directory.pattern, _PATTERN_COLUMNS_MAX)
        return f"Only names that match {shown}; Esc shows all."

    def _filter(self, pattern: str) -> None:
        self._pattern = pattern
        self._desk.ask_accounts(pattern)

    def _act(self, command: str) -> Outcome:
        if command == "reload":
            self._filter(self._pattern)
        elif command == "filter":
            self._open_prompt("filter", "Show names like (* ? [a-z]):", self._pattern)
        elif command == "create":
            self._open_prompt("create", "Name of the new account:", "")
        elif command == "delete":
            self._begin_deletion()
        elif command == "write":
            selected = self._list.selected
            if selected is not None:
                return Open(self._write(Target(recipients=(str(selected),))))
        elif command in {"block", "unblock"}:
            if self._list.selected is not None:
                self._desk.block(str(self._list.selected), command == "block")
        else:
            return Done.IGNORED
        return Done.HANDLED

    def _open_prompt(self, purpose: str, label: str, start: str) -> None:
        self._prompt = Prompt(purpose, Safe(label), start, PATTERN_BYTES_MAX)

    def _begin_deletion(self) -> None:
        if self._desk.overview().standing.online:
            self._asks_to_delete = True
        else:
            self._desk.say(Safe("Not connected: an account can be deleted only at the server."))

    def _handle_question(self, command: str) -> Outcome:
        if command not in {"yes", "no"}:
            return Done.IGNORED
        self._asks_to_delete = False
        if command == "yes":
            self._desk.delete_account(force=False)
        return Done.HANDLED

    def _handle_prompt(self, prompt: Prompt, key: KeyEvent) -> Outcome:
        answer = prompt.handle(key)
        if answer is Answer.IGNORED:
            return Done.IGNORED
        if answer is not Answer.GOES_ON:
            self._prompt = None
        if answer is Answer.CANCELLED and prompt.purpose == "force":
            self._desk.say(Safe("The account is kept."))
        if answer is Answer.ENTERED:
            self._take_answer(prompt.purpose, prompt.text)
        return Done.HANDLED

    def _take_answer(self, purpose: str, answer: str) -> None:
        if purpose == "filter":
            self._filter(answer)
        elif purpose == "create" and answer:
            self._desk.create_account(answer)
        elif purpose == "force":
            name = self._desk.overview().name
            if answer == name:
                self._desk.delete_account(force=True)
            else:
                self._desk.say(Safe(f"That is not {safe_line(name)}: the account is kept."))
