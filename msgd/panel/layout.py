"""The screens of the panel as pictures: users, log, help; `layout_user` has the page of one user.

    title      msgd, address, how long up, process         date and time
    meters     Users, Queues, Store; and what needs a human
    table      every user name ever used; what fits
    log        the latest events
    message    what just happened, a question, or what is being typed
    status, keys

Every state has a word; what needs a human begins with `!`. Colour only decorates.
Must never draw what is not safe, nor build more than is seen. Fails never.
"""

from typing import Final

from msgd.panel.meters import METER_ROWS, alarm_lines, alarm_rows, meter_lines
from msgd.panel.values import LogLine, LogPart, Presence, Sort, UserRow
from msgd.panel.view import KIND_STYLES, PRESENCE_STYLES, PRESENCE_WORDS, SORT_WORDS, View
from msgd.panel.words import (
    age_text,
    bytes_text,
    count_text,
    date_time_text,
    time_text,
    up_text,
)
from store.settings import Admission
from term.picture import (
    EMPTY,
    Line,
    Picture,
    Span,
    Style,
    body_rows,
    compose,
    fit,
    line,
    restyle,
    rule,
    spread,
)
from term.safe import Safe, safe_line
from term.width import pad, pad_left

FIXED_ROWS: Final = METER_ROWS + 3  # a rule, the table's head, the rule above the log
EVENT_COLUMNS: Final = 21  # time and kind, left of an event's text
NAME_COLUMNS_MIN: Final = 15
NAME_COLUMNS_MAX: Final = 32
PEER_COLUMNS_MIN: Final = 15
PEER_COLUMNS_MAX: Final = 25
WIDE_COLUMNS_MIN: Final = 76
"""Below it the table goes without addresses and bytes."""

_DASH: Final = Safe("-")


def table_rows(size: tuple[int, int], alarms: int) -> int:
    """How many users a window of (rows, columns) shows, while so many things need a human."""
    room = body_rows(size) - FIXED_ROWS - alarm_rows(size[0], alarms)
    return max(1, room - log_rows(size))


