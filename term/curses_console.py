"""A terminal through curses: the only file that imports it.

Curses draws (and sends only what differs); it does not read. Input comes raw from the descriptor
and goes to a `KeyDecoder`, so that pastes, lone Escs and answers of the terminal are told apart.

We, curses and the terminal may each think differently of a character's width, so that none of us
knows where the cursor is after it. Hence: each row is a curses window of its own, one row high, and
the terminal does not wrap; a row that holds or held other characters than ASCII is sent whole; and
after each such span the cursor is sent far away, so that it comes back to an absolute column.

Must never draw what is not `Safe`, never send a title, a colour or any sequence that came from
outside, and never draw in the last cell of the last row, where some terminals scroll. Every step of
giving the terminal back is tried even if another one fails. Fails with ConsoleUnsuitable at the
start; ConsoleClosed from `read` when the terminal is gone.

Sources: ncurses curs_initscr(3x), curs_terminfo(3x); XTerm Control Sequences (mode 2004);
no-color.org.
"""

import contextlib
import curses
import locale
import termios
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Literal, Self

from term.console import ConsoleClosed, ConsoleUnsuitable
from term.limits import SCREEN_COLUMNS_MAX, SCREEN_ROWS_MAX
from term.notice import Notice
from term.os_terminal import is_terminal, read_waiting, stop_group, window_size, write_all
from term.picture import EMPTY, Line, Picture, Style
from term.safe import Safe
from term.width import clip, columns

ColorChoice = Literal["auto", "always", "never"]

_INPUT_FD: Final = 0
_OUTPUT_FD: Final = 1  # curses writes to standard output, whatever we would like
_BELL: Final = b"\a"
_PASTE_ON: Final = b"\x1b[?2004h"
_PASTE_OFF: Final = b"\x1b[?2004l"
_WRAP_OFF: Final = b"\x1b[?7l"
_WRAP_ON: Final = b"\x1b[?7h"
_ANSI_BEGIN: Final = b"\x1b["
_NEEDED_CAPABILITIES: Final = (("cup",), ("clear",), ("rev", "smso"))
"""One of each group: without reverse neither a bar nor the selected row could be told."""
_UTF8_LOCALES: Final = ("C.UTF-8", "C.utf8", "en_US.UTF-8")

_ATTRIBUTES: Final = (
    (Style.BOLD, curses.A_BOLD),
    (Style.REVERSE, curses.A_REVERSE),
    (Style.DIM, curses.A_DIM),
    (Style.UNDERLINE, curses.A_UNDERLINE),
)
_COLORS: Final = (
    (Style.RED, curses.COLOR_RED),
    (Style.GREEN, curses.COLOR_GREEN),
    (Style.YELLOW, curses.COLOR_YELLOW),
    (Style.BLUE, curses.COLOR_BLUE),
    (Style.MAGENTA, curses.COLOR_MAGENTA),
    (Style.CYAN, curses.COLOR_CYAN),
    (Style.WHITE, curses.COLOR_WHITE),
    (Style.BLACK, curses.COLOR_BLACK),
)


