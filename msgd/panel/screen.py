"""The panel as a person uses it: keys become requests to the server, scenes become pictures.

One for all panels: what a server shows on its own terminal and what `msgd panel` shows differ only
in their `Role`. No terminal, no socket and no clock here: `attached` has them.

Must never hold anything of the server's besides what the last scene said.
Fails never: without a scene it draws that it waits for one.
"""

from enum import Enum, unique
from typing import Final

from msgd.panel import keys as tables
from msgd.panel import requests
from msgd.panel.layout import draw_help, draw_log, draw_main, log_rows, table_rows
from msgd.panel.layout_user import draw_user, queue_rows
from msgd.panel.requests import Look, Part, Request
from msgd.panel.users import SORTED_MAX
from msgd.panel.values import NOBODY, Presence, Scene, Sort, UserRow
from msgd.panel.view import SORT_WORDS, View
from term.editor import Editor, Outcome
from term.keys import KeyEvent, KeyTable
from term.list_view import ScrollView
from term.picture import EMPTY, Line, Picture, Span, Style, body_rows, compose, line
from term.safe import Safe, safe_line


@unique
class Role(Enum):
    """Whose panel it is."""

    OWNER = "owner"
    ATTACHED = "attached"
    READ_ONLY = "read only"


@unique
class Mode(Enum):
    """What the keys are for now."""

    MAIN = "main"
    LOG = "log"
    USER = "user"
    HELP = "help"
    TYPE_FILTER = "filter"
    TYPE_ANNOUNCEMENT = "announcement"
    ASK_KICK = "kick"
    ASK_ANNOUNCE = "announce"
    ASK_QUIT = "quit"


_MAIN_TABLES: Final = {
    Role.OWNER: tables.MAIN,
    Role.ATTACHED: tables.ATTACHED,
    Role.READ_ONLY: tables.READ_ONLY,
}
_TABLES: Final = {
    Mode.LOG: tables.LOG,
    Mode.USER: tables.USER,
    Mode.HELP: tables.HELP,
    Mode.TYPE_FILTER: tables.TYPING,
    Mode.TYPE_ANNOUNCEMENT: tables.TYPING,
    Mode.ASK_KICK: tables.QUESTION,
    Mode.ASK_ANNOUNCE: tables.QUESTION,
    Mode.ASK_QUIT: tables.QUESTION,
}
_QUESTIONS: Final = (Mode.ASK_KICK, Mode.ASK_ANNOUNCE, Mode.ASK_QUIT)
_PROMPTS: Final = {
    Mode.TYPE_FILTER: Safe(" Only names that contain: "),
    Mode.TYPE_ANNOUNCEMENT: Safe(" Tell everybody: "),
}


