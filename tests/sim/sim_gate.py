"""A gate that lets everybody in: for runs that are about something else."""

from msgd.exchange import Exchange
from msgd.gate import Gate, GateLimits
from msgd.penalties import PenaltyLimits


def open_gate(exchange: Exchange) -> Gate:
    """No counts, no chance, no penalties, no memory."""
    limits = GateLimits(
        early_drop_full=0,
        source_new_max=0,
        source_connections_max=0,
        memory_bytes_max=0,
        penalties=PenaltyLimits(penalty_ms_max=0),
    )
    return Gate(limits, bans=exchange.bans, entropy=bytes, resident_bytes=lambda: 0)
