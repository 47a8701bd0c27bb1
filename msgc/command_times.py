"""Points in time as people write them: `2026-01-31`, `2026-01-31T14:30`, `3d` (ago).

A date or time without a zone is in the person's own, as the machine knows it.

Must never ask what time it is: that is handed in. Fails with UsageError.
"""

import re
from datetime import datetime
from typing import Final

from msgc.command_options import UsageError

_AGO: Final = re.compile(r"([0-9]{1,6})(s|m|h|d|w)")
_UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_YEAR_MIN: Final = 1970
_YEAR_MAX: Final = 9998
"""So that no zone can push it out of what a calendar holds."""


def point_ms(option: str, text: str, now_ms: int) -> int:
    """Milliseconds since 1970 UTC. `option` is named when the text is not understood."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now_ms - int(ago[1]) * _UNITS_MS[ago[2]]
    try:
        point = datetime.fromisoformat(text)
    except ValueError:
        point = None
    if point is None or not _YEAR_MIN <= point.year <= _YEAR_MAX:
        raise UsageError(
            f'{option}: "{text}" is no time; write 2026-01-31, 2026-01-31T14:30, '
            "or 3d for 3 days ago"
        )
    return int(point.timestamp()) * 1_000