class Screen:
    """`press` a key, `take` the requests that it made, show the `picture` of a scene."""

    def __init__(self, role: Role, *, ascii_only: bool) -> None:
        self.role = role
        self.wants_quit = False
        """The panel is to go (never set for the owner's: it asks the server to end)."""
        self.wants_redraw = False
        self.wants_suspend = False
        self.wants_bell = False
        self.link = NOBODY
        """What is wrong with the connection to the server; nothing while all is well."""
        self._scene: Scene | None = None
        self._ascii_only = ascii_only
        self._requests: list[Request] = []
        self._look: Look | None = None
        self._size = (1, 1)
        self._mode = Mode.MAIN
        self._below = Mode.MAIN  # where to go back to from help, questions and fields
        self._help = ScrollView()
        self._help_lines: tuple[Safe, ...] = ()
        self._editor = Editor(multiline=False, bytes_max=requests.FILTER_BYTES_MAX)
        self._arranged = requests.Arrange(Sort.STATE, inverted=False, filter="")
        self._filter_before = ""
        self._question: Line = EMPTY
        self._name = ""  # of the user asked about, or looked at
        self._announcement = ""
        self._message: Line = EMPTY
        self._answer_seen = 0
        self._ending = False

    # ----- the server's side ------------------------------------------------------------------

    def begin(self) -> None:
        """A server was reached: say who we are, and everything that we want to see."""
        hello = requests.Hello(requests.VERSION, self.role is Role.READ_ONLY)
        self._requests = [hello, self._arranged]
        if self._mode is Mode.USER or self._below is Mode.USER:
            self._requests.append(requests.Inspect(self._name))
        self._answer_seen = 0
        self._look = None
        self.link = NOBODY
        self._settle()

    def take(self) -> tuple[Request, ...]:
        """What is to be sent to the server."""
        taken, self._requests = tuple(self._requests), []
        return taken

    def see(self, scene: Scene) -> None:
        """The server's newest scene."""
        self._scene = scene
        self._settle()

    def resize(self, size: tuple[int, int]) -> None:
        """The window is so large now."""
        self._size = size
        self._settle()

    def _settle(self) -> None:
        """Ask for as much as there is room for."""
        look = self._wanted_look()
        if look != self._look:
            self._look = look
            self._requests.append(look)

    def _wanted_look(self) -> Look:
        size, mode = self._size, self._screen_mode
        alarms = 0 if self._scene is None else len(self._scene.alarms)
        room = min(body_rows(size), requests.ROWS_MAX)
        if mode is Mode.LOG:
            return Look(users=0, log=max(1, room), queue=0, tail=False)
        if mode is Mode.USER:
            return Look(users=0, log=0, queue=queue_rows(size), tail=False)
        users = min(table_rows(size, alarms), requests.ROWS_MAX)
        return Look(users=users, log=min(log_rows(size), requests.ROWS_MAX), queue=0, tail=True)

    # ----- pictures ---------------------------------------------------------------------------

    @property
    def _screen_mode(self) -> Mode:
        """The screen that is seen, also behind a question or a field."""
        mode = self._mode
        if mode is Mode.HELP or mode in _QUESTIONS or mode in _PROMPTS:
            mode = self._below
        return mode

    @property
    def _table(self) -> KeyTable:
        return _TABLES.get(self._mode) or _MAIN_TABLES[self.role]

    def picture(self) -> Picture:
        """What is to be seen now."""
        size, scene = self._size, self._scene
        if scene is None:
            words = self.link or Safe("Waiting for the server.")
            return compose(
                size,
                line(Safe(" msgd panel")),
                [EMPTY, line(Safe(f" {words}"))],
                message=EMPTY,
                status=EMPTY,
                keys=line(Safe(" ")),
            )
        message, cursor = self._message_line(scene)
        view = View(
            scene=scene,
            message=message,
            prompt_cursor=cursor,
            keys=self._table.footer(size[1]),
            ascii_only=self._ascii_only,
            is_live=not self.link,
        )
        if self._mode is Mode.HELP:
            self._help.set_lines(len(self._help_lines), body_rows(size))
            seen = self._help.visible()
            text = self._help_lines[seen.start : seen.stop]
            return draw_help(size, view, text, self._help.position_text())
        mode = self._screen_mode
        if mode is Mode.LOG:
            return draw_log(size, view)
        if mode is Mode.USER:
            return draw_user(size, view)
        return draw_main(size, view)

    def _message_line(self, scene: Scene) -> tuple[Line, int | None]:
        if self.link:
            return line(Safe(" "), Span(self.link, Style.BOLD)), None
        if self._mode in _QUESTIONS:
            return self._question, None
        prompt = _PROMPTS.get(self._mode)
        if prompt is not None:
            typed = self._editor.layout(max(8, self._size[1] - len(prompt)), 1)
            return line(Span(prompt, Style.BOLD), typed.rows[0]), len(prompt) + typed.cursor[1]
        if scene.ending:
            return line(Safe(" Telling the clients, and ending.")), None
        if scene.answer.number > self._answer_seen:
            return line(Safe(" "), scene.answer.text), None
        return self._message, None

    # ----- keys -------------------------------------------------------------------------------

    def press(self, key: KeyEvent) -> None:
        """Obey a key."""
        scene, table = self._scene, self._table
        command = table.command(key)
        if scene is None:
            # Nothing to look at and nobody to ask: one can only go.
            self.wants_quit = self.wants_quit or command == "quit"
            return
        if table is tables.TYPING:
            self._type(key, command)
        else:
            self._message = EMPTY
            self._answer_seen = scene.answer.number
            if command is not None:
                self._obey(command, scene)
        self._settle()

    def _obey(self, command: str, scene: Scene) -> None:
        if self._mode in _QUESTIONS:
            self._decide(command)
        elif command == "redraw":
            self.wants_redraw = True
        elif command == "suspend":
            self.wants_suspend = True
        elif command == "quit":
            self._ask_quit(scene)
        elif self._mode is Mode.HELP:
            if not self._help.handle(command):
                self._mode = self._below
        elif command == "help":
            self._help_lines = self._table.help_lines()
            self._help = ScrollView()
            self._go(Mode.HELP)
        elif command == "follow":
            self._requests.append(requests.Follow())
        elif command == "pause":
            self._requests.append(requests.Hold(not scene.log.paused))
        elif command == "kick":
            self._ask_kick(scene)
        elif command == "back":
            if self._mode is Mode.USER:
                self._requests.append(requests.Inspect(None))
            self._mode = self._below = Mode.MAIN
        elif self._mode is Mode.LOG:
            self._requests.append(requests.Move(Part.LOG, command))
        elif self._mode is Mode.USER:
            self._requests.append(requests.Move(Part.QUEUE, command))
        else:
            self._obey_main(command, scene)

    def _obey_main(self, command: str, scene: Scene) -> None:
        """The commands of the main screen."""
        users = scene.users
        if command == "filter":
            self._filter_before = self._arranged.filter
            self._edit(Mode.TYPE_FILTER, self._filter_before, requests.FILTER_BYTES_MAX)
        elif command == "announce":
            self._edit(Mode.TYPE_ANNOUNCEMENT, "", requests.ANNOUNCEMENT_BYTES_MAX)
        elif command == "clear":
            if self._arranged.filter:
                self._arrange(text="")
            elif users.sort is Sort.STUCK:
                self._arrange(sort=Sort.STATE, inverted=False)
        elif command == "sort":
            self._arrange(sort=next_sort(users.sort, scene.meters.known))
            if scene.meters.known > SORTED_MAX:
                self._say(f"With more than {SORTED_MAX} users: by state, name or oldest mail only.")
        elif command == "stuck":
            wanted = Sort.STATE if users.sort is Sort.STUCK else Sort.STUCK
            self._arrange(sort=wanted, inverted=False)
            self._requests.append(requests.Move(Part.USERS, "first"))
        elif command == "invert":
            self._arrange(inverted=not users.inverted)
        elif command == "log":
            if not scene.log.paused:
                self._requests.append(requests.Follow())
            self._mode = Mode.LOG
        elif command == "inspect":
            row = selected(scene)
            if row is not None:
                self._name = row.name
                self._requests.append(requests.Inspect(row.name))
                self._mode = Mode.USER
        else:
            self._requests.append(requests.Move(Part.USERS, command))

    def _arrange(
        self, sort: Sort | None = None, inverted: bool | None = None, text: str | None = None
    ) -> None:
        before = self._arranged
        self._arranged = requests.Arrange(
            before.sort if sort is None else sort,
            before.inverted if inverted is None else inverted,
            before.filter if text is None else text,
        )
        self._requests.append(self._arranged)

    def _go(self, mode: Mode) -> None:
        self._below = self._screen_mode
        self._mode = mode

    def _say(self, text: str) -> None:
        self._message = line(Safe(" "), safe_line(text))

    def _edit(self, mode: Mode, text: str, bytes_max: int) -> None:
        self._editor = Editor(text, multiline=False, bytes_max=bytes_max)
        self._go(mode)

    def _type(self, key: KeyEvent, command: str | None) -> None:
        mode = self._mode
        if command is not None:
            self._mode = self._below
        elif self._editor.handle(key) is Outcome.FULL:
            self.wants_bell = True
        text = self._editor.text.strip()
        if mode is Mode.TYPE_ANNOUNCEMENT:
            if command == "accept" and text:
                self._announcement = text
                shown = safe_line(text, 40)
                self._ask(Mode.ASK_ANNOUNCE, f'Tell everybody connected "{shown}"?')
        elif command == "cancel":
            self._arrange(text=self._filter_before)
        elif text.lower() != self._arranged.filter:
            # The table follows the filter while it is typed. Names are lower case.
            self._arrange(text=text.lower())

    # ----- questions --------------------------------------------------------------------------

    def _ask(self, mode: Mode, text: str) -> None:
        words = Span(safe_line(f" {text} "), Style.BOLD)
        self._question = line(words, Safe("y: yes   n: no [no]"))
        self._go(mode)

    def _ask_kick(self, scene: Scene) -> None:
        if self.role is Role.READ_ONLY:
            self._say("This panel only looks (--read-only).")
            return
        if self._mode is Mode.USER:
            row = None if scene.user is None else scene.user.row
        else:
            row = selected(scene)
        if row is None or row.presence not in {Presence.ON, Presence.SILENT}:
            self._say("Nobody to disconnect: the selected user is not connected.")
            return
        self._name = row.name
        self._ask(Mode.ASK_KICK, f"Disconnect {row.name}? Messages for {row.name} are kept.")

    def _ask_quit(self, scene: Scene) -> None:
        if self.role is not Role.OWNER:
            self.wants_quit = True
            return
        count = scene.meters.connected
        if self._ending or scene.ending or not count:
            # The second time the server does not wait for the clients.
            self._end(confirmed=self._ending or scene.ending)
            return
        users = "1 user is" if count == 1 else f"{count} users are"
        if self._mode is Mode.HELP:
            self._mode = self._below
        self._ask(Mode.ASK_QUIT, f"{users} connected. Tell them and end the server?")

    def _decide(self, command: str) -> None:
        mode = self._mode
        self._mode = self._below
        if command != "yes":
            return
        if mode is Mode.ASK_QUIT:
            self._end(confirmed=True)
        elif mode is Mode.ASK_ANNOUNCE:
            self._requests.append(requests.Announce(self._announcement))
        else:
            self._requests.append(requests.Kick(self._name))

    def _end(self, *, confirmed: bool) -> None:
        self._ending = confirmed
        self._requests.append(requests.Stop(confirmed))


def selected(scene: Scene) -> UserRow | None:
    """The user under the cursor."""
    users = scene.users
    if users.selected is None or users.selected >= len(users.rows):
        return None
    return users.rows[users.selected]


def next_sort(sort: Sort, known: int) -> Sort:
    """The order after this one, among those that so many names allow."""
    offered = list(SORT_WORDS)
    if known > SORTED_MAX:
        offered = [Sort.STATE, Sort.NAME, Sort.STUCK]
    index = offered.index(sort) if sort in offered else -1
    return offered[(index + 1) % len(offered)]
