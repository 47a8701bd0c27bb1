"""Times, ages, sizes and counts in words for people: one way to say each, on every screen.

Times are the server's, shown in the person's own time zone, with the date when it is not today.
Must never read a clock: the moment is an argument. Never fails: a time that no calendar holds is
shown as `?`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from term.safe import Safe

STAMP_COLUMNS: Final = 16
"""The widest that `Times.stamp` gives."""

_SECOND_MS: Final = 1_000
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Times:
    """Moments in words. `zone` None is the zone of this machine, with its summer time."""

    zone: tzinfo | None

    def clock(self, at_ms: int) -> Safe:
        """`14:32:07`."""
        moment = self._moment(at_ms)
        return Safe(moment.strftime("%H:%M:%S") if moment else "?")

    def stamp(self, at_ms: int, now_ms: int) -> Safe:
        """`14:32:07` today, `02-28 17:55:02` this year, `2025-02-28 17:55` before."""
        moment = self._moment(at_ms)
        now = self._moment(now_ms)
        if moment is None or now is None:
            return Safe("?")
        if moment.date() == now.date():
            return Safe(moment.strftime("%H:%M:%S"))
        if moment.year == now.year:
            return Safe(moment.strftime("%m-%d %H:%M:%S"))
        return Safe(f"{moment.year:04}-{moment:%m-%d %H:%M}")

    def full(self, at_ms: int) -> Safe:
        """`2026-03-01 14:28:30`, for the one message that is read."""
        moment = self._moment(at_ms)
        return Safe(f"{moment.year:04}-{moment:%m-%d %H:%M:%S}" if moment else "?")

    def minute_of_day(self, at_ms: int) -> int | None:
        """0 for midnight to 1439; None for a time that no calendar holds."""
        moment = self._moment(at_ms)
        return moment.hour * 60 + moment.minute if moment else None

    def _moment(self, at_ms: int) -> datetime | None:
        try:
            return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(self.zone)
        except (OverflowError, OSError, ValueError):
            return None  # a peer may send any u64


def ago(at_ms: int, now_ms: int) -> Safe:
    """How long ago: `now`, `44s ago`, `5m ago`, `2h ago`, `4d 02h ago`, `30d ago`."""
    seconds = max(0, now_ms - at_ms) // _SECOND_MS
    if seconds < 5:
        return Safe("now")
    return Safe(f"{duration(seconds * _SECOND_MS)} ago")


def was_ago(at_ms: int, now_ms: int) -> Safe:
    """The same of something that is over: `just now` instead of `now`."""
    words = ago(at_ms, now_ms)
    return Safe("just now") if words == "now" else words


def duration(length_ms: int) -> Safe:
    """A length of time in its one or two largest units."""
    seconds = max(0, length_ms) // _SECOND_MS
    if seconds < _MINUTE_S:
        return Safe(f"{seconds}s")
    if seconds < _HOUR_S:
        return Safe(f"{seconds // _MINUTE_S}m")
    if seconds < _DAY_S:
        return Safe(f"{seconds // _HOUR_S}h")
    days, rest = divmod(seconds, _DAY_S)
    return Safe(f"{days}d {rest // _HOUR_S:02}h" if days < 10 else f"{days}d")


def after(start_ms: int, end_ms: int) -> Safe:
    """How long something took: `at once`, or `after 5m`."""
    took_ms = end_ms - start_ms
    return Safe("at once") if took_ms < 2 * _SECOND_MS else Safe(f"after {duration(took_ms)}")


def plural(count: int, one: str, many: str | None = None) -> Safe:
    """`1 message`, `3 messages`; the words must be our own."""
    return Safe(f"{count:,} {one if count == 1 else many or one + 's'}")


def size(length_bytes: int) -> Safe:
    """`311`, `12.4K`: the length of a text in four or five columns."""
    if length_bytes < 10_000:
        return Safe(str(length_bytes))
    return Safe(f"{length_bytes / 1_024:.1f}K")


def join_names(names: tuple[str, ...], names_max: int = 4) -> str:
    """`bob`, `bob and carol`, `bob, carol and 7 others`: not yet safe, names are foreign."""
    if len(names) <= 1:
        return names[0] if names else "nobody"
    if len(names) > names_max:
        shown = ", ".join(names[: names_max - 1])
        return f"{shown} and {len(names) - names_max + 1:,} others"
    return f"{', '.join(names[:-1])} and {names[-1]}"
