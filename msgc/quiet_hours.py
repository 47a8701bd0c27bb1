"""The hours of a day in which nothing rings: `22:00-07:00`, over midnight or not.

Must never read a clock: the minute of the day is an argument. Fails with QuietHoursError, a
sentence that shows the right form.
"""

import re
from dataclasses import dataclass
from typing import Final

DAY_MINUTES: Final = 24 * 60
_FORM: Final = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?", re.ASCII)


class QuietHoursError(ValueError):
    """That is no span of a day."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From this minute of the day, up to but not including that one."""

    start_minute: int
    end_minute: int

    def holds(self, minute: int) -> bool:
        """Whether this minute of the day (0 to 1439) is within."""
        if self.start_minute < self.end_minute:
            return self.start_minute <= minute < self.end_minute
        return minute >= self.start_minute or minute < self.end_minute

    def __str__(self) -> str:
        return f"{_clock(self.start_minute)}-{_clock(self.end_minute)}"


def parse_quiet_hours(words: str) -> QuietHours | None:
    """What a person wrote; None for nothing and for `none`. Raises QuietHoursError."""
    folded = words.strip().lower()
    if folded in {"", "none", "off", "no"}:
        return None
    match = _FORM.fullmatch(folded)
    if match is None:
        raise QuietHoursError("Write quiet hours as 22:00-07:00, or none.")
    start, end = (_minute(match[1], match[2]), _minute(match[3], match[4]))
    if start is None or end is None:
        raise QuietHoursError("A day goes from 00:00 to 23:59. Write quiet hours as 22:00-07:00.")
    if start == end:
        raise QuietHoursError("Quiet hours must begin and end at different times.")
    return QuietHours(start, end)


def _minute(hours: str, minutes: str | None) -> int | None:
    minute = int(hours) * 60 + int(minutes or "0")
    return minute if minute < DAY_MINUTES and int(minutes or "0") < 60 else None


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
