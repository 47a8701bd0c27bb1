"""A user's name as it stands on the disk.

Must never judge more than what the disk needs: which names are good is the exchange's affair.
Fails with ValueError.
"""

from store.limits import NAME_BYTES_MAX


def decode_name(data: bytes) -> str:
    """A name from the disk. Raises ValueError."""
    if not 0 < len(data) <= NAME_BYTES_MAX:
        raise ValueError(f"a name of {len(data)} bytes")
    return data.decode()
