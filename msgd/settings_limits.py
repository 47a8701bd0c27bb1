"""Options about who may connect, and how fast: what keeps strangers from taking the server down.

Must never decide anything: `msgd.gate` and `msgd.brakes` do.
Fails with SettingsError for a rule of chance that cannot be.
"""

import re
from typing import Final

from msgd.gate import GateLimits
from msgd.options import Kind, Option, SettingsError, flag, number
from msgd.penalties import PenaltyLimits
from msgd.reactor_limits import ReactorLimits

_GATE: Final = GateLimits()
_LOOP: Final = ReactorLimits()
_EARLY_DROP: Final = re.compile("(?:[0-9]{1,6}:){2}[0-9]{1,6}|0", re.ASCII)

OPTIONS: Final = (
    Option(
        "early_drop",
        Kind.TEXT,
        f"{_GATE.early_drop_begin}:{_GATE.early_drop_percent}:{_GATE.early_drop_full}",
        "chance to refuse newcomers; 0: none",
        "N:PERCENT:N",
    ),
    number(
        "source_new_max", _GATE.source_new_max, 0, 100_000, "of one address, not logged in; 0: any"
    ),
    number(
        "source_connections_max",
        _GATE.source_connections_max,
        0,
        100_000,
        "connections of one address; 0: any",
    ),
    number(
        "penalty_ms_max",
        _GATE.penalties.penalty_ms_max,
        0,
        86_400_000,
        "longest penalty of a source; 0: none",
    ),
    flag("count_this_machine", "limit addresses of this machine too"),
    number(
        "memory_bytes_max",
        _GATE.memory_bytes_max,
        0,
        1 << 50,
        "memory with which none is taken; 0: any",
    ),
    number(
        "sends_per_second_max",
        _LOOP.sends_per_second_max,
        0,
        1_000_000,
        "messages of one user; 0: any",
    ),
    number("sends_burst_max", _LOOP.sends_burst_max, 1, 1_000_000, "messages of one user at once"),
    number(
        "receive_bytes_per_second_max",
        _LOOP.receive_bytes_per_second_max,
        0,
        1 << 40,
        "from one connection; 0: any",
    ),
)


def gate_limits(
    *,
    early_drop: str,
    source_new_max: int,
    source_connections_max: int,
    penalty_ms_max: int,
    counts_this_machine: bool,
    memory_bytes_max: int,
) -> GateLimits:
    """What the gate goes by. Raises SettingsError."""
    if not _EARLY_DROP.fullmatch(early_drop):
        raise SettingsError(
            f"early_drop takes BEGIN:PERCENT:FULL, such as 10:30:100, or 0, not {early_drop!r}"
        )
    begin, percent, full = (
        (0, 0, 0) if early_drop == "0" else (int(each) for each in early_drop.split(":"))
    )
    try:
        return GateLimits(
            early_drop_begin=begin,
            early_drop_percent=percent,
            early_drop_full=full,
            source_new_max=source_new_max,
            source_connections_max=source_connections_max,
            memory_bytes_max=memory_bytes_max,
            counts_this_machine=counts_this_machine,
            penalties=PenaltyLimits(penalty_ms_max=penalty_ms_max),
        )
    except ValueError as error:
        raise SettingsError(str(error)) from None
