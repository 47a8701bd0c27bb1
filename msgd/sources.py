"""Where connections come from: the address of a peer, and the network that limits are counted by.

One source is one IPv4 address, or one IPv6 network of 64 bits: whoever is given IPv6 at all is
given that many addresses, so to count single ones would count nothing (RFC 6177).

Must never look anything up. Fails never; a peer without an address has none.
"""

import ipaddress
from functools import lru_cache
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Source = tuple[int, int]
"""Version of the protocol, and the number of the network."""

SOURCE_BITS_OF_IPV6: Final = 64
PARSED_MAX: Final = 256
"""Hosts of which it is remembered what number they are: each connection asks several times."""
_SPARE_BITS: Final = 128 - SOURCE_BITS_OF_IPV6


def address_of(peer: str) -> Address | None:
    """The address of "192.0.2.1:4711" or "[2001:db8::1]:4711"; None of a peer of this machine that
    has none (a local socket).
    """
    host, colon, _ = peer.rpartition(":")
    return _parsed(host) if colon else None


@lru_cache(PARSED_MAX)
def _parsed(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def source_of(address: Address) -> Source:
    """By what the connections of this address are counted."""
    if address.version == 4:
        return 4, int(address)
    return 6, int(address) >> _SPARE_BITS


def source_text(source: Source) -> str:
    """For people: 192.0.2.1, or 2001:db8::/64."""
    version, number = source
    if version == 4:
        return str(ipaddress.IPv4Address(number))
    return f"{ipaddress.IPv6Address(number << _SPARE_BITS)}/{SOURCE_BITS_OF_IPV6}"
