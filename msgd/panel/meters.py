"""The three lines at the top of the panel, and the lines below them that need a human.

    Users     5 known      3 connected     0 silent      Sessions 3/1024  Logins 5
    Queues    4 waiting    1.5K  oldest 4d02h (dave)   .:-=  In 0.4/s  Out 0.0/s
    Store       OK  sync 0.2ms p99 1.1ms .:.   journal  40.0K  free 1.0T

What there is no room for is left out, the least important first; what needs a human begins with
`!`. Must never draw what is not safe. Fails never.
"""

from typing import Final

from msgd.panel.values import Meters, Scene
from msgd.panel.words import (
    age_text,
    bytes_text,
    count_text,
    rate_text,
    spark_text,
    sync_text,
)
from store.settings import Admission
from term.picture import Line, Span, Style, fit, line, spread
from term.safe import Safe, safe_line
from term.width import columns as columns_of

METER_ROWS: Final = 3
LABEL_COLUMNS: Final = 8
BARS_MIN: Final = 6
BARS_MAX: Final = 30
OLDEST_NAME_COLUMNS_MAX: Final = 10
ALARMS_MAX: Final = 3


def meter_lines(scene: Scene, columns: int, *, ascii_only: bool) -> list[Line]:
    """The three meters."""
    meters = scene.meters
    return [
        _users(meters, scene.server.connections_max, columns),
        _queues(scene, columns, ascii_only=ascii_only),
        _store(meters, columns, ascii_only=ascii_only),
    ]


def alarm_rows(rows: int, alarms: int) -> int:
    """How many lines a window of so many rows gives to what needs a human."""
    return min(alarms, ALARMS_MAX, max(1, rows // 8))


def alarm_lines(scene: Scene, size: tuple[int, int]) -> list[Line]:
    """What needs a human, a line each; `!+2` where two more are not shown."""
    rows, columns = size
    shown = scene.alarms[: alarm_rows(rows, len(scene.alarms))]
    hidden = len(scene.alarms) - len(shown)
    lines: list[Line] = []
    for index, alarm in enumerate(shown, start=1):
        mark = f"!+{hidden} " if hidden and index == len(shown) else "! "
        text = safe_line(alarm, columns - len(mark))
        lines.append(line(Span(Safe(mark), Style.BOLD | Style.RED), Span(text, Style.BOLD)))
    return lines


def _users(meters: Meters, sessions_max: int, columns: int) -> Line:
    known, silent = count_text(meters.known), meters.silent
    wide = f"{known:>6} known  {meters.connected:>5} connected  {silent:>4} silent"
    narrow = f"{known:>6} known  {meters.connected} connected"
    sessions = f"Sessions {meters.sessions}/{sessions_max}"
    variants = (
        (wide, f"{sessions}  Logins {meters.logins} "),
        (wide, f"{sessions} "),
        (narrow, f"{sessions} "),
    )
    return _meter("Users", variants, columns, alarm=meters.sessions >= sessions_max)


def _queues(scene: Scene, columns: int, *, ascii_only: bool) -> Line:
    meters, totals = scene.meters, scene.meters.totals
    about = "" if scene.counted else "about "
    count = f"{about}{count_text(totals.waiting)}"
    left = f"{count:>6} waiting  {bytes_text(totals.waiting_bytes):>6}"
    oldest = ""
    if totals.oldest_ms is not None:
        name = safe_line(totals.oldest_name, OLDEST_NAME_COLUMNS_MAX)
        oldest = f"  oldest {age_text(scene.wall_ms - totals.oldest_ms)} ({name})"
    flow = meters.flow
    rates = f"In {rate_text(flow.in_per_second)}  Out {rate_text(flow.out_per_second)} "
    full = left + oldest
    bars = _bars(flow.in_by_second, len(full) + len(rates) + 2, columns, ascii_only=ascii_only)
    variants = ((full, f"{bars} {rates}"), (full, rates), (left, rates))
    return _meter("Queues", variants, columns, alarm=False)


def _store(meters: Meters, columns: int, *, ascii_only: bool) -> Line:
    status = meters.store
    waiting = count_text(meters.totals.waiting)
    reserve = "  reserve kept " if status.reserve_intact else "  RESERVE USED "
    right = f"  free {bytes_text(status.free_bytes)}"
    alarm = status.admission is not Admission.OPEN or not status.reserve_intact
    if status.admission is Admission.FULL:
        words = f"  FULL  refusing new messages, {waiting} waiting are safe"
        variants: tuple[tuple[str, str], ...] = ((words, right + reserve), (words, ""))
    elif status.admission is Admission.BUSY:
        words = f"  BUSY  new messages are put off, {waiting} waiting are safe"
        variants = ((words, right + reserve), (words, ""))
    else:
        last, p99 = sync_text(status.last_sync_us), sync_text(status.p99_sync_us)
        words = f"    OK  sync {last} p99 {p99}"
        journal = f"  journal {bytes_text(status.journal_bytes):>6}"
        journal += "*" if status.checkpoint_running else " "
        kept = (reserve, " ") if status.reserve_intact else (reserve,)
        seconds = meters.flow.sync_us_by_second
        variants = ()
        for end in kept:
            taken = len(words) + len(journal) + len(right) + len(end) + 1
            bars = _bars(seconds, taken, columns, ascii_only=ascii_only)
            if bars:
                variants += ((f"{words} {bars}", journal + right + end),)
        variants += ((words, journal + right + " "), (words, right + " "))
    return _meter("Store", variants, columns, alarm=alarm)


def _bars(counts: tuple[int, ...], taken: int, columns: int, *, ascii_only: bool) -> Safe:
    """As many of the latest seconds as there is room for; none, if these are too few."""
    room = min(BARS_MAX, len(counts), columns - LABEL_COLUMNS - taken)
    if room < BARS_MIN:
        return Safe("")
    return spark_text(counts[-room:], ascii_only=ascii_only)


def _meter(name: str, variants: tuple[tuple[str, str], ...], columns: int, *, alarm: bool) -> Line:
    """The first of the variants (left part, right part) that fits; if none does, the last, cut."""
    style = Style.BOLD if alarm else Style.NORMAL
    mark = "!" if alarm else " "
    label = Span(Safe(f"{mark}{name:<6} "), Style.BOLD)
    for left, right in variants:
        if LABEL_COLUMNS + columns_of(Safe(left)) + columns_of(Safe(right)) <= columns:
            spans = line(label, Span(Safe(left), style))
            return spread(spans, (Span(Safe(right), style),), columns)
    return fit(line(label, Span(Safe(variants[-1][0]), style)), columns)
