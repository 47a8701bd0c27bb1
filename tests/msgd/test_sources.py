"""Which connections are counted as one source."""

import pytest

from msgd.sources import address_of, source_of, source_text


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::/64"),
        ("[2001:db8::ffff:0:0:1]:1", "2001:db8::/64"),
        ("[2001:db8:0:1::]:1", "2001:db8:0:1::/64"),
        ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
        ("[fe80::1%eth0]:4711", "fe80::/64"),
    ],
)
def test_one_address_or_one_network_is_a_source(peer: str, text: str) -> None:
    address = address_of(peer)
    assert address is not None
    assert source_text(source_of(address)) == text


@pytest.mark.parametrize("peer", ["process 7", "", "its own panel", "local:user"])
def test_who_has_no_address_is_no_source(peer: str) -> None:
    assert address_of(peer) is None
