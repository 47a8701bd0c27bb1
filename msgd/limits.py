"""How much is too much, by the rules. Each limit has its unit in its name.

The loop's own limits are in `msgd.reactor_limits`; these are the rules' and the events'.

Must never be read from a peer. What an operator may choose is in `ExchangeLimits`; the rest is
fixed here.
Fails at import, or when an `ExchangeLimits` is made, if two limits contradict each other.
"""

from dataclasses import dataclass
from typing import Final

from wire import limits as wire_limits
from wire.codes import Registration

# ----- events -----------------------------------------------------------------------------------

EVENTS_MAX: Final = 1_000
EVENT_CHARACTERS_MAX: Final = 256
EVENT_NAMES_MAX: Final = 8
"""Recipients that one event names; the others are counted."""

# ----- the rules --------------------------------------------------------------------------------

CHALLENGE_WAITERS_MAX: Final = 16
"""Newcomers that may wait for one silent holder of a name; more are refused at once."""

RECALLS_MAX: Final = 8
"""RECALL_MESSAGEs of one session that are not answered; more get BUSY."""

RECALL_STEPS_PER_SLICE_MAX: Final = 8
"""Slices of files that one slice of a recall reads."""

RECALL_NAMES_PER_SLICE_MAX: Final = 64
"""Queues that one slice of a recall is done with."""

FAULTY_RECIPIENTS_BYTES_MAX: Final = 64 * 1024
"""Of names at fault that a MESSAGE_FAILURE repeats: enough for all names that could be valid."""


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """What the rules go by. Times in milliseconds, sizes in bytes."""

    login_timeout_ms: int = 10_000
    ping_idle_ms: int = 30_000
    silent_after_ms: int = 2_000
    """A ping unanswered for so long shows the user as silent."""
    dead_after_ms: int = 45_000
    challenge_ms: int = 2_000
    stall_ms: int = 2_000
    """A longer pause between two ticks is the server's own: nobody else is blamed for it."""
    window_messages_max: int = wire_limits.WINDOW_MESSAGES_MAX
    window_bytes_max: int = wire_limits.WINDOW_BYTES_MAX
    checks_max: int = 8
    """CHECK_MESSAGES of one session that are not complete, the one at work included."""
    body_bytes_max: int = wire_limits.BODY_BYTES_MAX
    recipients_max: int = wire_limits.RECIPIENTS_MAX
    mailbox_messages_max: int = 10_000
    """Messages that wait in one user's own queue; what was sent to everyone is not in it."""
    mailbox_bytes_max: int = 64 << 20
    """Of the bodies of these messages."""
    password_needed: bool = False
    """Whether a name is not enough to log in."""
    logins_failed_max: int = 3
    """Wrong proofs on one connection."""
    registration: int = Registration.OPEN
    name_reserved_ms: int = 0
    """How long nobody takes the name of a deleted account."""
    accounts_max: int = 1_000_000
    accounts_per_page_max: int = wire_limits.ACCOUNTS_PER_PAGE_MAX
    names_scanned_max: int = 4_096
    """Names looked at for one page of a list, whether they match or not."""
    discarded_per_slice_max: int = 512
    """Entries that one slice of a forced deletion takes out of a queue."""

    def __post_init__(self) -> None:
        if self.window_bytes_max < self.body_bytes_max:
            raise ValueError(
                "window_bytes_max must be at least body_bytes_max, the longest message"
            )
        if self.ping_idle_ms + self.silent_after_ms > self.dead_after_ms:
            raise ValueError(
                f"dead_after_ms must be at least ping_idle_ms and {self.silent_after_ms} more, or "
                "nobody could answer the ping"
            )
        if self.mailbox_bytes_max < self.body_bytes_max:
            raise ValueError(
                "mailbox_bytes_max must be at least body_bytes_max, the longest message"
            )
        if self.body_bytes_max > wire_limits.BODY_BYTES_MAX:
            raise ValueError("the wire carries no larger message")
        if self.accounts_per_page_max > wire_limits.ACCOUNTS_PER_PAGE_MAX:
            raise ValueError("the wire carries no larger page")
