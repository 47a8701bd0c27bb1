"""How long who gave a wrong password must wait before the next try.

Counted for each pair of account and source: so nobody can lock an owner out of an account from
elsewhere, and trying many accounts is what `msgd.penalties` is for. The wait begins with a second
and doubles; it is forgotten some time after it has run out, or at a login that succeeds.

Must never refuse for ever, and never tell whether there is such an account: names count as they are
given. When the table is full, the oldest row is forgotten.
Fails never.
"""

from dataclasses import dataclass

from msgd.sources import Source


@dataclass(frozen=True, slots=True)
class BackoffLimits:
    """Milliseconds."""

    first_ms: int = 1_000
    wait_ms_max: int = 300_000
    """Also how long after the end of a wait it is remembered, for the next to be longer."""
    rows_max: int = 65_536


class Backoff:
    """All waits. `failed` begins or doubles one, `wait_ms` asks, `succeeded` forgets."""

    __slots__ = ("_limits", "_rows")

    def __init__(self, limits: BackoffLimits) -> None:
        self._limits = limits
        self._rows: dict[tuple[str, Source | None], tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def wait_ms(self, name: str, source: Source | None, now_ms: int) -> int:
        """How long this source must wait before it may try this name; 0: it may."""
        row = self._rows.get((name, source))
        return 0 if row is None else max(0, row[0] - now_ms)

    def failed(self, name: str, source: Source | None, now_ms: int) -> int:
        """A try failed; gives how long to wait before the next."""
        limits = self._limits
        key = (name, source)
        until_ms, wait_ms = self._rows.pop(key, (0, 0))
        if not wait_ms or now_ms >= until_ms + limits.wait_ms_max:
            wait_ms = limits.first_ms
        else:
            wait_ms = min(wait_ms * 2, limits.wait_ms_max)
        if len(self._rows) >= limits.rows_max:
            del self._rows[next(iter(self._rows))]
        self._rows[key] = (now_ms + wait_ms, wait_ms)
        return wait_ms

    def succeeded(self, name: str, source: Source | None) -> None:
        """The right password was given."""
        self._rows.pop((name, source), None)
