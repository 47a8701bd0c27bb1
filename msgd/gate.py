"""Who may connect: what is counted for each source, and what is refused before a byte is read.

In this order: bans; memory; penalties; the counts of one source; and, when many connections have
not logged in, chance (OpenSSH's MaxStartups): the more there are, the likelier a newcomer is
refused, so whoever floods the server mostly refuses itself, and an honest client gets in after a
few tries. Peers of this machine are counted only if that is asked for: behind a tunnel or a proxy
all users come from 127.0.0.1.

Must never look at what a peer says, or keep anything of sources that have neither a connection nor
a penalty.
Fails never; a refusal is a value.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from msgd.bans import Bans
from msgd.penalties import Fault, Penalties, PenaltyLimits
from msgd.refusals import Refusal
from msgd.sources import Address, Source, source_of
from msgd.values import Now

PER_CENT: Final = 100
_CHANCE_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What the gate goes by. A limit of 0 is none, where nothing else is said."""

    early_drop_begin: int = 10
    """With so many connections that have not logged in, a newcomer is refused by chance."""
    early_drop_percent: int = 30
    """How likely that is then; it grows evenly to certainty at `early_drop_full`."""
    early_drop_full: int = 100
    """0: nobody is refused for it."""
    source_new_max: int = 8
    """Connections of one source that have not logged in."""
    source_connections_max: int = 64
    """Connections of one source."""
    memory_bytes_max: int = 256 << 20
    """Resident memory with which no connection is taken."""
    memory_bytes_per_account: int = 1_024
    """Comes on top of it: the server holds a record of each account in memory."""
    counts_this_machine: bool = False
    """Whether peers of this machine are counted and punished like others."""
    penalties: PenaltyLimits = field(default_factory=PenaltyLimits)

    def __post_init__(self) -> None:
        if self.early_drop_full and self.early_drop_begin >= self.early_drop_full:
            raise ValueError("early_drop: chance must begin before certainty (BEGIN:PERCENT:FULL)")
        if not 0 <= self.early_drop_percent <= PER_CENT:
            raise ValueError("early_drop: PERCENT is from 0 to 100")


@dataclass(slots=True)
class _Count:
    """The connections of one source."""

    new: int = 0
    logged_in: int = 0


class Gate:
    """See the module's text."""

    def __init__(
        self,
        limits: GateLimits,
        *,
        bans: Bans,
        entropy: Callable[[int], bytes],
        resident_bytes: Callable[[], int],
    ) -> None:
        self._limits = limits
        self._bans = bans
        self._entropy = entropy
        self._resident_bytes = resident_bytes
        self._counts: dict[Source, _Count] = {}
        self._penalties = Penalties(limits.penalties)
        self._new = 0
        self.is_out_of_memory = False

    @property
    def new(self) -> int:
        """Counted connections that have not logged in."""
        return self._new

    @property
    def sources(self) -> int:
        """Sources of which there are connections, or penalties."""
        return len(self._counts) + len(self._penalties)

    def enter(self, address: Address | None, now: Now) -> Refusal | None:
        """A connection has come: why it is refused. None: it is counted, and `leave` must follow.

        An address of None is a local socket's.
        """
        if address is not None and self._bans.of_address(address, now.wall_ms) is not None:
            return Refusal.BANNED
        if self.is_out_of_memory:
            return Refusal.MEMORY
        source = self._source(address)
        if source is None:
            return None
        if self._penalties.holds(source, now.monotonic_ms):
            return Refusal.PENALTY
        limits = self._limits
        count = self._counts.get(source)
        if count is not None:
            if 0 < limits.source_new_max <= count.new:
                return Refusal.SOURCE
            if 0 < limits.source_connections_max <= count.new + count.logged_in:
                return Refusal.SOURCE
        if self._is_dropped():
            return Refusal.EARLY_DROP
        if count is None:
            count = self._counts[source] = _Count()
        count.new += 1
        self._new += 1
        return None

    def log_in(self, address: Address | None) -> None:
        """A counted connection has logged in."""
        source = self._source(address)
        if source is not None:
            count = self._counts[source]
            count.new -= 1
            count.logged_in += 1
            self._new -= 1

    def leave(
        self, address: Address | None, fault: Fault | None, now: Now, *, logged_in: bool
    ) -> None:
        """A counted connection has ended, perhaps badly."""
        source = self._source(address)
        if source is None:
            return
        count = self._counts[source]
        if logged_in:
            count.logged_in -= 1
        else:
            count.new -= 1
            self._new -= 1
        if not count.new and not count.logged_in:
            del self._counts[source]
        if fault is not None:
            self._penalties.add(source, fault, now.monotonic_ms)

    def look_at_memory(self, accounts: int) -> bool:
        """Measure; gives whether it has become too much, or has stopped to be."""
        limits = self._limits
        if not limits.memory_bytes_max:
            return False
        allowed = limits.memory_bytes_max + limits.memory_bytes_per_account * accounts
        before = self.is_out_of_memory
        self.is_out_of_memory = self._resident_bytes() > allowed
        return self.is_out_of_memory is not before

    def _source(self, address: Address | None) -> Source | None:
        """By what it is counted; None: not at all."""
        if address is None or (address.is_loopback and not self._limits.counts_this_machine):
            return None
        return source_of(address)

    def _is_dropped(self) -> bool:
        limits = self._limits
        if not limits.early_drop_full or self._new < limits.early_drop_begin:
            return False
        if self._new >= limits.early_drop_full:
            return True
        beyond = self._new - limits.early_drop_begin
        span = limits.early_drop_full - limits.early_drop_begin
        percent = limits.early_drop_percent
        percent += (PER_CENT - percent) * beyond // span
        return int.from_bytes(self._entropy(_CHANCE_BYTES), "big") % PER_CENT < percent
