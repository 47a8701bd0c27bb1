"""The panel inside the loop: keys in, pictures out, at most ten a second.

The reactor calls `read` when there are keys and `draw` at the end of every turn; `draw` does
nothing unless something changed or the clock's second did. What a person orders goes to the
exchange, as what a client orders does, and is committed and released by the same turn.

Must never block, sleep, or stop the process (C-z is not a key here: it would stop the server).
Fails never: when the terminal is gone it asks for the server's end.
"""

from enum import Enum, unique
from typing import Final

from msgd.events import EventLog
from msgd.exchange import Exchange
from msgd.exchange_login import last_seen
from msgd.net import Clock
from msgd.panel import keys as tables
from msgd.panel.layout import draw_help, draw_log, draw_main, log_rows, table_rows
from msgd.panel.model import LogTail, Rates, gather_meters
from msgd.panel.users import SORTED_MAX, UserTable
from msgd.panel.values import Identity, View
from msgd.panel.words import bytes_text, date_time_text
from msgd.values import Now
from store.store import Store
from term.console import Console, ConsoleClosed
from term.decoder import KeyDecoder
from term.editor import Editor, Outcome
from term.keys import KeyEvent, KeyTable
from term.list_view import ScrollView
from term.picture import EMPTY, Line, Picture, Span, Style, body_rows, line
from term.safe import Safe, safe_line

REDRAW_MS_MIN: Final = 100
FILTER_BYTES_MAX: Final = 64
ANNOUNCEMENT_BYTES_MAX: Final = 512


@unique
class Mode(Enum):
    """What the keys are for now."""

    MAIN = "main"
    LOG = "log"
    HELP = "help"
    TYPE_FILTER = "filter"
    TYPE_ANNOUNCEMENT = "announcement"
    ASK_KICK = "kick"
    ASK_QUIT = "quit"


_TABLES: Final = {
    Mode.MAIN: tables.MAIN,
    Mode.LOG: tables.LOG,
    Mode.HELP: tables.HELP,
    Mode.TYPE_FILTER: tables.TYPING,
    Mode.TYPE_ANNOUNCEMENT: tables.TYPING,
    Mode.ASK_KICK: tables.QUESTION,
    Mode.ASK_QUIT: tables.QUESTION,
}
_PROMPTS: Final = {
    Mode.TYPE_FILTER: Safe(" Only names that contain: "),
    Mode.TYPE_ANNOUNCEMENT: Safe(" Tell everybody: "),
}


