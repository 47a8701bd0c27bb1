"""The main screen of the panel, the log and the help, as pictures.

    title      msgd, address, how long up, process         date and time
    meters     Users, Queues, Store
    table      every user name ever used; what fits
    log        the latest events
    message    what just happened, a question, or what is being typed
    status, keys

Every state has a word; a meter that needs a human begins with `!`. Colour only decorates.
Must never draw what is not safe, nor build more than is seen. Fails never.
"""

from typing import Final

from msgd.panel.values import Identity, LogLine, Meters, Presence, UserRow, View
from msgd.panel.words import (
    age_text,
    bytes_text,
    count_text,
    date_time_text,
    rate_text,
    spark_text,
    sync_text,
    time_text,
    up_text,
)
from store.settings import Admission, StoreStatus
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
from term.width import columns as columns_of
from term.width import pad, pad_left

METER_ROWS: Final = 3
FIXED_ROWS: Final = METER_ROWS + 3  # a rule, the table's head, the rule above the log
NAME_COLUMNS_MIN: Final = 15
NAME_COLUMNS_MAX: Final = 32
PEER_COLUMNS_MIN: Final = 15
PEER_COLUMNS_MAX: Final = 25
WIDE_COLUMNS_MIN: Final = 76
"""Below it the table goes without addresses and bytes."""

_DASH: Final = Safe("-")
_KIND_STYLES: Final = {
    "REJECT": Style.YELLOW,
    "REFUSE": Style.YELLOW,
    "WARN": Style.YELLOW | Style.BOLD,
    "ERROR": Style.RED | Style.BOLD,
}
_PRESENCE_STYLES: Final = {
    Presence.ON: Style.GREEN | Style.BOLD,
    Presence.SILENT: Style.YELLOW | Style.BOLD,
    Presence.OFF: Style.NORMAL,
    Presence.DELETING: Style.DIM,
}


def table_rows(size: tuple[int, int]) -> int:
    """How many users a window of (rows, columns) shows."""
    room = body_rows(size) - FIXED_ROWS
    return max(1, room - log_rows(size))


