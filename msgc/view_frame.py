"""The frame that all screens of msgc share: title, message line, status line, key line.

Must never say anything that only one screen knows. Fails never.
"""

from collections.abc import Sequence
from typing import Final

from msgc.screens.desk import Desk
from msgc.screens.screen import Size
from msgc.view_text import plural
from msgc.view_values import Overview
from term.keys import Binding, KeyTable
from term.list_view import ListView
from term.picture import Line, Picture, Span, Style, body_rows, columns_of, compose, spread
from term.safe import Safe, safe_line
from term.width import wrap

STATUS_NAME_COLUMNS_MAX: Final = 34
STATUS_LINK_COLUMNS_MAX: Final = 40
_MESSAGE_ROWS_MAX: Final = 4
_ALWAYS_SHOWN: Final = frozenset(("help", "leave", "quit", "other"))


def text(words: str, style: Style = Style.NORMAL) -> Line:
    """A line of our own words."""
    return (Span(Safe(words), style),) if words else ()


def position(view: ListView, *, more: bool) -> Line:
    """`[1-8 of 12]`; with `more` to be read when the end is reached, `[1-8 of 500+]`."""
    words = view.position_text()
    return text(f" {words[:-1]}+] " if more else f" {words} ")


def frame(
    desk: Desk,
    size: Size,
    title: str,
    body: Sequence[Line],
    keys: KeyTable,
    *,
    right: str = "",
    message: Sequence[Line] | None = None,
    cursor: tuple[int, int] | None = None,
) -> Picture:
    """A whole screen. `title` and `right` may be foreign.

    `message` takes the place of what was said: its last row is the message line, rows before it
    cover the end of the body.
    """
    columns = size[1]
    overview = desk.overview()
    if message is None:
        said = desk.message()
        message = [text(f" {row}") for row in wrap(said, columns - 2)] if said else []
    message = message[:_MESSAGE_ROWS_MAX] or ((),)
    if len(message) > 1:
        room = body_rows(size) - len(message) + 1
        body = [*body[:room], *(() for _ in range(room - len(body))), *message[:-1]]
    return compose(
        size,
        spread(text(f" {safe_line(title)}"), text(f"{safe_line(right)} "), columns),
        body,
        message=message[-1],
        status=_status(desk, overview, columns),
        keys=_key_line(keys, columns),
        cursor=cursor,
    )


def _key_line(keys: KeyTable, columns: int) -> Line:
    """The screen's own keys at the left, as many as fit; the way out and the help at the right."""
    tail: list[Binding] = []
    rest: list[Binding] = []
    for binding in keys.bindings():
        if binding.footer is not None and binding.command in _ALWAYS_SHOWN:
            if all(binding.command != shown.command for shown in tail):
                tail.append(binding)
        else:
            rest.append(binding)
    right = (*KeyTable(tail).footer(columns), Span(Safe(" ")))
    left = KeyTable(rest).footer(columns - columns_of(right) - 1)
    return spread(left, right, columns)


def _status(desk: Desk, overview: Overview, columns: int) -> Line:
    now_ms = desk.now_ms()
    link = safe_line(overview.standing.words(now_ms), STATUS_LINK_COLUMNS_MAX)
    parts = [f"[{safe_line(overview.name, STATUS_NAME_COLUMNS_MAX)}]"] if overview.name else []
    parts.append(f"[{link}]")
    if overview.waiting:
        parts.append(f"[{plural(overview.waiting, 'message')} waiting]")
    if overview.unsent:
        parts.append(f"[{overview.unsent:,} unsent]")
    clock = desk.times.clock(now_ms)[:5]
    return spread(text(" " + " ".join(parts)), text(f"{clock} "), columns)
