"""What was said in the message line, kept so that nothing is missed by looking away.

Must never hold more than NOTICES_MAX of them. Fails never.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from term.safe import Safe

NOTICES_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them: when it was said (milliseconds since 1970), and its place among all."""

    number: int
    at_ms: int
    words: Safe


class NoticeLog:
    """The last of them, numbered from 1."""

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=NOTICES_MAX)
        self._total = 0

    @property
    def total(self) -> int:
        """How many there ever were: the number of the last one."""
        return self._total

    def add(self, at_ms: int, words: Safe) -> None:
        """This was said."""
        if words:
            self._total += 1
            self._notices.append(Notice(self._total, at_ms, words))

    def all(self) -> tuple[Notice, ...]:
        """Those that are kept, the oldest first."""
        return tuple(self._notices)

    def after(self, number: int) -> tuple[Notice, ...]:
        """Those after this one."""
        if number >= self._total:
            return ()
        return tuple(notice for notice in self._notices if notice.number > number)