def log_rows(size: tuple[int, int]) -> int:
    """How many events the main screen shows."""
    return max(2, (body_rows(size) - FIXED_ROWS) // 3)


def draw_main(size: tuple[int, int], view: View) -> Picture:
    """The main screen."""
    columns, scene = size[1], view.scene
    users = scene.users
    above = meter_lines(scene, columns, ascii_only=view.ascii_only)
    above += [*alarm_lines(scene, size), rule(columns), _head(columns)]
    room = table_rows(size, len(scene.alarms))
    table = [
        _user(row, columns, scene.wall_ms, selected=index == users.selected)
        for index, row in enumerate(users.rows[:room])
    ]
    if not table:
        table = [line(Safe(f"  {_nobody(view)}"))]
    table += [EMPTY] * (room - len(table))
    events = [_event(event, size[1]) for event in scene.log.lines[-log_rows(size) :]]
    cursor = None
    if view.prompt_cursor is not None:
        cursor = (body_rows(size), view.prompt_cursor)
    elif users.selected is not None and users.rows:
        # Parked on the selected row: screen readers and magnifiers follow the cursor.
        cursor = (len(above) + users.selected, 0)
    return compose(
        size,
        title(view, columns),
        [*above, *table, _log_rule(view, columns), *events],
        message=view.message,
        status=_status(view, columns),
        keys=view.keys,
        cursor=cursor,
    )


def draw_log(size: tuple[int, int], view: View) -> Picture:
    """The log on the whole screen."""
    log = view.scene.log
    below = log.count - log.first - len(log.lines)
    position = Safe(f"-- more {below} --" if below > 0 else "[end]")
    return compose(
        size,
        title(view, size[1]),
        [_event(event, size[1]) for event in log.lines],
        message=view.message,
        status=bar(view, Safe(f" [log {_log_state(log)}]"), position, size[1]),
        keys=view.keys,
    )


def draw_help(
    size: tuple[int, int], view: View, lines: tuple[Safe, ...], position: Safe
) -> Picture:
    """The keys of the screen underneath."""
    return compose(
        size,
        title(view, size[1]),
        [line(text) for text in lines],
        message=view.message if not view.is_live else EMPTY,
        status=bar(view, Safe(" [keys]"), position, size[1]),
        keys=view.keys,
    )


# ----- what all screens have ----------------------------------------------------------------------


def title(view: View, columns: int) -> Line:
    """The line at the top: whose panel this is, and when."""
    scene = view.scene
    server = scene.server
    address = safe_line(server.address)
    left = f" msgd {safe_line(server.version)}  {address}  up {up_text(scene.up_ms)}"
    if columns >= WIDE_COLUMNS_MIN:
        left += f"  pid {server.process_id}"
    right = f" {date_time_text(scene.wall_ms)} "
    if not view.is_live:
        right = f" not connected, as of {time_text(scene.wall_ms)}Z "
    elif len(left) + len(right) > columns:
        right = f" {time_text(scene.wall_ms)}Z "
    return spread(line(Safe(left)), line(Safe(right)), columns)


def bar(view: View, left: Safe, right: Safe, columns: int) -> Line:
    """The status line."""
    if not view.is_live:
        left = Safe(" [NOT CONNECTED]" + left)
    return spread(line(left), line(Safe(" "), right, Safe(" ")), columns)


def ago(row: UserRow, wall_ms: int) -> Safe:
    """When the user was seen last, in words of nine columns at most."""
    if row.presence is Presence.ON:
        return Safe("now")
    if row.presence is Presence.SILENT:
        return Safe("silent")
    if row.presence is Presence.DELETING:
        return Safe("deleting")
    if row.last_seen_ms is None:
        return Safe("never")
    return Safe(f"{age_text(wall_ms - row.last_seen_ms)} ago")


def clipped(text: Safe, columns: int) -> Safe:
    """Exactly so many columns; what is cut off ends in `~`."""
    return pad(safe_line(text, columns), columns)


# ----- table --------------------------------------------------------------------------------------


def _name_columns(columns: int) -> int:
    spare = columns - 80 if columns >= WIDE_COLUMNS_MIN else columns - 58
    return min(NAME_COLUMNS_MAX, NAME_COLUMNS_MIN + max(0, spare))


def _peer_columns(columns: int) -> int:
    spare = columns - 80 - (NAME_COLUMNS_MAX - NAME_COLUMNS_MIN)
    return min(PEER_COLUMNS_MAX, PEER_COLUMNS_MIN + max(0, spare))


def _head(columns: int) -> Line:
    name = pad(Safe("NAME"), _name_columns(columns))
    if columns < WIDE_COLUMNS_MIN:
        text = f"  STATE {name}  SINCE WAITING OLDEST LAST SEEN"
    else:
        peer = pad(Safe("FROM"), _peer_columns(columns))
        text = f"  STATE {name} {peer}  SINCE WAITING  BYTES OLDEST LAST SEEN"
    return fit((Span(Safe(text), Style.UNDERLINE),), columns, Style.UNDERLINE)


def _user(row: UserRow, columns: int, wall_ms: int, *, selected: bool) -> Line:
    marker = Safe("> " if selected else "  ")
    name = clipped(row.name, _name_columns(columns))
    since = _DASH if row.since_ms is None else age_text(wall_ms - row.since_ms)
    oldest = _DASH if row.oldest_ms is None else age_text(wall_ms - row.oldest_ms)
    waiting = pad_left(count_text(row.waiting), 7)
    text = f" {name} "
    if columns >= WIDE_COLUMNS_MIN:
        text += clipped(row.peer or _DASH, _peer_columns(columns)) + " "
    text += f"{pad_left(since, 6)} {waiting} "
    if columns >= WIDE_COLUMNS_MIN:
        text += f"{pad_left(bytes_text(row.waiting_bytes), 6)} "
    text += f"{pad_left(oldest, 6)} {pad(ago(row, wall_ms), 9)}"
    spans: Line = (
        Span(marker),
        Span(pad(Safe(PRESENCE_WORDS[row.presence]), 5), PRESENCE_STYLES[row.presence]),
        Span(Safe(text)),
    )
    return restyle(fit(spans, columns), Style.REVERSE) if selected else spans


def _nobody(view: View) -> str:
    """What stands where no user does."""
    users = view.scene.users
    if not users.ready:
        return "Looking for them."
    if users.filter:
        return "No name contains this text; Esc takes the filter back."
    if users.sort is Sort.STUCK:
        return "Nobody has mail waiting; Esc shows everybody."
    return f"No user yet: run msgc on this machine, it connects to {view.scene.server.address}."


# ----- log, status --------------------------------------------------------------------------------


def _log_state(log: LogPart) -> str:
    if log.paused:
        return f"paused, {log.missed} newer"
    return "following" if log.following else "scrolled"


def _log_rule(view: View, columns: int) -> Line:
    users = view.scene.users
    order = SORT_WORDS[users.sort] + (", inverted" if users.inverted else "")
    left = f"-- log {_log_state(view.scene.log)} "
    right = f" sorted by {order} --"
    dashes = "-" * max(0, columns - len(left) - len(right))
    return line(Safe(left + dashes + right))


def _event(event: LogLine, columns: int) -> Line:
    style = KIND_STYLES.get(event.kind, Style.NORMAL)
    return (
        Span(Safe(f" {time_text(event.at_ms)} ")),
        Span(Safe(f"{safe_line(event.kind):<10} "), style),
        Span(safe_line(event.text, columns - EVENT_COLUMNS)),
    )


def _status(view: View, columns: int) -> Line:
    meters, users = view.scene.meters, view.scene.users
    left = f" [{meters.connected} connected] [{count_text(meters.totals.waiting)} waiting]"
    if meters.store.admission is not Admission.OPEN:
        left += f" [store {meters.store.admission.value}]"
    if users.sort is Sort.STUCK:
        left += " [only with mail]"
    if users.filter:
        # No user name is longer: what is, matches nobody, and must not push the rest away.
        left += f' [only names with "{safe_line(users.filter, NAME_COLUMNS_MAX)}"]'
    position = "[0 of 0]"
    if users.rows:
        position = f"[{users.first + 1}-{users.first + len(users.rows)} of {users.count}]"
    return bar(view, Safe(left), Safe(position), columns)