class Panel:
    """What `msgd.reactor.Face` asks for."""

    def __init__(
        self,
        *,
        console: Console,
        clock: Clock,
        exchange: Exchange,
        store: Store,
        events: EventLog,
        identity: Identity,
        ascii_only: bool,
    ) -> None:
        self._wants_stop = False
        self._console = console
        self._clock = clock
        self._exchange = exchange
        self._store = store
        self._events = events
        self._identity = identity
        self._ascii_only = ascii_only
        self._decoder = KeyDecoder()
        self._users = UserTable(exchange, store, clock.monotonic_ms)
        self._log = LogTail(events)
        self._scroll = ScrollView(follow=True)
        self._rates = Rates(clock.monotonic_ms())
        self._mode = Mode.MAIN
        self._below = Mode.MAIN  # where to go back to from help and questions
        self._help = ScrollView()
        self._help_lines: tuple[Safe, ...] = ()
        self._editor = Editor(multiline=False, bytes_max=FILTER_BYTES_MAX)
        self._pattern_before = ""
        self._question: Line = EMPTY
        self._kick: str | None = None
        self._message: Line = EMPTY
        self._details: tuple[Safe, ...] = ()
        self._gone = False
        self._ending = False
        self._dirty = True
        self._drawn_ms: int | None = None
        self._due_ms = 0
        self._drawn_state = (-1, -1, -1)

    @property
    def console_fd(self) -> int | None:
        """Where keys come from; None once the terminal is gone."""
        return None if self._gone else self._console.fileno()

    def resized(self) -> None:
        """The window may have another size."""
        self._console.resized()
        self._dirty = True

    def read(self, now: Now) -> bool:
        """Take the keys that wait; gives whether the end of the server was asked for by them."""
        try:
            data = self._console.read()
        except ConsoleClosed:
            # Whoever closes a window means to end what runs in it, and not to leave a server
            # behind that holds the port unseen.
            self._gone = True
            return True
        for key in self._decoder.feed(data, now.monotonic_ms):
            self._press(key, now)
        wanted, self._wants_stop = self._wants_stop, False
        return wanted

    def deadline_ms(self) -> int | None:
        """When `draw` may have something to do."""
        if self._gone:
            return None
        due_ms = self._due_ms
        if self._drawn_ms is not None and (self._dirty or self._state() != self._drawn_state):
            # Connections are closed after the drawing, in the same turn.
            due_ms = min(due_ms, self._drawn_ms + REDRAW_MS_MIN)
        decoder_ms = self._decoder.deadline_ms
        return due_ms if decoder_ms is None else min(due_ms, decoder_ms)

    def _state(self) -> tuple[int, int, int]:
        """What changes whenever there may be something new to be seen."""
        exchange = self._exchange
        return self._events.total, self._store.state.next_number, len(exchange.sessions)

    def draw(self, now: Now) -> None:
        """Draw, if something changed and the last time is long enough ago."""
        if self._gone:
            return
        for key in self._decoder.timeout(now.monotonic_ms):
            self._press(key, now)
        state = self._state()
        if state != self._drawn_state:
            self._dirty = True
        next_ms = 0 if self._drawn_ms is None else self._drawn_ms + REDRAW_MS_MIN
        if now.monotonic_ms < (next_ms if self._dirty else self._due_ms):
            return
        tally = self._exchange.tally
        self._rates.sample(tally.accepted, tally.settled, now.monotonic_ms)
        self._users.sum_up()
        try:
            self._console.draw(self._picture(now))
        except ConsoleClosed:
            return  # the poll tells of it too, and then `read` asks for the end
        self._drawn_state = state
        self._drawn_ms = now.monotonic_ms
        self._dirty = False
        self._due_ms = now.monotonic_ms + 1_000 - now.wall_ms % 1_000

    # ----- pictures ---------------------------------------------------------------------------

    def _picture(self, now: Now) -> Picture:
        size = self._console.size()
        screen = self._below if self._mode is Mode.HELP or self._is_question else self._mode
        if self._mode is Mode.HELP:
            self._help.set_lines(len(self._help_lines), body_rows(size))
            seen = self._help.visible()
            text = self._help_lines[seen.start : seen.stop]
            return draw_help(size, self._view(size, now), text, self._help.position_text())
        if screen is Mode.LOG:
            self._scroll.set_lines(self._log.count, body_rows(size))
            seen = self._scroll.visible()
            events = self._log.lines(seen.start, seen.stop)
            return draw_log(size, self._view(size, now), events, self._scroll.position_text())
        return draw_main(size, self._view(size, now))

    @property
    def _is_question(self) -> bool:
        return self._mode in {Mode.ASK_KICK, Mode.ASK_QUIT}

    def _view(self, size: tuple[int, int], now: Now) -> View:
        users = self._users
        users.refresh()
        users.view.set_height(table_rows(size))
        rows = users.rows()
        message, cursor = self._message_line(size[1])
        sort = users.sort.value + (", inverted" if users.inverted else "")
        count = self._log.count
        return View(
            identity=self._identity,
            up_ms=now.monotonic_ms - self._identity.started_ms,
            wall_ms=now.wall_ms,
            meters=gather_meters(
                self._exchange, self._store, self._identity, self._rates, users.totals
            ),
            rows=rows,
            selected=users.view.cursor - users.view.offset if rows else None,
            position=users.view.position_text(),
            sort=Safe(sort),
            filter=safe_line(users.pattern),
            log=self._log.lines(max(0, count - log_rows(size)), count),
            log_state=self._log_state(),
            details=self._details,
            message=message,
            prompt_cursor=cursor,
            keys=_TABLES[self._mode].footer(size[1] - 1),  # the last cell is never drawn
            ascii_only=self._ascii_only,
        )

    def _log_state(self) -> Safe:
        if self._log.is_paused:
            return Safe(f"paused, {self._log.missed} newer")
        return Safe("following" if self._scroll.follow else "scrolled")

    def _message_line(self, columns: int) -> tuple[Line, int | None]:
        if self._is_question:
            return self._question, None
        prompt = _PROMPTS.get(self._mode)
        if prompt is None:
            return self._message, None
        typed = self._editor.layout(max(8, columns - len(prompt)), 1)
        return line(Span(prompt, Style.BOLD), typed.rows[0]), len(prompt) + typed.cursor[1]

    # ----- keys -------------------------------------------------------------------------------

    def _press(self, key: KeyEvent, now: Now) -> None:
        self._dirty = True
        table: KeyTable = _TABLES[self._mode]
        command = table.command(key)
        if table is tables.TYPING:
            self._type(key, command, now)
            return
        self._message = EMPTY
        self._details = ()
        if command is None:
            return
        if self._is_question:
            self._answer(command, now)
        elif command == "redraw":
            self._console.redraw()
        elif command == "quit":
            self._ask_quit()
        elif self._mode is Mode.HELP:
            if not self._help.handle(command):
                self._mode = self._below
        elif command == "help":
            self._help_lines = table.help_lines()
            self._help = ScrollView()
            self._go(Mode.HELP)
        elif command in {"follow", "pause"}:
            self._steer_log(command)
        elif self._mode is Mode.LOG:
            if not self._scroll.handle(command):
                self._mode = Mode.MAIN
        elif not self._users.view.handle(command):
            self._obey(command)

    def _obey(self, command: str) -> None:
        """The commands of the main screen."""
        users = self._users
        if command == "filter":
            self._pattern_before = users.pattern
            self._editor = Editor(users.pattern, multiline=False, bytes_max=FILTER_BYTES_MAX)
            self._go(Mode.TYPE_FILTER)
        elif command == "clear":
            users.change(pattern="")
        elif command == "sort":
            users.change(sort=users.next_sort())
            if len(self._store.state.names) > SORTED_MAX:
                self._say(f"With more than {SORTED_MAX} users: by state or by name only.")
        elif command == "invert":
            users.change(inverted=not users.inverted)
        elif command == "log":
            self._scroll.follow = True
            self._mode = Mode.LOG
        elif command == "announce":
            self._editor = Editor(multiline=False, bytes_max=ANNOUNCEMENT_BYTES_MAX)
            self._go(Mode.TYPE_ANNOUNCEMENT)
        elif command == "kick":
            self._ask_kick()
        elif command == "inform":
            self._inform()

    def _inform(self) -> None:
        name = self._users.selected
        account = None if name is None else self._store.state.by_name.get(name)
        if account is None:
            return
        session = self._exchange.online.get(account.name)
        state = self._store.state
        seen_ms = last_seen(account)
        waiting = account.messages_waiting(state)
        size = bytes_text(account.bytes_waiting(state))
        if session is None:
            now_words = f"last seen {'never' if seen_ms is None else date_time_text(seen_ms)}"
        else:
            now_words = f"from {session.peer}, {len(session.outstanding)} unconfirmed"
        # In rows of their own: with a long name all this is longer than a narrow window.
        self._details = (
            safe_line(f"since {date_time_text(account.created_at_ms)}, {waiting} waiting ({size})"),
            safe_line(now_words),
        )
        self._say(f"{account.name}: see above")

    def _go(self, mode: Mode) -> None:
        self._below = self._mode
        self._mode = mode

    def _say(self, text: str) -> None:
        self._message = line(Safe(" "), safe_line(text))

    def _steer_log(self, command: str) -> None:
        if command == "follow":
            self._log.pause(wanted=False)
            self._scroll.follow = True
        else:
            self._log.pause(wanted=not self._log.is_paused)

    def _type(self, key: KeyEvent, command: str | None, now: Now) -> None:
        mode = self._mode
        if command is not None:
            self._mode = self._below
        elif self._editor.handle(key) is Outcome.FULL:
            self._console.bell()
        text = self._editor.text.strip()
        if mode is Mode.TYPE_ANNOUNCEMENT:
            if command == "accept" and text:
                told = self._exchange.announce(text, now)
                self._say(f"Told {told} connected {'user' if told == 1 else 'users'}.")
        elif command == "cancel":
            self._users.change(pattern=self._pattern_before)
        else:
            # The table follows the filter while it is typed. Names are lower case.
            self._users.change(pattern=text.lower())

    # ----- questions --------------------------------------------------------------------------

    def _ask(self, mode: Mode, text: str) -> None:
        words = Span(safe_line(f" {text} "), Style.BOLD)
        self._question = line(words, Safe("y: yes   n: no [no]"))
        self._go(mode)

    def _ask_kick(self) -> None:
        name = self._users.selected
        if name is None or name not in self._exchange.online:
            self._say("Nobody to disconnect: the selected user is not connected.")
            return
        self._kick = name
        self._ask(Mode.ASK_KICK, f"Disconnect {name}? Messages for {name} are kept.")

    def _ask_quit(self) -> None:
        if self._ending:
            self._wants_stop = True  # the second time: do not wait for the clients
            return
        count = len(self._exchange.online)
        if not count:
            self._end()
            return
        users = "1 user is" if count == 1 else f"{count} users are"
        if self._mode is Mode.HELP:
            self._mode = self._below
        self._ask(Mode.ASK_QUIT, f"{users} connected. Tell them and end the server?")

    def _answer(self, command: str, now: Now) -> None:
        mode = self._mode
        self._mode = self._below
        if command != "yes":
            return
        if mode is Mode.ASK_QUIT:
            self._end()
        elif self._kick is not None:
            kicked = self._exchange.kick(self._kick, now)
            self._say(
                f"{self._kick} was disconnected." if kicked else f"{self._kick} had left already."
            )

    def _end(self) -> None:
        self._ending = True
        self._wants_stop = True
        self._say("Telling the clients, and ending.")
