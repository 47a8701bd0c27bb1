"""A small program with a screen, for tests that sit at its terminal.

    python -m tests.term.console_program keys COLOR    shows the keys that it gets
    python -m tests.term.console_program headless COLOR    the same, with its own word of advice
    python -m tests.term.console_program text          shows every character, page by page

Keys: `q` ends it, `x` makes it fail, C-z suspends it, C-l redraws, `b` rings. It must never wait by
the clock for anything but a lone Esc. It fails like any program: with a traceback.
"""

import os
import select
import signal
import sys
import time

from term.console import ConsoleClosed, ConsoleUnsuitable
from term.curses_console import ColorChoice, CursesConsole
from term.decoder import KeyDecoder
from term.keys import KeyEvent
from term.picture import Line, Picture, Span, Style, body_rows, compose, line
from term.safe import Safe, safe_line, safe_text
from term.width import columns

LINE_COLUMNS = 60
MARK_COLUMN = 70
PAGE_ROWS = 40


def text_pages() -> list[list[str]]:
    """Every look that a character can have, as pages of rows of about LINE_COLUMNS columns."""
    looks = dict.fromkeys(safe_line(chr(code)) for code in range(0x110000))
    rows: list[str] = [""]
    for look in looks:
        if columns(Safe(rows[-1] + look)) > LINE_COLUMNS:
            rows.append("")
        rows[-1] += look if columns(look) else f"a{look}"
    shown = [safe_line(row) for row in rows]
    return [list(shown[start : start + PAGE_ROWS]) for start in range(0, len(shown), PAGE_ROWS)]


def marked_row(row: Safe) -> Line:
    """A row of foreign text, and a mark of ours far to its right."""
    gap = Safe(" " * (MARK_COLUMN - columns(row)))
    return (Span(row), Span(gap), Span(Safe("|"), Style.BOLD))


def show_text(console: CursesConsole) -> None:
    """Draw all pages; any key goes on."""
    for number, page in enumerate(text_pages()):
        rows = tuple(marked_row(Safe(row)) for row in page)
        last = line(Safe(f"page {number} is drawn"))
        console.draw(Picture((*rows, last), console.size()[1], None))
        while not console.read():
            select.select([console.fileno()], [], [])


def key_screen(console: CursesConsole, keys: list[KeyEvent]) -> Picture:
    """The last keys, one in a row, and hostile text beside."""
    size = console.size()
    hostile = safe_text("\x1b[2J\x1b]0;owned\x07 \u202e日本 e\u0301").lines[0]
    rows = [line(hostile), line(Safe("green"), style=Style.GREEN | Style.BOLD)]
    rows += [line(safe_line(ascii(key))) for key in keys[-(body_rows(size) - 2) :]]
    return compose(
        size,
        line(Safe("title")),
        rows,
        message=line(safe_line(f"{len(keys)} keys, window {size[0]} {size[1]}")),
        status=line(Safe("status")),
        keys=line(Safe("k" * size[1])),
        cursor=(1, 3) if keys else None,
    )


def show_keys(console: CursesConsole) -> None:
    """Show keys until `q`."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
    decoder = KeyDecoder()
    keys: list[KeyEvent] = []
    while "q" not in keys:
        console.draw(key_screen(console, keys))
        now_ms = time.monotonic_ns() // 1_000_000
        deadline_ms = decoder.deadline_ms
        wait = None if deadline_ms is None else max(0, deadline_ms - now_ms) / 1000
        ready, _, _ = select.select([console.fileno(), reader], [], [], wait)
        now_ms = time.monotonic_ns() // 1_000_000
        if reader in ready:
            os.read(reader, 100)
            console.resized()
        data = console.read()
        for key in decoder.feed(data, now_ms) if data else decoder.timeout(now_ms):
            keys.append(key)
            if key == "x":
                raise RuntimeError("asked to fail")
            if key == "C-z":
                console.suspend()
            elif key == "C-l":
                console.redraw()
            elif key == "b":
                console.bell()


def main(what: str, color: ColorChoice) -> None:
    """Run one of the two shows."""
    try:
        instead = "--headless" if what == "headless" else "--plain"
        with CursesConsole(os.environ, color, instead=instead) as console:
            show_text(console) if what == "text" else show_keys(console)
    except ConsoleUnsuitable as reason:
        print("unsuitable:", reason)
        return
    except ConsoleClosed:
        return
    console.close()  # once more: nothing may happen
    print("ended well")


if __name__ == "__main__":
    choices: dict[str, ColorChoice] = {"auto": "auto", "always": "always", "never": "never"}
    main(sys.argv[1], choices[sys.argv[2]])
