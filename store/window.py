"""Which messages of which installation were accepted: the window that makes a retry harmless.

Per installation the highest counter accepted and one bit for each of the 1,024 below it, as the
anti-replay window of RFC 4303, section 3.4.3. A message id is 8 bytes of installation and 8 of
counter, big-endian.

Must never answer NEW for a counter that was accepted, whatever the order of retries.
"""

from enum import Enum

from store.limits import INSTALLATION_KEEP_MS, INSTALLATIONS_MAX, WINDOW_BITS

MASK = (1 << WINDOW_BITS) - 1


class WindowVerdict(Enum):
    """What the window says of a counter."""

    NEW = "new"
    DUPLICATE = "duplicate"  # it was accepted: answer as then, queue nothing
    TOO_OLD = "too old"  # so far below the highest that nobody can say
    TOO_MANY_INSTALLATIONS = "too many installations"


class Window:
    """What was accepted from one installation."""

    __slots__ = ("bitmap", "highest", "last_used_ms")

    def __init__(self, highest: int, bitmap: int, last_used_ms: int) -> None:
        self.highest = highest
        self.bitmap = bitmap  # bit i: the counter highest - 1 - i was accepted
        self.last_used_ms = last_used_ms

    def verdict(self, counter: int) -> WindowVerdict:
        """Whether this counter was seen."""
        below = self.highest - counter
        if below < 0:
            return WindowVerdict.NEW
        if below == 0:
            return WindowVerdict.DUPLICATE
        if below > WINDOW_BITS:
            return WindowVerdict.TOO_OLD
        return WindowVerdict.DUPLICATE if self.bitmap >> (below - 1) & 1 else WindowVerdict.NEW

    def take(self, counter: int, at_ms: int) -> None:
        """Remember that this counter was accepted. Its verdict was NEW."""
        above = counter - self.highest
        if above == 1:
            self.bitmap = (self.bitmap << 1 | 1) & MASK
            self.highest = counter
        elif above > 1:
            below = (self.bitmap << above | 1 << (above - 1)) & MASK if above <= WINDOW_BITS else 0
            self.bitmap = below
            self.highest = counter
        else:
            assert 0 < -above <= WINDOW_BITS, above
            self.bitmap |= 1 << (-above - 1)
        self.last_used_ms = at_ms

    def advance(self, count: int, at_ms: int) -> None:
        """`take` for so many counters in a row above the highest."""
        self.bitmap = (self.bitmap << count | (1 << count) - 1) & MASK
        self.highest += count
        self.last_used_ms = at_ms


def check(
    windows: dict[bytes, Window], installation: bytes, counter: int, now_ms: int
) -> WindowVerdict:
    """What to do with a message of this id; reads only."""
    window = windows.get(installation)
    if window is not None:
        return window.verdict(counter)
    if len(windows) < INSTALLATIONS_MAX:
        return WindowVerdict.NEW
    oldest_ms = windows[least_recent(windows)].last_used_ms
    if now_ms - oldest_ms < INSTALLATION_KEEP_MS:
        return WindowVerdict.TOO_MANY_INSTALLATIONS
    return WindowVerdict.NEW


def take(windows: dict[bytes, Window], message_id: bytes, at_ms: int) -> None:
    """Remember an accepted message, in place of the least recently used installation if need be."""
    installation = message_id[:8]
    counter = int.from_bytes(message_id[8:], "big")
    window = windows.get(installation)
    if window is not None:
        window.take(counter, at_ms)
        return
    if len(windows) >= INSTALLATIONS_MAX:
        del windows[least_recent(windows)]
    windows[installation] = Window(counter, 0, at_ms)


def least_recent(windows: dict[bytes, Window]) -> bytes:
    """The installation that was silent longest; the same one on every run."""
    return min(windows, key=lambda installation: (windows[installation].last_used_ms, installation))
