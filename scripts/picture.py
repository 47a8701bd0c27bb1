"""Draw docs/picture.svg from the real screens: the server's panel and three clients in tmux.

    python scripts/picture.py SESSION [--socket NAME]

SESSION is a tmux session that scripts/start_all.sh has made (`scripts/picture.sh` does both). Each
pane is read with its colours and drawn as text, so the picture can be searched and stays small.

Must never change what is on the screens. Fails with exit 1 when tmux knows no such session.
"""

import argparse
import html
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyte

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "picture.svg"
CELL_WIDTH, CELL_HEIGHT, MARGIN = 7.2, 15, 10
PAPER, INK, FRAME = "#10151c", "#c9d1d9", "#30363d"
COLOURS = {
    "black": "#484f58",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#f0f6fc",
}


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane: where it stands in the window, in cells, and what it shows."""

    left: int
    top: int
    columns: int
    rows: int
    screen: pyte.Screen


def tmux(socket: str | None, *words: str) -> str:
    """What a tmux command prints."""
    command = ["tmux", *(("-L", socket) if socket else ()), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def read_panes(socket: str | None, session: str) -> list[Pane]:
    """All panes of the session's first window."""
    form = "#{pane_id} #{pane_left} #{pane_top} #{pane_width} #{pane_height}"
    panes = []
    for line in tmux(socket, "list-panes", "-t", session, "-F", form).splitlines():
        name, *numbers = line.split()
        left, top, columns, rows = map(int, numbers)
        screen = pyte.Screen(columns, rows)
        text = tmux(socket, "capture-pane", "-e", "-p", "-N", "-t", name)
        pyte.Stream(screen).feed(text.rstrip("\n").replace("\n", "\r\n"))
        panes.append(Pane(left, top, columns, rows, screen))
    return panes


def draw(panes: list[Pane]) -> str:
    """The whole picture."""
    columns = max(pane.left + pane.columns for pane in panes)
    rows = max(pane.top + pane.rows for pane in panes)
    width, height = columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
            ' font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="12">'
        ),
        f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>',
    ]
    for pane in panes:
        parts += draw_pane(pane)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def draw_pane(pane: Pane) -> list[str]:
    """One pane: its frame, then a run of equal cells at a time."""
    left, top = MARGIN + pane.left * CELL_WIDTH, MARGIN + pane.top * CELL_HEIGHT
    width, height = pane.columns * CELL_WIDTH, pane.rows * CELL_HEIGHT
    parts = [
        (
            f'<rect x="{left - 3:.1f}" y="{top - 3}" width="{width + 3:.1f}" height="{height + 3}"'
            f' fill="none" stroke="{FRAME}"/>'
        )
    ]
    for row in range(pane.rows):
        for column, text, cell in runs(pane.screen, row, pane.columns):
            x, y = left + column * CELL_WIDTH, top + row * CELL_HEIGHT
            parts += draw_run(x, y, text, cell)
    return parts


def runs(screen: pyte.Screen, row: int, columns: int) -> list[tuple[int, str, "pyte.screens.Char"]]:
    """The row in runs of the same look: (column, text, a cell of it); blank ones left out."""
    found: list[tuple[int, str, pyte.screens.Char]] = []
    start, text, look = 0, "", None
    for column in range(columns + 1):
        cell = screen.buffer[row][column] if column < columns else None
        same = cell is not None and look is not None and cell._replace(data="") == look
        if not same:
            if look is not None and (text.strip() or look.reverse):
                found.append((start, text, look))
            start, text = column, ""
            look = None if cell is None else cell._replace(data="")
        if cell is not None:
            text += cell.data
    return found


def draw_run(x: float, y: float, text: str, cell: "pyte.screens.Char") -> list[str]:
    """One run of cells."""
    ink = COLOURS.get(cell.fg, INK)
    parts = []
    if cell.reverse:
        width = len(text) * CELL_WIDTH
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
            f' height="{CELL_HEIGHT}" fill="{ink}"/>'
        )
        ink = PAPER
    if text.strip():
        weight = ' font-weight="bold"' if cell.bold else ""
        length = f' textLength="{len(text) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
        parts.append(
            f'<text x="{x:.1f}" y="{y + 11.5:.1f}" fill="{ink}"{weight}{length}'
            f' xml:space="preserve">{html.escape(text)}</text>'
        )
    return parts


def main() -> int:
    """Read the panes, write the picture."""
    parser = argparse.ArgumentParser(description="draw docs/picture.svg from a tmux session")
    parser.add_argument("session")
    parser.add_argument("--socket", help="the tmux server's socket name")
    parser.add_argument("--to", type=Path, default=PICTURE, help="where to write it")
    options = parser.parse_args()
    try:
        panes = read_panes(options.socket, options.session)
    except subprocess.CalledProcessError as error:
        print(f"picture.py: tmux says: {error.stderr.strip()}", file=sys.stderr)
        return 1
    options.to.write_text(draw(panes), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
