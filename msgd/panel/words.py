"""Numbers and times as the panel says them: short, of known width, in UTC.

Must never need more columns than its docstring says. Fails never: an odd clock gives odd words.
"""

from datetime import UTC, datetime

from term.safe import Safe

_BLOCKS = "▁▂▃▄▅▆▇█"
_SIGNS = ".:-=+*#@"
_UNITS = "KMGTP"


def age_text(age_ms: int) -> Safe:
    """How long ago, in at most six columns: `44s`, `12m`, `3h20m`, `4d02h`, `1234d`."""
    seconds = max(0, age_ms // 1_000)
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if seconds < 60:
        return Safe(f"{seconds}s")
    if minutes < 60:
        return Safe(f"{minutes}m")
    if hours < 24:
        return Safe(f"{hours}h{minutes % 60:02d}m")
    if days < 100:
        return Safe(f"{days}d{hours % 24:02d}h")
    return Safe(f"{days}d")


def up_text(up_ms: int) -> Safe:
    """How long the server is up: `00:04:12`, or `3d 04:12`."""
    seconds = max(0, up_ms // 1_000)
    days, rest = divmod(seconds, 86_400)
    if days:
        return Safe(f"{days}d {rest // 3_600:02d}:{rest % 3_600 // 60:02d}")
    return Safe(f"{rest // 3_600:02d}:{rest % 3_600 // 60:02d}:{rest % 60:02d}")


def bytes_text(count: int) -> Safe:
    """A size in at most six columns: `310`, `30.1K`, `74.1G`."""
    if count < 1_000:
        return Safe(str(count))
    size = float(count)
    for unit in _UNITS:
        size /= 1_024
        if size < 999.95:
            return Safe(f"{size:.1f}{unit}")
    return Safe(f"{size:.0f}{_UNITS[-1]}")


def count_text(count: int) -> Safe:
    """A count in at most six columns: `999999`, `1.0M`."""
    if count < 1_000_000:
        return Safe(str(count))
    return Safe(f"{count / 1_000_000:.1f}M")


def rate_text(per_second: float) -> Safe:
    """A rate: `0.4/s`, `312/s`."""
    return Safe(f"{per_second:.1f}/s" if per_second < 100 else f"{per_second:.0f}/s")


def sync_text(microseconds: int) -> Safe:
    """How long a sync took: `0.2ms`, `31ms`."""
    ms = microseconds / 1_000
    return Safe(f"{ms:.1f}ms" if ms < 10 else f"{ms:.0f}ms")


def date_time_text(wall_ms: int) -> Safe:
    """`2026-03-01 14:32:07Z`."""
    return Safe(_at(wall_ms).strftime("%Y-%m-%d %H:%M:%SZ"))


def time_text(wall_ms: int) -> Safe:
    """`14:32:07`, in UTC."""
    return Safe(_at(wall_ms).strftime("%H:%M:%S"))


def spark_text(counts: tuple[int, ...], *, ascii_only: bool) -> Safe:
    """A line of bars, one column for each count; the highest count is the highest bar."""
    signs = _SIGNS if ascii_only else _BLOCKS
    top = max(counts, default=0)
    if top == 0:
        return Safe(" " * len(counts))
    return Safe("".join(_bar(signs, count, top) for count in counts))


def _bar(signs: str, count: int, top: int) -> str:
    return signs[(count * len(signs) - 1) // top] if count else " "


def _at(wall_ms: int) -> datetime:
    # Beyond the year 9999 there is no text; a clock that says so is wrong anyway.
    return datetime.fromtimestamp(min(max(wall_ms, 0) // 1_000, 253_402_300_799), UTC)
