"""What sources have coming to them for how their connections ended, and for how long.

The numbers and the way to count are OpenSSH's (sshd_config(5), PerSourcePenalties): each bad end
adds to what is left of the earlier ones; nothing happens until the sum passes a threshold, and from
then on the source is refused until all of it has run out.

Must never refuse whom it does not know: when the table is full, the oldest row is forgotten.
Fails never.
"""

from dataclasses import dataclass
from enum import Enum, unique

from msgd.sources import Source


@unique
class Fault(Enum):
    """How a connection ended badly."""

    NO_LOGIN = "never logged in"
    WRONG_LOGIN = "failed to log in"
    TOO_SLOW = "was too slow"
    PROTOCOL = "broke the protocol"


@dataclass(frozen=True, slots=True)
class PenaltyLimits:
    """Milliseconds each; `sources_max` for each version of the protocol."""

    no_login_ms: int = 1_000
    wrong_login_ms: int = 5_000
    too_slow_ms: int = 10_000
    protocol_ms: int = 90_000
    enforced_from_ms: int = 15_000
    penalty_ms_max: int = 600_000
    """0: no penalties."""
    sources_max: int = 65_536

    def of(self, fault: Fault) -> int:
        """What this fault costs."""
        return {
            Fault.NO_LOGIN: self.no_login_ms,
            Fault.WRONG_LOGIN: self.wrong_login_ms,
            Fault.TOO_SLOW: self.too_slow_ms,
            Fault.PROTOCOL: self.protocol_ms,
        }[fault]


@dataclass(slots=True)
class _Row:
    until_ms: int
    is_enforced: bool = False


class Penalties:
    """All of them, by source."""

    __slots__ = ("_limits", "_tables")

    def __init__(self, limits: PenaltyLimits) -> None:
        self._limits = limits
        self._tables: dict[int, dict[int, _Row]] = {4: {}, 6: {}}

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))

    def add(self, source: Source, fault: Fault, now_ms: int) -> None:
        """A connection of this source ended so."""
        limits = self._limits
        if not limits.penalty_ms_max:
            return
        version, number = source
        table = self._tables[version]
        # Taken out and put in again: so the first of the table is the one least lately at fault.
        row = table.pop(number, None)
        if row is None or row.until_ms <= now_ms:
            row = _Row(now_ms)
        row.until_ms = min(row.until_ms + limits.of(fault), now_ms + limits.penalty_ms_max)
        if row.until_ms - now_ms >= limits.enforced_from_ms:
            row.is_enforced = True
        if len(table) >= limits.sources_max:
            del table[next(iter(table))]
        table[number] = row

    def holds(self, source: Source, now_ms: int) -> bool:
        """Whether this source is to be refused."""
        version, number = source
        table = self._tables[version]
        row = table.get(number)
        if row is None:
            return False
        if row.until_ms <= now_ms:
            del table[number]
            return False
        return row.is_enforced
