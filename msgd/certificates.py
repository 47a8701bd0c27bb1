"""The certificate as the operator sees it: which one is shown, a new one on SIGHUP, and its end.

Must never stop the server: what runs goes on with the certificate that it has.
Fails never; what is wrong with a new certificate is an event.
"""

from datetime import UTC, datetime
from typing import Final

from msgd.events import EventKind, EventLog
from msgd.net import Ready, Security, SecurityError, Wish
from msgd.values import Now
from term.safe import safe_log

DAY_MS: Final = 86_400_000
SOON_DAYS: Final = 14


class Certificates:
    """A `msgd.reactor.Face` that shows nothing and hears one wish."""

    def __init__(self, *, security: Security, events: EventLog) -> None:
        self._security = security
        self._events = events
        self._warned_ms = 0  # by the wall clock

    def serve(self, ready: Ready, now: Now) -> bool:
        """On SIGHUP, take the files again."""
        if Wish.REOPEN in ready.wishes:
            self._renew(now)
        return False

    def work(self, now: Now) -> bool:
        """Once a day, say that the end is near."""
        left_ms = self._security.end_ms - now.wall_ms
        if left_ms > SOON_DAYS * DAY_MS or abs(now.wall_ms - self._warned_ms) < DAY_MS:
            return False
        self._warned_ms = now.wall_ms
        day = day_of(self._security.end_ms)
        words = f"ends on {day}" if left_ms >= 0 else f"ended on {day}: clients may refuse it"
        text = f"the certificate {words}; put a new one in its place and send SIGHUP"
        self._events.add(EventKind.WARN, text, now.wall_ms)
        return False

    def deadline_ms(self) -> int | None:
        """The loop turns often enough for a day."""
        return None

    def end(self, now: Now) -> None:
        """There is nothing to end."""

    def _renew(self, now: Now) -> None:
        try:
            is_new = self._security.renew()
        except SecurityError as error:
            text = f"the old certificate stays: {safe_log(str(error))}"
            self._events.add(EventKind.WARN, text, now.wall_ms)
            return
        if is_new:
            self._warned_ms = 0
            text = f"new connections get a new certificate: {described(self._security)}"
            self._events.add(EventKind.NOTICE, text, now.wall_ms)


def described(security: Security) -> str:
    """The pin and the end, for people."""
    return f"{security.pin}, good until {day_of(security.end_ms)}"


def day_of(ms: int) -> str:
    """The day of a moment, in UTC."""
    return datetime.fromtimestamp(ms // 1_000, UTC).date().isoformat()