def log_rows(size: tuple[int, int]) -> int:
    """How many events the main screen shows."""
    return max(2, (body_rows(size) - FIXED_ROWS) // 3)


def draw_main(size: tuple[int, int], view: View) -> Picture:
    """The main screen."""
    columns = size[1]
    body = [*_meters(view, columns), rule(columns), _head(columns)]
    for index, row in enumerate(view.rows):
        drawn = _user(row, columns, view, selected=index == view.selected)
        body.append(drawn)
    body += [EMPTY] * (table_rows(size) - len(view.rows))
    body.append(_log_rule(view, columns))
    room = log_rows(size)
    details = [line(Safe(f" {text}")) for text in view.details[:room]]
    latest = view.log[max(0, len(view.log) - room + len(details)) :]
    body += [_event(event) for event in latest] + details
    cursor = None
    if view.prompt_cursor is not None:
        cursor = (body_rows(size), view.prompt_cursor)
    elif view.selected is not None:
        # Parked on the selected row: screen readers and magnifiers follow the cursor.
        cursor = (METER_ROWS + 2 + view.selected, 0)
    return compose(
        size,
        _title(view.identity, view, columns),
        body,
        message=view.message,
        status=_status(view, columns),
        keys=view.keys,
        cursor=cursor,
    )


def draw_log(
    size: tuple[int, int], view: View, events: tuple[LogLine, ...], position: Safe
) -> Picture:
    """The log on the whole screen."""
    status = spread(line(Safe(f" [log {view.log_state}]")), line(position, Safe(" ")), size[1])
    return compose(
        size,
        _title(view.identity, view, size[1]),
        [_event(event) for event in events],
        message=view.message,
        status=status,
        keys=view.keys,
    )


def draw_help(
    size: tuple[int, int], view: View, lines: tuple[Safe, ...], position: Safe
) -> Picture:
    """The keys of the screen underneath."""
    return compose(
        size,
        _title(view.identity, view, size[1]),
        [line(text) for text in lines],
        message=EMPTY,
        status=spread(line(Safe(" [keys]")), line(position, Safe(" ")), size[1]),
        keys=view.keys,
    )


def _title(identity: Identity, view: View, columns: int) -> Line:
    address = safe_line(identity.address)
    left = f" msgd {identity.version}  {address}  up {up_text(view.up_ms)}"
    if columns >= WIDE_COLUMNS_MIN:
        left += f"  pid {identity.process_id}"
    right = f" {date_time_text(view.wall_ms)} "
    if len(left) + len(right) > columns:
        right = f" {time_text(view.wall_ms)}Z "
    return spread(line(Safe(left)), line(Safe(right)), columns)


# ----- meters -----------------------------------------------------------------------------------


def _meters(view: View, columns: int) -> list[Line]:
    meters = view.meters
    totals = meters.totals
    users = (
        f"{count_text(meters.known):>6} known  {meters.connected:>5} connected"
        f"  {meters.silent:>4} silent"
    )
    sessions = f"Sessions {meters.sessions}/{meters.sessions_max}  Logins {meters.logins} "
    queues = f"{count_text(totals.waiting):>6} waiting  {bytes_text(totals.waiting_bytes):>6}"
    if totals.most_waiting:
        queues += f"  most {count_text(totals.most_waiting)} ({totals.most_waiting_name})"
    return [
        _meter("Users", users, sessions, columns, alarm=meters.sessions >= meters.sessions_max),
        _meter("Queues", queues, _flow(view, columns), columns, alarm=False),
        _store(meters.store, meters, columns),
    ]


def _flow(view: View, columns: int) -> str:
    meters = view.meters
    words = f"In {rate_text(meters.in_per_second)}  Out {rate_text(meters.out_per_second)} "
    # What is left of the row after the words of the queue is for the bars.
    bars = min(len(meters.in_by_second), max(0, columns - 72))
    if bars:
        spark = spark_text(meters.in_by_second[-bars:], ascii_only=view.ascii_only)
        words = f"{spark} {words}"
    return words


def _store(status: StoreStatus, meters: Meters, columns: int) -> Line:
    waiting = count_text(meters.totals.waiting)
    if status.admission is Admission.FULL:
        words = f"  FULL  the disk is full: refusing new messages, {waiting} waiting are safe"
    elif status.admission is Admission.BUSY:
        words = f"  BUSY  catching up: new messages are put off, {waiting} waiting are safe"
    else:
        words = f"    OK  sync {sync_text(status.last_sync_us)} p99 {sync_text(status.p99_sync_us)}"
        words += f"  journal {bytes_text(status.journal_bytes):>6}"
        words += " *" if status.checkpoint_running else "  "
    reserve = "reserve kept" if status.reserve_intact else "RESERVE USED"
    right = f"free {bytes_text(status.free_bytes)}  {reserve} "
    alarm = status.admission is not Admission.OPEN or not status.reserve_intact
    return _meter("Store", words, right, columns, alarm=alarm)


def _meter(name: str, left: str, right: str, columns: int, *, alarm: bool) -> Line:
    style = Style.BOLD if alarm else Style.NORMAL
    mark = "!" if alarm else " "
    spans = line(Span(Safe(f"{mark}{name:<6} "), Style.BOLD), Span(Safe(left), style))
    end: Line = (Span(Safe(right), style),)
    if columns_of(Safe(left)) + 9 + columns_of(Safe(right)) > columns:
        return fit(spans, columns)
    return spread(spans, end, columns)


# ----- table ------------------------------------------------------------------------------------


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


def _user(row: UserRow, columns: int, view: View, *, selected: bool) -> Line:
    marker = Safe("> " if selected else "  ")
    name = _clipped(row.name, _name_columns(columns))
    since = _DASH if row.since_ms is None else age_text(view.wall_ms - row.since_ms)
    oldest = _DASH if row.oldest_ms is None else age_text(view.wall_ms - row.oldest_ms)
    waiting = pad_left(count_text(row.waiting), 7)
    text = f" {name} "
    if columns >= WIDE_COLUMNS_MIN:
        text += _clipped(row.peer or _DASH, _peer_columns(columns)) + " "
    text += f"{pad_left(since, 6)} {waiting} "
    if columns >= WIDE_COLUMNS_MIN:
        text += f"{pad_left(bytes_text(row.waiting_bytes), 6)} "
    text += f"{pad_left(oldest, 6)} {pad(_last_seen(row, view.wall_ms), 9)}"
    spans: Line = (
        Span(marker),
        Span(pad(Safe(row.presence.value), 5), _PRESENCE_STYLES[row.presence]),
        Span(Safe(text)),
    )
    return restyle(fit(spans, columns), Style.REVERSE) if selected else spans


def _last_seen(row: UserRow, wall_ms: int) -> Safe:
    if row.presence is Presence.ON:
        return Safe("now")
    if row.presence is Presence.SILENT:
        return Safe("silent")
    if row.presence is Presence.DELETING:
        return Safe("deleting")
    if row.last_seen_ms is None:
        return Safe("never")
    return Safe(f"{age_text(wall_ms - row.last_seen_ms)} ago")


def _clipped(text: Safe, columns: int) -> Safe:
    """Exactly so many columns; what is cut off ends in `~`."""
    return pad(_shortened(text, columns), columns)


def _shortened(text: Safe, columns: int) -> Safe:
    """At most so many columns; what is cut off ends in `~`."""
    return text if columns_of(text) <= columns else Safe(pad(text, columns - 1) + "~")


# ----- log, status ------------------------------------------------------------------------------


def _log_rule(view: View, columns: int) -> Line:
    left = f"-- log {view.log_state} "
    right = f" sorted by {view.sort} --"
    dashes = "-" * max(0, columns - len(left) - len(right))
    return line(Safe(left + dashes + right))


def _event(event: LogLine) -> Line:
    style = _KIND_STYLES.get(event.kind, Style.NORMAL)
    return (
        Span(Safe(f" {time_text(event.at_ms)} ")),
        Span(Safe(f"{event.kind:<10} "), style),
        Span(event.text),
    )


def _status(view: View, columns: int) -> Line:
    meters = view.meters
    left = f" [{meters.connected} connected] [{count_text(meters.totals.waiting)} waiting]"
    if meters.store.admission is not Admission.OPEN:
        left += f" [store {meters.store.admission.value}]"
    if view.filter:
        # No user name is longer: what is, matches nobody, and must not push the rest away.
        left += f' [only names with "{_shortened(view.filter, NAME_COLUMNS_MAX)}"]'
    return spread(line(Safe(left)), line(Safe(" "), view.position, Safe(" ")), columns)
