"""Where things stand: a message of one's own, its copy at one recipient, the link to the server.

Must never hold more than names and their numbers. Fails never.
"""

from enum import Enum, IntEnum, unique


@unique
class SendState(IntEnum):
    """Where a message of one's own stands. Numbers are on the disk."""

    UNSENT = 1
    """Kept here; the server has not answered yet. It goes, or goes again, by itself."""
    PENDING = 2
    """Accepted: it is on the server's disk, in the queues of its recipients."""
    FAILED = 3
    """Refused, or given up for the reason in `code` and `text`. It does not go by itself."""


@unique
class FateState(IntEnum):
    """What became of a message at one recipient. Numbers are on the disk."""

    WAITING = 1
    DELIVERED = 2
    RECIPIENT_DELETED = 3
    UNKNOWN = 4
    """The sender's account was deleted before the answer came, so none will come."""
    RECALLED = 5
    """Taken back before any client of this recipient had it."""
    HANDED_OUT = 6
    """It was to be taken back, and a client has it or may have it: an answer is still to come."""


@unique
class LinkState(Enum):
    """Where the link to the server stands."""

    OFFLINE = "offline"
    """No connection; there will be one by itself, at `Link.retry_at_ms`."""
    CONNECTING = "connecting"
    GREETING = "greeting"
    READY = "ready"
    """Greeted, and not logging in: for making accounts only."""
    LOGGING_IN = "logging in"
    ONLINE = "online"
    LEAVING = "leaving"
    STOPPED = "stopped"
    """No connection, and none by itself: `log_in` starts again."""