class CursesConsole:
    """The terminal of standard input and output, from construction until `close`.

    `environment` is that of the process: TERM, NO_COLOR, TMUX and STY are read from it. With
    `ascii_only` characters outside ASCII are drawn as `?`, also where UTF-8 would work. `instead`
    is the option of the program that does without such a terminal, for the words of
    ConsoleUnsuitable. Use it in a `with` statement: whatever happens, the terminal is given back.
    Signals end a program without leaving the statement, so the owner turns SIGTERM and SIGHUP into
    an ordinary end of its loop.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        color: ColorChoice,
        *,
        ascii_only: bool = False,
        instead: str = "--plain",
    ) -> None:
        _check_suitable(environment.get("TERM", ""), instead)
        self._saved_modes = termios.tcgetattr(_INPUT_FD)
        self._ascii_only = not _use_utf8() or ascii_only
        self._notice = Notice(environment)
        self._lent = False
        self._enter_sequence, self._leave_sequence = _mode_sequences()
        self._attributes: dict[Style, int] = {}
        self._colors: dict[Style, int] = {}
        self._windows: tuple[curses.window, ...] = ()
        self._drawn: tuple[Line, ...] = ()
        self._size = (1, 1)
        self._all_dirty = True
        self._open = True
        self._screen = curses.initscr()
        try:
            self._enter_modes()
            self._start_colors(environment, color)
            self.resized()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._size

    def draw(self, picture: Picture) -> None:
        """Show this picture; rows beyond the window are left out."""
        if not self._open or self._lent:
            return
        if self._all_dirty:
            self._screen.clearok(True)  # noqa: FBT003 - the signature of curses
            self._screen.erase()
            self._screen.noutrefresh()
        for row in range(len(self._windows)):
            spans = picture.rows[row] if row < len(picture.rows) else EMPTY
            before = self._drawn[row] if row < len(self._drawn) else EMPTY
            if not self._all_dirty and spans == before:
                continue
            if _is_ascii(spans) and _is_ascii(before):
                self._draw_row(row, spans)
            else:
                self._draw_doubtful_row(row, spans)
        self._place_cursor(picture.cursor)
        curses.doupdate()
        self._drawn = picture.rows
        self._all_dirty = False

    def redraw(self) -> None:
        """Send everything with the next `draw`."""
        self._all_dirty = True

    def resized(self) -> None:
        """Read the size again; the next `draw` sends everything."""
        if not self._open or self._lent:
            return
        rows, columns = window_size(_OUTPUT_FD) or self._screen.getmaxyx()
        self._size = (min(rows, SCREEN_ROWS_MAX), min(columns, SCREEN_COLUMNS_MAX))
        curses.resizeterm(*self._size)
        self._windows = tuple(_row_window(row, self._size[1]) for row in range(self._size[0]))
        self._all_dirty = True

    def bell(self) -> None:
        """Ring once; also while another program has the terminal, whose picture it leaves alone."""
        if self._lent:
            self._write_quietly(_BELL)
        elif self._open:
            curses.beep()

    def notify(self, words: Safe) -> bool:
        """See Console. Nothing of it moves the cursor, so it may come between two pictures."""
        sequence = self._notice.sequence(words)
        if self._open and sequence:
            self._write_quietly(sequence)
        return self._notice.is_sure

    def give_back(self) -> None:
        """Let another program have the terminal."""
        if self._open and not self._lent:
            self._lent = True
            self._leave()

    def take_again(self) -> None:
        """Take the terminal from the other program."""
        if self._open and self._lent:
            self._lent = False
            self._take()

    def suspend(self) -> None:
        """Give the terminal back, stop until continued, and take it again."""
        if not self._open:
            return
        self._leave()
        stop_group()
        self._take()

    def close(self) -> None:
        """Give the terminal back as it was."""
        if not self._open:
            return
        self._open = False
        if not self._lent:
            self._leave()

    def fileno(self) -> int:
        """The descriptor to wait on for `read`."""
        return _INPUT_FD

    def read(self) -> bytes:
        """What was typed since; empty if nothing. Raises ConsoleClosed at the end."""
        return read_waiting(_INPUT_FD)

    # Taking the terminal and giving it back.

    def _enter_modes(self) -> None:
        curses.raw()
        curses.noecho()
        curses.nonl()
        self._screen.keypad(True)  # noqa: FBT003 - the signature of curses
        curses.def_prog_mode()
        write_all(_OUTPUT_FD, self._enter_sequence)
        _show_cursor(0)

    def _take(self) -> None:
        self._enter_modes()
        self._screen.refresh()
        self.resized()

    def _write_quietly(self, data: bytes) -> None:
        """What a person may miss: a terminal that is gone is told of by `read`."""
        with contextlib.suppress(ConsoleClosed, OSError):
            write_all(_OUTPUT_FD, data)

    def _leave(self) -> None:
        _show_cursor(1)
        with contextlib.suppress(curses.error):
            curses.endwin()
        with contextlib.suppress(ConsoleClosed, OSError):
            write_all(_OUTPUT_FD, self._leave_sequence)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(_INPUT_FD, termios.TCSANOW, self._saved_modes)

    def _start_colors(self, environment: Mapping[str, str], color: ColorChoice) -> None:
        if color == "never" or (color == "auto" and environment.get("NO_COLOR")):
            return
        with contextlib.suppress(curses.error):  # a terminal without colours is fine
            if not curses.has_colors():
                return
            curses.start_color()
            curses.use_default_colors()
            for pair, (style, number) in enumerate(_COLORS, start=1):
                curses.init_pair(pair, number, -1)
                self._colors[style] = curses.color_pair(pair)

    # Drawing.

    def _draw_doubtful_row(self, row: int, spans: Line) -> None:
        """Send a row in pieces that begin where the terminal surely knows the column."""
        rows = self._size[0]
        ends = [end for end, span in enumerate(spans, start=1) if not span.text.isascii()]
        if not ends or ends[-1] < len(spans):
            ends.append(len(spans))
        _show_cursor(0)
        self._windows[row].redrawln(0, 1)
        for end in ends:
            self._draw_row(row, spans[:end])
            far_away = self._windows[0 if row >= rows // 2 else rows - 1]
            far_away.move(0, 0)
            far_away.noutrefresh()
            curses.doupdate()

    def _draw_row(self, row: int, spans: Line) -> None:
        window = self._windows[row]
        rows, room = self._size
        if row == rows - 1:
            room -= 1
        window.erase()
        column = 0
        for span in spans:
            text = clip(span.text, room - column)
            if text:
                # The last cell of a window cannot be passed: curses says so after drawing it.
                with contextlib.suppress(curses.error):
                    window.addstr(0, column, self._encodable(text), self._attribute(span.style))
            column += columns(text)
            if column >= room:
                break
        window.noutrefresh()

    def _encodable(self, text: Safe) -> str:
        """The text as this locale can draw it."""
        if not self._ascii_only or text.isascii():
            return text
        return "".join(
            character if character.isascii() else "?" * columns(Safe(character))
            for character in text
        )

    def _attribute(self, style: Style) -> int:
        attribute = self._attributes.get(style)
        if attribute is None:
            attribute = curses.A_NORMAL
            for flag, bit in _ATTRIBUTES:
                attribute |= bit if flag in style else 0
            color = next((flag for flag, _ in _COLORS if flag in style), Style.NORMAL)
            attribute |= self._colors.get(color, 0)
            self._attributes[style] = attribute
        return attribute

    def _place_cursor(self, cursor: tuple[int, int] | None) -> None:
        """Move the cursor, and show it; without one, park it where it disturbs nobody."""
        rows, columns = self._size
        row, column = (rows - 1, 0) if cursor is None else cursor
        window = self._windows[min(max(row, 0), rows - 1)]
        window.move(0, min(max(column, 0), columns - 1))
        window.noutrefresh()
        _show_cursor(0 if cursor is None else 1)


def _check_suitable(terminal: str, instead: str) -> None:
    advice = f"use {instead}, or a terminal that can move its cursor"
    if not (is_terminal(_INPUT_FD) and is_terminal(_OUTPUT_FD)):
        raise ConsoleUnsuitable(f"input and output are not a terminal; use {instead}")
    if terminal in {"", "dumb", "unknown"}:
        raise ConsoleUnsuitable(f"TERM is {terminal or 'not set'}; {advice}")
    try:
        curses.setupterm(terminal, _OUTPUT_FD)
    except curses.error:
        raise ConsoleUnsuitable(
            f"this system does not know the terminal type in TERM; {advice}"
        ) from None
    if not all(any(map(curses.tigetstr, names)) for names in _NEEDED_CAPABILITIES):
        raise ConsoleUnsuitable(
            "this type of terminal (TERM) cannot do what a screen needs: move its cursor, clear "
            f"its window, show text in reverse; use {instead}, or another terminal"
        )


def _mode_sequences() -> tuple[bytes, bytes]:
    """What is said at the start and at the end besides what terminfo knows of."""
    # Without a screen of our own to leave, what comes next would be printed over the last row.
    ending = b"" if curses.tigetstr("rmcup") else b"\r\n"
    if not (curses.tigetstr("cup") or b"").startswith(_ANSI_BEGIN):
        return b"", ending
    if not curses.tigetflag("xenl"):
        # After the last column curses relies on wrapping, where it cannot hang between two rows.
        return _PASTE_ON, _PASTE_OFF + ending
    return _PASTE_ON + _WRAP_OFF, _WRAP_ON + _PASTE_OFF + ending


def _row_window(row: int, columns: int) -> "curses.window":
    window = curses.newwin(1, columns, row, 0)
    window.idcok(False)  # noqa: FBT003 - the signature of curses; shifting cells needs true widths
    return window


def _use_utf8() -> bool:
    """Make the C library measure and send UTF-8; False if the person's locale is another one."""
    if locale.nl_langinfo(locale.CODESET).upper() == "UTF-8":
        return True
    if locale.setlocale(locale.LC_CTYPE) not in {"C", "POSIX"}:
        return False
    for name in _UTF8_LOCALES:
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, name)
            return True
    return False


def _show_cursor(visibility: int) -> None:
    with contextlib.suppress(curses.error):  # not every terminal can hide it
        curses.curs_set(visibility)


def _is_ascii(spans: Line) -> bool:
    return all(span.text.isascii() for span in spans)
