"""What happened, for people: a ring of the latest events, and writers that get each one.

Must never hold the body of a message, nor a character that a terminal would obey: whoever adds an
event passes what came from the network through `term.safe.safe_log` first.
Fails never; a writer that fails fails the process, as it is our own.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from itertools import islice

from msgd.limits import EVENT_CHARACTERS_MAX


@unique
class EventKind(Enum):
    """What kind of thing happened: the first word of its line."""

    START = "START"
    CONNECT = "CONNECT"
    REJECT = "REJECT"
    DISCONNECT = "DISCONNECT"
    CREATE = "CREATE"
    DELETE = "DELETE"
    SEND = "SEND"
    REFUSE = "REFUSE"
    RECEIPT = "RECEIPT"
    RECALL = "RECALL"
    BLOCK = "BLOCK"
    NOTICE = "NOTICE"
    WARN = "WARN"
    ERROR = "ERROR"
    STOP = "STOP"


@dataclass(slots=True, init=False)
class Event:
    """One line of the log; never changed once made (not frozen, because each message makes one)."""

    at_ms: int
    """Wall clock."""
    kind: EventKind
    text: str

    def __init__(self, at_ms: int, kind: EventKind, text: str) -> None:
        self.at_ms = at_ms
        self.kind = kind
        self.text = text

    @property
    def line(self) -> str:
        """As the log shows it, without its time."""
        return f"{self.kind.value} {self.text}"


class EventLog:
    """The latest events, oldest first."""

    __slots__ = ("_ring", "_writers", "total")

    def __init__(self, events_max: int) -> None:
        self._ring: deque[Event] = deque(maxlen=events_max)
        self._writers: tuple[Callable[[Event], None], ...] = ()
        self.total = 0
        """Events ever added; grows by one with each, so it tells whether there is news."""

    def __len__(self) -> int:
        return len(self._ring)

    def add(self, kind: EventKind, text: str, at_ms: int) -> None:
        """Note an event and tell the writers. `text` is safe already; it is cut when too long."""
        if len(text) > EVENT_CHARACTERS_MAX:
            text = text[: EVENT_CHARACTERS_MAX - 1] + "…"
        event = Event(at_ms, kind, text)
        self._ring.append(event)
        self.total += 1
        for write in self._writers:
            write(event)

    def subscribe(self, write: Callable[[Event], None]) -> None:
        """Call `write` with each event from now on."""
        self._writers = (*self._writers, write)

    def latest(self, count_max: int) -> tuple[Event, ...]:
        """The latest events, at most `count_max`, oldest first."""
        start = max(0, len(self._ring) - count_max)
        return tuple(islice(self._ring, start, None))
