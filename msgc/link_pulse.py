"""When to try again, and whether the other end is still there: the two clocks of the link.

`Backoff` is exponential with jitter, so that a thousand clients do not come back in one instant.
`Pause` is the same for a server that is there, and cannot do something for now. `Pulse` pings a
silent line and finds a dead one, at once after the machine slept.

Must never look at a clock: times come in as arguments, in milliseconds that go on during sleep.
Fails never.
"""

from collections.abc import Callable

from msgc import limits


class Backoff:
    """How long to wait before the next attempt."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.attempts = 0

    def reset(self) -> None:
        """The server is well: the next wait is a short one."""
        self.attempts = 0

    def next_ms(self, *, soon: bool = False) -> int:
        """The wait before the next attempt: half of the step at least, all of it at most.

        `soon`: hardly any, for it is not the server's fault, and nobody else waits for the same.
        """
        if soon:
            return int(self._random() * limits.RETRY_SOON_MS)
        step_ms = min(limits.RETRY_MAX_MS, limits.RETRY_FIRST_MS << min(self.attempts, 16))
        self.attempts += 1
        return step_ms // 2 + int(self._random() * (step_ms // 2))


class Pause:
    """How long to leave a server alone that could not do something just now.

    `begin` says how long; from the next `holds` on it is counted. All that is refused before that
    shares one pause.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._backoff = Backoff(random)
        self._length_ms: int | None = None
        self.until_ms: int | None = None
        """When it is over; None when there is none."""

    def begin(self) -> int:
        """Pause; gives for how long."""
        if self._length_ms is None:
            self._length_ms = self._backoff.next_ms()
        return self._length_ms

    def reset(self) -> None:
        """It can: the next pause is a short one."""
        self._backoff.reset()

    def end(self) -> None:
        """It is over, whatever was said: another server process may be there."""
        self._length_ms = self.until_ms = None

    def holds(self, now_ms: int) -> bool:
        """Whether it is not over yet."""
        if self._length_ms is not None:
            self.until_ms = now_ms + self._length_ms
            self._length_ms = None
        if self.until_ms is not None and now_ms >= self.until_ms:
            self.until_ms = None
        return self.until_ms is not None


class Pulse:
    """Whether the peer lives. `ping_due` and `dead` are asked at each tick."""

    def __init__(self, now_ms: int) -> None:
        self._heard_ms = now_ms
        self._ping: int | None = None
        self._ping_sent_ms = 0
        self._ping_deadline_ms = 0
        self._after_sleep = False
        self.lag_ms: int | None = None

    def hear(self, now_ms: int) -> None:
        """Bytes came. They answer an ordinary ping, not the one after a sleep.

        What lay in the buffers while the machine slept proves nothing.
        """
        self._heard_ms = now_ms
        if self._ping is not None and not self.is_strict:
            self._ping_deadline_ms = now_ms + limits.DEAD_MS

    def sent(self, request: int, now_ms: int, timeout_ms: int = limits.DEAD_MS) -> None:
        """A PING with this number is on its way."""
        self._ping = request
        self._ping_sent_ms = now_ms
        self._ping_deadline_ms = now_ms + timeout_ms
        self._after_sleep = timeout_ms == limits.AWAKE_TIMEOUT_MS

    def answered(self, request: int, now_ms: int) -> None:
        """A PONG came. One for an older ping is no news."""
        if request == self._ping:
            self._ping = None
            self.lag_ms = now_ms - self._ping_sent_ms

    def ping_due_ms(self, waiting: bool) -> int | None:
        """When to ping; None while a ping is out. `waiting`: a request is unanswered."""
        if self._ping is not None:
            return None
        return self._heard_ms + (limits.PING_WAITING_MS if waiting else limits.PING_IDLE_MS)

    def deadline_ms(self) -> int | None:
        """When the peer counts as dead; None while no ping is out."""
        return None if self._ping is None else self._ping_deadline_ms

    def next_ms(self, waiting: bool) -> int:
        """When either is: something is due at any time."""
        deadline_ms = self.deadline_ms()
        if deadline_ms is not None:
            return deadline_ms
        due_ms = self.ping_due_ms(waiting)
        assert due_ms is not None, "neither a ping is out nor one due"
        return due_ms

    @property
    def is_strict(self) -> bool:
        """Whether the ping of after a sleep is out."""
        return self._ping is not None and self._after_sleep
