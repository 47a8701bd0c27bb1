"""Draws pages of short texts, each in a slot of its own, for a judge at the other end of the pty.

    python -m tests.term.slot_program PAGES    a JSON file: pages of rows of texts, all safe already

Any key goes on to the next page. It must never look at the texts, and fails with a traceback.
"""

import json
import os
import select
import sys
from pathlib import Path

from term.curses_console import CursesConsole
from term.picture import Line, Picture, Span, Style
from term.safe import Safe
from term.width import columns

SLOT_COLUMNS = 20
SLOTS = 10
ROWS = 48
SIZE = (ROWS + 2, SLOT_COLUMNS * SLOTS + 2)


def row_of(texts: list[str]) -> Line:
    """Each text at the beginning of its slot, a bar of ours at the end of the row."""
    spans: list[Span] = []
    for text in texts:
        gap = SLOT_COLUMNS - columns(Safe(text))
        spans += (Span(Safe(text)), Span(Safe(" " * gap), Style.BOLD))
    return (*spans, Span(Safe("|"), Style.BOLD))


def main(path: str) -> None:
    """Draw them all."""
    pages = json.loads(Path(path).read_text(encoding="utf-8"))
    with CursesConsole(os.environ, "never") as console:
        for number, page in enumerate(pages):
            marker = (Span(Safe(f"page {number} is drawn")),)
            console.draw(Picture((*map(row_of, page), marker), SIZE[1], None))
            while not console.read():
                select.select([console.fileno()], [], [])
    print("ended well")


if __name__ == "__main__":
    main(sys.argv[1])
