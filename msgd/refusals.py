"""Why connections are refused, what they are told, and how the log tells it without being flooded.

Must never write more than two events a second for one reason, however many are refused.
Fails never.
"""

from enum import Enum, unique
from typing import Final

PAUSE_MS: Final = 1_000


@unique
class Refusal(Enum):
    """Why a connection is refused, in the words of the log."""

    BANNED = "banned"
    PENALTY = "its source is being punished"
    MEMORY = "no memory for more"
    SOURCE = "too many of its source"
    EARLY_DROP = "too many that have not logged in"
    TOO_MANY = "too many connections"
    HANDSHAKE = "no handshake"


WORDS: Final = {
    Refusal.MEMORY: "this server has no memory for more connections; try again later",
    Refusal.SOURCE: "this server has enough connections of your network; close one of them first",
    Refusal.EARLY_DROP: "too many connections are about to log in; try again in a moment",
}
"""What the peer is told. Who is not in it is closed without a word, or told by the loop."""


class RefusalNotes:
    """The first refusal in a quiet second is told at once, those that follow are counted."""

    __slots__ = ("_counts", "_quiet_from_ms", "_totals")

    def __init__(self, totals: dict[Refusal, int]) -> None:
        """`totals` counts all of them, for whoever watches."""
        self._totals = totals
        self._counts: dict[Refusal, tuple[int, str]] = {}
        self._quiet_from_ms: dict[Refusal, int] = {}

    def add(self, refusal: Refusal, peer: str, now_ms: int) -> str | None:
        """One was refused; gives what to write now."""
        self._totals[refusal] = self._totals.get(refusal, 0) + 1
        if now_ms < self._quiet_from_ms.get(refusal, now_ms):
            count, _ = self._counts.get(refusal, (0, ""))
            self._counts[refusal] = count + 1, peer
            return None
        self._quiet_from_ms[refusal] = now_ms + PAUSE_MS
        return f"connection from {peer}: {refusal.value}"

    def take(self) -> list[str]:
        """What was counted since the last call: once a second."""
        counts, self._counts = self._counts, {}
        return [
            f"{count} more connections, the last from {peer}: {refusal.value}"
            for refusal, (count, peer) in counts.items()
        ]
