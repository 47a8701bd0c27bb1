"""The page of one user as a picture: who it is, and what waits for it. Never what was written.

Must never draw what is not safe. Fails never: of a user who is gone it says so.
"""

from typing import Final

from msgd.panel.layout import ago, bar, clipped, title
from msgd.panel.values import Presence, QueueRow, UserDetails
from msgd.panel.view import PRESENCE_WORDS, View
from msgd.panel.words import age_text, bytes_text, count_text, date_time_text
from term.picture import (
    Line,
    Picture,
    Span,
    Style,
    body_rows,
    compose,
    fit,
    line,
    rule,
)
from term.safe import Safe, safe_line
from term.width import pad, pad_left

DETAIL_ROWS: Final = 7  # above the messages
SENDER_COLUMNS: Final = 16
WIDE_COLUMNS_MIN: Final = 100
"""From here on there is room for the ids of messages."""


def queue_rows(size: tuple[int, int]) -> int:
    """How many messages the page shows in a window of (rows, columns)."""
    return max(1, body_rows(size) - DETAIL_ROWS)


def draw_user(size: tuple[int, int], view: View) -> Picture:
    """All about one user, and its queue in short."""
    columns, user = size[1], view.scene.user
    if user is None:
        body = [line(Safe("  Nothing is known about this user (any more)."))]
        status, position = Safe(" [user]"), Safe("[0 of 0]")
    else:
        shown = user.messages[: queue_rows(size)]
        body = [*_details(user, view, columns), *(_message(each, view, columns) for each in shown)]
        status, position = Safe(f" [user {user.row.name}]"), Safe("[0 of 0]")
        if shown:
            position = Safe(f"[{user.first + 1}-{user.first + len(shown)} of {user.read}]")
    return compose(
        size,
        title(view, columns),
        body,
        message=view.message,
        status=bar(view, status, position, columns),
        keys=view.keys,
    )


def state_words(user: UserDetails, wall_ms: int) -> str:
    """Whether the user is there, since when, from where."""
    row = user.row
    if row.since_ms is not None:
        words = f"{PRESENCE_WORDS[row.presence][2:]} since {date_time_text(row.since_ms)}"
        words += f" from {row.peer}" if row.peer else ""
    elif row.last_seen_ms is None:
        words = "off, never seen"
    else:
        words = f"off, last seen {date_time_text(row.last_seen_ms)} ({ago(row, wall_ms)})"
    if row.presence is Presence.SILENT:
        return f"silent: {words}"
    return f"being deleted: {words}" if row.presence is Presence.DELETING else words


def waiting_words(user: UserDetails, wall_ms: int) -> str:
    """How much waits, and since when."""
    row = user.row
    words = f"{row.waiting} messages, {bytes_text(row.waiting_bytes)}"
    if row.oldest_ms is not None:
        words += f", oldest {age_text(wall_ms - row.oldest_ms)}"
    return f"{words}; {user.unconfirmed} handed out, {user.outcomes} outcomes"


def sender_words(user: UserDetails) -> str:
    """Who wrote most of it."""
    words = ", ".join(f"{each.name} {each.count}" for each in user.senders) or "-"
    if user.damaged:
        return f"{words} (the queue is damaged: see ERROR in the log)"
    if user.reading:
        return f"{words} (reading)"
    return f"{words} (the oldest {user.read})" if user.read < user.row.waiting else words


def _details(user: UserDetails, view: View, columns: int) -> list[Line]:
    wall_ms = view.scene.wall_ms
    head = f"  RECEIVED                OLD {pad(Safe('FROM'), SENDER_COLUMNS)}  BYTES   TO"
    if columns >= WIDE_COLUMNS_MIN:
        head += "  ID"
    return [
        line(Span(Safe(f" {user.row.name}"), Style.BOLD)),
        _pair("State", state_words(user, wall_ms)),
        _pair("Account", f"since {date_time_text(user.created_at_ms)}"),
        _pair("Waiting", waiting_words(user, wall_ms)),
        _pair("From", sender_words(user)),
        rule(columns),
        fit((Span(Safe(head), Style.UNDERLINE),), columns, Style.UNDERLINE),
    ]


def _pair(name: str, text: str) -> Line:
    return line(Span(Safe(f" {name:<8}"), Style.BOLD), safe_line(text))


def _message(row: QueueRow, view: View, columns: int) -> Line:
    old = pad_left(age_text(view.scene.wall_ms - row.received_at_ms), 6)
    audience = "all" if row.audience == 0 else count_text(row.audience)
    text = f"  {date_time_text(row.received_at_ms)} {old} {clipped(row.sender, SENDER_COLUMNS)}"
    text += f" {pad_left(bytes_text(row.body_bytes), 6)} {pad_left(Safe(audience), 4)}"
    if columns >= WIDE_COLUMNS_MIN:
        text += f"  {safe_line(row.message_id)}"
    return line(Safe(text))
